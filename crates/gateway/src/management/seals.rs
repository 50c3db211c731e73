use super::{
    Step,
    parsed::{day, id, word},
    refused, status, steps,
    told::Subject,
};
use crate::{Refused, flight::asking};
use register::Command;
use terms::SealedUnit;
use tonic::{Request, Response, Status};
use wire::management::{
    Dated, Document, Documents, Done, Named, Page, SealRequest, seals_server::Seals,
};

fn of(unit: &str, command: impl FnOnce(SealedUnit) -> Command) -> Result<Step, Refused> {
    let unit: SealedUnit = id("unit", unit)?;
    let about = Subject::Seal(unit.clone());
    Ok(Step::new(command(unit), about))
}

fn extend(given: Dated) -> Result<Step, Refused> {
    let until = day("day", &given.day)?;
    of(&given.id, |unit| Command::ExtendSeal { unit, until })
}

steps!(Seals {
    extend(Dated) => extend;
    request_release(Named) => |given| of(&given.id, Command::RequestSealRelease);
    approve_release(Named) => |given| of(&given.id, Command::ApproveSealRelease);
    @ async fn seal(&self, request: Request<SealRequest>) -> Result<Response<Done>, Status> {
        let asking = asking(&request, self.channel);
        let given = request.into_inner();
        let read = || {
            let unit: SealedUnit = id("unit", &given.unit)?;
            Ok::<_, Refused>((unit, word("basis", &given.basis)?, day("day", &given.day)?))
        };
        let (unit, basis, until) = read().map_err(|why| status(&why))?;
        // Hashing is work: nobody who may not have it done.
        self.may(&asking, "sealData").map_err(|why| status(&why))?;
        let about = Subject::Seal(unit.clone());
        let sealed = self.gateway.seal(&asking, (unit, basis, until)).await;
        let carried = sealed.map_err(|why| refused(&why))?;
        Ok(self.done(&carried, &about))
    }

    async fn check(&self, request: Request<Named>) -> Result<Response<Document>, Status> {
        let asking = asking(&request, self.channel);
        let unit: SealedUnit =
            id("unit", &request.get_ref().id).map_err(|why: Refused| status(&why))?;
        self.may(&asking, "checkSeal").map_err(|why| status(&why))?;
        let checked = self.gateway.check_seal(&asking, unit).await;
        let json = checked.map_err(|why| refused(&why))?.to_string();
        Ok(Response::new(Document { json }))
    }

    async fn list(&self, request: Request<Page>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, |state| {
            state.seals().all().map(|(unit, _)| Subject::Seal(unit.clone())).collect()
        })
    }
});
