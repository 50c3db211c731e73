use crate::register::Pool;
use bytes::Bytes;
use chrono::NaiveDate;
use policy::Allowance;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::path::{Path, PathBuf};
use terms::Digest;
use vault::Keyring;

/// The file in a domain's folder.
pub(crate) const FILE: &str = "disclosure.db";
/// The version of the tables.
const VERSION: i64 = 4;
/// The one before: entries were sealed without their number, and nothing told how many there were.
const UNNUMBERED: i64 = 3;
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS admitted (id INTEGER PRIMARY KEY, pool TEXT NOT NULL, sealed BLOB NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS admitted_pool ON admitted (pool);
    CREATE TABLE IF NOT EXISTS spent (
        who TEXT NOT NULL, day TEXT NOT NULL,
        queries INTEGER NOT NULL, cells INTEGER NOT NULL, refusals INTEGER NOT NULL,
        perturbed INTEGER NOT NULL,
        PRIMARY KEY (who, day)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS tally (one INTEGER PRIMARY KEY CHECK (one = 1), sealed BLOB NOT NULL) STRICT;
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
    /// It holds less than the log says it held.
    #[error(
        "`{}` holds {parts} entries, and {on_record} are on record: put back the newest one, or restore a backup",
        file.display()
    )]
    Behind {
        /// Which file.
        file: PathBuf,
        /// How many it holds.
        parts: u64,
        /// How many it held when the last result left.
        on_record: u64,
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
///
/// INVARIANT (nothing is taken out): entries are numbered from 1 without a gap, each sealed with its number; a
/// sealed tally says how many there are and what was spent in all. Whoever can write the file and has no key
/// can only put an earlier file back whole, which the log's record of the number finds.
#[derive(Debug)]
pub(crate) struct Store {
    file: PathBuf,
    database: Connection,
    keyring: Keyring,
    tally: Tally,
}

/// The cells of a pool as they are kept: read while nothing else is, and opened while others go on.
#[derive(Debug)]
pub(crate) struct Sealed {
    name: String,
    rows: Vec<(i64, Vec<u8>)>,
    keyring: Keyring,
    file: PathBuf,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Tally {
    parts: u64,
    queries: u64,
    cells: u64,
    refusals: u64,
    perturbed: u64,
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
        if ![0, UNNUMBERED, VERSION].contains(&version) {
            return Err(Unstored::Sealed { file });
        }
        let mut store = Self {
            file: file.clone(),
            database,
            keyring: keyring.clone(),
            tally: Tally::default(),
        };
        if version != VERSION {
            store.number(version)?;
        }
        store.tally = store.tallied()?;
        Ok(store)
    }

    /// That it holds as much as the log says it held.
    pub(crate) fn judge(&self, on_record: u64) -> Result<(), Unstored> {
        let parts = self.parts();
        if parts < on_record {
            let file = self.file.clone();
            return Err(Unstored::Behind {
                file,
                parts,
                on_record,
            });
        }
        Ok(())
    }

    /// How many entries there are.
    pub(crate) const fn parts(&self) -> u64 {
        self.tally.parts
    }

    /// Makes the tables, and takes over what is there from before entries had a number.
    fn number(&mut self, version: i64) -> Result<(), Unstored> {
        let (keyring, file) = (self.keyring.clone(), self.file.clone());
        let failed = |source| Unstored::Database {
            file: file.clone(),
            source,
        };
        let broken = || Unstored::Sealed { file: file.clone() };
        let change = self.database.transaction().map_err(failed)?;
        change.execute_batch(TABLES).map_err(failed)?;
        if version == UNNUMBERED {
            let entries = entries(&change).map_err(failed)?;
            change.execute("DELETE FROM admitted", []).map_err(failed)?;
            for (at, (name, sealed)) in (1..).zip(entries) {
                let plain = keyring.unseal(&format!("disclosure {name}"), &sealed);
                let plain = plain.map_err(|_| broken())?;
                let sealed = keyring.seal(&context(&name, at), &plain);
                insert(&change, at, (&name, &sealed.map_err(|_| broken())?)).map_err(failed)?;
            }
        }
        let tally = counted(&change).map_err(failed)?;
        let sealed = keyring
            .seal(TALLY, &tally.written())
            .map_err(|_| broken())?;
        put_tally(&change, &sealed).map_err(failed)?;
        let stated = format!("PRAGMA user_version = {VERSION};");
        change.execute_batch(&stated).map_err(failed)?;
        change.commit().map_err(failed)
    }

    /// The tally, where all is there that it says.
    fn tallied(&self) -> Result<Tally, Unstored> {
        let sql = "SELECT sealed FROM tally";
        let read = |row: &rusqlite::Row<'_>| row.get::<_, Vec<u8>>(0);
        let sealed = self.database.query_row(sql, [], read).optional();
        let sealed = sealed.map_err(|e| self.failed(e))?;
        let sealed = sealed.ok_or_else(|| self.broken())?;
        let plain = self.keyring.unseal(TALLY, &sealed);
        let plain = plain.map_err(|_| self.broken())?;
        let tally: Tally = serde_json::from_slice(&plain).map_err(|_| self.broken())?;
        let found = counted(&self.database).map_err(|e| self.failed(e))?;
        let last = "SELECT coalesce(max(id), 0) FROM admitted";
        let last = self
            .database
            .query_row(last, [], |row| row.get::<_, i64>(0));
        let last = last.map_err(|e| self.failed(e))?.unsigned_abs();
        if found != tally || last != tally.parts {
            return Err(self.broken());
        }
        Ok(tally)
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

    /// Every cell ever admitted to a pool, exactly or perturbed, as it is kept.
    pub(crate) fn sealed(&self, pool: &Pool, way: Way) -> Result<Sealed, Unstored> {
        let name = way.named(pool);
        let sql = "SELECT id, sealed FROM admitted WHERE pool = ? ORDER BY id";
        let mut query = self.database.prepare(sql).map_err(|e| self.failed(e))?;
        let read_row =
            |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?));
        let rows = query
            .query_map([&name], read_row)
            .map_err(|e| self.failed(e))?;
        let rows = rows.collect::<rusqlite::Result<_>>();
        Ok(Sealed {
            rows: rows.map_err(|e| self.failed(e))?,
            name,
            keyring: self.keyring.clone(),
            file: self.file.clone(),
        })
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
        let mut parts = self.tally.parts;
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
            parts = parts.saturating_add(1);
            let bytes = self.keyring.seal(&context(&name, parts), &written(cells));
            sealed.push((parts, name, bytes.map_err(|_| self.broken())?));
        }
        let tally = Tally {
            parts,
            ..self.tally.with(spent)
        };
        self.change(tally, |change| {
            for (id, name, bytes) in &sealed {
                insert(change, *id, (name, bytes))?;
            }
            add(change, who, day, spent)
        })
    }

    /// Adds to what was spent.
    pub(crate) fn spend(
        &mut self,
        who: &str,
        day: NaiveDate,
        more: Allowance,
    ) -> Result<(), Unstored> {
        let tally = self.tally.with(more);
        self.change(tally, |change| add(change, who, day, more))
    }

    /// Changes the database together with the tally of it, all or nothing.
    fn change(
        &mut self,
        tally: Tally,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), Unstored> {
        let sealed = self.keyring.seal(TALLY, &tally.written());
        let sealed = sealed.map_err(|_| self.broken())?;
        let file = self.file.clone();
        let failed = |source| Unstored::Database {
            file: file.clone(),
            source,
        };
        let change = self.database.transaction().map_err(failed)?;
        work(&change).map_err(failed)?;
        put_tally(&change, &sealed).map_err(failed)?;
        change.commit().map_err(failed)?;
        self.tally = tally;
        Ok(())
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

impl Sealed {
    /// The cells, one after the other.
    pub(crate) fn opened(&self) -> Result<Vec<Vec<u8>>, Unstored> {
        let broken = || Unstored::Sealed {
            file: self.file.clone(),
        };
        let mut cells = Vec::new();
        for (id, sealed) in &self.rows {
            let context = context(&self.name, id.unsigned_abs());
            let plain = self.keyring.unseal(&context, sealed);
            let plain = plain.map_err(|_| broken())?;
            cells.extend(read(&plain).ok_or_else(broken)?);
        }
        Ok(cells)
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

/// What the tally is sealed for.
const TALLY: &str = "disclosure-tally";

/// What an entry is sealed for: its pool, and its number among all.
fn context(name: &str, id: u64) -> String {
    format!("disclosure {name} {id}")
}

fn insert(database: &Connection, id: u64, (pool, sealed): (&str, &[u8])) -> rusqlite::Result<()> {
    let id = i64::try_from(id).unwrap_or(i64::MAX);
    let sql = "INSERT INTO admitted (id, pool, sealed) VALUES (?, ?, ?)";
    database.execute(sql, params![id, pool, sealed]).map(|_| ())
}

fn put_tally(database: &Connection, sealed: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO tally (one, sealed) VALUES (1, ?)";
    database.execute(sql, params![sealed]).map(|_| ())
}

/// Every entry, in order: its pool, and its cells as they are sealed.
fn entries(database: &Connection) -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
    let mut query = database.prepare("SELECT pool, sealed FROM admitted ORDER BY id")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// What there is, counted.
fn counted(database: &Connection) -> rusqlite::Result<Tally> {
    let parts = "SELECT count(*) FROM admitted";
    let parts = database.query_row(parts, [], |row| row.get::<_, i64>(0))?;
    let spent = "SELECT coalesce(sum(queries), 0), coalesce(sum(cells), 0),
        coalesce(sum(refusals), 0), coalesce(sum(perturbed), 0) FROM spent";
    database.query_row(spent, [], |row| {
        let count = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
        Ok(Tally {
            parts: parts.unsigned_abs(),
            queries: count(0)?,
            cells: count(1)?,
            refusals: count(2)?,
            perturbed: count(3)?,
        })
    })
}

impl Tally {
    /// With so much more spent.
    const fn with(self, more: Allowance) -> Self {
        Self {
            parts: self.parts,
            queries: self.queries.saturating_add(more.queries),
            cells: self.cells.saturating_add(more.cells),
            refusals: self.refusals.saturating_add(more.refusals),
            perturbed: self.perturbed.saturating_add(more.perturbed),
        }
    }

    fn written(self) -> Vec<u8> {
        // Five numbers: nothing of this can fail.
        serde_json::to_vec(&self).unwrap_or_default()
    }
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
