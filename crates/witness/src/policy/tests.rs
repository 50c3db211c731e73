use super::*;
use crate::CosigningKey;
use ledger::{Ledger, SystemClock};
use std::sync::Arc;
use terms::Event;

fn key(number: u8) -> CosigningKey {
    let mut pkcs8 = hex::decode("302e020100300506032b657004220420").unwrap();
    pkcs8.extend([number; 32]);
    CosigningKey::new(&format!("witness.example/w{number}"), &pkcs8).unwrap()
}

/// A domain's log of three entries: its key, its newest note.
fn log() -> (tempfile::TempDir, NoteVerifier, String) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(
        dir.path(),
        &"yuecheng".parse().unwrap(),
        Arc::new(SystemClock),
    )
    .unwrap();
    for calls in 0..3 {
        let event = Event::StrangersCounted { calls };
        let at = DateTime::from_timestamp(1_795_262_400, 0).unwrap();
        ledger.append(&event, None, at).wait().unwrap();
    }
    let note = ledger.head().unwrap().1;
    (dir, ledger.reader().verifier().clone(), note)
}

fn cosigned(note: &str, by: &[u8]) -> String {
    let text = note.split_once("\n\n").unwrap().0.to_owned() + "\n";
    let at = DateTime::from_timestamp(1_795_262_500, 0).unwrap();
    let lines = by.iter().map(|number| key(*number).sign(&text, at));
    format!("{note}{}", lines.collect::<String>())
}

fn three_of_two_levels(log: &NoteVerifier) -> String {
    let witness = |n: u8| format!("witness X{n} {}\n", key(n).cosigner());
    format!(
        "# who is asked\n\nlog {log}\n{}{}{}\tgroup X 2 X1 X2 X3 \n{}group both all X X4\nquorum both\n",
        witness(1),
        witness(2),
        witness(3),
        witness(4)
    )
}

#[test]
fn a_quorum_of_groups_is_counted() {
    let (_dir, log, note) = log();
    let policy: Policy = three_of_two_levels(&log).parse().unwrap();
    for (by, enough) in [
        (&[1, 2, 4][..], true),
        (&[1, 2, 3, 4], true),
        (&[2, 3, 4], true),
        (&[1, 2, 3], false),
        (&[1, 4], false),
        (&[4], false),
        (&[], false),
        (&[1, 5, 4], false),
    ] {
        let accepted = policy.accept(&cosigned(&note, by), &log);
        match (&accepted, enough) {
            (Ok(witnessed), true) => assert_eq!(witnessed.by.len(), by.len()),
            (Err(Unwitnessed::NoQuorum { .. }), false) => {}
            other => panic!("{by:?}: {other:?}"),
        }
    }
}

#[test]
fn one_witness_that_signs_twice_counts_once() {
    let (_dir, log, note) = log();
    let policy: Policy = three_of_two_levels(&log).parse().unwrap();
    let twice = cosigned(&cosigned(&note, &[1, 4]), &[1]);
    assert!(policy.accept(&twice, &log).is_err());
}

#[test]
fn a_checkpoint_of_another_log_is_not_accepted() {
    let (_dir, ours, _) = log();
    let (_dir, theirs, note) = log();
    let policy: Policy = three_of_two_levels(&ours).parse().unwrap();
    let note = cosigned(&note, &[1, 2, 4]);
    assert!(policy.accept(&note, &theirs).is_err());
    assert!(policy.accept(&note, &ours).is_err());
}

#[test]
fn a_bare_key_is_a_policy_without_witnesses() {
    let (_dir, log, note) = log();
    let policy: Policy = format!("{log}\n").parse().unwrap();
    assert!(!policy.demands_witnesses());
    policy.accept(&note, &log).unwrap();
}

#[test]
fn what_is_no_policy_is_refused_with_its_line() {
    let (_dir, log, _) = log();
    let a = key(1).cosigner().to_string();
    let b = key(2).cosigner().to_string();
    for (line, text) in [
        (2, format!("log {log}\n# no quorum")),
        (3, format!("log {log}\nquorum none\nquorum none\n")),
        (1, "quorum w\n".to_owned()),
        (2, format!("log {log}\nlog {log}\nquorum none\n")),
        (2, format!("witness a {a}\nwitness b {a}\nquorum a\n")),
        (2, format!("witness a {a}\nwitness a {b}\nquorum a\n")),
        (1, format!("witness none {a}\nquorum none\n")),
        (1, format!("witness a {log}\nquorum none\n")),
        (1, format!("log {a}\nquorum none\n")),
        (2, format!("witness a {a}\ngroup g all\nquorum g\n")),
        (2, format!("witness a {a}\ngroup g 2 a\nquorum g\n")),
        (2, format!("witness a {a}\ngroup g 0 a\nquorum g\n")),
        (2, format!("witness a {a}\ngroup g 01 a\nquorum g\n")),
        (2, format!("witness a {a}\ngroup g +1 a\nquorum g\n")),
        (2, format!("witness a {a}\ngroup g any a a\nquorum g\n")),
        (2, format!("witness a {a}\ngroup g any none\nquorum g\n")),
        (1, format!("group g any a\nwitness a {a}\nquorum g\n")),
        (
            4,
            format!("witness a {a}\nwitness b {b}\ngroup g any a\ngroup h any a b\nquorum h\n"),
        ),
        (1, "mirror x\nquorum none\n".to_owned()),
        (1, "quorum none\r\n".to_owned()),
        (1, String::new()),
    ] {
        match text.parse::<Policy>() {
            Err(Unwitnessed::Policy { line: found, .. }) => assert_eq!(found, line, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn no_changed_byte_makes_a_policy_that_wants_less() {
    let (_dir, log, note) = log();
    let text = three_of_two_levels(&log);
    // Two of three and the fourth: what is short of that stays short, whatever byte is changed, unless
    // the change is in the rule itself.
    let rule = text.find("group").unwrap();
    let short = cosigned(&note, &[1]);
    for place in 0..rule {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1 << bit;
            if let Ok(Ok(policy)) = String::from_utf8(bytes).map(|text| text.parse::<Policy>()) {
                assert!(
                    policy.accept(&short, &log).is_err(),
                    "byte {place} bit {bit}"
                );
            }
        }
    }
}
