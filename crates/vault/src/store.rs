use crate::extent::{Extent, Extents};
use crate::fill::fill;
use crate::intake::Intake;
use crate::sealed_file::SealedFile;
use crate::{DataFile, Key, Keyring, Unkept, Unreceivable, open_plain};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use terms::{Dataset, DatasetName, Digest, Grade, ItemName, KeyName, Snapshot};

/// The sealed files of a domain; a clone is another handle on the same store.
#[derive(Debug, Clone)]
pub struct Store {
    data_dir: PathBuf,
    quarantine_dir: PathBuf,
    keyring: Keyring,
    extents: Extents,
}

/// What a job needs to read some columns of one snapshot, and nothing else.
#[derive(Debug, Clone)]
pub struct SourceKeys {
    /// The encrypted Parquet file.
    pub path: PathBuf,
    /// Opens the footer: names and types of columns, and counts of rows.
    pub footer_key: Key,
    /// The asked items in the order asked, then [`ROW_COLUMN`] and [`SUBJECT_COLUMN`], each with its
    /// key.
    pub columns: Vec<(String, Key)>,
}

/// What was stored under a key that was destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The file's name in the domain's folder.
    pub name: String,
    /// Its digest as ciphertext, and its length; none where it was gone already.
    pub digest: Option<(Digest, u64)>,
}

/// How far data has come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows stored so far.
    pub rows: u64,
    /// Bytes read so far; a CSV file is read twice.
    pub bytes_done: u64,
    /// Bytes to read.
    pub bytes_total: u64,
}

/// The column we add to every file: the row's number, from 0. No item can have this name.
pub const ROW_COLUMN: &str = "__row";
/// The other column we add: the number of the row's subject, from 0, null where it has none. It says
/// who is the same, not who it is. No item can have this name.
pub const SUBJECT_COLUMN: &str = "__subject";

// === impl SourceKeys ===

impl SourceKeys {
    /// What the rows of this very file are put in order by, in the scenario whose key of orders this is.
    #[must_use]
    pub fn order_key(&self, scenario: &Key) -> Key {
        scenario.derive("file", self.footer_key.bytes())
    }
}

// === impl Store ===

impl Store {
    /// The store of the domain in this directory.
    #[must_use]
    pub fn new(dir: &Path, keyring: &Keyring) -> Self {
        Self {
            data_dir: dir.join("data"),
            quarantine_dir: dir.join("quarantine"),
            keyring: keyring.clone(),
            extents: Extents::default(),
        }
    }

    /// Brings data in as one snapshot: the whole file, or nothing.
    ///
    /// Shape: CSV (comma, header, UTF-8) or Parquet in; one encrypted Parquet file out, its columns
    /// the catalogue's items in order, [`ROW_COLUMN`] and [`SUBJECT_COLUMN`]. Memory is bounded by
    /// batches and row groups, plus 16 bytes a row for each unique item, and 24 bytes a subject where the
    /// subject is not unique. Two threads share the work.
    ///
    /// # Errors
    /// The first thing wrong, by file, line and column. Nothing half-done is left behind.
    pub fn ingest(
        &self,
        dataset: &Dataset,
        data: &Path,
        number: u32,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Snapshot, Unreceivable> {
        let path = self.path(&dataset.name, number);
        if path.exists() {
            return Err(Unreceivable::SnapshotExists {
                dataset: dataset.name.clone(),
                number,
            });
        }
        let mut intake = Intake::open(dataset, DataFile::named(data)?, progress)?;
        let unwritable = |source| Unreceivable::Unwritable {
            path: path.clone(),
            source,
        };
        let folder = path.parent().unwrap_or(&self.data_dir);
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        // A crash below leaves a key without a file or a file with no final name: both are
        // replaced by the next attempt at this number.
        let unit = self.keyring.new_unit(&dataset.name, number)?;
        let open = dataset.items.iter().filter(|item| item.grade == Grade::One);
        let open: Vec<&str> = open.map(|item| item.name.as_str()).collect();
        let stored = SealedFile::create_with(&path, intake.fields(), (&unit, &open))
            .and_then(|file| fill(file, &mut intake, dataset, progress));
        match stored {
            Ok((rows, digest)) => Ok(Snapshot {
                dataset: dataset.name.clone(),
                number,
                rows,
                digest,
                types: intake.types(),
            }),
            Err(cause) => {
                self.keyring.remove_unit(&dataset.name, number)?;
                Err(cause)
            }
        }
    }

    /// The file of a snapshot and the keys of exactly these items.
    ///
    /// # Errors
    /// [`Unkept::UnitAbsent`] where the snapshot never was or was destroyed, or the key store's.
    pub fn source(
        &self,
        dataset: &DatasetName,
        number: u32,
        items: &[ItemName],
    ) -> Result<SourceKeys, Unkept> {
        let unit = self.keyring.unit(dataset, number)?;
        let names = items
            .iter()
            .map(ItemName::as_str)
            .chain([ROW_COLUMN, SUBJECT_COLUMN]);
        Ok(SourceKeys {
            path: self.path(dataset, number),
            footer_key: unit.footer_key(),
            columns: names
                .map(|name| (name.to_owned(), unit.column_key(name)))
                .collect(),
        })
    }

    /// How many rows the snapshot of a source has, and how many bytes its items' columns.
    ///
    /// # Errors
    /// [`Unkept::Unreadable`].
    pub fn extent(&self, source: &SourceKeys) -> Result<Extent, Unkept> {
        self.extents.of(source)
    }

    /// Removes a snapshot that no event recorded: what an interrupted load left behind.
    ///
    /// # Errors
    /// The file system's; a snapshot that is not there is no error.
    pub fn discard(&self, dataset: &DatasetName, number: u32) -> Result<(), Unkept> {
        // The key first: without it the file is noise.
        self.keyring.remove_unit(dataset, number)?;
        let path = self.path(dataset, number);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(Unkept::File { path, source }),
        }
    }

