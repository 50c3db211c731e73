use super::Rewrite;
use crate::{
    Cause, Unconfinable,
    catalogue::seen_type,
    label::{Base, Class, Label, Shape, Source},
    relation::{Column, Relation, position},
    row_policy,
    scope::ScanId,
};
use plan::{Bounds, Node, RowPolicy, Scan, ScanColumn, View};
use policy::{PermittedDataset, PermittedItem};
use std::collections::{BTreeMap, BTreeSet};
use terms::{Derived, DerivedColumn, Grade, KeptRows, Mask, Type};

impl Rewrite<'_> {
    /// The masked view of a dataset, with the row policy beneath and what later nodes may need beside.
    pub(super) fn scan(&mut self, draft: &Scan) -> Result<Relation, Unconfinable> {
        if draft.rows.is_some() {
            return Err(Cause::IllTyped.into());
        }
        let dataset = self.scope.seen(&draft.dataset)?;
        if dataset.snapshot == 0 {
            return Err(Cause::NoData.into());
        }
        let id = self.scope.scan(dataset)?;
        let mut shown = Vec::with_capacity(draft.columns.len());
        let mut columns = Vec::with_capacity(draft.columns.len());
        for column in &draft.columns {
            columns.push(self.scan_column(id, dataset, column, &mut shown)?);
        }
        let keys = dataset_keys(dataset, &draft.columns);
        let mut relation = Relation::bare(
            Node::Values {
                types: vec![],
                rows: vec![],
            },
            columns,
            0,
        );
        carry(&mut relation, id, dataset, &mut shown)?;
        relation.keys = keys;
        relation.width = position(shown.len())?;
        let rows = row_policy(dataset)?;
        relation.node = Node::Scan(Scan {
            dataset: dataset.name.clone(),
            columns: shown,
            rows,
        });
        Ok(relation)
    }

    fn scan_column(
        &self,
        scan: ScanId,
        dataset: &PermittedDataset,
        column: &ScanColumn,
        shown: &mut Vec<ScanColumn>,
    ) -> Result<Column, Unconfinable> {
        let found = dataset.items.iter().find(|item| item.name == column.item);
        let item = found.ok_or(Cause::UnknownName)?;
        let seen = seen_type(item).ok_or(Cause::UnknownName)?;
        if seen != column.data_type || column.view != View::Catalogue {
            return Err(Cause::IllTyped.into());
        }
        let label = match kept_column(dataset, item) {
            Some((kept, column)) => kept_label((scan, dataset), kept, column),
            None if dataset.kept.is_some() => return Err(Cause::UnknownName.into()),
            None => label(scan, dataset, item),
        };
        if matches!(item.mask, Mask::Suppress) {
            return Ok(Column { at: None, label });
        }
        if dataset.kept.is_some() {
            let at = position(shown.len())?;
            shown.push(ScanColumn {
                item: item.name.clone(),
                data_type: seen,
                // INVARIANT (masked once): what is kept was masked before.
                view: View::masked(Mask::Plain, None),
            });
            return Ok(Column {
                at: Some(at),
                label,
            });
        }
        let domain = matches!(item.mask, Mask::Token)
            .then(|| item.domain.clone())
            .flatten();
        // What came in by the gate is stored as the token; another of it would meet nobody's.
        let view = if item.tokenised {
            View::masked(Mask::Plain, None)
        } else {
            View::masked(item.mask, domain)
        };
        let at = position(shown.len())?;
        shown.push(ScanColumn {
            item: item.name.clone(),
            data_type: seen,
            view,
        });
        Ok(Column {
            at: Some(at),
            label,
        })
    }
}

/// What is known of an item where it is scanned.
fn label(scan: ScanId, dataset: &PermittedDataset, item: &PermittedItem) -> Label {
    let class = match (item.mask, &item.domain) {
        (Mask::Suppress, _) => Class::Suppressed,
        (Mask::Token, Some(domain)) => Class::Token {
            domain: domain.clone(),
            join_only: dataset.external,
        },
        // INVARIANT (a token has a domain): one without is never shown.
        (Mask::Token, None) => Class::Suppressed,
        (
            Mask::Plain
            | Mask::Redact
            | Mask::Partial { .. }
            | Mask::Prefix(_)
            | Mask::Band(_)
            | Mask::Year
            | Mask::Month,
            _,
        ) => Class::Open,
    };
    let source = Source {
        dataset: dataset.name.clone(),
        item: item.name.clone(),
        grade: item.grade,
    };
    let base = Some(Base {
        scan,
        item: item.name.clone(),
    });
    Label {
        class,
        base,
        sources: BTreeSet::from([source]),
        // What the operator supplied may be weights of its choice.
        shape: match item.mask.shown_type(item.data_type) {
            Some(shown) if shown.is_number() && !dataset.external => Shape::Linear {
                personal: dataset.protected,
            },
            _ => Shape::Free,
        },
        own_type: item.mask.shown_type(item.data_type),
        wraps: false,
    }
}

