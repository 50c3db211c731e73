//! The result: what is left out and told, what is owed, what egress checks.

use crate::{
    Cause, Unconfinable,
    confined::OutputColumn,
    label::{Class, Label},
    relation::Relation,
    rewrite::{Rewrite, is_join_only},
};
use plan::{Expr, Node, Plan};
use terms::LeftOut;

/// A confined plan before its unread columns are pruned, and what is known of its result.
#[derive(Debug)]
pub(crate) struct Rooted {
    pub plan: Plan,
    pub columns: Vec<OutputColumn>,
    pub left_out: Vec<LeftOut>,
    /// Whether rows of protected data stand one by one in the result.
    pub row_level: bool,
    /// What is known of each column.
    pub labels: Vec<Label>,
}

impl Rewrite<'_> {
    /// Finishes a statement: rows may show or are refused; groups that fall short are dropped; what is
    /// suppressed is left out and told; witnesses stand behind the result for egress to verify.
    pub(crate) fn root(&mut self, draft: &Plan) -> Result<Rooted, Unconfinable> {
        let relation = self.relation(&draft.root, true)?;
        self.rows_may_show(&relation)?;
        let row_level = !relation.subjects.is_empty();
        let relation = relation.withhold();
        let fields = relation.node.fields().map_err(|_| Cause::IllTyped)?;
        let mut exprs = Vec::new();
        let mut names = Vec::new();
        let mut columns = Vec::new();
        let mut left_out = Vec::new();
        let mut labels = Vec::new();
        if relation.columns.len() != draft.names.len() {
            return Err(Cause::IllTyped.into());
        }
        for (column, name) in relation.columns.iter().zip(&draft.names) {
            if matches!(column.label.class, Class::Held { .. }) {
                return Err(self.about(Cause::HeldValue, &column.label));
            }
            let shown = column.at.filter(|_| !is_join_only(&column.label));
            let Some(at) = shown else {
                left_out.extend(column.label.sources.iter().map(|source| LeftOut {
                    dataset: source.dataset.clone(),
                    item: source.item.clone(),
                }));
                continue;
            };
            let field = usize::try_from(at).ok().and_then(|at| fields.get(at));
            let data_type = field.ok_or(Cause::IllTyped)?.data_type;
            if !data_type.is_plain() {
                return Err(Cause::IllTyped.into());
            }
            columns.push(OutputColumn {
                name: name.clone(),
                data_type,
                sources: Vec::new(),
            });
            names.push(name.clone());
            labels.push(column.label.clone());
            exprs.push(Expr::Column(at));
        }
        if exprs.is_empty() {
            return Err(nothing_shown(&relation));
        }
        let checks = relation
            .witnesses
            .iter()
            .map(|witness| witness.check)
            .collect();
        exprs.extend(
            relation
                .witnesses
                .iter()
                .map(|witness| Expr::Column(witness.at)),
        );
        let root = Node::Project {
            input: Box::new(relation.node),
            exprs,
        };
        Ok(Rooted {
            plan: Plan {
                root,
                names,
                checks,
            },
            columns,
            left_out,
            row_level,
            labels,
        })
    }
}

fn nothing_shown(relation: &Relation) -> Unconfinable {
    let source = relation
        .columns
        .iter()
        .flat_map(|column| &column.label.sources)
        .next();
    let item = source.map(|s| (s.dataset.clone(), s.item.clone(), s.grade));
    Unconfinable {
        cause: Cause::NothingShown,
        item,
    }
}
