use crate::{Command, State, stage::*};
use serde_json::{Value, json};
use terms::{Event, Person, Stage};

fn entry() -> Value {
    let mut key = item("pid", "subject_id", 3);
    key["domain"] = json!("person");
    let items = [key, item("score", "code", 1)];
    json!({"name": "city.list", "title": "List", "content": "", "provider": "acme",
        "source": "members", "sector": "credit", "update": "once", "subject": "pid",
        "external": true, "prohibited": null, "risk": null, "items": items})
}

fn brought(id: &str, dataset: Value) -> Value {
    let digest = terms::Digest::of(b"x");
    json!({"id": id, "scenario": "s-1", "dataset": dataset, "agreement": digest, "rows": 20,
        "digest": digest, "types": ["text", "int"], "report": digest, "until": "2027-01-20"})
}

fn submit(external: Value) -> Command {
    Command::SubmitExternal(read(external))
}

fn look(id: &str, scrutiny: &str, snapshot: Option<u32>) -> Command {
    Command::ReviewExternal {
        external: read(json!(id)),
        scrutiny: read(json!(scrutiny)),
        snapshot: snapshot.map(|number| {
            read(json!({"dataset": "city.list", "number": number, "rows": 20,
                "digest": terms::Digest::of(b"y"), "types": ["text", "int"]}))
        }),
    }
}

/// A granted scenario of acme.
fn granted() -> State {
    let mut state = licensed(licence());
    carry(&mut state, &ann(), Command::ApplyScenario(read(scenario())));
    for (by, command) in reviews("s-1", json!([])) {
        carry(&mut state, &by, command);
    }
    let approve = Command::ApproveScenario(read(json!("s-1")));
    carry(&mut state, &dora(), approve);
    state
}

fn code(state: &State, by: &Person, command: Command) -> &'static str {
    refused(state, by, command).code
}

#[test]
fn data_comes_in_with_two_approvals_bound_listed_and_seen() {
    let mut state = granted();
    carry(&mut state, &ann(), submit(brought("x-1", entry())));
    assert!(state.dataset(&read(json!("city.list"))).is_none());
    carry(&mut state, &dora(), look("x-1", "lawfulness", None));
    assert_eq!(
        state.external(&read(json!("x-1"))).unwrap().stage,
        Stage::Applied
    );
    let event = carry(&mut state, &sam(), look("x-1", "security", Some(1)));
    assert!(matches!(
        event,
        Event::ExternalStep {
            stage: Stage::Granted,
            snapshot: Some(_),
            ..
        }
    ));
    let dataset = state.dataset(&read(json!("city.list"))).unwrap();
    assert_eq!(dataset.bound.as_ref().unwrap().as_str(), "s-1");
    assert!(dataset.is_tokenised(&dataset.items[0]) && !dataset.is_tokenised(&dataset.items[1]));
    assert_eq!(dataset.items[0].data_type, Some(terms::Type::Text));
    let standing = state.scenario(&read(json!("s-1"))).unwrap();
    assert_eq!(standing.scenario.datasets[1].name, dataset.name);
    assert_eq!(standing.pinned[&dataset.name], 1);
    // The next version comes in the same way, is seen at once, and listed once.
    carry(&mut state, &ann(), submit(brought("x-2", entry())));
    carry(&mut state, &sam(), look("x-2", "security", None));
    carry(&mut state, &dora(), look("x-2", "lawfulness", Some(2)));
    let standing = state.scenario(&read(json!("s-1"))).unwrap();
    assert_eq!(standing.scenario.datasets.len(), 2);
    assert_eq!(standing.pinned[&read(json!("city.list"))], 2);
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one line for each wrong step: a table reads best in one place"
)]
fn a_wrong_step_is_refused_by_its_code() {
    let mut state = granted();
    let check = |state: &State, by: &Person, command, expect| {
        assert_eq!(code(state, by, command), expect);
    };
    check(
        &state,
        &zoe(),
        submit(brought("x-1", entry())),
        "register.not-own",
    );
    let foreign = with(entry(), "/provider", "zeta");
    check(
        &state,
        &ann(),
        submit(brought("x-1", foreign)),
        "register.not-own",
    );
    let inner = with(entry(), "/external", false);
    check(
        &state,
        &ann(),
        submit(brought("x-1", inner)),
        "register.not-own",
    );
    let nameless = with(entry(), "/items/0/domain", Value::Null);
    check(
        &state,
        &ann(),
        submit(brought("x-1", nameless)),
        "register.no-domain",
    );
    let loose = with(entry(), "/items/0/kind", "code");
    let loose = with(loose, "/subject", Value::Null);
    check(
        &state,
        &ann(),
        submit(brought("x-1", loose)),
        "register.no-key",
    );
    let mut bound = entry();
    bound["bound"] = json!("s-1");
    check(
        &state,
        &ann(),
        submit(brought("x-1", bound)),
        "register.bound",
    );
    check(
        &state,
        &dora(),
        look("x-1", "lawfulness", None),
        "register.no-external",
    );
    carry(&mut state, &ann(), submit(brought("x-1", entry())));
    check(
        &state,
        &ann(),
        submit(brought("x-1", entry())),
        "register.external-exists",
    );
    check(
        &state,
        &dora(),
        look("x-1", "lawfulness", Some(1)),
        "register.step-order",
    );
    carry(&mut state, &dora(), look("x-1", "lawfulness", None));
    check(
        &state,
        &dora(),
        look("x-1", "lawfulness", None),
        "register.reviewed",
    );
    check(
        &state,
        &dora(),
        look("x-1", "security", Some(1)),
        "register.reviewed",
    );
    check(
        &state,
        &sam(),
        look("x-1", "security", None),
        "register.snapshot-order",
    );
    check(
        &state,
        &sam(),
        look("x-1", "security", Some(2)),
        "register.snapshot-order",
    );
    let withdraw = || Command::WithdrawExternal(read(json!("x-1")));
    check(&state, &zoe(), withdraw(), "register.not-own");
    let expire = Command::ExpireExternal(read(json!("x-1")));
    check(
        &state,
        &State::clock().unwrap(),
        expire,
        "register.not-over",
    );
    carry(&mut state, &ann(), withdraw());
    check(
        &state,
        &sam(),
        look("x-1", "security", Some(1)),
        "register.step-order",
    );
}

