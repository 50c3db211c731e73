//! Sealed files → the masked view: read, row policy, order, masks, as one stream the engine cannot enter.

use crate::{
    Failed,
    arrow_type::arrow_type,
    mask::{Tokens, masked},
    order::Order,
    sealed_file::SealedFile,
    shuffled::Shuffled,
    translate::expression,
};
use arrow::{
    array::{ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions},
    datatypes::{Field, Schema, SchemaRef},
};
use datafusion::{
    common::DFSchema,
    error::DataFusionError,
    execution::{SendableRecordBatchStream, TaskContext, session_state::SessionState},
    physical_expr::PhysicalExpr,
    physical_plan::{stream::RecordBatchStreamAdapter, streaming::PartitionStream},
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
            ParquetRecordBatchReaderBuilder,
        },
    },
    encryption::decrypt::FileDecryptionProperties,
};
use plan::{Scan, View};
use std::sync::Arc;
use terms::Mask;
use wire::job::{Column, Source};

/// Rows read at a time.
pub(crate) const BATCH_ROWS: usize = 8_192;
/// The column that numbers rows.
const ROW: &str = "__row";
/// The column that numbers subjects.
const SUBJECT: &str = "__subject";

/// The masked view of one scan.
#[derive(Debug, Clone)]
pub(crate) struct MaskedView {
    source: Source,
    file: SealedFile,
    scan: Scan,
    tokens: Tokens,
    schema: SchemaRef,
    rows: Option<(SchemaRef, Arc<dyn PhysicalExpr>)>,
    held_bytes_max: usize,
}

