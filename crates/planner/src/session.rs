//! The SQL front end, locked down: the caller's tables, the reviewed functions, nothing else.

use crate::Unplannable;
use datafusion::{
    arrow::datatypes::{DataType, Field, IntervalUnit, Schema, TimeUnit},
    catalog::{
        CatalogProvider, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
    },
    datasource::empty::EmptyTable,
    execution::{SessionStateBuilder, session_state::SessionState},
    functions, functions_aggregate, functions_window,
    logical_expr::ScalarUDF,
    prelude::SessionConfig,
};
use std::sync::Arc;
use terms::Type;
use wire::job::PlanJob;

/// The catalogue's name in the front end; callers may not write it.
const CATALOG: &str = "bonded";

/// The scalar functions by the front end's names.
const SCALAR: [&str; 40] = [
    "lower",
    "upper",
    "btrim",
    "ltrim",
    "rtrim",
    "substr",
    "left",
    "right",
    "character_length",
    "strpos",
    "starts_with",
    "ends_with",
    "reverse",
    "concat",
    "abs",
    "round",
    "ceil",
    "floor",
    "sqrt",
    "power",
    "ln",
    "log10",
    "exp",
    "signum",
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "date_part",
    "date_trunc",
    "now",
    "current_date",
    "substring",
    "trim",
    "length",
    "char_length",
    "position",
    "instr",
    "pow",
    "sign",
];
/// The aggregate functions by the front end's names.
const AGGREGATE: [&str; 11] = [
    "count",
    "sum",
    "avg",
    "stddev",
    "stddev_pop",
    "var",
    "var_pop",
    "min",
    "max",
    "median",
    "percentile_cont",
];
/// The window functions by the front end's names.
const WINDOW: [&str; 7] = [
    "row_number",
    "rank",
    "dense_rank",
    "lag",
    "lead",
    "first_value",
    "last_value",
];

/// The type an item has in the front end.
pub(crate) fn engine_type(data_type: Type) -> Option<DataType> {
    Some(match data_type {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Decimal { precision, scale } => {
            DataType::Decimal128(precision, i8::try_from(scale).ok()?)
        }
        Type::Text => DataType::Utf8,
        Type::Date => DataType::Date32,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
        Type::Witness => return None,
    })
}

/// Everything about a session that no job changes; made while a child waits.
pub(crate) fn warm() -> SessionStateBuilder {
    let mut config = SessionConfig::new()
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_target_partitions(1);
    let options = config.options_mut();
    options.execution.enable_recursive_ctes = false;
    options.execution.collect_statistics = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.parquet.schema_force_view_types = false;
    let scalar: Vec<Arc<ScalarUDF>> = functions::all_default_functions()
        .into_iter()
        .filter(|function| SCALAR.contains(&function.name()))
        .collect();
    let aggregate = functions_aggregate::all_default_aggregate_functions()
        .into_iter()
        .filter(|function| AGGREGATE.contains(&function.name()))
        .map(|function| match function.name() {
            // The standard's word, which the engine does not know.
            "var" => Arc::new(function.as_ref().clone().with_aliases(["variance"])),
            _ => function,
        })
        .collect();
    let window = functions_window::all_default_window_functions()
        .into_iter()
        .filter(|function| WINDOW.contains(&function.name()))
        .collect();
    SessionStateBuilder::new()
        .with_config(config)
        .with_scalar_functions(scalar)
        .with_aggregate_functions(aggregate)
        .with_window_functions(window)
        .with_expr_planners(vec![
            Arc::new(functions::core::planner::CoreFunctionPlanner::default()),
            Arc::new(functions::datetime::planner::DatetimeFunctionPlanner),
            Arc::new(functions::unicode::planner::UnicodeFunctionPlanner),
            Arc::new(functions_aggregate::planner::AggregateFunctionPlanner),
            Arc::new(functions_window::planner::WindowFunctionPlanner),
        ])
}

/// A session over a job's tables.
pub(crate) fn session(
    warm: SessionStateBuilder,
    job: &PlanJob,
) -> Result<SessionState, Unplannable> {
    let failed = |_| Unplannable::IllTyped;
    let catalog = MemoryCatalogProvider::new();
    for table in &job.tables {
        let schema = match catalog.schema(table.dataset.schema()) {
            Some(schema) => schema,
            None => {
                let schema = Arc::new(MemorySchemaProvider::new());
                catalog
                    .register_schema(table.dataset.schema(), schema.clone())
                    .map_err(failed)?;
                schema
            }
        };
        let fields = table.columns.iter().filter_map(|(name, data_type)| {
            Some(Field::new(name.as_str(), engine_type(*data_type)?, true))
        });
        let columns = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let source = Arc::new(EmptyTable::new(columns));
        schema
            .register_table(table.dataset.table().to_owned(), source)
            .map_err(failed)?;
    }
    let list = MemoryCatalogProviderList::new();
    datafusion::catalog::CatalogProviderList::register_catalog(
        &list,
        CATALOG.to_owned(),
        Arc::new(catalog),
    );
    let mut state = warm.with_catalog_list(Arc::new(list)).build();
    let options = state.config_mut().options_mut();
    CATALOG.clone_into(&mut options.catalog.default_catalog);
    options
        .catalog
        .default_schema
        .clone_from(&job.default_schema);
    Ok(state)
}
