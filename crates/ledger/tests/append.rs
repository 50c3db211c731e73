//! Appending: order, durability, the shape of what is acknowledged.
mod domain;

use domain::{block_on, copy, create, fill, noon, open, strangers, verify};
use ledger::{Breach, Checkpoint, Leaf, Ledger};
use std::collections::BTreeSet;
use terms::Event;

#[test]
fn what_is_acknowledged_is_under_the_checkpoint_it_came_with() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    for n in 0..5 {
        let appended = block_on(ledger.append(&strangers(n), Some(b"secret"), noon())).unwrap();
        assert_eq!(appended.index, n);
        let verifier = ledger.reader().verifier();
        assert_eq!(
            Checkpoint::open(&appended.checkpoint, verifier)
                .unwrap()
                .head
                .size,
            n + 1
        );
        let proof = ledger.prove(n).unwrap();
        proof.verify(&ledger.leaf(n).unwrap(), verifier).unwrap();
        assert_eq!(
            proof.to_string().parse::<ledger::TlogProof>().unwrap(),
            proof
        );
        assert!(proof.verify(b"another", verifier).is_err());
    }
}

#[test]
fn the_leaf_is_canonical_and_holds_no_sealed_text() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    ledger
        .append(&strangers(7), Some(b"canary-name"), noon())
        .wait()
        .unwrap();
    let leaf = String::from_utf8(ledger.leaf(0).unwrap()).unwrap();
    let start = "{\"at\":\"2026-11-21T12:00:00.000000Z\",\"event\":{\"calls\":7,\
                 \"event\":\"strangers-counted\"},\"sealed\":\"";
    assert!(leaf.starts_with(start), "{leaf}");
    assert!(leaf.ends_with("\",\"v\":1}"));
    let stored = ledger.events(0).unwrap().next().unwrap().unwrap();
    assert_eq!(stored.sealed.as_deref(), Some(b"canary-name".as_slice()));
    assert_eq!((stored.at, stored.event), (noon(), strangers(7)));
    drop(ledger);
    for file in std::fs::read_dir(dir.path().join("ledger")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"canary"));
    }
}

#[test]
fn appenders_at_once_get_contiguous_indexes_and_keep_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let appender = |name: u64| {
        let ledger = ledger.clone();
        move || -> Vec<u64> {
            let pending: Vec<_> = (0..100)
                .map(|n| ledger.append(&strangers(name * 1000 + n), None, noon()))
                .collect();
            pending
                .into_iter()
                .map(|pending| pending.wait().unwrap().index)
                .collect()
        }
    };
    let threads: Vec<_> = (0..8)
        .map(|name| std::thread::spawn(appender(name)))
        .collect();
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
    assert_eq!(verify(dir.path()).unwrap().entries, 800);
}

#[test]
fn a_log_is_taken_up_where_it_was_left_at_any_size() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path()));
    let mut size = 0;
    for more in [1, 1, 3, 250, 1, 1, 255, 300] {
        let ledger = open(dir.path()).unwrap();
        fill(&ledger, more);
        size += more;
        assert_eq!(ledger.head().unwrap().0.head.size, size);
        assert_eq!(
            ledger.events(size / 2).unwrap().count(),
            usize::try_from(size - size / 2).unwrap()
        );
        drop(ledger);
        assert_eq!(verify(dir.path()).unwrap().entries, size);
    }
    let reader = Ledger::open_read_only(dir.path()).unwrap();
    let root = |size| {
        let path = reader.prove_consistency(size, 812).unwrap();
        path.len()
    };
    assert!(root(1) > 0 && root(812) == 0);
}

#[test]
fn a_reader_sees_what_a_writer_that_is_still_open_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    fill(&ledger, 3);
    assert_eq!(verify(dir.path()).unwrap().entries, 3);
    let reader = Ledger::open_read_only(dir.path()).unwrap();
    fill(&ledger, 3);
    assert_eq!(reader.head().unwrap().0.head.size, 6);
}

#[test]
fn a_second_ledger_in_one_place_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path()));
    let again = Ledger::create(
        dir.path(),
        &"yuecheng".parse().unwrap(),
        std::sync::Arc::new(domain::Fixed),
    );
    assert!(matches!(again, Err(Breach::Exists { .. })));
}

#[test]
fn an_entry_too_long_for_the_format_is_refused_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let long = Event::GatewayStarted {
        version: "x".repeat(65_535),
        policies: terms::Digest::of(b""),
        register: None,
    };
    assert!(matches!(
        ledger.append(&long, None, noon()).wait(),
        Err(Breach::TooLong { .. })
    ));
    fill(&ledger, 1);
    assert_eq!(verify(dir.path()).unwrap().entries, 1);
}

