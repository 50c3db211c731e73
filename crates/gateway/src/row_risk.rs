//! How identifying rows would be: the classes of equal rows over the visible items but tokens, and the
//! subjects in them, after the row policy. A runner shows the rows, through their masks; here they are
//! counted, in multiples of k, and nothing else is kept of them.
//!
//! Source: design, "Rows"; RA-3.

mod classes; // equal rows and who is in them, in bounded memory

use self::classes::{Classes, Counted};
use crate::Domain;
use confine::ShownRows;
use dispatch::{Failure, Keys, Pool};
use std::time::Duration;
use terms::{Dataset, Grade, Item, RowRisk, Scenario, ScenarioDataset, Snapshot};

/// How long one reading of a snapshot may take at most; the pool's own limit is tighter.
const READING_MAX: Duration = Duration::from_secs(3600);

/// Why a risk could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unmeasured {
    /// The policies cannot be used.
    #[error(transparent)]
    Policies(#[from] policy::Refusal),
    /// The keys of the data cannot be read.
    #[error(transparent)]
    Keys(#[from] vault::Unkept),
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(#[from] Failure),
    /// The runner sent what is no row.
    #[error("rows that are none")]
    Garbled,
}

/// Measures one dataset of a scenario in one state of its data.
pub(crate) async fn measure(
    domain: &Domain,
    pool: &Pool,
    scenario: &Scenario,
    (dataset, wanted, snapshot): (&Dataset, &ScenarioDataset, &Snapshot),
) -> Result<RowRisk, Unmeasured> {
    let masks = domain.engine.masks()?;
    let dataset = typed(dataset, snapshot);
    let shown = ShownRows::of(&dataset, wanted, |item| masks.of(item));
    let thresholds = domain.live.read().state.thresholds();
    let k = thresholds.of(highest(&dataset, wanted));
    let risk = |counted: Counted| RowRisk {
        dataset: dataset.name.clone(),
        snapshot: snapshot.number,
        subjects: counted.subjects,
        subjects_unique: counted.unique,
        subjects_below_k: counted.below_k,
        k,
    };
    let Some(shown) = shown else {
        return Ok(risk(Counted::default()));
    };
    let (name, number) = (&dataset.name, snapshot.number);
    let keys = Keys {
        sources: vec![(
            name.clone(),
            domain.store.source(name, number, shown.items())?,
        )],
        token_key: domain.keyring.token_key(&scenario.id),
        order_key: domain.keyring.order_key(&scenario.id),
    };
    let mut classes = Classes::new(snapshot.rows, k);
    for part in 0..classes.parts() {
        let mut rows = pool.rows(&shown, &keys, READING_MAX).await?;
        while let Some(piece) = rows.next().await {
            let piece = piece?;
            let counted = classes.take(part, piece.batch());
            counted.ok_or(Unmeasured::Garbled)?;
        }
        classes.settle();
    }
    // INVARIANT (a row policy is no question): what it leaves is nowhere counted to the person.
    Ok(risk(classes.counted()).coarse())
}

/// The dataset with the types that this state of its data has.
fn typed(dataset: &Dataset, snapshot: &Snapshot) -> Dataset {
    let mut dataset = dataset.clone();
    for (item, data_type) in dataset.items.iter_mut().zip(&snapshot.types) {
        item.data_type = *data_type;
    }
    dataset
}

/// The highest grade among the listed items.
pub(crate) fn highest(dataset: &Dataset, wanted: &ScenarioDataset) -> Grade {
    let listed = |item: &&Item| item.grade != Grade::Four && wanted.items.includes(&item.name);
    let grades = dataset.items.iter().filter(listed).map(|item| item.grade);
    grades.max().unwrap_or(Grade::Four)
}
