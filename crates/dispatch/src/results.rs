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
    io::AsyncWriteExt,
    net::UnixStream,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::AbortHandle,
    time::timeout_at,
};
use wire::{
    Garbled, frame,
    job::{Cells, Done, Message, RunFrame, Verdict},
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
    /// Where its questions are answered; none if its plan has none.
    answers: Option<UnixStream>,
    /// The bytes of all sets so far.
    cells_bytes: usize,
    /// What came while only a question was awaited.
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

/// Asks what may become of some rows: who is in their cells. The runner waits for the answer.
#[derive(Debug)]
pub struct Question {
    /// Of each report, one set a row, in order.
    pub cells: Vec<Cells>,
    /// How many rows.
    pub rows: usize,
}

#[derive(Debug)]
enum Item {
    Cells(Cells),
    Asked(u64),
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
        mut engaged: Engaged,
        expected: Expected,
        budget: Budget,
    ) -> Self {
        let input = engaged.child.input();
        let answers = input.filter(|_| expected.reports() > 0);
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
            answers,
            cells_bytes: 0,
            first: None,
            state: State::Open,
        }
    }

    /// The next question; none once the first batch, or the end, has come. Each is to be answered.
    pub(crate) async fn question(&mut self) -> Result<Option<Question>, Failure> {
        if self.first.is_some() {
            return Ok(None);
        }
        let question = self.asked().await;
        if question.is_err() {
            self.state = State::Failed;
        }
        question
    }

    async fn asked(&mut self) -> Result<Option<Question>, Failure> {
        let mut cells: Vec<Cells> = Vec::new();
        loop {
            match self.queue.recv().await {
                Some(Item::Cells(more)) => self.take_in(more, &mut cells)?,
                Some(Item::Asked(rows)) => {
                    let rows = usize::try_from(rows).ok();
                    let whole = |rows: &usize| {
                        self.answers.is_some() && cells.iter().all(|c| c.sets.len() == *rows)
                    };
                    let rows = rows.filter(whole).ok_or_else(strange)?;
                    return Ok(Some(Question { cells, rows }));
                }
                other if cells.is_empty() => {
                    // Nothing is asked after this, and the runner sees its input end.
                    self.answers = None;
                    self.first = other;
                    return Ok(None);
                }
                // It died, or cells are not followed by their question.
                Some(Item::End(Err(failure))) => return Err(failure),
                Some(Item::Batch(..) | Item::End(Ok(_))) | None => return Err(strange()),
            }
        }
    }

    /// More cells of the question that is being asked.
    fn take_in(&mut self, more: Cells, cells: &mut Vec<Cells>) -> Result<(), Failure> {
        self.cells_bytes += more.sets.iter().map(Bytes::len).sum::<usize>();
        if self.expected.reports() <= more.number || self.cells_bytes > CELLS_BYTES_MAX {
            return Err(strange());
        }
        match cells.iter_mut().find(|known| known.number == more.number) {
            Some(known) => known.sets.extend(more.sets),
            None => cells.push(more),
        }
        Ok(())
    }

    /// Answers the last question.
    pub(crate) async fn answer(&mut self, verdict: &Verdict) -> Result<(), Failure> {
        let framed = frame::sealed(verdict).map_err(|_| strange())?;
        if let Some(answers) = &mut self.answers {
            // Where the runner is gone, its end says why.
            if answers.write_all(&framed).await.is_err() || answers.flush().await.is_err() {
                self.answers = None;
            }
        }
        Ok(())
    }

    /// The next batch; none at the sound end, after which [`Self::done`] is known.
    ///
    /// INVARIANT (nothing leaves unjudged): a result with a question that nobody took is not given.
    pub(crate) async fn next(&mut self) -> Option<Result<Piece, Failure>> {
        let State::Open = self.state else { return None };
        let item = match self.first.take() {
            Some(item) => Some(item),
            None => self.queue.recv().await,
        };
        let next = match self.piece(item) {
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
            Some(Item::Cells(_) | Item::Asked(_)) => Err(strange()),
            None => Err(Failure::garbled(Worker::Runner, "no end")),
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

fn strange() -> Failure {
    Failure::garbled(Worker::Runner, "cells that are not its")
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
            RunFrame::Asked(rows) => to.send(Item::Asked(rows)).map_err(|_| Short::Unheard)?,
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