/// The column of a kept result that an item of its permit is.
fn kept_column<'d>(
    dataset: &'d PermittedDataset,
    item: &PermittedItem,
) -> Option<(&'d Derived, &'d DerivedColumn)> {
    let derived = &dataset.kept.as_ref()?.derived;
    let mut columns = derived.columns.iter();
    let column = columns.find(|column| column.name == item.name)?;
    Some((derived, column))
}

/// What was known of a kept column when it was computed. Of rows of people, the label that it would have
/// if the statement that it was made by stood in its place; of answers, that of values a caller wrote.
fn kept_label(
    (scan, dataset): (ScanId, &PermittedDataset),
    derived: &Derived,
    column: &DerivedColumn,
) -> Label {
    let class = match &column.token {
        Some(domain) => Class::Token {
            domain: domain.clone(),
            join_only: dataset.external,
        },
        None => Class::Open,
    };
    let people = matches!(derived.rows, KeptRows::People { .. });
    let source = Source {
        dataset: dataset.name.clone(),
        item: column.name.clone(),
        grade: column.grade,
    };
    let base = (people && column.bare).then(|| Base {
        scan,
        item: column.name.clone(),
    });
    Label {
        class,
        base,
        sources: BTreeSet::from([source]),
        shape: if people {
            Shape::made(column.made)
        } else {
            Shape::Free
        },
        own_type: column.typed.then_some(column.data_type),
        wraps: !column.typed,
    }
}

/// Adds the subject, the row number and the raw values that approved aggregates may need.
fn carry(
    relation: &mut Relation,
    scan: ScanId,
    dataset: &PermittedDataset,
    shown: &mut Vec<ScanColumn>,
) -> Result<(), Unconfinable> {
    relation.once.insert(scan);
    relation.single = true;
    relation.external = dataset.external;
    let mut raws = BTreeMap::new();
    for item in dataset.items.iter().filter(|item| is_measure(item)) {
        raws.insert((scan, item.name.clone()), position(shown.len())?);
        let (item, data_type) = (item.name.clone(), item.data_type);
        shown.push(ScanColumn {
            item,
            data_type,
            view: View::Raw,
        });
    }
    relation.raws = raws;
    let Some(subject) = dataset.subject.as_ref().filter(|_| dataset.protected) else {
        return Ok(());
    };
    relation.subjects.insert(scan, position(shown.len())?);
    shown.push(ScanColumn {
        item: subject.clone(),
        data_type: Type::Int,
        view: View::Subject,
    });
    // Where each subject has one row, its number is the row's too.
    if dataset.subject_unique {
        return Ok(());
    }
    relation.rows.insert(scan, position(shown.len())?);
    shown.push(ScanColumn {
        item: subject.clone(),
        data_type: Type::Int,
        view: View::Row,
    });
    Ok(())
}

/// Whether approved aggregates see more of an item than anybody else. A token is counted as it is.
pub(super) const fn is_measure(item: &PermittedItem) -> bool {
    item.aggregate && !matches!(item.mask, Mask::Plain | Mask::Token)
}

/// Single columns no two rows agree in.
fn dataset_keys(dataset: &PermittedDataset, columns: &[ScanColumn]) -> Vec<BTreeSet<usize>> {
    let unique = |column: &ScanColumn| {
        let item = dataset.items.iter().find(|item| item.name == column.item);
        item.is_some_and(|item| item.unique && matches!(item.mask, Mask::Plain | Mask::Token))
    };
    let columns = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| unique(column));
    columns.map(|(at, _)| BTreeSet::from([at])).collect()
}

fn row_policy(dataset: &PermittedDataset) -> Result<Option<RowPolicy>, Unconfinable> {
    let Some(bytes) = &dataset.rows_plan else {
        return Ok(None);
    };
    let decoded = RowPolicy::decode(bytes, &Bounds::default()).map_err(|_| Cause::IllTyped)?;
    // INVARIANT (nothing of grade 4 is operated on): grades may be higher by now than when it was approved.
    let seen = row_policy::enforced(decoded, |name| {
        let shown = dataset.items.iter().find(|item| item.name == *name);
        let absent = || dataset.absent.iter().find(|item| item.name == *name);
        match (shown, absent()) {
            (Some(item), _) => (item.grade, item.mask),
            (None, Some(item)) => (item.grade, Mask::Suppress),
            (None, None) => (Grade::Four, Mask::Suppress),
        }
    });
    Ok(Some(seen.map_err(|_| Cause::RowPolicy)?))
}
