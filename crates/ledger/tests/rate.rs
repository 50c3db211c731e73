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

#[test]
#[ignore = "a measurement, of a release build"]
fn a_whole_log_is_hashed_again() {
    let entries = option_env!("BONDED_RATE_ENTRIES").map_or(ENTRIES, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let event = decided();
    let began = Instant::now();
    for first in (0..entries).step_by(4096) {
        let pending: Vec<_> = (first..entries.min(first + 4096))
            .map(|_| ledger.append(&event, None, noon()))
            .collect();
        pending
            .into_iter()
            .for_each(|pending| drop(pending.wait().unwrap()));
    }
    let bytes = ledger.leaf(0).unwrap().len();
    let rate = |began: Instant| entries as f64 / began.elapsed().as_secs_f64();
    println!(
        "{entries} entries of {bytes} bytes; appended {:.0}/s",
        rate(began)
    );
    let began = Instant::now();
    let report = verify(dir.path()).unwrap();
    println!(
        "hashed again from the database, {} checkpoints: {:.0}/s",
        report.checkpoints,
        rate(began)
    );
    let out = dir.path().join("out");
    ledger.reader().export(&out).unwrap();
    let log = Published::new(out.as_path(), ledger.reader().verifier().clone());
    let began = Instant::now();
    log.audit(&mut |_: u64, _: u64| {}).unwrap();
    println!("hashed again from files: {:.0}/s", rate(began));
    let began = Instant::now();
    for index in 0..1000 {
        drop(ledger.prove(index * 997).unwrap());
    }
    println!(
        "proofs made and verified: {:.3} ms each",
        began.elapsed().as_secs_f64()
    );
}
