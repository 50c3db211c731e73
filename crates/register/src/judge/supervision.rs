use super::{ANSWER_DAYS, Asked};
use crate::{State, Unlawful};
use terms::{
    Against, Answer, Digest, Disposed, Event, Measure, Objection, ObjectionId, OperatorId, Stage,
    Violated, Violation, ViolationId,
};

impl State {
    /// 异议: against an item of the catalogue, or a licence under public notice. Source: AO-9, AO-13.
    pub(super) fn lodge_objection(
        &self,
        asked: Asked<'_>,
        id: ObjectionId,
        against: Against,
    ) -> Result<Event, Unlawful> {
        if self.objection(&id).is_some() {
            let what = "an objection of this id exists already";
            return objected("register.objection-exists", &id, what);
        }
        match &against {
            Against::Item { dataset, item } => {
                let known = self.dataset(dataset).and_then(|d| d.item(item));
                if known.is_none() {
                    let what = "there is no such item in the catalogue";
                    return objected("register.no-item", &id, what);
                }
            }
            Against::Licence { licence } => {
                let stage = self.licence(licence).map(|standing| standing.stage);
                if stage != Some(Stage::Noticed) {
                    let what = "the licence is not under public notice";
                    return objected("register.no-licence", &id, what);
                }
            }
        }
        let objection = Objection {
            id,
            against,
            lodged_by: asked.by.id.clone(),
            lodged: asked.today,
            due: self.calendar().after(asked.today, ANSWER_DAYS),
            answer: None,
        };
        Ok(Event::ObjectionLodged { objection })
    }

    /// Its answer, once. Source: PD-26.
    pub(super) fn answer_objection(
        &self,
        asked: Asked<'_>,
        id: ObjectionId,
        upheld: bool,
    ) -> Result<Event, Unlawful> {
        let known = self.objection(&id);
        if known.is_none_or(|objection| objection.answer.is_some()) {
            let what = "there is no such objection without an answer";
            return objected("register.no-objection", &id, what);
        }
        let answer = Answer {
            by: asked.by.id.clone(),
            on: asked.today,
            upheld,
        };
        let objection = id;
        Ok(Event::ObjectionAnswered { objection, answer })
    }

    /// 违规. Source: OD-1.
    pub(super) fn record_violation(
        &self,
        asked: Asked<'_>,
        (id, operator): (ViolationId, OperatorId),
        (kind, measure): (Violated, Measure),
    ) -> Result<Event, Unlawful> {
        if self.violation(&id).is_some() {
            let what = "a violation of this id exists already";
            return violated("register.violation-exists", &id, what);
        }
        self.registered(&operator)?;
        let violation = Violation {
            id,
            operator,
            kind,
            measure,
            recorded_by: asked.by.id.clone(),
            recorded: asked.today,
            lifted: None,
        };
        Ok(Event::ViolationRecorded { violation })
    }

    /// What was done about it ends; the record stays. Source: OD-1.
    pub(super) fn lift_violation(
        &self,
        asked: Asked<'_>,
        id: ViolationId,
    ) -> Result<Event, Unlawful> {
        let known = self.violation(&id);
        if known.is_none_or(|violation| violation.lifted.is_some()) {
            let what = "there is no such violation in force";
            return violated("register.no-violation", &id, what);
        }
        Ok(Event::ViolationLifted {
            by: asked.by.id.clone(),
            violation: id,
            on: asked.today,
        })
    }

    /// The data of what ended is destroyed, once. Source: AO-19.
    pub(super) fn confirm_destruction(
        &self,
        asked: Asked<'_>,
        of: Disposed,
        certificate: Digest,
    ) -> Result<Event, Unlawful> {
        let (place, over) = match &of {
            Disposed::Licence(id) => {
                let stage = self.licence(id).map(|standing| standing.stage);
                let over = matches!(stage, Some(Stage::Terminated | Stage::Expired));
                (format!("licence `{id}`"), over)
            }
            Disposed::Scenario(id) => {
                let stage = self.scenario(id).map(|standing| standing.stage);
                (format!("scenario `{id}`"), stage == Some(Stage::Closed))
            }
        };
        self.judge_disposable(&of)?;
        if !over || self.destroyed(&of).is_some() {
            let what = "it has not ended, or was destroyed already";
            let code = "register.no-destruction-due";
            return Err(Unlawful::new(code, place, what, "AO-19"));
        }
        Ok(Event::DestructionConfirmed {
            by: asked.by.id.clone(),
            of,
            certificate,
        })
    }
}

fn objected<T>(code: &'static str, id: &ObjectionId, what: &str) -> Result<T, Unlawful> {
    Err(Unlawful::new(
        code,
        format!("objection `{id}`"),
        what,
        "AO-13",
    ))
}

fn violated<T>(code: &'static str, id: &ViolationId, what: &str) -> Result<T, Unlawful> {
    Err(Unlawful::new(
        code,
        format!("violation `{id}`"),
        what,
        "OD-1",
    ))
}
