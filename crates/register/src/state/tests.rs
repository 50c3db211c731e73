use super::*;
use crate::stage::{dataset, licence, operator, person, scenario, snapshot};
use serde_json::{Value, json};
use terms::Event;

fn folded(events: &[Value]) -> State {
    let mut state = State::default();
    for event in events {
        state.apply(&serde_json::from_value(event.clone()).unwrap());
    }
    state
}

fn catalogued() -> Value {
    json!({"event": "dataset-catalogued", "by": "dora", "dataset": {"name": "a.b", "title": "x",
        "provider": "x", "source": "x", "sector": "general", "update": "x", "subject": null,
        "external": false, "prohibited": null, "risk": null, "items": []}})
}

fn loaded(number: u32) -> Value {
    let digest = Digest::of(b"");
    json!({"event": "dataset-loaded", "by": "dora", "snapshot": {"dataset": "a.b",
        "number": number, "rows": 1, "digest": digest, "types": []}})
}

fn step(stage: &str) -> Value {
    json!({"event": "scenario-step", "by": "ann", "stage": stage, "row_risks": [],
        "scenario": {"id": "s", "licence": "l", "title": "x", "purpose": "x", "members": [],
        "datasets": [{"name": "a.b", "items": "all", "rows": null}]}})
}

fn pinned(events: &[Value]) -> Option<u32> {
    let state = folded(events);
    let id = "s".parse().unwrap();
    let name = "a.b".parse().unwrap();
    state.scenario(&id).unwrap().pinned.get(&name).copied()
}

#[test]
fn a_scenario_sees_the_snapshot_it_was_granted_on_until_it_is_granted_again() {
    let mut events = vec![
        catalogued(),
        loaded(1),
        step("applied"),
        loaded(2),
        step("granted"),
    ];
    assert_eq!(pinned(&events), Some(2));
    events.push(loaded(3));
    assert_eq!(pinned(&events), Some(2), "a refresh does not show");
    events.push(step("suspended"));
    assert_eq!(pinned(&events), Some(2));
    events.push(step("granted"));
    assert_eq!(pinned(&events), Some(3));
}

#[test]
fn without_data_at_the_grant_the_first_that_comes_is_seen() {
    let events = [catalogued(), step("granted"), loaded(1), loaded(2)];
    assert_eq!(pinned(&events[..2]), None);
    assert_eq!(pinned(&events), Some(1));
}

