use crate::check_unique::{NotUnique, Seen};
use crate::csv_intake::CsvIntake;
use crate::csv_rows::CsvRows;
use crate::derive::{Derived, FINITE};
use crate::parquet_intake::ParquetIntake;
use crate::plain_type::{expected, normalise, plain_type, stored_type};
use crate::{DataFile, Format, Place, Progress, Unreceivable};
use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::{DataType, Field, Fields};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use terms::{Dataset, Grade, Item, ItemName, Type};

/// Data on its way in: checked batches, one array per item in the order of the catalogue.
pub(crate) struct Intake {
    path: PathBuf,
    source: Source,
    columns: Vec<Column>,
    fields: Fields,
    derived: Vec<Derived>,
}

enum Source {
    Csv(Box<CsvIntake>),
    Parquet(Box<ParquetIntake>),
}

/// An item's column: what its values become, and what it has shown if it must be unique.
struct Column {
    name: String,
    plain: Option<Type>,
    seen: Option<Seen>,
}

/// Rows as a source gives them.
pub(crate) struct Batch {
    pub(crate) columns: Vec<ArrayRef>,
    pub(crate) places: Places,
}

/// Where the rows of a batch stand in their file.
pub(crate) enum Places {
    Lines(Vec<u64>),
    RowsFrom(u64),
}

// === impl Intake ===

impl Intake {
    /// Opens a data file and holds its columns against the catalogue entry.
    pub(crate) fn open(
        dataset: &Dataset,
        DataFile { path, format }: DataFile<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, Unreceivable> {
        dataset
            .derivable()
            .map_err(|source| Unreceivable::Underivable {
                path: path.to_owned(),
                source,
            })?;
        let mut given = dataset.clone();
        given.items.retain(|item| item.derived.is_none());
        let intake = match format {
            Format::Csv => Self::open_csv(&given, path, progress),
            Format::Parquet => Self::open_parquet(&given, path),
        };
        intake?.completed(dataset)
    }

    /// The same with columns for derived items, in the order of the catalogue.
    fn completed(mut self, dataset: &Dataset) -> Result<Self, Unreceivable> {
        let mut given = self.columns.into_iter().zip(self.fields.iter().cloned());
        let mut columns = Vec::with_capacity(dataset.items.len());
        for item in &dataset.items {
            columns.push(match &item.derived {
                Some(_) => None,
                None => given.next(),
            });
        }
        let plain = |column: &Option<(Column, _)>| column.as_ref().and_then(|(c, _)| c.plain);
        let types: Vec<_> = columns.iter().map(plain).collect();
        self.derived = Derived::of(dataset, &self.path, &types)?;
        let (mut all, mut fields) = (Vec::new(), Vec::new());
        for (at, (item, column)) in dataset.items.iter().zip(columns).enumerate() {
            let derived = self.derived.iter().find(|derived| derived.at == at);
            let (column, field) = match (column, derived) {
                (Some(given), _) => given,
                (None, derived) => {
                    let plain = derived.map(Derived::plain);
                    let stored = plain.and_then(stored_type).unwrap_or(DataType::Null);
                    let field = Field::new(item.name.as_str(), stored, true);
                    (Column::new(item, plain), Arc::new(field))
                }
            };
            all.push(column);
            fields.push(field);
        }
        (self.columns, self.fields) = (all, fields.into());
        Ok(self)
    }

    fn open_csv(
        dataset: &Dataset,
        path: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, Unreceivable> {
        let rows = CsvRows::open(path)?;
        let at = match_columns(dataset, path, rows.header())?;
        let items: Vec<_> = dataset.items.iter().cloned().zip(at).collect();
        let source = CsvIntake::open(path, rows, items, progress)?;
        let columns: Vec<_> = dataset
            .items
            .iter()
            .zip(source.types())
            .map(|(item, plain)| Column::new(item, Some(plain)))
            .collect();
        let stored = columns
            .iter()
            .map(|column| column.plain.and_then(stored_type));
        let fields = fields(&columns, stored);
        Ok(Self {
            path: path.to_owned(),
            source: Source::Csv(Box::new(source)),
            columns,
            fields,
            derived: Vec::new(),
        })
    }

    fn open_parquet(dataset: &Dataset, path: &Path) -> Result<Self, Unreceivable> {
        let mut source = ParquetIntake::open(path)?;
        let schema = source.schema().clone();
        let names: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let at = match_columns(dataset, path, &names)?;
        let found: Vec<_> = at.iter().map(|at| schema.field(*at).data_type()).collect();
        let mut columns = Vec::new();
        for (item, found) in dataset.items.iter().zip(&found) {
            let plain = plain_type(found);
            if plain.is_none() && (item.grade < Grade::Four || item.unique) {
                return Err(Unreceivable::NotPlain {
                    path: path.to_owned(),
                    item: item.name.clone(),
                    grade: item.grade,
                    found: found.to_string(),
                });
            }
            columns.push(Column::new(item, plain));
        }
        let stored = columns
            .iter()
            .zip(&found)
            .map(|(column, found)| match column.plain {
                Some(plain) => stored_type(plain),
                None => Some((*found).clone()),
            });
        let fields = fields(&columns, stored);
        source.arrange(at);
        let source = Source::Parquet(Box::new(source));
        Ok(Self {
            path: path.to_owned(),
            source,
            columns,
            fields,
            derived: Vec::new(),
        })
    }

    /// The columns to be stored.
    pub(crate) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The types found, in the order of the catalogue.
    pub(crate) fn types(&self) -> Vec<Option<Type>> {
        self.columns.iter().map(|column| column.plain).collect()
    }

    /// The column of an item among these, with its type where it is plain.
    pub(crate) fn plain_column<'c>(
        &self,
        item: &ItemName,
        columns: &'c [ArrayRef],
    ) -> Option<(&'c ArrayRef, Type)> {
        let at = self.columns.iter().position(|c| c.name == item.as_str())?;
        Some((columns.get(at)?, self.columns.get(at)?.plain?))
    }

    /// Bytes read and to read.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        match &self.source {
            Source::Csv(source) => source.bytes(),
            Source::Parquet(source) => source.bytes(),
        }
    }

    /// The next rows, in the stored types, unique items checked.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<ArrayRef>>, Unreceivable> {
        let batch = match &mut self.source {
            Source::Csv(source) => source.next()?,
            Source::Parquet(source) => source.next()?,
        };
        let Some(Batch { columns, places }) = batch else {
            return Ok(None);
        };
        let rows = columns.first().map_or(0, |column| column.len());
        let mut given = columns.iter();
        let mut done = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter_mut().enumerate() {
            if self.derived.iter().any(|derived| derived.at == at) {
                // Its place is kept until all its parts are there.
                done.push(new_null_array(&DataType::Null, rows));
                continue;
            }
            let Some(array) = given.next() else {
                break;
            };
            let array = column
                .take(array)
                .map_err(|(at, cause)| cause.at(&self.path, &column.name, places.place(at)))?;
            done.push(array);
        }
        for derived in &self.derived {
            let values = derived.compute(&done, rows).map_err(|at| {
                let column = self.columns.get(derived.at);
                let name = column.map_or("", |column| column.name.as_str());
                Wrong::Misfit(FINITE).at(&self.path, name, places.place(at))
            })?;
            if let Some(place) = done.get_mut(derived.at) {
                *place = values;
            }
        }
        Ok(Some(done))
    }
}

