//! Scalar subqueries that look at the outer row, where no rule of the front end joins them: the outer
//! columns they look at, each once, are joined with the subquery's rows and grouped; the groups are joined
//! back to the outer rows. A count of no rows is 0.

use super::{Inputs, Translated, Translator};
use crate::Unplannable;
use datafusion::{
    common::{
        Column, DFSchema,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{self as engine, LogicalPlan, expr::Expr as EngineExpr},
};
use plan::{AggregateFunction, Expr, Function, JoinKind, Literal, Node};

/// A subquery's parts: one value over one group of filtered rows.
struct Parts<'p> {
    value: &'p EngineExpr,
    aggregate: &'p engine::Aggregate,
    predicates: Vec<&'p EngineExpr>,
    rows: &'p LogicalPlan,
}

fn refused() -> Unplannable {
    Unplannable::Unsupported("this correlated subquery")
}

impl Translator<'_> {
    /// An input for expressions that may hold correlated subqueries: each is joined to it, and what
    /// stands for it is noted. The input's own columns keep their places.
    pub(super) fn input_with_subqueries<'p>(
        &self,
        input: &'p LogicalPlan,
        exprs: &[&EngineExpr],
    ) -> Translated<(Node, Inputs<'p>)> {
        let (mut node, mut inputs) = self.input(input)?;
        let mut found: Vec<engine::Subquery> = Vec::new();
        for expr in exprs {
            let walked = expr.apply(|inside| {
                if let EngineExpr::ScalarSubquery(subquery) = inside
                    && !subquery.outer_ref_columns.is_empty()
                    && !found.contains(subquery)
                {
                    found.push(subquery.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            });
            walked.map_err(|_| refused())?;
        }
        if found.is_empty() {
            return Ok((node, inputs));
        }
        let outer = self.items.copied_node(&node)?;
        for subquery in found {
            let width = node.fields().map_err(|_| Unplannable::IllTyped)?.len();
            let (joined, value) = self.joined((node, &outer), width, &inputs, &subquery)?;
            node = joined;
            inputs.subqueries.push((subquery, value));
        }
        inputs.fields = node.fields().map_err(|_| Unplannable::IllTyped)?;
        Ok((node, inputs))
    }

    /// The node with a subquery's groups joined to it, and the subquery's value over the result.
    fn joined(
        &self,
        (node, outer): (Node, &Node),
        width: usize,
        inputs: &Inputs<'_>,
        subquery: &engine::Subquery,
    ) -> Translated<(Node, Expr)> {
        let parts = parts(&subquery.subquery).ok_or_else(refused)?;
        let (columns, ordinals) = looked_at(subquery, inputs)?;
        let seen = Node::Distinct {
            input: Box::new(Node::Project {
                input: Box::new(self.items.copied_node(outer)?),
                exprs: ordinals.iter().map(|at| Expr::Column(*at)).collect(),
            }),
        };
        let (rows, theirs) = self.input(parts.rows)?;
        let ours = columns_schema(&columns, inputs)?;
        if columns.iter().any(|column| theirs.ordinal(column).is_ok()) {
            return Err(refused());
        }
        let seen_fields = seen.fields().map_err(|_| Unplannable::IllTyped)?;
        let keys: Vec<Expr> = (0u32..)
            .zip(&columns)
            .map(|(at, _)| Expr::Column(at))
            .collect();
        let both = Inputs {
            schemas: [vec![&ours], theirs.schemas].concat(),
            fields: [seen_fields, theirs.fields].concat(),
            subqueries: vec![],
        };
        let mut filter: Option<Expr> = None;
        for predicate in &parts.predicates {
            let predicate = self.expr(&inward(predicate)?, &both)?;
            filter = Some(match filter {
                None => predicate,
                Some(filter) => Expr::call(Function::And, [filter, predicate]),
            });
        }
        let mut calls = Vec::with_capacity(parts.aggregate.aggr_expr.len());
        for expr in &parts.aggregate.aggr_expr {
            calls.push(self.aggregate_expr(&inward(expr)?, &both)?);
        }
        let counts: Vec<bool> = calls
            .iter()
            .map(|call| call.function == AggregateFunction::Count)
            .collect();
        let groups = Node::Aggregate {
            input: Box::new(Node::Join {
                kind: JoinKind::Inner,
                left: Box::new(seen),
                right: Box::new(rows),
                on: vec![],
                filter,
                null_equal: false,
            }),
            keys: keys.clone(),
            aggregates: calls,
        };
        let joined = Node::Join {
            kind: JoinKind::Left,
            left: Box::new(node),
            right: Box::new(groups),
            on: ordinals
                .iter()
                .map(|at| Expr::Column(*at))
                .zip(keys)
                .collect(),
            filter: None,
            null_equal: true,
        };
        let value = self.value(&parts, (width + columns.len(), &counts), &joined)?;
        Ok((joined, value))
    }

    /// The subquery's value over the joined columns: its aggregates begin at a place; a missing group
    /// counts 0.
    fn value(
        &self,
        parts: &Parts<'_>,
        (place, counts): (usize, &[bool]),
        joined: &Node,
    ) -> Translated<Expr> {
        let schema = &parts.aggregate.schema;
        let all = joined.fields().map_err(|_| Unplannable::IllTyped)?;
        let over = Inputs {
            schemas: vec![schema.as_ref()],
            fields: all.get(place..).map(<[_]>::to_vec).unwrap_or_default(),
            subqueries: vec![],
        };
        let value = self.expr(parts.value, &over)?;
        let place = u32::try_from(place).map_err(|_| refused())?;
        Ok(placed(value, place, counts))
    }
}

/// Each aggregate's column at its place, counts never missing.
fn placed(expr: Expr, place: u32, counts: &[bool]) -> Expr {
    if let Expr::Column(at) = expr {
        let column = Expr::Column(at + place);
        let counted = usize::try_from(at).ok().and_then(|at| counts.get(at));
        return if counted == Some(&true) {
            Expr::call(Function::Coalesce, [column, Expr::Literal(Literal::Int(0))])
        } else {
            column
        };
    }
    let mut expr = expr;
    for inside in expr.children_mut() {
        *inside = placed(inside.clone(), place, counts);
    }
    expr
}

/// The outer columns a subquery looks at, each once, and where they stand.
fn looked_at(
    subquery: &engine::Subquery,
    inputs: &Inputs<'_>,
) -> Translated<(Vec<Column>, Vec<u32>)> {
    let (mut columns, mut ordinals) = (Vec::new(), Vec::new());
    for expr in &subquery.outer_ref_columns {
        let EngineExpr::OuterReferenceColumn(_, column) = expr else {
            return Err(refused());
        };
        if !columns.contains(column) {
            ordinals.push(inputs.ordinal(column).map_err(|_| refused())?);
            columns.push(column.clone());
        }
    }
    Ok((columns, ordinals))
}

/// A schema of just these columns of the inputs.
fn columns_schema(columns: &[Column], inputs: &Inputs<'_>) -> Translated<DFSchema> {
    let mut fields = Vec::with_capacity(columns.len());
    for column in columns {
        let found = inputs.schemas.iter().find_map(|schema| {
            let at = schema.maybe_index_of_column(column)?;
            let (qualifier, field) = schema.qualified_field(at);
            Some((qualifier.cloned(), field.clone()))
        });
        fields.push(found.ok_or_else(refused)?);
    }
    DFSchema::new_with_metadata(fields, std::collections::HashMap::new()).map_err(|_| refused())
}

/// The same expression with outer columns as columns.
fn inward(expr: &EngineExpr) -> Translated<EngineExpr> {
    let changed = expr.clone().transform(|inside| {
        Ok(match inside {
            EngineExpr::OuterReferenceColumn(_, column) => {
                Transformed::yes(EngineExpr::Column(column))
            }
            other => Transformed::no(other),
        })
    });
    changed.map(|changed| changed.data).map_err(|_| refused())
}

fn parts(plan: &LogicalPlan) -> Option<Parts<'_>> {
    let LogicalPlan::Projection(projection) = aliased(plan) else {
        return None;
    };
    let [value] = projection.expr.as_slice() else {
        return None;
    };
    let LogicalPlan::Aggregate(aggregate) = aliased(&projection.input) else {
        return None;
    };
    if !aggregate.group_expr.is_empty() {
        return None;
    }
    let mut predicates = Vec::new();
    let mut rows = aliased(&aggregate.input);
    while let LogicalPlan::Filter(filter) = rows {
        predicates.push(&filter.predicate);
        rows = &filter.input;
    }
    let whole = !rows.contains_outer_reference() && !predicates.is_empty();
    whole.then_some(Parts {
        value,
        aggregate,
        predicates,
        rows,
    })
}

/// The plan under names that nothing above it uses.
fn aliased(plan: &LogicalPlan) -> &LogicalPlan {
    match plan {
        LogicalPlan::Subquery(subquery) => aliased(&subquery.subquery),
        other => other,
    }
}
