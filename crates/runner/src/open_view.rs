//! Scans that hide nothing: every column is shown plain and no row policy stands above them. The engine
//! may know how many rows there are, and read them with as many threads as the job has.

use crate::{
    Failed,
    scan::{BATCH_ROWS, MaskedView},
};
use arrow::{
    array::{RecordBatch, RecordBatchOptions},
    datatypes::SchemaRef,
};
use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::{
        ColumnStatistics, Result, Statistics, stats::Precision, tree_node::TreeNodeRecursion,
    },
    datasource::{
        TableProvider, TableType,
        source::{DataSource, DataSourceExec},
    },
    error::DataFusionError,
    execution::{SendableRecordBatchStream, TaskContext},
    logical_expr::Expr,
    physical_expr::{EquivalenceProperties, projection::ProjectionExprs},
    physical_plan::{
        DisplayFormatType, ExecutionPlan, Partitioning, PhysicalExpr,
        execution_plan::SchedulingType, stream::RecordBatchStreamAdapter,
    },
};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{
        ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    },
};
use std::{fmt, sync::Arc};

/// One open scan, as a table of the engine.
#[derive(Debug)]
pub(crate) struct OpenView {
    view: Arc<MaskedView>,
    footer: ArrowReaderMetadata,
}

/// What one reading of it yields.
#[derive(Debug, Clone)]
struct Reading {
    view: Arc<MaskedView>,
    footer: ArrowReaderMetadata,
    /// Which of the view's columns.
    columns: Vec<usize>,
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
        Ok(Self { view, footer })
    }

    fn reading(&self, columns: Vec<usize>, partitions: usize) -> Result<Reading> {
        let groups = self.footer.metadata().num_row_groups();
        let each = groups.div_ceil(partitions.max(1)).max(1);
        let groups: Vec<usize> = (0..groups).collect();
        let mut partitions: Vec<_> = groups.chunks(each).map(<[usize]>::to_vec).collect();
        if partitions.is_empty() {
            partitions.push(vec![]);
        }
        Ok(Reading {
            view: Arc::clone(&self.view),
            footer: self.footer.clone(),
            schema: Arc::new(self.view.shape().project(&columns)?),
            columns,
            partitions,
        })
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

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.view.shape().fields().len()).collect();
        let columns = projection.cloned().unwrap_or_else(all);
        let reading = self.reading(columns, state.config().target_partitions())?;
        Ok(DataSourceExec::from_data_source(reading))
    }
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
            column_statistics: vec![ColumnStatistics::new_unknown(); self.columns.len()],
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