/// What is wrong with a value.
enum Wrong {
    Misfit(&'static str),
    Duplicate,
}

impl Wrong {
    fn at(self, path: &Path, column: &str, place: Place) -> Unreceivable {
        let (path, column) = (path.to_owned(), column.to_owned());
        match self {
            Self::Misfit(expected) => Unreceivable::Misfit {
                path,
                place,
                column,
                expected,
            },
            Self::Duplicate => Unreceivable::Duplicate {
                path,
                place,
                column,
            },
        }
    }
}

// === impl Column ===

impl Column {
    fn new(item: &Item, plain: Option<Type>) -> Self {
        let seen = item.unique.then(Seen::default);
        Self {
            name: item.name.to_string(),
            plain,
            seen,
        }
    }

    /// Brings an array to its stored form, or says at which index it is wrong.
    fn take(&mut self, array: &ArrayRef) -> Result<ArrayRef, (usize, Wrong)> {
        let Some(plain) = self.plain else {
            return Ok(array.clone());
        };
        let array = normalise(array, plain).map_err(|at| (at, Wrong::Misfit(expected(plain))))?;
        if let Some(seen) = &mut self.seen {
            seen.add(&array, plain).map_err(|cause| match cause {
                NotUnique::Null(at) => (at, Wrong::Misfit("a value, since the item is unique")),
                NotUnique::Again(at) => (at, Wrong::Duplicate),
            })?;
        }
        Ok(array)
    }
}

// === impl Places ===

impl Places {
    fn place(&self, index: usize) -> Place {
        match self {
            Self::Lines(lines) => Place::Line(lines.get(index).copied().unwrap_or(0)),
            Self::RowsFrom(first) => {
                Place::Row(first.saturating_add(u64::try_from(index).unwrap_or(u64::MAX)))
            }
        }
    }
}

/// Finds each item's column, and insists that every column is an item.
fn match_columns(
    dataset: &Dataset,
    path: &Path,
    names: &[String],
) -> Result<Vec<usize>, Unreceivable> {
    let twice = names
        .iter()
        .enumerate()
        .find(|(at, name)| names.iter().take(*at).any(|n| n == *name));
    if let Some((_, column)) = twice {
        return Err(Unreceivable::ColumnTwice {
            path: path.to_owned(),
            column: column.clone(),
        });
    }
    let find = |item: &Item| names.iter().position(|name| name == item.name.as_str());
    let missing = dataset.items.iter().filter(|item| find(item).is_none());
    let missing = listed(missing.map(|item| item.name.as_str()));
    if !missing.is_empty() {
        return Err(Unreceivable::ItemsMissing {
            path: path.to_owned(),
            names: missing,
        });
    }
    let is_item = |name: &str| dataset.items.iter().any(|item| item.name.as_str() == name);
    let unknown = listed(
        names
            .iter()
            .map(String::as_str)
            .filter(|name| !is_item(name)),
    );
    if !unknown.is_empty() {
        return Err(Unreceivable::ColumnsUnknown {
            path: path.to_owned(),
            names: unknown,
        });
    }
    Ok(dataset.items.iter().filter_map(find).collect())
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let cut = |name: &str| name.chars().take(64).collect::<String>();
    names
        .map(|name| format!("`{}`", cut(name)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn fields(columns: &[Column], stored: impl Iterator<Item = Option<DataType>>) -> Fields {
    let field = |(column, stored): (&Column, Option<DataType>)| {
        Arc::new(Field::new(
            &column.name,
            stored.unwrap_or(DataType::Null),
            true,
        ))
    };
    columns.iter().zip(stored).map(field).collect()
}
