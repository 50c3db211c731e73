//! The spelling of every event, as it stands in leaves that can never be rewritten.

use super::*;
use serde_json::{Value, json};

const QUERY: &str = "0123456789abcdef0123456789abcdef";

fn digest() -> String {
    "ab".repeat(32)
}

fn person() -> Value {
    json!({"id": "ann", "role": "operator-member", "organisation": "op-a", "vetted": true,
        "nda_until": "2027-12-31"})
}

fn item() -> Value {
    json!({"name": "pid", "title": "", "kind": "subject_id", "grade": 3, "mask": "token",
        "unique": true, "domain": "person", "sharing": "conditional", "opening": "not-opened",
        "data_type": "int"})
}

fn dataset() -> Value {
    json!({"name": "city.citizen", "title": "Citizens", "content": "", "provider": "bureau",
        "source": "forms", "sector": "general", "update": "daily", "subject": "pid",
        "external": false, "prohibited": null, "risk": null, "items": [item()]})
}

fn scenario() -> Value {
    let wanted = json!({"name": "city.citizen", "items": {"named": ["pid"]}, "aggregate": [],
        "rows": "pid > 0", "rows_plan": "00", "show_rows": false});
    json!({"id": "s", "licence": "l", "title": "t", "purpose": "p", "members": ["ann"],
        "datasets": [wanted]})
}

/// One of each event of what stands.
fn standing() -> [Value; 7] {
    [
        json!({"event": "domain-created", "name": "wuxi", "title": "Wuxi",
            "default_schema": "city", "pilot": true,
            "thresholds": {"grade_two": 5, "grade_three": 10},
            "obligations": {"rows_max": 10, "result_bytes_max": 1000}}),
        json!({"event": "person-enrolled", "by": "adam", "person": person(),
            "certificate": digest()}),
        json!({"event": "operator-registered", "by": "dora", "operator": {"id": "op-a",
            "title": "A", "security_officer": "ann", "emergency_plan": true,
            "evidence": [{"kind": "mlps", "title": "t", "until": "2027-12-31"}]}}),
        json!({"event": "dataset-catalogued", "by": "dora", "dataset": dataset()}),
        json!({"event": "dataset-loaded", "by": "pat", "snapshot": {"dataset": "city.citizen",
            "number": 1, "rows": 7, "digest": digest(), "types": ["int", null]},
            "row_risks": {"s": {"dataset": "city.citizen", "snapshot": 1, "subjects": 7,
            "subjects_unique": 1, "subjects_below_k": 2, "k": 5}}}),
        json!({"event": "licence-step", "by": "ann", "stage": "applied", "licence": {"id": "l",
            "operator": "op-a", "mode": "sectoral", "sectors": ["medical"],
            "from": "2026-01-01", "until": "2027-12-31", "agreement": "A-1"},
            "course": {"since": "2026-11-21", "due": "2026-12-04"}}),
        json!({"event": "scenario-step", "by": "sam", "stage": "reviewed",
            "scenario": scenario(), "row_risks": [{"dataset": "city.citizen", "snapshot": 1,
            "subjects": 7, "subjects_unique": 1, "subjects_below_k": 2, "k": 5}],
            "course": {"since": "2026-11-21", "reviews": [{"by": "sam", "aspect": "security",
            "on": "2026-11-21"}]}}),
    ]
}

