//! What is sealed (封存), folded from the events.

use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use terms::{DatasetName, Digest, Event, PersonId, Role, Scenario, SealBasis, SealedUnit};

/// The seals that stand.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Seals {
    standing: BTreeMap<SealedUnit, Seal>,
    /// The list that is being written: its digest, and the snapshots on it so far. It means nothing before
    /// the seal that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed: Option<(Digest, BTreeSet<(DatasetName, u32)>)>,
}

/// A seal that stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Seal {
    /// Why.
    pub basis: SealBasis,
    /// The last day on which nobody may release it.
    pub until: NaiveDate,
    /// Who sealed it.
    pub by: PersonId,
    /// The digest of the list of its files.
    pub list: Digest,
    /// The root of the tree of the lines of that list.
    pub root: Digest,
    /// The snapshots on the list.
    pub snapshots: BTreeSet<(DatasetName, u32)>,
    /// The release that is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<SealRelease>,
}

/// A release that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SealRelease {
    /// By whom.
    pub by: PersonId,
    /// Who approved it, and in which role; the second approval releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<(PersonId, Role)>,
}

// === impl Seals ===

impl Seals {
    /// Whether nothing was ever sealed, or nothing is left of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.standing.is_empty() && self.listed.is_none()
    }

    /// Whether anything is sealed: then nothing is pruned and nothing expires.
    #[must_use]
    pub fn stand(&self) -> bool {
        !self.standing.is_empty()
    }

    /// The seals that stand, by what they seal.
    pub fn all(&self) -> impl Iterator<Item = (&SealedUnit, &Seal)> {
        self.standing.iter()
    }

    /// The seal of a unit.
    #[must_use]
    pub fn of(&self, unit: &SealedUnit) -> Option<&Seal> {
        self.standing.get(unit)
    }

    /// Whether a dataset is sealed as a whole: nothing of it is operated on, and nothing comes in.
    #[must_use]
    pub fn holds_dataset(&self, dataset: &DatasetName) -> bool {
        let unit = SealedUnit::Dataset(dataset.clone());
        self.standing.contains_key(&unit)
    }

    /// Whether a scenario is sealed, by itself or with its licence: nobody enters it.
    #[must_use]
    pub fn holds_scenario(&self, scenario: &Scenario) -> bool {
        let units = [
            SealedUnit::Scenario(scenario.id.clone()),
            SealedUnit::Licence(scenario.licence.clone()),
        ];
        units.iter().any(|unit| self.standing.contains_key(unit))
    }

    /// Whether a snapshot is sealed, by whichever seal: it is not destroyed.
    #[must_use]
    pub fn holds_snapshot(&self, dataset: &DatasetName, number: u32) -> bool {
        let snapshot = (dataset.clone(), number);
        let mut seals = self.standing.values();
        self.holds_dataset(dataset) || seals.any(|seal| seal.snapshots.contains(&snapshot))
    }

    /// Folds an event in.
    pub(crate) fn apply(&mut self, event: &Event) {
        if let Event::SealListed { list, files } = event {
            let pending = self.listed.take().filter(|(of, _)| of == list);
            let (_, mut snapshots) = pending.unwrap_or_else(|| (*list, BTreeSet::new()));
            snapshots.extend(files.iter().map(|f| (f.dataset.clone(), f.snapshot)));
            self.listed = Some((*list, snapshots));
        } else if let Event::DataSealed {
            by,
            unit,
            basis,
            until,
            list,
            root,
        } = event
        {
            let listed = self.listed.take().filter(|(of, _)| of == list);
            let snapshots = listed.map(|(_, snapshots)| snapshots);
            let seal = Seal {
                basis: *basis,
                until: *until,
                by: by.clone(),
                list: *list,
                root: *root,
                snapshots: snapshots.unwrap_or_default(),
                release: None,
            };
            self.standing.insert(unit.clone(), seal);
        } else {
            self.apply_later(event);
        }
    }

    fn apply_later(&mut self, event: &Event) {
        if let Event::SealReleased { unit, .. } = event {
            self.standing.remove(unit);
            return;
        }
        let unit = event_unit(event);
        let Some(seal) = unit.and_then(|unit| self.standing.get_mut(unit)) else {
            return;
        };
        if let Event::SealExtended { until, .. } = event {
            // What was asked before the day was set later is not asked any more.
            (seal.until, seal.release) = (*until, None);
        } else if let Event::SealReleaseRequested { by, .. } = event {
            let (by, approved) = (by.clone(), None);
            seal.release = Some(SealRelease { by, approved });
        } else if let Event::SealReleaseApproved { by, role, .. } = event
            && let Some(release) = &mut seal.release
        {
            release.approved = Some((by.clone(), *role));
        }
    }
}

/// The unit that an event about a standing seal names.
fn event_unit(event: &Event) -> Option<&SealedUnit> {
    if let Event::SealExtended { unit, .. }
    | Event::SealReleaseRequested { unit, .. }
    | Event::SealReleaseApproved { unit, .. } = event
    {
        Some(unit)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
