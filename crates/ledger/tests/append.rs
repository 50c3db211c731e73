//! Appending: the shape of what is stored, and what a cut file leaves. Laws of every store: `conformance`.
mod domain;

use domain::{copy, create, fill, noon, open, strangers, verify};
use ledger::{Breach, Leaf};
use terms::Event;

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
