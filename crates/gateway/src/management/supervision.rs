use super::{
    Step,
    parsed::{against, id, reason, word},
    steps,
    told::Subject,
};
use crate::Refused;
use register::Command;
use terms::{ObjectionId, ViolationId};
use tonic::{Request, Response, Status};
use wire::management::{
    Documents, Named, Objection, ObjectionAnswer, Page, Violation, objections_server::Objections,
    violations_server::Violations,
};

fn record(given: Violation) -> Result<Step, Refused> {
    let violation: ViolationId = id("violation", &given.id)?;
    let command = Command::RecordViolation {
        violation: violation.clone(),
        operator: id("operator", &given.operator)?,
        kind: word("kind", &given.kind)?,
        measure: word("measure", &given.measure)?,
        reason: reason(&given.reason)?,
    };
    Ok(Step::new(command, Subject::Violation(violation)))
}

fn lift(given: Named) -> Result<Step, Refused> {
    let violation: ViolationId = id("violation", &given.id)?;
    let about = Subject::Violation(violation.clone());
    Ok(Step::new(Command::LiftViolation(violation), about))
}

fn lodge(given: Objection) -> Result<Step, Refused> {
    let objection: ObjectionId = id("objection", &given.id)?;
    let command = Command::LodgeObjection {
        objection: objection.clone(),
        against: against(&given.dataset, &given.item, &given.licence)?,
        reason: reason(&given.reason)?,
    };
    Ok(Step::new(command, Subject::Objection(objection)))
}

fn answer(given: ObjectionAnswer) -> Result<Step, Refused> {
    let objection: ObjectionId = id("objection", &given.id)?;
    let command = Command::AnswerObjection {
        objection: objection.clone(),
        upheld: given.upheld,
        reason: reason(&given.reason)?,
    };
    Ok(Step::new(command, Subject::Objection(objection)))
}

steps!(Violations {
    record(Violation) => record;
    lift(Named) => lift;
    @ async fn list(&self, request: Request<Page>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, |state| {
            state.violations().map(|found| Subject::Violation(found.id.clone())).collect()
        })
    }
});

steps!(Objections {
    lodge(Objection) => lodge;
    answer(ObjectionAnswer) => answer;
    @ async fn list(&self, request: Request<Page>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, |state| {
            state.objections().map(|found| Subject::Objection(found.id.clone())).collect()
        })
    }
});
