//! A log in PostgreSQL, which several gateways can reach. One of them writes: it holds an advisory
//! lock as long as its session lives, and each of its commits moves the row of the writer on, which
//! only succeeds under the epoch that it opened the log with and behind the entries it knows of.

mod removal; // what retention takes out

use crate::Breach;
use crate::server::{Server, Session, Wire};
use crate::storage::{Batch, Row, Store, signed, unsigned};
use crate::tree::{TileId, Tiles};
use std::path::Path;

/// The version of the tables below.
const VERSION: i32 = 1;

/// Hashes and ciphertext do not compress, so nothing tries to.
const TABLES: &str = "
    BEGIN;
    CREATE SCHEMA bonded_ledger;
    CREATE TABLE bonded_ledger.writer (
        version integer NOT NULL, epoch bigint NOT NULL, size bigint NOT NULL
    );
    CREATE UNIQUE INDEX one_writer ON bonded_ledger.writer ((true));
    INSERT INTO bonded_ledger.writer VALUES (1, 0, 0);
    CREATE TABLE bonded_ledger.event (idx bigint PRIMARY KEY, leaf bytea NOT NULL);
    CREATE TABLE bonded_ledger.sealed (idx bigint PRIMARY KEY, part bytea NOT NULL);
    CREATE TABLE bonded_ledger.tile (
        level integer NOT NULL, number bigint NOT NULL, hashes bytea NOT NULL,
        PRIMARY KEY (level, number)
    );
    CREATE TABLE bonded_ledger.checkpoint (size bigint PRIMARY KEY, note text NOT NULL);
    ALTER TABLE bonded_ledger.event ALTER leaf SET STORAGE EXTERNAL;
    ALTER TABLE bonded_ledger.sealed ALTER part SET STORAGE EXTERNAL;
    ALTER TABLE bonded_ledger.tile ALTER hashes SET STORAGE EXTERNAL;
    COMMIT;
";

/// One statement, so one transaction and one round trip. INVARIANT (one writer): where the writer's row
/// is not as this gateway left it, nothing is inserted. INVARIANT (one checkpoint per size): the key
/// refuses a second one, and with it the whole batch.
const WRITE: &str = "
    WITH mine AS (
        UPDATE bonded_ledger.writer SET size = $3 WHERE epoch = $1 AND size = $2 RETURNING 1
    ), event AS (
        INSERT INTO bonded_ledger.event
        SELECT r.* FROM unnest($4::bigint[], $5::bytea[]) AS r, mine
    ), sealed AS (
        INSERT INTO bonded_ledger.sealed
        SELECT r.* FROM unnest($6::bigint[], $7::bytea[]) AS r, mine
    ), tile AS (
        INSERT INTO bonded_ledger.tile
        SELECT r.* FROM unnest($8::integer[], $9::bigint[], $10::bytea[]) AS r, mine
        ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes
    )
    INSERT INTO bonded_ledger.checkpoint SELECT $3, $11 FROM mine";

/// `bndl`, as the database's lock.
const LOCK: &str = "SET lock_timeout = '800ms'; SELECT pg_advisory_lock(1651401836); \
                    SET lock_timeout = 0";

/// A log's database on a PostgreSQL server.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: Server,
    session: Session,
    /// The epoch it writes in; none where it only reads.
    epoch: Option<i64>,
}

impl Postgres {
    /// Makes the tables of a new log.
    pub(crate) fn create(server: &Server) -> Result<Self, Breach> {
        let session = Session::to_write(server)?;
        let there = session.ask(|wire| {
            wire.query(
                "SELECT 1 FROM pg_namespace WHERE nspname = 'bonded_ledger'",
                &[],
            )
        })?;
        if !there.is_empty() {
            let file = server.called().to_owned();
            return Err(Breach::Exists { file });
        }
        session.ask(|wire| wire.batch(TABLES))?;
        drop(session);
        Self::open(server)
    }

    /// Opens the log for writing, in an epoch of its own.
    pub(crate) fn open(server: &Server) -> Result<Self, Breach> {
        let mut store = Self {
            server: server.clone(),
            session: Session::to_write(server)?,
            epoch: None,
        };
        store.recognise()?;
        store.lock()?;
        let sql = "UPDATE bonded_ledger.writer SET epoch = epoch + 1 RETURNING epoch";
        let rows = store.session.ask(|wire| wire.query(sql, &[]))?;
        store.epoch = rows.first().map(|row| row.get(0));
        Ok(store)
    }

