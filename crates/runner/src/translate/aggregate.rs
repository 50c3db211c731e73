use super::expression::{Scope, scalar, translate};
use crate::{
    Failed,
    safe::{Statistic, safe},
    shared::{End, shared},
    witness::{Of, witness},
};
use datafusion::{
    arrow::datatypes::DataType,
    common::ScalarValue,
    functions_aggregate::{
        average, count, median, min_max, percentile_cont, stddev, sum, variance,
    },
    functions_window::{lead_lag, nth_value, rank, row_number},
    logical_expr::{
        AggregateUDF, Expr as E, ExprFunctionExt, SortExpr, WindowFrame, WindowFrameBound,
        WindowFrameUnits, WindowFunctionDefinition, cast,
        expr::{AggregateFunction as EngineAggregate, WindowFunction as EngineWindow},
        lit,
    },
};
use plan::{
    AggregateCall, AggregateFunction, Expr, FrameBound, Literal, SortKey, WindowCall,
    WindowFunction,
};
use std::sync::Arc;

fn udaf(function: AggregateFunction) -> Arc<AggregateUDF> {
    match function {
        AggregateFunction::Count => count::count_udaf(),
        AggregateFunction::Sum => sum::sum_udaf(),
        AggregateFunction::Avg => average::avg_udaf(),
        AggregateFunction::StddevSample => stddev::stddev_udaf(),
        AggregateFunction::StddevPopulation => stddev::stddev_pop_udaf(),
        AggregateFunction::VarianceSample => variance::var_samp_udaf(),
        AggregateFunction::VariancePopulation => variance::var_pop_udaf(),
        AggregateFunction::Min => min_max::min_udaf(),
        AggregateFunction::Max => min_max::max_udaf(),
        AggregateFunction::Median => median::median_udaf(),
        AggregateFunction::Percentile => percentile_cont::percentile_cont_udaf(),
        AggregateFunction::Witness => Arc::new(witness(Of::Rows)),
        AggregateFunction::WitnessUnion => Arc::new(witness(Of::Witnesses)),
        AggregateFunction::SafeQuantile => Arc::new(safe(Statistic::Quantile)),
        AggregateFunction::SafeMin => Arc::new(safe(Statistic::Min)),
        AggregateFunction::SafeMax => Arc::new(safe(Statistic::Max)),
        AggregateFunction::SharedMin => Arc::new(shared(End::Least)),
        AggregateFunction::SharedMax => Arc::new(shared(End::Greatest)),
    }
}

/// The arguments; counting rows counts a constant.
fn arguments(
    function: AggregateFunction,
    arguments: &[Expr],
    scope: &Scope<'_>,
) -> Result<Vec<E>, Failed> {
    if arguments.is_empty() && function == AggregateFunction::Count {
        return Ok(vec![lit(1i64)]);
    }
    arguments
        .iter()
        .map(|argument| translate(argument, scope))
        .collect()
}

/// One aggregate.
pub(super) fn aggregate(call: &AggregateCall, scope: &Scope<'_>) -> Result<E, Failed> {
    let arguments = arguments(call.function, &call.arguments, scope)?;
    let filter = call
        .filter
        .as_ref()
        .map(|filter| translate(filter, scope))
        .transpose()?;
    let filter = filter.map(Box::new);
    let udaf = udaf(call.function);
    let call = EngineAggregate::new_udf(udaf, arguments, call.distinct, filter, vec![], None);
    Ok(E::AggregateFunction(call))
}

/// Sort keys with the place of nulls said.
pub(super) fn sort_keys(keys: &[SortKey], scope: &Scope<'_>) -> Result<Vec<SortExpr>, Failed> {
    let keys = keys.iter().map(|key| {
        let expr = translate(&key.expr, scope)?;
        Ok(SortExpr::new(expr, !key.descending, key.nulls_first))
    });
    keys.collect()
}

/// One window expression, and whether its type is widened above it.
pub(super) fn window(call: &WindowCall, scope: &Scope<'_>) -> Result<(E, bool), Failed> {
    let (definition, arguments) = definition(call, scope)?;
    let narrow = matches!(
        call.function,
        WindowFunction::RowNumber | WindowFunction::Rank | WindowFunction::DenseRank
    );
    let partition = call.partition.iter().map(|key| translate(key, scope));
    let window = E::from(EngineWindow::new(definition, arguments))
        .partition_by(partition.collect::<Result<_, _>>()?)
        .order_by(sort_keys(&call.order, scope)?)
        .window_frame(frame(call))
        .build()?;
    Ok((window, narrow))
}

fn definition(
    call: &WindowCall,
    scope: &Scope<'_>,
) -> Result<(WindowFunctionDefinition, Vec<E>), Failed> {
    let udwf = |udf| WindowFunctionDefinition::WindowUDF(udf);
    let plain = || {
        call.arguments
            .iter()
            .map(|a| translate(a, scope))
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(match call.function {
        WindowFunction::RowNumber => (udwf(row_number::row_number_udwf()), vec![]),
        WindowFunction::Rank => (udwf(rank::rank_udwf()), vec![]),
        WindowFunction::DenseRank => (udwf(rank::dense_rank_udwf()), vec![]),
        WindowFunction::Lag => (udwf(lead_lag::lag_udwf()), plain()?),
        WindowFunction::Lead => (udwf(lead_lag::lead_udwf()), plain()?),
        WindowFunction::FirstValue => (udwf(nth_value::first_value_udwf()), plain()?),
        WindowFunction::LastValue => (udwf(nth_value::last_value_udwf()), plain()?),
        WindowFunction::Aggregate(function) => {
            let arguments = arguments(function, &call.arguments, scope)?;
            (
                WindowFunctionDefinition::AggregateUDF(udaf(function)),
                arguments,
            )
        }
    })
}

fn frame(call: &WindowCall) -> WindowFrame {
    let units = if call.frame.rows {
        WindowFrameUnits::Rows
    } else {
        WindowFrameUnits::Range
    };
    let unbounded = if call.frame.rows {
        ScalarValue::UInt64(None)
    } else {
        ScalarValue::Null
    };
    let bound = |bound| match bound {
        FrameBound::UnboundedPreceding => WindowFrameBound::Preceding(unbounded.clone()),
        FrameBound::UnboundedFollowing => WindowFrameBound::Following(unbounded.clone()),
        FrameBound::CurrentRow => WindowFrameBound::CurrentRow,
        FrameBound::Preceding(rows) => WindowFrameBound::Preceding(ScalarValue::UInt64(Some(rows))),
        FrameBound::Following(rows) => WindowFrameBound::Following(ScalarValue::UInt64(Some(rows))),
    };
    WindowFrame::new_bounds(units, bound(call.frame.start), bound(call.frame.end))
}

/// A ranking is as wide as every whole number.
pub(super) fn widened(expr: E, narrow: bool) -> E {
    if narrow {
        cast(expr, DataType::Int64)
    } else {
        expr
    }
}

/// Rows of literals.
pub(super) fn literals(row: &[Literal]) -> Result<Vec<E>, Failed> {
    row.iter()
        .map(|value| Ok(E::Literal(scalar(value)?, None)))
        .collect()
}
