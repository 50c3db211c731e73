use crate::{
    Failure, Worker,
    batch::Expected,
    budget::{Account, Paid},
    child::Child,
    crew::{Crew, Engaged},
    pipe,
    places::After,
    queue::{Giver, Item, Taker, queue},
};
use arrow::array::RecordBatch;
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, net::UnixStream, task::AbortHandle, time::timeout_at};
use wire::{
    Garbled, frame,
    job::{Cells, Done, Message, RunFrame, Verdict},
};

/// A runner's answer, read to its end into a queue, so that the runner never waits for the client.
///
/// Dropped, it kills the runner.
#[derive(Debug)]
pub(crate) struct Results {
    expected: Expected,
    queue: Taker,
    reader: AbortHandle,
    rows: u64,
    batches: u64,
    /// Where its questions are answered; none if its plan has none.
    answers: Option<UnixStream>,
    /// The bytes of all sets so far.
    cells_bytes: usize,
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
    _paid: Paid,
}

/// Asks what may become of some rows: who is in their cells. The runner waits for the answer.
#[derive(Debug)]
pub struct Question {
    /// Of each report, one set a row, in order.
    pub cells: Vec<Cells>,
    /// How many rows.
    pub rows: usize,
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

// === impl Results ===

impl Results {
    /// Begins to read. What nobody takes for `unread_max` is dropped, and the runner killed.
    pub(crate) fn begin(
        crew: Arc<Crew>,
        mut engaged: Engaged,
        expected: Expected,
        (account, unread_max): (Account, Duration),
    ) -> Self {
        let input = engaged.child.input();
        let answers = input.filter(|_| expected.reports() > 0);
        let (giver, queue) = queue();
        let reader = tokio::spawn(async move {
            let reading = async {
                read_to_the_end(engaged, &account, &giver).await;
                // The thread that started the child must outlive it.
                drop(crew);
                std::future::pending::<()>().await;
            };
            // Also after the end of the runner: what it said is held until it is taken.
            tokio::select! {
                () = reading => {}
                () = giver.unread(unread_max) => giver.give_up(Failure::Unread),
            }
        });
        Self {
            expected,
            queue,
            reader: reader.abort_handle(),
            rows: 0,
            batches: 0,
            answers,
            cells_bytes: 0,
            state: State::Open,
        }
    }

    /// The next question; none once the first batch, or the end, has come. Each is to be answered.
    pub(crate) async fn question(&mut self) -> Result<Option<Question>, Failure> {
        let question = self.asked().await;
        if question.is_err() {
            self.state = State::Failed;
        }
        question
    }

    async fn asked(&mut self) -> Result<Option<Question>, Failure> {
        let mut cells: Vec<Cells> = Vec::new();
        loop {
            let asks = |item: &Item| matches!(item, Item::Cells(_) | Item::Asked(_));
            match self.queue.take_if(asks).await {
                Some(Item::Cells(more)) => self.take_in(more, &mut cells)?,
                Some(Item::Asked(rows)) => {
                    let rows = usize::try_from(rows).ok();
                    let whole = |rows: &usize| {
                        self.answers.is_some() && cells.iter().all(|c| c.sets.len() == *rows)
                    };
                    let rows = rows.filter(whole).ok_or_else(strange)?;
                    return Ok(Some(Question { cells, rows }));
                }
                Some(Item::Batch(..) | Item::End(_)) | None if cells.is_empty() => {
                    // Nothing is asked after this, and the runner sees its input end.
                    self.answers = None;
                    return Ok(None);
                }
                // It died, or cells are not followed by their question.
                Some(Item::Batch(..) | Item::End(_)) | None => {
                    return match self.queue.take().await {
                        Some(Item::End(Err(failure))) => Err(failure),
                        Some(Item::Cells(_) | Item::Asked(_) | Item::Batch(..))
                        | Some(Item::End(Ok(_)))
                        | None => Err(strange()),
                    };
                }
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
        let item = self.queue.take().await;
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
            Some(Item::Batch(bytes, paid)) => self.batch(&bytes, paid).map(Some),
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

    /// Whether it is still read, or waits to be taken.
    #[cfg(test)]
    pub(crate) fn is_waiting(&self) -> bool {
        !self.reader.is_finished()
    }

    fn batch(&mut self, bytes: &Bytes, paid: Paid) -> Result<Piece, Failure> {
        let batch = self
            .expected
            .read(bytes)
            .map_err(|m| Failure::garbled(Worker::Runner, m))?;
        let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        self.rows = self.rows.saturating_add(rows);
        self.batches = self.batches.saturating_add(1);
        Ok(Piece { batch, _paid: paid })
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

async fn read_to_the_end(engaged: Engaged, account: &Account, to: &Giver) {
    let Engaged {
        mut child,
        deadline,
        mut place,
    } = engaged;
    let end = match timeout_at(deadline, frames(&mut child, account, to)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Short::Closed)) => {
            let end = Err(child.autopsy().await);
            place.came_to(After::of(&end));
            to.give(Item::End(end));
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
    // Before it is heard: whoever has heard it may end this.
    place.came_to(After::of(&end));
    to.give(Item::End(end));
    child.end().await;
    drop(place);
}

async fn frames(child: &mut Child, account: &Account, to: &Giver) -> Result<Done, Short> {
    loop {
        let from = child.stdout();
        let length = pipe::next_length(from, account.frame_bytes_max())
            .await?
            .ok_or(Short::Closed)?;
        let paid = account.pay(length).await.ok_or(Short::Unheard)?;
        match RunFrame::decode(pipe::body(from, length).await?)? {
            RunFrame::Batch(bytes) => to.give(Item::Batch(bytes, paid)),
            RunFrame::Asked(rows) => to.give(Item::Asked(rows)),
            RunFrame::Cells(cells) => to.give(Item::Cells(cells)),
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
