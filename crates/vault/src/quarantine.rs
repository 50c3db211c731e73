use crate::check_unique::Subjects;
use crate::intake::Intake;
use crate::look_over::LookedOver;
use crate::sealed_file::{self, SealedFile};
use crate::token::{Tokens, is_identifier};
use crate::unit::Unit;
use crate::{DataFile, Key, ROW_COLUMN, SUBJECT_COLUMN, Store, Unkept, Unreceivable};
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::encryption::decrypt::FileDecryptionProperties;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use terms::{
    Dataset, DatasetName, Digest, ExternalId, IdentifierDomain, Item, ItemName, KeyName, Shape,
    Snapshot, Type,
};

/// What identifiers of data from outside become.
#[derive(Debug)]
pub struct GateKeys {
    /// Of the scenario it serves: what is stored in place of identifiers.
    pub tokens: Key,
    /// Of the domain: by what lists are held against each other.
    pub lists: Key,
}

/// Data from outside as it lies in quarantine, and what was seen of it on its way there.
#[derive(Debug)]
pub struct Quarantined {
    /// Rows.
    pub rows: u64,
    /// SHA-256 of the stored file.
    pub digest: Digest,
    /// The types of the items as they are stored.
    pub types: Vec<Option<Type>>,
    /// Who is in each column of identifiers.
    pub lists: Vec<KeyList>,
    /// How many values of a column look like what stands for a person, by shape.
    pub shapes: BTreeMap<(ItemName, Shape), u64>,
}

/// The distinct identifiers of one column, as tokens of the gate: they say who is the same.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyList {
    /// Of which item.
    pub item: ItemName,
    /// What they identify.
    pub domain: IdentifierDomain,
    /// The tokens, ascending.
    pub tokens: Vec<u128>,
}

/// A column on its way into quarantine.
struct Column {
    item: ItemName,
    /// Of identifiers: what is stored, and what lists are held against.
    key: Option<(IdentifierDomain, Tokens, Tokens)>,
    seen: HashSet<u128>,
    looked_over: LookedOver,
}

// === impl Store ===

impl Store {
    /// Seals data from outside under a key of its own, its identifiers as tokens of the scenario it
    /// serves: the whole of it, or nothing. Whatever had that id before is gone.
    ///
    /// # Errors
    /// The first thing wrong, by line and column. Nothing half-done is left behind.
    pub fn quarantine(
        &self,
        id: &ExternalId,
        (dataset, file): (&Dataset, DataFile<'_>),
        keys: &GateKeys,
    ) -> Result<Quarantined, Unreceivable> {
        let mut intake = Intake::open(dataset, file, &mut |_| {})?;
        let mut columns: Vec<Column> = dataset.items.iter().map(|i| Column::of(i, keys)).collect();
        let types = stored(&intake, (file.path, &columns))?;
        let fields = fields(intake.fields(), &columns);
        let path = self.quarantine_path(id);
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder).map_err(|source| Unreceivable::Unwritable {
            path: path.clone(),
            source,
        })?;
        // A crash below leaves a key without a file, or a file without a final name: the next start
        // finds nothing on record of this id, and takes both away.
        let unit = self.keyring().new_named(&KeyName::Quarantine(id.clone()))?;
        let sealed = SealedFile::create(&path, &fields, &unit)
            .and_then(|sealed| fill(sealed, (&mut intake, dataset, file.path), &mut columns));
        let (rows, digest) = match sealed {
            Ok(sealed) => sealed,
            Err(cause) => {
                self.release(id)?;
                return Err(cause);
            }
        };
        let shapes = columns.iter().flat_map(|column| {
            let shapes = column.looked_over.shapes().into_iter();
            shapes.map(|(shape, count)| ((column.item.clone(), shape), count))
        });
        Ok(Quarantined {
            rows,
            digest,
            types,
            shapes: shapes.collect(),
            lists: columns.into_iter().filter_map(Column::list).collect(),
        })
    }

