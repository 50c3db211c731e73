mod removal; // what retention takes out

use crate::Breach;
use crate::tree::{TileId, Tiles};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The database's `application_id`: `bndl`.
const APPLICATION: i64 = 0x626e_646c;
/// The version of the tables below.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE event (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT;
    CREATE TABLE sealed (idx INTEGER PRIMARY KEY, part BLOB NOT NULL) STRICT;
    CREATE TABLE tile (
        level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL,
        PRIMARY KEY (level, number)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
";

/// The log's database: SQLite in WAL mode, every commit synced.
#[derive(Debug)]
pub(crate) struct Store {
    file: PathBuf,
    database: Connection,
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) index: u64,
    pub(crate) leaf: Vec<u8>,
    pub(crate) sealed: Option<Vec<u8>>,
}

/// What one commit adds.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<Row>,
    pub(crate) tiles: BTreeMap<TileId, Vec<u8>>,
    pub(crate) size: u64,
    pub(crate) note: String,
}

impl Store {
    /// Makes the database of a new log.
    pub(crate) fn create(file: &Path) -> Result<Self, Breach> {
        drop(crate::place::write_new(file, b"")?);
        let store = Self::connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let settings = format!(
            "PRAGMA page_size = 16384; PRAGMA application_id = {APPLICATION}; \
             PRAGMA user_version = {VERSION}; PRAGMA journal_mode = WAL; {TABLES}"
        );
        store
            .database
            .execute_batch(&settings)
            .map_err(|source| store.failed(source))?;
        store.harden()?;
        Ok(store)
    }

    /// Opens the database for writing.
    pub(crate) fn open(file: &Path) -> Result<Self, Breach> {
        let store = Self::connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.recognise()?;
        store.harden()?;
        Ok(store)
    }

    /// Opens the database for reading, beside a writer or alone.
    pub(crate) fn open_read_only(file: &Path) -> Result<Self, Breach> {
        let mut wal = file.as_os_str().to_owned();
        wal.push("-wal");
        let store = match Self::connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY) {
            Err(breach) => return Err(breach),
            Ok(store) if store.recognise().is_ok() || Path::new(&wal).exists() => store,
            // A folder that can't be written to, as of a copy on a disc: SQLite could not make its
            // index of the write-ahead log. Nobody writes there, so the file alone is the log.
            Ok(_) => Self::connect_immutable(file)?,
        };
        store.recognise()?;
        Ok(store)
    }

    fn connect(file: &Path, mode: OpenFlags) -> Result<Self, Breach> {
        // SQLite would make an empty database of a missing one; this one is reported.
        std::fs::metadata(file).map_err(|source| Breach::Unreachable {
            file: file.to_owned(),
            source,
        })?;
        Self::opened(
            file,
            Connection::open_with_flags(file, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX),
        )
    }

    fn connect_immutable(file: &Path) -> Result<Self, Breach> {
        let path = file.to_string_lossy();
        let path = path
            .replace('%', "%25")
            .replace('?', "%3f")
            .replace('#', "%23");
        let mode = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let path = format!("file:{path}?immutable=1");
        Self::opened(file, Connection::open_with_flags(path, mode))
    }

    fn opened(file: &Path, database: rusqlite::Result<Connection>) -> Result<Self, Breach> {
        let failed = |source| Breach::Database {
            file: file.to_owned(),
            source,
        };
        let database = database.map_err(failed)?;
        database
            .busy_timeout(Duration::from_secs(10))
            .map_err(failed)?;
        database.set_prepared_statement_cache_capacity(32);
        Ok(Self {
            file: file.to_owned(),
            database,
        })
    }

    fn recognise(&self) -> Result<(), Breach> {
        let number = |name: &str| {
            self.database
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
                .map_err(|source| self.failed(source))
        };
        if number("application_id")? != APPLICATION {
            return Err(self.damaged("it is no ledger".to_owned()));
        }
        let version = number("user_version")?;
        if version != VERSION {
            return Err(self.damaged(format!("it has version {version}, this program reads 1")));
        }
        Ok(())
    }

    /// Sets what a connection that writes needs, and sees that the file took it.
    fn harden(&self) -> Result<(), Breach> {
        let settings = "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; \
                        PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; \
                        PRAGMA wal_autocheckpoint = 256;";
        self.database
            .execute_batch(settings)
            .map_err(|source| self.failed(source))?;
        let mode: String = self
            .database
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .map_err(|source| self.failed(source))?;
        if mode == "wal" {
            Ok(())
        } else {
            Err(self.damaged(format!("its journal is `{mode}`")))
        }
    }

    /// Holds what the connection sees still, until it is closed.
    pub(crate) fn hold_still(&self) -> Result<(), Breach> {
        self.database
            .execute_batch("BEGIN")
            .map_err(|source| self.failed(source))
    }

    /// Brings the write-ahead log into the file, so that the file alone is the log. Where a reader is
    /// in the way both files together stay the log, as they are while it is written.
    pub(crate) fn settle(&self) {
        let settled = self.database.busy_timeout(Duration::ZERO).and_then(|()| {
            self.database
                .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        });
        if let Err(error) = settled {
            tracing::warn!(%error, "the ledger's write-ahead log stays beside it");
        }
    }

    /// Writes a batch durably, whole or not at all.
    pub(crate) fn write(&mut self, batch: &Batch) -> Result<(), Breach> {
        let file = &self.file;
        write(&mut self.database, batch).map_err(|source| Breach::Database {
            file: file.clone(),
            source,
        })
    }

    /// The newest signed checkpoint and the size it stands under.
    pub(crate) fn newest_checkpoint(&self) -> Result<(u64, String), Breach> {
        let sql = "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1";
        self.database
            .prepare_cached(sql)
            .and_then(|mut query| {
                query
                    .query_row([], |row| Ok((unsigned(row.get(0)?), row.get(1)?)))
                    .optional()
            })
            .map_err(|source| self.failed(source))?
            .ok_or_else(|| self.damaged("it has no checkpoint".to_owned()))
    }

    /// The checkpoints from a size on, smallest first, at most so many.
    pub(crate) fn checkpoints(
        &self,
        from: u64,
        count_max: u32,
    ) -> Result<Vec<(u64, String)>, Breach> {
        let sql = "SELECT size, note FROM checkpoint WHERE size >= ?1 ORDER BY size LIMIT ?2";
        self.database
            .prepare_cached(sql)
            .and_then(|mut query| {
                query
                    .query_map(params![signed(from), count_max], |row| {
                        Ok((unsigned(row.get(0)?), row.get(1)?))
                    })
                    .and_then(Iterator::collect)
            })
            .map_err(|source| self.failed(source))
    }

    /// Entries from an index on, at most so many.
    pub(crate) fn rows(&self, from: u64, count_max: u32) -> Result<Vec<Row>, Breach> {
        let sql = "SELECT event.idx, leaf, part FROM event LEFT JOIN sealed USING (idx) \
                   WHERE event.idx >= ?1 ORDER BY event.idx LIMIT ?2";
        self.database
            .prepare_cached(sql)
            .and_then(|mut query| {
                let row = |row: &rusqlite::Row<'_>| {
                    Ok(Row {
                        index: unsigned(row.get(0)?),
                        leaf: row.get(1)?,
                        sealed: row.get(2)?,
                    })
                };
                query
                    .query_map(params![signed(from), count_max], row)
                    .and_then(Iterator::collect)
            })
            .map_err(|source| self.failed(source))
    }

    /// One past the highest index in the log.
    pub(crate) fn next_index(&self) -> Result<u64, Breach> {
        let sql = "SELECT coalesce(max(idx) + 1, 0) FROM event";
        self.database
            .query_row(sql, [], |row| row.get(0))
            .map(unsigned)
            .map_err(|source| self.failed(source))
    }

    /// How many rows stand in the tables of tiles and of sealed parts.
    pub(crate) fn counts(&self) -> Result<(u64, u64), Breach> {
        let sql = "SELECT (SELECT count(*) FROM tile), (SELECT count(*) FROM sealed)";
        self.database
            .query_row(sql, [], |row| {
                Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)))
            })
            .map_err(|source| self.failed(source))
    }

    fn failed(&self, source: rusqlite::Error) -> Breach {
        Breach::Database {
            file: self.file.clone(),
            source,
        }
    }
}

