//! Node by node, from the scans up: each draft node becomes a confined one that shows the same
//! columns through their masks and carries along, unseen, what approved aggregates and witnesses need.

mod scan; // masks, row policy, what is carried
mod join; // both sides' witnesses, and who may enter twice
mod aggregate; // approved aggregates, witnesses, withholding
mod noise; // which columns can leave perturbed
mod union; // the same columns from several inputs
mod window; // over the masked view only

pub use self::aggregate::Reported;

pub(crate) use self::aggregate::HeldValue;

use self::aggregate::tied_to;

use crate::{
    Cause, Unconfinable,
    label::{Class, Label},
    relation::{Column, Relation, position},
    scope::{ScanId, Scope},
};
use plan::{Expr, Node, SortKey};
use std::collections::BTreeSet;

/// The rewriting of one statement.
#[derive(Debug)]
pub(crate) struct Rewrite<'a> {
    pub(crate) scope: Scope<'a>,
    /// The cells the disclosure register hears of; a report's number is its place here.
    pub(crate) reported: Vec<Reported>,
    /// The values held per subject; a label's number is a place here.
    pub(crate) held: Vec<HeldValue>,
}

impl Rewrite<'_> {
    /// Confines a node. `last` says that only projections, filters, sorts and limits stand above it, so that a
    /// limit must not count groups that will be withheld.
    pub(crate) fn relation(&mut self, node: &Node, last: bool) -> Result<Relation, Unconfinable> {
        match node {
            Node::Scan(scan) => self.scan(scan),
            Node::Values { types, rows } => {
                let width = position(types.len())?;
                // Several rows, joined, are a choice among rows.
                let label = match rows.len() {
                    0 | 1 => Label::constant(),
                    _ => Label::computed([]),
                };
                let shown = |at| Column {
                    at: Some(at),
                    label: label.clone(),
                };
                let mut relation =
                    Relation::bare(node.clone(), (0..width).map(shown).collect(), width);
                if rows.len() <= 1 {
                    relation.keys = vec![BTreeSet::new()];
                }
                Ok(relation)
            }
            Node::Project { input, exprs } => self.project(input, exprs, last),
            Node::Filter { input, predicate } => {
                let relation = self.relation(input, last)?;
                let (predicate, _) = self.open(predicate, &relation.columns)?;
                Ok(relation.wrap(|input| Node::Filter { input, predicate }))
            }
            Node::Join { .. } => self.join(node),
            Node::Aggregate {
                input,
                keys,
                aggregates,
            } => self.aggregate(input, (keys, aggregates)),
            Node::Window { input, calls } => self.window(input, calls),
            Node::Sort { input, keys, fetch } => self.sort(input, keys, *fetch, last),
            Node::Limit { input, skip, fetch } => {
                let relation = self.relation(input, last)?;
                let relation = self.to_be_cut(relation, last)?;
                Ok(relation.wrap(|input| Node::Limit {
                    input,
                    skip: *skip,
                    fetch: *fetch,
                }))
            }
            Node::Distinct { input } => self.distinct(input),
            Node::Union { inputs } => self.union(inputs),
            Node::Withhold { .. } => Err(Cause::IllTyped.into()),
        }
    }

    fn project(
        &mut self,
        input: &Node,
        exprs: &[Expr],
        last: bool,
    ) -> Result<Relation, Unconfinable> {
        let mut relation = self.relation(input, last)?;
        let mut confined = Vec::with_capacity(exprs.len());
        let mut columns = Vec::with_capacity(exprs.len());
        let mut moved: Vec<Option<usize>> = Vec::with_capacity(exprs.len());
        for expr in exprs {
            if let Expr::Column(ordinal) = expr {
                moved.push(usize::try_from(*ordinal).ok());
                let column = crate::expression::column(&relation.columns, *ordinal)?;
                if column.at.is_none() {
                    columns.push(column.clone());
                    continue;
                }
            } else {
                moved.push(None);
            }
            let (expr, label) = self.expression(expr, &relation.columns)?;
            columns.push(Column {
                at: Some(position(confined.len())?),
                label,
            });
            confined.push(expr);
        }
        relation.carry_into(&mut confined)?;
        relation.keys = kept_keys(&relation.keys, &moved);
        relation.columns = columns;
        relation.width = position(confined.len())?;
        Ok(relation.wrap(|input| Node::Project {
            input,
            exprs: confined,
        }))
    }

    fn sort(
        &mut self,
        input: &Node,
        keys: &[SortKey],
        fetch: Option<u64>,
        last: bool,
    ) -> Result<Relation, Unconfinable> {
        let relation = self.relation(input, last)?;
        let keys = self.sort_keys(keys, &relation.columns)?;
        let relation = match fetch {
            Some(_) => self.to_be_cut(relation, last)?,
            None => relation,
        };
        Ok(relation.wrap(|input| Node::Sort { input, keys, fetch }))
    }

    /// A relation of which only some rows are to be taken, those of one place in an order.
    ///
    /// INVARIANT (a value is of who is counted for it): what one row says decides which others are taken, where
    /// nobody counts whose it is. Rows that may not show are not cut; of groups those that owe are withheld
    /// first. Where the rows are the result, that they show is asked there.
    fn to_be_cut(&self, relation: Relation, last: bool) -> Result<Relation, Unconfinable> {
        let relation = relation.withhold();
        if !last && !self.hidden_rows(&relation)?.is_empty() {
            return Err(Cause::LimitOverRows.into());
        }
        Ok(relation)
    }

    fn sort_keys(
        &mut self,
        keys: &[SortKey],
        columns: &[Column],
    ) -> Result<Vec<SortKey>, Unconfinable> {
        let confined = keys.iter().map(|key| {
            let (expr, _) = self.key(&key.expr, columns)?;
            Ok(SortKey {
                expr,
                ..key.clone()
            })
        });
        confined.collect()
    }

    /// Refuses where rows of protected data stand one by one and may not show.
    pub(crate) fn rows_may_show(&self, relation: &Relation) -> Result<(), Unconfinable> {
        match self.hidden_rows(relation)?.first() {
            Some(scan) => Err(self.scope.rows_refusal(*scan)?.into()),
            None => Ok(()),
        }
    }

    /// The scans of protected data whose rows stand one by one and may not show.
    pub(crate) fn hidden_rows(&self, relation: &Relation) -> Result<Vec<ScanId>, Unconfinable> {
        let mut hidden = Vec::new();
        for scan in relation.subjects.keys() {
            if self.scope.owes(*scan)? {
                hidden.push(*scan);
            }
        }
        Ok(hidden)
    }

    /// The scans of which rows that agree in a column are of one subject.
    pub(crate) fn one_subject_each(&self, relation: &Relation, column: &Label) -> BTreeSet<ScanId> {
        let base = column.base.as_ref().filter(|_| self.is_subject(column));
        let scan = base.map(|base| base.scan);
        let scan = scan.filter(|scan| relation.subjects.contains_key(scan));
        scan.map(|scan| tied_to(relation, scan)).unwrap_or_default()
    }

    /// A refusal about the item a column is, if it is one.
    pub(crate) fn about(&self, cause: Cause, label: &Label) -> Unconfinable {
        let source = label.sources.iter().next();
        let item = source.map(|s| (s.dataset.clone(), s.item.clone(), s.grade));
        Unconfinable { cause, item }
    }
}

/// The keys that survive a projection: sets of columns that all still stand somewhere bare.
fn kept_keys(keys: &[BTreeSet<usize>], moved: &[Option<usize>]) -> Vec<BTreeSet<usize>> {
    let place = |old: &usize| moved.iter().position(|from| from.as_ref() == Some(old));
    keys.iter()
        .filter_map(|key| key.iter().map(place).collect())
        .collect()
}

/// Whether a label is a join-only token.
pub(crate) const fn is_join_only(label: &Label) -> bool {
    matches!(
        label.class,
        Class::Token {
            join_only: true,
            ..
        }
    )
}