    /// Makes what was approved a state of its dataset, under a key of its own: the whole of it, or
    /// nothing. What lies in quarantine stays there until it is released.
    ///
    /// # Errors
    /// The key store's, the file system's, or [`Unreceivable::SnapshotExists`].
    pub fn admit(
        &self,
        id: &ExternalId,
        (dataset, number): (&DatasetName, u32),
        types: &[Option<Type>],
    ) -> Result<Snapshot, Unreceivable> {
        let path = self.path(dataset, number);
        if path.exists() {
            let dataset = dataset.clone();
            return Err(Unreceivable::SnapshotExists { dataset, number });
        }
        let from = self.quarantine_path(id);
        let unit = self.keyring().named(&KeyName::Quarantine(id.clone()))?;
        let (reader, fields) = opened(&from, &unit)?;
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder).map_err(|source| Unreceivable::Unwritable {
            path: path.clone(),
            source,
        })?;
        // As with data that is loaded: a crash below leaves what the next start takes away.
        let unit = self.keyring().new_unit(dataset, number)?;
        let stored =
            SealedFile::create(&path, &fields, &unit).and_then(|file| copied(file, reader, &from));
        match stored {
            Ok((rows, digest)) => Ok(Snapshot {
                dataset: dataset.clone(),
                number,
                rows,
                digest,
                types: types.to_vec(),
            }),
            Err(cause) => {
                self.keyring().remove_unit(dataset, number)?;
                Err(cause)
            }
        }
    }

    /// Takes what lies in quarantine under an id away: its key, then its file. What is not there is no
    /// error.
    ///
    /// # Errors
    /// The key store's or the file system's.
    pub fn release(&self, id: &ExternalId) -> Result<(), Unkept> {
        self.keyring()
            .remove_named(&KeyName::Quarantine(id.clone()))?;
        removed(&self.quarantine_path(id))
    }

    /// Destroys what lies in quarantine under an id: its key for good, then its file. What is gone
    /// already is no error.
    ///
    /// # Errors
    /// As [`Store::release`].
    pub fn destroy_quarantined(&self, id: &ExternalId) -> Result<(), Unkept> {
        let name = KeyName::Quarantine(id.clone());
        let keys = self.keyring().status().keys;
        if keys.iter().any(|(known, _)| *known == name) {
            self.keyring().destroy(&[name])?;
        }
        removed(&self.quarantine_path(id))
    }

    /// What lies in quarantine: under which ids there is a key.
    #[must_use]
    pub fn quarantined(&self) -> Vec<ExternalId> {
        let keys = self.keyring().status().keys.into_iter();
        let id = |(name, _)| match name {
            KeyName::Quarantine(id) => Some(id),
            KeyName::Storage(_)
            | KeyName::Tokens
            | KeyName::Cells
            | KeyName::Sealed
            | KeyName::Backup
            | KeyName::Snapshot { .. } => None,
        };
        keys.filter_map(id).collect()
    }

    fn quarantine_path(&self, id: &ExternalId) -> PathBuf {
        self.quarantine_dir().join(format!("{id}.parquet"))
    }
}

// === impl Column ===

impl Column {
    fn of(item: &Item, keys: &GateKeys) -> Self {
        let key = |domain: &IdentifierDomain| {
            let stored = Tokens::of(&keys.tokens, domain);
            (domain.clone(), stored, Tokens::of(&keys.lists, domain))
        };
        Self {
            item: item.name.clone(),
            key: item.domain.as_ref().filter(|_| item.is_key()).map(key),
            seen: HashSet::new(),
            looked_over: LookedOver::default(),
        }
    }

    /// Looks a column over and gives it as it is stored.
    fn take(&mut self, array: ArrayRef) -> Option<ArrayRef> {
        self.looked_over.take(&array);
        let Some((_, stored, listed)) = &self.key else {
            return Some(array);
        };
        listed.gather(&array, &mut self.seen).ok()?;
        stored.column(&array).ok()
    }

    fn list(self) -> Option<KeyList> {
        let (domain, ..) = self.key?;
        let mut tokens: Vec<u128> = self.seen.into_iter().collect();
        tokens.sort_unstable();
        Some(KeyList {
            item: self.item,
            domain,
            tokens,
        })
    }
}

