use super::*;
use crate::stage::{adam, ann, carry, create, dora, enrol, read, sam};
use serde_json::{Value, json};

const QUERY: &str = "0123456789abcdef0123456789abcdef";

/// A domain with people and a gateway that started, as entries.
fn begun() -> Vec<Value> {
    let mut state = State::default();
    let mut entries = Vec::new();
    for command in [
        create(),
        enrol(adam()),
        enrol(dora()),
        enrol(sam()),
        enrol(ann()),
    ] {
        entries.push(serde_json::to_value(carry(&mut state, &adam(), command)).unwrap());
    }
    entries.push(json!({"event": "gateway-started", "version": "1",
        "policies": Digest::of(b"p"), "register": state.digest()}));
    entries
}

fn opened() -> Value {
    json!({"event": "operation-opened", "query": QUERY, "action": "query", "person": "ann",
        "scenario": "s", "channel": "domain", "statement": Digest::of(b"x")})
}

fn decided() -> Value {
    json!({"event": "operation-decided", "query": QUERY, "plan": Digest::of(b"x"),
        "policies": Digest::of(b"p"), "register_version": 5, "references": [],
        "obligations": {"rows_max": 1, "result_bytes_max": 1}})
}

fn released() -> Value {
    json!({"event": "operation-released", "query": QUERY, "rows": 1, "bytes": 1,
        "result": Digest::of(b"x"), "notice": "standing", "register": "none"})
}

fn exported() -> Value {
    json!({"event": "exported", "query": QUERY, "manifest": Digest::of(b"x")})
}

fn ended(event: &str) -> Value {
    json!({"event": event, "query": QUERY, "code": "x.y"})
}

fn requested() -> Value {
    json!({"event": "redaction-requested", "by": "sam", "entry": 6, "basis": "order"})
}

/// Approves the redaction that stands right after the gateway started.
fn approved(by: &str) -> Value {
    json!({"event": "redaction-approved", "by": by, "request": 6})
}

fn redacted() -> Value {
    json!({"event": "text-redacted", "request": 6, "entry": 6})
}

fn expired(day: &str) -> Value {
    json!({"event": "texts-expired", "class": "operation", "from": day, "through": day,
        "texts": 1})
}

fn audited(entries: &[Value]) -> Audited {
    let mut audit = Audit::default();
    let at: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
    for (index, entry) in (0..).zip(entries) {
        audit.event(index, &read(entry.clone()), at);
    }
    audit.conclude()
}

fn check(after: &[Value], codes: &[&str]) {
    let found = audited(&[begun(), after.to_vec()].concat());
    let codes_found: Vec<_> = found.findings.iter().map(|f| f.code).collect();
    assert_eq!(codes_found, codes, "{after:?}: {:?}", found.findings);
}

#[test]
fn a_record_that_follows_the_rules_has_no_findings() {
    check(&[opened(), decided(), released(), exported()], &[]);
    let withheld = ended("export-withheld");
    check(
        &[opened(), decided(), released(), exported(), withheld],
        &[],
    );
    check(&[opened(), ended("operation-refused")], &[]);
    check(&[opened(), decided(), ended("operation-failed")], &[]);
    let redaction = [requested(), approved("dora"), approved("adam"), redacted()];
    check(&redaction, &[]);
    check(&[expired("2021-11-01")], &[]);
    let whole = audited(&[begun(), vec![opened(), decided()]].concat());
    assert_eq!((whole.register_compared, whole.register_version), (1, 5));
    assert_eq!(whole.operations_open, 1);
    assert_eq!(whole.events["person-enrolled"], 4);
}

/// A product of the scenario whose plan is that of [`decided`].
fn product(by: &str, stage: &str) -> Value {
    let review = |by, aspect| json!({"by": by, "aspect": aspect, "on": "2026-11-21"});
    json!({"event": "product-step", "by": by, "stage": stage, "course": {"reviews": [
        review("dora", "compliance"), review("sam", "security")]}, "product": {"id": "p-1",
        "form": "report", "scenario": "s", "title": "x", "benefit": "public",
        "plan": Digest::of(b"x"), "disclosure": Digest::of(b"x"),
        "validation": {"kind": "validation", "title": "x", "until": "2027-12-31"}}})
}

#[test]
fn a_product_is_certified_once_and_only_where_it_was_approved() {
    let certified = || {
        json!({"event": "product-certified", "product": "p-1",
            "certificate": Digest::of(b"x")})
    };
    let found = &["audit.uncertifiable"];
    let granted = || [product("ann", "applied"), product("sam", "granted")];
    check(&[granted().to_vec(), vec![certified()]].concat(), &[]);
    check(
        &[granted().to_vec(), vec![certified(), certified()]].concat(),
        found,
    );
    check(&[product("ann", "applied"), certified()], found);
    check(&[certified()], found);
    let recalled = [
        granted().to_vec(),
        vec![product("ann", "recalled"), certified()],
    ];
    check(&recalled.concat(), found);
}

