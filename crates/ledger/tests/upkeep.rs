//! Retention and redaction: what is destroyed is gone, what is left proves as before.
#![expect(clippy::unwrap_used, reason = "a test's own tools may panic")]
mod domain;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{block_on, copy, create, noon, open, opening, strangers, verify};
use ledger::{Breach, Ledger, Onlooker, Promises, Published, TlogProof};
use std::path::Path;
use terms::{Event, Retention};

const TEXT: &str = "SELECT * FROM citizen WHERE name = '张三丰'";

fn days(days: i64) -> TimeDelta {
    TimeDelta::days(days)
}

fn short() -> Event {
    let retention = r#"{"operation_days": 184, "running_days": 184}"#;
    let retention: Retention = serde_json::from_str(retention).unwrap();
    Event::RetentionSet { retention }
}

fn promises(ledger: &Ledger) -> Promises {
    let mut promises = Promises::default();
    for stored in ledger.events(0).unwrap() {
        let stored = stored.unwrap();
        promises.apply(&stored.event, stored.at);
    }
    promises
}

/// An operation of one day, refused: two entries, the first with a sealed text.
fn operate(ledger: &Ledger, at: DateTime<Utc>) -> u64 {
    let opened = block_on(ledger.open_operation(opening(), TEXT, at)).unwrap();
    let index = opened.index();
    block_on(opened.refuse("policy.no-scenario", at)).unwrap();
    index
}

fn record(ledger: &Ledger, event: &Event, at: DateTime<Utc>) {
    ledger.append(event, None, at).wait().unwrap();
}

/// Bytes of all files of the ledger: what somebody sees who copies the folder.
fn bytes(dir: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(dir.join("ledger")).unwrap();
    files
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[test]
fn a_redacted_text_is_gone_from_the_files_and_from_an_older_copy() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let (one, two) = (operate(&ledger, noon()), operate(&ledger, noon()));
    let leaf = ledger.leaf(one).unwrap();
    let proof = ledger.prove(one).unwrap();
    let database = dir.path().join("ledger/ledger.db");
    let part: Vec<u8> = rusqlite::Connection::open(&database)
        .unwrap()
        .query_row(
            "SELECT part FROM sealed WHERE idx = ?1",
            [one.cast_signed()],
            |row| row.get(0),
        )
        .unwrap();
    drop(ledger);
    let old = tempfile::tempdir().unwrap();
    copy(dir.path(), old.path());
    assert!(contains(&bytes(dir.path()), &part[..32]));

    let ledger = open(dir.path()).unwrap();
    block_on(ledger.redact(7, one, noon())).unwrap();
    assert_eq!(ledger.reader().sealed(one).unwrap(), None);
    assert!(ledger.reader().sealed(two).unwrap().is_some());
    drop(ledger);

    // Not even the salt is left, which alone would tell nothing.
    assert!(!contains(&bytes(dir.path()), &part[..32]));
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.sealed, report.sealed_removed), (Some(1), Some(1)));
    // The leaf stands, an old proof holds, and a new one can be made.
    let ledger = open(dir.path()).unwrap();
    assert_eq!(ledger.leaf(one).unwrap(), leaf);
    proof.verify(&leaf, ledger.reader().verifier()).unwrap();
    assert!(ledger.prove(one).is_ok());
    drop(ledger);

    // The copy made before has the ciphertext; the keys, which belong in no copy, no longer open it.
    std::fs::copy(
        dir.path().join("keys/sealed.key"),
        old.path().join("keys/sealed.key"),
    )
    .unwrap();
    let copied = open(old.path()).unwrap();
    let reader = copied.reader();
    assert!(matches!(reader.sealed(one), Err(Breach::Damaged { .. })));
    assert!(reader.sealed(two).unwrap().is_some());
    // Who only reads opens none, though the key lies there.
    let reader = Ledger::open_read_only(old.path()).unwrap();
    assert_eq!(reader.sealed(two).unwrap(), None);
}

#[test]
fn texts_go_when_their_time_is_over_and_not_a_day_before() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    record(&ledger, &short(), noon() - days(1));
    for day in 0..3 {
        operate(&ledger, noon() + days(day));
    }
    ledger
        .append(&strangers(1), Some(b"kept as long"), noon())
        .wait()
        .unwrap();
    let expire = |after| block_on(ledger.expire(&promises(&ledger), noon() + days(after))).unwrap();
    assert_eq!(expire(184), 0);
    assert_eq!(expire(185), 2);
    assert_eq!(expire(185), 0);
    assert_eq!(expire(187), 2);
    assert_eq!(expire(4000), 0);
    let events: Vec<_> = ledger
        .events(0)
        .unwrap()
        .map(|e| e.unwrap().event)
        .collect();
    let expired = events
        .iter()
        .filter(|e| matches!(e, Event::TextsExpired { .. }));
    assert_eq!(expired.count(), 3);
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.sealed, report.sealed_removed), (Some(0), Some(4)));
}

