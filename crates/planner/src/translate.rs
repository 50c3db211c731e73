//! The resolved plan in our language: names become ordinals, casts become explicit, types are ours.

mod relation; // nodes
mod correlated; // scalar subqueries that look at the outer row
mod aggregate; // aggregates and windows
mod expression; // expressions
mod call; // scalar functions
mod literal; // values
mod agree; // casts that make types agree

use crate::{Limits, Unplannable};
use datafusion::{
    common::{Column, DFSchema},
    logical_expr::{LogicalPlan, Subquery},
};
use plan::{Bounds, Expr, Field, Node, Plan, RowPolicy};
use std::{cell::Cell, collections::BTreeMap};
use wire::job::PlanJob;

type Translated<T> = Result<T, Unplannable>;

/// What a translation needs beside the plan.
pub(crate) struct Translator<'a> {
    job: &'a PlanJob,
    items: Items,
}

/// Nodes and expressions that may still be made. What is written once and stands twice is paid for
/// twice, before it is copied: an operand that is copied at each of many depths has no end else.
pub(crate) struct Items(Cell<usize>);

impl Items {
    /// Pays for one item.
    fn one(&self) -> Translated<()> {
        self.pay(1)
    }

    fn pay(&self, items: usize) -> Translated<()> {
        let left = self.0.get().checked_sub(items);
        self.0.set(left.ok_or(TOO_LARGE)?);
        Ok(())
    }

    /// A copy of an expression, paid for.
    fn copied(&self, expr: &Expr) -> Translated<Expr> {
        let mut open = vec![expr];
        while let Some(expr) = open.pop() {
            self.one()?;
            if let Expr::Scalar(node) = expr {
                self.pay_node(node)?;
            }
            open.extend(expr.children());
        }
        Ok(expr.clone())
    }

    /// A copy of a node and all below it, paid for.
    fn copied_node(&self, node: &Node) -> Translated<Node> {
        self.pay_node(node)?;
        Ok(node.clone())
    }

    fn pay_node(&self, node: &Node) -> Translated<()> {
        let mut nodes = vec![node];
        while let Some(node) = nodes.pop() {
            self.one()?;
            let mut exprs: Vec<&Expr> = node.exprs().collect();
            while let Some(expr) = exprs.pop() {
                self.one()?;
                if let Expr::Scalar(inside) = expr {
                    nodes.push(inside);
                }
                exprs.extend(expr.children());
            }
            nodes.extend(node.inputs());
        }
        Ok(())
    }
}

const TOO_LARGE: Unplannable = Unplannable::Unsupported("a statement of this size");

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
pub(crate) fn translate(root: &LogicalPlan, job: &PlanJob, limits: &Limits) -> Translated<Plan> {
    let items = Items(Cell::new(limits.items_max));
    let translator = Translator { job, items };
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
    Plan::decode(&plan.encode(), plan::Accept::Draft, &bounds).map_err(|_| TOO_LARGE)
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
