use super::witnesses::stricter;
use crate::{
    Unconfinable,
    relation::{Column, Contribution, Relation, Witness, position},
    scope::ScanId,
};
use plan::{AggregateCall, AggregateFunction, Check, Expr, Report};
use policy::PermittedDataset;
use std::collections::{BTreeMap, BTreeSet};

/// What a grouping needs beside what the draft asked for.
pub(super) struct Grouping {
    pub(super) relation: Relation,
    pub(super) keys: Vec<Expr>,
    pub(super) calls: Vec<AggregateCall>,
    pub(super) columns: Vec<Column>,
    pub(super) witnesses: Vec<Witness>,
    /// Scans whose subject is among the keys: their rows still stand one subject by one.
    pub(super) by_subject: BTreeSet<ScanId>,
    /// The draft's columns that are keys as they are.
    pub(super) bare_keys: BTreeSet<usize>,
    /// The rows that go into the values held here.
    pub(super) contributions: BTreeMap<(u32, ScanId), Contribution>,
    /// Where the subject numbers of those stand, after grouping.
    pub(super) subjects: BTreeMap<ScanId, u32>,
    pub(super) reports: Vec<Report>,
    /// The columns that show something of the rows a witness counts, by where the witness stands.
    pub(super) shows: BTreeMap<u32, BTreeSet<u32>>,
}

impl Grouping {
    /// Adds a call, or finds the same one, and says where its value stands.
    pub(super) fn push(&mut self, call: AggregateCall) -> Result<u32, Unconfinable> {
        let found = self.calls.iter().position(|other| other == &call);
        let at = match found {
            Some(at) => at,
            None => {
                self.calls.push(call);
                self.calls.len() - 1
            }
        };
        position(self.keys.len() + at)
    }

    /// Adds a witness that rows must meet, and says where it stands.
    pub(super) fn witness(
        &mut self,
        call: AggregateCall,
        check: Check,
    ) -> Result<u32, Unconfinable> {
        let at = self.push(call)?;
        let found = self.witnesses.iter_mut().find(|witness| witness.at == at);
        match found {
            Some(witness) => witness.check = stricter(witness.check, check),
            None => self.witnesses.push(Witness {
                at,
                check,
                full: true,
                withheld: true,
            }),
        }
        Ok(at)
    }

    /// The subjects that stand here one by one.
    pub(super) fn standing(&self) -> Vec<(ScanId, u32)> {
        let subjects = self.relation.subjects.iter();
        subjects.map(|(scan, at)| (*scan, *at)).collect()
    }

    pub(super) fn is_by_subject(&self) -> bool {
        !self.by_subject.is_empty()
    }

    /// What tells contributions apart, and whether it is the subject's number and not the row's: where
    /// rows are grouped by it. Where each subject has one row the two are the same, and one pool.
    pub(super) fn row(
        &self,
        scan: ScanId,
        subject: u32,
        dataset: &PermittedDataset,
    ) -> (Expr, bool) {
        match self.relation.rows.get(&scan) {
            Some(at) => (Expr::Column(*at), false),
            None => (Expr::Column(subject), !dataset.subject_unique),
        }
    }

    /// Groups of groups: those that fall short are gone, and egress verifies it by the fewest subjects of
    /// any that is left.
    pub(super) fn earlier_witnesses(&mut self) -> Result<(), Unconfinable> {
        for witness in self.relation.witnesses.clone() {
            let call = AggregateCall {
                function: AggregateFunction::Min,
                arguments: vec![witness.subjects()],
                distinct: false,
                filter: None,
            };
            let check = Check::of(witness.check.k);
            let at = self.push(call)?;
            // Of no groups at all there is one row, which goes further up.
            let withheld = !self.keys.is_empty();
            self.witnesses.push(Witness {
                at,
                check,
                full: false,
                withheld,
            });
        }
        Ok(())
    }
}

/// Scans whose subjects equal this one's in every row.
pub(in crate::rewrite) fn tied_to(relation: &Relation, scan: ScanId) -> BTreeSet<ScanId> {
    let mut found = BTreeSet::from([scan]);
    for _ in &relation.tied {
        for (one, other) in &relation.tied {
            if found.contains(one) || found.contains(other) {
                found.extend([*one, *other]);
            }
        }
    }
    found.retain(|scan| relation.subjects.contains_key(scan));
    found
}
