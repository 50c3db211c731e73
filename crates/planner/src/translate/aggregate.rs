use super::{Inputs, Translated, Translator, agree};
use crate::Unplannable;
use datafusion::{
    common::ScalarValue,
    logical_expr::{
        self as engine, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
        expr::{
            AggregateFunction as EngineAggregate, Expr as EngineExpr, GroupingSet,
            WindowFunction as EngineWindow,
        },
    },
};
use plan::{
    AggregateCall, AggregateFunction, Expr, Frame, FrameBound, Literal, Node, WindowCall,
    WindowFunction,
};
use terms::Type;

/// Groupings of one ROLLUP, CUBE or GROUPING SETS: each reads the input again.
const GROUPINGS_MAX: usize = 32;

impl Translator<'_> {
    pub(super) fn aggregate(&self, aggregate: &engine::Aggregate) -> Translated<Node> {
        if let [EngineExpr::GroupingSet(set)] = aggregate.group_expr.as_slice() {
            return self.groupings(aggregate, set);
        }
        let (input, inputs) = self.input(&aggregate.input)?;
        let keys = aggregate
            .group_expr
            .iter()
            .map(|key| self.expr(key, &inputs));
        let keys = keys.collect::<Translated<_>>()?;
        let mut aggregates = Vec::with_capacity(aggregate.aggr_expr.len());
        for expr in &aggregate.aggr_expr {
            aggregates.push(self.aggregate_expr(expr, &inputs)?);
        }
        Ok(Node::Aggregate {
            input: Box::new(input),
            keys,
            aggregates,
        })
    }

    /// Several groupings of one input, one after another; keys that a grouping lacks are null in it.
    fn groupings(&self, aggregate: &engine::Aggregate, set: &GroupingSet) -> Translated<Node> {
        let (input, inputs) = self.input(&aggregate.input)?;
        let all = set.distinct_expr();
        let mut aggregates = Vec::with_capacity(aggregate.aggr_expr.len());
        for expr in &aggregate.aggr_expr {
            aggregates.push(self.aggregate_expr(expr, &inputs)?);
        }
        let mut united = Vec::new();
        for (number, grouping) in (0i64..).zip(groupings(set)?) {
            let keys = grouping.iter().map(|key| self.expr(key, &inputs));
            let keys = keys.collect::<Translated<Vec<_>>>()?;
            let column = |at: usize| u32::try_from(at).map(Expr::Column);
            let mut exprs = Vec::with_capacity(all.len() + 1 + aggregates.len());
            for key in &all {
                exprs.push(match grouping.iter().position(|own| own == key) {
                    Some(at) => column(at).map_err(|_| Unplannable::IllTyped)?,
                    None => {
                        let absent = self.expr(key, &inputs)?;
                        Expr::Literal(Literal::Null(agree::data_type(&absent, &inputs)?))
                    }
                });
            }
            // The engine numbers its groupings in a column, which only GROUPING() reads.
            exprs.push(Expr::Literal(Literal::Int(number)));
            for at in 0..aggregates.len() {
                exprs.push(column(keys.len() + at).map_err(|_| Unplannable::IllTyped)?);
            }
            let grouped = Node::Aggregate {
                input: Box::new(input.clone()),
                keys,
                aggregates: aggregates.clone(),
            };
            united.push(Node::Project {
                input: Box::new(grouped),
                exprs,
            });
        }
        Ok(Node::Union { inputs: united })
    }

    pub(super) fn aggregate_expr(
        &self,
        expr: &EngineExpr,
        inputs: &Inputs<'_>,
    ) -> Translated<AggregateCall> {
        match unaliased(expr) {
            EngineExpr::AggregateFunction(call) => self.aggregate_call(call, inputs),
            _ => Err(Unplannable::Unsupported("this aggregate")),
        }
    }

    fn aggregate_call(
        &self,
        call: &EngineAggregate,
        inputs: &Inputs<'_>,
    ) -> Translated<AggregateCall> {
        let params = &call.params;
        let function = aggregate_function(call.func.name())?;
        let within = match (function, params.order_by.as_slice()) {
            // WITHIN GROUP: what is ordered is the first argument too.
            (AggregateFunction::Percentile, [order]) => order.asc,
            (_, orders) => orders.is_empty(),
        };
        if !within || params.null_treatment.is_some() {
            return Err(Unplannable::Unsupported("an aggregate with an order"));
        }
        let arguments = self.arguments(function, &params.args, params.distinct, inputs)?;
        let filter = params
            .filter
            .as_ref()
            .map(|filter| self.expr(filter, inputs))
            .transpose()?;
        let distinct = params.distinct && !extreme(function);
        if distinct && arguments.len() != 1 {
            return Err(Unplannable::Unsupported("COUNT(DISTINCT a, b)"));
        }
        Ok(AggregateCall {
            function,
            arguments,
            distinct,
            filter,
        })
    }

    /// The arguments of an aggregate: `count(1)` counts rows, means and deviations are over floats.
    fn arguments(
        &self,
        function: AggregateFunction,
        arguments: &[EngineExpr],
        distinct: bool,
        inputs: &Inputs<'_>,
    ) -> Translated<Vec<Expr>> {
        let mut exprs = Vec::with_capacity(arguments.len());
        for argument in arguments {
            exprs.push(self.expr(argument, inputs)?);
        }
        if function == AggregateFunction::Count {
            let counts_rows =
                matches!(exprs.as_slice(), [Expr::Literal(literal)] if !literal.is_null());
            return Ok(if counts_rows && !distinct {
                Vec::new()
            } else {
                exprs
            });
        }
        let mut cast = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let from = agree::data_type(&expr, inputs)?;
            let decimal = matches!(from, Type::Decimal { .. });
            let to = match function {
                AggregateFunction::Avg if decimal => from,
                AggregateFunction::Avg
                | AggregateFunction::StddevSample
                | AggregateFunction::StddevPopulation
                | AggregateFunction::VarianceSample
                | AggregateFunction::VariancePopulation
                | AggregateFunction::Median
                | AggregateFunction::Percentile => Type::Float,
                AggregateFunction::Count
                | AggregateFunction::Sum
                | AggregateFunction::Min
                | AggregateFunction::Max
                | AggregateFunction::Witness
                | AggregateFunction::WitnessUnion
                | AggregateFunction::SafeQuantile
                | AggregateFunction::SafeMin
                | AggregateFunction::SafeMax
                | AggregateFunction::SharedMin
                | AggregateFunction::SharedMax => from,
            };
            if to != from && !from.is_number() {
                return Err(Unplannable::IllTyped);
            }
            cast.push(agree::cast(expr, from, to));
        }
        Ok(cast)
    }

    pub(super) fn window(&self, window: &engine::Window) -> Translated<Node> {
        let (input, inputs) = self.input(&window.input)?;
        let mut calls = Vec::with_capacity(window.window_expr.len());
        for expr in &window.window_expr {
            let EngineExpr::WindowFunction(call) = unaliased(expr) else {
                return Err(Unplannable::Unsupported("this window"));
            };
            calls.push(self.window_call(call, &inputs)?);
        }
        Ok(Node::Window {
            input: Box::new(input),
            calls,
        })
    }

    fn window_call(&self, call: &EngineWindow, inputs: &Inputs<'_>) -> Translated<WindowCall> {
        let params = &call.params;
        if params.filter.is_some() || params.distinct || params.null_treatment.is_some() {
            return Err(Unplannable::Unsupported(
                "FILTER, DISTINCT or IGNORE NULLS in a window",
            ));
        }
        let function = match &call.fun {
            WindowFunctionDefinition::AggregateUDF(udf) => {
                WindowFunction::Aggregate(aggregate_function(udf.name())?)
            }
            WindowFunctionDefinition::WindowUDF(udf) => match udf.name() {
                "row_number" => WindowFunction::RowNumber,
                "rank" => WindowFunction::Rank,
                "dense_rank" => WindowFunction::DenseRank,
                "lag" => WindowFunction::Lag,
                "lead" => WindowFunction::Lead,
                "first_value" => WindowFunction::FirstValue,
                "last_value" => WindowFunction::LastValue,
                _ => return Err(Unplannable::UnknownFunction),
            },
        };
        let arguments = match function {
            WindowFunction::Aggregate(function) => {
                self.arguments(function, &params.args, false, inputs)?
            }
            WindowFunction::RowNumber
            | WindowFunction::Rank
            | WindowFunction::DenseRank
            | WindowFunction::Lag
            | WindowFunction::Lead
            | WindowFunction::FirstValue
            | WindowFunction::LastValue => {
                let exprs = params
                    .args
                    .iter()
                    .map(|argument| self.expr(argument, inputs));
                exprs.collect::<Translated<_>>()?
            }
        };
        let partition = params.partition_by.iter().map(|key| self.expr(key, inputs));
        let partition = partition.collect::<Translated<_>>()?;
        let order = self.sort_keys(&params.order_by, inputs)?;
        Ok(WindowCall {
            function,
            arguments,
            partition,
            order,
            frame: frame(&params.window_frame)?,
        })
    }
}

