use crate::{Breach, Clock, Pending};
use chrono::{DateTime, Utc};
use std::path::Path;
use std::sync::Arc;
use terms::{DomainName, Event};

/// The log of one domain. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
}

/// One entry as it stands in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its place, from 0.
    pub index: u64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub event: Event,
    /// The sealed part, opened; none where there is none, or where it was removed.
    pub sealed: Option<Vec<u8>>,
}

impl Ledger {
    /// Makes the ledger of a new domain in its directory, with its keys.
    ///
    /// # Errors
    /// [`Breach::Exists`] if there is one.
    pub fn create(_dir: &Path, _origin: &DomainName, _clock: Arc<dyn Clock>) -> Result<Self, Breach> {
        todo!()
    }
    /// Opens the ledger of a domain, for writing.
    ///
    /// # Errors
    /// What does not fit.
    pub fn open(_dir: &Path, _clock: Arc<dyn Clock>) -> Result<Self, Breach> {
        todo!()
    }
    /// Appends an event with a part to be sealed.
    pub fn append(&self, _event: &Event, _sealed: Option<&[u8]>, _at: DateTime<Utc>) -> Pending {
        todo!()
    }
    pub(crate) fn append_end(&self, _event: &Event, _at: DateTime<Utc>) -> Pending {
        todo!()
    }
    /// The entries from an index on, in order, each checked against the tree.
    ///
    /// # Errors
    /// What does not fit.
    pub fn events(&self, _from: u64) -> Result<Box<dyn Iterator<Item = Result<Stored, Breach>>>, Breach> {
        todo!()
    }
    /// The newest signed checkpoint.
    pub fn head(&self) -> Result<String, Breach> {
        todo!()
    }
    /// The proof that an entry is in the log, as `.tlog-proof` text.
    pub fn prove(&self, _index: u64) -> Result<String, Breach> {
        todo!()
    }
    /// The bytes of an entry's leaf.
    pub fn leaf(&self, _index: u64) -> Result<Vec<u8>, Breach> {
        todo!()
    }
    /// Whether the domain was made from a seed.
    pub fn is_pilot(&self) -> bool {
        todo!()
    }
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.shared.clock.now()
    }
}
