use crate::unit::Unit;
use crate::{ROW_COLUMN, SUBJECT_COLUMN, Unreceivable, open_plain};
use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, Encoding};
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use terms::Digest;

/// A Parquet file being written, every byte of it encrypted; without a name until it is whole.
///
/// Source: Parquet Modular Encryption, AES_GCM_V1, encrypted footer, a key for every column.
pub(crate) struct SealedFile {
    path: PathBuf,
    unfinished: Unfinished,
    schema: SchemaRef,
    writer: ArrowWriter<Hashing>,
    rows: u64,
}

/// The file under its first name; removed when dropped, unless it was renamed.
struct Unfinished(PathBuf);

/// Hashes what passes to the file.
struct Hashing {
    file: BufWriter<File>,
    hash: ring::digest::Context,
}

/// Rows that are encoded together; also what a reader holds of one column at a time.
const GROUP_ROWS_MAX: usize = 131_072;
/// Bytes encoded in memory after which a group ends early.
const GROUP_BYTES_MAX: usize = 64 << 20;
/// How a Parquet file ends whose footer is encrypted. Source: Parquet Modular Encryption, 5.1.
const ENDING: &[u8; 4] = b"PARE";

// === impl SealedFile ===

impl SealedFile {
    /// Begins a file that will stand at the path once finished.
    pub(crate) fn create(path: &Path, fields: &Fields, unit: &Unit) -> Result<Self, Unreceivable> {
        Self::create_with(path, fields, (unit, &[]))
    }

    /// The same with extremes of some columns, row group by row group, for scans that may pass by what
    /// they cannot need. They are sealed with their column. None of a float: its extremes leave out NaN.
    pub(crate) fn create_with(
        path: &Path,
        fields: &Fields,
        (unit, extremes): (&Unit, &[&str]),
    ) -> Result<Self, Unreceivable> {
        let row = Arc::new(Field::new(ROW_COLUMN, DataType::Int64, false));
        let subject = Arc::new(Field::new(SUBJECT_COLUMN, DataType::Int64, true));
        let all: Vec<_> = fields.iter().cloned().chain([row, subject]).collect();
        let schema = Arc::new(Schema::new(all));
        let unencodable = |source| Unreceivable::Unencodable {
            path: path.to_owned(),
            source,
        };
        let properties = properties(&schema, (unit, extremes)).map_err(unencodable)?;
        let unfinished = Unfinished(path.with_extension("parquet.part"));
        let file = File::create(&unfinished.0).map_err(|source| Unreceivable::Unwritable {
            path: unfinished.0.clone(),
            source,
        })?;
        let sink = Hashing {
            file: BufWriter::with_capacity(1 << 20, file),
            hash: ring::digest::Context::new(&ring::digest::SHA256),
        };
        let writer =
            ArrowWriter::try_new(sink, schema.clone(), Some(properties)).map_err(unencodable)?;
        Ok(Self {
            path: path.to_owned(),
            unfinished,
            schema,
            writer,
            rows: 0,
        })
    }

    /// Appends a batch with the numbers of its subjects, and says how many rows there are now.
    pub(crate) fn write(
        &mut self,
        columns: Vec<ArrayRef>,
        subjects: Int64Array,
    ) -> Result<u64, Unreceivable> {
        self.write_numbered(columns, None, subjects)
    }

    /// The same with the numbers of its rows, where they are not counted here.
    pub(crate) fn write_numbered(
        &mut self,
        mut columns: Vec<ArrayRef>,
        rows: Option<Int64Array>,
        subjects: Int64Array,
    ) -> Result<u64, Unreceivable> {
        let added = columns.first().map_or(0, |column| column.len());
        let end = self
            .rows
            .saturating_add(u64::try_from(added).unwrap_or(u64::MAX));
        let numbers = (self.rows..end).map(|row| i64::try_from(row).unwrap_or(i64::MAX));
        let rows = rows.unwrap_or_else(|| Int64Array::from_iter_values(numbers));
        columns.push(Arc::new(rows));
        columns.push(Arc::new(subjects));
        let written = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(ParquetError::from)
            .and_then(|batch| self.writer.write(&batch))
            .and_then(|()| {
                let full = self.writer.in_progress_size() > GROUP_BYTES_MAX;
                if full { self.writer.flush() } else { Ok(()) }
            });
        written.map_err(|source| self.unencodable(source))?;
        self.rows = end;
        Ok(end)
    }

