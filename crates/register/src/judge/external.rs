use super::{Asked, catalogue::judge_entry};
use crate::{
    ExternalStanding, State, Unlawful,
    life::{AfterExternalReview, Applied, At, IsStage, OfExternal, is_last},
};
use chrono::NaiveDate;
use terms::{
    Course, Dataset, Event, External, ExternalId, OperatorId, PersonId, ScenarioId, Scrutiny,
    Snapshot, Stage, Standing,
};

/// What is reviewed at the gate, and what it would become with the second approval.
type Looked<'a> = (Scrutiny, &'a ExternalId, Option<Snapshot>);

impl State {
    /// Data of an operator's own, for one of its scenarios, goes into quarantine. Source: AO-16(3).
    pub(super) fn submit_external(
        &self,
        asked: Asked<'_>,
        external: External,
    ) -> Result<Event, Unlawful> {
        if self.external(&external.id).is_some() {
            let what = "data of this id was submitted already";
            return refused("register.external-exists", &external.id, what);
        }
        let operator = asked.by.operator();
        self.judge_bringing(asked.today, operator.as_ref(), &external)?;
        let course = self.applied(asked.today);
        Ok(Event::ExternalStep {
            by: asked.by.id.clone(),
            stage: Stage::Applied,
            external: Box::new(external),
            course,
            snapshot: None,
        })
    }

    /// Whether an operator may bring this in at all, before anything of it is read.
    ///
    /// # Errors
    /// [`Unlawful`].
    pub fn judge_bringing(
        &self,
        today: NaiveDate,
        operator: Option<&OperatorId>,
        external: &External,
    ) -> Result<(), Unlawful> {
        let place = format!("scenario `{}`", external.scenario);
        let scenario = self.scenario(&external.scenario);
        let licence = scenario.and_then(|s| self.licence(&s.scenario.licence));
        let own = licence.filter(|licence| Some(&licence.licence.operator) == operator);
        let (Some(scenario), Some(licence)) = (scenario, own) else {
            let what = "there is no such scenario of your operator";
            return Err(Unlawful::new("register.not-own", place, what, "AO-16(3)"));
        };
        if scenario.stage != Stage::Granted || licence.stage != Stage::Granted {
            let what = "its scenario and licence have to stand";
            let code = "register.licence-not-granted";
            return Err(Unlawful::new(code, place, what, "AO-16(3)"));
        }
        self.judge_open(external)?;
        let operator = &licence.licence.operator;
        self.judge_standing(operator, today, &place)?;
        self.judge_brought(operator, external)
    }

    /// The entry of what is brought: lawful by itself, the operator's, with what fuses it, and what the
    /// catalogue has where it has one.
    fn judge_brought(&self, operator: &OperatorId, external: &External) -> Result<(), Unlawful> {
        let dataset = &external.dataset;
        judge_entry(dataset)?;
        let place = format!("dataset `{}`", dataset.name);
        let refuse = |code, what: &str| Err(Unlawful::new(code, place.clone(), what, "AO-16(3)"));
        if !dataset.external || dataset.provider != operator.as_str() {
            let what = "say `external = true`, and your operator's id as the provider";
            return refuse("register.not-own", what);
        }
        if dataset.prohibited.is_some() || dataset.risk.is_some() {
            let what = "leave out `prohibited` and `risk`: they are for the authorities to say";
            return refuse("register.not-yours", what);
        }
        for item in &dataset.items {
            let place = format!("{place}, item `{}`", item.name);
            if item.kind.is_identifier() && item.domain.is_none() {
                let what = "give the identifier its domain, or leave the column out";
                return Err(Unlawful::new("register.no-domain", place, what, "AO-16(3)"));
            }
            if item.impact.is_none() && !self.pilot() {
                let what = "say what harm a leak would do: degree and scope";
                return Err(Unlawful::new("register.no-impact", place, what, "CG-6.3"));
            }
        }
        if !dataset.items.iter().any(terms::Item::is_key) {
            let what = "nothing in it can be fused: list an identifier with its domain";
            return refuse("register.no-key", what);
        }
        if self.proposed(&dataset.name).is_some() {
            let what = "an entry of this name is proposed already; choose another";
            return refuse("register.proposed", what);
        }
        match self.dataset(&dataset.name) {
            Some(known) => same_entry(known, dataset, &external.scenario),
            None => Ok(()),
        }
    }