/// The types that are stored: identifiers as text.
fn stored(
    intake: &Intake,
    (path, columns): (&Path, &[Column]),
) -> Result<Vec<Option<Type>>, Unreceivable> {
    let mut types = intake.types();
    for (found, column) in types.iter_mut().zip(columns) {
        if column.key.is_none() {
            continue;
        }
        if !is_identifier(*found) {
            return Err(Unreceivable::NoIdentifier {
                path: path.to_owned(),
                item: column.item.clone(),
            });
        }
        *found = Some(Type::Text);
    }
    Ok(types)
}

fn fields(given: &Fields, columns: &[Column]) -> Fields {
    let field = |(field, column): (&Arc<Field>, &Column)| match column.key {
        Some(_) => Arc::new(Field::new(column.item.as_str(), DataType::Utf8, true)),
        None => Arc::clone(field),
    };
    given.iter().zip(columns).map(field).collect()
}

fn fill(
    mut file: SealedFile,
    (intake, dataset, path): (&mut Intake, &Dataset, &Path),
    columns: &mut [Column],
) -> Result<(u64, Digest), Unreceivable> {
    let mut subjects = Subjects::default();
    while let Some(arrays) = intake.next()? {
        let rows = arrays.first().map_or(0, |array| array.len());
        let of = dataset.subject.as_ref();
        let numbers = match of.and_then(|name| intake.plain_column(name, &arrays)) {
            Some((array, plain)) => subjects.number(array, plain),
            None => Int64Array::new_null(rows),
        };
        let mut done = Vec::with_capacity(columns.len());
        for (array, column) in arrays.into_iter().zip(columns.iter_mut()) {
            let taken = column.take(array);
            done.push(taken.ok_or_else(|| Unreceivable::NoIdentifier {
                path: path.to_owned(),
                item: column.item.clone(),
            })?);
        }
        file.write(done, numbers)?;
    }
    file.finish()
}

/// A stored file with all its keys, and its items' fields.
fn opened(path: &Path, unit: &Unit) -> Result<(ParquetRecordBatchReader, Fields), Unkept> {
    let unreadable = || Unkept::Unreadable {
        path: path.to_owned(),
    };
    // The footer has the names by which the columns' keys are found.
    let footer = || FileDecryptionProperties::builder(unit.footer_key().bytes().to_vec());
    let build = |properties: Result<_, parquet::errors::ParquetError>| {
        let properties = properties.map_err(|_| unreadable())?;
        let options = ArrowReaderOptions::new().with_file_decryption_properties(properties);
        let file = sealed_file::opened(path).map_err(|_| unreadable())?;
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options);
        builder.map_err(|_| unreadable())
    };
    let names = build(footer().build())?.schema().clone();
    let mut properties = footer();
    for field in names.fields() {
        let key = unit.column_key(field.name()).bytes().to_vec();
        properties = properties.with_column_key(field.name(), key);
    }
    let reader = build(properties.build())?.build();
    let is_item =
        |field: &&Arc<Field>| ![ROW_COLUMN, SUBJECT_COLUMN].contains(&field.name().as_str());
    let items = names.fields().iter().filter(is_item).cloned().collect();
    Ok((reader.map_err(|_| unreadable())?, items))
}

fn copied(
    mut file: SealedFile,
    reader: ParquetRecordBatchReader,
    from: &Path,
) -> Result<(u64, Digest), Unreceivable> {
    let unreadable = || Unkept::Unreadable {
        path: from.to_owned(),
    };
    for batch in reader {
        let batch: RecordBatch = batch.map_err(|_| unreadable())?;
        let mut columns = batch.columns().to_vec();
        // The file numbers its rows itself.
        let (subjects, _) = (columns.pop(), columns.pop());
        let subjects = subjects.ok_or_else(unreadable)?;
        let subjects = subjects.as_primitive_opt::<Int64Type>();
        file.write(columns, subjects.ok_or_else(unreadable)?.clone())?;
    }
    file.finish()
}

fn removed(path: &Path) -> Result<(), Unkept> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Unkept::File {
            path: path.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests;