/// 600 entries over, of which 3 are what stands, and one more that is not over.
fn old_log(dir: &Path) -> Ledger {
    let ledger = create(dir);
    record(&ledger, &domain::domain_created(false), noon() - days(300));
    record(&ledger, &short(), noon() - days(300));
    for _ in 0..149 {
        operate(&ledger, noon() - days(200));
    }
    record(&ledger, &domain::domain_created(false), noon() - days(200));
    let pending: Vec<_> = (0..300)
        .map(|n| ledger.append(&strangers(n), None, noon() - days(190)))
        .collect();
    pending
        .into_iter()
        .for_each(|pending| drop(pending.wait().unwrap()));
    operate(&ledger, noon());
    block_on(ledger.expire(&promises(&ledger), noon())).unwrap();
    ledger
}

#[test]
fn a_pruned_log_verifies_and_every_proof_holds() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = old_log(dir.path());
    let size = ledger.head().unwrap().0.head.size;
    let proofs: Vec<(Vec<u8>, TlogProof)> = (0..size)
        .map(|index| (ledger.leaf(index).unwrap(), ledger.prove(index).unwrap()))
        .collect();
    let old_head = ledger.head().unwrap().0.head;

    let sun = "sun".parse().unwrap();
    let pruned = block_on(ledger.prune(&sun, &promises(&ledger), noon())).unwrap();
    assert_eq!((pruned.minimum, pruned.removed), (512, 509));
    let again = block_on(ledger.prune(&sun, &promises(&ledger), noon())).unwrap();
    assert_eq!((again.minimum, again.removed), (512, 0));

    let report = verify(dir.path()).unwrap();
    assert_eq!(report.pruned, 509);
    let verifier = ledger.reader().verifier();
    for (index, (leaf, proof)) in (0..).zip(&proofs) {
        proof.verify(leaf, verifier).unwrap();
        // A proof against the new head is made out of the tree, pruned or not.
        ledger.prove(index).unwrap().verify(leaf, verifier).unwrap();
    }
    let new_head = ledger.head().unwrap().0.head;
    for old in [0, 1, 300, 512, 600, old_head.size] {
        let path = ledger
            .reader()
            .prove_consistency(old, new_head.size)
            .unwrap();
        assert!(old != old_head.size || ledger::is_consistent(old_head, new_head, &path));
    }
    // What is pruned is not published, what is not is; what stands can still be folded.
    let out = tempfile::tempdir().unwrap();
    ledger.reader().export(out.path()).unwrap();
    let there = |path: &str| out.path().join(path).exists();
    assert!(!there("tile/entries/000") && !there("tile/entries/001"));
    let last = format!("tile/entries/002.p/{}", new_head.size - 512);
    assert!(there(&last) && there("tile/0/000") && there("checkpoint"));
    let folded: Vec<_> = ledger.events(0).unwrap().map(Result::unwrap).collect();
    assert_eq!(folded.iter().filter(|stored| stored.index < 512).count(), 3);
    drop(ledger);
    let ledger = open(dir.path()).unwrap();
    ledger.carry_out().unwrap();
    record(&ledger, &strangers(1), noon());
    verify(dir.path()).unwrap();
}

/// The entries of a published log, as its audit shows them.
fn shown(log: &Published<&Path>) -> Result<(ledger::Report, Vec<u64>), Breach> {
    struct Shown(Vec<u64>);
    impl Onlooker for Shown {
        fn progress(&mut self, _done: u64, _of: u64) {}

        fn entry(&mut self, index: u64, _leaf: &[u8]) -> Result<(), Breach> {
            self.0.push(index);
            Ok(())
        }
    }
    let mut shown = Shown(Vec::new());
    Ok((log.audit(&mut shown)?, shown.0))
}

