use super::{
    aggregate::{aggregate, literals, sort_keys, widened, window},
    expression::{Scope, fits, identity, named, translate},
};
use crate::{
    Failed, Front,
    mask::Tokens,
    open_view::OpenView,
    scan::MaskedView,
    sealed_file::SealedFile,
    verdict::carried_out,
    withhold::{reported, withhold},
};
use arrow::{
    array::RecordBatch,
    datatypes::{DataType, SchemaRef},
};
use datafusion::{
    catalog::streaming::StreamingTable,
    common::{DFSchema, JoinType, NullEquality, ScalarValue},
    datasource::{MemTable, TableProvider, provider_as_source},
    execution::session_state::SessionState,
    logical_expr::{
        EmptyRelation, Expr as E, Join, JoinConstraint, LogicalPlan, LogicalPlanBuilder, cast,
    },
    physical_plan,
};
use futures::{FutureExt, future::BoxFuture};
use plan::{Expr, JoinKind, Node, Report, Scan};
use std::{collections::HashMap, sync::Arc};
use terms::Type;
use wire::job::{Cells, RunFrame, Source};

/// Sets in one frame.
const CELLS_PER_FRAME: usize = 256;

/// The translation of one plan.
pub(crate) struct Translation<'a> {
    pub state: &'a SessionState,
    pub sources: &'a [(Source, SealedFile)],
    pub tokens: Tokens,
    /// How many bytes of its rows each scan may hold at a time.
    pub held_bytes_max: usize,
    pub withheld: u64,
    /// Whom to ask what may become of cells, by who is in them.
    pub front: &'a mut dyn Front,
    /// How many nodes have been named.
    pub nodes: usize,
}

/// A translated node and the names of its columns.
pub(crate) struct Relation {
    pub plan: LogicalPlan,
    pub names: Vec<String>,
}

