use crate::{
    Failure, Worker,
    batch::Expected,
    child::Child,
    crew::{Crew, Engaged},
    pipe,
};
use arrow::array::RecordBatch;
use bytes::Bytes;
use std::sync::Arc;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::AbortHandle,
    time::timeout_at,
};
use wire::{
    Garbled,
    job::{Cells, Done, Message, RunFrame},
};

/// What a frame costs beside its own bytes, so that many small ones cost something too.
const OVERHEAD_BYTES: u32 = 1024;

/// The bytes that wait for clients, over all jobs.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    bytes: Arc<Semaphore>,
    frame_bytes_max: u32,
}

/// A runner's answer, read to its end into a queue, so that the runner never waits for the client.
///
/// Dropped, it kills the runner.
#[derive(Debug)]
pub(crate) struct Results {
    expected: Expected,
    queue: mpsc::UnboundedReceiver<Item>,
    reader: AbortHandle,
    rows: u64,
    batches: u64,
    cells: Vec<Cells>,
    /// What came while only cells were asked for.
    first: Option<Item>,
    state: State,
}

/// The bytes that all sets of one job may have.
const CELLS_BYTES_MAX: usize = 64 << 20;

#[derive(Debug)]
enum State {
    Open,
    Done(Done),
    Failed,
}

/// A batch as the runner sent it, checked for its form alone. It holds its share of the budget.
#[derive(Debug)]
pub struct Piece {
    batch: RecordBatch,
    _held: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Item {
    Cells(Cells),
    Batch(Bytes, OwnedSemaphorePermit),
    End(Result<Done, Failure>),
}

/// Why reading stopped short.
enum Short {
    Garbled(Garbled),
    Refused(String),
    /// The child closed its output.
    Closed,
    /// Nobody listens any more.
    Unheard,
}

// === impl Budget ===

impl Budget {
    pub(crate) fn new(bytes_max: u32, frame_bytes_max: u32) -> Self {
        let permits = usize::try_from(bytes_max).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            bytes: Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))),
            // A frame that could never be paid for would only wait for its deadline.
            frame_bytes_max: frame_bytes_max.min(bytes_max.saturating_sub(OVERHEAD_BYTES)),
        }
    }

    async fn pay(&self, length: u32) -> Result<OwnedSemaphorePermit, Short> {
        let price = length.saturating_add(OVERHEAD_BYTES);
        Arc::clone(&self.bytes)
            .acquire_many_owned(price)
            .await
            .map_err(|_| Short::Unheard)
    }
}

// === impl Results ===

impl Results {
    /// Begins to read.
    pub(crate) fn begin(
        crew: Arc<Crew>,
        engaged: Engaged,
        expected: Expected,
        budget: Budget,
    ) -> Self {
        let (sender, queue) = mpsc::unbounded_channel();
        let reader = tokio::spawn(async move {
            read_to_the_end(engaged, &budget, &sender).await;
            // The thread that started the child must outlive it.
            drop(crew);
        });
        Self {
            expected,
            queue,
            reader: reader.abort_handle(),
            rows: 0,
            batches: 0,
            cells: Vec::new(),
            first: None,
            state: State::Open,
        }
    }

    /// The cells, all of which come before the first batch.
    pub(crate) async fn cells(&mut self) -> Result<Vec<Cells>, Failure> {
        if self.first.is_none() {
            self.first = self.after_cells().await?;
        }
        Ok(std::mem::take(&mut self.cells))
    }

    /// Takes in cells and gives what comes after them.
    async fn after_cells(&mut self) -> Result<Option<Item>, Failure> {
        let mut bytes = 0usize;
        loop {
            match self.queue.recv().await {
                Some(Item::Cells(cells)) => {
                    let known = self.expected.reports() > cells.number;
                    bytes += cells.sets.iter().map(Bytes::len).sum::<usize>();
                    if !known || self.batches > 0 || bytes > CELLS_BYTES_MAX {
                        self.state = State::Failed;
                        return Err(Failure::garbled(Worker::Runner, "cells that are not its"));
                    }
                    self.cells.push(cells);
                }
                other => return Ok(other),
            }
        }
    }