    /// Makes the file whole, durable and named, and gives its rows and digest.
    pub(crate) fn finish(self) -> Result<(u64, Digest), Unreceivable> {
        let Self {
            path,
            unfinished,
            writer,
            rows,
            schema: _,
        } = self;
        let sink = writer
            .into_inner()
            .map_err(|source| Unreceivable::Unencodable {
                path: path.clone(),
                source,
            })?;
        let Hashing { file, hash } = sink;
        let unwritable = |source| Unreceivable::Unwritable {
            path: path.clone(),
            source,
        };
        let file = file
            .into_inner()
            .map_err(|cause| unwritable(cause.into_error()))?;
        file.sync_all().map_err(unwritable)?;
        std::fs::rename(&unfinished.0, &path).map_err(unwritable)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(unwritable)?;
        Ok((rows, Digest::finished(hash)))
    }

    fn unencodable(&self, source: ParquetError) -> Unreceivable {
        Unreceivable::Unencodable {
            path: self.path.clone(),
            source,
        }
    }
}

/// Opens a stored file.
///
/// INVARIANT (only what is sealed is read): the library reads a file in the clear though it was given keys,
/// so that whoever can write the folder could put made-up data in its place.
///
/// # Errors
/// The file system's; [`io::ErrorKind::InvalidData`] of a file in the clear.
pub(crate) fn opened(path: &Path) -> io::Result<File> {
    let file = open_plain(path)?;
    let at = file.metadata()?.len().checked_sub(4);
    let mut ending = [0; 4];
    file.read_exact_at(&mut ending, at.ok_or(io::ErrorKind::InvalidData)?)?;
    if ending != *ENDING {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(file)
}

/// No page index, no bloom filters, and statistics of open columns alone: of others nobody may use them, and
/// the library writes bloom filters in the clear even into an encrypted file. LZ4, since a scan spends less
/// on it than on anything smaller.
fn properties(
    schema: &Schema,
    (unit, extremes): (&Unit, &[&str]),
) -> Result<WriterProperties, ParquetError> {
    let mut keys = FileEncryptionProperties::builder(unit.footer_key().bytes().to_vec());
    for leaf in ArrowSchemaConverter::new().convert(schema)?.columns() {
        let parts = leaf.path().parts();
        let column = parts.first().map_or("", String::as_str);
        let key = unit.column_key(column).bytes().to_vec();
        keys = keys.with_column_key(&parts.join("."), key);
    }
    let mut properties = WriterProperties::builder();
    // Numbers that mostly ascend are small as differences, and quick to read.
    for column in [ROW_COLUMN, SUBJECT_COLUMN] {
        properties = properties
            .set_column_dictionary_enabled(column.into(), false)
            .set_column_encoding(column.into(), Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(column.into(), Compression::UNCOMPRESSED);
    }
    for field in schema.fields() {
        let name = field.name().as_str();
        if extremes.contains(&name) && !field.data_type().is_floating() {
            let chunk = EnabledStatistics::Chunk;
            properties = properties.set_column_statistics_enabled(name.into(), chunk);
        }
    }
    Ok(properties
        .with_file_encryption_properties(keys.build()?)
        .set_created_by("bonded".to_owned())
        .set_compression(Compression::LZ4_RAW)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_bloom_filter_enabled(false)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(Some(GROUP_ROWS_MAX))
        .build())
}

// === impl Unfinished ===

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After the rename there is nothing under this name, and the call fails harmlessly.
        let _ = std::fs::remove_file(&self.0);
    }
}

// === impl Hashing ===

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
