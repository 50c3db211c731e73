//! A log copied in pieces and put back is the same log, entry for entry and head for head.
#![expect(clippy::unwrap_used, reason = "a test's own tools may panic")]
mod domain;

use chrono::TimeDelta;
use domain::{block_on, create, fill, noon, open, opening, strangers, verify};
use ledger::{Breach, Copying, Ledger, PIECE_ENTRIES, Promises};
use std::path::Path;
use terms::Event;

fn pieces(dir: &Path) -> Vec<Vec<u8>> {
    let copying = Copying::begin(dir).unwrap();
    let piece = |number| copying.piece(number, &mut |_| {}).unwrap();
    (0..copying.pieces()).map(piece).collect()
}

/// A folder with the log's public key alone.
fn empty(of: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("keys")).unwrap();
    let key = "keys/ledger.vkey";
    std::fs::copy(of.join(key), dir.path().join(key)).unwrap();
    dir
}

fn put_back(pieces: &[Vec<u8>], dir: &Path) -> Result<ledger::Head, Breach> {
    Ledger::put_back(dir, pieces.iter().cloned().map(Ok::<_, Breach>))
}

/// Entries of an operation with a sealed text, 250 days ago; then many of now.
fn log(dir: &Path) -> Ledger {
    let ledger = create(dir);
    let retention = r#"{"operation_days": 184, "running_days": 184}"#;
    let event = Event::RetentionSet {
        retention: serde_json::from_str(retention).unwrap(),
    };
    let then = noon() - TimeDelta::days(250);
    let set = then - TimeDelta::days(50);
    ledger.append(&event, None, set).wait().unwrap();
    for number in 0..600 {
        let event = strangers(number);
        ledger.append(&event, Some(b"a text"), then).wait().unwrap();
    }
    let opened = block_on(ledger.open_operation(opening(), "SELECT 1", noon())).unwrap();
    block_on(opened.refuse("policy.no-scenario", noon())).unwrap();
    fill(&ledger, 2 * PIECE_ENTRIES);
    ledger
}

fn pruned(ledger: &Ledger) {
    let mut promises = Promises::default();
    for stored in ledger.events(0).unwrap() {
        let stored = stored.unwrap();
        promises.apply(&stored.event, stored.at);
    }
    let sun = "sun".parse().unwrap();
    block_on(ledger.expire(&promises, noon())).unwrap();
    let pruned = block_on(ledger.prune(&sun, &promises, noon())).unwrap();
    assert!(pruned.removed > 500);
}

#[test]
fn a_log_put_back_is_the_log_that_was_copied() {
    for is_pruned in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let ledger = log(dir.path());
        if is_pruned {
            pruned(&ledger);
        }
        // Copied while it is open for writing.
        let pieces = pieces(dir.path());
        drop(ledger);
        let back = empty(dir.path());
        let head = put_back(&pieces, back.path()).unwrap();
        let (one, other) = (verify(dir.path()).unwrap(), verify(back.path()).unwrap());
        assert_eq!(one, other);
        assert_eq!((head.size, head.root), (one.entries, one.root));
        assert_eq!(one.pruned > 0, is_pruned);
        for key in ["ledger.key", "sealed.key"] {
            let key = Path::new("keys").join(key);
            std::fs::copy(dir.path().join(&key), back.path().join(&key)).unwrap();
        }
        let (before, after) = (open(dir.path()).unwrap(), open(back.path()).unwrap());
        assert!(
            before
                .events(0)
                .unwrap()
                .eq_by_parts(after.events(0).unwrap())
        );
        fill(&after, 3);
        assert_eq!(verify(back.path()).unwrap().entries, head.size + 3);
        let again = Ledger::put_back(back.path(), std::iter::empty::<Result<_, Breach>>());
        assert!(matches!(again, Err(Breach::Exists { .. })));
    }
}

trait EqByParts {
    fn eq_by_parts(self, other: Self) -> bool;
}

impl EqByParts for ledger::Events {
    fn eq_by_parts(self, other: Self) -> bool {
        let all = |events: Self| events.map(Result::unwrap).collect::<Vec<_>>();
        all(self) == all(other)
    }
}

#[test]
fn a_piece_that_is_full_changes_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = log(dir.path());
    let before = pieces(dir.path());
    fill(&ledger, PIECE_ENTRIES);
    let after = pieces(dir.path());
    assert!(after.len() > before.len());
    let full = before.len() - 1;
    assert_eq!(before[..full], after[..full]);
    assert_ne!(before[full], after[full]);
}

#[test]
fn what_is_copied_is_held_still() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = log(dir.path());
    let copying = Copying::begin(dir.path()).unwrap();
    let size = copying.head().0.head.size;
    fill(&ledger, 10);
    let mut seen = 0;
    for number in 0..copying.pieces() {
        copying.piece(number, &mut |_| seen += 1).unwrap();
    }
    assert_eq!((seen, ledger.size()), (size, size + 10));
}

#[test]
fn an_empty_log_is_put_back_too() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path()));
    let pieces = pieces(dir.path());
    let back = empty(dir.path());
    assert_eq!(put_back(&pieces, back.path()).unwrap().size, 0);
    assert_eq!(verify(back.path()).unwrap(), verify(dir.path()).unwrap());
}

#[test]
fn pieces_that_are_not_those_of_the_log_make_none() {
    let dir = tempfile::tempdir().unwrap();
    drop(log(dir.path()));
    let good = pieces(dir.path());
    let fails = |pieces: &[Vec<u8>]| {
        let back = empty(dir.path());
        let put = put_back(pieces, back.path());
        assert!(put.and_then(|_| verify(back.path())).is_err());
    };
    // Where a checkpoint falls on the end of a piece is up to the clock: what is left is then a log of before.
    let whole = Copying::begin(dir.path()).unwrap().head().0.head.size;
    if let Ok(head) = put_back(&good[..good.len() - 1], empty(dir.path()).path()) {
        assert!(head.size < whole && head.size % PIECE_ENTRIES == 0);
    }
    fails(&good[1..]);
    let mut swapped = good.clone();
    swapped.swap(0, 1);
    fails(&swapped);
    let mut cut = good.clone();
    let length = cut[0].len();
    cut[0].truncate(length - 1);
    fails(&cut);
    for at in (0..good[1].len()).step_by(good[1].len() / 61) {
        let mut changed = good.clone();
        changed[1][at] ^= 1;
        fails(&changed);
    }
}
