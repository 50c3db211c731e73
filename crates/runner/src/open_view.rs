//! Scans that hide nothing: every column is shown plain and no row policy stands above them. The engine
//! may know how many rows there are, and read them with as many threads as the job has.

use crate::{
    Failed,
    scan::{BATCH_ROWS, MaskedView},
};
use arrow::{
    array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt64Array},
    datatypes::SchemaRef,
};
use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::{
        Column, ColumnStatistics, DFSchema, Result, ScalarValue, Statistics,
        pruning::PruningStatistics, stats::Precision, tree_node::TreeNodeRecursion,
    },
    datasource::{
        TableProvider, TableType,
        physical_plan::parquet::metadata::DFParquetMetadata,
        source::{DataSource, DataSourceExec},
    },
    error::DataFusionError,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::{Expr, TableProviderFilterPushDown, utils::conjunction},
    physical_expr::{EquivalenceProperties, projection::ProjectionExprs},
    physical_optimizer::pruning::PruningPredicateBuilder,
    physical_plan::{
        DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr,
        execution_plan::SchedulingType, stream::RecordBatchStreamAdapter,
    },
};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{
        ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
        statistics::StatisticsConverter,
    },
};
use std::{collections::HashSet, fmt, sync::Arc};

/// One open scan, as a table of the engine.
#[derive(Debug)]
pub(crate) struct OpenView {
    view: Arc<MaskedView>,
    footer: ArrowReaderMetadata,
    /// What the footer tells of the view's columns.
    columns: Vec<ColumnStatistics>,
}

/// What one reading of it yields.
#[derive(Debug, Clone)]
struct Reading {
    view: Arc<MaskedView>,
    footer: ArrowReaderMetadata,
    /// Which of the view's columns.
    columns: Vec<usize>,
    known: Vec<ColumnStatistics>,
    schema: SchemaRef,
    /// The row groups of each partition.
    partitions: Vec<Vec<usize>>,
}

// === impl OpenView ===

impl OpenView {
    /// Reads the footer, once for all who read.
    pub(crate) fn new(view: MaskedView) -> std::result::Result<Self, Failed> {
        let footer = view.footer()?;
        let view = Arc::new(view);
        let columns = known(&view, &footer)?;
        Ok(Self {
            view,
            footer,
            columns,
        })
    }

    fn reading(&self, columns: Vec<usize>, groups: &[usize], partitions: usize) -> Result<Reading> {
        let each = groups.len().div_ceil(partitions.max(1)).max(1);
        let mut partitions: Vec<_> = groups.chunks(each).map(<[usize]>::to_vec).collect();
        if partitions.is_empty() {
            partitions.push(vec![]);
        }
        let known = columns.iter().filter_map(|at| self.columns.get(*at));
        Ok(Reading {
            view: Arc::clone(&self.view),
            footer: self.footer.clone(),
            schema: Arc::new(self.view.shape().project(&columns)?),
            known: known.cloned().collect(),
            columns,
            partitions,
        })
    }

