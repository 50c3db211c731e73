use crate::csv_columns::UTF_8;
use crate::csv_rows::CsvRows;
use crate::parquet_intake::{Footed, not_parquet};
use crate::plain_type::plain_type;
use crate::{DataFile, Format, Place, Progress, Unreceivable};
use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use std::path::Path;
use terms::Type;

/// What a data file holds, and some of its rows, spread over the whole of it.
#[derive(Debug)]
pub struct Sample {
    /// Rows in the file.
    pub rows: u64,
    /// Rows that were looked at.
    pub looked_at: usize,
    /// The columns, in the order of the file.
    pub columns: Vec<SampledColumn>,
}

/// A column with the values that were looked at. It never prints them.
pub struct SampledColumn {
    /// Its name, or whatever else the first line of a CSV file has there.
    pub name: String,
    /// How the file has its values.
    pub stored: Stored,
    /// The values as text, cut to 256 characters; none where there is none, or nothing but blanks.
    pub values: Vec<Option<Box<str>>>,
}

/// How a file has the values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// As text in a CSV file, whatever they stand for.
    Written,
    /// In a type of our own.
    Plain(Type),
    /// In a type that statements do not know, by its name; its values were not looked at.
    NotPlain(String),
}

/// How much of a value is looked at, in characters.
const CHARS_MAX: usize = 256;
/// How much of a CSV file's sample is kept at once, in bytes; beyond it every other row is let go.
const KEPT_BYTES_MAX: usize = 64 << 20;
/// How many rows are taken at one place of a Parquet file.
const PLACE_ROWS: u64 = 16;

/// Looks at a data file: its columns, and at most so many of its rows, evenly spread from the first to
/// the last.
///
/// Errors: [`Unreceivable`], by file, line and the number of the column, never by a value.
/// Units: rows; memory is bounded by them, not by the file.
///
/// # Errors
/// A file that is neither CSV nor Parquet, cannot be read, or is broken.
pub fn sample(
    path: &Path,
    rows_max: usize,
    progress: &mut dyn FnMut(Progress),
) -> Result<Sample, Unreceivable> {
    sample_of(DataFile::named(path)?, rows_max, progress)
}

/// Looks at a data file whose name does not say what it is written in.
///
/// # Errors
/// As [`sample`].
pub fn sample_of(
    DataFile { path, format }: DataFile<'_>,
    rows_max: usize,
    progress: &mut dyn FnMut(Progress),
) -> Result<Sample, Unreceivable> {
    match format {
        Format::Csv => of_csv(path, rows_max.max(1), progress),
        Format::Parquet => of_parquet(path, rows_max.max(1)),
    }
}

/// Reads all of the file and keeps every row whose number is a multiple of a stride; when there are too
/// many, every other is let go and the stride doubled.
fn of_csv(
    path: &Path,
    rows_max: usize,
    progress: &mut dyn FnMut(Progress),
) -> Result<Sample, Unreceivable> {
    let mut rows = CsvRows::open(path)?;
    let header = rows.header().to_vec();
    let size = std::fs::metadata(path).map_or(0, |data| data.len());
    let (mut kept, mut bytes) = (Vec::<Vec<Option<Box<str>>>>::new(), 0_usize);
    let (mut stride, mut count) = (1_u64, 0_u64);
    while let Some((line, record)) = rows.next()? {
        let mut cells = Vec::with_capacity(header.len());
        for (at, field) in record.iter().enumerate() {
            let text = std::str::from_utf8(field).map_err(|_| Unreceivable::Misfit {
                path: path.to_owned(),
                place: Place::Line(line),
                // Its name may be a value, where the first line is data.
                column: at.saturating_add(1).to_string(),
                expected: UTF_8,
            })?;
            if count.is_multiple_of(stride) {
                cells.push(cut(text));
            }
        }
        if count.is_multiple_of(stride) {
            bytes = bytes.saturating_add(weight(&cells));
            kept.push(cells);
        }
        count = count.saturating_add(1);
        while kept.len() > rows_max || (bytes > KEPT_BYTES_MAX && kept.len() > 1) {
            let mut at = 0_usize;
            kept.retain(|_| {
                at = at.saturating_add(1);
                at % 2 == 1
            });
            bytes = kept.iter().map(|cells| weight(cells)).sum();
            stride = stride.saturating_mul(2);
        }
        if count.is_multiple_of(65_536) {
            progress(Progress {
                rows: count,
                bytes_done: rows.bytes_done(),
                bytes_total: size,
            });
        }
    }
    let looked_at = kept.len();
    let mut columns: Vec<SampledColumn> = header
        .into_iter()
        .map(|name| SampledColumn::new(name, Stored::Written))
        .collect();
    for cells in kept {
        for (column, cell) in columns.iter_mut().zip(cells) {
            column.values.push(cell);
        }
    }
    Ok(Sample {
        rows: count,
        looked_at,
        columns,
    })
}

