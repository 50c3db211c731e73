//! Results that scenarios keep inside: made by an operation, stored like a snapshot under a key of their
//! own, on record, and destroyed by whoever drops them, by the clock, or with what they were made of.
//!
//! The file is there, whole, before the event that says so; the event that it is gone comes before its key
//! is destroyed. What a crash left between is found at the next start: what no event names is destroyed.

mod keeping; // a running statement → a file → an event
mod sweep; // what is kept no longer is destroyed

pub(crate) use self::sweep::sweep;

use crate::{Domain, Kind, Refused};
use register::Room;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};
use terms::{DatasetName, DerivedName, Told};

/// What is under way beside what stands.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    under_way: Mutex<UnderWay>,
    /// Held while a result is put on record, and while a snapshot is destroyed with all that was made of
    /// it: none comes to stand in between.
    pub(crate) settling: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct UnderWay {
    last: u32,
    results: BTreeSet<(DatasetName, u32)>,
}

/// A result's name while it is made; nobody sweeps it away meanwhile.
#[derive(Debug)]
pub(crate) struct Named {
    domain: Arc<Domain>,
    pub dataset: DatasetName,
    pub number: u32,
}

/// How much is kept, and how long. Source: design, "Numbers a person sets".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkspaceConfig {
    /// What the scenarios of one licence may keep.
    pub room: Room,
    /// Bytes of one result at most, counted as Arrow buffers.
    pub bytes_max: u64,
    /// Days that a result is kept where nobody says how many.
    pub days: u32,
    /// Days at most.
    pub days_max: u32,
}

impl Workspace {
    /// The results that are being made.
    fn under_way(&self) -> BTreeSet<(DatasetName, u32)> {
        self.lock().results.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, UnderWay> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Named {
    /// Takes a number that no result has or had.
    fn new(domain: &Arc<Domain>, name: &DerivedName) -> Result<Self, Refused> {
        let kept_last = domain.live.read().state.kept_last();
        let mut under_way = domain.workspace.lock();
        let number = under_way.last.max(kept_last).checked_add(1);
        let number = number.ok_or_else(|| Refused::internal("workspace.numbers"))?;
        let dataset = name.stored_as(number);
        under_way.last = number;
        under_way.results.insert((dataset.clone(), number));
        Ok(Self {
            domain: Arc::clone(domain),
            dataset,
            number,
        })
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let result = (self.dataset.clone(), self.number);
        self.domain.workspace.lock().results.remove(&result);
    }
}

fn unnamed() -> Refused {
    let told = Told::new(
        "a kept result has a name of 1 to 48 letters, digits, `_` or `-`. [AO-14]",
        "留存结果的名称为 1 至 48 个字母、数字、`_` 或 `-`。〔AO-14〕",
    );
    Refused::new("workspace.name", told, Kind::Invalid)
}

fn too_long(days_max: u32) -> Refused {
    let told = Told::new("a result is not kept so long", "留存期限超出上限");
    let refused = Refused::new("workspace.too-long", told, Kind::Invalid);
    refused.with(
        &format!("(1 to {days_max} days)."),
        &format!("（1 至 {days_max} 日）。"),
    )
}

#[cfg(test)]
mod tests;
