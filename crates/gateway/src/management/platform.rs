use super::{
    Step,
    follow::Entries,
    parsed::{digest, document, either, id, word},
    status, steps,
    told::Subject,
};
use crate::{Refused, flight::asking, operation::now};
use register::Command;
use terms::{Disposed, today};
use tonic::{Request, Response, Status};
use wire::management::{
    All, BackedUp, Destruction, DestructionApproval, DestructionApproved, DestructionRequest,
    DestructionRequested, Document, Documents, FollowRequest, platform_server::Platform,
};

fn set_holidays(given: Document) -> Result<Step, Refused> {
    let holidays = document("holidays", &given.json)?;
    Ok(Step::new(Command::SetHolidays(holidays), Subject::Domain))
}

fn confirm_destruction(given: Destruction) -> Result<Step, Refused> {
    let licence = |text: &str| Ok(Disposed::Licence(id("licence", text)?));
    let scenario = |text: &str| Ok(Disposed::Scenario(id("scenario", text)?));
    let of = either(
        "destruction",
        (&given.licence, licence),
        (&given.scenario, scenario),
    )?;
    let about = match &of {
        Disposed::Licence(licence) => Subject::Licence(licence.clone()),
        Disposed::Scenario(scenario) => Subject::Scenario(scenario.clone()),
    };
    let certificate = digest(&given.certificate)?;
    let command = Command::ConfirmDestruction { of, certificate };
    Ok(Step::new(command, about))
}

steps!(Platform {
    set_holidays(Document) => set_holidays;
    confirm_destruction(Destruction) => confirm_destruction;
    @ async fn describe(&self, request: Request<All>) -> Result<Response<Document>, Status> {
        self.show_of(&request, |_| Ok(Subject::Domain))
    }

    async fn overdue(&self, request: Request<All>) -> Result<Response<Documents>, Status> {
        let asking = asking(&request, self.channel);
        self.may(&asking, "readRegister").map_err(|why| status(&why))?;
        let overdue = self.gateway.domain.live.read().state.overdue(today(now()));
        let told = overdue.iter().map(|owed| serde_json::json!(owed).to_string());
        Ok(Response::new(Documents {
            json: told.collect(),
            next: String::new(),
        }))
    }

    async fn request_destruction(
        &self,
        request: Request<DestructionRequest>,
    ) -> Result<Response<DestructionRequested>, Status> {
        let asking = asking(&request, self.channel);
        let given = request.into_inner();
        let read = || {
            let dataset = id("dataset", &given.dataset)?;
            let basis = word("basis", &given.basis)?;
            Ok::<_, Refused>((dataset, basis))
        };
        let (dataset, basis) = read().map_err(|why| status(&why))?;
        let of = (dataset, given.snapshot);
        let asked = self.gateway.request_destruction(&asking, of, basis).await;
        let request = asked.map_err(|why| status(&why))?;
        Ok(Response::new(DestructionRequested { request }))
    }

    async fn approve_destruction(
        &self,
        request: Request<DestructionApproval>,
    ) -> Result<Response<DestructionApproved>, Status> {
        let asking = asking(&request, self.channel);
        let request = request.into_inner().request;
        let approved = self.gateway.approve_destruction(&asking, request).await;
        let approved = approved.map_err(|why| status(&why))?;
        let certificate = approved.certificate.map(|digest| digest.to_string());
        Ok(Response::new(DestructionApproved {
            approvals: u32::try_from(approved.approvals).unwrap_or(u32::MAX),
            certificate: certificate.unwrap_or_default(),
        }))
    }

    async fn back_up(&self, request: Request<All>) -> Result<Response<BackedUp>, Status> {
        let asking = asking(&request, self.channel);
        let made = self.gateway.back_up(&asking).await;
        let made = made.map_err(|why| status(&why))?;
        Ok(Response::new(BackedUp {
            number: made.number,
            backup: made.backup.to_string(),
            objects: made.objects,
            bytes: made.bytes,
            bytes_new: made.bytes_new,
            index: made.index,
            removed: made.removed,
        }))
    }

    type FollowStream = Entries;

    async fn follow(&self, request: Request<FollowRequest>) -> Result<Response<Entries>, Status> {
        let asking = asking(&request, self.channel);
        let from = request.get_ref().from_index;
        let entries = self.follow_from(asking, from).map_err(|why| status(&why))?;
        Ok(Response::new(entries))
    }
});
