//! The resolved plan in our language: names become ordinals, casts become explicit, types are ours.

mod relation; // nodes
mod correlated; // scalar subqueries that look at the outer row
mod aggregate; // aggregates and windows
mod expression; // expressions
mod call; // scalar functions
mod literal; // values
mod agree; // casts that make types agree

use crate::Unplannable;
use datafusion::{
    common::{Column, DFSchema},
    logical_expr::{LogicalPlan, Subquery},
};
use plan::{Bounds, Expr, Field, Node, Plan, RowPolicy};
use std::collections::BTreeMap;
use wire::job::PlanJob;

type Translated<T> = Result<T, Unplannable>;

/// What a translation needs beside the plan.
pub(crate) struct Translator<'a> {
    job: &'a PlanJob,
}

/// The columns an expression may read.
pub(crate) struct Inputs<'a> {
    schemas: Vec<&'a DFSchema>,
    fields: Vec<Field>,
    /// What stands for a correlated subquery that was joined to the input.
    subqueries: Vec<(Subquery, Expr)>,
}

impl Inputs<'_> {
    /// The ordinal of a column, in the first input that has it.
    fn ordinal(&self, column: &Column) -> Translated<u32> {
        let mut offset = 0;
        for schema in &self.schemas {
            if let Some(at) = schema.maybe_index_of_column(column) {
                return u32::try_from(offset + at).map_err(|_| Unplannable::IllTyped);
            }
            offset += schema.fields().len();
        }
        Err(Unplannable::UnknownName(String::new()))
    }
}

/// Translates a whole statement.
pub(crate) fn translate(root: &LogicalPlan, job: &PlanJob) -> Translated<Plan> {
    let translator = Translator { job };
    let node = translator.node(root)?;
    let names = root
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let plan = Plan {
        root: node,
        names,
        checks: Vec::new(),
    };
    plan.parameters()
        .map_err(|_| Unplannable::ParameterUntyped)?;
    let bounds = Bounds::default();
    Plan::decode(&plan.encode(), plan::Accept::Draft, &bounds)
        .map_err(|_| Unplannable::Unsupported("a statement of this size"))
}

/// The predicate of `SELECT * FROM t WHERE p`, over the items it reads.
pub(crate) fn row_policy(plan: &Plan) -> Translated<RowPolicy> {
    let unsupported = || Unplannable::Unsupported("row policy");
    let mut node = &plan.root;
    while let Node::Project { input, .. } = node {
        node = input;
    }
    let Node::Filter { input, predicate } = node else {
        return Err(unsupported());
    };
    let Node::Scan(scan) = &**input else {
        return Err(unsupported());
    };
    let mut open = vec![predicate];
    while let Some(expr) = open.pop() {
        if matches!(expr, Expr::Scalar(_) | Expr::Parameter(..)) {
            return Err(unsupported());
        }
        open.extend(expr.children());
    }
    let mut places: BTreeMap<u32, u32> = BTreeMap::new();
    let mut items = Vec::new();
    for ordinal in predicate.columns() {
        if places.contains_key(&ordinal) {
            continue;
        }
        let column = usize::try_from(ordinal)
            .ok()
            .and_then(|at| scan.columns.get(at));
        let column = column.ok_or_else(unsupported)?;
        places.insert(
            ordinal,
            u32::try_from(items.len()).map_err(|_| unsupported())?,
        );
        items.push((column.item.clone(), column.data_type));
    }
    let mut predicate = predicate.clone();
    predicate.shift_columns(&mut |ordinal| places.get(&ordinal).copied().unwrap_or(u32::MAX));
    Ok(RowPolicy { items, predicate })
}
