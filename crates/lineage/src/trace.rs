//! Products and sources, both ways, over the whole history.

use crate::{How, Run};
use chrono::{DateTime, Utc};
use terms::{DatasetName, ItemName, Origin, PersonId, ScenarioId};

/// A result that left, wholly or in part, with what it comes from.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Product {
    /// `export/<id>` or `result/<id>`.
    pub product: String,
    /// The entry that closed it.
    pub index: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who has it.
    pub person: PersonId,
    /// For which scenario.
    pub scenario: Option<ScenarioId>,
    /// Rows; none where a gateway stopped and nobody counted.
    pub rows: Option<u64>,
    /// Whether it is whole.
    pub whole: bool,
    /// The parts of what was sought, or of everything: column (none: which rows there are) and origin.
    pub parts: Vec<(Option<String>, Origin)>,
    /// Whether the columns' lineage is still known; if not, every item the plan read is a part.
    pub resolved: bool,
}

/// What is sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// Everything that a product comes from: `export/<id>`, `result/<id>`, or the id.
    Product(String),
    /// Every product that a dataset, or one item of it, went into.
    Source(DatasetName, Option<ItemName>),
}

/// Whether a run's product is sought, and the parts that answer.
#[must_use]
pub fn products(run: &Run, sought: &Sought) -> Option<Product> {
    let name = run.product()?;
    let (decision, end) = (run.decision.as_ref()?, run.end.as_ref()?);
    let (rows, whole) = match &end.how {
        How::Released { rows, .. } => (Some(*rows), true),
        How::Abandoned { rows: Some(0) } | How::Refused { .. } => return None,
        How::Abandoned { rows } => (*rows, false),
        // Batches may have left before it failed; nobody counted them.
        How::Failed { .. } => (None, false),
    };
    let all = parts(decision);
    let parts: Vec<_> = match sought {
        Sought::Product(wanted) => {
            if wanted != &name && wanted != run.query.as_str() {
                return None;
            }
            all
        }
        Sought::Source(dataset, item) => {
            let sought = |origin: &Origin| {
                &origin.dataset == dataset && item.as_ref().is_none_or(|item| item == &origin.item)
            };
            all.into_iter().filter(|(_, o)| sought(o)).collect()
        }
    };
    // A dataset of which only the rows are counted has no item with a part, and is a source.
    let counted = match sought {
        Sought::Product(_) => true,
        Sought::Source(dataset, item) => {
            item.is_none() && run.drawn().is_some_and(|drawn| drawn.reads(dataset, None))
        }
    };
    (counted || !parts.is_empty()).then(|| Product {
        product: name,
        index: end.index,
        at: end.at,
        person: run.person.clone(),
        scenario: run.scenario.clone(),
        rows,
        whole,
        parts,
        resolved: decision.drawn.is_some(),
    })
}

fn parts(decision: &crate::Decision) -> Vec<(Option<String>, Origin)> {
    let Some(drawn) = &decision.drawn else {
        let told = decision.references.iter().map(|reference| {
            let origin = Origin {
                dataset: reference.dataset.clone(),
                item: reference.item.clone(),
                grade: reference.grade,
                way: reference.way.clone(),
                flow: terms::Flow::Filter,
            };
            (None, origin)
        });
        return told.collect();
    };
    let columns = drawn.columns.iter().flat_map(|column| {
        let named = |origin: &Origin| (Some(column.name.clone()), origin.clone());
        column.sources.iter().map(named)
    });
    let rows = drawn.influences.iter().map(|origin| (None, origin.clone()));
    columns.chain(rows).collect()
}
