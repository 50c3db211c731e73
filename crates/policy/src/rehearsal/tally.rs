use super::{
    Change,
    comparison::{Comparison, Request},
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use terms::{PersonId, ScenarioId};

/// The most groups told; the flips of more are counted.
const GROUPS_MAX: usize = 20_000;
/// Codes with which policy refuses entry.
const ENTRY_CODES: [&str; 9] = [
    "policy.unknown-scenario",
    "policy.scenario-not-granted",
    "policy.licence-not-granted",
    "policy.licence-not-in-term",
    "policy.no-emergency-plan",
    "policy.evidence-lapsed",
    "policy.drill-overdue",
    "policy.assessment-failed",
    "policy.closed",
];

/// Which entry, when.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub index: u64,
    pub at: DateTime<Utc>,
}

/// Who, for which scenario, by which policies, what.
type Group = (PersonId, Option<ScenarioId>, Vec<String>, Change);

/// Equal flips of one person in one scenario.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Flip {
    /// Whose requests.
    pub person: PersonId,
    /// For which scenario; none of management steps.
    pub scenario: Option<ScenarioId>,
    /// The policies that make the difference: new ones, else those that are gone; `mask-table` and
    /// `disclosure.toml` where no policy does.
    pub policies: Vec<String>,
    /// What flips.
    #[serde(flatten)]
    pub change: Change,
    /// How many requests.
    pub count: u64,
    /// The entry of the first of them.
    pub first: u64,
    /// The entry of the last.
    pub last: u64,
}

/// What a rehearsal found.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Rehearsed {
    /// Entries read.
    pub entries: u64,
    /// Operations asked again.
    pub operations: u64,
    /// Management steps asked again.
    pub steps: u64,
    /// Operations of which something flips.
    pub operations_flipped: u64,
    /// Management steps that flip.
    pub steps_flipped: u64,
    /// Flips by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Operations refused after entry whose permit changes: whether they flip is not on record.
    pub undetermined: u64,
    /// Operations that were decided by other policies than the present ones.
    pub other_policies: u64,
    /// Operations and steps that the present policies do not decide as they stand on record.
    pub unreproduced: u64,
    /// Steps by people who were not on record.
    pub strangers: u64,
    /// Distinct requests that were compared.
    pub compared: u64,
    /// The flips, most frequent first.
    pub flips: Vec<Flip>,
    /// Flips of groups beyond those told.
    pub flips_more: u64,
}

/// A rehearsal's counts under way.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub entries: u64,
    pub operations: u64,
    pub steps: u64,
    pub strangers: u64,
    rehearsed: Rehearsed,
    groups: BTreeMap<Group, (u64, u64, u64)>,
}

impl Tally {
    fn flip(&mut self, group: Group, at: At) {
        *self.rehearsed.kinds.entry(group.3.kind()).or_default() += 1;
        if self.groups.len() >= GROUPS_MAX && !self.groups.contains_key(&group) {
            self.rehearsed.flips_more += 1;
            return;
        }
        let (count, first, last) = self.groups.entry(group).or_insert((0, at.index, at.index));
        *count += 1;
        *first = at.index.min(*first);
        *last = at.index.max(*last);
    }

    /// Counts whether entry flips, and says whether it does.
    pub(super) fn entry(&mut self, comparison: &Comparison, request: &Request, at: At) -> bool {
        let entry = |change: &Change| matches!(change, Change::Entry { .. });
        self.matching(comparison, request, at, &entry)
    }

    /// Counts the changes that concern an operation.
    pub(super) fn changes(
        &mut self,
        comparison: &Comparison,
        request: &Request,
        at: At,
        concerned: &dyn Fn(&Change) -> bool,
    ) {
        self.matching(comparison, request, at, concerned);
    }

    fn matching(
        &mut self,
        comparison: &Comparison,
        request: &Request,
        at: At,
        matches: &dyn Fn(&Change) -> bool,
    ) -> bool {
        let mut any = false;
        for (change, policies) in &comparison.changes {
            if matches(change) {
                any = true;
                let (person, scenario) = (request.person.clone(), request.scenario.clone());
                self.flip((person, scenario, policies.clone(), change.clone()), at);
            }
        }
        self.rehearsed.operations_flipped += u64::from(any);
        any
    }

    pub(super) fn step(&mut self, by: &PersonId, change: Change, policies: Vec<String>, at: At) {
        self.rehearsed.steps_flipped += 1;
        self.flip((by.clone(), None, policies, change), at);
    }

    /// Takes a refusal on record.
    pub(super) fn refused(&mut self, comparison: &Comparison, code: &str) {
        if ENTRY_CODES.contains(&code) {
            self.reproduced(comparison.entry == code);
        } else if comparison.entry == "allowed" {
            let entry = |(change, _): &(Change, _)| matches!(change, Change::Entry { .. });
            let undetermined =
                !comparison.changes.is_empty() && !comparison.changes.iter().any(entry);
            self.rehearsed.undetermined += u64::from(undetermined);
        }
    }

    pub(super) const fn elsewhere(&mut self, other: bool) {
        self.rehearsed.other_policies += other as u64;
    }

    pub(super) const fn reproduced(&mut self, is: bool) {
        self.rehearsed.unreproduced += !is as u64;
    }

    pub(super) fn concluded(self, compared: u64) -> Rehearsed {
        let flip = |((person, scenario, policies, change), (count, first, last))| Flip {
            person,
            scenario,
            policies,
            change,
            count,
            first,
            last,
        };
        let mut flips: Vec<Flip> = self.groups.into_iter().map(flip).collect();
        flips.sort_by_key(|flip| std::cmp::Reverse(flip.count));
        Rehearsed {
            entries: self.entries,
            operations: self.operations,
            steps: self.steps,
            strangers: self.strangers,
            compared,
            flips,
            ..self.rehearsed
        }
    }
}
