use crate::csv_columns::{UTF_8, date, number, settle, told_as};
use crate::csv_rows::CsvRows;
use crate::intake::{Batch, Places};
use crate::plain_type::expected;
use crate::{Place, Progress, Unreceivable};
use arrow::array::{
    ArrayBuilder, ArrayRef, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
};
use arrow::datatypes::Date32Type;
use std::path::{Path, PathBuf};
use terms::{Item, Type};

/// A CSV file as batches: read once to settle types, and once more to bring the values in.
pub(crate) struct CsvIntake {
    path: PathBuf,
    rows: CsvRows,
    /// Each item with its column in the file and its type.
    items: Vec<(Item, usize, Type)>,
    size: u64,
}

/// One column of a batch being built.
enum Column {
    Int(Int64Builder),
    Float(Float64Builder),
    Date(Date32Builder),
    Text(StringBuilder),
}

const BATCH_ROWS_MAX: usize = 8192;
const BATCH_BYTES_MAX: u64 = 16 << 20;

// === impl CsvIntake ===

impl CsvIntake {
    /// Settles the types of the columns and goes back to the first row.
    pub(crate) fn open(
        path: &Path,
        rows: CsvRows,
        items: Vec<(Item, usize)>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, Unreceivable> {
        let unreadable = |source| Unreceivable::Unreadable {
            path: path.to_owned(),
            source,
        };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        let types = settle(path, &items, &mut |bytes| progress(told_as(bytes, size)))?;
        let items = items
            .into_iter()
            .zip(types)
            .map(|((item, at), plain)| (item, at, plain));
        Ok(Self {
            path: path.to_owned(),
            rows,
            items: items.collect(),
            size,
        })
    }

    /// The types settled, in the order of the items.
    pub(crate) fn types(&self) -> impl Iterator<Item = Type> {
        self.items.iter().map(|(_, _, plain)| *plain)
    }

    /// Bytes read and to read, both passes counted.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (
            self.size.saturating_add(self.rows.bytes_done()),
            self.size.saturating_mul(2),
        )
    }

    /// The next rows, in the stored types.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>, Unreceivable> {
        let mut columns: Vec<_> = self
            .items
            .iter()
            .map(|(_, _, plain)| Column::of(*plain))
            .collect();
        let mut lines = Vec::new();
        let mut bytes = 0_u64;
        while lines.len() < BATCH_ROWS_MAX && bytes < BATCH_BYTES_MAX {
            let Some((line, record)) = self.rows.next()? else {
                break;
            };
            for ((item, at, plain), column) in self.items.iter().zip(&mut columns) {
                let misfit = |expected| Unreceivable::Misfit {
                    path: self.path.clone(),
                    place: Place::Line(line),
                    column: item.name.to_string(),
                    expected,
                };
                let field = record.get(*at).unwrap_or_default();
                let field = std::str::from_utf8(field).map_err(|_| misfit(UTF_8))?;
                column.push(field).ok_or_else(|| misfit(expected(*plain)))?;
            }
            let length = record.as_slice().len();
            bytes = bytes.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
            lines.push(line);
        }
        if lines.is_empty() {
            return Ok(None);
        }
        let columns = columns.into_iter().map(Column::finish).collect();
        Ok(Some(Batch {
            columns,
            places: Places::Lines(lines),
        }))
    }
}

// === impl Column ===

impl Column {
    fn of(plain: Type) -> Self {
        match plain {
            Type::Int => Self::Int(Int64Builder::new()),
            Type::Float => Self::Float(Float64Builder::new()),
            Type::Date => Self::Date(Date32Builder::new()),
            Type::Bool
            | Type::Decimal { .. }
            | Type::Text
            | Type::Timestamp
            | Type::Interval
            | Type::Witness => Self::Text(StringBuilder::new()),
        }
    }

    /// Adds a field, or gives none where it is not of the column's type.
    fn push(&mut self, field: &str) -> Option<()> {
        let absent = field.is_empty();
        match self {
            Self::Int(column) if absent => column.append_null(),
            Self::Float(column) if absent => column.append_null(),
            Self::Date(column) if absent => column.append_null(),
            Self::Text(column) if absent => column.append_null(),
            Self::Int(column) => column.append_value(field.parse().ok()?),
            Self::Float(column) => column.append_value(number(field)?),
            Self::Date(column) => column.append_value(Date32Type::from_naive_date(date(field)?)),
            Self::Text(column) => column.append_value(field),
        }
        Some(())
    }

    fn finish(mut self) -> ArrayRef {
        let column: &mut dyn ArrayBuilder = match &mut self {
            Self::Int(column) => column,
            Self::Float(column) => column,
            Self::Date(column) => column,
            Self::Text(column) => column,
        };
        column.finish()
    }
}