#[test]
fn what_came_by_the_gate_comes_by_no_other_way_and_serves_no_other_scenario() {
    let mut state = granted();
    carry(&mut state, &ann(), submit(brought("x-1", entry())));
    carry(&mut state, &dora(), look("x-1", "lawfulness", None));
    carry(&mut state, &sam(), look("x-1", "security", Some(1)));
    let snapshot = json!({"dataset": "city.list", "number": 2, "rows": 1,
        "digest": terms::Digest::of(b"z"), "types": ["text", "int"]});
    assert_eq!(
        code(&state, &adam(), load(snapshot)),
        "register.external-by-gate"
    );
    let other = with(scenario(), "/id", "s-2");
    let other = with(other, "/datasets/0/name", "city.list");
    let other = with(other, "/datasets/0/items", "all");
    let other = with(other, "/datasets/0/aggregate", json!([]));
    let apply = Command::ApplyScenario(read(other));
    assert_eq!(code(&state, &ann(), apply), "register.bound-elsewhere");
    let changed = with(entry(), "/title", "Another");
    let again = submit(brought("x-2", changed));
    assert_eq!(code(&state, &ann(), again), "register.entry-differs");
}

#[test]
fn what_nobody_decides_on_is_overdue_and_then_over() {
    let mut state = granted();
    carry(&mut state, &ann(), submit(brought("x-1", entry())));
    let due = |day: &str| {
        let all = state.overdue(at(day).date_naive());
        all.into_iter()
            .filter(|owed| owed.of == "external/x-1")
            .count()
    };
    assert_eq!((due("2026-12-04"), due("2026-12-05")), (0, 1));
    let over = |day: &str| state.due(at(day).date_naive()).len();
    assert_eq!((over("2027-01-20"), over("2027-01-21")), (0, 1));
    let expire = Command::ExpireExternal(read(json!("x-1")));
    carry_on(&mut state, &State::clock().unwrap(), expire, "2027-01-21");
    assert_eq!(
        state.external(&read(json!("x-1"))).unwrap().stage,
        Stage::Expired
    );
}
