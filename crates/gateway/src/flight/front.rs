//! The Flight calls. All but two are those of Flight SQL as they are; the library leaves out the schema
//! of a statement alone and polling, which are answered here.

use super::{
    Edge, asking,
    materialise::{MATERIALISE, action, materialise},
};
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo,
    HandshakeRequest, HandshakeResponse, PollInfo, PutResult, SchemaAsIpc, SchemaResult, Ticket,
    flight_service_server::FlightService,
    sql::{Any, Command},
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use prost::Message;
use std::sync::Arc;
use tonic::{Request, Response, Status, Streaming};

/// Flight on one listener.
#[derive(Debug, Clone)]
pub(crate) struct Front(pub(crate) Arc<Edge>);

type Answers<T> = BoxStream<'static, Result<T, Status>>;

#[tonic::async_trait]
impl FlightService for Front {
    type HandshakeStream = Answers<HandshakeResponse>;
    type ListFlightsStream = Answers<FlightInfo>;
    type DoGetStream = Answers<FlightData>;
    type DoPutStream = Answers<PutResult>;
    type DoActionStream = Answers<arrow_flight::Result>;
    type ListActionsStream = Answers<ActionType>;
    type DoExchangeStream = Answers<FlightData>;

    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        self.0.handshake(request).await
    }

    async fn list_flights(
        &self,
        request: Request<Criteria>,
    ) -> Result<Response<Self::ListFlightsStream>, Status> {
        self.0.list_flights(request).await
    }

    async fn get_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.0.get_flight_info(request).await
    }

    /// A statement is decided at once, so that the first poll is the last.
    async fn poll_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<PollInfo>, Status> {
        let info = self.0.get_flight_info(request).await?.into_inner();
        Ok(Response::new(PollInfo {
            info: Some(info),
            flight_descriptor: None,
            progress: Some(1.0),
            expiration_time: None,
        }))
    }

    /// The schema alone: that of the confined plan, without a ticket.
    async fn get_schema(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<SchemaResult>, Status> {
        let command = Any::decode(&*request.get_ref().cmd).ok();
        let statement = command.and_then(|any| Command::try_from(any).ok());
        if let Some(Command::CommandStatementQuery(query)) = statement {
            let asking = asking(&request, self.0.channel());
            let schema = self.0.schema(&asking, &query.query).await?;
            let options = IpcWriteOptions::default();
            let told = SchemaAsIpc::new(&schema, &options).try_into();
            let told = told.map_err(|_| Status::internal("flight.unencoded"))?;
            return Ok(Response::new(told));
        }
        let info = self.0.get_flight_info(request).await?.into_inner();
        Ok(Response::new(SchemaResult {
            schema: info.schema,
        }))
    }

    async fn do_get(
        &self,
        request: Request<Ticket>,
    ) -> Result<Response<Self::DoGetStream>, Status> {
        self.0.do_get(request).await
    }

    async fn do_put(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoPutStream>, Status> {
        self.0.do_put(request).await
    }

    async fn do_action(
        &self,
        request: Request<Action>,
    ) -> Result<Response<Self::DoActionStream>, Status> {
        if request.get_ref().r#type == MATERIALISE {
            let asking = asking(&request, self.0.channel());
            let kept = materialise(self.0.gateway(), &asking, request.get_ref()).await;
            let told = kept.map_err(|refused| refused.status())?.to_string();
            let answer = arrow_flight::Result { body: told.into() };
            return Ok(Response::new(stream::iter([Ok(answer)]).boxed()));
        }
        self.0.do_action(request).await
    }

    async fn list_actions(
        &self,
        request: Request<Empty>,
    ) -> Result<Response<Self::ListActionsStream>, Status> {
        let ours = stream::iter([Ok(action())]);
        let actions = self.0.list_actions(request).await?.into_inner();
        Ok(Response::new(actions.chain(ours).boxed()))
    }

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        self.0.do_exchange(request).await
    }
}