    /// One authority finds it in order; with the second it comes in, in the state that was made of it.
    /// Nobody is both. Source: AO-16(3).
    pub(super) fn review_external(
        &self,
        asked: Asked<'_>,
        (scrutiny, id, snapshot): Looked<'_>,
    ) -> Result<Event, Unlawful> {
        self.may_review_external(&asked.by.id, (scrutiny, id))?;
        let (standing, at) = self.external_at::<Applied>(id)?;
        let (aspect, course) = (scrutiny.aspect(), &standing.course);
        let external = &standing.external;
        if is_last(course, scrutiny) {
            let scenario = self.scenario(&external.scenario);
            let licence = scenario.and_then(|s| self.licence(&s.scenario.licence));
            let operator = licence.map(|licence| &licence.licence.operator);
            self.judge_bringing(asked.today, operator, external)?;
            self.judge_became(external, snapshot.as_ref())?;
        } else if snapshot.is_some() {
            let what = "the other authority has not approved it";
            return refused("register.step-order", id, what);
        }
        let told = match at.review((scrutiny, asked.review(aspect))) {
            AfterExternalReview::Applied(at) => at.told(),
            AfterExternalReview::Granted(at) => at.told(),
        };
        Ok(step(asked, standing, (told, snapshot)))
    }

    /// Whether somebody may look at it at all, before anything is read for that.
    ///
    /// # Errors
    /// [`Unlawful`].
    pub fn may_review_external(
        &self,
        by: &PersonId,
        (scrutiny, id): (Scrutiny, &ExternalId),
    ) -> Result<(), Unlawful> {
        let (standing, _) = self.external_at::<Applied>(id)?;
        let mut reviews = standing.course.reviews.iter();
        if reviews.any(|review| review.aspect == scrutiny.aspect() || review.by == *by) {
            let what = "it was judged already in this respect, or by you";
            return refused("register.reviewed", id, what);
        }
        Ok(())
    }

    /// It comes in as the next state of its dataset, with the rows that were looked at.
    fn judge_became(
        &self,
        external: &External,
        snapshot: Option<&Snapshot>,
    ) -> Result<(), Unlawful> {
        let next = self.next_snapshot(&external.dataset);
        let is_it = |snapshot: &Snapshot| {
            snapshot.dataset == external.dataset.name
                && snapshot.number == next
                && snapshot.rows == external.rows
                && snapshot.types == external.types
                && snapshot.types.len() == external.dataset.items.len()
        };
        if snapshot.is_some_and(is_it) {
            return Ok(());
        }
        let what = format!("snapshot {next}, of what was submitted, is due");
        refused("register.snapshot-order", &external.id, &what)
    }

    /// That nothing that data from outside is for is sealed: its scenario, its dataset, what it is fused with.
    ///
    /// # Errors
    /// [`Unlawful`].
    pub fn judge_open(&self, external: &External) -> Result<(), Unlawful> {
        self.judge_unsealed(&external.dataset.name)?;
        let Some(of) = self.scenario(&external.scenario) else {
            return Ok(());
        };
        self.judge_unsealed_scenario(&of.scenario)?;
        let mut wanted = of.scenario.datasets.iter();
        wanted.try_for_each(|wanted| self.judge_unsealed(&wanted.name))
    }

    /// The number that the next state of a dataset's data has.
    #[must_use]
    pub fn next_snapshot(&self, dataset: &Dataset) -> u32 {
        self.snapshot(&dataset.name)
            .map_or(1, |last| last.number.saturating_add(1))
    }

