use crate::{Withheld, gate::Gate, notice, pinned, sensitive::Sensitive};
use arrow::{array::RecordBatch, datatypes::SchemaRef};
use confine::Confined;
use disclosure::Admitted;
use dispatch::Outcome;
use ledger::{Decided, ReleaseFacts};
use terms::{Accuracy, Sighted};

/// A result on its way out, batch by batch. Dropped, it kills the runner and leaves the entry abandoned.
#[derive(Debug)]
pub struct Clearing {
    outcome: Outcome,
    perturbed: u64,
    gate: Gate,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Finished,
    Stopped,
}

/// What left, with all that closes the entry.
#[derive(Debug)]
pub struct Release {
    /// What the closing entry says.
    pub facts: ReleaseFacts,
    /// The plan that ran.
    pub confined: Confined,
    /// The open entry.
    pub decided: Decided,
    /// Processor time of the runner by its own account, in microseconds.
    pub cpu_us: u64,
    /// The most memory the runner held, by its own account, in bytes.
    pub memory_peak_bytes: u64,
}

/// Begins to clear an admitted outcome under the caps of its permit.
///
/// # Errors
/// [`Withheld::Misshapen`] with the open entry, if the result has columns that never leave.
pub fn clear(admitted: Admitted) -> Result<Clearing, Box<(Withheld, Decided)>> {
    let perturbed = admitted.perturbed();
    let outcome = admitted.into_outcome();
    let confined = outcome.confined();
    let checks = confined.plan().checks.clone();
    let caps = confined.obligations();
    let looks = (checks, Sensitive::of(confined));
    match pinned::schema(confined).and_then(|schema| Gate::new(schema, looks, caps)) {
        Ok(gate) => Ok(Clearing {
            outcome,
            perturbed,
            gate,
            state: State::Open,
        }),
        Err(withheld) => Err(Box::new((withheld, outcome.into_parts().1))),
    }
}

impl Clearing {
    /// The pinned schema, also of a result without rows.
    #[must_use]
    pub const fn schema(&self) -> &SchemaRef {
        self.gate.schema()
    }

    /// The plan that runs.
    #[must_use]
    pub const fn confined(&self) -> &Confined {
        self.outcome.confined()
    }

    /// The open entry; rows are counted on it as they leave.
    #[must_use]
    pub const fn decided(&self) -> &Decided {
        self.outcome.decided()
    }

    /// What looked like a person's number in a text so far, for staff.
    #[must_use]
    pub fn found(&self) -> Vec<Sighted> {
        self.gate.found()
    }

    /// The next batch that may leave; none at the sound end. After an error nothing more leaves.
    ///
    /// Shape: the pinned schema; at most 8192 rows, cut by values alone.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Withheld>> {
        if self.state == State::Stopped {
            return None;
        }
        loop {
            if let Some(batch) = self.gate.take() {
                self.outcome
                    .decided()
                    .count_rows(u64::try_from(batch.num_rows()).unwrap_or(u64::MAX));
                return Some(Ok(batch));
            }
            if self.state == State::Finished {
                return None;
            }
            let step = match self.outcome.next().await {
                Some(Ok(piece)) => self.gate.push(piece.batch()),
                Some(Err(failure)) => Err(failure.into()),
                None => self.gate.close().map(|()| self.state = State::Finished),
            };
            if let Err(withheld) = step {
                return Some(Err(self.stop_at(withheld)));
            }
        }
    }

    /// Closes a result that was read to its end.
    ///
    /// # Errors
    /// [`Withheld::Unfinished`] with the open entry, if it was not.
    pub fn finish(self) -> Result<Release, Box<(Withheld, Decided)>> {
        let done = self
            .outcome
            .done()
            .filter(|_| self.state == State::Finished);
        let (passed, result) = (self.gate.passed(), self.gate.digest());
        let (confined, decided) = self.outcome.into_parts();
        let Some(done) = done else {
            return Err(Box::new((Withheld::Unfinished, decided)));
        };
        let facts = ReleaseFacts {
            rows: passed.rows,
            bytes: passed.bytes,
            result,
            notice: notice::told(&confined, &done),
            groups_withheld: done.groups_withheld,
            accuracy: accuracy(&confined, self.perturbed),
            register: match self.perturbed {
                0 => confined.register().to_owned(),
                _ => "perturbed".to_owned(),
            },
            used: None,
        };
        let (cpu_us, memory_peak_bytes) = (done.cpu_us, done.memory_peak_bytes);
        Ok(Release {
            facts,
            confined,
            decided,
            cpu_us,
            memory_peak_bytes,
        })
    }

    /// Kills the runner and gives back the open entry, to be closed as failed.
    #[must_use]
    pub fn stop(self) -> Decided {
        self.outcome.into_parts().1
    }

    /// INVARIANT (after an error nothing more leaves): what was rebuilt and not given is dropped.
    fn stop_at(&mut self, withheld: Withheld) -> Withheld {
        self.state = State::Stopped;
        if !withheld.is_callers() {
            tracing::error!(code = withheld.code(), "a result was withheld");
        }
        withheld
    }
}

/// How exact a result is with so many perturbed cells.
fn accuracy(confined: &Confined, cells: u64) -> Option<Accuracy> {
    let noise = confined.permit().noise();
    (cells > 0).then_some(Accuracy {
        cells,
        count_max: noise.count_max,
        count_deviation: noise.count_deviation,
        sum_deviation: noise.sum_deviation,
    })
}

#[cfg(test)]
mod tests;
