use crate::{
    Withheld,
    gate::{Gate, Passed},
    notice, pinned,
    sensitive::Sensitive,
};
use arrow::{array::RecordBatch, datatypes::SchemaRef};
use confine::Confined;
use disclosure::Admitted;
use dispatch::Outcome;
use ledger::{Decided, ReleaseFacts};
use terms::{Accuracy, Digest, KeptRows, Obligations, Sighted};

/// A result on its way out, batch by batch. Dropped, it kills the runner and leaves the entry abandoned.
#[derive(Debug)]
pub struct Clearing {
    outcome: Outcome,
    perturbed: u64,
    gate: Gate,
    state: State,
    /// Whether it is rows of people on their way into the domain's own store: how many, and what they
    /// are like, is an answer that nobody is given.
    is_untold: bool,
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
    let confined = admitted.confined();
    let looks = (confined.obligations(), Sensitive::of(confined));
    cleared(admitted, looks, false)
}

/// Begins to clear a result that is kept inside. Answers are cleared as for their caller. Rows of people go
/// to nobody: the caps of results are none of theirs, texts are not looked over, and nothing is told of
/// them; they have so many bytes at most.
///
/// # Errors
/// As [`clear`].
pub fn keep(admitted: Admitted, bytes_max: u64) -> Result<Clearing, Box<(Withheld, Decided)>> {
    let kept = admitted.confined().kept();
    if !kept.is_some_and(|kept| matches!(kept.rows, KeptRows::People { .. })) {
        return clear(admitted);
    }
    let room = Obligations {
        rows_max: u64::MAX,
        result_bytes_max: bytes_max,
    };
    cleared(admitted, (room, Sensitive::default()), true)
}

fn cleared(
    admitted: Admitted,
    (caps, sensitive): (Obligations, Sensitive),
    is_untold: bool,
) -> Result<Clearing, Box<(Withheld, Decided)>> {
    let perturbed = admitted.perturbed();
    let outcome = admitted.into_outcome();
    let confined = outcome.confined();
    let looks = (confined.plan().checks.clone(), sensitive);
    match pinned::schema(confined).and_then(|schema| Gate::new(schema, looks, caps)) {
        Ok(gate) => Ok(Clearing {
            outcome,
            perturbed,
            gate,
            state: State::Open,
            is_untold,
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
                if !self.is_untold {
                    let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
                    self.outcome.decided().count_rows(rows);
                }
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
        // INVARIANT (rows of people are not told): their number and digest stand nowhere.
        let (passed, result) = match self.is_untold {
            true => (Passed::default(), Digest::of(b"")),
            false => (self.gate.passed(), self.gate.digest()),
        };
        let (confined, decided) = self.outcome.into_parts();
        let Some(done) = done else {
            return Err(Box::new((Withheld::Unfinished, decided)));
        };
        let facts = ReleaseFacts {
            rows: passed.rows,
            bytes: passed.bytes,
            result,
            notice: notice::told(&confined),
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