#[test]
fn every_event_reads_back_as_it_was_written() {
    for event in [strangers(1), domain::domain_created(true)] {
        let leaf = Leaf {
            at: noon(),
            event,
            sealed: Some(terms::Digest::of(b"x")),
        };
        let bytes = leaf.encode().unwrap();
        assert_eq!(Leaf::decode(&bytes).unwrap(), leaf);
        let loose = String::from_utf8(bytes).unwrap().replace(',', ", ");
        assert!(Leaf::decode(loose.as_bytes()).is_err());
    }
}

#[test]
fn the_log_as_files_is_the_tiles_the_format_asks_for() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    fill(&ledger, 300);
    let out = tempfile::tempdir().unwrap();
    ledger.reader().export(out.path()).unwrap();
    let read = |path: &str| std::fs::read(out.path().join(path)).unwrap();
    assert_eq!(read("tile/0/000").len(), 256 * 32);
    assert_eq!(read("tile/0/001.p/44").len(), 44 * 32);
    assert_eq!(read("tile/1/000.p/1").len(), 32);
    assert_eq!(read("checkpoint"), ledger.head().unwrap().1.into_bytes());
    let bundle = read("tile/entries/001.p/44");
    let length = usize::from(u16::from_be_bytes([bundle[0], bundle[1]]));
    assert_eq!(bundle[2..2 + length], ledger.leaf(256).unwrap());
    assert_eq!(
        read("tile/0/001.p/44")[..32],
        *ledger::leaf_hash(&bundle[2..2 + length]).bytes()
    );
}

#[test]
fn a_commit_that_fails_stops_the_ledger_and_records_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    fill(&ledger, 3);
    let database = rusqlite::Connection::open(dir.path().join("ledger/ledger.db")).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON checkpoint \
             BEGIN SELECT RAISE(ABORT, 'disk full'); END",
        )
        .unwrap();
    let failed = ledger.append(&strangers(9), None, noon()).wait();
    assert!(matches!(failed, Err(Breach::Stopped { .. })));
    database.execute_batch("DROP TRIGGER full").unwrap();
    drop(database);
    let after = ledger.append(&strangers(9), None, noon()).wait();
    assert!(
        matches!(after, Err(Breach::Stopped { .. })),
        "a stopped ledger stays stopped"
    );
    drop(ledger);
    let ledger = open(dir.path()).unwrap();
    assert_eq!(
        ledger
            .append(&strangers(9), None, noon())
            .wait()
            .unwrap()
            .index,
        3
    );
    assert_eq!(verify(dir.path()).unwrap().entries, 4);
}

#[test]
fn a_commit_that_nobody_was_told_of_is_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    fill(&ledger, 3);
    let anchor = std::fs::read(dir.path().join("ledger/anchor")).unwrap();
    fill(&ledger, 2);
    drop(ledger);
    // The gateway was killed between the commit and the anchor.
    std::fs::write(dir.path().join("ledger/anchor"), anchor).unwrap();
    let ledger = open(dir.path()).unwrap();
    assert_eq!(ledger.head().unwrap().0.head.size, 5);
}

#[test]
fn a_write_ahead_log_cut_anywhere_leaves_whole_batches_or_a_breach() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let first_anchor = std::fs::read(dir.path().join("ledger/anchor")).unwrap();
    for n in 0..10 {
        ledger
            .append(&strangers(n), Some(b"x"), noon())
            .wait()
            .unwrap();
    }
    let killed = tempfile::tempdir().unwrap();
    copy(dir.path(), killed.path());
    let wal = std::fs::read(killed.path().join("ledger/ledger.db-wal")).unwrap();
    for cut in (0..=wal.len()).step_by(7_001).chain([wal.len()]) {
        let copied = tempfile::tempdir().unwrap();
        copy(killed.path(), copied.path());
        std::fs::remove_file(copied.path().join("ledger/ledger.db-shm")).unwrap();
        std::fs::write(copied.path().join("ledger/ledger.db-wal"), &wal[..cut]).unwrap();
        match open(copied.path()) {
            Ok(whole) => assert_eq!(whole.head().unwrap().0.head.size, 10),
            // What was acknowledged is gone: that is never passed over.
            Err(Breach::RolledBack { .. } | Breach::Damaged { .. } | Breach::Database { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
        // Without the anchor, what is left is a true beginning of the log.
        std::fs::write(copied.path().join("ledger/anchor"), &first_anchor).unwrap();
        if let Ok(beginning) = open(copied.path()) {
            let size = beginning.head().unwrap().0.head.size;
            fill(&beginning, 1);
            drop(beginning);
            assert_eq!(verify(copied.path()).unwrap().entries, size + 1);
        }
    }
}
