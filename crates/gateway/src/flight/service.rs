use super::{
    handles::{Owner, PreparedStatements, Tickets, prepared, tickets},
    literal::literals,
    metadata, stream,
};
use crate::{Aim, Asking, Gateway, Granted, Peer, Refused};
use arrow::{
    array::RecordBatch,
    datatypes::{Field, Schema},
    ipc::writer::IpcWriteOptions,
};
use arrow_flight::{
    Action, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse,
    IpcMessage, SchemaAsIpc, Ticket,
    decode::FlightRecordBatchStream,
    error::FlightError,
    flight_service_server::FlightService,
    sql::{
        ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest,
        ActionCreatePreparedStatementResult, CommandGetCatalogs, CommandGetCrossReference,
        CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys, CommandGetPrimaryKeys,
        CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, CommandPreparedStatementQuery,
        CommandPreparedStatementUpdate, CommandStatementIngest, CommandStatementQuery,
        CommandStatementUpdate, DoPutPreparedStatementResult, ProstMessageExt, SqlInfo,
        TicketStatementQuery,
        server::{FlightSqlService, PeekableFlightDataStream},
    },
};
use futures::{StreamExt, TryStreamExt};
use prost::Message;
use std::{pin::Pin, sync::Arc};
use terms::{Channel, Digest};
use tonic::{Request, Response, Status, Streaming};

/// The header that names the scenario. Source: interface, "Over the wire".
const SCENARIO: &str = "bonded-scenario";

/// Flight SQL on one listener.
#[derive(Debug)]
pub(crate) struct Edge {
    gateway: Arc<Gateway>,
    channel: Channel,
    tickets: Tickets,
    prepared: PreparedStatements,
}

/// Who calls, as the connection and the headers say.
pub(crate) fn asking<T>(request: &Request<T>, channel: Channel) -> Asking {
    let peer = request.extensions().get::<Peer>();
    let scenario = request
        .metadata()
        .get(SCENARIO)
        .and_then(|value| value.to_str().ok());
    Asking {
        peer: peer.cloned().unwrap_or_default(),
        channel,
        scenario: scenario.map(ToOwned::to_owned),
        product: None,
    }
}

/// Lets a call by that names one scenario at most: of two, which one is meant is nobody's guess.
pub(crate) fn one_scenario(request: Request<()>) -> Result<Request<()>, Status> {
    if request.metadata().get_all(SCENARIO).iter().count() > 1 {
        let refused = Refused::invalid(
            "gateway.two-scenarios",
            "the call names two scenarios; send the header bonded-scenario once. [AO-12]",
            "请求指明了两个应用场景；请只发送一个 bonded-scenario 请求头。〔AO-12〕",
        );
        return Err(refused.status());
    }
    Ok(request)
}

fn owner(asking: &Asking) -> Owner {
    let certificate = Digest::of(asking.certificate().unwrap_or_default());
    Owner {
        certificate,
        scenario: asking.scenario.clone(),
    }
}

fn told(refused: Refused) -> Status {
    refused.status()
}

fn read_only() -> Status {
    let refused = Refused::invalid(
        "flight.read-only",
        "statements that write are not taken here.",
        "此处不接受写入语句。",
    );
    refused.status()
}

fn malformed() -> Status {
    Refused::invalid(
        "flight.malformed",
        "the call cannot be read.",
        "无法读取该请求。",
    )
    .status()
}

type Stream = <Edge as FlightService>::DoGetStream;

impl Edge {
    pub(crate) fn new(gateway: Arc<Gateway>, channel: Channel) -> Self {
        Self {
            gateway,
            channel,
            tickets: tickets(),
            prepared: prepared(),
        }
    }

    /// The listener.
    pub(crate) const fn channel(&self) -> Channel {
        self.channel
    }

    /// What is served.
    pub(crate) const fn gateway(&self) -> &Arc<Gateway> {
        &self.gateway
    }

    /// The schema a statement's result would have.
    pub(crate) async fn schema(
        &self,
        asking: &Asking,
        sql: &str,
    ) -> Result<arrow::datatypes::SchemaRef, Status> {
        let prepared = self.gateway.draft(asking, sql).await.map_err(told)?;
        Ok(prepared.schema())
    }

    /// Drops what is over.
    pub(crate) fn sweep(&self) {
        self.tickets.sweep();
        self.prepared.sweep();
    }

    /// Drops what was cut off.
    pub(crate) fn drop_cut(&self) {
        self.tickets.drop_cut();
        self.prepared.drop_cut();
    }

    /// Drops everything, so that what was not redeemed is on record as abandoned.
    pub(crate) fn clear(&self) {
        self.tickets.clear();
        self.prepared.clear();
    }

    fn ticketed(
        &self,
        asking: &Asking,
        granted: Granted,
        descriptor: FlightDescriptor,
    ) -> Result<Response<FlightInfo>, Status> {
        let schema = granted.schema();
        let statement_handle = self.tickets.keep(owner(asking), granted).map_err(told)?;
        let ticket = TicketStatementQuery { statement_handle }
            .as_any()
            .encode_to_vec();
        info(&schema, ticket, descriptor)
    }