    /// The row groups in which a row may be that all filters keep.
    fn groups(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<usize>> {
        let all = 0..self.footer.metadata().num_row_groups();
        let Some(wanted) = conjunction(filters.iter().cloned()) else {
            return Ok(all.collect());
        };
        let shape = self.view.shape();
        let wanted =
            state.create_physical_expr(wanted, &DFSchema::try_from(shape.as_ref().clone())?)?;
        let predicate = PruningPredicateBuilder::new()
            .with_file_schema(shape)
            .try_build(wanted)?;
        let may = predicate.prune(self)?;
        Ok(all
            .zip(may)
            .filter(|(_, may)| *may)
            .map(|(at, _)| at)
            .collect())
    }

    /// Extremes or counts of a column, one for each row group; none where the file has none that are
    /// surely of the type the view shows.
    fn each_group<T>(
        &self,
        column: &Column,
        read: impl FnOnce(&StatisticsConverter<'_>) -> parquet::errors::Result<T>,
    ) -> Option<T> {
        let shape = self.view.shape();
        let at = shape.index_of(&column.name).ok()?;
        let stored = self.view.stored(at).ok()?;
        let shown = shape.field(at).data_type();
        let schema = self.footer.schema();
        if shown.is_floating() || schema.field_with_name(stored).ok()?.data_type() != shown {
            return None;
        }
        let metadata = self.footer.metadata();
        let parquet = metadata.file_metadata().schema_descr();
        let converter = StatisticsConverter::try_new(stored, schema, parquet).ok()?;
        // What is not counted is not known to be none.
        read(&converter.with_missing_null_counts_as_zero(false)).ok()
    }
}

#[async_trait]
impl TableProvider for OpenView {
    fn schema(&self) -> SchemaRef {
        self.view.shape()
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // They choose row groups here; rows are chosen by the engine.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.view.shape().fields().len()).collect();
        let columns = projection.cloned().unwrap_or_else(all);
        let groups = self.groups(state, filters)?;
        let reading = self.reading(columns, &groups, state.config().target_partitions())?;
        Ok(DataSourceExec::from_data_source(reading))
    }
}

impl PruningStatistics for OpenView {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        let groups = self.footer.metadata().row_groups();
        self.each_group(column, |all| all.row_group_mins(groups))
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        let groups = self.footer.metadata().row_groups();
        self.each_group(column, |all| all.row_group_maxes(groups))
    }

    fn num_containers(&self) -> usize {
        self.footer.metadata().num_row_groups()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let groups = self.footer.metadata().row_groups();
        let counts = self.each_group(column, |all| all.row_group_null_counts(groups));
        counts.map(|counts| -> ArrayRef { Arc::new(counts) })
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let groups = self.footer.metadata().row_groups().iter();
        let rows = groups.map(|group| u64::try_from(group.num_rows()).ok());
        Some(Arc::new(rows.collect::<UInt64Array>()))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// What the footer tells of each column of a view, as estimates: no answer rests on it.
fn known(
    view: &MaskedView,
    footer: &ArrowReaderMetadata,
) -> std::result::Result<Vec<ColumnStatistics>, Failed> {
    let metadata = footer.metadata();
    let of_file = DFParquetMetadata::statistics_from_parquet_metadata(metadata, footer.schema());
    let of_file = of_file.map_err(|_| Failed::Data)?;
    let is_counted = |name: &str| {
        let mut groups = metadata.row_groups().iter();
        groups.all(|group| {
            let mut columns = group.columns().iter();
            let column = columns.find(|column| column.column_path().string() == name);
            column.is_some_and(|column| column.statistics().is_some())
        })
    };
    let shape = view.shape();
    let fields = shape.fields().iter().enumerate();
    let each = fields.map(|(at, field)| {
        let stored = view.stored(at)?;
        let found = footer.schema().index_of(stored).map_err(|_| Failed::Data)?;
        let same = footer.schema().field(found).data_type() == field.data_type();
        let known = of_file.column_statistics.get(found);
        Ok(match known.filter(|_| same && is_counted(stored)) {
            Some(known) => known.clone().to_inexact(),
            None => ColumnStatistics::new_unknown(),
        })
    });
    each.collect()
}

// === impl Reading ===

impl Reading {
    fn reader(&self, partition: usize) -> std::result::Result<ParquetRecordBatchReader, Failed> {
        let groups = self.partitions.get(partition).ok_or(Failed::Internal)?;
        let fields = self.schema.fields().iter().zip(&self.columns);
        let wanted = fields.map(|(_, at)| self.view.stored(*at));
        let wanted = wanted.collect::<std::result::Result<Vec<_>, _>>()?;
        let footer = self.footer.clone();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.view.file(), footer);
        let mask = ProjectionMask::columns(builder.parquet_schema(), wanted);
        let builder = builder
            .with_projection(mask)
            .with_row_groups(groups.clone())
            .with_batch_size(BATCH_ROWS);
        builder.build().map_err(|_| Failed::Data)
    }

    /// The columns in the order and under the names that were asked for.
    fn shown(&self, raw: &RecordBatch) -> std::result::Result<RecordBatch, Failed> {
        let columns = self.columns.iter().map(|at| {
            let column = raw.column_by_name(self.view.stored(*at)?);
            column.cloned().ok_or(Failed::Data)
        });
        let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
        let rows = RecordBatchOptions::new().with_row_count(Some(raw.num_rows()));
        let shown = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &rows);
        shown.map_err(|_| Failed::Schema)
    }

    fn statistics(&self, groups: &[usize]) -> Statistics {
        let footer = self.footer.metadata();
        let (mut rows, mut bytes) = (0_usize, 0_usize);
        for group in groups.iter().filter_map(|at| footer.row_groups().get(*at)) {
            let size = |number: i64| usize::try_from(number).unwrap_or(0);
            rows = rows.saturating_add(size(group.num_rows()));
            let column = size(group.total_byte_size()) / group.num_columns().max(1);
            bytes = bytes.saturating_add(column.saturating_mul(self.columns.len()));
        }
        Statistics {
            num_rows: Precision::Exact(rows),
            total_byte_size: Precision::Inexact(bytes),
            column_statistics: self.known.clone(),
        }
    }
}

impl DataSource for Reading {
    fn open(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let failed = |failed: Failed| DataFusionError::External(Box::new(failed));
        let reader = self.reader(partition).map_err(failed)?;
        let reading = self.clone();
        let batches = reader.map(move |raw| {
            let raw = raw.map_err(|_| failed(Failed::Data))?;
            reading.shown(&raw).map_err(failed)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            futures::stream::iter(batches),
        )))
    }

    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "open, {} partitions", self.partitions.len())
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(self.partitions.len())
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        EquivalenceProperties::new(Arc::clone(&self.schema))
    }

    fn scheduling_type(&self) -> SchedulingType {
        SchedulingType::NonCooperative
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let statistics = match partition {
            None => self.statistics(&self.partitions.concat()),
            Some(at) => {
                let groups = self.partitions.get(at).map(Vec::as_slice);
                self.statistics(groups.unwrap_or_default())
            }
        };
        Ok(Arc::new(statistics))
    }

    fn with_fetch(&self, _: Option<usize>) -> Option<Arc<dyn DataSource>> {
        None
    }

    fn fetch(&self) -> Option<usize> {
        None
    }

    fn try_swapping_with_projection(
        &self,
        _: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn DataSource>>> {
        Ok(None)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }
}
