use super::{Inputs, Translated, Translator, agree};
use crate::Unplannable;
use datafusion::{
    common::{JoinType, NullEquality},
    logical_expr::{self as engine, LogicalPlan, expr::Expr as EngineExpr},
};
use plan::{Expr, Field, Function, JoinKind, Literal, Node, Scan, ScanColumn, SortKey, View};
use terms::Type;

impl Translator<'_> {
    /// Translates a node and all below it.
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    pub(super) fn node(&self, root: &LogicalPlan) -> Translated<Node> {
        self.items.one()?;
        match root {
            LogicalPlan::Projection(projection) => {
                let exprs: Vec<&EngineExpr> = projection.expr.iter().collect();
                let (input, inputs) = self.input_with_subqueries(&projection.input, &exprs)?;
                let exprs = projection.expr.iter().map(|expr| self.expr(expr, &inputs));
                let exprs = exprs.collect::<Translated<_>>()?;
                Ok(Node::Project {
                    input: Box::new(input),
                    exprs,
                })
            }
            LogicalPlan::Filter(filter) => {
                let exprs = [&filter.predicate];
                let (input, inputs) = self.input_with_subqueries(&filter.input, &exprs)?;
                let predicate = self.expr(&filter.predicate, &inputs)?;
                let input = Box::new(input);
                let filtered = Node::Filter { input, predicate };
                if inputs.subqueries.is_empty() {
                    return Ok(filtered);
                }
                let width = u32::try_from(filter.input.schema().fields().len());
                let width = width.map_err(|_| Unplannable::IllTyped)?;
                Ok(Node::Project {
                    input: Box::new(filtered),
                    exprs: (0..width).map(Expr::Column).collect(),
                })
            }
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Sort(sort) => {
                let (input, inputs) = self.input(&sort.input)?;
                let keys = self.sort_keys(&sort.expr, &inputs)?;
                let fetch = sort.fetch.map(|fetch| fetch as u64);
                Ok(Node::Sort {
                    input: Box::new(input),
                    keys,
                    fetch,
                })
            }
            LogicalPlan::Limit(limit) => {
                let (input, _) = self.input(&limit.input)?;
                let skip = count(limit.skip.as_deref())?.unwrap_or(0);
                let fetch = count(limit.fetch.as_deref())?;
                Ok(Node::Limit {
                    input: Box::new(input),
                    skip,
                    fetch,
                })
            }
            LogicalPlan::Distinct(engine::Distinct::All(input)) => Ok(Node::Distinct {
                input: Box::new(self.node(input)?),
            }),
            LogicalPlan::Distinct(engine::Distinct::On(_)) => {
                Err(Unplannable::Unsupported("DISTINCT ON"))
            }
            LogicalPlan::Union(union) => self.union(&union.inputs),
            LogicalPlan::SubqueryAlias(alias) => self.node(&alias.input),
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::EmptyRelation(empty) => {
                let rows = if empty.produce_one_row {
                    vec![vec![]]
                } else {
                    vec![]
                };
                if empty.schema.fields().is_empty() {
                    Ok(Node::Values {
                        types: vec![],
                        rows,
                    })
                } else {
                    Err(Unplannable::Unsupported("an empty relation with columns"))
                }
            }
            LogicalPlan::Values(values) => self.values(values),
            LogicalPlan::Subquery(_) => Err(Unplannable::Unsupported("a correlated subquery")),
            LogicalPlan::RecursiveQuery(_) => Err(Unplannable::Unsupported("a recursive query")),
            LogicalPlan::Unnest(_) => Err(Unplannable::Unsupported("UNNEST")),
            LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_) => {
                Err(Unplannable::Unsupported("EXPLAIN or DESCRIBE"))
            }
            LogicalPlan::Repartition(_)
            | LogicalPlan::Statement(_)
            | LogicalPlan::Extension(_)
            | LogicalPlan::Dml(_)
            | LogicalPlan::Ddl(_)
            | LogicalPlan::Copy(_) => Err(Unplannable::Unsupported("statement")),
        }
    }

    /// An input and the columns expressions over it may read.
    pub(super) fn input<'p>(&self, plan: &'p LogicalPlan) -> Translated<(Node, Inputs<'p>)> {
        let node = self.node(plan)?;
        let fields = node.fields().map_err(|_| Unplannable::IllTyped)?;
        Ok((
            node,
            Inputs {
                schemas: vec![plan.schema().as_ref()],
                fields,
                subqueries: vec![],
            },
        ))
    }

    fn scan(&self, scan: &engine::TableScan) -> Translated<Node> {
        if !scan.filters.is_empty() || scan.fetch.is_some() {
            return Err(Unplannable::Unsupported("statement"));
        }
        let schema = scan.table_name.schema().unwrap_or(&self.job.default_schema);
        let name = format!("{schema}.{}", scan.table_name.table());
        let table = self
            .job
            .tables
            .iter()
            .find(|table| table.dataset.as_str() == name);
        let table = table.ok_or_else(|| Unplannable::UnknownName(String::new()))?;
        let columns = scan.projected_schema.fields().iter().map(|field| {
            let found = table
                .columns
                .iter()
                .find(|(item, _)| item.as_str() == field.name());
            let (item, data_type) = found.ok_or_else(|| Unplannable::UnknownName(String::new()))?;
            Ok(ScanColumn {
                item: item.clone(),
                data_type: *data_type,
                view: View::Catalogue,
            })
        });
        let columns = columns.collect::<Translated<_>>()?;
        Ok(Node::Scan(Scan {
            dataset: table.dataset.clone(),
            columns,
            rows: None,
        }))
    }

    fn join(&self, join: &engine::Join) -> Translated<Node> {
        let kind = match join.join_type {
            JoinType::Inner => JoinKind::Inner,
            JoinType::Left => JoinKind::Left,
            JoinType::Right => JoinKind::Right,
            JoinType::Full => JoinKind::Full,
            JoinType::LeftSemi => JoinKind::Semi,
            JoinType::LeftAnti => JoinKind::Anti,
            JoinType::LeftMark => JoinKind::Mark,
            JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
                return Err(Unplannable::Unsupported("this kind of join"));
            }
        };
        let (left, ours) = self.input(&join.left)?;
        let (right, theirs) = self.input(&join.right)?;
        let mut on = Vec::with_capacity(join.on.len());
        for (left, right) in &join.on {
            let (left, right) = (self.expr(left, &ours)?, self.expr(right, &theirs)?);
            let left_type = agree::data_type(&left, &ours)?;
            let right_type = agree::data_type(&right, &theirs)?;
            let common = agree::common(left_type, right_type)?;
            on.push((
                agree::cast(left, left_type, common),
                agree::cast(right, right_type, common),
            ));
        }
        let both = Inputs {
            schemas: [ours.schemas, theirs.schemas].concat(),
            fields: [ours.fields, theirs.fields].concat(),
            subqueries: vec![],
        };
        let filter = join
            .filter
            .as_ref()
            .map(|filter| self.expr(filter, &both))
            .transpose()?;
        let (on, filter) = if join.null_aware {
            let width = u32::try_from(left.fields().map_err(|_| Unplannable::IllTyped)?.len());
            let width = width.map_err(|_| Unplannable::IllTyped)?;
            let mut on = on;
            for (_, theirs) in &mut on {
                theirs.shift_columns(&mut |at| at + width);
            }
            (Vec::new(), Some(not_in(on, filter)?))
        } else {
            (on, filter)
        };
        let null_equal = join.null_equality == NullEquality::NullEqualsNull;
        Ok(Node::Join {
            kind,
            left: Box::new(left),
            right: Box::new(right),
            on,
            filter,
            null_equal,
        })
    }

    /// Inputs whose types differ get a projection that casts.
    fn union(&self, inputs: &[std::sync::Arc<LogicalPlan>]) -> Translated<Node> {
        let mut nodes: Vec<(Node, Vec<Field>)> = Vec::with_capacity(inputs.len());
        for input in inputs {
            let (node, inputs) = self.input(input)?;
            nodes.push((node, inputs.fields));
        }
        let (_, first) = nodes.first().ok_or(Unplannable::IllTyped)?;
        let mut wanted: Vec<Type> = first.iter().map(|field| field.data_type).collect();
        for (_, fields) in &nodes {
            if fields.len() != wanted.len() {
                return Err(Unplannable::IllTyped);
            }
            for (wanted, field) in wanted.iter_mut().zip(fields) {
                *wanted = agree::common(*wanted, field.data_type)?;
            }
        }
        let cast = |(node, fields): (Node, Vec<Field>)| {
            if fields
                .iter()
                .zip(&wanted)
                .all(|(field, wanted)| field.data_type == *wanted)
            {
                return node;
            }
            let exprs = (0u32..)
                .zip(fields.iter().zip(&wanted))
                .map(|(at, (field, wanted))| {
                    agree::cast(Expr::Column(at), field.data_type, *wanted)
                });
            Node::Project {
                input: Box::new(node),
                exprs: exprs.collect(),
            }
        };
        Ok(Node::Union {
            inputs: nodes.into_iter().map(cast).collect(),
        })
    }

    fn values(&self, values: &engine::Values) -> Translated<Node> {
        let none = Inputs {
            schemas: vec![],
            fields: vec![],
            subqueries: vec![],
        };
        let mut types: Vec<Option<Type>> = vec![None; values.schema.fields().len()];
        let mut rows: Vec<Vec<Literal>> = Vec::with_capacity(values.values.len());
        for row in &values.values {
            let mut literals = Vec::with_capacity(row.len());
            for (value, data_type) in row.iter().zip(&mut types) {
                let Expr::Literal(literal) = self.expr(value, &none)? else {
                    return Err(Unplannable::Unsupported("VALUES that are not literals"));
                };
                if !literal.is_null() || data_type.is_none() {
                    *data_type = Some(literal.data_type());
                }
                literals.push(literal);
            }
            rows.push(literals);
        }
        let types: Vec<Type> = types.into_iter().map(|t| t.unwrap_or(Type::Text)).collect();
        for row in &mut rows {
            for (value, data_type) in row.iter_mut().zip(&types) {
                if value.is_null() {
                    *value = Literal::Null(*data_type);
                }
            }
        }
        Ok(Node::Values { types, rows })
    }

    /// Sort keys with the place of nulls said.
    pub(super) fn sort_keys(
        &self,
        keys: &[engine::SortExpr],
        inputs: &Inputs<'_>,
    ) -> Translated<Vec<SortKey>> {
        let keys = keys.iter().map(|key| {
            let expr = self.expr(&key.expr, inputs)?;
            Ok(SortKey {
                expr,
                descending: !key.asc,
                nulls_first: key.nulls_first,
            })
        });
        keys.collect()
    }
}

