//! The sealed part of a decision, opened by the gateway for who may: each reading is on record first.

use crate::{
    Failure,
    args::Traced,
    client::{self, Client},
    profile,
};
use tokio::runtime::Runtime;
use tonic::transport::Channel;
use wire::operations::{ReadSealedRequest, operations_client::OperationsClient};

/// How a refusal begins where an entry has no sealed part, or none any more.
const NO_TEXT: &str = "ledger.no-text:";

/// A connection to the gateway, as somebody and for a purpose.
#[derive(Debug)]
pub(crate) struct Sealed {
    runtime: Runtime,
    client: Client,
    operations: OperationsClient<Channel>,
    purpose: String,
}

impl Sealed {
    /// Connects as whom the command names; none where it names nobody, and all stays sealed.
    pub(crate) fn open(place: &Traced) -> Result<Option<Self>, Failure> {
        let (Some(person), Some(purpose)) = (&place.profile, &place.purpose) else {
            return Ok(None);
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Other(error.to_string()))?;
        let person = profile::read(person)?;
        let client = runtime.block_on(client::connect(&person, None))?;
        Ok(Some(Self {
            operations: OperationsClient::new(client.channel.clone()),
            purpose: purpose.clone(),
            runtime,
            client,
        }))
    }

    /// The sealed part of an entry; none where there is none, or it was destroyed.
    pub(crate) fn read(&self, entry: u64) -> Result<Option<Vec<u8>>, Failure> {
        let purpose = self.purpose.clone();
        let request = self.client.request(ReadSealedRequest { entry, purpose });
        let mut operations = self.operations.clone();
        match self.runtime.block_on(operations.read_sealed(request)) {
            Ok(reply) => Ok(Some(reply.into_inner().text)),
            Err(status) if status.message().starts_with(NO_TEXT) => Ok(None),
            Err(status) => Err(Failure::answered(&status)),
        }
    }
}