impl Translation<'_> {
    /// Translates a node and checks that the engine's schema is the plan's.
    pub(crate) fn relation<'t>(
        &'t mut self,
        node: &'t Node,
    ) -> BoxFuture<'t, Result<Relation, Failed>> {
        async move {
            let relation = self.node(node).await?;
            let wanted = node.fields().map_err(|_| Failed::Job)?;
            let schema = relation.plan.schema();
            let fields = schema.fields();
            // INVARIANT (the plan's types are the engine's): asserted before anything is read.
            let agrees = fields.len() == wanted.len()
                && fields
                    .iter()
                    .zip(&wanted)
                    .all(|(f, w)| fits(f.data_type(), w.data_type));
            if agrees {
                Ok(relation)
            } else {
                Err(Failed::Schema)
            }
        }
        .boxed()
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    async fn node(&mut self, node: &Node) -> Result<Relation, Failed> {
        match node {
            Node::Scan(scan) => self.scan(scan),
            Node::Values { types, rows } => self.values(types, rows),
            Node::Project { input, exprs } => {
                let input = self.relation(input).await?;
                let scalars = self.scalars(exprs.iter()).await?;
                let scope = Scope {
                    names: &input.names,
                    scalars: &scalars,
                };
                let exprs = exprs.iter().map(|expr| translate(expr, &scope));
                let exprs = exprs.collect::<Result<Vec<_>, _>>()?;
                self.project(input.plan, exprs)
            }
            Node::Filter { input, predicate } => {
                let input = self.relation(input).await?;
                let scalars = self.scalars(std::iter::once(predicate)).await?;
                let predicate = translate(
                    predicate,
                    &Scope {
                        names: &input.names,
                        scalars: &scalars,
                    },
                )?;
                let plan = LogicalPlanBuilder::from(input.plan)
                    .filter(predicate)?
                    .build()?;
                Ok(Relation {
                    plan,
                    names: input.names,
                })
            }
            Node::Join { .. } => self.join(node).await,
            Node::Aggregate {
                input,
                keys,
                aggregates,
            } => {
                let input = self.relation(input).await?;
                let scalars = self.scalars(node.exprs()).await?;
                let scope = Scope {
                    names: &input.names,
                    scalars: &scalars,
                };
                let keys = keys.iter().map(|key| translate(key, &scope));
                let calls = aggregates.iter().map(|call| aggregate(call, &scope));
                // Equal keys or calls are one column in the engine; an alias keeps each apart.
                let keys = aliased(keys.collect::<Result<Vec<_>, _>>()?, "k");
                let calls = aliased(calls.collect::<Result<Vec<_>, _>>()?, "a");
                let plan = LogicalPlanBuilder::from(input.plan)
                    .aggregate(keys, calls)?
                    .build()?;
                self.renamed(plan)
            }
            Node::Window { input, calls } => self.window(input, calls).await,
            Node::Sort { input, keys, fetch } => {
                let input = self.relation(input).await?;
                let scalars = self.scalars(node.exprs()).await?;
                let keys = sort_keys(
                    keys,
                    &Scope {
                        names: &input.names,
                        scalars: &scalars,
                    },
                )?;
                let fetch = fetch
                    .map(usize::try_from)
                    .transpose()
                    .map_err(|_| Failed::Job)?;
                let plan = LogicalPlanBuilder::from(input.plan)
                    .sort_with_limit(keys, fetch)?
                    .build()?;
                Ok(Relation {
                    plan,
                    names: input.names,
                })
            }
            Node::Limit { input, skip, fetch } => {
                let input = self.relation(input).await?;
                let skip = usize::try_from(*skip).map_err(|_| Failed::Job)?;
                let fetch = fetch
                    .map(usize::try_from)
                    .transpose()
                    .map_err(|_| Failed::Job)?;
                let plan = LogicalPlanBuilder::from(input.plan)
                    .limit(skip, fetch)?
                    .build()?;
                Ok(Relation {
                    plan,
                    names: input.names,
                })
            }
            Node::Distinct { input } => {
                let input = self.relation(input).await?;
                let plan = LogicalPlanBuilder::from(input.plan).distinct()?.build()?;
                Ok(Relation {
                    plan,
                    names: input.names,
                })
            }
            Node::Union { inputs } => self.union(inputs).await,
            Node::Withhold {
                input,
                cells,
                reports,
            } => {
                let input = self.relation(input).await?;
                let (schema, batches) = self.finished(input.plan).await?;
                let kept = withhold(batches, cells, &mut self.withheld)?;
                let kept = self.judged(kept, reports)?;
                let table = MemTable::try_new(schema, vec![kept])?;
                let source = provider_as_source(Arc::new(table));
                let name = self.next();
                let plan = LogicalPlanBuilder::scan(name, source, None)?.build()?;
                self.renamed(plan)
            }
        }
    }

    /// Asks the front what may become of rows, by who is in their cells, and does it.
    fn judged(
        &mut self,
        rows: Vec<RecordBatch>,
        reports: &[Report],
    ) -> Result<Vec<RecordBatch>, Failed> {
        let count: usize = rows.iter().map(RecordBatch::num_rows).sum();
        if reports.is_empty() || count == 0 {
            return Ok(rows);
        }
        for cells in reported(&rows, reports)? {
            for sets in cells.sets.chunks(CELLS_PER_FRAME) {
                self.front.tell(RunFrame::Cells(Cells {
                    number: cells.number,
                    sets: sets.to_vec(),
                }))?;
            }
        }
        self.front.tell(RunFrame::Asked(count as u64))?;
        let verdict = self.front.verdict()?;
        let (kept, withheld) = carried_out(rows, reports, &verdict)?;
        self.withheld += withheld;
        Ok(kept)
    }

    /// Runs a plan to its end.
    async fn finished(&self, plan: LogicalPlan) -> Result<(SchemaRef, Vec<RecordBatch>), Failed> {
        let physical = self.state.create_physical_plan(&plan).await?;
        let schema = physical.schema();
        let batches = physical_plan::collect(physical, self.state.task_ctx()).await?;
        Ok((schema, batches))
    }

    /// Finishes the subqueries inside expressions: each gives one value, or null where it has no row.
    async fn scalars<'e>(
        &mut self,
        exprs: impl Iterator<Item = &'e Expr>,
    ) -> Result<HashMap<usize, ScalarValue>, Failed> {
        let mut found = HashMap::new();
        let mut open: Vec<&Expr> = exprs.collect();
        while let Some(expr) = open.pop() {
            if let Expr::Scalar(inside) = expr {
                let relation = self.relation(inside).await?;
                let (schema, batches) = self.finished(relation.plan).await?;
                let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
                let value = match (rows, batches.iter().find(|batch| batch.num_rows() > 0)) {
                    (1, Some(batch)) => {
                        let column = batch.columns().first().ok_or(Failed::Job)?;
                        ScalarValue::try_from_array(column, 0)?
                    }
                    (0, _) => {
                        let field = schema.fields().first().ok_or(Failed::Job)?;
                        ScalarValue::try_from(field.data_type())?
                    }
                    _ => return Err(Failed::Scalar),
                };
                found.insert(identity(expr), value);
            }
            open.extend(expr.children());
        }
        Ok(found)
    }

    fn next(&mut self) -> String {
        self.nodes += 1;
        format!("n{}", self.nodes)
    }

    /// A projection under fresh names.
    fn project(&mut self, input: LogicalPlan, exprs: Vec<E>) -> Result<Relation, Failed> {
        let node = self.next();
        let names: Vec<String> = (0..exprs.len()).map(|at| format!("{node}_{at}")).collect();
        let exprs = exprs
            .into_iter()
            .zip(&names)
            .map(|(expr, name)| expr.alias(name));
        let plan = LogicalPlanBuilder::from(input)
            .project(exprs.collect::<Vec<_>>())?
            .build()?;
        Ok(Relation { plan, names })
    }

    /// The same columns under fresh names.
    fn renamed(&mut self, input: LogicalPlan) -> Result<Relation, Failed> {
        let columns = input
            .schema()
            .columns()
            .into_iter()
            .map(E::Column)
            .collect();
        self.project(input, columns)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Relation, Failed> {
        let source = self
            .sources
            .iter()
            .find(|(source, _)| source.dataset == scan.dataset);
        let source = source.ok_or(Failed::Data)?;
        let node = self.next();
        let names: Vec<String> = (0..scan.columns.len())
            .map(|at| format!("{node}_{at}"))
            .collect();
        let masks = (&self.tokens, self.held_bytes_max);
        let view = MaskedView::new(scan, source, masks, (&names, self.state))?;
        let table: Arc<dyn TableProvider> = if view.is_open()? {
            Arc::new(OpenView::new(view)?)
        } else {
            let shape = view.shape();
            Arc::new(StreamingTable::try_new(shape, vec![Arc::new(view)])?)
        };
        let source = provider_as_source(table);
        let plan = LogicalPlanBuilder::scan(node, source, None)?.build()?;
        self.renamed(plan)
    }

    fn values(&mut self, types: &[Type], rows: &[Vec<plan::Literal>]) -> Result<Relation, Failed> {
        if types.is_empty() || rows.is_empty() {
            let produce_one_row = rows.len() == 1;
            let nothing = EmptyRelation {
                produce_one_row,
                schema: Arc::new(DFSchema::empty()),
            };
            if rows.len() > 1 || !types.is_empty() {
                return Err(Failed::Job);
            }
            return Ok(Relation {
                plan: LogicalPlan::EmptyRelation(nothing),
                names: vec![],
            });
        }
        let rows = rows
            .iter()
            .map(|row| literals(row))
            .collect::<Result<Vec<_>, _>>()?;
        let plan = LogicalPlanBuilder::values(rows)?.build()?;
        let columns = plan
            .schema()
            .columns()
            .into_iter()
            .zip(types)
            .map(|(column, data_type)| {
                cast(E::Column(column), crate::arrow_type::arrow_type(*data_type))
            });
        let columns = columns.collect();
        self.project(plan, columns)
    }

    async fn join(&mut self, node: &Node) -> Result<Relation, Failed> {
        let Node::Join {
            kind,
            left,
            right,
            on,
            filter,
            null_equal,
        } = node
        else {
            return Err(Failed::Job);
        };
        let left = self.relation(left).await?;
        let right = self.relation(right).await?;
        let scalars = self.scalars(node.exprs()).await?;
        let ours = Scope {
            names: &left.names,
            scalars: &scalars,
        };
        let theirs = Scope {
            names: &right.names,
            scalars: &scalars,
        };
        let mut pairs = Vec::with_capacity(on.len());
        for (left, right) in on {
            pairs.push((translate(left, &ours)?, translate(right, &theirs)?));
        }
        let both = [left.names.clone(), right.names.clone()].concat();
        let scope = Scope {
            names: &both,
            scalars: &scalars,
        };
        let filter = filter
            .as_ref()
            .map(|filter| translate(filter, &scope))
            .transpose()?;
        let kind = join_type(*kind);
        let nulls = if *null_equal {
            NullEquality::NullEqualsNull
        } else {
            NullEquality::NullEqualsNothing
        };
        // Columns keep their names, which are their own: so the engine sees joins of joins as one, and
        // finds for each the condition that stands above all of them.
        let names = match kind {
            JoinType::LeftSemi | JoinType::LeftAnti => Some(left.names),
            JoinType::LeftMark => None,
            _ => Some(both),
        };
        let (left, right) = (Arc::new(left.plan), Arc::new(right.plan));
        let on_constraint = JoinConstraint::On;
        let join = Join::try_new(
            left,
            right,
            pairs,
            filter,
            kind,
            on_constraint,
            nulls,
            false,
        )?;
        let plan = LogicalPlan::Join(join);
        match names {
            Some(names) => Ok(Relation { plan, names }),
            None => self.renamed(plan),
        }
    }

    async fn window(
        &mut self,
        input: &Node,
        calls: &[plan::WindowCall],
    ) -> Result<Relation, Failed> {
        let input = self.relation(input).await?;
        let scalars = HashMap::new();
        let scope = Scope {
            names: &input.names,
            scalars: &scalars,
        };
        let (mut exprs, mut narrow) = (Vec::new(), vec![false; input.names.len()]);
        for (at, call) in calls.iter().enumerate() {
            let (expr, is_narrow) = window(call, &scope)?;
            exprs.push(expr.alias(format!("w{at}")));
            narrow.push(is_narrow);
        }
        // Window nodes of one input take expressions of one order; the engine sorts them apart.
        let mut plan = input.plan;
        let mut columns: Vec<E> = input.names.iter().map(|name| named(name)).collect();
        for (at, expr) in exprs.into_iter().enumerate() {
            plan = LogicalPlanBuilder::from(plan).window(vec![expr])?.build()?;
            columns.push(named(&format!("w{at}")));
        }
        let columns = columns
            .into_iter()
            .zip(narrow)
            .map(|(expr, narrow)| widened(expr, narrow));
        let columns = columns.collect();
        self.project(plan, columns)
    }

    async fn union(&mut self, inputs: &[Node]) -> Result<Relation, Failed> {
        let mut united: Option<LogicalPlanBuilder> = None;
        for input in inputs {
            let input = self.relation(input).await?;
            // Inputs of a union have equal names, so that it adds no casts or renames of its own.
            let columns = input.names.iter().enumerate();
            let columns: Vec<E> = columns
                .map(|(at, name)| named(name).alias(format!("u{at}")))
                .collect();
            let plan = LogicalPlanBuilder::from(input.plan)
                .project(columns)?
                .build()?;
            united = Some(match united {
                None => LogicalPlanBuilder::from(plan),
                Some(united) => united.union(plan)?,
            });
        }
        let plan = united.ok_or(Failed::Job)?.build()?;
        self.renamed(plan)
    }
}

const fn join_type(kind: JoinKind) -> JoinType {
    match kind {
        JoinKind::Inner => JoinType::Inner,
        JoinKind::Left => JoinType::Left,
        JoinKind::Right => JoinType::Right,
        JoinKind::Full => JoinType::Full,
        JoinKind::Semi => JoinType::LeftSemi,
        JoinKind::Anti => JoinType::LeftAnti,
        JoinKind::Mark => JoinType::LeftMark,
    }
}

fn aliased(exprs: Vec<E>, prefix: &str) -> Vec<E> {
    exprs
        .into_iter()
        .enumerate()
        .map(|(at, expr)| expr.alias(format!("{prefix}{at}")))
        .collect()
}

/// Whether an engine type is a witness.
pub(crate) const fn is_witness(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Struct(_))
}
