use super::{
    ended::{fail, refuse_decided},
    metering::Scanned,
    now,
    told::told,
};
use crate::{
    Domain, Refused,
    leash::{Leash, Leashed, cut_off},
};
use arrow::{array::RecordBatch, datatypes::SchemaRef};
use chrono::{DateTime, Utc};
use confine::{Confined, Kept};
use ledger::{Decided, Receipt};
use policy::Permit;
use std::sync::Arc;
use terms::{Digest, Event, QueryId, Sighted};
use tracing::Instrument;

/// A granted statement: decided, on record, not yet run. Dropped, it is recorded as abandoned.
#[derive(Debug)]
pub struct Granted {
    pub(super) confined: Confined,
    pub(super) decided: Decided,
    pub(super) schema: SchemaRef,
    pub(super) certificate: Digest,
    pub(super) leash: Arc<Leash>,
    pub(crate) opened: DateTime<Utc>,
    /// Processor time of its planner, in microseconds.
    pub(super) planner_us: u64,
}

impl Leashed for Granted {
    fn leash(&self) -> &Arc<Leash> {
        &self.leash
    }
}

/// A running statement. Dropped, the runner is killed and the entry recorded as abandoned.
#[derive(Debug)]
pub struct Running {
    pub(super) clearing: egress::Clearing,
    pub(super) scanned: Scanned,
    pub(super) failed: bool,
    pub(super) leash: Arc<Leash>,
    pub(super) domain: Arc<Domain>,
}

impl Leashed for Running {
    fn leash(&self) -> &Arc<Leash> {
        &self.leash
    }
}

/// A released statement with its receipt.
#[derive(Debug)]
pub(crate) struct Closed {
    pub confined: Confined,
    pub receipt: Receipt,
    pub facts: ledger::ReleaseFacts,
    /// What looked like a person's number in a text.
    pub found: Vec<Sighted>,
    pub at: DateTime<Utc>,
}

impl Granted {
    /// The pinned schema of its result.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Which operation it is.
    #[must_use]
    pub fn query_id(&self) -> &QueryId {
        self.decided.query()
    }

    /// What is known of its result as one that is kept inside.
    pub(crate) fn kept(&self) -> Option<&Kept> {
        self.confined.kept()
    }

    /// Ends it with a refusal that is on record.
    pub(crate) async fn refuse(self, refused: Refused) -> Refused {
        refuse_decided(self.decided, refused).await
    }

    /// Whose certificate it was granted to.
    #[must_use]
    pub const fn certificate(&self) -> &Digest {
        &self.certificate
    }
}

impl Running {
    pub(super) fn new(
        (clearing, scanned): (egress::Clearing, Scanned),
        leash: Arc<Leash>,
        domain: Arc<Domain>,
    ) -> Self {
        Self {
            clearing,
            scanned,
            failed: false,
            leash,
            domain,
        }
    }

    /// The pinned schema.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.clearing.schema())
    }

    /// What is known of its result as one that is kept inside.
    pub(crate) fn kept(&self) -> Option<&Kept> {
        self.clearing.confined().kept()
    }

    /// The permit it runs under.
    pub(crate) fn permit(&self) -> &Permit {
        self.clearing.confined().permit()
    }

    /// The next batch that may leave; after an error nothing more does.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Refused>> {
        match self.clearing.next().await? {
            Ok(batch) => Some(Ok(batch)),
            Err(withheld) => {
                let debited = self.debited().await;
                self.failed = true;
                Some(Err(debited
                    .err()
                    .unwrap_or_else(|| Refused::from(&withheld))))
            }
        }
    }

    /// Debits that it failed, unless that was done.
    pub(crate) async fn debited(&self) -> Result<(), Refused> {
        if self.failed {
            return Ok(());
        }
        self.domain.debit_failure(self.permit()).await
    }

    /// Closes the operation and gives the receipt.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn finish(self) -> Result<serde_json::Value, Refused> {
        Ok(told(&self.close().await?))
    }

    /// Records why it failed: for a stream that ended in an error.
    pub async fn abort(self, refused: &Refused) {
        if let Err(why) = self.sighted(true).await {
            tracing::error!(code = why.code, "what was found could not be recorded");
        }
        let decided = self.clearing.stop();
        if let Err(why) = decided.fail(&refused.code, now()).await {
            tracing::error!(code = why.code(), "a failure could not be recorded");
        }
    }

    /// Puts on record what looked like a person's number, for staff. Source: CG-B 汇聚 L2-8.
    async fn sighted(&self, held: bool) -> Result<Vec<Sighted>, Refused> {
        let found = self.clearing.found();
        if found.is_empty() {
            return Ok(found);
        }
        let query = self.clearing.decided().query().clone();
        tracing::warn!(%query, held, "texts of a result look like numbers of persons");
        let event = Event::SensitiveFound {
            query,
            found: found.clone(),
            held,
        };
        let recorded = self.domain.ledger.append(&event, None, now()).await;
        recorded.map(|_| found).map_err(|why| Refused::from(&why))
    }

    pub(crate) async fn close(self) -> Result<Closed, Refused> {
        let found = self.sighted(false).await?;
        let columns = self.clearing.schema().fields().len();
        let release = match self.clearing.finish() {
            Ok(release) => release,
            Err(stopped) => {
                let (withheld, decided) = *stopped;
                self.domain.debit_failure(self.leash.permit()).await?;
                return Err(fail(decided, Refused::from(&withheld)).await);
            }
        };
        // What was cut off while its last rows left is no release.
        if self.leash.is_cut() {
            return Err(cut_off());
        }
        let at = now();
        let mut facts = release.facts;
        let parts = self.domain.disclosure.parts();
        let used = (facts.rows, columns);
        facts.used = Some(self.scanned.used(used, release.cpu_us, parts));
        let span = tracing::info_span!("entry.close", rows = facts.rows);
        let receipt = release
            .decided
            .close(facts.clone(), at)
            .instrument(span)
            .await;
        let receipt = receipt.map_err(|why| Refused::from(&why))?;
        Ok(Closed {
            confined: release.confined,
            receipt,
            facts,
            found,
            at,
        })
    }
}
