//! The one writer: takes what waits, and brings it into the log with one commit.

use crate::anchor::Anchor;
use crate::growth::Growth;
use crate::merkle::leaf_hash;
use crate::note::NoteSigner;
use crate::pending::{Completion, Pending};
use crate::place::Place;
use crate::storage::{Batch, Row, Store};
use crate::take_up::take_up;
use crate::tree::Edge;
use crate::{Appended, Breach, Checkpoint, Head};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, OnceLock};

/// Entries in one commit at most.
const BATCH_ENTRIES_MAX: usize = 1024;
/// Bytes of leaves and sealed parts in one commit at most, unless a single entry is longer.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// An entry that waits.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) leaf: Vec<u8>,
    pub(crate) sealed: Option<Vec<u8>>,
    /// The leaf that stands for this entry later, if it can't be written now.
    pub(crate) owed: Option<Vec<u8>>,
    pub(crate) done: Completion,
}

/// What the sequencer shares with those who append.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    /// Entries that wait.
    pub(crate) waiting: AtomicUsize,
    /// Why the sequencer stopped, once it has.
    pub(crate) stopped: OnceLock<String>,
    /// How many entries are on record.
    pub(crate) growth: Growth,
}

/// The writer's state; it lives on its own thread.
#[derive(Debug)]
pub(crate) struct Sequencer {
    pub(crate) place: Place,
    pub(crate) store: Box<dyn Store>,
    pub(crate) edge: Edge,
    pub(crate) anchor: Anchor,
    pub(crate) signer: NoteSigner,
    /// Ends of operations that a full disk kept from being recorded; they go first.
    pub(crate) owed: Vec<Vec<u8>>,
    /// The head under which the last answer was given.
    pub(crate) acknowledged: Head,
    /// Whether the last write failed, so that the edge in memory is not that of the store.
    pub(crate) unwell: bool,
    pub(crate) gauge: Arc<Gauge>,
}

impl Sequencer {
    /// Writes until nobody is left who could append.
    pub(crate) fn run(mut self, requests: &Receiver<Request>) {
        if let Err(error) = jail::schedule_first() {
            tracing::info!(%error, "the ledger's thread waits its turn like any other");
        }
        while let Ok(first) = requests.recv() {
            let batch = gather(first, requests);
            self.gauge.waiting.fetch_sub(batch.len(), Ordering::Relaxed);
            if let Some(why) = self.gauge.stopped.get() {
                refuse(batch, why);
                continue;
            }
            self.commit(batch);
        }
        if !self.owed.is_empty() && self.gauge.stopped.get().is_none() {
            self.commit(Vec::new());
        }
        self.store.settle();
        if let Err(error) = self.anchor.sync() {
            tracing::warn!(%error, "the ledger's anchor may be older than the ledger");
        }
    }

    /// INVARIANT (acknowledged is durable): an answer is given only after the commit returned. A
    /// crash before that leaves entries that nobody was told of; a crash after it loses nothing.
    fn commit(&mut self, batch: Vec<Request>) {
        let mut batch = batch;
        let first = self.acknowledged.size;
        if let Err(breach) = self.recover() {
            return self.fail(batch, &breach);
        }
        let owed = std::mem::take(&mut self.owed);
        batch.splice(0..0, owed.into_iter().map(owed_request));
        match self.write(&mut batch) {
            Ok(note) => {
                self.gauge.growth.reached(self.acknowledged.size);
                for (index, request) in (first..).zip(batch) {
                    request.done.complete(Ok(Appended {
                        index,
                        checkpoint: note.clone(),
                    }));
                }
            }
            Err(breach) => {
                self.unwell = true;
                self.fail(batch, &breach);
            }
        }
    }

    /// Tells everyone who waits. After a full disk or a lost connection the log may go on; after
    /// anything else what is on disk is unknown, and the only way on is to open again.
    fn fail(&mut self, batch: Vec<Request>, breach: &Breach) {
        let error = breach.in_full();
        tracing::error!(code = breach.code(), error, "the ledger did not record");
        if !breach.is_passing() {
            self.gauge.stopped.get_or_init(|| error);
        }
        for request in batch {
            self.owed.extend(request.owed);
            request.done.complete(Err(breach.again()));
        }
    }

    /// After a write that failed, goes on only where the last acknowledged entry left the log: if
    /// the store holds entries that nobody was told of, whoever keeps a state must read them first.
    fn recover(&mut self) -> Result<(), Breach> {
        if !self.unwell {
            return Ok(());
        }
        let acknowledged = self.acknowledged;
        self.store.resume()?;
        let edge = take_up(&self.place, &*self.store, &self.signer)?;
        if edge.head() != acknowledged {
            let why = format!(
                "it holds {} entries, acknowledged are {}; nobody was told of the rest",
                edge.head().size,
                acknowledged.size
            );
            return Err(Breach::Stopped { why });
        }
        self.edge = edge;
        self.unwell = false;
        tracing::info!(entries = acknowledged.size, "the ledger records again");
        Ok(())
    }

    fn write(&mut self, requests: &mut [Request]) -> Result<String, Breach> {
        let mut rows = Vec::with_capacity(requests.len());
        for (index, request) in (self.acknowledged.size..).zip(requests) {
            self.edge.push(leaf_hash(&request.leaf));
            rows.push(Row {
                index,
                leaf: std::mem::take(&mut request.leaf),
                sealed: request.sealed.take(),
            });
        }
        let head = self.edge.head();
        let origin = self.signer.verifier().name().to_owned();
        let note = self.signer.sign(&Checkpoint { origin, head }.text());
        let batch = Batch {
            rows,
            tiles: self.edge.take_changed(),
            size: head.size,
            note,
        };
        self.store.write(&batch)?;
        self.anchor.set(&head)?;
        self.acknowledged = head;
        Ok(batch.note)
    }
}

fn owed_request(leaf: Vec<u8>) -> Request {
    let (_nobody, done) = Pending::new();
    Request {
        owed: Some(leaf.clone()),
        leaf,
        sealed: None,
        done,
    }
}

fn gather(first: Request, requests: &Receiver<Request>) -> Vec<Request> {
    let weight =
        |request: &Request| request.leaf.len() + request.sealed.as_ref().map_or(0, Vec::len);
    let mut bytes = weight(&first);
    let mut batch = vec![first];
    while batch.len() < BATCH_ENTRIES_MAX && bytes < BATCH_BYTES_MAX {
        match requests.try_recv() {
            Ok(request) => {
                bytes += weight(&request);
                batch.push(request);
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    batch
}

fn refuse(batch: Vec<Request>, why: &str) {
    for request in batch {
        request.done.complete(Err(Breach::Stopped {
            why: why.to_owned(),
        }));
    }
}
