mod removal; // what retention takes out

use crate::Breach;
use crate::storage::{Batch, Row, Store, signed, unsigned};
use crate::tree::{TileId, Tiles};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The database's `application_id`: `bndl`.
const APPLICATION: i64 = 0x626e_646c;
/// The version of the tables below.
const VERSION: i64 = 1;
/// How long another connection to the file may hold up this one.
const BUSY_MAX: Duration = Duration::from_secs(10);

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
pub(crate) struct Sqlite {
    file: PathBuf,
    database: Connection,
}

impl Sqlite {
    /// Makes the database of a new log.
    pub(crate) fn create(file: &Path) -> Result<Self, Breach> {
        drop(crate::place::write_new(file, b"")?);
        let store = Self::connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Small pages: a lone entry costs a commit of the pages it touches, not of 16 KiB each.
        let settings = format!(
            "PRAGMA page_size = 4096; PRAGMA application_id = {APPLICATION}; \
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

    /// Writes what a new log is put back from: entries, tiles and checkpoints of several sizes.
    pub(crate) fn fill(
        &mut self,
        rows: &[Row],
        tiles: &BTreeMap<TileId, Vec<u8>>,
        notes: &[(u64, String)],
    ) -> Result<(), Breach> {
        let notes: Vec<_> = notes.iter().map(|(size, note)| (*size, note.as_str())).collect();
        let written = write(&mut self.database, rows, tiles, &notes);
        written.map_err(|source| self.failed(source))
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
        let failed = |source: rusqlite::Error| Breach::Database {
            file: file.to_owned(),
            source: source.into(),
        };
        let database = database.map_err(failed)?;
        database.busy_timeout(BUSY_MAX).map_err(failed)?;
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
                        PRAGMA wal_autocheckpoint = 1024;";
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

    fn failed(&self, source: rusqlite::Error) -> Breach {
        Breach::Database {
            file: self.file.clone(),
            source: source.into(),
        }
    }
}

impl Store for Sqlite {
    fn hold_still(&self) -> Result<(), Breach> {
        self.database
            .execute_batch("BEGIN")
            .map_err(|source| self.failed(source))
    }

    fn settle(&self) {
        let settled = self.database.busy_timeout(Duration::ZERO).and_then(|()| {
            self.database
                .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        });
        let settled = settled.and(self.database.busy_timeout(BUSY_MAX));
        if let Err(error) = settled {
            tracing::warn!(%error, "the ledger's write-ahead log stays beside it");
        }
    }

    fn write(&mut self, batch: &Batch) -> Result<(), Breach> {
        let notes = [(batch.size, batch.note.as_str())];
        match write(&mut self.database, &batch.rows, &batch.tiles, &notes) {
            Ok(()) => Ok(()),
            Err(source) if is_full(&source) => Err(Breach::Full {
                file: self.file.clone(),
                source: source.into(),
            }),
            Err(source) => Err(self.failed(source)),
        }
    }

    fn resume(&mut self) -> Result<(), Breach> {
        // A failed statement ends its transaction; one that did not would lend its half-written pages
        // to what is read next.
        if self.database.is_autocommit() {
            return Ok(());
        }
        self.database
            .execute_batch("ROLLBACK")
            .map_err(|source| self.failed(source))
    }

    fn newest_checkpoint(&self) -> Result<(u64, String), Breach> {
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

    fn checkpoints(&self, from: u64, count_max: u32) -> Result<Vec<(u64, String)>, Breach> {
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

    fn rows(&self, from: u64, count_max: u32) -> Result<Vec<Row>, Breach> {
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

    fn next_index(&self) -> Result<u64, Breach> {
        let sql = "SELECT coalesce(max(idx) + 1, 0) FROM event";
        self.database
            .query_row(sql, [], |row| row.get(0))
            .map(unsigned)
            .map_err(|source| self.failed(source))
    }

    fn counts(&self) -> Result<(u64, u64), Breach> {
        let sql = "SELECT (SELECT count(*) FROM tile), (SELECT count(*) FROM sealed)";
        self.database
            .query_row(sql, [], |row| {
                Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)))
            })
            .map_err(|source| self.failed(source))
    }
}

impl Tiles for Sqlite {
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

/// Whether the disk had no room. The write-ahead log then ends before the batch's commit record, so the
/// batch is not there, whichever page it stopped at.
fn is_full(error: &rusqlite::Error) -> bool {
    // The index of the write-ahead log is a file too, and can't grow either.
    let no_room_for_index = Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || error.sqlite_error().map(|error| error.extended_code) == no_room_for_index
}

fn write(
    database: &mut Connection,
    rows: &[Row],
    tiles: &BTreeMap<TileId, Vec<u8>>,
    notes: &[(u64, &str)],
) -> rusqlite::Result<()> {
    let transaction =
        database.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    {
        let mut event = transaction.prepare_cached("INSERT INTO event VALUES (?1, ?2)")?;
        let mut sealed = transaction.prepare_cached("INSERT INTO sealed VALUES (?1, ?2)")?;
        for row in rows {
            event.execute(params![signed(row.index), row.leaf])?;
            if let Some(part) = &row.sealed {
                sealed.execute(params![signed(row.index), part])?;
            }
        }
        let mut tile =
            transaction.prepare_cached("INSERT OR REPLACE INTO tile VALUES (?1, ?2, ?3)")?;
        for (id, hashes) in tiles {
            tile.execute(params![id.level, signed(id.number), hashes])?;
        }
        // INVARIANT (one checkpoint per size): the key refuses a second one.
        let mut checkpoint =
            transaction.prepare_cached("INSERT INTO checkpoint VALUES (?1, ?2)")?;
        for (size, note) in notes {
            checkpoint.execute(params![signed(*size), note])?;
        }
    }
    transaction.commit()
}
