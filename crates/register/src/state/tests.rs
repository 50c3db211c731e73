use super::*;
use serde_json::{Value, json};

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
