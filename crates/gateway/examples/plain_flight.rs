//! A plain Flight server over TLS, for comparison: no statement, no policy, no other process. A ticket is
//! a number of rows; each has four whole numbers.
//!
//! `plain_flight CERT KEY` prints the address it serves on.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program for benchmarks: what fails ends it"
)]

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch},
    datatypes::SchemaRef,
};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo,
    HandshakeRequest, HandshakeResponse, PollInfo, PutResult, SchemaResult, Ticket,
    encode::FlightDataEncoderBuilder,
    error::FlightError,
    flight_service_server::{FlightService, FlightServiceServer},
};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use std::sync::Arc;
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Identity, Server, ServerTlsConfig, server::TcpIncoming},
};

/// Rows of one batch, as many as one of ours has.
const BATCH_ROWS: u64 = 8192;

struct Plain {
    batch: RecordBatch,
}

impl Plain {
    fn new() -> Self {
        let column = |factor: i64| {
            let numbers = (0..8192).map(|row: i64| row.wrapping_mul(factor));
            Arc::new(Int64Array::from_iter_values(numbers)) as ArrayRef
        };
        let columns = ["a", "b", "c", "d"]
            .into_iter()
            .zip([3, 5, 7, 11].map(column));
        Self {
            batch: RecordBatch::try_from_iter(columns).unwrap(),
        }
    }
}

type Stream<T> = BoxStream<'static, Result<T, Status>>;

fn none<T>() -> Result<T, Status> {
    Err(Status::unimplemented("a ticket is a number of rows"))
}

#[tonic::async_trait]
impl FlightService for Plain {
    type HandshakeStream = Stream<HandshakeResponse>;
    type ListFlightsStream = Stream<FlightInfo>;
    type DoGetStream = Stream<FlightData>;
    type DoPutStream = Stream<PutResult>;
    type DoActionStream = Stream<arrow_flight::Result>;
    type ListActionsStream = Stream<ActionType>;
    type DoExchangeStream = Stream<FlightData>;

    async fn do_get(&self, ticket: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        let rows = String::from_utf8(ticket.into_inner().ticket.to_vec());
        let rows: u64 = rows.ok().and_then(|rows| rows.parse().ok()).unwrap_or(0);
        let schema: SchemaRef = self.batch.schema();
        let batch = self.batch.clone();
        let batches =
            (0..rows.div_ceil(BATCH_ROWS)).map(move |_| Ok::<_, FlightError>(batch.clone()));
        let encoded = FlightDataEncoderBuilder::new()
            .with_schema(schema)
            .build(futures::stream::iter(batches))
            .map_err(|error| Status::internal(error.to_string()));
        Ok(Response::new(encoded.boxed()))
    }

    async fn handshake(
        &self,
        _: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        none()
    }
    async fn list_flights(
        &self,
        _: Request<Criteria>,
    ) -> Result<Response<Self::ListFlightsStream>, Status> {
        none()
    }
    async fn get_flight_info(
        &self,
        _: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        none()
    }
    async fn poll_flight_info(
        &self,
        _: Request<FlightDescriptor>,
    ) -> Result<Response<PollInfo>, Status> {
        none()
    }
    async fn get_schema(
        &self,
        _: Request<FlightDescriptor>,
    ) -> Result<Response<SchemaResult>, Status> {
        none()
    }
    async fn do_put(
        &self,
        _: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoPutStream>, Status> {
        none()
    }
    async fn do_action(
        &self,
        _: Request<Action>,
    ) -> Result<Response<Self::DoActionStream>, Status> {
        none()
    }
    async fn list_actions(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<Self::ListActionsStream>, Status> {
        none()
    }
    async fn do_exchange(
        &self,
        _: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        none()
    }
}

#[tokio::main]
async fn main() {
    let files: Vec<Vec<u8>> = std::env::args()
        .skip(1)
        .map(|path| std::fs::read(path).expect("CERT KEY"))
        .collect();
    let [certificate, key] = files.try_into().expect("CERT KEY");
    let tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    println!("{}", incoming.local_addr().unwrap());
    let service = FlightServiceServer::new(Plain::new());
    Server::builder()
        .tls_config(tls)
        .unwrap()
        .add_service(service)
        .serve_with_incoming(incoming)
        .await
        .unwrap();
}
