//! One suite for every store: what holds of a log in SQLite holds of one in PostgreSQL.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's own tools may panic"
)]
#[path = "domain/mod.rs"]
mod domain;
#[path = "conformance/server.rs"]
mod server;

use domain::{Fixed, block_on, fill, noon, strangers};
use ledger::{Breach, Checkpoint, Ledger, Place, TlogProof};
use server::Server;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use terms::Event;

/// A log to try a law on.
struct Log {
    dir: tempfile::TempDir,
    postgres: Option<(Arc<Server>, String)>,
}

impl Log {
    fn in_sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            dir,
            postgres: None,
        }
    }

    fn in_postgres() -> Self {
        let server = server::server();
        let database = server.database();
        Self {
            postgres: Some((server, database)),
            ..Self::in_sqlite()
        }
    }

    fn place_of(&self, dir: &Path) -> Place {
        match &self.postgres {
            None => Place::from(dir),
            Some((_, database)) => Place::in_postgres(dir, database).unwrap(),
        }
    }

    fn place(&self) -> Place {
        self.place_of(self.dir.path())
    }

    fn create(&self) -> Ledger {
        let name = "yuecheng".parse().unwrap();
        Ledger::create(self.place(), &name, Arc::new(Fixed)).unwrap()
    }

    fn open(&self) -> Result<Ledger, Breach> {
        Ledger::open(self.place(), Arc::new(Fixed))
    }

    fn verify(&self) -> Result<ledger::Report, Breach> {
        Ledger::verify(self.place(), &mut |_, _| {})
    }

    /// Does something to the database behind the ledger's back.
    fn run(&self, sql: &str) {
        match &self.postgres {
            None => {
                let file = self.dir.path().join("ledger/ledger.db");
                let database = rusqlite::Connection::open(file).unwrap();
                database.execute_batch(sql).unwrap();
            }
            Some((_, database)) => {
                let sql = format!("SET search_path = bonded_ledger; {sql}");
                server::run(database, &sql.replace("x'", "'\\x"));
            }
        }
    }

    fn anchor(&self) -> Vec<u8> {
        std::fs::read(self.dir.path().join("ledger/anchor")).unwrap()
    }
}