/// One of each event of what may follow.
fn changing() -> [Value; 25] {
    let operator = json!({"id": "op-a", "title": "A", "security_officer": "ann",
        "emergency_plan": true, "drill_until": "2027-06-30", "evidence": []});
    let announcement = json!({"id": "n", "title": "t", "mode": "sectoral",
        "sectors": ["medical"], "from": "2026-01-01", "until": "2026-01-31"});
    let product = json!({"id": "p", "form": "report", "scenario": "s", "title": "t",
        "benefit": "industry", "fee": {"unit": "export", "cents": 100_000}, "plan": digest(),
        "validation": {"kind": "validation", "title": "t", "until": "2027-12-31"}});
    [
        json!({"event": "person-changed", "by": "adam", "step": "certificate-revoked",
            "person": person(), "certificate": null}),
        json!({"event": "operator-changed", "by": "dora", "step": "drilled",
            "operator": operator}),
        json!({"event": "dataset-proposed", "by": "pat", "dataset": dataset(),
            "due": "2026-12-04"}),
        json!({"event": "grades-proposed", "by": "pat", "proposal": {"dataset": "city.citizen",
            "items": [["pid", {"degree": "serious", "scope": "narrow"}]], "on": "2026-11-21",
            "due": "2026-12-11"}}),
        json!({"event": "dataset-changed", "by": "dora", "step": "graded",
            "dataset": dataset()}),
        json!({"event": "licences-announced", "by": "dora", "announcement": announcement}),
        json!({"event": "product-step", "by": "ann", "stage": "applied", "product": product,
            "course": {"since": "2026-11-21"}}),
        json!({"event": "objection-lodged", "objection": {"id": "o", "against": {"item":
            {"dataset": "city.citizen", "item": "pid"}}, "lodged_by": "ann",
            "lodged": "2026-11-21", "due": "2026-12-04"}}),
        json!({"event": "objection-answered", "objection": "o", "answer": {"by": "dora",
            "on": "2026-11-22", "upheld": true}}),
        json!({"event": "violation-recorded", "violation": {"id": "v", "operator": "op-a",
            "kind": "beyond-scenario", "measure": "restricted", "recorded_by": "dora",
            "recorded": "2026-11-21"}}),
        json!({"event": "violation-lifted", "by": "dora", "violation": "v",
            "on": "2026-11-22"}),
        json!({"event": "destruction-confirmed", "by": "sam", "of": {"licence": "l"},
            "certificate": digest()}),
        json!({"event": "holidays-set", "by": "dora", "holidays": {"year": 2026,
            "off": ["2026-10-01"], "worked": ["2026-10-10"]}}),
        json!({"event": "external-step", "by": "dora", "stage": "granted", "external": {"id": "x-1",
            "scenario": "s", "dataset": dataset(), "agreement": digest(), "rows": 7,
            "digest": digest(), "types": ["text"], "report": digest(), "until": "2027-01-31"},
            "course": {"since": "2026-11-21"}, "snapshot": {"dataset": "city.citizen",
            "number": 1, "rows": 7, "digest": digest(), "types": ["text"]}}),
        json!({"event": "sensitive-found", "query": QUERY, "found": [{"column": 0,
            "shape": "resident-id", "values": 1}], "held": true}),
        json!({"event": "product-certified", "product": "p-1", "certificate": digest()}),
        json!({"event": "seal-listed", "list": digest(), "files": [{"dataset": "city.citizen",
            "snapshot": 1, "sha256": digest(), "bytes": 9}]}),
        json!({"event": "data-sealed", "by": "sam", "unit": "dataset/city.citizen",
            "basis": "investigation", "until": "2027-12-31", "list": digest(), "root": digest()}),
        json!({"event": "seal-extended", "by": "sam", "unit": "scenario/s", "until": "2028-12-31"}),
        json!({"event": "seal-release-requested", "by": "sam", "unit": "licence/l"}),
        json!({"event": "seal-release-approved", "by": "dora", "role": "data-authority",
            "unit": "licence/l"}),
        json!({"event": "seal-released", "by": "rita", "role": "regulator", "unit": "licence/l"}),
        json!({"event": "seal-checked", "by": "rita", "unit": "dataset/city.citizen",
            "found": digest(), "holds": true}),
        json!({"event": "person-changed", "by": "adam", "step": "suspended", "person":
            {"id": "ann", "role": "operator-member", "organisation": "op-a", "vetted": true,
            "nda_until": "2027-12-31", "standing": "suspended"}, "certificate": digest()}),
        json!({"event": "operation-opened", "query": QUERY, "action": "export", "person": "ann",
            "scenario": "s", "product": "p-1", "channel": "remote", "statement": digest()}),
    ]
}

