use super::*;
use crate::{Domain, stage::Stage};
use chrono::Utc;
use identity::{Authority, Caller};
use policy::Permit;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde_json::json;
use std::time::Instant;
use terms::{Action, Channel, Event};

/// How many people's decisions are timed.
const DECIDED: usize = 200;

/// A domain with a few more entries than it began with, one of them an operation that never ended.
async fn staged() -> Stage {
    let stage = Stage::set().await;
    let ledger = &stage.gateway.domain.ledger;
    let asked = json!({"event": "operation-opened", "query": "ab".repeat(16), "action": "query",
        "person": "ann", "scenario": "s", "channel": "domain", "statement": Digest::of(b"x")});
    for event in [json!({"event": "strangers-counted", "calls": 3}), asked] {
        let event: Event = serde_json::from_value(event).unwrap();
        ledger.append(&event, None, Utc::now()).await.unwrap();
    }
    stage
}

fn kept_of(domain: &Domain) {
    keep(&domain.dir, (&domain.ledger, &domain.keyring), 1).unwrap();
}

fn taken(domain: &Domain) -> TakenUp {
    take_up(&domain.dir, &domain.ledger, &domain.keyring).unwrap()
}

fn same(one: &Folded, other: &Folded) {
    assert_eq!(one.stands.state.digest(), other.stands.state.digest());
    let words = |folded: &Folded| serde_json::to_value(folded).unwrap();
    assert_eq!(words(one), words(other));
}

#[tokio::test]
async fn a_start_from_a_snapshot_is_the_start_from_the_whole_log() {
    let stage = staged().await;
    let domain = &stage.gateway.domain;
    let whole = taken(domain);
    assert!(whole.entries > 8, "{}", whole.entries);
    kept_of(domain);
    let from = taken(domain);
    assert_eq!(from.entries, 0);
    same(&whole.folded, &from.folded);
    // What comes after the snapshot is folded onto it.
    let suspended = json!({"event": "person-changed", "by": "dora", "step": "suspended",
        "certificate": null, "person": {"id": "ann", "role": "operator-member",
        "organisation": "op", "vetted": true, "nda_until": null, "standing": "suspended"}});
    let event: Event = serde_json::from_value(suspended).unwrap();
    domain
        .ledger
        .append(&event, None, Utc::now())
        .await
        .unwrap();
    let from = taken(domain);
    assert_eq!(from.entries, 1);
    let ann = "ann".parse().unwrap();
    let state = &from.folded.stands.state;
    assert!(!state.person(&ann).unwrap().standing.is_active());
}

#[tokio::test]
async fn an_operation_that_never_ended_is_known_from_the_snapshot() {
    let stage = staged().await;
    let domain = &stage.gateway.domain;
    kept_of(domain);
    let unfinished = taken(domain).folded.unfinished;
    let abandoned = domain.ledger.abandon(unfinished, Utc::now()).unwrap();
    assert_eq!(abandoned, 1);
    assert_eq!(taken(domain).folded.unfinished, Unfinished::default());
}

#[tokio::test]
async fn what_is_not_ours_is_not_believed() {
    let stage = staged().await;
    let domain = &stage.gateway.domain;
    let (whole, path) = (taken(domain), domain.dir.join(FILE));
    kept_of(domain);
    let sealed = std::fs::read(&path).unwrap();
    let all = |why: &str| {
        let from = taken(domain);
        assert_eq!(from.entries, whole.entries, "{why}");
        same(&whole.folded, &from.folded);
    };
    for at in [0, sealed.len() / 2, sealed.len() - 1] {
        let mut flipped = sealed.clone();
        flipped[at] ^= 1;
        std::fs::write(&path, flipped).unwrap();
        all("a flipped bit");
    }
    let plain = domain.keyring.unseal(CONTEXT, &sealed).unwrap();
    let read = || serde_json::from_slice::<serde_json::Value>(&plain).unwrap();
    let wrong = [
        ("format", json!(FORMAT + 1)),
        ("product", json!("0.0.0")),
        ("size", json!(3)),
        ("size", json!(1_000_000)),
        ("root", json!(Digest::of(b"another history"))),
    ];
    for (place, value) in wrong {
        let mut other = read();
        other[place] = value;
        let other = serde_json::to_vec(&other).unwrap();
        std::fs::write(&path, domain.keyring.seal(CONTEXT, &other).unwrap()).unwrap();
        all(place);
    }
    std::fs::write(&path, domain.keyring.seal("another", &plain).unwrap()).unwrap();
    all("sealed for something else");
    std::fs::write(&path, &sealed).unwrap();
    std::fs::write(path.with_extension("sealed.new"), b"half").unwrap();
    assert_eq!(
        taken(domain).entries,
        0,
        "a crash while another was written"
    );
}

