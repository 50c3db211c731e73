use super::{Step, parsed::id, status, told::Subject};
use crate::{Refused, flight::asking};
use register::Command;
use tonic::{Request, Response, Status};
use wire::management::{Documents, Done, KeptName, Page, workspaces_server::Workspaces};

fn drop_kept(given: &KeptName) -> Result<Step, Refused> {
    let scenario = id("scenario", &given.scenario)?;
    let name = id("name", &given.name)?;
    let command = Command::DropDerived { scenario, name };
    Ok(Step::new(command, Subject::Domain))
}

#[tonic::async_trait]
impl Workspaces for super::Desk {
    async fn list(&self, request: Request<Page>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, |state| {
            let kept = state.kept().map(terms::Derived::stored_as);
            kept.map(Subject::Kept).collect()
        })
    }

    async fn drop(&self, request: Request<KeptName>) -> Result<Response<Done>, Status> {
        let asking = asking(&request, self.channel);
        let step = drop_kept(request.get_ref()).map_err(|why| status(&why))?;
        let about = step.about.clone();
        let carried = self.carry_out(&asking, step).await?;
        // On record first; what cannot be destroyed now is at the next start.
        self.gateway.domain.sweep_kept().await;
        Ok(self.done(&carried, &about))
    }
}
