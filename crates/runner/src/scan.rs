//! Sealed files → the masked view: read, row policy, masks, as one stream the engine cannot enter.

use crate::{
    Failed,
    arrow_type::arrow_type,
    mask::{Tokens, masked},
    sealed_file::SealedFile,
    translate::expression,
};
use arrow::{
    array::{ArrayRef, AsArray, RecordBatch},
    compute::filter_record_batch,
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
#[derive(Debug)]
pub(crate) struct MaskedView {
    source: Source,
    file: SealedFile,
    scan: Scan,
    tokens: Tokens,
    schema: SchemaRef,
    rows: Option<(SchemaRef, Arc<dyn PhysicalExpr>)>,
}

impl MaskedView {
    /// Prepares a scan; its output columns are named as given.
    pub(crate) fn new(
        scan: &Scan,
        (source, file): &(Source, SealedFile),
        tokens: &Tokens,
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
        })
    }

    /// The schema of the view.
    pub(crate) fn shape(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Whether nothing of the dataset is hidden from who reads these columns of it: each is shown plain,
    /// and no row policy stands above them.
    pub(crate) fn is_open(scan: &Scan) -> bool {
        let plain = View::masked(Mask::Plain, None);
        scan.rows.is_none() && scan.columns.iter().all(|column| column.view == plain)
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

    fn reader(&self) -> Result<ParquetRecordBatchReader, Failed> {
        let footer = self.footer()?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file(), footer);
        let wanted = self.wanted();
        let mask =
            ProjectionMask::columns(builder.parquet_schema(), wanted.iter().map(String::as_str));
        let builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
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

    /// One batch: row policy first, masks second.
    fn shown(&self, raw: RecordBatch) -> Result<RecordBatch, Failed> {
        let raw = match &self.rows {
            None => raw,
            Some((schema, predicate)) => {
                let columns = schema
                    .fields()
                    .iter()
                    .map(|field| column(&raw, field.name()));
                let columns = columns.collect::<Result<Vec<_>, _>>()?;
                let seen = RecordBatch::try_new(Arc::clone(schema), columns)
                    .map_err(|_| Failed::Schema)?;
                let kept = predicate.evaluate(&seen)?.into_array(seen.num_rows())?;
                let kept = kept.as_boolean_opt().ok_or(Failed::Schema)?;
                filter_record_batch(&raw, kept).map_err(|_| Failed::Internal)?
            }
        };
        let mut shown = Vec::with_capacity(self.scan.columns.len());
        for wanted in &self.scan.columns {
            shown.push(match &wanted.view {
                View::Catalogue => return Err(Failed::Job),
                View::Masked(mask, domain) => {
                    let stored = column(&raw, wanted.item.as_str())?;
                    let domain = domain.as_ref().map(|domain| domain.as_str());
                    masked(&stored, Mask::from(*mask), domain, &self.tokens)?
                }
                View::Raw => column(&raw, wanted.item.as_str())?,
                View::Row => column(&raw, ROW)?,
                View::Subject => column(&raw, SUBJECT)?,
            });
        }
        RecordBatch::try_new(self.shape(), shown).map_err(|_| Failed::Schema)
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
        let opened = self.reader();
        let view = Self {
            source: self.source.clone(),
            file: self.file.clone(),
            scan: self.scan.clone(),
            tokens: self.tokens.clone(),
            schema: self.shape(),
            rows: self.rows.clone(),
        };
        let batches: Box<dyn Iterator<Item = _> + Send> = match opened {
            Err(why) => Box::new(std::iter::once(Err(failed(why)))),
            Ok(reader) => Box::new(reader.map(move |raw| {
                let raw = raw.map_err(|_| failed(Failed::Data))?;
                view.shown(raw).map_err(failed)
            })),
        };
        Box::pin(RecordBatchStreamAdapter::new(
            self.shape(),
            futures::stream::iter(batches),
        ))
    }
}