/// Bytes that a row takes up while it is kept.
fn weight(cells: &[Option<Box<str>>]) -> usize {
    let text = |cell: &Option<Box<str>>| 24 + cell.as_ref().map_or(0, |text| text.len());
    cells.iter().map(text).sum()
}

/// Reads runs of rows at evenly spread places; pages in between are skipped.
fn of_parquet(path: &Path, rows_max: usize) -> Result<Sample, Unreceivable> {
    let footed = Footed::read(path)?;
    let rows = footed.rows;
    let batch_rows = footed.bounds(path).rows_of_all()?.min(64);
    let builder = footed.reader(path)?;
    let fields = builder.schema().fields().clone();
    let (mut columns, mut read) = (Vec::new(), Vec::new());
    for (at, field) in fields.iter().enumerate() {
        let stored = match plain_type(field.data_type()) {
            Some(plain) => {
                read.push(at);
                Stored::Plain(plain)
            }
            None => Stored::NotPlain(type_name(field.data_type())),
        };
        columns.push(SampledColumn::new(field.name().clone(), stored));
    }
    let chosen = places(rows, u64::try_from(rows_max).unwrap_or(u64::MAX));
    let projection = ProjectionMask::roots(builder.parquet_schema(), read.iter().copied());
    let reader = builder
        .with_projection(projection)
        .with_row_selection(chosen)
        .with_batch_size(batch_rows)
        .build()
        .map_err(not_parquet(path))?;
    let mut looked_at = 0_usize;
    for batch in reader {
        let row = u64::try_from(looked_at).unwrap_or(u64::MAX);
        let batch = batch.map_err(|source| Unreceivable::Damaged {
            path: path.to_owned(),
            row,
            source,
        })?;
        looked_at = looked_at.saturating_add(batch.num_rows());
        take(&batch, &read, &mut columns);
    }
    Ok(Sample {
        rows,
        looked_at,
        columns,
    })
}

/// The name of a type without the names and types that are in it.
fn type_name(stored: &arrow::datatypes::DataType) -> String {
    let told = stored.to_string();
    let end = told.find(['(', '<', '{']).unwrap_or(told.len());
    told.chars().take(end).collect::<String>().trim().to_owned()
}

/// Which rows are read: all, or runs of [`PLACE_ROWS`] of which one is the first and one the last.
fn places(rows: u64, rows_max: u64) -> RowSelection {
    let size = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
    if rows <= rows_max {
        return vec![RowSelector::select(size(rows))].into();
    }
    let run = PLACE_ROWS.min(rows_max);
    let places = (rows_max / run).max(1);
    let last = rows.saturating_sub(run);
    let (mut chosen, mut done) = (Vec::new(), 0_u64);
    for place in 0..places {
        let share = u128::from(last) * u128::from(place);
        let begin = share.checked_div(u128::from(places.saturating_sub(1)));
        let begin = u64::try_from(begin.unwrap_or(0)).unwrap_or(last).max(done);
        let end = begin.saturating_add(run).min(rows);
        chosen.push(RowSelector::skip(size(begin.saturating_sub(done))));
        chosen.push(RowSelector::select(size(end.saturating_sub(begin))));
        done = end;
    }
    chosen.into()
}

/// Adds the rows of a batch to the columns that were read.
fn take(batch: &RecordBatch, read: &[usize], columns: &mut [SampledColumn]) {
    let options = FormatOptions::default();
    for (array, at) in batch.columns().iter().zip(read) {
        let Some(column) = columns.get_mut(*at) else {
            continue;
        };
        let shown = ArrayFormatter::try_new(array.as_ref(), &options);
        column.values.extend((0..array.len()).map(|row| {
            let there = shown.as_ref().ok().filter(|_| array.is_valid(row))?;
            cut(&there.value(row).try_to_string().ok()?)
        }));
    }
}

/// The beginning of a value; none where it is nothing but blanks.
fn cut(text: &str) -> Option<Box<str>> {
    let text = text.trim();
    let end = text
        .char_indices()
        .nth(CHARS_MAX)
        .map_or(text.len(), |(at, _)| at);
    text.get(..end)
        .filter(|text| !text.is_empty())
        .map(Box::from)
}

// === impl SampledColumn ===

impl SampledColumn {
    /// A column of which nothing was looked at yet.
    #[must_use]
    pub const fn new(name: String, stored: Stored) -> Self {
        Self {
            name,
            stored,
            values: Vec::new(),
        }
    }
}

impl std::fmt::Debug for SampledColumn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SampledColumn")
            .field("name", &self.name)
            .field("stored", &self.stored)
            .field("values", &self.values.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