#[test]
fn from_outside_only_the_plan_of_a_published_product_goes_above_grade_one() {
    let asked = |product: Option<&str>| {
        let mut opened = opened();
        opened["channel"] = json!("remote");
        if let Some(product) = product {
            opened["product"] = json!(product);
        }
        opened
    };
    let decided_on = |grade: u8, plan: &[u8]| {
        let mut decided = decided();
        decided["references"] =
            json!([{"dataset": "a.b", "item": "c", "grade": grade, "way": "plain"}]);
        decided["plan"] = json!(Digest::of(plan));
        decided
    };
    let published = || vec![product("ann", "applied"), product("ann", "published")];
    let checked = |before: Vec<Value>, [opened, mut decided]: [Value; 2], codes: &[&str]| {
        decided["register_version"] = json!(5 + before.len());
        check(&[before, vec![opened, decided]].concat(), codes);
    };
    let found = &["audit.remote"];
    checked(published(), [asked(Some("p-1")), decided_on(3, b"x")], &[]);
    checked(published(), [asked(None), decided_on(1, b"y")], &[]);
    checked(published(), [asked(None), decided_on(2, b"x")], found);
    checked(
        published(),
        [asked(Some("p-1")), decided_on(2, b"y")],
        found,
    );
    checked(
        published(),
        [asked(Some("p-2")), decided_on(2, b"x")],
        found,
    );
    let recalled = || [published(), vec![product("ann", "recalled")]].concat();
    checked(recalled(), [asked(Some("p-1")), decided_on(2, b"x")], found);
    // It was recalled after it was asked for: what was permitted then was decided.
    let mut decided = decided_on(2, b"x");
    decided["register_version"] = json!(8);
    let raced = [asked(Some("p-1")), product("ann", "recalled"), decided];
    check(&[published(), raced.to_vec()].concat(), &[]);
}

#[test]
fn an_operation_out_of_order_is_found() {
    let order = &["audit.out-of-order"];
    check(&[opened(), opened()], order);
    check(&[decided()], order);
    check(&[opened(), released()], order);
    check(&[opened(), decided(), decided()], order);
    check(
        &[opened(), decided(), released(), ended("operation-refused")],
        order,
    );
    check(&[opened(), ended("operation-refused"), decided()], order);
    check(&[opened(), decided(), exported()], order);
    check(
        &[opened(), decided(), released(), ended("export-withheld")],
        order,
    );
    check(&[ended("operation-failed")], order);
}

#[test]
fn a_decision_by_what_did_not_stand_is_found() {
    let change = |key: &str, value: Value| {
        let mut decided = decided();
        decided[key] = value;
        [opened(), decided]
    };
    check(
        &change("register_version", json!(4)),
        &["audit.register-version"],
    );
    check(
        &change("register_version", json!(6)),
        &["audit.register-version"],
    );
    let other = json!(Digest::of(b"q"));
    check(&change("policies", other), &["audit.policies-differ"]);
}

#[test]
fn a_gateway_that_saw_another_register_is_found() {
    let mut entries = begun();
    entries[5]["register"] = json!(Digest::of(b"other"));
    let found = audited(&entries).findings;
    assert_eq!(found[0].code, "audit.register-differs");
    // The same with an event taken out, as a fold would tell who left it out.
    let mut entries = begun();
    entries.remove(3);
    assert_eq!(audited(&entries).findings[0].code, "audit.register-differs");
}

#[test]
fn somebody_nobody_enrolled_is_found() {
    let mut opened = opened();
    opened["person"] = json!("zed");
    check(&[opened], &["audit.unknown-person"]);
}

#[test]
fn what_was_destroyed_without_leave_is_found() {
    let unapproved = &["audit.unapproved"];
    check(&[requested(), redacted()], unapproved);
    check(&[requested(), approved("dora"), redacted()], unapproved);
    let own = [requested(), approved("sam"), approved("dora"), redacted()];
    check(&own, &["audit.approval", "audit.unapproved"]);
    let twice = [requested(), approved("dora"), approved("dora"), redacted()];
    check(&twice, &["audit.approval", "audit.unapproved"]);
    let mut other = redacted();
    other["entry"] = json!(5);
    check(
        &[requested(), approved("dora"), approved("adam"), other],
        unapproved,
    );
    check(&[expired("2026-11-01")], &["audit.too-early"]);
    let pruned = json!({"event": "log-pruned", "by": "dora", "minimum": 256,
        "root": Digest::of(b""), "kept": Digest::of(b""), "removed": 1});
    check(&[pruned], &["audit.pruning"]);
}

#[test]
fn a_destruction_without_two_approvals_is_found() {
    let asked = || {
        json!({"event": "destruction-requested", "by": "sam", "dataset": "city.citizen",
            "snapshot": 1, "basis": "superseded"})
    };
    let agreed = |by: &str| json!({"event": "destruction-approved", "by": by, "request": 6});
    let done =
        || json!({"event": "destruction-certified", "request": 6, "certificate": Digest::of(b"")});
    check(&[asked(), agreed("dora"), agreed("adam"), done()], &[]);
    check(&[asked(), agreed("dora"), done()], &["audit.unapproved"]);
    let own = [asked(), agreed("sam"), agreed("dora"), done()];
    check(&own, &["audit.approval", "audit.unapproved"]);
}

