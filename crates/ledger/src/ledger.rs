use crate::anchor::Anchor;
use crate::leaf::Leaf;
use crate::place::Place;
use crate::sequencer::{Gauge, Request, Sequencer};
use crate::storage::Batch;
use crate::take_up::take_up;
use crate::tree::Edge;
use crate::{Breach, Checkpoint, Clock, Events, Pending, Reader, TlogProof};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use terms::{Digest, DomainName, Event, QueryId};

/// Entries that may wait before appending is refused.
const WAITING_MAX: usize = 8192;

/// The log of one domain, open for writing. Cloning shares it.
///
/// One process may hold it. In SQLite the domain's lock file, taken by the gateway, sees to that; in
/// PostgreSQL the database does, and one that was deposed can't append or publish any more.
#[derive(Debug, Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    place: Place,
    clock: Arc<dyn Clock>,
    reader: Arc<Reader>,
    sealing: crate::sealed::SealingKey,
    gauge: Arc<Gauge>,
    pilot: AtomicBool,
    queue: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

// === impl Ledger ===

impl Ledger {
    /// Makes the log of a new domain in its directory, with its keys.
    ///
    /// # Errors
    /// [`Breach::Exists`] if there is one, [`Breach::Unreachable`] if the directory can't be written.
    pub fn create(
        place: impl Into<Place>,
        origin: &DomainName,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Breach> {
        let place = place.into();
        let signer = place.make(origin)?;
        let mut store = place.create_store()?;
        let head = Edge::default().head();
        let text = Checkpoint {
            origin: signer.verifier().name().to_owned(),
            head,
        }
        .text();
        let note = signer.sign(&text);
        store.write(&Batch {
            rows: Vec::new(),
            tiles: [].into(),
            size: head.size,
            note,
        })?;
        drop(Anchor::create(&place.anchor(), &head)?);
        drop(store);
        Self::open(place, clock)
    }

    /// Opens the log of a domain for writing, if it is whole as far as its right edge shows.
    ///
    /// # Errors
    /// [`Breach::Held`] if another gateway writes it,
    /// [`Breach::Damaged`] if the stored tree and the signed checkpoint differ,
    /// [`Breach::RolledBack`] if the anchor knows of more than the database,
    /// [`Breach::Key`] or [`Breach::Unreachable`] if a file is not there or not what it should be.
    pub fn open(place: impl Into<Place>, clock: Arc<dyn Clock>) -> Result<Self, Breach> {
        let place = place.into();
        let signer = place.signer()?;
        let mut anchor = Anchor::open(&place.anchor())?;
        let store = place.open_store()?;
        let edge = take_up(&place, &*store, &signer)?;
        let sealing = place.sealing_key()?;
        let reader = Arc::new(Reader::new(&place, Some(sealing.clone()))?);
        let pilot = match edge.head().size {
            0 => false,
            _ => is_pilot_domain(&Leaf::decode(&reader.leaf(0)?)?.event),
        };
        let gauge = Arc::new(Gauge::default());
        gauge.growth.reached(edge.head().size);
        // What a crash left unsynced is made to last before anything is built on it.
        store.settle();
        let anchored = edge.head();
        anchor.set(&anchored)?;
        anchor.sync()?;
        let file = place.database();
        let shared_place = place.clone();
        let sequencer = Sequencer {
            place,
            store,
            edge,
            anchor,
            signer,
            owed: Vec::new(),
            acknowledged: anchored,
            unwell: false,
            gauge: Arc::clone(&gauge),
        };
        let (queue, requests) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || sequencer.run(&requests))
            .map_err(|source| Breach::Unreachable { file, source })?;
        let shared = Shared {
            place: shared_place,
            clock,
            reader,
            sealing,
            gauge,
            pilot: AtomicBool::new(pilot),
            queue: Some(queue),
            thread: Some(thread),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Appends an event, with a part that only the security authority may read.
    ///
    /// The entry counts once the answer came: then it is durable and under a signed checkpoint.
    /// Entries appended by one thread keep their order.
    pub fn append(&self, event: &Event, sealed: Option<&[u8]>, at: DateTime<Utc>) -> Pending {
        let waiting = self.shared.gauge.waiting.load(Ordering::Relaxed);
        if waiting >= WAITING_MAX {
            return Pending::failed(Breach::Busy { waiting });
        }
        self.shared
            .enqueue(event, sealed, at, None)
            .unwrap_or_else(Pending::failed)
    }

    /// Appends the end of an operation, which is taken however many wait. If it can't be recorded
    /// because the disk is full, the other event is, as soon as there is room.
    pub(crate) fn append_end(
        &self,
        event: &Event,
        sealed: Option<&[u8]>,
        at: DateTime<Utc>,
        otherwise: Option<&Event>,
    ) -> Pending {
        let owed = otherwise.map(|event| {
            let (event, sealed) = (event.clone(), None);
            Leaf { at, event, sealed }.encode()
        });
        owed.transpose()
            .and_then(|owed| self.shared.enqueue(event, sealed, at, owed))
            .unwrap_or_else(Pending::failed)
    }

    /// How many entries are on record.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shared.gauge.growth.size()
    }

    /// Waits until the log has an entry of this index.
    pub async fn grown_past(&self, index: u64) {
        self.shared.gauge.growth.past(index).await;
    }

    /// The newest checkpoint and the signed note itself.
    ///
    /// # Errors
    /// What does not fit.
    pub fn head(&self) -> Result<(Checkpoint, String), Breach> {
        self.shared.reader.head()
    }

    /// The entries from an index on, up to the log's end as it is now.
    ///
    /// # Errors
    /// What does not fit; [`Breach::Absent`] past the end.
    pub fn events(&self, from: u64) -> Result<Events, Breach> {
        self.shared.reader.events(from)
    }

    /// The proof that the log holds an entry, against its newest checkpoint; prints as `.tlog-proof`.
    ///
    /// # Errors
    /// [`Breach::Absent`] if there is no such entry.
    pub fn prove(&self, index: u64) -> Result<TlogProof, Breach> {
        self.shared.reader.prove(index)
    }

    /// The bytes of an entry's leaf.
    ///
    /// # Errors
    /// [`Breach::Absent`] if there is no such entry.
    pub fn leaf(&self, index: u64) -> Result<Vec<u8>, Breach> {
        self.shared.reader.leaf(index)
    }

    /// What reads the log, for proofs of consistency, verification and export of tiles.
    #[must_use]
    pub fn reader(&self) -> &Arc<Reader> {
        &self.shared.reader
    }

    /// Whether the domain was made from a seed: on every receipt, for good.
    #[must_use]
    pub fn is_pilot(&self) -> bool {
        self.shared.pilot.load(Ordering::Relaxed)
    }

    /// Records as abandoned what a gateway that was killed left open, and says how many it was.
    ///
    /// A gateway calls this once, before it takes its first call. Nobody counted the rows.
    ///
    /// # Errors
    /// What does not fit, or the [`Breach`] that kept an entry from being recorded.
    pub fn abandon_unfinished(&self, at: DateTime<Utc>) -> Result<u64, Breach> {
        let mut unfinished = Unfinished::default();
        for stored in self.events(0)? {
            unfinished.apply(&stored?.event);
        }
        self.abandon(unfinished, at)
    }

    /// Records operations that were folded before as abandoned; their number.
    ///
    /// # Errors
    /// The [`Breach`] that kept an entry from being recorded.
    pub fn abandon(&self, unfinished: Unfinished, at: DateTime<Utc>) -> Result<u64, Breach> {
        let mut count = 0;
        for query in unfinished.queries {
            let event = Event::OperationAbandoned { query, rows: None };
            self.append_end(&event, None, at, None).wait()?;
            count += 1;
        }
        Ok(count)
    }

    /// The root of the tree of the first entries.
    ///
    /// # Errors
    /// [`Breach::Absent`] where there are fewer.
    pub fn root(&self, size: u64) -> Result<Digest, Breach> {
        self.shared.reader.root(size)
    }

    pub(crate) fn place(&self) -> &Place {
        &self.shared.place
    }

    pub(crate) fn sealing(&self) -> &crate::sealed::SealingKey {
        &self.shared.sealing
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.shared.clock.now()
    }
}

/// Operations that were begun and have not ended, folded from events.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unfinished {
    queries: BTreeSet<QueryId>,
}

