use super::Asked;
use crate::{State, Unlawful};
use chrono::NaiveDate;
use terms::{Event, Evidence, Operator, OperatorId, OperatorStep, Person, PersonId, Role};

/// The kind of the yearly assessment's report among an operator's evidence. Source: AO-29.
const ASSESSMENT: &str = "annual-assessment";
/// The kind of the emergency plan among an operator's evidence. Source: AO-26.
const PLAN: &str = "emergency-plan";

impl State {
    /// An operator comes in. Source: AO-7.
    pub(super) fn register_operator(
        &self,
        asked: Asked<'_>,
        operator: Operator,
    ) -> Result<Event, Unlawful> {
        self.judge_operator(&operator)?;
        Ok(Event::OperatorRegistered {
            by: asked.by.id.clone(),
            operator,
        })
    }

    /// A paper of the operator's own. Source: AO-7.
    pub(super) fn file_evidence(
        &self,
        asked: Asked<'_>,
        id: &OperatorId,
        evidence: Evidence,
    ) -> Result<Event, Unlawful> {
        let operator = self.own(asked, id)?;
        current(id, asked.today, evidence.until)?;
        if [ASSESSMENT, PLAN].contains(&evidence.kind.as_str()) {
            let what = "this paper has a step of its own: `operator assess`, `operator plan`";
            return refused("register.evidence-kind", id, what, "AO-7");
        }
        let operator = filed(operator, evidence);
        Ok(changed(asked, OperatorStep::EvidenceFiled, operator))
    }

    /// Another data security officer. Source: AO-7.
    pub(super) fn name_officer(
        &self,
        asked: Asked<'_>,
        id: &OperatorId,
        officer: PersonId,
    ) -> Result<Event, Unlawful> {
        let operator = self.own(asked, id)?.clone();
        self.judge_officer(id, Some(&officer))?;
        let security_officer = Some(officer);
        let operator = Operator {
            security_officer,
            ..operator
        };
        Ok(changed(asked, OperatorStep::OfficerNamed, operator))
    }

    /// An emergency plan, with the day by which it is drilled. Source: AO-26.
    pub(super) fn file_plan(
        &self,
        asked: Asked<'_>,
        id: &OperatorId,
        (plan, drill_until): (Evidence, NaiveDate),
    ) -> Result<Event, Unlawful> {
        let operator = self.own(asked, id)?;
        current(id, asked.today, drill_until.min(plan.until))?;
        let kind = PLAN.to_owned();
        let operator = Operator {
            emergency_plan: true,
            drill_until: Some(drill_until),
            ..filed(operator, Evidence { kind, ..plan })
        };
        Ok(changed(asked, OperatorStep::PlanFiled, operator))
    }

    /// The plan was drilled. Source: AO-26.
    pub(super) fn record_drill(
        &self,
        asked: Asked<'_>,
        id: &OperatorId,
        next_until: NaiveDate,
    ) -> Result<Event, Unlawful> {
        let operator = self.registered(id)?.clone();
        current(id, asked.today, next_until)?;
        if !operator.emergency_plan {
            let what = "there is no plan to drill; file one first";
            return refused("register.no-emergency-plan", id, what, "AO-26");
        }
        let drill_until = Some(next_until);
        let operator = Operator {
            drill_until,
            ..operator
        };
        Ok(changed(asked, OperatorStep::Drilled, operator))
    }

    /// 年度评估. Source: AO-29.
    pub(super) fn assess_operator(
        &self,
        asked: Asked<'_>,
        id: &OperatorId,
        (passed, report): (bool, Evidence),
    ) -> Result<Event, Unlawful> {
        let operator = self.registered(id)?;
        current(id, asked.today, report.until)?;
        let kind = ASSESSMENT.to_owned();
        let operator = Operator {
            assessment_failed: !passed,
            ..filed(operator, Evidence { kind, ..report })
        };
        let step = match passed {
            true => OperatorStep::Assessed,
            false => OperatorStep::AssessmentFailed,
        };
        Ok(changed(asked, step, operator))
    }

    /// The operator of this id.
    pub(super) fn registered(&self, id: &OperatorId) -> Result<&Operator, Unlawful> {
        let found = self.operator(id);
        found.ok_or_else(|| {
            let place = format!("operator `{id}`");
            let what = "register its operator first";
            Unlawful::new("register.no-operator", place, what, "AO-7")
        })
    }

    /// The caller's own operator.
    fn own(&self, asked: Asked<'_>, id: &OperatorId) -> Result<&Operator, Unlawful> {
        if asked.by.operator().as_ref() != Some(id) {
            let what = "only a member of the operator files its papers";
            return refused("register.not-own", id, what, "AO-7");
        }
        self.registered(id)
    }

    fn judge_operator(&self, operator: &Operator) -> Result<(), Unlawful> {
        let id = &operator.id;
        if self.operator(id).is_some() {
            let what = "an operator of this id is registered already; choose another id";
            return refused("register.operator-exists", id, what, "AO-7");
        }
        // Its members are enrolled for a registered operator; only a pilot tells all at once.
        let officer = operator.security_officer.as_ref();
        if self.pilot() || officer.is_some() {
            return self.judge_officer(id, officer);
        }
        Ok(())
    }

    /// An operator names an enrolled person of its own as data security officer. Source: AO-7.
    fn judge_officer(&self, id: &OperatorId, officer: Option<&PersonId>) -> Result<(), Unlawful> {
        let officer = officer.and_then(|id| self.person(id));
        let member = officer.filter(|person| person.role == Role::OperatorMember);
        if member.and_then(Person::operator).as_ref() != Some(id) {
            let what = "name a data security officer who is enrolled as a member of this operator";
            return refused("register.no-security-officer", id, what, "AO-7");
        }
        Ok(())
    }
}

fn changed(asked: Asked<'_>, step: OperatorStep, operator: Operator) -> Event {
    let by = asked.by.id.clone();
    Event::OperatorChanged { by, step, operator }
}

/// The operator with a paper on file, in place of one of its kind.
fn filed(operator: &Operator, evidence: Evidence) -> Operator {
    let mut operator = operator.clone();
    operator
        .evidence
        .retain(|known| known.kind != evidence.kind);
    operator.evidence.push(evidence);
    operator
}

fn current(id: &OperatorId, today: NaiveDate, until: NaiveDate) -> Result<(), Unlawful> {
    if until < today {
        let what = "it is over already; give the last day it holds";
        return refused("register.evidence-over", id, what, "AO-7");
    }
    Ok(())
}

fn refused<T>(
    code: &'static str,
    id: &OperatorId,
    what: &str,
    clause: &'static str,
) -> Result<T, Unlawful> {
    Err(Unlawful::new(
        code,
        format!("operator `{id}`"),
        what,
        clause,
    ))
}
