use crate::register::Pool;
use bytes::Bytes;
use chrono::NaiveDate;
use policy::Allowance;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};
use terms::Digest;
use vault::Keyring;

/// The file in a domain's folder.
pub(crate) const FILE: &str = "disclosure.db";
/// The version of the tables.
const VERSION: i64 = 3;
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS admitted (id INTEGER PRIMARY KEY, pool TEXT NOT NULL, sealed BLOB NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS admitted_pool ON admitted (pool);
    CREATE TABLE IF NOT EXISTS spent (
        who TEXT NOT NULL, day TEXT NOT NULL,
        queries INTEGER NOT NULL, cells INTEGER NOT NULL, refusals INTEGER NOT NULL,
        perturbed INTEGER NOT NULL,
        PRIMARY KEY (who, day)
    ) STRICT, WITHOUT ROWID;
";

/// The register's database cannot be used; nothing may then be released.
#[derive(Debug, thiserror::Error)]
pub enum Unstored {
    /// The database.
    #[error("`{}` can't be used as a disclosure register: put back the newest backup", file.display())]
    Database {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// What is stored does not open under this domain's key, or is not what we write.
    #[error("`{}` holds entries that do not open: put back the newest backup", file.display())]
    Sealed {
        /// Which file.
        file: PathBuf,
    },
    /// The subjects of a dataset cannot be read.
    #[error("the subjects of a dataset cannot be read: {0}")]
    Subjects(String),
}

/// How a cell left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// As it is.
    Exact,
    /// With noise.
    Perturbed,
}

/// Cells and budgets on disk: SQLite, every commit synced, every set encrypted.
#[derive(Debug)]
pub(crate) struct Store {
    file: PathBuf,
    database: Connection,
    keyring: Keyring,
}

impl Store {
    pub(crate) fn open(dir: &Path, keyring: &Keyring) -> Result<Self, Unstored> {
        let file = dir.join(FILE);
        let failed = |source| Unstored::Database {
            file: file.clone(),
            source,
        };
        let database = Connection::open(&file).map_err(failed)?;
        let settings = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
        database.execute_batch(settings).map_err(failed)?;
        let version: i64 = database
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(failed)?;
        if version != 0 && version != VERSION {
            return Err(Unstored::Sealed { file });
        }
        let made = format!("{TABLES} PRAGMA user_version = {VERSION};");
        database.execute_batch(&made).map_err(failed)?;
        let keyring = keyring.clone();
        Ok(Self {
            file,
            database,
            keyring,
        })
    }

    fn failed(&self, source: rusqlite::Error) -> Unstored {
        Unstored::Database {
            file: self.file.clone(),
            source,
        }
    }

    pub(crate) fn broken(&self) -> Unstored {
        Unstored::Sealed {
            file: self.file.clone(),
        }
    }

    /// Every cell ever admitted to a pool: exactly, or perturbed.
    pub(crate) fn cells(&self, pool: &Pool, as_it_is: Way) -> Result<Vec<Vec<u8>>, Unstored> {
        let name = as_it_is.named(pool);
        let sql = "SELECT sealed FROM admitted WHERE pool = ? ORDER BY id";
        let mut query = self.database.prepare(sql).map_err(|e| self.failed(e))?;
        let rows = query
            .query_map([&name], |row| row.get::<_, Vec<u8>>(0))
            .map_err(|e| self.failed(e))?;
        let mut cells = Vec::new();
        for sealed in rows {
            let sealed = sealed.map_err(|e| self.failed(e))?;
            let plain = self.keyring.unseal(&context(&name), &sealed);
            let plain = plain.map_err(|_| self.broken())?;
            cells.extend(read(&plain).ok_or_else(|| self.broken())?);
        }
        Ok(cells)
    }

    /// How many parts are kept of a snapshot, and the digest of these one after the other, sealed as they are.
    pub(crate) fn held_of(&self, snapshot: &str) -> Result<(u64, Digest), Unstored> {
        let sql = "SELECT sealed FROM admitted WHERE substr(pool, 1, length(?1)) = ?1 ORDER BY id";
        let mut query = self.database.prepare(sql).map_err(|e| self.failed(e))?;
        let rows = query
            .query_map([snapshot], |row| row.get::<_, Vec<u8>>(0))
            .map_err(|e| self.failed(e))?;
        let (mut parts, mut all) = (0, Vec::new());
        for sealed in rows {
            all.extend_from_slice(Digest::of(&sealed.map_err(|e| self.failed(e))?).bytes());
            parts += 1;
        }
        Ok((parts, Digest::of(&all)))
    }

    /// Makes cells and what they cost durable, all or none.
    pub(crate) fn admit(
        &mut self,
        admitted: &[(&Pool, Way, Vec<&Bytes>)],
        (who, day): (&str, NaiveDate),
        refusals: u64,
    ) -> Result<(), Unstored> {
        let mut sealed = Vec::with_capacity(admitted.len());
        let mut spent = Allowance {
            refusals,
            ..Allowance::default()
        };
        for (pool, way, cells) in admitted {
            let count = u64::try_from(cells.len()).unwrap_or(u64::MAX);
            match way {
                Way::Exact => spent.cells = spent.cells.saturating_add(count),
                Way::Perturbed => spent.perturbed = spent.perturbed.saturating_add(count),
            }
            let name = way.named(pool);
            let bytes = self.keyring.seal(&context(&name), &written(cells));
            sealed.push((name, bytes.map_err(|_| self.broken())?));
        }
        let file = self.file.clone();
        let failed = |source| Unstored::Database {
            file: file.clone(),
            source,
        };
        let change = self.database.transaction().map_err(failed)?;
        for (pool, bytes) in sealed {
            let sql = "INSERT INTO admitted (pool, sealed) VALUES (?, ?)";
            change.execute(sql, params![pool, bytes]).map_err(failed)?;
        }
        add(&change, who, day, spent).map_err(failed)?;
        change.commit().map_err(failed)
    }

    /// Adds to what was spent.
    pub(crate) fn spend(&self, who: &str, day: NaiveDate, more: Allowance) -> Result<(), Unstored> {
        add(&self.database, who, day, more).map_err(|e| self.failed(e))
    }

    /// What was spent on a day, and since a day.
    pub(crate) fn spent(
        &self,
        who: &str,
        day: NaiveDate,
        since: NaiveDate,
    ) -> Result<(Allowance, Allowance), Unstored> {
        let read = |row: &rusqlite::Row<'_>| {
            let count = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
            Ok(Allowance {
                queries: count(0)?,
                cells: count(1)?,
                refusals: count(2)?,
                perturbed: count(3)?,
            })
        };
        let columns = "coalesce(sum(queries), 0), coalesce(sum(cells), 0),
            coalesce(sum(refusals), 0), coalesce(sum(perturbed), 0)";
        let today = self.database.query_row(
            &format!("SELECT {columns} FROM spent WHERE who = ? AND day = ?"),
            params![who, day.to_string()],
            read,
        );
        let term = self.database.query_row(
            &format!("SELECT {columns} FROM spent WHERE who = ? AND day >= ?"),
            params![who, since.to_string()],
            read,
        );
        let both = today.and_then(|today| Ok((today, term?))).optional();
        Ok(both.map_err(|e| self.failed(e))?.unwrap_or_default())
    }
}