#[test]
fn a_version_counts_what_changes_and_nothing_else() {
    let opened = json!({"event": "strangers-counted", "calls": 3});
    let state = folded(&[catalogued(), opened, loaded(1)]);
    assert_eq!(state.version(), 2);
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// One of each event that changes what stands, in an order in which each finds what it needs.
fn standing() -> [Value; 7] {
    let licence = json!({"event": "licence-step", "by": "ann", "stage": "applied",
        "licence": licence()});
    let scenario = json!({"event": "scenario-step", "by": "ann", "stage": "applied",
        "scenario": scenario(), "row_risks": [{"dataset": "city.citizen", "snapshot": 1,
        "subjects": 7, "subjects_unique": 1, "subjects_below_k": 2, "k": 5}]});
    [
        json!({"event": "domain-created", "name": "wuxi", "title": "Wuxi",
            "default_schema": "city", "pilot": true,
            "thresholds": {"grade_two": 6, "grade_three": 12},
            "obligations": {"rows_max": 10, "result_bytes_max": 1000}}),
        json!({"event": "person-enrolled", "by": "adam", "person": person("ann", "acme"),
            "certificate": Digest::of(b"ann")}),
        json!({"event": "operator-registered", "by": "dora", "operator": operator("acme", "ann")}),
        json!({"event": "dataset-catalogued", "by": "dora", "dataset": dataset()}),
        json!({"event": "dataset-loaded", "by": "pat", "snapshot": snapshot(1)}),
        licence,
        scenario,
    ]
}

/// One of each event of what was done.
fn operating() -> [Value; 10] {
    let (query, digest) = ("0".repeat(32), Digest::of(b""));
    [
        json!({"event": "gateway-started", "version": "0.1.0", "policies": digest}),
        json!({"event": "operation-opened", "query": query, "action": "query", "person": "ann",
            "scenario": "s-1", "channel": "domain", "statement": digest}),
        json!({"event": "operation-decided", "query": query, "plan": digest, "policies": digest,
            "register_version": 7, "references": [], "obligations": {"rows_max": 1,
            "result_bytes_max": 1}}),
        json!({"event": "operation-refused", "query": query, "code": "policy.no-scenario"}),
        json!({"event": "release-conflicted", "query": query, "dataset": "city.citizen",
            "snapshot": 1, "measure": "pid"}),
        json!({"event": "operation-released", "query": query, "rows": 7, "bytes": 70,
            "result": digest, "notice": "standing", "register": "none"}),
        json!({"event": "operation-failed", "query": query, "code": "dispatch.killed"}),
        json!({"event": "operation-abandoned", "query": query, "rows": 3}),
        json!({"event": "exported", "query": query, "manifest": digest}),
        json!({"event": "strangers-counted", "calls": 3}),
    ]
}

#[test]
fn before_anything_happened_nothing_stands_and_nothing_may_leave() {
    let state = State::default();
    assert_eq!((state.name(), state.version()), (None, 0));
    let closed = Obligations {
        rows_max: 0,
        result_bytes_max: 0,
    };
    assert_eq!(state.obligations(), closed);
    assert_eq!(state.thresholds(), Thresholds::default());
    assert!(!state.pilot());
    assert_eq!(state.people().count() + state.datasets().count(), 0);
    assert_eq!(state.scenarios().count(), 0);
}

#[test]
fn every_event_of_what_stands_is_folded() {
    let state = folded(&standing());
    assert_eq!(state.version(), 7);
    assert_eq!(state.name().map(DomainName::as_str), Some("wuxi"));
    assert_eq!((state.title(), state.default_schema()), ("Wuxi", "city"));
    assert!(state.pilot());
    assert_eq!(state.thresholds().grade_two, 6);
    assert_eq!(state.thresholds().grade_three, 12);
    assert_eq!(state.obligations().rows_max, 10);
    assert_eq!(state.obligations().result_bytes_max, 1000);

    let ann = person("ann", "acme");
    assert_eq!(state.person(&ann.id), Some(&ann));
    assert_eq!(state.people().collect::<Vec<_>>(), [&ann]);
    assert_eq!(state.person_by_certificate(&Digest::of(b"ann")), Some(&ann));
    assert_eq!(state.person_by_certificate(&Digest::of(b"bob")), None);
    let acme: Operator = read(operator("acme", "ann"));
    assert_eq!(state.operator(&acme.id), Some(&acme));

    let loaded: Snapshot = read(snapshot(1));
    assert_eq!(state.snapshot(&loaded.dataset), Some(&loaded));
    let catalogued = state.dataset(&loaded.dataset).unwrap();
    assert_eq!(state.datasets().collect::<Vec<_>>(), [catalogued]);

    let licensed = state.licence(&read(json!("l-1"))).unwrap();
    assert_eq!(licensed.licence, read(licence()));
    assert_eq!(
        (licensed.stage, licensed.submitter.as_str()),
        (Stage::Applied, "ann")
    );
    let applied = state.scenario(&read(json!("s-1"))).unwrap();
    assert_eq!(applied.scenario, read(scenario()));
    assert_eq!(
        (applied.stage, applied.submitter.as_str()),
        (Stage::Applied, "ann")
    );
    assert_eq!(applied.row_risks.len(), 1);
    assert_eq!(applied.pinned, [(loaded.dataset, 1)].into());
}

#[test]
fn operations_change_nothing_that_stands() {
    let mut state = folded(&standing());
    let before = format!("{state:?}");
    for event in operating() {
        state.apply(&read(event.clone()));
        assert_eq!(format!("{state:?}"), before, "{event}");
    }
}

#[test]
fn data_tells_the_types_of_the_items_and_keeps_the_rest_of_the_entry() {
    let state = folded(&standing());
    let mut expect: Dataset = read(dataset());
    let types: Snapshot = read(snapshot(1));
    for (item, data_type) in expect.items.iter_mut().zip(&types.types) {
        item.data_type = *data_type;
    }
    assert_eq!(state.dataset(&expect.name), Some(&expect));
}

#[test]
fn an_old_certificate_ends_with_the_new_one() {
    let mut events = standing().to_vec();
    events.push(
        json!({"event": "person-enrolled", "by": "adam", "person": person("ann", "acme"),
        "certificate": Digest::of(b"new")}),
    );
    let state = folded(&events);
    assert_eq!(state.person_by_certificate(&Digest::of(b"ann")), None);
    assert!(state.person_by_certificate(&Digest::of(b"new")).is_some());
    assert_eq!(state.people().count(), 1);
}

#[test]
fn a_step_replaces_what_stood_and_keeps_the_applicant() {
    let mut events = standing().to_vec();
    for stage in ["reviewed", "noticed", "granted", "suspended", "terminated"] {
        events.push(json!({"event": "licence-step", "by": "sam", "stage": stage,
            "licence": licence()}));
        events.push(
            json!({"event": "scenario-step", "by": "sam", "stage": stage,
            "scenario": scenario(), "row_risks": []}),
        );
        let state = folded(&events);
        let stage: Stage = read(json!(stage));
        let licensed = state.licence(&read(json!("l-1"))).unwrap();
        assert_eq!(
            (licensed.stage, licensed.submitter.as_str()),
            (stage, "ann")
        );
        let applied = state.scenario(&read(json!("s-1"))).unwrap();
        assert_eq!((applied.stage, applied.submitter.as_str()), (stage, "ann"));
        assert!(applied.row_risks.is_empty());
    }
}

#[test]
fn data_of_no_catalogued_dataset_is_kept_apart() {
    let state = folded(&[json!({"event": "dataset-loaded", "by": "pat", "snapshot": snapshot(1)})]);
    assert_eq!(state.datasets().count(), 0);
}

#[test]
fn the_digest_tells_every_change_of_what_stands_and_nothing_else() {
    let mut state = State::default();
    let mut digests = std::collections::BTreeSet::from([state.digest()]);
    let carried = [
        crate::stage::create(),
        crate::stage::enrol(crate::stage::adam()),
        crate::stage::enrol(crate::stage::dora()),
    ];
    for command in carried {
        crate::stage::carry(&mut state, &crate::stage::adam(), command);
        assert!(digests.insert(state.digest()));
    }
    let whole = crate::stage::licensed(licence());
    assert_ne!(whole.digest(), Digest::of(b""), "all of it can be written");
    let before = whole.digest();
    let mut after = whole;
    after.apply(&Event::StrangersCounted { calls: 1 });
    assert_eq!(after.digest(), before);
}