/// Makes each law a test of each store.
macro_rules! laws {
    ($($law:ident),* $(,)?) => {
        mod sqlite { $(#[test] fn $law() { super::$law(super::Log::in_sqlite()); })* }
        mod postgres { $(#[test] fn $law() { super::$law(super::Log::in_postgres()); })* }
    };
}

laws![
    what_is_acknowledged_is_under_the_checkpoint_it_came_with,
    appenders_at_once_get_contiguous_indexes_and_keep_their_order,
    a_log_is_taken_up_where_it_was_left_at_any_size,
    a_reader_sees_what_a_writer_that_is_still_open_wrote,
    a_second_log_in_one_place_is_refused,
    a_second_writer_is_refused_while_there_is_one,
    a_size_has_one_checkpoint,
    an_index_is_used_once,
    a_failed_commit_records_nothing_and_stops_the_ledger,
    a_log_that_was_changed_does_not_verify,
    a_log_that_was_rolled_back_is_not_opened,
    a_commit_that_nobody_was_told_of_is_taken_up,
    the_last_word_of_a_process_is_written,
];

fn what_is_acknowledged_is_under_the_checkpoint_it_came_with(log: Log) {
    let ledger = log.create();
    for n in 0..5 {
        let appended = block_on(ledger.append(&strangers(n), Some(b"secret"), noon())).unwrap();
        assert_eq!(appended.index, n);
        let verifier = ledger.reader().verifier();
        let checkpoint = Checkpoint::open(&appended.checkpoint, verifier).unwrap();
        assert_eq!(checkpoint.head.size, n + 1);
        let proof = ledger.prove(n).unwrap();
        proof.verify(&ledger.leaf(n).unwrap(), verifier).unwrap();
        assert_eq!(proof.to_string().parse::<TlogProof>().unwrap(), proof);
        let stored = ledger.events(n).unwrap().next().unwrap().unwrap();
        assert_eq!(stored.sealed.as_deref(), Some(b"secret".as_slice()));
    }
    assert!(matches!(ledger.leaf(5), Err(Breach::Absent { index: 5 })));
}

fn appenders_at_once_get_contiguous_indexes_and_keep_their_order(log: Log) {
    let ledger = log.create();
    let appender = |name: u64| {
        let ledger = ledger.clone();
        move || -> Vec<u64> {
            let append = |n| ledger.append(&strangers(name * 1000 + n), None, noon());
            let pending: Vec<_> = (0..100).map(append).collect();
            let wait = |pending: ledger::Pending| pending.wait().unwrap().index;
            pending.into_iter().map(wait).collect()
        }
    };
    let threads: Vec<_> = (0..8).map(|n| std::thread::spawn(appender(n))).collect();
    let mut all = BTreeSet::new();
    for thread in threads {
        let indexes = thread.join().unwrap();
        assert!(indexes.is_sorted());
        all.extend(indexes);
    }
    assert_eq!(all, (0..800).collect());
    let mut last = [None; 8];
    for stored in ledger.events(0).unwrap() {
        let Event::StrangersCounted { calls } = stored.unwrap().event else {
            panic!()
        };
        let last = &mut last[usize::try_from(calls / 1000).unwrap()];
        assert!(*last < Some(calls));
        *last = Some(calls);
    }
    assert_eq!(log.verify().unwrap().entries, 800);
}

fn a_log_is_taken_up_where_it_was_left_at_any_size(log: Log) {
    drop(log.create());
    let mut size = 0;
    for more in [1, 1, 3, 250, 1, 1, 255, 300] {
        let ledger = log.open().unwrap();
        fill(&ledger, more);
        size += more;
        assert_eq!(ledger.head().unwrap().0.head.size, size);
        let rest = ledger.events(size / 2).unwrap().count();
        assert_eq!(rest, usize::try_from(size - size / 2).unwrap());
        drop(ledger);
        assert_eq!(log.verify().unwrap().entries, size);
    }
    let reader = Ledger::open_read_only(log.place()).unwrap();
    assert!(!reader.prove_consistency(1, 812).unwrap().is_empty());
}

fn a_reader_sees_what_a_writer_that_is_still_open_wrote(log: Log) {
    let ledger = log.create();
    fill(&ledger, 3);
    assert_eq!(log.verify().unwrap().entries, 3);
    let reader = Ledger::open_read_only(log.place()).unwrap();
    fill(&ledger, 3);
    assert_eq!(reader.head().unwrap().0.head.size, 6);
}

fn a_second_log_in_one_place_is_refused(log: Log) {
    drop(log.create());
    let elsewhere = tempfile::tempdir().unwrap();
    let dir = match log.postgres {
        None => log.dir.path(),
        Some(_) => elsewhere.path(),
    };
    let name = "yuecheng".parse().unwrap();
    let again = Ledger::create(log.place_of(dir), &name, Arc::new(Fixed));
    assert!(matches!(again, Err(Breach::Exists { .. })), "{again:?}");
}

fn a_second_writer_is_refused_while_there_is_one(log: Log) {
    let ledger = log.create();
    fill(&ledger, 2);
    let second = log.open();
    assert!(matches!(second, Err(Breach::Held { .. })), "{second:?}");
    fill(&ledger, 2);
    drop(ledger);
    assert_eq!(log.open().unwrap().head().unwrap().0.head.size, 4);
}

fn a_size_has_one_checkpoint(log: Log) {
    let ledger = log.create();
    fill(&ledger, 3);
    let size = ledger.head().unwrap().0.head.size;
    log.run(&format!(
        "INSERT INTO checkpoint VALUES ({}, 'another')",
        size + 1
    ));
    let failed = ledger.append(&strangers(9), None, noon()).wait();
    assert!(matches!(failed, Err(Breach::Stopped { .. })), "{failed:?}");
    drop(ledger);
    log.run(&format!("DELETE FROM checkpoint WHERE size = {}", size + 1));
    assert_eq!(log.verify().unwrap().entries, size);
}

fn an_index_is_used_once(log: Log) {
    let ledger = log.create();
    fill(&ledger, 3);
    log.run("INSERT INTO event VALUES (3, x'00')");
    let failed = ledger.append(&strangers(9), None, noon()).wait();
    assert!(matches!(failed, Err(Breach::Stopped { .. })), "{failed:?}");
    drop(ledger);
    assert!(matches!(log.open(), Err(Breach::Damaged { .. })));
}

fn a_failed_commit_records_nothing_and_stops_the_ledger(log: Log) {
    let ledger = log.create();
    fill(&ledger, 3);
    let (broken, mended) = match log.postgres {
        None => (
            "CREATE TRIGGER broken BEFORE INSERT ON checkpoint \
             BEGIN SELECT RAISE(ABORT, 'broken'); END",
            "DROP TRIGGER broken",
        ),
        Some(_) => (
            "ALTER TABLE checkpoint ADD CONSTRAINT broken CHECK (size < 4)",
            "ALTER TABLE checkpoint DROP CONSTRAINT broken",
        ),
    };
    log.run(broken);
    let failed = ledger.append(&strangers(9), None, noon()).wait();
    assert!(matches!(failed, Err(Breach::Stopped { .. })), "{failed:?}");
    log.run(mended);
    let after = ledger.append(&strangers(9), None, noon()).wait();
    assert!(
        matches!(after, Err(Breach::Stopped { .. })),
        "a stopped ledger stays stopped"
    );
    drop(ledger);
    let ledger = log.open().unwrap();
    let appended = ledger.append(&strangers(9), None, noon()).wait().unwrap();
    assert_eq!(appended.index, 3);
    assert_eq!(log.verify().unwrap().entries, 4);
}

fn a_log_that_was_changed_does_not_verify(log: Log) {
    let ledger = log.create();
    fill(&ledger, 300);
    let sealed = ledger.append(&strangers(1), Some(b"x"), noon());
    assert_eq!(sealed.wait().unwrap().index, 300);
    drop(ledger);
    for (change, back) in [
        (
            "CREATE TABLE kept AS SELECT * FROM event WHERE idx = 7; \
             UPDATE event SET leaf = (SELECT leaf FROM event WHERE idx = 8) WHERE idx = 7",
            "UPDATE event SET leaf = (SELECT leaf FROM kept) WHERE idx = 7; DROP TABLE kept",
        ),
        (
            "CREATE TABLE kept AS SELECT * FROM tile WHERE level = 0 AND number = 0; \
             UPDATE tile SET hashes = (SELECT hashes FROM tile WHERE level = 1) \
             WHERE level = 0 AND number = 0",
            "UPDATE tile SET hashes = (SELECT hashes FROM kept) \
             WHERE level = 0 AND number = 0; DROP TABLE kept",
        ),
        (
            "CREATE TABLE kept AS SELECT * FROM sealed; UPDATE sealed SET part = x'00'",
            "UPDATE sealed SET part = (SELECT part FROM kept); DROP TABLE kept",
        ),
        (
            "INSERT INTO tile VALUES (3, 9, x'00')",
            "DELETE FROM tile WHERE level = 3",
        ),
    ] {
        log.run(change);
        let told = log.verify();
        assert!(
            matches!(told, Err(Breach::Damaged { .. })),
            "{change}: {told:?}"
        );
        log.run(back);
        assert_eq!(log.verify().unwrap().entries, 301);
    }
}

fn a_log_that_was_rolled_back_is_not_opened(log: Log) {
    let ledger = log.create();
    fill(&ledger, 1);
    let early = log.anchor();
    let two = ledger.append(&strangers(1), None, noon()).wait().unwrap();
    assert_eq!(two.index, 1);
    drop(ledger);
    // An old copy of the database: the tables as they were when the log had one entry.
    let tile: String = ledger::leaf_hash(&{
        let reader = Ledger::open_read_only(log.place()).unwrap();
        reader.leaf(0).unwrap()
    })
    .to_string();
    log.run(&format!(
        "DELETE FROM event WHERE idx >= 1; DELETE FROM checkpoint WHERE size > 1; \
         UPDATE tile SET hashes = x'{tile}'"
    ));
    if log.postgres.is_some() {
        log.run("UPDATE writer SET size = 1");
    }
    let told = log.open();
    assert!(matches!(told, Err(Breach::RolledBack { .. })), "{told:?}");
    let told = log.verify();
    assert!(matches!(told, Err(Breach::RolledBack { .. })), "{told:?}");
    std::fs::write(log.dir.path().join("ledger/anchor"), early).unwrap();
    assert_eq!(log.open().unwrap().head().unwrap().0.head.size, 1);
}

fn a_commit_that_nobody_was_told_of_is_taken_up(log: Log) {
    let ledger = log.create();
    fill(&ledger, 3);
    let anchor = log.anchor();
    fill(&ledger, 2);
    drop(ledger);
    // The gateway was killed between the commit and the anchor.
    std::fs::write(log.dir.path().join("ledger/anchor"), anchor).unwrap();
    assert_eq!(log.open().unwrap().head().unwrap().0.head.size, 5);
}

fn the_last_word_of_a_process_is_written(log: Log) {
    let ledger = log.create();
    for n in 0..100 {
        drop(ledger.append(&strangers(n), None, noon()));
    }
    drop(ledger);
    assert_eq!(log.verify().unwrap().entries, 100);
}

// === what only a server can do ===

/// Ends every session that writes the log, as an operator does, or a network that goes away.
fn cut_off(log: &Log) {
    log.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
         WHERE application_name = 'bonded ledger' AND datname = current_database()",
    );
}

/// The same domain on another machine.
fn second_gateway(log: &Log) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    domain::copy(log.dir.path(), dir.path());
    dir
}

#[test]
fn a_gateway_that_was_cut_off_goes_on_where_it_was() {
    let log = Log::in_postgres();
    let ledger = log.create();
    fill(&ledger, 3);
    cut_off(&log);
    // Whoever waits when the connection breaks is told; whoever comes next is served again.
    let broken = ledger.append(&strangers(9), None, noon()).wait();
    assert!(matches!(broken, Err(Breach::Severed { .. })), "{broken:?}");
    let appended = ledger.append(&strangers(9), None, noon()).wait().unwrap();
    assert_eq!(appended.index, 3);
    assert_eq!(ledger.head().unwrap().0.head.size, 4);
    drop(ledger);
    assert_eq!(log.verify().unwrap().entries, 4);
}

#[test]
fn a_deposed_gateway_never_appends_again() {
    let log = Log::in_postgres();
    let first = log.create();
    fill(&first, 3);
    let dir = second_gateway(&log);
    let second = || Ledger::open(log.place_of(dir.path()), Arc::new(Fixed));
    assert!(matches!(second(), Err(Breach::Held { .. })));
    cut_off(&log);
    let successor = second().unwrap();
    fill(&successor, 2);
    let broken = first.append(&strangers(9), None, noon()).wait();
    assert!(matches!(broken, Err(Breach::Severed { .. })), "{broken:?}");
    let deposed = first.append(&strangers(9), None, noon()).wait();
    assert!(
        matches!(deposed, Err(Breach::Deposed { .. })),
        "{deposed:?}"
    );
    // Not even once the other is gone: what this one knows is out of date.
    drop(successor);
    let deposed = first.append(&strangers(9), None, noon()).wait();
    assert!(
        matches!(deposed, Err(Breach::Stopped { .. })),
        "{deposed:?}"
    );
    drop(first);
    let entries = log.verify().unwrap().entries;
    assert_eq!(entries, 5);
    assert_eq!(log.open().unwrap().head().unwrap().0.head.size, 5);
}

#[test]
fn a_deposed_gateway_whose_session_still_lives_never_appends_again() {
    let log = Log::in_postgres();
    let ledger = log.create();
    fill(&ledger, 3);
    // As if the server had lost the lock, which it does not: the epoch alone must hold.
    log.run("UPDATE writer SET epoch = epoch + 1");
    let deposed = ledger.append(&strangers(9), None, noon()).wait();
    assert!(
        matches!(deposed, Err(Breach::Deposed { .. })),
        "{deposed:?}"
    );
    drop(ledger);
    assert_eq!(log.verify().unwrap().entries, 3);
}

#[test]
fn a_server_that_may_forget_is_refused() {
    let server = Server::start(&["fsync=off"]);
    let dir = tempfile::tempdir().unwrap();
    let place = Place::in_postgres(dir.path(), &server.database()).unwrap();
    let told = Ledger::create(place, &"yuecheng".parse().unwrap(), Arc::new(Fixed));
    assert!(matches!(told, Err(Breach::Unfit { .. })), "{told:?}");
}

#[test]
fn a_connection_that_leaves_the_machine_in_clear_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for connection in [
        "host=db.example.com user=bonded",
        "postgresql://bonded@192.0.2.1/bonded",
        "host=localhost hostaddr=192.0.2.1",
        "host=/run/postgresql password=secret",
        "user=bonded",
        "nonsense",
    ] {
        let told = Place::in_postgres(dir.path(), connection);
        assert!(matches!(told, Err(Breach::Unfit { .. })), "{connection}");
    }
    assert!(Place::in_postgres(dir.path(), "postgresql://bonded@127.0.0.1:5432/bonded").is_ok());
}