    async fn tables(&self, asking: &Asking) -> Result<Vec<confine::Table>, Status> {
        self.gateway.tables(asking).await.map_err(told)
    }
}

/// A FlightInfo of one endpoint without a location: redeemed where it was given.
fn info(
    schema: &Schema,
    ticket: Vec<u8>,
    descriptor: FlightDescriptor,
) -> Result<Response<FlightInfo>, Status> {
    let endpoint = FlightEndpoint::new().with_ticket(Ticket::new(ticket));
    let info = FlightInfo::new()
        .try_with_schema(schema)
        .map_err(|_| malformed())?;
    Ok(Response::new(
        info.with_endpoint(endpoint).with_descriptor(descriptor),
    ))
}

fn answer(batch: RecordBatch) -> Response<Stream> {
    Response::new(stream::one(batch))
}

fn made(batch: Result<RecordBatch, FlightError>) -> Result<RecordBatch, Status> {
    batch.map_err(|_| malformed())
}

fn server_info(query: CommandGetSqlInfo) -> Result<RecordBatch, Status> {
    let info = metadata::sql_info().ok_or_else(malformed)?;
    made(query.into_builder(&info).build())
}

#[tonic::async_trait]
impl FlightSqlService for Edge {
    type FlightService = Self;

    async fn do_handshake(
        &self,
        _request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<
        Response<Pin<Box<dyn futures::Stream<Item = Result<HandshakeResponse, Status>> + Send>>>,
        Status,
    > {
        let done = HandshakeResponse {
            protocol_version: 0,
            payload: bytes::Bytes::new(),
        };
        Ok(Response::new(Box::pin(futures::stream::iter([Ok(done)]))))
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let asking = asking(&request, self.channel);
        let granted = self.gateway.grant(&asking, &query.query, Aim::Query).await;
        self.ticketed(&asking, granted.map_err(told)?, request.into_inner())
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let asking = asking(&request, self.channel);
        let handle = &query.prepared_statement_handle;
        let prepared = self.prepared.look(&owner(&asking), handle).map_err(told)?;
        let values = prepared.bound_values();
        let granted = self
            .gateway
            .grant_prepared(&asking, &prepared, values)
            .await;
        self.ticketed(&asking, granted.map_err(told)?, request.into_inner())
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Stream>, Status> {
        let asking = asking(&request, self.channel);
        let granted = self
            .tickets
            .take(&owner(&asking), &ticket.statement_handle)
            .map_err(told)?;
        let running = self.gateway.run(&asking, granted).await.map_err(told)?;
        Ok(Response::new(stream::result(running)))
    }

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let batch = made(metadata::catalogs(query))?;
        info(
            &batch.schema(),
            query.as_any().encode_to_vec(),
            request.into_inner(),
        )
    }

    async fn do_get_catalogs(
        &self,
        query: CommandGetCatalogs,
        _request: Request<Ticket>,
    ) -> Result<Response<Stream>, Status> {
        Ok(answer(made(metadata::catalogs(query))?))
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let batch = made(metadata::schemas(
            query.clone(),
            &self.tables(&asking(&request, self.channel)).await?,
        ))?;
        info(
            &batch.schema(),
            query.as_any().encode_to_vec(),
            request.into_inner(),
        )
    }

    async fn do_get_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<Ticket>,
    ) -> Result<Response<Stream>, Status> {
        Ok(answer(made(metadata::schemas(
            query,
            &self.tables(&asking(&request, self.channel)).await?,
        ))?))
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let batch = made(metadata::tables(
            query.clone(),
            &self.tables(&asking(&request, self.channel)).await?,
        ))?;
        info(
            &batch.schema(),
            query.as_any().encode_to_vec(),
            request.into_inner(),
        )
    }

    async fn do_get_tables(
        &self,
        query: CommandGetTables,
        request: Request<Ticket>,
    ) -> Result<Response<Stream>, Status> {
        Ok(answer(made(metadata::tables(
            query,
            &self.tables(&asking(&request, self.channel)).await?,
        ))?))
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let batch = made(metadata::table_types())?;
        info(
            &batch.schema(),
            query.as_any().encode_to_vec(),
            request.into_inner(),
        )
    }

    async fn do_get_table_types(
        &self,
        _query: CommandGetTableTypes,
        _request: Request<Ticket>,
    ) -> Result<Response<Stream>, Status> {
        Ok(answer(made(metadata::table_types())?))
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let batch = server_info(query.clone())?;
        info(
            &batch.schema(),
            query.as_any().encode_to_vec(),
            request.into_inner(),
        )
    }

    async fn do_get_sql_info(
        &self,
        query: CommandGetSqlInfo,
        _request: Request<Ticket>,
    ) -> Result<Response<Stream>, Status> {
        Ok(answer(server_info(query)?))
    }

