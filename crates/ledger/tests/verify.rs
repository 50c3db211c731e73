//! Verification: what was changed is found, what may be removed is not missed.
#![expect(clippy::unwrap_used, reason = "a test's own tools may panic")]
mod domain;

use domain::{copy, create, fill, noon, open, strangers, verify};
use ledger::Breach;
use rusqlite::Connection;
use std::path::Path;

fn log(dir: &Path) {
    let ledger = create(dir);
    for n in 0..6 {
        ledger
            .append(&strangers(n), Some(b"a real name"), noon())
            .wait()
            .unwrap();
    }
}

fn change(dir: &Path, sql: &str) -> usize {
    let database = Connection::open(dir.join("ledger/ledger.db")).unwrap();
    database.execute(sql, []).unwrap()
}

#[test]
fn a_whole_log_verifies_with_no_more_than_the_database_and_the_verifier_key() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path());
    for file in ["keys/ledger.key", "keys/sealed.key", "ledger/anchor"] {
        std::fs::remove_file(dir.path().join(file)).unwrap();
    }
    let mut told = Vec::new();
    let report = ledger::Ledger::verify(dir.path(), &mut |at, of| told.push((at, of))).unwrap();
    assert_eq!(
        (report.entries, report.sealed, report.sealed_removed),
        (6, Some(6), Some(0))
    );
    assert_eq!((report.checkpoints, report.anchored), (7, None));
    assert_eq!(told.last(), Some(&(6, 6)));
}

#[test]
fn a_removed_sealed_part_leaves_the_log_whole() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path());
    assert_eq!(
        change(dir.path(), "DELETE FROM sealed WHERE idx IN (1, 3)"),
        2
    );
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.sealed, report.sealed_removed), (Some(4), Some(2)));
    let ledger = open(dir.path()).unwrap();
    let entries: Vec<_> = ledger.events(0).unwrap().map(Result::unwrap).collect();
    assert_eq!(entries[1].sealed, None);
    assert_eq!(
        entries[2].sealed.as_deref(),
        Some(b"a real name".as_slice())
    );
}

/// Every byte of every cell that holds bytes or text is flipped, one at a time.
#[test]
fn every_flipped_byte_is_detected() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path());
    let path = dir.path().join("ledger/ledger.db");
    let mut flips = 0;
    for (table, column, key) in [
        ("event", "leaf", "idx"),
        ("sealed", "part", "idx"),
        ("tile", "hashes", "level"),
        ("checkpoint", "note", "size"),
    ] {
        let database = Connection::open(&path).unwrap();
        let select = format!("SELECT {key}, CAST({column} AS BLOB) FROM {table}");
        let cells: Vec<(i64, Vec<u8>)> = database
            .prepare(&select)
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let kind = if column == "note" { "TEXT" } else { "BLOB" };
        let update = format!("UPDATE {table} SET {column} = CAST(?1 AS {kind}) WHERE {key} = ?2");
        for (at, cell) in cells {
            for place in 0..cell.len() {
                let mut flipped = cell.clone();
                flipped[place] ^= 1;
                database.execute(&update, (&flipped, at)).unwrap();
                assert!(verify(dir.path()).is_err(), "{table} {at} byte {place}");
                flips += 1;
            }
            database.execute(&update, (&cell, at)).unwrap();
        }
    }
    assert!(flips > 2_000);
    verify(dir.path()).unwrap();
}

/// Bytes of the file itself: either the change is told, or it lies where nothing is stored.
#[test]
fn a_file_changed_anywhere_verifies_only_with_the_same_contents() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path());
    let report = verify(dir.path()).unwrap();
    let path = dir.path().join("ledger/ledger.db");
    let whole = std::fs::read(&path).unwrap();
    for place in (0..whole.len()).step_by(61) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x41;
        std::fs::write(&path, bytes).unwrap();
        if let Ok(after) = verify(dir.path()) {
            assert_eq!(after, report, "byte {place}");
        }
    }
}

