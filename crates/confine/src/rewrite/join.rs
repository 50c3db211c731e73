use super::Rewrite;
use crate::{
    Cause, Unconfinable,
    expression::column,
    label::{Class, Label, Shape},
    relation::{Column, Relation},
    scope::ScanId,
};
use plan::{Expr, Function, JoinKind, Node};
use std::collections::BTreeSet;

/// A join's conditions, confined.
struct Conditions {
    on: Vec<(Expr, Expr)>,
    filter: Option<Expr>,
    /// Bare draft columns that must be equal: left, right.
    equal: Vec<(usize, usize)>,
}

impl Rewrite<'_> {
    /// Both sides' witnesses travel on. A row of one side stays single where the other side has at
    /// most one match for it. Source: design, "Thresholds".
    pub(super) fn join(&mut self, node: &Node) -> Result<Relation, Unconfinable> {
        let Node::Join {
            kind,
            left,
            right,
            on,
            filter,
            null_equal,
        } = node
        else {
            return Err(Cause::IllTyped.into());
        };
        let mut left = self.relation(left, false)?;
        let mut right = self.relation(right, false)?;
        let keeps_left = !matches!(kind, JoinKind::Inner | JoinKind::Right | JoinKind::Semi);
        let keeps_right = matches!(kind, JoinKind::Right | JoinKind::Full);
        let leaves_out =
            |others: &Relation, own: &Relation| others.external && !own.subjects.is_empty();
        if keeps_left && leaves_out(&right, &left) || keeps_right && leaves_out(&left, &right) {
            return Err(Cause::ExternalExclusion.into());
        }
        self.nobody_is_filled_in(*kind, &left, &right)?;
        let looked_up = |own: &Relation, key: fn(&(Expr, Expr)) -> &Expr| {
            let by_items = filter.is_none() && on.iter().all(|pair| is_item(own, key(pair)));
            Ok::<_, Unconfinable>(!by_items && !self.hidden_rows(own)?.is_empty())
        };
        let by_right = looked_up(&left, |(ours, _)| ours)?;
        let by_left = looked_up(&right, |(_, theirs)| theirs)?;
        if by_right {
            weigh_nothing(&mut right);
        }
        if by_left {
            weigh_nothing(&mut left);
        }
        if matches!(kind, JoinKind::Left | JoinKind::Full) {
            right = right.settle_missing()?;
        }
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            left = left.settle_missing()?;
        }
        match kind {
            JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full => {
                let conditions = self.conditions(on, filter.as_ref(), &left, &right)?;
                if matches!(kind, JoinKind::Inner) {
                    left.tied
                        .extend(self.tied(&left, &right, &conditions.equal));
                }
                let (ours, theirs) = (left.witnesses.len(), right.witnesses.len());
                let missing = match kind {
                    JoinKind::Left => ours..ours + theirs,
                    JoinKind::Right => 0..ours,
                    JoinKind::Full => 0..ours + theirs,
                    JoinKind::Inner | JoinKind::Semi | JoinKind::Anti | JoinKind::Mark => 0..0,
                };
                let joined = both_sides(*kind, left, right, conditions, *null_equal);
                Ok(joined.excuse_missing(missing))
            }
            JoinKind::Semi | JoinKind::Anti | JoinKind::Mark => {
                let (right, on) = self.deciding_side(&left, right, on, filter.is_some())?;
                let conditions = self.conditions(&on, filter.as_ref(), &left, &right)?;
                Ok(one_side(*kind, left, right, conditions, *null_equal))
            }
        }
    }

    /// Rows of nobody that stay where nobody of a hidden side meets them would go with the first who does,
    /// and owe nothing.
    fn nobody_is_filled_in(
        &self,
        kind: JoinKind,
        left: &Relation,
        right: &Relation,
    ) -> Result<(), Unconfinable> {
        let tells = |kept: &Relation, other: &Relation| {
            Ok::<_, Unconfinable>(kept.subjects.is_empty() && !self.hidden_rows(other)?.is_empty())
        };
        let wrong = match kind {
            JoinKind::Left => tells(left, right)?,
            JoinKind::Right => tells(right, left)?,
            JoinKind::Full => tells(left, right)? || tells(right, left)?,
            JoinKind::Inner | JoinKind::Semi | JoinKind::Anti | JoinKind::Mark => false,
        };
        match wrong {
            true => Err(Cause::FilledIn.into()),
            false => Ok(()),
        }
    }

    fn conditions(
        &mut self,
        on: &[(Expr, Expr)],
        filter: Option<&Expr>,
        left: &Relation,
        right: &Relation,
    ) -> Result<Conditions, Unconfinable> {
        let mut pairs = Vec::with_capacity(on.len());
        let equal = bare_pairs(on);
        for (ours, theirs) in on {
            let (ours, left_label) = self.expression(ours, &left.columns)?;
            let (theirs, right_label) = self.expression(theirs, &right.columns)?;
            self.tokens_may_meet(Function::Equal, &[left_label, right_label])?;
            pairs.push((ours, theirs));
        }
        let filter = match filter {
            None => None,
            Some(filter) => {
                let mut columns = left.columns.clone();
                columns.extend(right.columns.iter().map(|column| Column {
                    at: column.at.map(|at| at + left.width),
                    label: column.label.clone(),
                }));
                Some(self.open(filter, &columns)?.0)
            }
        };
        Ok(Conditions {
            on: pairs,
            filter,
            equal,
        })
    }

    /// A side that only decides which outer rows stay counts through the outer row where it is tied to
    /// it by the subject's token; where its rows may show it owes nothing; else it owes k for each
    /// group of rows that decide alike, which are the rows equal in the join's columns.
    fn deciding_side(
        &mut self,
        left: &Relation,
        right: Relation,
        on: &[(Expr, Expr)],
        filtered: bool,
    ) -> Result<(Relation, Vec<(Expr, Expr)>), Unconfinable> {
        let right = right.withhold();
        let ties: Vec<ScanId> = self
            .tied(left, &right, &bare_pairs(on))
            .into_iter()
            .map(|(_, theirs)| theirs)
            .collect();
        let hidden = self.hidden_rows(&right)?;
        if hidden.iter().all(|scan| ties.contains(scan)) {
            return Ok((right, on.to_vec()));
        }
        if filtered {
            return Err(Cause::UntiedSide.into());
        }
        let keys: Vec<Expr> = on.iter().map(|(_, theirs)| theirs.clone()).collect();
        let right = self.grouped_by(right, &keys)?.withhold();
        if !self.hidden_rows(&right)?.is_empty() {
            return Err(Cause::UntiedSide.into());
        }
        let on = on.iter().zip(0..);
        Ok((
            right,
            on.map(|((ours, _), at)| (ours.clone(), Expr::Column(at)))
                .collect(),
        ))
    }

    /// The scans whose subjects a join's equal columns make equal: left, right.
    fn tied(
        &self,
        left: &Relation,
        right: &Relation,
        equal: &[(usize, usize)],
    ) -> Vec<(ScanId, ScanId)> {
        let subject = |side: &Relation, at: usize| {
            let label = side.columns.get(at).map(|column| &column.label)?;
            let base = label.base.as_ref().filter(|_| self.is_subject(label))?;
            Some(base.scan)
        };
        let pair = |(ours, theirs): &(usize, usize)| {
            Some((subject(left, *ours)?, subject(right, *theirs)?))
        };
        equal.iter().filter_map(pair).collect()
    }

    /// Whether a column is the bare token of its protected dataset's subject.
    pub(crate) fn is_subject(&self, label: &Label) -> bool {
        let Some(base) = label.base.as_ref() else {
            return false;
        };
        let dataset = self.scope.of_scan(base.scan);
        matches!(
            label.class,
            Class::Token {
                join_only: false,
                ..
            }
        ) && dataset.is_ok_and(|d| d.protected && d.subject.as_ref() == Some(&base.item))
    }
}

