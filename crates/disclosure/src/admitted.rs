use crate::{Admission, Denied, Pool, Register};
use bytes::Bytes;
use confine::Confined;
use dispatch::{Failure, Outcome};
use ledger::Decided;
use std::{collections::BTreeMap, sync::Arc};

/// An outcome whose cells were held against all earlier ones and are on the register. What has no
/// thresholded cells is admitted as it is.
#[derive(Debug)]
pub struct Admitted {
    outcome: Outcome,
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
    /// Waits until the runner has said who is in each cell, and holds the cells against all earlier
    /// ones. They are durable when this returns.
    ///
    /// # Errors
    /// [`Stopped`] with the open entry.
    pub async fn admitted(self: &Arc<Self>, outcome: Outcome) -> Result<Admitted, Box<Stopped>> {
        let mut outcome = outcome;
        match self.held_against(&mut outcome).await {
            Ok(()) => Ok(Admitted { outcome }),
            Err(cause) => {
                let (_, decided) = outcome.into_parts();
                Err(Box::new(Stopped { cause, decided }))
            }
        }
    }

    async fn held_against(self: &Arc<Self>, outcome: &mut Outcome) -> Result<(), Cause> {
        if outcome.confined().reported().is_empty() {
            return Ok(());
        }
        let mut told: BTreeMap<u32, Vec<Bytes>> = BTreeMap::new();
        for cells in outcome.cells().await? {
            told.entry(cells.number).or_default().extend(cells.sets);
        }
        let admissions = admissions(outcome.confined(), told).ok_or(Cause::Unreadable)?;
        let who = outcome.confined().permit().licence().id.to_string();
        let register = Arc::clone(self);
        let day = chrono::Utc::now().date_naive();
        // An audit computes, so that it has a thread of its own.
        let judged = tokio::task::spawn_blocking(move || register.admit(&admissions, (&who, day)));
        judged
            .await
            .map_err(|_| Cause::Unreadable)?
            .map_err(Cause::Denied)
    }
}

/// The cells of each report, in the pool they belong to.
fn admissions(confined: &Confined, mut told: BTreeMap<u32, Vec<Bytes>>) -> Option<Vec<Admission>> {
    let mut admissions = Vec::new();
    for (number, reported) in (0u32..).zip(confined.reported()) {
        let mut datasets = confined.permit().datasets().iter();
        let dataset = datasets.find(|dataset| dataset.name == reported.dataset)?;
        if let Some(cells) = told.remove(&number) {
            admissions.push(Admission {
                pool: Pool {
                    dataset: reported.dataset.clone(),
                    snapshot: dataset.snapshot,
                    measure: reported.measure.clone(),
                    by_subject: reported.by_subject,
                },
                k: reported.k,
                explained_max: f64::from(reported.explained_percent) / 100.0,
                cells,
            });
        }
    }
    // A number that the plan does not have is no report of it.
    told.is_empty().then_some(admissions)
}

impl Admitted {
    /// The outcome, to be cleared.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        self.outcome
    }

    /// The plan that runs.
    #[must_use]
    pub const fn confined(&self) -> &Confined {
        self.outcome.confined()
    }
}
