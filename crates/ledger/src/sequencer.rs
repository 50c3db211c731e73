//! The one writer: takes what waits, and brings it into the log with one commit.

use crate::anchor::Anchor;
use crate::merkle::leaf_hash;
use crate::note::NoteSigner;
use crate::pending::Completion;
use crate::store::{Batch, Row, Store};
use crate::tree::Edge;
use crate::{Appended, Breach, Checkpoint};
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
    pub(crate) done: Completion,
}

/// What the sequencer shares with those who append.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    /// Entries that wait.
    pub(crate) waiting: AtomicUsize,
    /// Why the sequencer stopped, once it has.
    pub(crate) stopped: OnceLock<String>,
}

/// The writer's state; it lives on its own thread.
#[derive(Debug)]
pub(crate) struct Sequencer {
    pub(crate) store: Store,
    pub(crate) edge: Edge,
    pub(crate) anchor: Anchor,
    pub(crate) signer: NoteSigner,
    pub(crate) gauge: Arc<Gauge>,
}

impl Sequencer {
    /// Writes until nobody is left who could append.
    pub(crate) fn run(mut self, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            let batch = gather(first, requests);
            self.gauge.waiting.fetch_sub(batch.len(), Ordering::Relaxed);
            if let Some(why) = self.gauge.stopped.get() {
                refuse(batch, why);
                continue;
            }
            self.commit(batch);
        }
        self.store.settle();
    }

    /// INVARIANT (acknowledged is durable): an answer is given only after the commit returned. A
    /// crash before that leaves entries that nobody was told of; a crash after it loses nothing.
    fn commit(&mut self, batch: Vec<Request>) {
        let first = self.edge.head().size;
        match self.write(first, batch) {
            Ok((note, waiting)) => {
                for (index, done) in (first..).zip(waiting) {
                    done.complete(Ok(Appended {
                        index,
                        checkpoint: note.clone(),
                    }));
                }
            }
            Err((breach, waiting)) => {
                // What is on disk is unknown now, and the tree in memory is ahead of it. The only way
                // on is to open again, which compares both.
                let why = std::error::Error::source(&breach).map_or_else(
                    || breach.to_string(),
                    |source| format!("{breach}: {source}"),
                );
                tracing::error!(code = breach.code(), error = why, "the ledger stopped");
                let why = self.gauge.stopped.get_or_init(|| why);
                for done in waiting {
                    done.complete(Err(Breach::Stopped { why: why.clone() }));
                }
            }
        }
    }

    fn write(
        &mut self,
        first: u64,
        batch: Vec<Request>,
    ) -> Result<(String, Vec<Completion>), (Breach, Vec<Completion>)> {
        let mut waiting = Vec::with_capacity(batch.len());
        let mut rows = Vec::with_capacity(batch.len());
        for (index, Request { leaf, sealed, done }) in (first..).zip(batch) {
            self.edge.push(leaf_hash(&leaf));
            rows.push(Row {
                index,
                leaf,
                sealed,
            });
            waiting.push(done);
        }
        let head = self.edge.head();
        let origin = self.signer.verifier().name().to_owned();
        let note = self.signer.sign(&Checkpoint { origin, head }.text());
        let tiles = self.edge.take_changed();
        let batch = Batch {
            rows,
            tiles,
            size: head.size,
            note,
        };
        match self
            .store
            .write(&batch)
            .and_then(|()| self.anchor.set(&head))
        {
            Ok(()) => Ok((batch.note, waiting)),
            Err(breach) => Err((breach, waiting)),
        }
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
