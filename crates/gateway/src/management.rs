//! Management: the register's steps and what stands, on the admin listener. One service per noun.
//!
//! Each step goes one way: prove → policy → register → ledger → it stands. What cannot be read is refused
//! before any of them.

mod parsed; // words, days and documents as callers send them
mod sight; // who sees what of the register
mod told; // what stands, as JSON
mod people; // 参与人员
mod operators; // 运营单位
mod catalogue; // 公共数据目录
mod licences; // 授权
mod scenarios; // 应用场景
mod products; // 公共数据产品
mod externals; // 社会数据
mod workspaces; // 工作区
mod supervision; // 违规 and 异议
mod seals; // 封存
mod platform; // what the management platform governs
mod follow; // the log as it grows

use self::told::Subject;
use crate::{
    Administration, Asking, By, Carried, Gateway, Kind, Order, Refused, Unadministered,
    flight::asking,
};
use register::{Command, Unlawful};
use std::sync::Arc;
use terms::{Channel, Told};
use tonic::{
    Request, Response, Status,
    metadata::{MetadataMap, MetadataValue},
};
use wire::management::{self, Done};

/// The services of one listener.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    gateway: Arc<Gateway>,
    channel: Channel,
}

/// A step as a caller asks for it, and what it is about.
struct Step {
    command: Command,
    about: Subject,
    sealed: Option<Vec<u8>>,
}

/// Answers each call of a service that is one step: how its request is read.
macro_rules! steps {
    ($service:path {
        $($call:ident($request:ty) => $read:expr;)*
        $(@ $($more:tt)*)?
    }) => {
        #[tonic::async_trait]
        impl $service for crate::management::Desk {
            $(async fn $call(
                &self,
                request: tonic::Request<$request>,
            ) -> Result<tonic::Response<wire::management::Done>, tonic::Status> {
                self.step(request, $read).await
            })*
            $($($more)*)?
        }
    };
}
use steps;

// === impl Desk ===

impl Desk {
    pub(crate) const fn new(gateway: Arc<Gateway>, channel: Channel) -> Self {
        Self { gateway, channel }
    }

    fn administration(&self) -> Administration {
        self.gateway.administration()
    }

    /// Reads a request as a step and takes it.
    async fn step<T>(
        &self,
        request: Request<T>,
        read: impl FnOnce(T) -> Result<Step, Refused>,
    ) -> Result<Response<Done>, Status> {
        let asking = asking(&request, self.channel);
        let step = read(request.into_inner()).map_err(|refused| status(&refused))?;
        let about = step.about.clone();
        let carried = self.carry_out(&asking, step).await?;
        Ok(self.done(&carried, &about))
    }

    async fn carry_out(&self, asking: &Asking, step: Step) -> Result<Carried, Status> {
        let order = Order {
            by: By::Caller(Box::new(asking.clone())),
            command: step.command,
            sealed: step.sealed,
        };
        let carried = self.gateway.domain.carry_out(order).await;
        carried.map_err(|why| refused(&why))
    }

    /// What a step that was taken is answered with.
    fn done(&self, carried: &Carried, about: &Subject) -> Response<Done> {
        let stands = self.gateway.domain.live.read();
        Response::new(Done {
            index: carried.index,
            checkpoint: carried.checkpoint.clone(),
            json: about.told(&stands.state).unwrap_or_default().to_string(),
        })
    }
}

impl Step {
    const fn new(command: Command, about: Subject) -> Self {
        Self {
            command,
            about,
            sealed: None,
        }
    }
}

/// The status of a refusal: the code also by itself, and the Chinese sentence, in the metadata.
fn status(refused: &Refused) -> Status {
    let plain = refused.status();
    let mut metadata = MetadataMap::new();
    if let Ok(code) = MetadataValue::try_from(&refused.code) {
        metadata.insert("bonded-code", code);
    }
    let told = MetadataValue::from_bytes(refused.told_zh.as_bytes());
    metadata.insert_bin("bonded-told-zh-bin", told);
    Status::with_metadata(plain.code(), plain.message(), metadata)
}

/// Why a step was not taken, as its caller hears it.
fn refused(why: &Unadministered) -> Status {
    let unlawful = |code: &str, text: String| {
        let told = Told::new("", "按规定不允许执行此步骤。");
        let mut refused = Refused::new(code, told, Kind::Unlawful);
        refused.told_zh = format!("{}{text}", refused.told_zh);
        refused.told_en = text;
        status(&refused)
    };
    match why {
        Unadministered::Unproved(why) => status(&Refused::from(why)),
        Unadministered::Refused(why) => status(&Refused::from(why)),
        Unadministered::Unlawful(Unlawful {
            code,
            place,
            what,
            clause,
        }) => unlawful(code, format!("{place}: {what} ({clause})")),
        Unadministered::TooLoose { dataset, why } => unlawful(
            "policy.mask-too-loose",
            format!("dataset `{dataset}`: {why} (CG-B 汇聚 L2-4)"),
        ),
        Unadministered::RowPolicy { .. } => unlawful("management.row-policy", why.to_string()),
        Unadministered::RowItem(why) => status(&why.refused()),
        Unadministered::Data(why) => unlawful("management.data", why.to_string()),
        Unadministered::Ledger(why) => status(&Refused::from(why)),
        Unadministered::Stored(why) => {
            tracing::error!(%why, "a stored file cannot be used");
            status(&Refused::internal("management.stored"))
        }
        Unadministered::Keys(why) => {
            tracing::error!(%why, "a key cannot be used");
            status(&Refused::internal(why.code()))
        }
        Unadministered::Broken => status(&Refused::internal("gateway.broken")),
    }
}

/// The services, for the server.
///
/// # Errors
/// The descriptors cannot be read.
pub(crate) fn routes(
    desk: &Desk,
) -> Result<tonic::service::Routes, tonic_reflection::server::Error> {
    use management::{
        catalogue_server::CatalogueServer, externals_server::ExternalsServer,
        licences_server::LicencesServer, objections_server::ObjectionsServer,
        operators_server::OperatorsServer, people_server::PeopleServer,
        platform_server::PlatformServer, products_server::ProductsServer,
        scenarios_server::ScenariosServer, seals_server::SealsServer,
        violations_server::ViolationsServer, workspaces_server::WorkspacesServer,
    };
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(wire::SERVICES)
        .build_v1()?;
    let routes = tonic::service::Routes::new(reflection)
        .add_service(PeopleServer::new(desk.clone()))
        .add_service(OperatorsServer::new(desk.clone()))
        .add_service(CatalogueServer::new(desk.clone()))
        .add_service(LicencesServer::new(desk.clone()))
        .add_service(ScenariosServer::new(desk.clone()))
        .add_service(ProductsServer::new(desk.clone()))
        .add_service(ExternalsServer::new(desk.clone()))
        .add_service(WorkspacesServer::new(desk.clone()))
        .add_service(ViolationsServer::new(desk.clone()))
        .add_service(ObjectionsServer::new(desk.clone()))
        .add_service(SealsServer::new(desk.clone()))
        .add_service(PlatformServer::new(desk.clone()));
    Ok(routes)
}

#[cfg(test)]
mod tests;