/// A log of which all but what is kept is gone up to entry 300.
fn pruned(after: &[Value]) -> Audited {
    let mut audit = Audit::default();
    let at: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
    let kept = begun().into_iter().take(5);
    for (index, entry) in (0..).zip(kept).chain((300..).zip(after.to_vec())) {
        audit.event(index, &read(entry), at);
    }
    audit.conclude()
}

#[test]
fn of_a_pruned_log_what_can_not_be_judged_is_told_as_that() {
    let found = pruned(&[decided(), released(), exported()]);
    assert_eq!(found.findings, []);
    let unjudged = [
        ("audit.out-of-order", 1),
        ("audit.policies-differ", 1),
        ("audit.register-version", 1),
    ];
    assert_eq!(found.unjudged, unjudged.into());
    let twice = pruned(&[decided(), released(), released()]);
    assert_eq!(twice.findings[0].code, "audit.out-of-order");
    let whole = audited(&[begun(), vec![opened(), decided(), released()]].concat());
    assert_eq!(whole.unjudged, BTreeMap::new());
}

#[test]
fn of_a_pruned_log_who_was_enrolled_is_still_known() {
    let mut stranger = opened();
    stranger["person"] = json!("zed");
    let found = pruned(&[opened(), ended("operation-refused")]);
    assert_eq!((found.findings, found.unjudged), (vec![], BTreeMap::new()));
    let codes: Vec<_> = pruned(&[stranger])
        .findings
        .iter()
        .map(|f| f.code)
        .collect();
    assert_eq!(codes, ["audit.unknown-person"]);
}

/// A step on a licence that Ann applied for, after her application.
fn licence_step(by: &str, stage: &str, cause: Value) -> Vec<Value> {
    let licence = crate::stage::licence();
    let step = |by: &str, stage: &str, cause: Value| {
        json!({"event": "licence-step", "by": by, "stage": stage, "licence": licence,
            "course": {"cause": cause}})
    };
    let mut entries = begun();
    entries.push(step("ann", "applied", Value::Null));
    entries.push(step(by, stage, cause));
    entries
}

#[test]
fn who_decides_on_what_they_submitted_is_found_and_who_gives_it_back_is_not() {
    let found = |by: &str, stage: &str, cause: Value| {
        let audited = audited(&licence_step(by, stage, cause));
        let codes: Vec<_> = audited.findings.iter().map(|found| found.code).collect();
        codes
    };
    let own = vec!["audit.own-application"];
    assert_eq!(found("ann", "granted", Value::Null), own);
    assert_eq!(found("ann", "terminated", json!("ordered")), own);
    assert!(found("ann", "terminated", json!("surrendered")).is_empty());
    assert!(found("dora", "granted", Value::Null).is_empty());
}

/// A production domain: a product at these stages, and an export of it with this plan, recalled before
/// it began or under way.
fn release(stages: &[&str], plan: &[u8], recalled: Option<bool>, of: Option<&str>) -> Vec<String> {
    let mut entries = begun();
    entries[0]["pilot"] = json!(false);
    // What a gateway found when it started was another register.
    entries.pop();
    let step = |stage: &str| {
        json!({"event": "product-step", "by": if stage == "granted" { "dora" } else { "ann" },
            "stage": stage, "product": {"id": "p-1", "form": "report", "scenario": "s", "title": "P",
            "benefit": "public", "plan": Digest::of(b"x"), "disclosure": Digest::of(b"r"),
            "validation": {"kind": "validation", "title": "V", "until": "2027-01-01"}},
            "course": {"since": "2026-01-01"}})
    };
    entries.extend(stages.iter().map(|stage| step(stage)));
    if recalled == Some(false) {
        entries.push(step("recalled"));
    }
    let mut opened = opened();
    opened["action"] = json!("export");
    let (mut decided, mut exported) = (decided(), exported());
    decided["plan"] = json!(Digest::of(plan));
    exported["product"] = json!(of);
    entries.extend([opened, decided]);
    if recalled == Some(true) {
        entries.push(step("recalled"));
    }
    entries.extend([released(), exported]);
    let found = audited(&entries).findings;
    let of_releases = found
        .iter()
        .filter(|finding| finding.code == "audit.no-product");
    of_releases.map(|finding| finding.code.to_owned()).collect()
}

#[test]
fn outside_a_pilot_a_package_is_the_release_of_an_approved_product() {
    let of = Some("p-1");
    let held = |stages: &[&str]| release(stages, b"x", None, of).is_empty();
    assert!(held(&["applied", "granted"]));
    assert!(held(&["applied", "granted", "published"]));
    assert!(!held(&["applied"]));
    assert!(!held(&["applied", "refused"]));
    assert!(!held(&[]));
    let granted = ["applied", "granted"];
    assert!(!release(&granted, b"another", None, of).is_empty());
    assert!(!release(&granted, b"x", None, None).is_empty());
    assert!(!release(&granted, b"x", None, Some("p-2")).is_empty());
    assert!(!release(&granted, b"x", Some(false), of).is_empty());
    assert!(release(&granted, b"x", Some(true), of).is_empty());
}