impl MaskedView {
    /// Prepares a scan; its output columns are named as given.
    ///
    /// Units: `held_bytes_max` is what it may hold of its rows at a time.
    pub(crate) fn new(
        scan: &Scan,
        (source, file): &(Source, SealedFile),
        (tokens, held_bytes_max): (&Tokens, usize),
        (names, state): (&[String], &SessionState),
    ) -> Result<Self, Failed> {
        let fields = scan.columns.iter().zip(names);
        let fields =
            fields.map(|(column, name)| Field::new(name, arrow_type(column.data_type), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let rows = match &scan.rows {
            None => None,
            Some(rows) => {
                let columns: Vec<String> = rows
                    .items
                    .iter()
                    .map(|(item, _)| item.to_string())
                    .collect();
                let fields = rows.items.iter().map(|(item, data_type)| {
                    Field::new(item.as_str(), arrow_type(*data_type), true)
                });
                let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
                let expr = expression::row_predicate(&rows.predicate, &columns)?;
                let known = DFSchema::try_from(schema.as_ref().clone())?;
                Some((schema, state.create_physical_expr(expr, &known)?))
            }
        };
        let (source, scan, tokens) = (source.clone(), scan.clone(), tokens.clone());
        Ok(Self {
            source,
            file: file.clone(),
            scan,
            tokens,
            schema,
            rows,
            held_bytes_max,
        })
    }

    /// The schema of the view.
    pub(crate) fn shape(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Whether rows come as they were brought.
    ///
    /// INVARIANT (no order of the source's): the front gives no key of an order only where nobody is in the
    /// dataset and nothing of it is hidden; the latter is seen here too.
    pub(crate) fn is_open(&self) -> Result<bool, Failed> {
        match self.source.order_key {
            Some(_) => Ok(false),
            None if self.scan.is_open() => Ok(true),
            None => Err(Failed::Job),
        }
    }

    /// The order in which rows come instead.
    pub(crate) fn order(&self) -> Result<Order, Failed> {
        Order::new(self.source.order_key.as_ref().ok_or(Failed::Job)?)
    }

    /// How many bytes of its rows may be held at a time.
    pub(crate) fn held_bytes_max(&self) -> usize {
        self.held_bytes_max
    }

    /// The file.
    pub(crate) fn file(&self) -> SealedFile {
        self.file.clone()
    }

    /// The stored column behind a column that is shown plain.
    pub(crate) fn stored(&self, at: usize) -> Result<&str, Failed> {
        let column = self.scan.columns.get(at).ok_or(Failed::Internal)?;
        Ok(column.item.as_str())
    }

    /// The footer of the file, opened with the keys that came with the job.
    pub(crate) fn footer(&self) -> Result<ArrowReaderMetadata, Failed> {
        let mut properties =
            FileDecryptionProperties::builder(self.source.footer_key.bytes().to_vec());
        for (column, key) in &self.source.columns {
            let name = match column {
                Column::Item(item) => item.as_str(),
                Column::Row => ROW,
                Column::Subject => SUBJECT,
            };
            properties = properties.with_column_key(name, key.bytes().to_vec());
        }
        let properties = properties.build().map_err(|_| Failed::Data)?;
        let options = ArrowReaderOptions::new().with_file_decryption_properties(properties);
        ArrowReaderMetadata::load(&self.file, options).map_err(|_| Failed::Data)
    }

    /// The stored columns of some row groups.
    pub(crate) fn reader(
        &self,
        footer: &ArrowReaderMetadata,
        groups: &[usize],
    ) -> Result<ParquetRecordBatchReader, Failed> {
        let footer = footer.clone();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file(), footer);
        let wanted = self.wanted();
        let mask =
            ProjectionMask::columns(builder.parquet_schema(), wanted.iter().map(String::as_str));
        let builder = builder
            .with_projection(mask)
            .with_row_groups(groups.to_vec())
            .with_batch_size(BATCH_ROWS);
        builder.build().map_err(|_| Failed::Data)
    }

    /// The stored columns this view reads.
    fn wanted(&self) -> Vec<String> {
        let columns = self.scan.columns.iter().map(|column| match column.view {
            View::Row => ROW.to_owned(),
            View::Subject => SUBJECT.to_owned(),
            View::Catalogue | View::Masked(..) | View::Raw => column.item.to_string(),
        });
        let rows = self.scan.rows.iter().flat_map(|rows| &rows.items);
        let mut wanted: Vec<String> = columns
            .chain(rows.map(|(item, _)| item.to_string()))
            .collect();
        wanted.sort();
        wanted.dedup();
        wanted
    }

    /// Which stored rows the row policy shows; nothing where there is none.
    pub(crate) fn seen(&self, raw: &RecordBatch) -> Result<Option<BooleanArray>, Failed> {
        let Some((schema, predicate)) = &self.rows else {
            return Ok(None);
        };
        let columns = schema
            .fields()
            .iter()
            .map(|field| column(raw, field.name()));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let read = RecordBatch::try_new(Arc::clone(schema), columns).map_err(|_| Failed::Schema)?;
        let seen = predicate.evaluate(&read)?.into_array(read.num_rows())?;
        let seen = seen.as_boolean_opt().ok_or(Failed::Schema)?;
        Ok(Some(seen.clone()))
    }

    /// Stored rows that the row policy shows, as masks show them.
    pub(crate) fn shown(&self, raw: &RecordBatch) -> Result<RecordBatch, Failed> {
        let mut shown = Vec::with_capacity(self.scan.columns.len());
        for wanted in &self.scan.columns {
            shown.push(match &wanted.view {
                View::Catalogue => return Err(Failed::Job),
                View::Masked(mask, domain) => {
                    let stored = column(raw, wanted.item.as_str())?;
                    let domain = domain.as_ref().map(|domain| domain.as_str());
                    masked(&stored, Mask::from(*mask), domain, &self.tokens)?
                }
                View::Raw => column(raw, wanted.item.as_str())?,
                View::Row => column(raw, ROW)?,
                View::Subject => column(raw, SUBJECT)?,
            });
        }
        let rows = RecordBatchOptions::new().with_row_count(Some(raw.num_rows()));
        RecordBatch::try_new_with_options(self.shape(), shown, &rows).map_err(|_| Failed::Schema)
    }
}

fn column(batch: &RecordBatch, name: &str) -> Result<ArrayRef, Failed> {
    batch.column_by_name(name).cloned().ok_or(Failed::Data)
}

impl PartitionStream for MaskedView {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let failed = |failed: Failed| DataFusionError::External(Box::new(failed));
        let batches: Box<dyn Iterator<Item = _> + Send> = match Shuffled::new(self.clone()) {
            Err(why) => Box::new(std::iter::once(Err(failed(why)))),
            Ok(shuffled) => Box::new(shuffled.map(move |batch| batch.map_err(failed))),
        };
        Box::pin(RecordBatchStreamAdapter::new(
            self.shape(),
            futures::stream::iter(batches),
        ))
    }
}