#[test]
fn a_pruned_log_is_published_with_what_is_kept_and_holds_with_no_less() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = old_log(dir.path());
    let out = tempfile::tempdir().unwrap();
    ledger.reader().export(out.path()).unwrap();
    let whole = std::fs::read(out.path().join("tile/entries/001")).unwrap();
    let sun = "sun".parse().unwrap();
    block_on(ledger.prune(&sun, &promises(&ledger), noon())).unwrap();
    std::fs::remove_dir_all(out.path()).unwrap();
    ledger.reader().export(out.path()).unwrap();

    let log = Published::new(out.path(), ledger.reader().verifier().clone());
    let (report, seen) = shown(&log).unwrap();
    let kept: Vec<u64> = ledger
        .events(0)
        .unwrap()
        .map(|e| e.unwrap().index)
        .collect();
    assert_eq!((report.pruned, &seen), (509, &kept));
    assert_eq!((report.sealed, report.sealed_removed), (None, None));
    let (proof, leaf) = log.prove(0).unwrap();
    assert_eq!(leaf.unwrap(), ledger.leaf(0).unwrap());
    assert_eq!(
        (proof.index, log.prove(300).unwrap().1.is_none()),
        (0, kept.binary_search(&300).is_err())
    );

    // What a cache keeps of a pruned bundle does no harm.
    let stale = out.path().join("tile/entries/001");
    std::fs::write(&stale, whole).unwrap();
    assert_eq!(shown(&log).unwrap().0.pruned, 254);
    std::fs::remove_file(stale).unwrap();

    let file = out.path().join("kept/000");
    let bytes = std::fs::read(&file).unwrap();
    for place in (0..bytes.len()).step_by(bytes.len().div_ceil(60)) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        std::fs::write(&file, changed).unwrap();
        assert!(shown(&log).is_err(), "byte {place}");
    }
    let first = 3 + usize::from(u16::from_be_bytes([bytes[1], bytes[2]]));
    for less in [&bytes[first..], &bytes[..first], &[]] {
        std::fs::write(&file, less).unwrap();
        assert!(shown(&log).is_err());
    }
    std::fs::remove_file(&file).unwrap();
    let missed = shown(&log).unwrap_err().to_string();
    assert!(missed.contains("folder `kept`"), "{missed}");
    std::fs::write(&file, &bytes).unwrap();
    assert!(shown(&log).is_ok());
}

#[test]
fn an_entry_taken_out_of_a_pruned_log_is_missed() {
    for sql in [
        "DELETE FROM event WHERE idx = 0",
        "DELETE FROM event WHERE idx = 300",
        "DELETE FROM event WHERE idx = 520",
        "DELETE FROM event WHERE idx = (SELECT max(idx) - 1 FROM event)",
        "INSERT INTO event SELECT 5, leaf FROM event WHERE idx = 0",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let ledger = old_log(dir.path());
        let sun = "sun".parse().unwrap();
        block_on(ledger.prune(&sun, &promises(&ledger), noon())).unwrap();
        drop(ledger);
        let database = rusqlite::Connection::open(dir.path().join("ledger/ledger.db")).unwrap();
        assert_eq!(database.execute(sql, []).unwrap(), 1);
        assert!(verify(dir.path()).is_err(), "{sql}");
        let opened =
            open(dir.path()).and_then(|ledger| ledger.events(0)?.try_for_each(|e| e.map(drop)));
        assert!(opened.is_err(), "{sql}");
    }
}

/// A crash after a destruction was put on record and before it was done: the record is followed.
#[test]
fn what_is_on_record_as_destroyed_is_destroyed_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = old_log(dir.path());
    let last = operate(&ledger, noon());
    drop(ledger);
    let crashed = tempfile::tempdir().unwrap();
    copy(dir.path(), crashed.path());
    // The same destructions on a copy, of which only the records come back.
    let ledger = open(crashed.path()).unwrap();
    record(
        &ledger,
        &Event::TextRedacted {
            request: 1,
            entry: last,
        },
        noon(),
    );
    let today = noon().date_naive();
    let expired = Event::TextsExpired {
        class: terms::EventClass::Operation,
        from: today,
        through: today,
        texts: 2,
    };
    record(&ledger, &expired, noon());
    assert_eq!(verify(crashed.path()).unwrap().sealed, Some(2));
    ledger.carry_out().unwrap();
    let report = verify(crashed.path()).unwrap();
    assert_eq!((report.sealed, report.pruned), (Some(0), 0));
    let sun = "sun".parse().unwrap();
    block_on(ledger.prune(&sun, &promises(&ledger), noon())).unwrap();
    assert_eq!(verify(crashed.path()).unwrap().pruned, 509);
}