fn add(database: &Connection, who: &str, day: NaiveDate, more: Allowance) -> rusqlite::Result<()> {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let sql = "INSERT INTO spent (who, day, queries, cells, refusals, perturbed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (who, day) DO UPDATE SET
        queries = queries + ?3, cells = cells + ?4, refusals = refusals + ?5,
        perturbed = perturbed + ?6";
    let Allowance {
        queries,
        cells,
        refusals,
        perturbed,
    } = more;
    let row = params![
        who,
        day.to_string(),
        count(queries),
        count(cells),
        count(refusals),
        count(perturbed)
    ];
    database.execute(sql, row).map(|_| ())
}

fn context(name: &str) -> String {
    format!("disclosure {name}")
}

impl Way {
    fn named(self, pool: &Pool) -> String {
        match self {
            Self::Exact => pool.name(),
            Self::Perturbed => format!("{}/perturbed", pool.name()),
        }
    }
}

/// Sets one after another, each with its length before it.
fn written(cells: &[&Bytes]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for cell in cells {
        let length = u64::try_from(cell.len()).unwrap_or(u64::MAX);
        bytes.extend(length.to_le_bytes());
        bytes.extend_from_slice(cell);
    }
    bytes
}

fn read(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut cells = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (cell, rest) = rest.split_at_checked(length)?;
        cells.push(cell.to_vec());
        bytes = rest;
    }
    Some(cells)
}