    /// Opens the log beside its writer, to take out what retention takes out. It appends nothing.
    pub(crate) fn open_beside(server: &Server) -> Result<Self, Breach> {
        let store = Self {
            server: server.clone(),
            session: Session::to_write(server)?,
            epoch: None,
        };
        store.recognise()?;
        Ok(store)
    }

    /// Opens the log for reading, beside a writer or alone.
    pub(crate) fn open_read_only(server: &Server) -> Result<Self, Breach> {
        let store = Self {
            server: server.clone(),
            session: Session::to_read(server)?,
            epoch: None,
        };
        store.recognise()?;
        Ok(store)
    }

    /// Whether it is a ledger of ours, on a server whose acknowledgement means that it lasts.
    fn recognise(&self) -> Result<(), Breach> {
        let sql = "SELECT name FROM pg_settings \
                   WHERE name IN ('fsync', 'full_page_writes') AND setting <> 'on'";
        let off = self.session.ask(|wire| wire.query(sql, &[]))?;
        if let Some(row) = off.first() {
            let name: String = row.get(0);
            let what = format!("its server has `{name} = off`; set it to `on`");
            let file = self.server.called().to_owned();
            return Err(Breach::Unfit { file, what });
        }
        let sql = "SELECT to_regclass('bonded_ledger.writer') IS NOT NULL";
        let rows = self.session.ask(|wire| wire.query(sql, &[]))?;
        if !rows.first().is_some_and(|row| row.get(0)) {
            return Err(self.damaged("it holds no ledger".to_owned()));
        }
        let version: i32 = self.number("SELECT version FROM bonded_ledger.writer")?;
        if version == VERSION {
            Ok(())
        } else {
            Err(self.damaged(format!("it has version {version}, this program reads 1")))
        }
    }

    /// Takes the writer's lock, which ends with the session.
    fn lock(&self) -> Result<(), Breach> {
        match self.session.ask(|wire| wire.batch(LOCK)) {
            Err(Breach::Database { .. }) => Err(Breach::Held {
                file: self.server.called().to_owned(),
            }),
            other => other,
        }
    }

    fn number<T>(&self, sql: &'static str) -> Result<T, Breach>
    where
        T: for<'a> postgres::types::FromSql<'a> + Send + 'static,
    {
        let rows = self.session.ask(move |wire| wire.query(sql, &[]))?;
        rows.first()
            .map(|row| row.get(0))
            .ok_or_else(|| self.damaged("a number is missing".to_owned()))
    }

    fn deposed(&self) -> Breach {
        Breach::Deposed {
            file: self.server.called().to_owned(),
        }
    }

    /// A session again, and the lock with it: once the lock is ours, whatever the old session had
    /// under way is decided.
    fn reconnect(&mut self, mine: i64) -> Result<(), Breach> {
        self.session = Session::to_write(&self.server)?;
        self.recognise()?;
        let locked = self.lock();
        if self.number::<i64>("SELECT epoch FROM bonded_ledger.writer")? != mine {
            return Err(self.deposed());
        }
        locked.map_err(|held| Breach::Severed {
            file: self.server.called().to_owned(),
            source: held.into(),
        })
    }
}

impl Store for Postgres {
    fn write(&mut self, batch: &Batch) -> Result<(), Breach> {
        let epoch = self.epoch.ok_or_else(|| self.deposed())?;
        let after = signed(batch.size);
        let before = after - i64::try_from(batch.rows.len()).unwrap_or(i64::MAX);
        let indexes: Vec<i64> = batch.rows.iter().map(|row| signed(row.index)).collect();
        let leaves: Vec<Vec<u8>> = batch.rows.iter().map(|row| row.leaf.clone()).collect();
        let sealed = batch.rows.iter();
        let sealed = sealed.filter_map(|row| Some((signed(row.index), row.sealed.clone()?)));
        let (sealed_indexes, parts): (Vec<i64>, Vec<Vec<u8>>) = sealed.unzip();
        let level = |id: &TileId| i32::try_from(id.level).unwrap_or(i32::MAX);
        let levels: Vec<i32> = batch.tiles.keys().map(level).collect();
        let numbers: Vec<i64> = batch.tiles.keys().map(|id| signed(id.number)).collect();
        let hashes: Vec<Vec<u8>> = batch.tiles.values().cloned().collect();
        let note = batch.note.clone();
        let written = self.session.ask(move |wire| {
            wire.execute(
                WRITE,
                &[
                    &epoch,
                    &before,
                    &after,
                    &indexes,
                    &leaves,
                    &sealed_indexes,
                    &parts,
                    &levels,
                    &numbers,
                    &hashes,
                    &note,
                ],
            )
        })?;
        if written == 1 {
            Ok(())
        } else {
            Err(self.deposed())
        }
    }

