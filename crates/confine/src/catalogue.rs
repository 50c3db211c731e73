use policy::{Permit, PermittedDataset, PermittedItem};
use terms::{DatasetName, ItemName, Mask, Type};

/// A dataset as the caller's planner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Which.
    pub dataset: DatasetName,
    /// Its columns with the types the caller sees.
    pub columns: Vec<(ItemName, Type)>,
}

/// What the caller's planner may know: the permitted items, each with the type of its mask, and the
/// columns of the caller's own receipts.
///
/// An item under `aggregate` whose mask is `suppress` keeps its raw type; one that is only suppressed
/// is not there. Source: design, "A plan language of our own".
#[must_use]
pub fn catalogue(permit: &Permit) -> Vec<Table> {
    let datasets = permit.datasets().iter().map(table);
    datasets.chain(crate::receipts::table()).collect()
}

fn table(dataset: &PermittedDataset) -> Table {
    let seen = |item: &PermittedItem| Some((item.name.clone(), seen_type(item)?));
    Table {
        dataset: dataset.seen_as().clone(),
        columns: dataset.items.iter().filter_map(seen).collect(),
    }
}

/// The type a caller sees an item with; none where the item is absent for it.
pub(crate) fn seen_type(item: &PermittedItem) -> Option<Type> {
    match item.mask {
        Mask::Suppress if !item.aggregate => None,
        mask => mask.shown_type(item.data_type),
    }
}
