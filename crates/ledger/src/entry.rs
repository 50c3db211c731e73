//! The life of one operation, as types: opened, then decided, then closed, each durable before the
//! next begins. A stage can't be skipped, and an entry that is dropped records itself as abandoned.

use crate::{Appended, Breach, Ledger};
use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use terms::{
    Accuracy, Action, Channel, Digest, Event, Notice, Obligations, PersonId, ProductId, QueryId,
    Reference, ScenarioId, Usage,
};

/// What is known of an operation before anything is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Which operation; made at random by the gateway.
    pub query: QueryId,
    /// What was asked.
    pub action: Action,
    /// By whom.
    pub person: PersonId,
    /// For which scenario, if the caller named a readable one.
    pub scenario: Option<ScenarioId>,
    /// For which product's results alone, if so.
    pub product: Option<ProductId>,
    /// By which listener.
    pub channel: Channel,
}

/// What was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The digest of the confined plan: this and nothing else runs.
    pub plan: Digest,
    /// The digest of the policies that decided.
    pub policies: Digest,
    /// How many events the register had folded.
    pub register_version: u64,
    /// The items the plan reads, and how.
    pub references: Vec<Reference>,
    /// The caps on its result.
    pub obligations: Obligations,
    /// The lineage of its result; sealed, since names of columns are the caller's words.
    pub lineage: Vec<u8>,
}

/// What was released.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseFacts {
    /// Rows released.
    pub rows: u64,
    /// Bytes released, counted as Arrow buffers.
    pub bytes: u64,
    /// SHA-256 over the released logical values.
    pub result: Digest,
    /// What was told of withheld groups.
    pub notice: Notice,
    /// Groups withheld; sealed, since the leaf goes out with an export and the count is an answer too.
    pub groups_withheld: u64,
    /// Where cells carry noise: how exact the result is.
    pub accuracy: Option<Accuracy>,
    /// What held the result against earlier ones: `audited`, `perturbed` where cells carry noise, or
    /// `none` where nothing in it owes that.
    pub register: String,
    /// What it used; none where nothing ran.
    pub used: Option<Usage>,
}

/// The caller's evidence of a finished operation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Receipt {
    /// Which operation.
    pub query: QueryId,
    /// The index of its closing entry.
    pub index: u64,
    /// A signed checkpoint that covers the entry. Source: C2SP tlog-checkpoint.
    pub checkpoint: String,
    /// Whether the domain was made from a seed.
    pub pilot: bool,
    /// What held the result against earlier ones: `audited`, or `none` where nothing in it owes that.
    pub register: String,
}

/// The state of an entry that was opened and nothing more.
#[derive(Debug)]
pub struct Opened(());

/// The state of an entry whose plan was granted.
#[derive(Debug)]
pub struct Granted {
    plan: Digest,
}

/// An operation on record, in one of its states. Dropped before its end, it is recorded as abandoned.
#[derive(Debug)]
pub struct Entry<State> {
    guard: Guard,
    index: u64,
    state: State,
}

/// The proof that a decision is durable: what a key or a byte of data moves for.
pub type Decided = Entry<Granted>;

