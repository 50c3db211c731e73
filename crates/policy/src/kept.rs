//! A result that a scenario keeps, in its permit: there while its sources are seen as when it was made.

use crate::{AbsentItem, Owed, PermittedDataset, PermittedItem, bundle::Bundle};
use serde_json::json;
use terms::{
    DatasetName, Derived, DerivedColumn, DerivedSource, Digest, ItemName, KeptRows, Kind, Mask,
};

/// What is more to say of a dataset that is a kept result.
#[derive(Debug, Clone, PartialEq)]
pub struct PermittedKept {
    /// What statements call it.
    pub seen_as: DatasetName,
    /// The dataset that its rows are of, one each; none where they are answers.
    pub origin: Option<DatasetName>,
    /// What it is and was made of.
    pub derived: Derived,
    /// What is owed by every result that it goes into: all that its sources' items ask.
    pub owed: Owed,
}

/// The digest of how these items are seen; none where one of them is not, in this state of its dataset, or
/// may not be kept.
///
/// It covers all that decides what a statement over them shows and owes, so that a kept result never
/// answers what the statement it was made by would not.
#[must_use]
pub fn view(datasets: &[PermittedDataset], sources: &[DerivedSource]) -> Option<Digest> {
    let mut seen = Vec::with_capacity(sources.len());
    for source in sources {
        let of = |dataset: &&PermittedDataset| {
            dataset.kept.is_none()
                && dataset.name == source.dataset
                && dataset.snapshot == source.snapshot
        };
        let dataset = datasets.iter().find(of)?;
        // Of what shows no item any more, not even how many rows there were is told.
        if dataset.items.is_empty() {
            return None;
        }
        let mut items = Vec::with_capacity(source.items.len());
        for name in &source.items {
            let item = dataset.items.iter().find(|item| item.name == *name)?;
            if !item.materialise {
                return None;
            }
            items.push(json!({
                "name": item.name,
                "type": item.data_type,
                "grade": item.grade,
                "mask": item.mask.to_string(),
                "domain": item.domain,
                "unique": item.unique,
            }));
        }
        seen.push(json!({
            "dataset": dataset.name,
            "snapshot": dataset.snapshot,
            "protected": dataset.protected,
            "external": dataset.external,
            "subject": dataset.subject,
            "k": dataset.k,
            "disclosure": format!("{:?}", dataset.disclosure),
            "rows": dataset.rows_plan.as_ref().map(hex::encode),
            "items": items,
        }));
    }
    Some(Digest::of(json!(seen).to_string().as_bytes()))
}

/// A kept result as the permit holds it; none while its sources are seen otherwise than when it was made.
pub(crate) fn permitted(
    derived: &Derived,
    datasets: &[PermittedDataset],
    bundle: &Bundle,
) -> Option<PermittedDataset> {
    if view(datasets, &derived.sources)? != derived.view {
        return None;
    }
    let named = |name: &DatasetName| datasets.iter().find(|dataset| dataset.name == *name);
    let read = derived.sources.iter().flat_map(|source| {
        let items = named(&source.dataset).map(|dataset| &dataset.items);
        let items = items.into_iter().flatten();
        items.filter(|item| source.items.contains(&item.name))
    });
    let owed = read
        .clone()
        .fold(Owed::default(), |owed, item| owed.strictest(item.owed));
    let export = read.clone().all(|item| item.export);
    let items = derived
        .columns
        .iter()
        .map(|column| item(column, (export, owed)));
    let kept = |origin: Option<&DatasetName>| {
        Some(PermittedKept {
            seen_as: derived.seen_as(),
            origin: origin.cloned(),
            derived: derived.clone(),
            owed,
        })
    };
    let answers = PermittedDataset {
        name: derived.stored_as(),
        protected: false,
        external: derived.external,
        subject: None,
        subject_type: None,
        subject_unique: false,
        k: derived
            .sources
            .iter()
            .filter_map(|s| Some(named(&s.dataset)?.k))
            .max()
            .unwrap_or(1),
        disclosure: bundle.disclosure.of(derived.grade()),
        rows_plan: None,
        show_rows: true,
        snapshot: derived.number,
        risk: None,
        items: items.collect(),
        absent: Vec::new(),
        kept: kept(None),
    };
    let KeptRows::People { dataset, .. } = &derived.rows else {
        return Some(answers);
    };
    let origin = named(dataset)?;
    let (subject, absent) = subject_of(derived)?;
    // INVARIANT (people stay counted): rows of people are protected as their dataset is, and have a
    // subject whether its token was kept or not.
    Some(PermittedDataset {
        protected: origin.protected,
        subject: Some(subject),
        subject_type: origin.subject_type,
        subject_unique: origin.subject_unique,
        k: origin.k,
        disclosure: origin.disclosure,
        show_rows: origin.show_rows,
        risk: origin.risk.clone(),
        absent,
        kept: kept(Some(dataset)),
        ..answers
    })
}

/// The column that is the subject's token, or a name that none of the columns has.
fn subject_of(derived: &Derived) -> Option<(ItemName, Vec<AbsentItem>)> {
    let mut columns = derived.columns.iter();
    if let Some(column) = columns.find(|column| column.subject) {
        return Some((column.name.clone(), Vec::new()));
    }
    let taken = |name: &ItemName| derived.columns.iter().any(|column| column.name == *name);
    // There is one more of these than there are columns, so that one is free.
    let mut names = (0..=derived.columns.len()).filter_map(|n| format!("subject-{n}").parse().ok());
    let name: ItemName = names.find(|name| !taken(name))?;
    let grade = derived.grade();
    let absent = AbsentItem {
        name: name.clone(),
        grade,
    };
    Some((name, vec![absent]))
}

fn item(column: &DerivedColumn, (export, owed): (bool, Owed)) -> PermittedItem {
    PermittedItem {
        name: column.name.clone(),
        data_type: column.data_type,
        grade: column.grade,
        kind: Kind::Other,
        unique: column.unique,
        domain: column.token.clone(),
        // What is stored is masked already, and shown as it is.
        tokenised: false,
        mask: Mask::Plain,
        band: None,
        pooled: column.name.clone(),
        aggregate: false,
        export,
        materialise: true,
        owed,
    }
}