#[test]
fn entries_taken_out_put_in_or_moved_are_detected() {
    for sql in [
        "DELETE FROM event WHERE idx = 2",
        "DELETE FROM event WHERE idx = 5",
        "DELETE FROM event",
        "INSERT INTO event SELECT 6, leaf FROM event WHERE idx = 0",
        "UPDATE event SET idx = 9 WHERE idx = 5",
        "UPDATE sealed SET idx = 9 WHERE idx = 5",
        "DELETE FROM checkpoint",
        "DELETE FROM checkpoint WHERE size = 6",
        "UPDATE checkpoint SET size = 7 WHERE size = 6",
        "DELETE FROM tile",
        "INSERT INTO tile SELECT 1, 0, hashes FROM tile",
        "UPDATE event SET leaf = (SELECT leaf FROM event WHERE idx = 1) WHERE idx = 2",
    ] {
        let dir = tempfile::tempdir().unwrap();
        log(dir.path());
        assert!(change(dir.path(), sql) > 0);
        assert!(verify(dir.path()).is_err(), "{sql}");
        let opened =
            open(dir.path()).map(|ledger| ledger.events(0).map(|mut e| e.all(|e| e.is_ok())));
        let whole = matches!(opened, Ok(Ok(true)));
        // Writing needs neither old sealed parts nor old checkpoints.
        assert!(
            !whole || sql.contains("sealed") || sql.contains("INSERT INTO tile"),
            "{sql}"
        );
    }
}

#[test]
fn an_older_copy_of_the_database_is_not_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path());
    let old = tempfile::tempdir().unwrap();
    copy(dir.path(), old.path());
    fill(&open(dir.path()).unwrap(), 1);
    std::fs::copy(
        old.path().join("ledger/ledger.db"),
        dir.path().join("ledger/ledger.db"),
    )
    .unwrap();
    assert!(matches!(open(dir.path()), Err(Breach::RolledBack { .. })));
    assert!(matches!(verify(dir.path()), Err(Breach::RolledBack { .. })));
}

#[test]
fn another_history_of_the_same_length_is_not_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path());
    let fork = tempfile::tempdir().unwrap();
    copy(dir.path(), fork.path());
    open(dir.path())
        .unwrap()
        .append(&strangers(100), None, noon())
        .wait()
        .unwrap();
    open(fork.path())
        .unwrap()
        .append(&strangers(200), None, noon())
        .wait()
        .unwrap();
    std::fs::copy(
        fork.path().join("ledger/ledger.db"),
        dir.path().join("ledger/ledger.db"),
    )
    .unwrap();
    assert!(matches!(open(dir.path()), Err(Breach::RolledBack { .. })));
    assert!(matches!(verify(dir.path()), Err(Breach::RolledBack { .. })));
}

#[test]
fn a_log_signed_by_another_key_is_not_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path());
    let other = tempfile::tempdir().unwrap();
    drop(create(other.path()));
    let vkey = "keys/ledger.vkey";
    std::fs::copy(other.path().join(vkey), dir.path().join(vkey)).unwrap();
    assert!(verify(dir.path()).is_err());
    assert!(matches!(open(dir.path()), Err(Breach::Key { .. })));
}

#[test]
fn a_damaged_file_is_told_with_its_name_and_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    log(dir.path());
    let path = dir.path().join("ledger/ledger.db");
    let whole = std::fs::read(&path).unwrap();
    for bytes in [
        &whole[..whole.len() / 2],
        &whole[..100],
        b"",
        b"not a database at all, but long enough to be looked at",
    ] {
        std::fs::write(&path, bytes).unwrap();
        let told = open(dir.path()).expect_err("damaged").to_string();
        assert!(
            told.contains("ledger.db") && told.contains("backup"),
            "{told}"
        );
    }
    std::fs::remove_file(&path).unwrap();
    let told = open(dir.path()).expect_err("missing");
    assert!(matches!(told, Breach::Unreachable { .. }), "{told}");
    std::fs::write(&path, &whole).unwrap();
    std::fs::write(dir.path().join("ledger/anchor"), "garbled").unwrap();
    let told = open(dir.path()).expect_err("damaged").to_string();
    assert!(told.contains("anchor"), "{told}");
}

#[test]
fn an_entry_is_proved_under_an_earlier_checkpoint_that_covers_it_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let mut notes = Vec::new();
    for calls in 0..9 {
        ledger
            .append(&strangers(calls), None, noon())
            .wait()
            .unwrap();
        notes.push(ledger.head().unwrap().1);
    }
    let reader = ledger.reader();
    for (place, note) in (0..).zip(&notes) {
        for index in 0..9 {
            let proof = reader.prove_under(index, note);
            assert_eq!(proof.is_ok(), index <= place, "{index} under {place}");
            if let Ok(proof) = proof {
                let leaf = ledger.leaf(index).unwrap();
                let shown = proof.verify(&leaf, reader.verifier()).unwrap();
                assert_eq!(shown.head.size, place + 1);
            }
        }
    }
    let other = tempfile::tempdir().unwrap();
    let foreign = create(other.path()).head().unwrap().1;
    assert!(reader.prove_under(0, &foreign).is_err());
}
