use crate::{State, Unlawful};
use terms::{Event, Licence, LicenceId, Person, Stage};

impl State {
    /// A member of the operator applies; the term is at most two years. Source: AO-8, AO-9, AO-11.
    pub(super) fn apply_licence(&self, by: &Person, licence: Licence) -> Result<Event, Unlawful> {
        let place = format!("licence `{}`", licence.id);
        let refuse =
            |code, what: &str, clause| Err(Unlawful::new(code, place.clone(), what, clause));
        if self.licence(&licence.id).is_some() {
            return refuse(
                "register.licence-exists",
                "a licence of this id exists already",
                "AO-9",
            );
        }
        let Some(operator) = self.operator(&licence.operator) else {
            return refuse(
                "register.no-operator",
                "register its operator first",
                "AO-7",
            );
        };
        if by.operator().as_ref() != Some(&licence.operator) {
            return refuse(
                "register.not-own",
                "only a member of the operator applies",
                "AO-9",
            );
        }
        if !operator.emergency_plan {
            return refuse(
                "register.no-emergency-plan",
                "file the emergency plan first",
                "AO-26",
            );
        }
        if !licence.term_is_lawful() {
            let what = "the term is at most two years and ends after it begins";
            return refuse("register.term", what, "AO-11");
        }
        Ok(Event::LicenceStep {
            by: by.id.clone(),
            stage: Stage::Applied,
            licence,
        })
    }

    /// Review, public notice, grant: in this order. Source: AO-9.
    pub(super) fn step_licence(
        &self,
        by: &Person,
        id: &LicenceId,
        to: Stage,
    ) -> Result<Event, Unlawful> {
        let place = format!("licence `{id}`");
        let Some(standing) = self.licence(id) else {
            let what = "there is no application for it";
            return Err(Unlawful::new("register.no-licence", place, what, "AO-9"));
        };
        let before = match to {
            Stage::Reviewed => Stage::Applied,
            Stage::Noticed => Stage::Reviewed,
            Stage::Granted => Stage::Noticed,
            Stage::Applied | Stage::Suspended | Stage::Terminated => to,
        };
        if standing.stage != before {
            let what = "the steps are applied, reviewed, noticed, granted, in this order";
            return Err(Unlawful::new("register.step-order", place, what, "AO-9"));
        }
        let (by, licence) = (by.id.clone(), standing.licence.clone());
        Ok(Event::LicenceStep {
            by,
            stage: to,
            licence,
        })
    }
}

#[cfg(test)]
mod tests;