    async fn get_flight_info_primary_keys(
        &self,
        query: CommandGetPrimaryKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let batch = metadata::no_keys(true);
        info(
            &batch.schema(),
            query.as_any().encode_to_vec(),
            request.into_inner(),
        )
    }

    async fn do_get_primary_keys(
        &self,
        _query: CommandGetPrimaryKeys,
        _request: Request<Ticket>,
    ) -> Result<Response<Stream>, Status> {
        Ok(answer(metadata::no_keys(true)))
    }

    async fn get_flight_info_exported_keys(
        &self,
        query: CommandGetExportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let batch = metadata::no_keys(false);
        info(
            &batch.schema(),
            query.as_any().encode_to_vec(),
            request.into_inner(),
        )
    }

    async fn do_get_exported_keys(
        &self,
        _query: CommandGetExportedKeys,
        _request: Request<Ticket>,
    ) -> Result<Response<Stream>, Status> {
        Ok(answer(metadata::no_keys(false)))
    }

    async fn get_flight_info_imported_keys(
        &self,
        query: CommandGetImportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let batch = metadata::no_keys(false);
        info(
            &batch.schema(),
            query.as_any().encode_to_vec(),
            request.into_inner(),
        )
    }

    async fn do_get_imported_keys(
        &self,
        _query: CommandGetImportedKeys,
        _request: Request<Ticket>,
    ) -> Result<Response<Stream>, Status> {
        Ok(answer(metadata::no_keys(false)))
    }

    async fn get_flight_info_cross_reference(
        &self,
        query: CommandGetCrossReference,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let batch = metadata::no_keys(false);
        info(
            &batch.schema(),
            query.as_any().encode_to_vec(),
            request.into_inner(),
        )
    }

    async fn do_get_cross_reference(
        &self,
        _query: CommandGetCrossReference,
        _request: Request<Ticket>,
    ) -> Result<Response<Stream>, Status> {
        Ok(answer(metadata::no_keys(false)))
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let asking = asking(&request, self.channel);
        let prepared = self
            .gateway
            .draft(&asking, &query.query)
            .await
            .map_err(told)?;
        let parameters: Vec<Field> = prepared
            .parameters()
            .iter()
            .enumerate()
            .map(|(at, t)| Field::new(at.to_string(), metadata::arrow_type(*t), true))
            .collect();
        let dataset_schema = message(&prepared.schema())?;
        let parameter_schema = message(&Schema::new(parameters))?;
        let prepared_statement_handle =
            self.prepared.keep(owner(&asking), prepared).map_err(told)?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle,
            dataset_schema,
            parameter_schema,
        })
    }

    async fn do_action_close_prepared_statement(
        &self,
        query: ActionClosePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        let asking = asking(&request, self.channel);
        // Closing what is gone is no mistake.
        drop(
            self.prepared
                .take(&owner(&asking), &query.prepared_statement_handle),
        );
        Ok(())
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let asking = asking(&request, self.channel);
        let handle = query.prepared_statement_handle;
        let prepared = self.prepared.look(&owner(&asking), &handle).map_err(told)?;
        let messages = request.into_inner().map_err(FlightError::from);
        let mut batches = FlightRecordBatchStream::new_from_flight_data(messages);
        let batch = batches
            .next()
            .await
            .and_then(Result::ok)
            .ok_or_else(malformed)?;
        let values = literals(&batch, prepared.parameters()).ok_or_else(malformed)?;
        let bound = prepared.with_values(values);
        let handle = self.prepared.keep(owner(&asking), bound).map_err(told)?;
        Ok(DoPutPreparedStatementResult {
            prepared_statement_handle: Some(handle),
        })
    }

    async fn do_put_statement_update(
        &self,
        _ticket: CommandStatementUpdate,
        _request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(read_only())
    }

    async fn do_put_prepared_statement_update(
        &self,
        _query: CommandPreparedStatementUpdate,
        _request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(read_only())
    }

    async fn do_put_statement_ingest(
        &self,
        _ticket: CommandStatementIngest,
        _request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(read_only())
    }

    async fn register_sql_info(&self, _id: i32, _result: &SqlInfo) {}
}

fn message(schema: &Schema) -> Result<bytes::Bytes, Status> {
    let options = IpcWriteOptions::default();
    let IpcMessage(bytes) = SchemaAsIpc::new(schema, &options)
        .try_into()
        .map_err(|_| malformed())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_for_two_scenarios_is_for_neither() {
        for (count, passes) in [(0, true), (1, true), (2, false), (3, false)] {
            let mut request = Request::new(());
            for _ in 0..count {
                request
                    .metadata_mut()
                    .append(SCENARIO, "s".parse().unwrap());
            }
            let told = one_scenario(request).map(|_| ());
            assert_eq!(told.is_ok(), passes, "{count}");
            if let Err(status) = told {
                assert!(
                    status.message().starts_with("gateway.two-scenarios: "),
                    "{status}"
                );
            }
        }
    }
}