#[tokio::test]
async fn a_snapshot_that_is_nearly_as_new_is_left_alone() {
    let stage = staged().await;
    let domain = &stage.gateway.domain;
    let whence = (&domain.ledger, &domain.keyring);
    keep(&domain.dir, whence, 1_000).unwrap();
    assert!(!domain.dir.join(FILE).exists());
}

fn number(name: &str, otherwise: usize) -> usize {
    #[expect(clippy::disallowed_methods, reason = "who runs it says how large")]
    let set = std::env::var(name).ok();
    set.map_or(otherwise, |number| number.parse().unwrap())
}

/// A register of the size the product is made for, and how long a start and a decision take over it.
#[tokio::test]
#[ignore = "minutes; `tests/README.md` says how"]
#[expect(
    clippy::too_many_lines,
    reason = "one register, made from top to bottom"
)]
async fn scale() {
    let stage = Stage::set().await;
    let domain = &stage.gateway.domain;
    let (licences, people) = (
        number("BONDED_LICENCES", 10_000),
        number("BONDED_PEOPLE", 100_000),
    );
    let (items, past) = (
        number("BONDED_ITEMS", 1_000_000),
        number("BONDED_EVENTS", 1_000_000),
    );
    let began = Instant::now();
    let mut pending = Vec::new();
    let mut append = |value: serde_json::Value| {
        let event: Event = serde_json::from_value(value).unwrap();
        pending.push(domain.ledger.append(&event, None, Utc::now()));
        if pending.len() >= 4_096 {
            return std::mem::take(&mut pending);
        }
        Vec::new()
    };
    let mut waits = Vec::new();
    let per = 100;
    for dataset in 0..items / per {
        let items: Vec<_> = (0..per).map(|item| json!({"name": format!("item_{item}"),
            "title": format!("数据项{item}"), "kind": "code", "grade": 2, "mask": null, "domain": null,
            "data_type": "text", "sharing": "unconditional", "opening": "conditional"})).collect();
        waits.extend(append(
            json!({"event": "dataset-catalogued", "by": "dora", "dataset": {
            "name": format!("city.d{dataset}"), "title": "x", "provider": "p", "source": "x",
            "sector": "medical", "update": "daily", "subject": null, "risk": null,
            "external": false, "prohibited": null, "items": items}}),
        ));
    }
    let authority = Authority::open(&domain.dir.join("ca")).unwrap();
    let mut certificates = Vec::new();
    for person in 0..people {
        let id = format!("p{person}");
        let known = json!({"id": id, "role": "operator-member", "vetted": true,
            "organisation": format!("op{}", person % 1000), "nda_until": "2099-12-31"});
        let digest = if person < DECIDED {
            let person = serde_json::from_value(known.clone()).unwrap();
            let issued = authority.issue(&person, Utc::now()).unwrap();
            let der = CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes());
            certificates.push(der.unwrap().to_vec());
            issued.digest
        } else {
            Digest::of(id.as_bytes())
        };
        waits.extend(append(json!({"event": "person-enrolled", "by": "admin",
            "certificate": digest, "person": known})));
    }
    for operator in 0..1_000 {
        waits.extend(append(
            json!({"event": "operator-registered", "by": "dora", "operator": {
            "id": format!("op{operator}"), "title": "x", "security_officer": null, "evidence": [],
            "emergency_plan": true}}),
        ));
    }
    let course = json!({"since": "2026-01-01"});
    for licence in 0..licences {
        waits.extend(append(
            json!({"event": "licence-step", "by": "dora", "stage": "granted",
            "licence": {"id": format!("l{licence}"), "operator": format!("op{}", licence % 1000),
            "agreement": null, "mode": "comprehensive", "from": "2026-01-01",
            "until": "2027-12-31"}, "course": course}),
        ));
        let dataset = licence % (items / per);
        waits.extend(append(
            json!({"event": "scenario-step", "by": "dora", "stage": "granted",
            "row_risks": [], "course": course, "scenario": {"id": format!("s{licence}"),
            "licence": format!("l{licence}"), "title": "x", "purpose": "x",
            "members": [format!("p{}", licence % 1000)], "datasets": [{
            "name": format!("city.d{dataset}"), "items": "all", "rows": null}]}}),
        ));
    }
    for query in 0..past / 3 {
        let id = format!("{query:032x}");
        for event in [
            json!({"event": "operation-opened", "query": id, "action": "query", "person": "p1",
                "scenario": "s1", "channel": "domain", "statement": Digest::of(b"x")}),
            json!({"event": "operation-decided", "query": id, "plan": Digest::of(b"p"),
                "policies": Digest::of(b"q"), "register_version": 1, "references": [],
                "obligations": {"rows_max": 10, "result_bytes_max": 1000}}),
            json!({"event": "operation-refused", "query": id, "code": "policy.no-scenario"}),
        ] {
            waits.extend(append(event));
        }
        if waits.len() > 100_000 {
            for wait in waits.drain(..) {
                wait.await.unwrap();
            }
        }
    }
    for wait in waits.into_iter().chain(pending) {
        wait.await.unwrap();
    }
    let entries = domain.ledger.head().unwrap().0.head.size;
    println!("{entries} entries made in {:.1?}", began.elapsed());
    let timed = |what: &str, began: Instant| println!("{what}: {:.2?}", began.elapsed());
    let began = Instant::now();
    let whole = taken(domain);
    timed("the whole log folded", began);
    let began = Instant::now();
    kept_of(domain);
    timed("a snapshot kept", began);
    println!(
        "its size: {} MiB",
        std::fs::metadata(domain.dir.join(FILE)).unwrap().len() >> 20
    );
    let began = Instant::now();
    let from = taken(domain);
    timed("a start from it", began);
    assert_eq!(from.entries, 0);
    let began = Instant::now();
    let digest = from.folded.stands.state.digest();
    timed("the digest of what stands", began);
    assert_eq!(digest, whole.folded.stands.state.digest());
    decisions(domain, &from.folded.stands.state, &certificates);
}

/// Permits of many people, each for the first time and again.
fn decisions(domain: &Domain, state: &register::State, certificates: &[Vec<u8>]) {
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for (person, certificate) in certificates.iter().enumerate() {
        let caller = || -> Caller {
            let now = Utc::now();
            identity::prove(Some(certificate), state, Channel::Domain, now).unwrap()
        };
        let scenario = format!("s{person}").parse().unwrap();
        let permit = || -> Arc<Permit> {
            let asked = (Some(&scenario), Action::Query);
            domain
                .engine
                .permit(caller(), state, asked, Utc::now())
                .unwrap()
        };
        for times in [&mut cold, &mut warm] {
            let began = Instant::now();
            drop(permit());
            times.push(began.elapsed());
        }
    }
    for (what, times) in [("cold", &mut cold), ("warm", &mut warm)] {
        times.sort();
        println!(
            "a decision, {what}: median {:.2?}, worst {:.2?}",
            times[DECIDED / 2],
            times[DECIDED - 1]
        );
    }
}