impl Unfinished {
    /// Folds one event in.
    pub fn apply(&mut self, event: &Event) {
        if let Event::OperationOpened { query, .. } = event {
            self.queries.insert(query.clone());
        } else if let Some(query) = ended(event) {
            self.queries.remove(query);
        }
    }
}

/// The operation that an event ends.
fn ended(event: &Event) -> Option<&QueryId> {
    let ends = matches!(
        event,
        Event::OperationRefused { .. }
            | Event::OperationReleased { .. }
            | Event::OperationFailed { .. }
            | Event::OperationAbandoned { .. }
    );
    event.query().filter(|_| ends)
}

const fn is_pilot_domain(event: &Event) -> bool {
    matches!(event, Event::DomainCreated { pilot: true, .. })
}

// === impl Shared ===

impl Shared {
    fn enqueue(
        &self,
        event: &Event,
        sealed: Option<&[u8]>,
        at: DateTime<Utc>,
        owed: Option<Vec<u8>>,
    ) -> Result<Pending, Breach> {
        let stopped = || Breach::Stopped {
            why: self
                .gauge
                .stopped
                .get()
                .cloned()
                .unwrap_or_else(|| "it shut down".to_owned()),
        };
        let seal = |part| self.sealing.seal(event.class(), at, part);
        let sealed = sealed.map(seal).transpose()?;
        let leaf = Leaf {
            at,
            event: event.clone(),
            sealed: sealed.as_deref().map(Digest::of),
        };
        let leaf = leaf.encode()?;
        if is_pilot_domain(event) {
            self.pilot.store(true, Ordering::Relaxed);
        }
        let (pending, done) = Pending::new();
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        self.gauge.waiting.fetch_add(1, Ordering::Relaxed);
        queue
            .send(Request {
                leaf,
                sealed,
                owed,
                done,
            })
            .map_err(|_| stopped())?;
        Ok(pending)
    }
}

impl Drop for Shared {
    // Waits until what was appended is written, so that a process that ends loses no last word.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            drop(thread.join());
        }
    }
}