    /// Removes what a process that was killed had begun to seal: files that never got their names. Only
    /// who has the domain to itself may ask.
    ///
    /// # Errors
    /// The file system's.
    pub fn sweep_unfinished(&self) -> Result<(), Unkept> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Unkept::File { path, source }
        };
        let mut folders = vec![self.data_dir.clone()];
        while let Some(folder) = folders.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => return Err(failed(&folder)(source)),
            };
            for entry in entries {
                let path = entry.map_err(failed(&folder))?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|name| name == "part") {
                    std::fs::remove_file(&path).map_err(failed(&path))?;
                }
            }
        }
        Ok(())
    }

    /// Destroys a snapshot: its key for good, then its file. One that is destroyed already is no error.
    ///
    /// # Errors
    /// The key store's, or the file system's; the key is gone before the file is touched.
    pub fn destroy(&self, dataset: &DatasetName, number: u32) -> Result<Erased, Unkept> {
        let name = KeyName::Snapshot {
            dataset: dataset.clone(),
            number,
        };
        let path = self.path(dataset, number);
        let digest = digest_of(&path).map_err(|source| Unkept::File {
            path: path.clone(),
            source,
        })?;
        let keys = self.keyring.status().keys;
        if keys.iter().any(|(known, _)| *known == name) {
            self.keyring.destroy(&[name])?;
        }
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Unkept::File { path, source }),
        }
        Ok(Erased {
            name: format!("data/{dataset}/{number}.parquet"),
            digest,
        })
    }

    /// The snapshots of a dataset that are stored, by number.
    ///
    /// # Errors
    /// The file system's; a dataset without data is no error.
    pub fn stored(&self, dataset: &DatasetName) -> Result<Vec<u32>, Unkept> {
        let path = self.data_dir.join(dataset.as_str());
        let unreadable = |source| Unkept::File {
            path: path.clone(),
            source,
        };
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(unreadable(source)),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry.map_err(unreadable)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".parquet"));
            numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The digest of a snapshot's file as ciphertext, and its length; none where there is no file.
    ///
    /// # Errors
    /// The file system's.
    pub fn digest(
        &self,
        dataset: &DatasetName,
        number: u32,
    ) -> Result<Option<(Digest, u64)>, Unkept> {
        let path = self.path(dataset, number);
        digest_of(&path).map_err(|source| Unkept::File { path, source })
    }

    /// The number of each row's subject, by the row's number. Only those who audit releases ask.
    ///
    /// # Errors
    /// The key store's, or [`Unkept::Unreadable`].
    pub fn subjects(&self, dataset: &DatasetName, number: u32) -> Result<Vec<Option<u32>>, Unkept> {
        let source = self.source(dataset, number, &[])?;
        crate::subjects::read(&source)
    }

    /// Where data from outside lies until somebody decides.
    #[must_use]
    pub fn quarantine_dir(&self) -> &Path {
        &self.quarantine_dir
    }

    pub(crate) const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(crate) fn path(&self, dataset: &DatasetName, number: u32) -> PathBuf {
        self.data_dir
            .join(dataset.as_str())
            .join(format!("{number}.parquet"))
    }
}

/// The digest of a file and its length; none where there is no file.
fn digest_of(path: &Path) -> std::io::Result<Option<(Digest, u64)>> {
    let mut file = match open_plain(path) {
        Ok(file) => file,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(source),
    };
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    let (mut piece, mut length) = (vec![0; 1 << 16], 0);
    loop {
        let read = file.read(&mut piece)?;
        match piece.get(..read) {
            None | Some([]) => return Ok(Some((Digest::finished(hash), length))),
            Some(bytes) => hash.update(bytes),
        }
        length += u64::try_from(read).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests;
