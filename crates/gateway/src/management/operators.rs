use super::{
    Step,
    parsed::{day, document, id},
    steps,
    told::Subject,
};
use crate::Refused;
use register::Command;
use terms::{Operator, OperatorId};
use tonic::{Request, Response, Status};
use wire::management::{
    Assessment, Dated, Document, DocumentOf, Documents, Named, Page, Pair,
    operators_server::Operators,
};

fn of(operator: &str, command: impl FnOnce(OperatorId) -> Command) -> Result<Step, Refused> {
    let operator: OperatorId = id("operator", operator)?;
    let about = Subject::Operator(operator.clone());
    Ok(Step::new(command(operator), about))
}

fn register(given: Document) -> Result<Step, Refused> {
    let operator: Operator = document("operator", &given.json)?;
    let about = Subject::Operator(operator.id.clone());
    Ok(Step::new(Command::RegisterOperator(operator), about))
}

fn file_evidence(given: DocumentOf) -> Result<Step, Refused> {
    let evidence = document("evidence", &given.json)?;
    of(&given.id, |operator| Command::FileEvidence {
        operator,
        evidence,
    })
}

fn name_officer(given: Pair) -> Result<Step, Refused> {
    let officer = id("person", &given.word)?;
    of(&given.id, |operator| Command::NameOfficer {
        operator,
        officer,
    })
}

fn file_plan(given: DocumentOf) -> Result<Step, Refused> {
    let (plan, drill_until) = (document("evidence", &given.json)?, day("day", &given.day)?);
    of(&given.id, |operator| Command::FilePlan {
        operator,
        plan,
        drill_until,
    })
}

fn record_drill(given: Dated) -> Result<Step, Refused> {
    let next_until = day("day", &given.day)?;
    of(&given.id, |operator| Command::RecordDrill {
        operator,
        next_until,
    })
}

fn assess(given: Assessment) -> Result<Step, Refused> {
    let (passed, report) = (given.passed, document("evidence", &given.report_json)?);
    of(&given.operator, |operator| Command::AssessOperator {
        operator,
        passed,
        report,
    })
}

steps!(Operators {
    register(Document) => register;
    file_evidence(DocumentOf) => file_evidence;
    name_officer(Pair) => name_officer;
    file_plan(DocumentOf) => file_plan;
    record_drill(Dated) => record_drill;
    assess(Assessment) => assess;
    @ async fn list(&self, request: Request<Page>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, |state| {
            state.operators().map(|operator| Subject::Operator(operator.id.clone())).collect()
        })
    }

    async fn show(&self, request: Request<Named>) -> Result<Response<Document>, Status> {
        self.show_of(&request, |named| Ok(Subject::Operator(id("operator", &named.id)?)))
    }
});
