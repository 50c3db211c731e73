use crate::{Admission, Denied, Judged, Pool, Register, Spending};
use confine::Confined;
use dispatch::{Failure, Outcome, Question};
use ledger::Decided;
use std::sync::Arc;

/// An outcome whose cells were held against all earlier ones and are on the register. What has no
/// thresholded cells is admitted as it is.
#[derive(Debug)]
pub struct Admitted {
    outcome: Outcome,
    perturbed: u64,
    conflict: Option<Pool>,
}

/// An outcome that may not be released; its entry is still open.
#[derive(Debug)]
pub struct Stopped {
    /// Why.
    pub cause: Cause,
    /// The open entry.
    pub decided: Decided,
}

/// Why an outcome may not be released.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The register denies it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The runner failed before it had said who is in the cells.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The runner's sets are none, or the audit ended in no answer.
    #[error("the cells of a result cannot be read")]
    Unreadable,
}

impl Register {
    /// Answers the runner's questions: holds who is in each cell against all earlier cells, and says
    /// which rows may leave, and how. What may is durable when this returns.
    ///
    /// # Errors
    /// [`Stopped`] with the open entry.
    pub async fn admitted(self: &Arc<Self>, outcome: Outcome) -> Result<Admitted, Box<Stopped>> {
        let mut outcome = outcome;
        match self.held_against(&mut outcome).await {
            Ok((perturbed, conflict)) => Ok(Admitted {
                outcome,
                perturbed,
                conflict,
            }),
            Err(cause) => {
                let (_, decided) = outcome.into_parts();
                Err(Box::new(Stopped { cause, decided }))
            }
        }
    }

    /// How many cells are perturbed, and with what not all may leave exactly.
    async fn held_against(
        self: &Arc<Self>,
        outcome: &mut Outcome,
    ) -> Result<(u64, Option<Pool>), Cause> {
        let (mut perturbed, mut conflict) = (0, None);
        if outcome.confined().reported().is_empty() {
            return Ok((perturbed, conflict));
        }
        let permit = Arc::clone(outcome.confined().permit());
        let spending = Spending {
            day: chrono::Utc::now().date_naive(),
            since: permit.licence().from,
            budget: permit.budget(),
            noise: permit.noise(),
        };
        // INVARIANT (bounded): a plan has no more questions than reports.
        for _ in 0..=outcome.confined().reported().len() {
            let Some(question) = outcome.question().await? else {
                return Ok((perturbed, conflict));
            };
            let admissions = admissions(outcome.confined(), question).ok_or(Cause::Unreadable)?;
            let who = permit.licence().id.clone();
            let turn = self.turns.take(who.clone()).await;
            let turn = turn.ok_or(Cause::Unreadable)?;
            let register = Arc::clone(self);
            // An audit computes, so that it has a thread of its own; it goes on to its end also where
            // nobody waits for it any more.
            let judging = move || {
                let judged = register.judge(&admissions, (who.as_str(), &spending));
                drop(turn);
                judged
            };
            let judged = tokio::task::spawn_blocking(judging).await;
            let judged: Judged = judged.map_err(|_| Cause::Unreadable)??;
            outcome.answer(&judged.verdict).await?;
            perturbed += judged.perturbed;
            conflict = conflict.or(judged.conflict);
        }
        Err(Cause::Unreadable)
    }
}

/// The cells of each report, in the pool they belong to.
fn admissions(confined: &Confined, question: Question) -> Option<Vec<Admission>> {
    let of_report = |cells: dispatch::Cells| {
        let place = usize::try_from(cells.number).ok()?;
        let reported = confined.reported().get(place)?;
        let mut datasets = confined.permit().datasets().iter();
        let dataset = datasets.find(|dataset| dataset.name == reported.dataset)?;
        Some(Admission {
            pool: Pool {
                dataset: reported.dataset.clone(),
                snapshot: dataset.snapshot,
                measure: reported.measure.clone(),
                by_subject: reported.by_subject,
            },
            k: reported.k,
            explained_max: f64::from(reported.explained_percent) / 100.0,
            release: reported.release,
            perturbable: reported.perturbable,
            cells: cells.sets,
        })
    };
    question.cells.into_iter().map(of_report).collect()
}

impl Admitted {
    /// The outcome, to be cleared.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        self.outcome
    }

    /// How many of its cells leave with noise.
    #[must_use]
    pub const fn perturbed(&self) -> u64 {
        self.perturbed
    }

    /// With what not all of its cells may leave exactly, for security staff.
    #[must_use]
    pub const fn conflict(&self) -> Option<&Pool> {
        self.conflict.as_ref()
    }

    /// The open entry.
    #[must_use]
    pub const fn decided(&self) -> &Decided {
        self.outcome.decided()
    }

    /// The plan that runs.
    #[must_use]
    pub const fn confined(&self) -> &Confined {
        self.outcome.confined()
    }
}