/// Why an operation was cut off, once it was. Shared with whoever may cut it off: an entry that is
/// dropped open after that is recorded as refused, with this code.
#[derive(Debug, Clone, Default)]
pub struct CutOff(Arc<OnceLock<&'static str>>);

/// Records the operation as abandoned unless another end was recorded.
#[derive(Debug)]
struct Guard {
    ledger: Ledger,
    query: QueryId,
    rows: AtomicU64,
    open: bool,
    /// Whether its opening is known to be on record: only then an end is owed however long it takes.
    on_record: bool,
    cut_off: CutOff,
}

// === impl Ledger ===

impl Ledger {
    /// Puts on record that a statement was asked for, before anything else happens to it.
    ///
    /// The SQL text goes into the sealed part; the leaf holds its salted digest.
    ///
    /// # Errors
    /// The [`Breach`] that kept it from being recorded; then nothing may be done for the caller.
    pub async fn open_operation(
        &self,
        opening: Opening,
        sql: &str,
        at: DateTime<Utc>,
    ) -> Result<Entry<Opened>, Breach> {
        let (statement, sealed) = crate::sealed::statement(sql)?;
        let query = opening.query.clone();
        let event = Event::OperationOpened {
            query: opening.query,
            action: opening.action,
            person: opening.person,
            scenario: opening.scenario,
            product: opening.product,
            channel: opening.channel,
            statement,
        };
        let pending = self.append(&event, Some(&sealed), at);
        // A caller who goes away from here on leaves an abandoned entry, not a dangling one.
        let mut guard = Guard {
            ledger: self.clone(),
            query,
            rows: AtomicU64::new(0),
            open: true,
            on_record: false,
            cut_off: CutOff::default(),
        };
        let opened = guard.recorded(pending).await;
        // What was never opened has no end either.
        guard.open = opened.is_ok();
        guard.on_record = opened.is_ok();
        let Appended { index, .. } = opened?;
        Ok(Entry {
            guard,
            index,
            state: Opened(()),
        })
    }
}

// === impl Entry ===

impl<State> Entry<State> {
    /// Which operation this is.
    #[must_use]
    pub const fn query(&self) -> &QueryId {
        &self.guard.query
    }

    /// The index of the latest entry of this operation.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Lets the operation be cut off from elsewhere.
    pub fn may_be_cut_off(&mut self, by: CutOff) {
        self.guard.cut_off = by;
    }

    /// Puts on record that the operation ended without a result, for a cause of ours.
    ///
    /// # Errors
    /// The [`Breach`] that kept it from being recorded.
    pub async fn fail(self, code: &str, at: DateTime<Utc>) -> Result<Appended, Breach> {
        let query = self.guard.query.clone();
        self.guard
            .end(
                Event::OperationFailed {
                    query,
                    code: code.to_owned(),
                },
                None,
                at,
            )
            .await
    }

    /// Puts on record that the operation was refused.
    ///
    /// # Errors
    /// The [`Breach`] that kept it from being recorded.
    pub async fn refuse(self, code: &str, at: DateTime<Utc>) -> Result<Appended, Breach> {
        let query = self.guard.query.clone();
        self.guard
            .end(
                Event::OperationRefused {
                    query,
                    code: code.to_owned(),
                },
                None,
                at,
            )
            .await
    }
}

impl Entry<Opened> {
    /// Puts the decision on record. Only what this returns lets a key or a byte move.
    ///
    /// # Errors
    /// The [`Breach`] that kept it from being recorded; then nothing may run.
    pub async fn decide(self, decision: Decision, at: DateTime<Utc>) -> Result<Decided, Breach> {
        let plan = decision.plan;
        let event = Event::OperationDecided {
            query: self.guard.query.clone(),
            plan,
            policies: decision.policies,
            register_version: decision.register_version,
            references: decision.references,
            obligations: decision.obligations,
        };
        let sealed = Some(decision.lineage.as_slice());
        let pending = self.guard.ledger.append(&event, sealed, at);
        let Appended { index, .. } = self.guard.recorded(pending).await?;
        Ok(Entry {
            guard: self.guard,
            index,
            state: Granted { plan },
        })
    }
}

impl Entry<Granted> {
    /// The digest of the plan that was granted: what runs is compared with it.
    #[must_use]
    pub const fn plan(&self) -> Digest {
        self.state.plan
    }

    /// Counts rows that went out, so that an abandoned operation says how many did.
    pub fn count_rows(&self, rows: u64) {
        self.guard.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Puts the release on record and gives the receipt.
    ///
    /// # Errors
    /// The [`Breach`] that kept it from being recorded; then the caller gets no receipt.
    pub async fn close(self, facts: ReleaseFacts, at: DateTime<Utc>) -> Result<Receipt, Breach> {
        let query = self.guard.query.clone();
        let pilot = self.guard.ledger.is_pilot();
        let event = Event::OperationReleased {
            query: query.clone(),
            rows: facts.rows,
            bytes: facts.bytes,
            result: facts.result,
            notice: facts.notice,
            register: facts.register.clone(),
            used: facts.used,
        };
        let perturbed = facts.accuracy.map_or(0, |accuracy| accuracy.cells);
        let count = format!(
            "{{\"groups_withheld\":{},\"cells_perturbed\":{perturbed}}}",
            facts.groups_withheld
        );
        let Appended { index, checkpoint } =
            self.guard.end(event, Some(count.as_bytes()), at).await?;
        Ok(Receipt {
            query,
            index,
            checkpoint,
            pilot,
            register: facts.register,
        })
    }
}

// === impl CutOff ===

impl CutOff {
    /// Cuts the operation off. The first code stays.
    pub fn set(&self, code: &'static str) {
        self.0.get_or_init(|| code);
    }
}

// === impl Guard ===

impl Guard {
    fn abandoned(&self) -> Event {
        Event::OperationAbandoned {
            query: self.query.clone(),
            rows: Some(self.rows.load(Ordering::Relaxed)),
        }
    }

    /// Waits for an append while the guard stays armed.
    async fn recorded(&self, pending: crate::Pending) -> Result<Appended, Breach> {
        pending.await
    }

    /// Records the end. From the moment it is queued the operation is no longer open: the end is
    /// recorded even if nobody waits for it. INVARIANT (one outcome per entry).
    async fn end(
        mut self,
        event: Event,
        sealed: Option<&[u8]>,
        at: DateTime<Utc>,
    ) -> Result<Appended, Breach> {
        self.open = false;
        let pending = self
            .ledger
            .append_end(&event, sealed, at, Some(&self.abandoned()));
        pending.await
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let at = self.ledger.now();
        let (event, rows) = match self.cut_off.0.get() {
            None => (self.abandoned(), None),
            Some(code) => {
                let (query, code) = (self.query.clone(), (*code).to_owned());
                let rows = self.rows.load(Ordering::Relaxed);
                let rows = format!("{{\"rows\":{rows}}}");
                (Event::OperationRefused { query, code }, Some(rows))
            }
        };
        let owed = self.on_record.then_some(&event);
        let sealed = rows.as_ref().map(String::as_bytes);
        drop(self.ledger.append_end(&event, sealed, at, owed));
    }
}