fn unaliased(expr: &EngineExpr) -> &EngineExpr {
    match expr {
        EngineExpr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}

/// The keys of each grouping of a set.
fn groupings(set: &GroupingSet) -> Translated<Vec<Vec<&EngineExpr>>> {
    let few = |count: usize| {
        let many = Unplannable::Unsupported("so many groupings");
        if count <= GROUPINGS_MAX {
            Ok(())
        } else {
            Err(many)
        }
    };
    Ok(match set {
        GroupingSet::Rollup(keys) => {
            few(keys.len() + 1)?;
            let longest_first = (0..=keys.len()).rev();
            longest_first
                .map(|length| keys.iter().take(length).collect())
                .collect()
        }
        GroupingSet::Cube(keys) => {
            let count = u32::try_from(keys.len())
                .ok()
                .and_then(|n| 1usize.checked_shl(n));
            let count = count.unwrap_or(usize::MAX);
            few(count)?;
            let chosen = |which: usize| {
                let own = keys
                    .iter()
                    .enumerate()
                    .filter(move |(at, _)| which >> at & 1 == 0);
                own.map(|(_, key)| key).collect()
            };
            (0..count).map(chosen).collect()
        }
        GroupingSet::GroupingSets(sets) => {
            few(sets.len())?;
            sets.iter().map(|keys| keys.iter().collect()).collect()
        }
    })
}

const fn extreme(function: AggregateFunction) -> bool {
    matches!(function, AggregateFunction::Min | AggregateFunction::Max)
}

fn aggregate_function(name: &str) -> Translated<AggregateFunction> {
    Ok(match name {
        "count" => AggregateFunction::Count,
        "sum" => AggregateFunction::Sum,
        "avg" => AggregateFunction::Avg,
        "stddev" => AggregateFunction::StddevSample,
        "stddev_pop" => AggregateFunction::StddevPopulation,
        "var" | "var_samp" | "var_sample" => AggregateFunction::VarianceSample,
        "var_pop" => AggregateFunction::VariancePopulation,
        "min" => AggregateFunction::Min,
        "max" => AggregateFunction::Max,
        "median" => AggregateFunction::Median,
        "percentile_cont" => AggregateFunction::Percentile,
        _ => return Err(Unplannable::UnknownFunction),
    })
}

fn frame(frame: &WindowFrame) -> Translated<Frame> {
    let rows = match frame.units {
        WindowFrameUnits::Rows => true,
        WindowFrameUnits::Range => false,
        WindowFrameUnits::Groups => {
            return Err(Unplannable::Unsupported("GROUPS in a window frame"));
        }
    };
    let start = bound(&frame.start_bound)?;
    let end = bound(&frame.end_bound)?;
    Ok(Frame { rows, start, end })
}

fn bound(bound: &WindowFrameBound) -> Translated<FrameBound> {
    let refused = || Unplannable::Unsupported("this window frame");
    let rows = |value: &ScalarValue| match super::literal::literal(value)? {
        Literal::Int(rows) => u64::try_from(rows).map_err(|_| refused()),
        _ => Err(refused()),
    };
    Ok(match bound {
        WindowFrameBound::Preceding(value) if value.is_null() => FrameBound::UnboundedPreceding,
        WindowFrameBound::Following(value) if value.is_null() => FrameBound::UnboundedFollowing,
        WindowFrameBound::CurrentRow => FrameBound::CurrentRow,
        WindowFrameBound::Preceding(value) => FrameBound::Preceding(rows(value)?),
        WindowFrameBound::Following(value) => FrameBound::Following(rows(value)?),
    })
}
