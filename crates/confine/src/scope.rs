use crate::{Cause, Unconfinable};
use plan::Node;
use policy::{Permit, PermittedDataset};
use std::collections::BTreeSet;
use terms::DatasetName;

/// One scan of a statement; two scans of one dataset are two.
pub(crate) type ScanId = u32;

/// The scans of one statement, and what is true of all of it.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    permit: &'a Permit,
    scans: Vec<&'a PermittedDataset>,
    /// Whether operator-supplied data is touched.
    external: bool,
    /// Whether protected data is touched.
    protected: bool,
}

impl<'a> Scope<'a> {
    /// Looks through the whole draft, subqueries included, for what it touches.
    pub(crate) fn of(permit: &'a Permit, root: &Node) -> Result<Self, Unconfinable> {
        let touched: BTreeSet<_> = root.scans().into_iter().map(|scan| &scan.dataset).collect();
        let mut scope = Self {
            permit,
            scans: Vec::new(),
            external: false,
            protected: false,
        };
        for name in touched {
            let dataset = scope.seen(name)?;
            scope.external |= dataset.external;
            scope.protected |= dataset.protected;
        }
        Ok(scope)
    }

    /// The permitted dataset that statements call so.
    pub(crate) fn seen(&self, name: &DatasetName) -> Result<&'a PermittedDataset, Unconfinable> {
        let mut datasets = self.permit.datasets().iter();
        let found = datasets.find(|dataset| dataset.seen_as() == name);
        found.ok_or_else(|| Cause::UnknownName.into())
    }

    /// The permitted dataset of this name.
    pub(crate) fn dataset(&self, name: &DatasetName) -> Result<&'a PermittedDataset, Unconfinable> {
        let found = self
            .permit
            .datasets()
            .iter()
            .find(|dataset| &dataset.name == name);
        found.ok_or_else(|| Cause::UnknownName.into())
    }

    /// Numbers a new scan of a dataset.
    pub(crate) fn scan(&mut self, dataset: &'a PermittedDataset) -> Result<ScanId, Unconfinable> {
        self.scans.push(dataset);
        crate::relation::position(self.scans.len() - 1)
    }

    /// The dataset a scan is of.
    pub(crate) fn of_scan(&self, scan: ScanId) -> Result<&'a PermittedDataset, Unconfinable> {
        let index = usize::try_from(scan).map_err(|_| Cause::IllTyped)?;
        self.scans
            .get(index)
            .copied()
            .ok_or_else(|| Cause::IllTyped.into())
    }

    /// Whether masked-only results over this scan owe k: its rows are off, or may not show beside
    /// operator-supplied data. Source: design, "Rows".
    pub(crate) fn owes(&self, scan: ScanId) -> Result<bool, Unconfinable> {
        let dataset = self.of_scan(scan)?;
        Ok(dataset.protected && (!dataset.show_rows || self.external))
    }

    /// Why rows of this scan may not show.
    pub(crate) fn rows_refusal(&self, scan: ScanId) -> Result<Cause, Unconfinable> {
        let shown = self.of_scan(scan)?.show_rows;
        Ok(if shown {
            Cause::RowsWithExternal
        } else {
            Cause::RowsOff
        })
    }

    /// Whether operator-supplied data is touched.
    pub(crate) const fn is_external(&self) -> bool {
        self.external
    }

    /// Whether any protected data is touched.
    pub(crate) const fn is_protected(&self) -> bool {
        self.protected
    }
}
