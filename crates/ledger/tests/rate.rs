//! How fast a whole log is hashed again. Not a law, since it depends on the machine: run it with
//! `cargo test --release -p ledger --test rate -- --ignored --nocapture`.
#![expect(clippy::unwrap_used, reason = "a test's own tools may panic")]
mod domain;

use domain::{create, noon, verify};
use ledger::Published;
use std::time::Instant;
use terms::{Digest, Event, Obligations};

/// Entries of the log, unless `BONDED_RATE_ENTRIES` says otherwise.
const ENTRIES: usize = 1_000_000;

/// The event there are most of, with three references: about 600 bytes.
fn decided() -> Event {
    let reference = serde_json::json!({"dataset": "city.citizen", "item": "birthday", "grade": 3,
        "way": "masked"});
    let reference: terms::Reference = serde_json::from_value(reference).unwrap();
    Event::OperationDecided {
        query: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        plan: Digest::of(b"plan"),
        policies: Digest::of(b"policies"),
        register_version: 42,
        references: vec![reference; 3],
        obligations: Obligations {
            rows_max: 1000,
            result_bytes_max: 1_000_000,
        },
    }
}

/// What the process has computed so far, in seconds of one core; a busy machine does not slow it.
fn cores_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum::<f64>()
        / 100.0
}

/// Does something to so many entries, and tells how many a second and a core-second that were.
fn told<T>(what: &str, entries: usize, work: impl FnOnce() -> T) -> T {
    let (began, cores) = (Instant::now(), cores_seconds());
    let done = work();
    let (wall, cores) = (began.elapsed().as_secs_f64(), cores_seconds() - cores);
    let entries = entries as f64;
    println!(
        "{what}: {:.0}/s, {:.0} a core-second",
        entries / wall,
        entries / cores
    );
    done
}

#[test]
#[ignore = "a measurement, of a release build"]
fn a_whole_log_is_hashed_again() {
    let entries = option_env!("BONDED_RATE_ENTRIES").map_or(ENTRIES, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let event = decided();
    told("appended", entries, || {
        for first in (0..entries).step_by(4096) {
            let pending: Vec<_> = (first..entries.min(first + 4096))
                .map(|_| ledger.append(&event, None, noon()))
                .collect();
            for pending in pending {
                pending.wait().unwrap();
            }
        }
    });
    println!("an entry has {} bytes", ledger.leaf(0).unwrap().len());
    let report = told("hashed again from the database", entries, || {
        verify(dir.path()).unwrap()
    });
    println!("under {} checkpoints", report.checkpoints);
    let out = dir.path().join("out");
    ledger.reader().export(&out).unwrap();
    let log = Published::new(out.as_path(), ledger.reader().verifier().clone());
    told("hashed again from files", entries, || {
        log.audit(&mut |_: u64, _: u64| {}).unwrap()
    });
    let last = u64::try_from(entries).unwrap() - 1;
    told("proofs made and verified", 1000, || {
        (0..1000).for_each(|n| drop(ledger.prove(n * 997 % last).unwrap()));
    });
}
