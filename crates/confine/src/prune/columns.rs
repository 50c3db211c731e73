use plan::{AggregateCall, Expr, ScanColumn};
use std::collections::{BTreeMap, BTreeSet};

/// Which columns of a node are read.
pub(super) type Read = BTreeSet<u32>;
/// Where each column that is left now stands.
pub(super) type Moved = BTreeMap<u32, u32>;

pub(super) fn call_columns(call: &AggregateCall) -> Read {
    let mut read = columns(&call.arguments);
    read.extend(call.filter.iter().flat_map(Expr::columns));
    read
}

pub(super) fn columns(exprs: &[Expr]) -> Read {
    exprs.iter().flat_map(Expr::columns).collect()
}

pub(super) fn at_least_one(read: &Read, otherwise: u32) -> Read {
    if read.is_empty() {
        Read::from([otherwise])
    } else {
        read.clone()
    }
}

/// The column whose key says least: one shown plain, else the first.
pub(super) fn cheapest(columns: &[ScanColumn]) -> Option<u32> {
    let plain = plan::View::masked(terms::Mask::Plain, None);
    let found = columns
        .iter()
        .position(|column| column.view == plain)
        .unwrap_or(0);
    u32::try_from(found).ok().filter(|_| !columns.is_empty())
}

pub(super) fn keep<T>(from: Vec<T>, kept: &Read) -> Option<(Vec<T>, Moved)> {
    let mut left = Vec::with_capacity(kept.len());
    let mut moved = Moved::new();
    for (at, each) in from.into_iter().enumerate() {
        let at = u32::try_from(at).ok()?;
        if kept.contains(&at) {
            moved.insert(at, u32::try_from(left.len()).ok()?);
            left.push(each);
        }
    }
    Some((left, moved))
}

pub(super) fn identity(width: u32) -> Moved {
    (0..width).map(|at| (at, at)).collect()
}

pub(super) fn ranks(read: &Read) -> Option<Moved> {
    read.iter()
        .enumerate()
        .map(|(rank, at)| Some((*at, u32::try_from(rank).ok()?)))
        .collect()
}