    fn resume(&mut self) -> Result<(), Breach> {
        let mine = self.epoch.ok_or_else(|| self.deposed())?;
        match self.number::<i64>("SELECT epoch FROM bonded_ledger.writer") {
            Ok(epoch) if epoch == mine => Ok(()),
            Ok(_) => Err(self.deposed()),
            Err(Breach::Severed { .. }) => self.reconnect(mine),
            Err(other) => Err(other),
        }
    }

    fn newest_checkpoint(&self) -> Result<(u64, String), Breach> {
        let sql = "SELECT size, note FROM bonded_ledger.checkpoint ORDER BY size DESC LIMIT 1";
        let rows = self.session.ask(move |wire| wire.query(sql, &[]))?;
        rows.first()
            .map(|row| (unsigned(row.get(0)), row.get(1)))
            .ok_or_else(|| self.damaged("it has no checkpoint".to_owned()))
    }

    fn checkpoints(&self, from: u64, count_max: u32) -> Result<Vec<(u64, String)>, Breach> {
        let sql = "SELECT size, note FROM bonded_ledger.checkpoint \
                   WHERE size >= $1 ORDER BY size LIMIT $2";
        let rows = self
            .session
            .ask(move |wire| wire.query(sql, &[&signed(from), &i64::from(count_max)]))?;
        Ok(rows
            .iter()
            .map(|row| (unsigned(row.get(0)), row.get(1)))
            .collect())
    }

    fn rows(&self, from: u64, count_max: u32) -> Result<Vec<Row>, Breach> {
        let sql = "SELECT e.idx, e.leaf, s.part FROM bonded_ledger.event e \
                   LEFT JOIN bonded_ledger.sealed s ON s.idx = e.idx \
                   WHERE e.idx >= $1 ORDER BY e.idx LIMIT $2";
        let rows = self
            .session
            .ask(move |wire| wire.query(sql, &[&signed(from), &i64::from(count_max)]))?;
        let row = |row: &postgres::Row| Row {
            index: unsigned(row.get(0)),
            leaf: row.get(1),
            sealed: row.get(2),
        };
        Ok(rows.iter().map(row).collect())
    }

    fn next_index(&self) -> Result<u64, Breach> {
        self.number("SELECT coalesce(max(idx) + 1, 0) FROM bonded_ledger.event")
            .map(unsigned)
    }

    fn counts(&self) -> Result<(u64, u64), Breach> {
        let tiles = self.number("SELECT count(*) FROM bonded_ledger.tile")?;
        let sealed = self.number("SELECT count(*) FROM bonded_ledger.sealed")?;
        Ok((unsigned(tiles), unsigned(sealed)))
    }

    fn hold_still(&self) -> Result<(), Breach> {
        self.session.ask(Wire::hold_still)
    }

    // The server keeps its own house.
    fn settle(&self) {}
}

impl Tiles for Postgres {
    fn tile(&self, id: TileId) -> Result<Vec<u8>, Breach> {
        let sql = "SELECT hashes FROM bonded_ledger.tile WHERE level = $1 AND number = $2";
        let level = i32::try_from(id.level).unwrap_or(i32::MAX);
        let number = signed(id.number);
        let rows = self
            .session
            .ask(move |wire| wire.query(sql, &[&level, &number]))?;
        rows.first().map(|row| row.get(0)).ok_or_else(|| {
            self.damaged(format!(
                "tile {} of level {} is missing",
                id.number, id.level
            ))
        })
    }

    fn damaged(&self, what: String) -> Breach {
        Breach::Damaged {
            file: Path::new(self.server.called()).to_owned(),
            what,
        }
    }
}