impl Tiles for Store {
    fn tile(&self, id: TileId) -> Result<Vec<u8>, Breach> {
        let sql = "SELECT hashes FROM tile WHERE level = ?1 AND number = ?2";
        self.database
            .prepare_cached(sql)
            .and_then(|mut query| {
                query
                    .query_row(params![id.level, signed(id.number)], |row| row.get(0))
                    .optional()
            })
            .map_err(|source| self.failed(source))?
            .ok_or_else(|| {
                self.damaged(format!(
                    "tile {} of level {} is missing",
                    id.number, id.level
                ))
            })
    }

    fn damaged(&self, what: String) -> Breach {
        Breach::Damaged {
            file: self.file.clone(),
            what,
        }
    }
}

fn write(database: &mut Connection, batch: &Batch) -> rusqlite::Result<()> {
    let transaction =
        database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    {
        let mut event = transaction.prepare_cached("INSERT INTO event VALUES (?1, ?2)")?;
        let mut sealed = transaction.prepare_cached("INSERT INTO sealed VALUES (?1, ?2)")?;
        for row in &batch.rows {
            event.execute(params![signed(row.index), row.leaf])?;
            if let Some(part) = &row.sealed {
                sealed.execute(params![signed(row.index), part])?;
            }
        }
        let mut tile =
            transaction.prepare_cached("INSERT OR REPLACE INTO tile VALUES (?1, ?2, ?3)")?;
        for (id, hashes) in &batch.tiles {
            tile.execute(params![id.level, signed(id.number), hashes])?;
        }
        // INVARIANT (one checkpoint per size): the key refuses a second one.
        transaction
            .prepare_cached("INSERT INTO checkpoint VALUES (?1, ?2)")?
            .execute(params![signed(batch.size), batch.note])?;
    }
    transaction.commit()
}

/// SQLite's integers are signed; a log of more than 2^63 entries does not exist.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A negative number in the file becomes one that fits nothing, so that the checks that follow fail.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