    /// The next batch; none at the sound end, after which [`Self::done`] is known.
    ///
    /// A result that has cells is not given before they were taken.
    pub(crate) async fn next(&mut self) -> Option<Result<Piece, Failure>> {
        let State::Open = self.state else { return None };
        let item = match self.first.take() {
            Some(item) => Ok(Some(item)),
            None => self.after_cells().await,
        };
        let next = match item {
            Err(failure) => Err(failure),
            Ok(item) => self.piece(item),
        };
        let next = match next {
            Ok(Some(_)) if !self.cells.is_empty() => {
                Err(Failure::garbled(Worker::Runner, "cells nobody took"))
            }
            Ok(Some(piece)) => Ok(piece),
            Ok(None) => return None,
            Err(failure) => Err(failure),
        };
        if next.is_err() {
            self.state = State::Failed;
        }
        Some(next)
    }

    fn piece(&mut self, item: Option<Item>) -> Result<Option<Piece>, Failure> {
        match item {
            Some(Item::Batch(bytes, held)) => self.batch(&bytes, held).map(Some),
            Some(Item::End(Ok(done))) => match self.sound(&done) {
                Ok(()) => {
                    self.state = State::Done(done);
                    Ok(None)
                }
                Err(misfit) => Err(Failure::garbled(Worker::Runner, misfit)),
            },
            Some(Item::End(Err(failure))) => Err(failure),
            Some(Item::Cells(_)) | None => Err(Failure::garbled(Worker::Runner, "no end")),
        }
    }

    /// What the runner said at its end.
    pub(crate) const fn done(&self) -> Option<Done> {
        match self.state {
            State::Done(done) => Some(done),
            State::Open | State::Failed => None,
        }
    }

    fn batch(&mut self, bytes: &Bytes, held: OwnedSemaphorePermit) -> Result<Piece, Failure> {
        let batch = self
            .expected
            .read(bytes)
            .map_err(|m| Failure::garbled(Worker::Runner, m))?;
        let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        self.rows = self.rows.saturating_add(rows);
        self.batches = self.batches.saturating_add(1);
        Ok(Piece { batch, _held: held })
    }

    fn sound(&self, done: &Done) -> Result<(), &'static str> {
        if self.batches == 0 {
            Err("an end without a batch")
        } else if done.rows != self.rows {
            Err("an end with another number of rows")
        } else {
            Ok(())
        }
    }
}

impl Drop for Results {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

// === impl Piece ===

impl Piece {
    /// The columns.
    #[must_use]
    pub const fn batch(&self) -> &RecordBatch {
        &self.batch
    }
}

async fn read_to_the_end(engaged: Engaged, budget: &Budget, to: &mpsc::UnboundedSender<Item>) {
    let Engaged {
        mut child,
        deadline,
        place,
    } = engaged;
    let end = match timeout_at(deadline, frames(&mut child, budget, to)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Short::Closed)) => {
            to.send(Item::End(Err(child.autopsy().await))).ok();
            return;
        }
        Ok(Err(Short::Garbled(source))) => {
            let (worker, what) = (Worker::Runner, "an unreadable message");
            Err(Failure::Garbled {
                worker,
                what,
                source: Some(source),
            })
        }
        Ok(Err(Short::Refused(code))) => Err(Failure::listed_runner(&code)),
        Ok(Err(Short::Unheard)) => return,
        Err(_) => Err(Failure::Timeout(Worker::Runner)),
    };
    to.send(Item::End(end)).ok();
    child.end().await;
    drop(place);
}

async fn frames(
    child: &mut Child,
    budget: &Budget,
    to: &mpsc::UnboundedSender<Item>,
) -> Result<Done, Short> {
    loop {
        let from = child.stdout();
        let length = pipe::next_length(from, budget.frame_bytes_max)
            .await?
            .ok_or(Short::Closed)?;
        let held = budget.pay(length).await?;
        match RunFrame::decode(pipe::body(from, length).await?)? {
            RunFrame::Batch(bytes) => {
                to.send(Item::Batch(bytes, held))
                    .map_err(|_| Short::Unheard)?;
            }
            RunFrame::Cells(cells) => to.send(Item::Cells(cells)).map_err(|_| Short::Unheard)?,
            RunFrame::Done(done) => return Ok(done),
            RunFrame::Failure(code) => return Err(Short::Refused(code)),
        }
    }
}

impl From<Garbled> for Short {
    fn from(garbled: Garbled) -> Self {
        match garbled {
            // The child may have died at any byte; its death says why.
            Garbled::Cut | Garbled::Absent | Garbled::Pipe(_) => Self::Closed,
            other @ (Garbled::TooLong(_)
            | Garbled::Undecodable(_)
            | Garbled::Missing(_)
            | Garbled::Unreadable(_)) => Self::Garbled(other),
        }
    }
}
