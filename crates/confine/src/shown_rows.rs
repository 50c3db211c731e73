use crate::row_policy::{as_catalogued, enforced};
use plan::{Bounds, Node, Plan, RowPolicy, Scan, ScanColumn, View};
use std::collections::BTreeSet;
use terms::{Dataset, DatasetName, Grade, Item, ItemName, Mask, ScenarioDataset, Type};

/// What rows of a dataset show in a scenario, beside the number of their subject: the plan that the risk
/// of showing them is measured by. It answers no caller, and is made here alone.
///
/// Shape: the first column is the subject's number, an integer; the others are the visible items but
/// tokens, through their masks, of the rows that the row policy leaves.
/// Source: design, "Rows"; RA-3.
#[derive(Debug, Clone)]
pub struct ShownRows {
    plan: Plan,
    dataset: DatasetName,
    items: Vec<ItemName>,
}

impl ShownRows {
    /// The rows of a dataset as a scenario's application wants them, its items shown through these masks.
    ///
    /// None where nothing shows: nobody is counted, or the row policy was not translated, or reads more
    /// than it may.
    #[must_use]
    pub fn of(
        dataset: &Dataset,
        wanted: &ScenarioDataset,
        mask: impl Fn(&Item) -> Mask,
    ) -> Option<Self> {
        let subject = dataset.subject.clone()?;
        let mut columns = vec![ScanColumn {
            item: subject,
            data_type: Type::Int,
            view: View::Subject,
        }];
        let listed = |item: &&Item| item.grade != Grade::Four && wanted.items.includes(&item.name);
        for item in dataset.items.iter().filter(listed) {
            let mask = mask(item);
            if matches!(mask, Mask::Token | Mask::Suppress | Mask::Redact) {
                continue;
            }
            let shown = item.data_type.and_then(|raw| mask.shown_type(raw));
            columns.extend(shown.map(|data_type| ScanColumn {
                item: item.name.clone(),
                data_type,
                view: View::masked(mask, None),
            }));
        }
        let rows = match (&wanted.rows, &wanted.rows_plan) {
            (None, None) => None,
            (Some(_), Some(hex)) => {
                Some(enforced(row_policy(hex)?, as_catalogued(dataset, mask)).ok()?)
            }
            (Some(_), None) | (None, Some(_)) => return None,
        };
        let shown = columns.iter().skip(1).map(|column| &column.item);
        let asked = rows.iter().flat_map(|rows| &rows.items);
        let items: BTreeSet<&ItemName> = shown.chain(asked.map(|(item, _)| item)).collect();
        Some(Self {
            items: items.into_iter().cloned().collect(),
            dataset: dataset.name.clone(),
            plan: Plan {
                names: columns
                    .iter()
                    .map(|column| column.item.to_string())
                    .collect(),
                checks: Vec::new(),
                root: Node::Scan(Scan {
                    dataset: dataset.name.clone(),
                    columns,
                    rows,
                }),
            },
        })
    }

    /// Who is in a dataset, as tokens: what lists from outside are held against at the gate. Which key
    /// makes the tokens, the job says.
    ///
    /// None where nobody is counted, or the subject has no domain.
    #[must_use]
    pub fn subjects(dataset: &Dataset) -> Option<Self> {
        let subject = dataset.item(dataset.subject.as_ref()?)?;
        let domain = subject.domain.clone()?;
        Mask::Token.shown_type(subject.data_type?)?;
        let column = ScanColumn {
            item: subject.name.clone(),
            data_type: Type::Text,
            view: View::masked(Mask::Token, Some(domain)),
        };
        Some(Self {
            items: vec![subject.name.clone()],
            dataset: dataset.name.clone(),
            plan: Plan {
                names: vec![subject.name.to_string()],
                checks: Vec::new(),
                root: Node::Scan(Scan {
                    dataset: dataset.name.clone(),
                    columns: vec![column],
                    rows: None,
                }),
            },
        })
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Which dataset it reads.
    #[must_use]
    pub const fn dataset(&self) -> &DatasetName {
        &self.dataset
    }

    /// Exactly the items whose keys a runner needs for it.
    #[must_use]
    pub fn items(&self) -> &[ItemName] {
        &self.items
    }
}

/// A row policy as the application holds it.
fn row_policy(written: &str) -> Option<RowPolicy> {
    RowPolicy::decode(&hex::decode(written).ok()?, &Bounds::default()).ok()
}
