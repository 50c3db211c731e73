use crate::Unreceivable;
use crate::intake::{Batch, Places};
use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A Parquet file as batches, its columns in the order of the catalogue.
pub(crate) struct ParquetIntake {
    path: PathBuf,
    schema: SchemaRef,
    reader: ParquetRecordBatchReader,
    columns: Vec<usize>,
    rows_done: u64,
    rows_total: u64,
    size: u64,
}

/// A Parquet file of which the footer is read.
pub(crate) struct Footed {
    pub(crate) builder: ParquetRecordBatchReaderBuilder<File>,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) rows: u64,
}

const BATCH_ROWS_MAX: usize = 8192;

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
        let file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file);
        let builder = builder.map_err(not_parquet(path))?;
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        Ok(Self {
            builder,
            size,
            rows,
        })
    }
}

// === impl ParquetIntake ===

impl ParquetIntake {
    /// Opens the file and reads its footer.
    pub(crate) fn open(path: &Path) -> Result<Self, Unreceivable> {
        let Footed {
            builder,
            size,
            rows: rows_total,
        } = Footed::read(path)?;
        let schema = builder.schema().clone();
        let reader = builder
            .with_batch_size(BATCH_ROWS_MAX)
            .build()
            .map_err(not_parquet(path))?;
        let path = path.to_owned();
        Ok(Self {
            path,
            schema,
            reader,
            columns: Vec::new(),
            rows_done: 0,
            rows_total,
            size,
        })
    }

    /// What the file holds.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Sets which columns are given and in which order.
    pub(crate) fn arrange(&mut self, columns: Vec<usize>) {
        self.columns = columns;
    }

    /// Bytes read, estimated by rows, and to read.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let share = u128::from(self.size) * u128::from(self.rows_done);
        let done = share.checked_div(u128::from(self.rows_total)).unwrap_or(0);
        (u64::try_from(done).unwrap_or(self.size), self.size)
    }

    /// The next rows, in the types of the file.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>, Unreceivable> {
        let batch = match self.reader.next() {
            None => return Ok(None),
            Some(Ok(batch)) => batch,
            Some(Err(source)) => {
                let (path, row) = (self.path.clone(), self.rows_done);
                return Err(Unreceivable::Damaged { path, row, source });
            }
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
}