/// One of each event of what was done.
fn operating() -> [Value; 12] {
    [
        json!({"event": "gateway-started", "version": "0.1.0", "policies": digest()}),
        json!({"event": "operation-opened", "query": QUERY, "action": "query", "person": "ann",
            "scenario": "s", "channel": "domain", "statement": digest()}),
        json!({"event": "operation-decided", "query": QUERY, "plan": digest(),
            "policies": digest(), "register_version": 12, "references": [{"dataset":
            "city.citizen", "item": "pid", "grade": 3, "way": "masked"}],
            "obligations": {"rows_max": 10, "result_bytes_max": 1000}}),
        json!({"event": "operation-refused", "query": QUERY, "code": "policy.no-scenario"}),
        json!({"event": "release-conflicted", "query": QUERY, "dataset": "city.citizen",
            "snapshot": 1, "measure": null}),
        json!({"event": "operation-released", "query": QUERY, "rows": 7, "bytes": 70,
            "result": digest(), "notice": "standing", "register": "audited",
            "used": {"planner_cpu_ms": 2, "runner_cpu_ms": 3, "scanned_bytes": 9, "values_masked": 14, "cells": 21}}),
        json!({"event": "operation-failed", "query": QUERY, "code": "dispatch.killed"}),
        json!({"event": "operation-abandoned", "query": QUERY, "rows": null}),
        json!({"event": "exported", "query": QUERY, "manifest": digest()}),
        json!({"event": "strangers-counted", "calls": 3}),
        json!({"event": "export-withheld", "query": QUERY, "code": "witness.no-quorum"}),
        json!({"event": "witness-lagged", "witness": "regulator", "size": 7}),
    ]
}

/// One of each event of the log's own upkeep.
fn upkeep() -> [Value; 16] {
    [
        json!({"event": "sealed-read", "by": "sam", "entry": 9, "purpose": "investigation"}),
        json!({"event": "retention-set", "retention": {"procedure_days": 1830,
            "operation_days": 184, "export_days": 1830, "reading_days": 1830,
            "running_days": 1830}}),
        json!({"event": "redaction-requested", "by": "sam", "entry": 9,
            "basis": "erasure-request"}),
        json!({"event": "redaction-approved", "by": "dora", "request": 10}),
        json!({"event": "text-redacted", "request": 10, "entry": 9}),
        json!({"event": "texts-expired", "class": "operation", "from": "2026-01-01",
            "through": "2026-01-02", "texts": 3}),
        json!({"event": "log-pruned", "by": "dora", "minimum": 256, "root": digest(),
            "kept": digest(), "removed": 200}),
        json!({"event": "keys-unlocked", "keystore": "passphrase", "storage": 3,
            "check": digest(), "keys": 5}),
        json!({"event": "key-created", "key": "snapshot/city.citizen/1", "check": digest()}),
        json!({"event": "keys-rotated", "rotation": "storage", "keystore": "pkcs11",
            "storage": 4, "check": digest(), "keys": 5}),
        json!({"event": "key-destroyed", "key": "storage/3", "check": digest()}),
        json!({"event": "destruction-requested", "by": "sam", "dataset": "city.citizen",
            "snapshot": 1, "basis": "superseded"}),
        json!({"event": "destruction-approved", "by": "dora", "request": 10}),
        json!({"event": "destruction-certified", "request": 10, "certificate": digest()}),
        json!({"event": "derived-kept", "by": "ann", "derived": {"name": "a", "number": 3,
            "scenario": "s", "licence": "l", "query": QUERY,
            "rows": {"people": {"dataset": "city.citizen", "snapshot": 1}}, "external": false,
            "columns": [{"name": "pid", "data_type": "text", "grade": 3, "token": "person",
            "bare": true, "subject": true, "unique": true, "typed": true, "made": "freely"}],
            "sources": [{"dataset": "city.citizen", "snapshot": 1, "items": ["pid"]}],
            "view": digest(), "rows_charged": 7, "until": "2027-01-01", "digest": digest()}}),
        json!({"event": "derived-dropped", "by": "ann", "dataset": "work.a_3",
            "end": "expired"}),
    ]
}

