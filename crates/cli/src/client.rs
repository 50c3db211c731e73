//! A Flight SQL client over mutual TLS: one statement, its batches, its receipt.

use crate::{failure::Failure, profile::Profile};
use arrow::{array::RecordBatch, datatypes::SchemaRef};
use arrow_flight::{
    FlightDescriptor, Ticket,
    decode::{DecodedPayload, FlightDataDecoder},
    error::FlightError,
    flight_service_client::FlightServiceClient,
    sql::{CommandStatementQuery, ProstMessageExt},
};
use futures::{StreamExt, TryStreamExt};
use prost::Message;
use tonic::{
    Request,
    metadata::MetadataValue,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

/// The header that carries the scenario. Source: interface, "Over the wire".
const SCENARIO_HEADER: &str = "bonded-scenario";
/// The largest message taken, in bytes.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// An open connection for one person and one scenario.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub channel: Channel,
    scenario: Option<MetadataValue<tonic::metadata::Ascii>>,
}

/// A result as it came: schema, batches, and the receipt of the last message.
#[derive(Debug)]
pub(crate) struct Answer {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
    pub receipt: serde_json::Value,
}

/// Connects with a profile's certificate.
pub(crate) async fn connect(profile: &Profile, scenario: Option<&str>) -> Result<Client, Failure> {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&profile.ca_pem))
        .identity(Identity::from_pem(&profile.cert_pem, &profile.key_pem));
    let unreachable = |error: &dyn std::error::Error| {
        let mut text = format!("cannot reach {}: {error}", profile.endpoint);
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        Failure::Unreachable(text)
    };
    let endpoint = Endpoint::from_shared(profile.endpoint.clone())
        .and_then(|endpoint| endpoint.tls_config(tls))
        .map_err(|error| Failure::Usage(format!("{}: {error}", profile.endpoint)))?;
    let channel = endpoint
        .connect()
        .await
        .map_err(|error| unreachable(&error))?;
    let scenario = match scenario.or(profile.scenario.as_deref()) {
        None => None,
        Some(name) => Some(MetadataValue::try_from(name).map_err(|_| {
            Failure::Usage(format!(
                "`{name}` cannot stand in a header: use the scenario's id"
            ))
        })?),
    };
    Ok(Client { channel, scenario })
}

impl Client {
    /// A request that says which scenario it is for.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(scenario) = &self.scenario {
            request
                .metadata_mut()
                .insert(SCENARIO_HEADER, scenario.clone());
        }
        request
    }

    /// Runs one statement.
    pub(crate) async fn query(&self, sql: &str) -> Result<Answer, Failure> {
        let mut flight = FlightServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX);
        let command = CommandStatementQuery {
            query: sql.to_owned(),
            transaction_id: None,
        };
        let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
        let info = flight.get_flight_info(self.request(descriptor)).await;
        let info = info
            .map_err(|status| Failure::answered(&status))?
            .into_inner();
        let ticket = info
            .endpoint
            .into_iter()
            .next()
            .and_then(|endpoint| endpoint.ticket);
        let ticket = ticket.ok_or_else(|| Failure::Other("the gateway gave no ticket".into()))?;
        self.fetch(flight, ticket).await
    }

    async fn fetch(
        &self,
        mut flight: FlightServiceClient<Channel>,
        ticket: Ticket,
    ) -> Result<Answer, Failure> {
        let stream = flight.do_get(self.request(ticket)).await;
        let stream = stream
            .map_err(|status| Failure::answered(&status))?
            .into_inner();
        let mut decoder = FlightDataDecoder::new(stream.map_err(FlightError::from));
        let (mut schema, mut batches, mut receipt) = (None, Vec::new(), serde_json::Value::Null);
        while let Some(message) = decoder.next().await {
            let message = message.map_err(|error| match error {
                FlightError::Tonic(status) => Failure::answered(&status),
                other => Failure::Other(format!("the result cannot be read: {other}")),
            })?;
            let metadata = message.app_metadata();
            if !metadata.is_empty() {
                receipt = serde_json::from_slice(&metadata).unwrap_or_default();
            }
            match message.payload {
                DecodedPayload::None => {}
                DecodedPayload::Schema(found) => schema = Some(found),
                DecodedPayload::RecordBatch(batch) => batches.push(batch),
            }
        }
        let schema = schema.ok_or_else(|| Failure::Other("the result has no schema".into()))?;
        Ok(Answer {
            schema,
            batches,
            receipt,
        })
    }
}
