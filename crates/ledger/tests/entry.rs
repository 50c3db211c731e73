//! The life of one operation.
#![expect(clippy::unwrap_used, reason = "a test's own tools may panic")]
mod domain;

use domain::{block_on, create, domain_created, noon, open, opening, verify};
use ledger::{Decided, Decision, Ledger, ReleaseFacts};
use terms::{Digest, Event, Notice, Obligations};

const fn is_send<T: Send + 'static>() {}
const _: () = is_send::<Decided>();

/// The gateway runs these on a pool of threads.
fn sendable<F: Future + Send>(future: F) -> F {
    future
}

fn decision() -> Decision {
    Decision {
        plan: Digest::of(b"plan"),
        policies: Digest::of(b"policies"),
        register_version: 3,
        references: Vec::new(),
        obligations: Obligations {
            rows_max: 10,
            result_bytes_max: 10,
        },
        lineage: b"{}".to_vec(),
    }
}

fn facts() -> ReleaseFacts {
    ReleaseFacts {
        rows: 2,
        bytes: 16,
        result: Digest::of(b"result"),
        notice: Notice::Standing,
        groups_withheld: 1,
        accuracy: None,
        register: "none".to_owned(),
        used: None,
    }
}

fn unexpected(event: &Event) -> &'static str {
    panic!("{event:?}")
}

/// The events of the log, without their contents.
fn story(ledger: &Ledger) -> Vec<&'static str> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what else there is ends the test"
    )]
    let word = |event: &Event| match event {
        Event::OperationOpened { .. } => "opened",
        Event::OperationDecided { .. } => "decided",
        Event::OperationRefused { .. } => "refused",
        Event::OperationReleased { .. } => "released",
        Event::OperationFailed { .. } => "failed",
        Event::OperationAbandoned { .. } => "abandoned",
        Event::DomainCreated { .. } => "other",
        other => unexpected(other),
    };
    ledger
        .events(0)
        .unwrap()
        .map(|stored| word(&stored.unwrap().event))
        .collect()
}

#[test]
fn an_operation_that_ends_has_one_outcome_and_a_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    ledger
        .append(&domain_created(true), None, noon())
        .wait()
        .unwrap();
    let receipt = block_on(async {
        let opened = ledger
            .open_operation(opening(), "SELECT 'canary'", noon())
            .await
            .unwrap();
        assert_eq!(opened.index(), 1);
        let decided = opened.decide(decision(), noon()).await.unwrap();
        assert_eq!((decided.plan(), decided.index()), (Digest::of(b"plan"), 2));
        decided.close(facts(), noon()).await.unwrap()
    });
    assert_eq!(
        (receipt.index, receipt.pilot, receipt.register.as_str()),
        (3, true, "none")
    );
    let released = ledger.events(3).unwrap().next().unwrap().unwrap();
    assert_eq!(
        released.sealed.as_deref(),
        Some(br#"{"groups_withheld":1,"cells_perturbed":0}"#.as_slice())
    );
    let leaf = String::from_utf8(ledger.leaf(3).unwrap()).unwrap();
    assert!(
        !leaf.contains("groups_withheld"),
        "the leaf goes out with an export"
    );
    assert!(receipt.checkpoint.starts_with("bonded/yuecheng\n4\n"));
    assert_eq!(story(&ledger), ["other", "opened", "decided", "released"]);
    drop(ledger);
    assert!(
        open(dir.path()).unwrap().is_pilot(),
        "the pilot mark is for good"
    );
}

#[test]
fn the_statement_is_sealed_and_its_digest_can_be_checked() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    drop(block_on(ledger.open_operation(opening(), "SELECT 'canary'", noon())).unwrap());
    let stored = ledger.events(0).unwrap().next().unwrap().unwrap();
    let Event::OperationOpened { statement, .. } = stored.event else {
        panic!()
    };
    let part: serde_json::Value = serde_json::from_slice(&stored.sealed.unwrap()).unwrap();
    assert_eq!(part["sql"], "SELECT 'canary'");
    let digest = ledger::statement_digest(part["salt"].as_str().unwrap(), "SELECT 'canary'");
    assert_eq!(digest, statement);
    let leaf = String::from_utf8(ledger.leaf(0).unwrap()).unwrap();
    assert!(!leaf.contains("canary"));
}

#[test]
fn a_dropped_operation_is_recorded_as_abandoned_with_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let opened = block_on(sendable(ledger.open_operation(
        opening(),
        "SELECT 1",
        noon(),
    )))
    .unwrap();
    let decided = block_on(sendable(opened.decide(decision(), noon()))).unwrap();
    decided.count_rows(40);
    decided.count_rows(2);
    drop(decided);
    drop(ledger);
    let ledger = open(dir.path()).unwrap();
    assert_eq!(story(&ledger), ["opened", "decided", "abandoned"]);
    let Event::OperationAbandoned { rows, .. } =
        ledger.events(2).unwrap().next().unwrap().unwrap().event
    else {
        panic!()
    };
    assert_eq!(rows, Some(42));
}

#[test]
fn a_caller_who_goes_away_while_it_is_opened_leaves_it_abandoned() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    {
        let mut opening = std::pin::pin!(ledger.open_operation(opening(), "SELECT 1", noon()));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        drop(opening.as_mut().poll(&mut cx));
    }
    drop(ledger);
    assert_eq!(story(&open(dir.path()).unwrap()), ["opened", "abandoned"]);
}

#[test]
fn a_refused_and_a_failed_operation_have_their_codes_on_record() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    block_on(async {
        let opened = ledger.open_operation(opening(), "x", noon()).await.unwrap();
        opened
            .refuse("policy.licence-expired", noon())
            .await
            .unwrap();
        let opened = ledger.open_operation(opening(), "x", noon()).await.unwrap();
        let decided = opened.decide(decision(), noon()).await.unwrap();
        decided.fail("dispatch.killed", noon()).await.unwrap();
    });
    assert_eq!(
        story(&ledger),
        ["opened", "refused", "opened", "decided", "failed"]
    );
}

#[test]
fn what_a_killed_gateway_left_open_is_recorded_as_abandoned_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let opened = block_on(ledger.open_operation(opening(), "SELECT 1", noon())).unwrap();
    std::mem::forget(opened);
    let copied = tempfile::tempdir().unwrap();
    domain::copy(dir.path(), copied.path());
    let ledger = open(copied.path()).unwrap();
    assert_eq!(ledger.abandon_unfinished(noon()).unwrap(), 1);
    assert_eq!(ledger.abandon_unfinished(noon()).unwrap(), 0);
    assert_eq!(story(&ledger), ["opened", "abandoned"]);
    assert_eq!(verify(copied.path()).unwrap().sealed, Some(1));
}