fn keeping() -> [Value; 3] {
    [
        json!({"event": "backup-made", "by": "adam", "size": 300, "root": digest(),
            "backup": digest(), "objects": 7, "bytes": 9000, "bytes_new": 400}),
        json!({"event": "keys-copied", "keystore": "passphrase", "storage": 3,
            "check": digest(), "keys": 6}),
        json!({"event": "domain-restored", "size": 300, "root": digest(), "backup": digest(),
            "rolled_back_from": 310, "unopened": 1}),
    ]
}

fn read(value: &Value) -> Event {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

#[test]
fn every_event_is_written_as_it_was_read() {
    let samples = standing().into_iter().chain(changing());
    for value in &samples
        .chain(operating())
        .chain(upkeep())
        .chain(keeping())
        .collect::<Vec<_>>()
    {
        assert_eq!(&serde_json::to_value(read(value)).unwrap(), value);
        assert_eq!(value["event"], read(value).name());
        assert_eq!(
            read(&serde_json::from_str(&value.to_string()).unwrap()),
            read(value)
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table reads best in one place")]
fn the_samples_are_of_every_event_once() {
    // A new event has no number here, and so no test until somebody gives it one.
    let number = |event: &Event| match event {
        Event::DomainCreated { .. } => 0,
        Event::PersonEnrolled { .. } => 1,
        Event::OperatorRegistered { .. } => 2,
        Event::DatasetCatalogued { .. } => 3,
        Event::DatasetLoaded { .. } => 4,
        Event::LicenceStep { .. } => 5,
        Event::ScenarioStep { .. } => 6,
        Event::GatewayStarted { .. } => 7,
        Event::OperationOpened { .. } => 8,
        Event::OperationDecided { .. } => 9,
        Event::OperationRefused { .. } => 10,
        Event::ReleaseConflicted { .. } => 11,
        Event::OperationReleased { .. } => 12,
        Event::OperationFailed { .. } => 13,
        Event::OperationAbandoned { .. } => 14,
        Event::Exported { .. } => 15,
        Event::StrangersCounted { .. } => 16,
        Event::ExportWithheld { .. } => 17,
        Event::WitnessLagged { .. } => 18,
        Event::SealedRead { .. } => 19,
        Event::RetentionSet { .. } => 20,
        Event::RedactionRequested { .. } => 21,
        Event::RedactionApproved { .. } => 22,
        Event::TextRedacted { .. } => 23,
        Event::TextsExpired { .. } => 24,
        Event::LogPruned { .. } => 25,
        Event::PersonChanged { .. } => 35,
        Event::OperatorChanged { .. } => 36,
        Event::DatasetProposed { .. } => 37,
        Event::GradesProposed { .. } => 38,
        Event::DatasetChanged { .. } => 39,
        Event::LicencesAnnounced { .. } => 40,
        Event::ProductStep { .. } => 41,
        Event::ObjectionLodged { .. } => 42,
        Event::ObjectionAnswered { .. } => 43,
        Event::ViolationRecorded { .. } => 44,
        Event::ViolationLifted { .. } => 45,
        Event::DestructionConfirmed { .. } => 46,
        Event::HolidaysSet { .. } => 47,
        Event::ExternalStep { .. } => 48,
        Event::SensitiveFound { .. } => 49,
        Event::ProductCertified { .. } => 50,
        Event::SealListed { .. } => 54,
        Event::DataSealed { .. } => 55,
        Event::SealExtended { .. } => 56,
        Event::SealReleaseRequested { .. } => 57,
        Event::SealReleaseApproved { .. } => 58,
        Event::SealReleased { .. } => 59,
        Event::SealChecked { .. } => 60,
        Event::KeysUnlocked { .. } => 26,
        Event::KeyCreated { .. } => 27,
        Event::KeysRotated { .. } => 28,
        Event::KeyDestroyed { .. } => 29,
        Event::DestructionRequested { .. } => 30,
        Event::DestructionApproved { .. } => 31,
        Event::DestructionCertified { .. } => 32,
        Event::DerivedKept { .. } => 33,
        Event::DerivedDropped { .. } => 34,
        Event::BackupMade { .. } => 51,
        Event::KeysCopied { .. } => 52,
        Event::DomainRestored { .. } => 53,
    };
    let samples = standing().into_iter().chain(operating());
    let numbers = samples
        .chain(upkeep())
        .chain(changing())
        .chain(keeping())
        .map(|v| number(&read(&v)))
        .collect::<Vec<_>>();
    // Two are of a person and an operation once more, with what is left out where all is plain.
    let expected = (0..51).chain(54..61).chain([35, 8]).chain(51..54);
    assert_eq!(numbers, expected.collect::<Vec<_>>());
}

#[test]
fn steps_name_their_licence_and_operations_their_query() {
    let licences = standing().map(|value| read(&value).licence().map(ToString::to_string));
    let l = Some("l".to_owned());
    assert_eq!(licences, [None, None, None, None, None, l.clone(), l]);
    assert!(standing().iter().all(|value| read(value).query().is_none()));
    let operating = operating();
    assert!(
        operating
            .iter()
            .all(|value| read(value).licence().is_none())
    );
    for value in &operating {
        let query = read(value).query().map(ToString::to_string);
        assert_eq!(query.as_deref(), value.get("query").and_then(Value::as_str));
    }
}

#[test]
fn a_release_from_before_anything_was_metered_is_read_and_written_as_it_was() {
    let mut released = operating()
        .into_iter()
        .find(|value| value["event"] == "operation-released")
        .unwrap();
    released.as_object_mut().unwrap().remove("used");
    assert!(matches!(
        read(&released),
        Event::OperationReleased { used: None, .. }
    ));
    assert_eq!(serde_json::to_value(read(&released)).unwrap(), released);
}

#[test]
fn an_event_outside_the_list_is_refused() {
    let wrong = [
        json!({"event": "domain-destroyed"}),
        json!({"event": "StrangersCounted", "calls": 3}),
        json!({"calls": 3}),
        json!({"event": "strangers-counted", "calls": -1}),
        json!({"event": "strangers-counted"}),
        json!({"event": "operation-refused", "query": "1", "code": "x"}),
        json!({"event": "exported", "query": QUERY, "manifest": "ab"}),
        json!({"event": "redaction-requested", "by": "sam", "entry": 9, "basis": "because"}),
        json!({"event": "retention-set", "retention": {"operation_days": 183}}),
    ];
    for value in wrong {
        assert!(
            serde_json::from_value::<Event>(value.clone()).is_err(),
            "{value}"
        );
    }
}

#[test]
fn steps_actions_channels_and_notices_have_one_spelling() {
    fn check<T: serde::Serialize + serde::de::DeserializeOwned>(word: &str) {
        let value: T = serde_json::from_value(word.into()).unwrap();
        assert_eq!(serde_json::to_value(value).unwrap(), Value::from(word));
    }
    for word in [
        "applied",
        "reviewed",
        "noticed",
        "granted",
        "suspended",
        "terminated",
    ] {
        check::<Stage>(word);
    }
    for stage in Stage::ALL {
        check::<Stage>(stage.word());
    }
    for aspect in crate::Aspect::ALL {
        check::<crate::Aspect>(aspect.word());
    }
    for form in crate::Form::ALL {
        check::<crate::Form>(form.word());
    }
    for word in ["query", "explain", "export", "materialise"] {
        check::<Action>(word);
    }
    for word in ["not-applicable", "standing", "groups-withheld"] {
        check::<Notice>(word);
    }
    for channel in [Channel::Domain, Channel::Remote] {
        check::<Channel>(channel.word());
    }
    assert!(serde_json::from_value::<Stage>("revoked".into()).is_err());
    assert!(serde_json::from_value::<Channel>("local".into()).is_err());
}