/// When a row is no answer to NOT IN: it equals a row of the list, or either of the two is unknown.
/// The pair's right sides are shifted behind the left columns already.
fn not_in(on: Vec<(Expr, Expr)>, filter: Option<Expr>) -> Translated<Expr> {
    let [(ours, theirs)] = <[(Expr, Expr); 1]>::try_from(on)
        .map_err(|_| Unplannable::Unsupported("NOT IN over several columns"))?;
    let unknown = |expr: &Expr| Expr::call(Function::IsNull, [expr.clone()]);
    let either = Expr::call(Function::Or, [unknown(&ours), unknown(&theirs)]);
    let equal = Expr::call(Function::Equal, [ours, theirs]);
    let meets = Expr::call(Function::Or, [equal, either]);
    Ok(match filter {
        None => meets,
        Some(filter) => Expr::call(Function::And, [filter, meets]),
    })
}

/// A literal number of rows.
fn count(expr: Option<&EngineExpr>) -> Translated<Option<u64>> {
    use datafusion::common::ScalarValue;
    let refused = || Unplannable::Unsupported("a limit that is not a literal number");
    match expr {
        None => Ok(None),
        Some(EngineExpr::Literal(ScalarValue::Int64(Some(rows)), _)) => {
            u64::try_from(*rows).map(Some).map_err(|_| refused())
        }
        Some(EngineExpr::Literal(ScalarValue::UInt64(Some(rows)), _)) => Ok(Some(*rows)),
        Some(EngineExpr::Literal(value, _)) if value.is_null() => Ok(None),
        Some(EngineExpr::Cast(cast)) => count(Some(&cast.expr)),
        Some(_) => Err(refused()),
    }
}