/// Whether a key is an item as it stands, and not what a condition chose.
fn is_item(relation: &Relation, key: &Expr) -> bool {
    let Expr::Column(ordinal) = key else {
        return false;
    };
    column(&relation.columns, *ordinal).is_ok_and(|column| column.label.base.is_some())
}

/// Rows of nobody that a condition, and not an item, chooses for each row of somebody: what they say is
/// what the condition says.
fn weigh_nothing(relation: &mut Relation) {
    if !relation.subjects.is_empty() {
        return;
    }
    let labels = relation.columns.iter_mut().map(|column| &mut column.label);
    for label in labels.filter(|label| label.shape != Shape::Constant) {
        label.shape = Shape::Free;
        label.base = None;
    }
}

/// The pairs of bare columns among a join's pairs.
fn bare_pairs(on: &[(Expr, Expr)]) -> Vec<(usize, usize)> {
    let bare = |(ours, theirs): &(Expr, Expr)| match (ours, theirs) {
        (Expr::Column(ours), Expr::Column(theirs)) => {
            Some((usize::try_from(*ours).ok()?, usize::try_from(*theirs).ok()?))
        }
        _ => None,
    };
    on.iter().filter_map(bare).collect()
}

/// Left then right columns.
fn both_sides(
    kind: JoinKind,
    mut left: Relation,
    mut right: Relation,
    conditions: Conditions,
    null_equal: bool,
) -> Relation {
    let pinned_left: BTreeSet<usize> = conditions.equal.iter().map(|(ours, _)| *ours).collect();
    let pinned_right: BTreeSet<usize> =
        conditions.equal.iter().map(|(_, theirs)| *theirs).collect();
    let one_right = right.keys.iter().any(|key| key.is_subset(&pinned_right)) && !null_equal;
    let one_left = left.keys.iter().any(|key| key.is_subset(&pinned_left)) && !null_equal;
    right.shift(left.width);
    let offset = left.columns.len();
    let ours = one_right && left.single;
    let theirs = one_left && right.single;
    left.single = match kind {
        JoinKind::Left => ours || theirs && left.single,
        JoinKind::Right => theirs || ours && right.single,
        JoinKind::Full => left.single && right.single && (ours || theirs),
        JoinKind::Inner | JoinKind::Semi | JoinKind::Anti | JoinKind::Mark => ours || theirs,
    };
    let mut once = BTreeSet::new();
    let mut keys = Vec::new();
    if one_right {
        once.append(&mut left.once);
        if matches!(kind, JoinKind::Inner | JoinKind::Left) {
            keys.append(&mut left.keys);
        }
    }
    if one_left {
        once.append(&mut right.once);
        if matches!(kind, JoinKind::Inner | JoinKind::Right) {
            let moved = |key: &BTreeSet<usize>| key.iter().map(|at| at + offset).collect();
            keys.extend(right.keys.iter().map(moved));
        }
    }
    left.columns.append(&mut right.columns);
    left.raws.append(&mut right.raws);
    left.subjects.append(&mut right.subjects);
    left.rows.append(&mut right.rows);
    left.witnesses.append(&mut right.witnesses);
    left.contributions.append(&mut right.contributions);
    left.tied.append(&mut right.tied);
    left.external |= right.external;
    left.width += right.width;
    left.once = once;
    left.keys = keys;
    let right = Box::new(right.node);
    let Conditions { on, filter, .. } = conditions;
    left.wrap(|left| Node::Join {
        kind,
        left,
        right,
        on,
        filter,
        null_equal,
    })
}

/// The left columns alone, and for a mark whether there is a match.
fn one_side(
    kind: JoinKind,
    mut left: Relation,
    right: Relation,
    conditions: Conditions,
    null_equal: bool,
) -> Relation {
    left.external |= right.external;
    if matches!(kind, JoinKind::Mark) {
        let mut sides = Vec::new();
        for (ours, theirs) in &conditions.equal {
            sides.extend(column_label(&left, *ours));
            sides.extend(column_label(&right, *theirs));
        }
        let label = Label::computed(&sides);
        left.columns.push(Column {
            at: Some(left.width),
            label,
        });
        left.width += 1;
    }
    let right = Box::new(right.node);
    let Conditions { on, filter, .. } = conditions;
    left.wrap(|left| Node::Join {
        kind,
        left,
        right,
        on,
        filter,
        null_equal,
    })
}

fn column_label(relation: &Relation, at: usize) -> Option<Label> {
    let ordinal = u32::try_from(at).ok()?;
    column(&relation.columns, ordinal)
        .ok()
        .map(|column| column.label.clone())
}
