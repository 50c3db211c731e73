use super::{
    Step,
    parsed::{cause, document, id, reason, word},
    refused, status, steps,
    told::Subject,
};
use crate::{Refused, flight::asking, operation::now};
use register::Command;
use terms::{Aspect, Scenario, ScenarioId};
use tonic::{Request, Response, Status};
use wire::management::{
    Caused, Document, Documents, Done, Named, Page, Pair, Reasoned, scenarios_server::Scenarios,
};

fn of(scenario: &str, command: impl FnOnce(ScenarioId) -> Command) -> Result<Step, Refused> {
    let scenario: ScenarioId = id("scenario", scenario)?;
    let about = Subject::Scenario(scenario.clone());
    Ok(Step::new(command(scenario), about))
}

fn refuse(given: Reasoned) -> Result<Step, Refused> {
    let reason = reason(&given.reason)?;
    of(&given.id, |scenario| Command::RefuseScenario {
        scenario,
        reason,
    })
}

fn suspend(given: Caused) -> Result<Step, Refused> {
    let (cause, reason) = (cause(&given.cause)?, reason(&given.reason)?);
    of(&given.id, |scenario| Command::SuspendScenario {
        scenario,
        cause,
        reason,
    })
}

fn report_risk(given: Reasoned) -> Result<Step, Refused> {
    let reason = reason(&given.reason)?;
    of(&given.id, |scenario| Command::ReportRisk {
        scenario,
        reason,
    })
}

fn close(given: Caused) -> Result<Step, Refused> {
    let cause = cause(&given.cause)?;
    of(&given.id, |scenario| Command::CloseScenario {
        scenario,
        cause,
    })
}

steps!(Scenarios {
    approve(Named) => |given| of(&given.id, Command::ApproveScenario);
    refuse(Reasoned) => refuse;
    suspend(Caused) => suspend;
    report_risk(Reasoned) => report_risk;
    resume(Named) => |given| of(&given.id, Command::ResumeScenario);
    close(Caused) => close;
    @ async fn apply(&self, request: Request<Document>) -> Result<Response<Done>, Status> {
        let asking = asking(&request, self.channel);
        let scenario: Result<Scenario, Refused> = document("scenario", &request.get_ref().json);
        let scenario = scenario.map_err(|why| status(&why))?;
        // Planning is work: nobody who may not have it done.
        self.may(&asking, "applyScenario").map_err(|why| status(&why))?;
        let translated = self.administration().translate_rows(scenario, now()).await;
        let scenario = translated.map_err(|why| refused(&why))?;
        let about = Subject::Scenario(scenario.id.clone());
        let step = Step::new(Command::ApplyScenario(scenario), about.clone());
        let carried = self.carry_out(&asking, step).await?;
        Ok(self.done(&carried, &about))
    }

    async fn review(&self, request: Request<Pair>) -> Result<Response<Done>, Status> {
        let asking = asking(&request, self.channel);
        let read = |given: &Pair| Ok((id("scenario", &given.id)?, word("aspect", &given.word)?));
        let (scenario, aspect): (ScenarioId, Aspect) =
            read(request.get_ref()).map_err(|why: Refused| status(&why))?;
        let review = |row_risks| Command::ReviewScenario {
            scenario: scenario.clone(),
            aspect,
            row_risks,
        };
        // Measuring is work: nobody who may not have it done.
        self.may(&asking, review(Vec::new()).action()).map_err(|why| status(&why))?;
        let known = {
            let stands = self.gateway.domain.live.read();
            stands.state.scenario(&scenario).map(|standing| standing.scenario.clone())
        };
        let row_risks = match known {
            Some(known) => self.administration().measure(&known).await,
            None => Ok(Vec::new()),
        };
        let row_risks = row_risks.map_err(|why| refused(&why))?;
        let about = Subject::Scenario(scenario.clone());
        let step = Step::new(review(row_risks), about.clone());
        let carried = self.carry_out(&asking, step).await?;
        Ok(self.done(&carried, &about))
    }

    async fn list(&self, request: Request<Page>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, |state| {
            state.scenarios().map(|s| Subject::Scenario(s.scenario.id.clone())).collect()
        })
    }

    async fn show(&self, request: Request<Named>) -> Result<Response<Document>, Status> {
        self.show_of(&request, |named| Ok(Subject::Scenario(id("scenario", &named.id)?)))
    }
});
