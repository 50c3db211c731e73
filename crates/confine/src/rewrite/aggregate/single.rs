//! Where rows may not show, an aggregate sees each of them once, and a group by subject remembers which
//! they were: how often somebody counts would otherwise be an answer that no threshold and no register
//! sees, since who is counted stays the same.

use super::{
    Grouping,
    held::united,
    tied_to,
    witnesses::{nothing, witness},
};
use crate::{Cause, Unconfinable, relation::Contribution, rewrite::Rewrite, scope::ScanId};
use plan::{AggregateCall, AggregateFunction, Expr};
use std::collections::BTreeSet;

/// The number under which a group by subject carries the rows it is made of; no held value has it.
pub(super) const ROWS: u32 = u32::MAX;

impl Rewrite<'_> {
    /// Where rows are grouped by their subject, its number stays with each group, and the rows do where it
    /// may have several.
    pub(super) fn keep_subjects(&self, grouping: &mut Grouping) -> Result<(), Unconfinable> {
        for (scan, subject) in grouping.standing() {
            if !grouping.by_subject.contains(&scan) {
                continue;
            }
            let at = grouping.push(AggregateCall {
                function: AggregateFunction::Min,
                arguments: vec![Expr::Column(subject)],
                distinct: false,
                filter: None,
            })?;
            grouping.subjects.insert(scan, at);
            if self.scope.of_scan(scan)?.subject_unique || !self.scope.owes(scan)? {
                continue;
            }
            let before = grouping.relation.contributions.get(&(ROWS, scan));
            let all = match (grouping.relation.rows.get(&scan), before) {
                (Some(row), _) => {
                    let each = [Expr::Column(subject), Expr::Column(*row), nothing()];
                    witness(each, None)
                }
                (None, Some(rows)) => united(rows.at, None),
                (None, None) => continue,
            };
            let at = grouping.push(all)?;
            let by_subject = false;
            let rows = Contribution { at, by_subject };
            grouping.contributions.insert((ROWS, scan), rows);
        }
        Ok(())
    }

    /// Refuses aggregates that say how often a row that may not show is here.
    pub(super) fn counts_each_once<'c>(
        &self,
        grouping: &Grouping,
        mut calls: impl Iterator<Item = &'c AggregateCall>,
    ) -> Result<(), Unconfinable> {
        let repeats = |call: &AggregateCall| {
            let extreme = matches!(
                call.function,
                AggregateFunction::SharedMin
                    | AggregateFunction::SharedMax
                    | AggregateFunction::SafeMin
                    | AggregateFunction::SafeMax
            );
            !call.distinct && !extreme
        };
        let hidden = self.hidden_rows(&grouping.relation)?;
        if hidden.is_empty() || grouping.relation.single || !calls.any(repeats) {
            return Ok(());
        }
        for scan in &hidden {
            let tied = tied_to(&grouping.relation, *scan);
            if grouping.relation.rows.contains_key(scan) || !self.one_each(grouping, &tied)? {
                return Err(Cause::Multiplied.into());
            }
        }
        Ok(())
    }

    /// Whether the keys here, and what is the same for each of these subjects, leave one row to each.
    pub(super) fn one_each(
        &self,
        grouping: &Grouping,
        tied: &BTreeSet<ScanId>,
    ) -> Result<bool, Unconfinable> {
        let mut pinned = grouping.bare_keys.clone();
        for (at, column) in grouping.relation.columns.iter().enumerate() {
            if self.is_of_subject(tied, &column.label)? {
                pinned.insert(at);
            }
        }
        let mut keys = grouping.relation.keys.iter();
        Ok(keys.any(|key| key.is_subset(&pinned)))
    }

    /// Whether each of these subjects has one group here, by keys that are the same in all of its rows.
    pub(super) fn is_alone(
        &self,
        grouping: &Grouping,
        tied: &BTreeSet<ScanId>,
    ) -> Result<bool, Unconfinable> {
        let keys = grouping.columns.iter().take(grouping.keys.len());
        let each = keys.map(|key| self.is_of_subject(tied, &key.label));
        Ok(!each.collect::<Result<Vec<bool>, _>>()?.contains(&false))
    }

    /// Whether each row of a grouping by subject is another subject's.
    pub(super) fn is_single(&self, grouping: &Grouping) -> Result<bool, Unconfinable> {
        let each = grouping.by_subject.iter().map(|scan| {
            let tied = tied_to(&grouping.relation, *scan);
            self.is_alone(grouping, &tied)
        });
        Ok(each.collect::<Result<Vec<bool>, _>>()?.contains(&true))
    }
}