    /// Whether an approval in this respect would be the second.
    #[must_use]
    pub fn is_last_review(&self, id: &ExternalId, scrutiny: Scrutiny) -> bool {
        let standing = self.external(id).filter(|s| s.stage == Stage::Applied);
        standing.is_some_and(|standing| is_last(&standing.course, scrutiny))
    }

    /// 不予批准. Source: PD-24.
    pub(super) fn refuse_external(
        &self,
        asked: Asked<'_>,
        id: &ExternalId,
    ) -> Result<Event, Unlawful> {
        let (standing, at) = self.external_at::<Applied>(id)?;
        Ok(step(asked, standing, (at.refuse(asked.today).told(), None)))
    }

    /// Taken back, by its operator.
    pub(super) fn withdraw_external(
        &self,
        asked: Asked<'_>,
        id: &ExternalId,
    ) -> Result<Event, Unlawful> {
        let provider = self.external(id).map(|s| &s.external.dataset.provider);
        let operator = asked.by.operator();
        let own = operator.is_some_and(|own| provider.map(String::as_str) == Some(own.as_str()));
        if !own {
            let what = "there is no such data of your operator";
            return refused("register.not-own", id, what);
        }
        let (standing, at) = self.external_at::<Applied>(id)?;
        Ok(step(
            asked,
            standing,
            (at.withdraw(asked.today).told(), None),
        ))
    }

    /// Nobody decided in time. Asked by the clock alone.
    pub(super) fn expire_external(
        &self,
        asked: Asked<'_>,
        id: &ExternalId,
    ) -> Result<Event, Unlawful> {
        let (standing, at) = self.external_at::<Applied>(id)?;
        if asked.today <= standing.external.until {
            let what = format!("it may lie in quarantine until {}", standing.external.until);
            return refused("register.not-over", id, &what);
        }
        Ok(step(asked, standing, (at.expire(asked.today).told(), None)))
    }

    /// What was submitted under this id, taken up at a stage. What lies in quarantine for a sealed scenario or
    /// dataset stays as it is.
    fn external_at<S: IsStage>(
        &self,
        id: &ExternalId,
    ) -> Result<(&ExternalStanding, At<OfExternal, S>), Unlawful> {
        let Some(standing) = self.external(id) else {
            return refused("register.no-external", id, "nobody submitted it");
        };
        self.judge_open(&standing.external)?;
        let place = format!("external `{id}`");
        let at = At::of(standing.stage, standing.course.clone(), &place)?;
        Ok((standing, at))
    }
}

/// What is in the catalogue already comes in again as it is there.
fn same_entry(known: &Dataset, given: &Dataset, scenario: &ScenarioId) -> Result<(), Unlawful> {
    let place = format!("dataset `{}`", given.name);
    let refuse = |code, what: &str| Err(Unlawful::new(code, place.clone(), what, "AO-16(3)"));
    if known.standing != Standing::Active || known.prohibited.is_some() {
        let what = "the dataset is not operated on";
        return refuse("register.dataset-closed", what);
    }
    if known.bound.as_ref().is_some_and(|bound| bound != scenario) {
        let what = "the dataset serves another scenario; choose another name";
        return refuse("register.bound-elsewhere", what);
    }
    let mut listed = known.clone();
    (listed.bound, listed.risk) = (None, None);
    for item in &mut listed.items {
        item.data_type = None;
    }
    if listed != *given {
        let what = "the catalogue has another entry of this name; submit with that one";
        return refuse("register.entry-differs", what);
    }
    Ok(())
}

fn step(
    asked: Asked<'_>,
    standing: &ExternalStanding,
    ((stage, course), snapshot): ((Stage, Course), Option<Snapshot>),
) -> Event {
    Event::ExternalStep {
        by: asked.by.id.clone(),
        stage,
        external: Box::new(standing.external.clone()),
        course,
        snapshot,
    }
}

fn refused<T>(code: &'static str, id: &ExternalId, what: &str) -> Result<T, Unlawful> {
    let place = format!("external `{id}`");
    Err(Unlawful::new(code, place, what, "AO-16(3)"))
}

#[cfg(test)]
mod tests;
