use super::State;
use std::collections::BTreeMap;
use terms::{DatasetName, Derived, DerivedName, LicenceId, ScenarioId, Stage};

/// The results that scenarios keep.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Workspace {
    /// By what the domain calls each.
    kept: BTreeMap<DatasetName, Derived>,
    /// The highest number that one ever had.
    last: u32,
}

impl Workspace {
    /// Whether none was ever kept, so that a state from before there were any has the digest it had.
    pub(super) const fn is_untouched(&self) -> bool {
        self.last == 0
    }

    pub(super) fn keep(&mut self, derived: &Derived) {
        self.last = self.last.max(derived.number);
        self.kept.insert(derived.stored_as(), derived.clone());
    }

    pub(super) fn drop(&mut self, dataset: &DatasetName) {
        self.kept.remove(dataset);
    }
}

impl State {
    /// Every kept result, by what the domain calls it.
    pub fn kept(&self) -> impl Iterator<Item = &Derived> {
        self.workspace.kept.values()
    }

    /// The kept results of a scenario.
    pub fn kept_of<'s>(&'s self, scenario: &'s ScenarioId) -> impl Iterator<Item = &'s Derived> {
        self.kept()
            .filter(move |derived| derived.scenario == *scenario)
    }

    /// The kept result that a scenario calls by this name.
    #[must_use]
    pub fn kept_as(&self, scenario: &ScenarioId, name: &DerivedName) -> Option<&Derived> {
        let mut kept = self.kept();
        kept.find(|derived| derived.scenario == *scenario && derived.name == *name)
    }

    /// The kept result that the domain calls so.
    #[must_use]
    pub fn kept_under(&self, dataset: &DatasetName) -> Option<&Derived> {
        self.workspace.kept.get(dataset)
    }

    /// How many results the scenarios of a licence keep, and how many rows these are charged with.
    #[must_use]
    pub fn kept_room(&self, licence: &LicenceId) -> (u64, u64) {
        let own = self.kept().filter(|derived| derived.licence == *licence);
        own.fold((0, 0), |(datasets, rows), derived| {
            (datasets + 1, rows.saturating_add(derived.rows_charged))
        })
    }

    /// The highest number that a kept result ever had.
    #[must_use]
    pub const fn kept_last(&self) -> u32 {
        self.workspace.last
    }

    /// Whether the scenario of a kept result, or its licence, ended for good.
    pub(super) fn is_left_over(&self, derived: &Derived) -> bool {
        let over = |stage: Stage| {
            matches!(
                stage,
                Stage::Refused | Stage::Closed | Stage::Terminated | Stage::Expired
            )
        };
        let scenario = self.scenario(&derived.scenario);
        let licence = self.licence(&derived.licence);
        scenario.is_none_or(|standing| over(standing.stage))
            || licence.is_none_or(|standing| over(standing.stage))
    }
}
