use crate::{Cause, Unconfinable, label::Label, scope::ScanId};
use plan::{Cell, Check, Expr, Function, Literal, Node};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};
use terms::ItemName;

/// A confined node, what it shows, and what it carries along unseen.
///
/// Shape: the node's output has `width` columns. The draft's column i stands at `columns[i].at`
/// (nowhere, if suppressed); the other positions hold what is carried.
#[derive(Debug)]
pub(crate) struct Relation {
    pub node: Node,
    pub width: u32,
    /// The draft's columns, in the draft's order.
    pub columns: Vec<Column>,
    /// Raw values for approved aggregates.
    pub raws: BTreeMap<(ScanId, ItemName), u32>,
    /// The subject of each protected scan whose rows are still here one by one.
    pub subjects: BTreeMap<ScanId, u32>,
    /// The row number of each such scan.
    pub rows: BTreeMap<ScanId, u32>,
    /// Scans each of whose rows is here at most once.
    pub once: BTreeSet<ScanId>,
    /// Whether each row is another one of somebody: nothing that was joined says how often one counts.
    pub single: bool,
    /// Sets of the draft's columns no two rows agree in.
    pub keys: Vec<BTreeSet<usize>>,
    /// What is counted of protected rows that are here only in groups.
    pub witnesses: Vec<Witness>,
    /// The rows that went into each held value, by its number and each scan they are of.
    pub contributions: BTreeMap<(u32, ScanId), Contribution>,
    /// Scans whose subjects are equal in every row.
    pub tied: Vec<(ScanId, ScanId)>,
    /// Whether operator-supplied rows have a say in which rows are here.
    pub external: bool,
}

/// A witness of the rows that went into a held value. Nothing is owed by it: it is united, and judged,
/// where an outer aggregate takes the value in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contribution {
    pub at: u32,
    /// Whether its rows are numbers of subjects.
    pub by_subject: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub at: Option<u32>,
    pub label: Label,
}

/// A witness column and what it must meet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Witness {
    pub at: u32,
    pub check: Check,
    /// Whether the column is a witness struct; else a count of subjects.
    pub full: bool,
    /// Whether rows that fall short have been dropped already.
    pub withheld: bool,
}

impl Witness {
    pub(crate) fn cell(&self) -> Cell {
        Cell {
            witness: self.at,
            check: self.check,
        }
    }

    /// The number of subjects, as an expression.
    pub(crate) fn subjects(&self) -> Expr {
        let column = Expr::Column(self.at);
        if self.full {
            Expr::call(Function::WitnessSubjects, [column])
        } else {
            column
        }
    }
}

impl Relation {
    /// A relation that carries nothing.
    pub(crate) fn bare(node: Node, columns: Vec<Column>, width: u32) -> Self {
        Self {
            node,
            width,
            columns,
            raws: BTreeMap::new(),
            subjects: BTreeMap::new(),
            rows: BTreeMap::new(),
            once: BTreeSet::new(),
            single: false,
            keys: Vec::new(),
            witnesses: Vec::new(),
            contributions: BTreeMap::new(),
            tied: Vec::new(),
            external: false,
        }
    }

    /// The position of every carried column, to move it.
    pub(crate) fn carried(&mut self) -> impl Iterator<Item = &mut u32> {
        self.raws
            .values_mut()
            .chain(self.subjects.values_mut())
            .chain(self.rows.values_mut())
            .chain(self.witnesses.iter_mut().map(|witness| &mut witness.at))
            .chain(self.contributions.values_mut().map(|each| &mut each.at))
    }

    /// Moves everything by so many positions: the right side of a join.
    pub(crate) fn shift(&mut self, by: u32) {
        self.carried().for_each(|at| *at += by);
        self.columns
            .iter_mut()
            .filter_map(|column| column.at.as_mut())
            .for_each(|at| *at += by);
    }

    /// Appends every carried column to a projection's expressions and notes where it now stands.
    pub(crate) fn carry_into(&mut self, exprs: &mut Vec<Expr>) -> Result<(), Unconfinable> {
        for (next, at) in (position(exprs.len())?..).zip(self.carried()) {
            exprs.push(Expr::Column(*at));
            *at = next;
        }
        Ok(())
    }

    /// Replaces the node by one over it with the same columns.
    pub(crate) fn wrap(mut self, make: impl FnOnce(Box<Node>) -> Node) -> Self {
        self.node = make(Box::new(self.node));
        self
    }

    /// Drops the rows that fall short of what is still owed.
    pub(crate) fn withhold(mut self) -> Self {
        let cells: Vec<Cell> = self
            .witnesses
            .iter()
            .filter(|w| !w.withheld)
            .map(Witness::cell)
            .collect();
        if cells.is_empty() {
            return self;
        }
        self.witnesses
            .iter_mut()
            .for_each(|witness| witness.withheld = true);
        self.wrap(|input| Node::Withhold {
            input,
            cells,
            reports: Vec::new(),
        })
    }

    /// Turns every witness into a count, which can be missing: for the side of an outer join whose rows
    /// may be. Groups that fall short go first.
    pub(crate) fn settle_missing(self) -> Result<Self, Unconfinable> {
        let mut settled = self.withhold();
        if settled.witnesses.is_empty() {
            return Ok(settled);
        }
        let mut exprs: Vec<Expr> = (0..settled.width).map(Expr::Column).collect();
        for witness in &mut settled.witnesses {
            exprs.push(witness.subjects());
            witness.at = position(exprs.len() - 1)?;
            witness.full = false;
            witness.check = Check::of(witness.check.k);
        }
        settled.width = position(exprs.len())?;
        Ok(settled.wrap(|input| Node::Project { input, exprs }))
    }

    /// Above an outer join: where a side has no match there is no protected content of it, and its counts
    /// (of these of our witnesses) are what they owe.
    pub(crate) fn excuse_missing(mut self, missing: Range<usize>) -> Self {
        let counts = self.witnesses.get(missing).unwrap_or_default();
        if counts.is_empty() {
            return self;
        }
        let counted = |at: u32| {
            let column = Expr::Column(at);
            match counts.iter().find(|witness| witness.at == at) {
                None => column,
                Some(witness) => {
                    let k = Expr::Literal(Literal::Int(i64::from(witness.check.k)));
                    Expr::call(Function::Coalesce, [column, k])
                }
            }
        };
        let exprs = (0..self.width).map(counted).collect();
        self = self.wrap(|input| Node::Project { input, exprs });
        self
    }
}

/// A length as an ordinal.
pub(crate) fn position(length: usize) -> Result<u32, Unconfinable> {
    u32::try_from(length).map_err(|_| Cause::IllTyped.into())
}
