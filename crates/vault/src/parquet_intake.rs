use crate::intake::{Batch, Places};
use crate::parquet_bounds::{Bounds, VALUE_BYTES_MAX, longest};
use crate::{Unreceivable, open_plain};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A Parquet file as batches, its columns in the order of the catalogue.
pub(crate) struct ParquetIntake {
    path: PathBuf,
    footed: Footed,
    /// The row group that is read, and what reads it.
    group: usize,
    reader: Option<ParquetRecordBatchReader>,
    columns: Vec<usize>,
    rows_done: u64,
}

/// A Parquet file of which the footer is read.
pub(crate) struct Footed {
    pub(crate) file: File,
    pub(crate) metadata: ArrowReaderMetadata,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) rows: u64,
}

/// What is wrong with a file that Parquet does not read.
pub(crate) fn not_parquet(path: &Path) -> impl Fn(ParquetError) -> Unreceivable {
    |source| Unreceivable::NotParquet {
        path: path.to_owned(),
        source,
    }
}

// === impl Footed ===

impl Footed {
    pub(crate) fn read(path: &Path) -> Result<Self, Unreceivable> {
        let unreadable = |source| Unreceivable::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = open_plain(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new());
        let metadata = metadata.map_err(not_parquet(path))?;
        let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
        Ok(Self {
            file,
            metadata,
            size,
            rows,
        })
    }

    /// What may be decoded of it.
    pub(crate) fn bounds<'f>(&'f self, path: &'f Path) -> Bounds<'f> {
        Bounds {
            path,
            file: &self.file,
            metadata: &self.metadata,
        }
    }

    /// A reader of the file, for who knows its bounds.
    pub(crate) fn reader(
        &self,
        path: &Path,
    ) -> Result<ParquetRecordBatchReaderBuilder<File>, Unreceivable> {
        let file = self.file.try_clone();
        let file = file.map_err(|source| Unreceivable::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let metadata = self.metadata.clone();
        Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(
            file, metadata,
        ))
    }
}

// === impl ParquetIntake ===

impl ParquetIntake {
    /// Opens the file and reads its footer.
    pub(crate) fn open(path: &Path) -> Result<Self, Unreceivable> {
        Ok(Self {
            path: path.to_owned(),
            footed: Footed::read(path)?,
            group: 0,
            reader: None,
            columns: Vec::new(),
            rows_done: 0,
        })
    }

    /// What the file holds.
    pub(crate) fn schema(&self) -> &SchemaRef {
        self.footed.metadata.schema()
    }

    /// Sets which columns are given and in which order.
    pub(crate) fn arrange(&mut self, columns: Vec<usize>) {
        self.columns = columns;
    }

    /// Bytes read, estimated by rows, and to read.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let share = u128::from(self.footed.size) * u128::from(self.rows_done);
        let done = share.checked_div(u128::from(self.footed.rows)).unwrap_or(0);
        let size = self.footed.size;
        (u64::try_from(done).unwrap_or(size), size)
    }

    /// The next rows, in the types of the file.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>, Unreceivable> {
        let Some(batch) = self.batch()? else {
            return Ok(None);
        };
        let first = self.rows_done.saturating_add(1);
        let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        self.rows_done = self.rows_done.saturating_add(rows);
        let columns = self
            .columns
            .iter()
            .map(|at| batch.column(*at).clone())
            .collect();
        Ok(Some(Batch {
            columns,
            places: Places::RowsFrom(first),
        }))
    }

    /// The next rows of this row group, or of the next that has any.
    fn batch(&mut self) -> Result<Option<RecordBatch>, Unreceivable> {
        while self.group < self.footed.metadata.metadata().num_row_groups() {
            let mut reader = match self.reader.take() {
                Some(reader) => reader,
                None => self.begun()?,
            };
            match reader.next() {
                None => self.group += 1,
                Some(Ok(batch)) => {
                    self.reader = Some(reader);
                    self.hold(&batch)?;
                    return Ok(Some(batch));
                }
                Some(Err(source)) => {
                    let (path, row) = (self.path.clone(), self.rows_done);
                    return Err(Unreceivable::Damaged { path, row, source });
                }
            }
        }
        Ok(None)
    }

    /// A reader of the row group, as many rows at a time as its bounds allow.
    fn begun(&self) -> Result<ParquetRecordBatchReader, Unreceivable> {
        let rows = self.footed.bounds(&self.path).rows(self.group)?;
        let reader = self
            .footed
            .reader(&self.path)?
            .with_row_groups(vec![self.group]);
        let reader = reader.with_batch_size(rows).build();
        reader.map_err(not_parquet(&self.path))
    }

    /// Holds each value against the length that one may have.
    fn hold(&self, batch: &RecordBatch) -> Result<(), Unreceivable> {
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let bytes = longest(column);
            if bytes > VALUE_BYTES_MAX {
                let (path, column) = (self.path.clone(), field.name().clone());
                return Err(Bounds::too_long(path, column, (self.group, bytes)));
            }
        }
        Ok(())
    }
}
