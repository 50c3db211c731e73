use crate::sealed_file::SealedFile;
use crate::{Store, Unkept, Unreceivable};
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{Field, Fields, Int64Type, SchemaRef};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use terms::{DatasetName, Digest, KeyName};

/// A result on its way into the store, batch by batch. It is discarded where it is dropped before it was
/// settled: a result that nobody put on record is none.
pub struct Keeping {
    store: Store,
    dataset: DatasetName,
    number: u32,
    hidden: usize,
    file: Option<SealedFile>,
    is_settled: bool,
}

// === impl Store ===

impl Store {
    /// Begins to keep a result under a name that none had before. Its last `hidden` columns, none, one or
    /// two, are the numbers of its rows (where there are two) and of their subjects.
    ///
    /// # Errors
    /// [`Unreceivable`]; nothing is left behind.
    pub fn keep(
        &self,
        (dataset, number): (&DatasetName, u32),
        schema: &SchemaRef,
        hidden: usize,
    ) -> Result<Keeping, Unreceivable> {
        let path = self.path(dataset, number);
        if path.exists() {
            return Err(Unreceivable::SnapshotExists {
                dataset: dataset.clone(),
                number,
            });
        }
        let shown = schema.fields().len().saturating_sub(hidden);
        let stored = |field: &Arc<Field>| Field::new(field.name(), field.data_type().clone(), true);
        let fields: Fields = schema.fields().iter().take(shown).map(stored).collect();
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|source| Unreceivable::Unwritable {
            path: path.clone(),
            source,
        })?;
        let unit = self.keyring().new_unit(dataset, number)?;
        let mut keeping = Keeping {
            store: self.clone(),
            dataset: dataset.clone(),
            number,
            hidden,
            file: None,
            is_settled: false,
        };
        keeping.file = Some(SealedFile::create(&path, &fields, &unit)?);
        Ok(keeping)
    }

    /// The kept results that have a key or a file here, on record or not.
    ///
    /// # Errors
    /// The file system's.
    pub fn kept(&self) -> Result<BTreeSet<(DatasetName, u32)>, Unkept> {
        let mut found = BTreeSet::new();
        for (name, _) in self.keyring().status().keys {
            if let KeyName::Snapshot { dataset, number } = name
                && dataset.schema() == DatasetName::WORKSPACE
            {
                found.insert((dataset, number));
            }
        }
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Unkept::File { path, source }
        };
        let listed = |path: &Path| match std::fs::read_dir(path) {
            Ok(entries) => entries.collect::<Result<Vec<_>, _>>().map_err(failed(path)),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(failed(path)(source)),
        };
        for folder in listed(self.data_dir())? {
            let name = folder.file_name();
            let Some(Ok(dataset)) = name.to_str().map(str::parse::<DatasetName>) else {
                continue;
            };
            if dataset.schema() != DatasetName::WORKSPACE {
                continue;
            }
            for file in listed(&folder.path())? {
                let name = file.file_name();
                let number = name.to_str().and_then(|name| name.split('.').next());
                if let Some(Ok(number)) = number.map(str::parse) {
                    found.insert((dataset.clone(), number));
                }
            }
        }
        Ok(found)
    }

    /// Destroys kept results: their keys for good, all at once, then their files. One that is destroyed
    /// already is no error.
    ///
    /// # Errors
    /// The key store's, or the file system's; the keys are gone before a file is touched.
    pub fn destroy_kept(&self, results: &BTreeSet<(DatasetName, u32)>) -> Result<(), Unkept> {
        let keys = self.keyring().status().keys;
        let named = results.iter().map(|(dataset, number)| KeyName::Snapshot {
            dataset: dataset.clone(),
            number: *number,
        });
        let names: Vec<_> = named
            .filter(|name| keys.iter().any(|(known, _)| known == name))
            .collect();
        if !names.is_empty() {
            self.keyring().destroy(&names)?;
        }
        for (dataset, number) in results {
            let path = self.path(dataset, *number);
            for path in [path.with_extension("parquet.part"), path.clone()] {
                match std::fs::remove_file(&path) {
                    Ok(()) => {}
                    Err(source) if source.kind() == std::io::ErrorKind::NotFound => {}
                    Err(source) => return Err(Unkept::File { path, source }),
                }
            }
            // Its folder was its own; one that holds something else stays.
            if let Some(folder) = path.parent() {
                let _ = std::fs::remove_dir(folder);
            }
        }
        Ok(())
    }
}

// === impl Keeping ===

impl Keeping {
    /// Appends a batch of the schema it was begun with.
    ///
    /// # Errors
    /// [`Unreceivable::Unencodable`], where it is of another, or a row has no number.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Unreceivable> {
        let shown = batch.num_columns().saturating_sub(self.hidden);
        let (shown, hidden) = batch
            .columns()
            .split_at_checked(shown)
            .unwrap_or((batch.columns(), &[]));
        let file = self.file.as_mut();
        let Some(file) = file else {
            return Err(self.unwritable());
        };
        let numbers = |column: &ArrayRef| column.as_primitive_opt::<Int64Type>().cloned();
        let (rows, subjects) = match hidden {
            [] => (None, Some(Int64Array::new_null(batch.num_rows()))),
            [subject] => (None, numbers(subject)),
            [row, subject] => (numbers(row), numbers(subject)),
            _ => (None, None),
        };
        // INVARIANT (people stay counted): rows that have numbers keep them.
        let (Some(subjects), true) = (subjects, rows.is_some() == (hidden.len() == 2)) else {
            return Err(self.unwritable());
        };
        file.write_numbered(shown.to_vec(), rows, subjects)?;
        Ok(())
    }

    /// Makes the file whole and durable, and gives its digest. It is discarded all the same unless it is
    /// settled.
    ///
    /// # Errors
    /// The file system's.
    pub fn finish(&mut self) -> Result<Digest, Unreceivable> {
        match self.file.take() {
            Some(file) => Ok(file.finish()?.1),
            None => Err(self.unwritable()),
        }
    }

    /// It is on record, or may be: it stays.
    pub fn settle(mut self) {
        self.is_settled = true;
    }

    fn unwritable(&self) -> Unreceivable {
        Unreceivable::Unwritable {
            path: self.store.path(&self.dataset, self.number),
            source: std::io::ErrorKind::InvalidData.into(),
        }
    }
}

impl std::fmt::Debug for Keeping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeping")
            .field("dataset", &self.dataset)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        self.file = None;
        // What cannot be discarded now is found at the next start, since nothing on record names it.
        let _ = self.store.discard(&self.dataset, self.number);
        let path = self.store.path(&self.dataset, self.number);
        if let Some(folder) = path.parent() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}
