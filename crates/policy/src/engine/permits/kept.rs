//! What a permit says of where it came from, and how long it is kept.

use super::{
    world::{cases, certificate, folded},
    *,
};
use terms::{Grade, Obligations, Thresholds};

/// A granted case's events, changed, with a caller proved at noon in the domain's time.
struct Standing {
    state: State,
    caller: Caller,
}

impl Standing {
    fn new(der: &[u8], change: impl FnOnce(&mut [Value])) -> Self {
        let granted = |(name, _): &(String, Case)| name == "licences.toml, one of several sectors";
        let (_, case) = cases().into_iter().find(granted).unwrap();
        let mut events = case.events(Digest::of(der));
        change(&mut events);
        let state = folded(events);
        let caller = identity::prove(Some(der), &state, Channel::Domain, noon()).unwrap();
        Self { state, caller }
    }

    fn permit(&self, engine: &Engine, now: DateTime<Utc>) -> Result<Arc<Permit>, Refusal> {
        let scenario = "s".parse().unwrap();
        let asked = (Some(&scenario), Action::Query);
        engine.permit(self.caller.clone(), &self.state, asked, now)
    }
}

fn noon() -> DateTime<Utc> {
    "2026-06-15T04:00:00Z".parse().unwrap()
}

fn risk(dataset: &str, subjects: u64) -> Value {
    json!({"dataset": dataset, "snapshot": 3, "subjects": subjects, "subjects_unique": 1,
        "subjects_below_k": 2, "k": 5})
}

#[test]
fn a_permit_says_what_it_was_computed_from() {
    let engine = Engine::load(None);
    let standing = Standing::new(&certificate(), |events| {
        events[0]["pilot"] = json!(true);
        events[0]["thresholds"] = json!({"grade_two": 6, "grade_three": 11});
        events[0]["obligations"] = json!({"rows_max": 7, "result_bytes_max": 8});
        events[4]["snapshot"]["number"] = json!(3);
        events[6]["row_risks"] = json!([risk("fund.others", 1), risk("fund.people", 2)]);
    });
    let permit = standing.permit(&engine, noon()).unwrap();
    assert_eq!(permit.caller().person().id.as_str(), "ann");
    assert_eq!(permit.scenario().id.as_str(), "s");
    assert_eq!(permit.licence().id.as_str(), "l");
    assert_eq!(permit.operator().id.as_str(), "op");
    assert!(permit.is_pilot());
    let thresholds = Thresholds {
        grade_two: 6,
        grade_three: 11,
    };
    assert_eq!(permit.thresholds(), thresholds);
    let obligations = Obligations {
        rows_max: 7,
        result_bytes_max: 8,
    };
    assert_eq!(permit.obligations(), obligations);
    let rules = engine.usable().unwrap().disclosure;
    assert_eq!(permit.budget(), rules.budget());
    assert!(permit.budget().per_day.queries > 0);
    assert_eq!(permit.policies(), engine.digest());
    assert_eq!(permit.register_version(), standing.state.version());
    let dataset = &permit.datasets()[0];
    assert_eq!(dataset.snapshot, 3);
    assert_eq!(dataset.risk.as_ref().map(|risk| risk.subjects), Some(2));
    assert_eq!(dataset.disclosure, rules.of(Grade::Three));
}

#[test]
fn a_permit_of_a_domain_with_no_mark_and_no_measured_risk_bears_none() {
    let standing = Standing::new(&certificate(), |_| {});
    let permit = standing.permit(&Engine::load(None), noon()).unwrap();
    assert!(!permit.is_pilot());
    assert_eq!(permit.datasets()[0].risk, None);
}

#[test]
fn a_row_policy_binds_as_translated_and_is_no_permit_otherwise() {
    let (engine, der) = (Engine::load(None), certificate());
    let rows_plan = |rows: Value, plan: Value| {
        let standing = Standing::new(&der, |events| {
            let dataset = &mut events[6]["scenario"]["datasets"][0];
            dataset["rows"] = rows;
            dataset["rows_plan"] = plan;
        });
        engine.permits.lock().unwrap().clear();
        let permit = standing.permit(&engine, noon());
        permit.map(|permit| permit.datasets()[0].rows_plan.clone())
    };
    let unusable = |got| matches!(got, Err(Refusal::Unusable(_)));
    let rows = || json!("count > 1");
    assert_eq!(rows_plan(Value::Null, Value::Null), Ok(None));
    assert_eq!(rows_plan(rows(), json!("00ff")), Ok(Some(vec![0, 255])));
    assert!(unusable(rows_plan(rows(), json!("0g"))));
    assert!(unusable(rows_plan(rows(), Value::Null)));
    assert!(unusable(rows_plan(Value::Null, json!("00ff"))));
}

#[test]
fn a_permit_is_kept_while_nothing_that_made_it_changes() {
    let (engine, der) = (Engine::load(None), certificate());
    let mut standing = Standing::new(&der, |_| {});
    let inside = standing.permit(&engine, noon()).unwrap();
    standing.caller =
        identity::prove(Some(&der), &standing.state, Channel::Remote, noon()).unwrap();
    let outside = standing.permit(&engine, noon()).unwrap();
    assert!(!Arc::ptr_eq(&inside, &outside), "the channel counts");
    assert!(Arc::ptr_eq(
        &outside,
        &standing.permit(&engine, noon()).unwrap()
    ));
    standing.caller = inside.caller().clone();
    assert!(Arc::ptr_eq(
        &inside,
        &standing.permit(&engine, noon()).unwrap()
    ));
    let enrolled = standing.state.version();
    standing.state.apply(
        &serde_json::from_value(json!({"event": "person-enrolled", "by": "admin",
        "certificate": Digest::of(b"bob"), "person": {"id": "bob", "role": "operator-member",
        "vetted": true, "organisation": "op", "nda_until": null}}))
        .unwrap(),
    );
    assert!(standing.state.version() > enrolled);
    let later = standing.permit(&engine, noon()).unwrap();
    assert!(
        !Arc::ptr_eq(&inside, &later),
        "the register's version counts"
    );
}

#[test]
fn a_kept_permit_ends_when_it_says() {
    let engine = Engine::load(None);
    let standing = Standing::new(&certificate(), |events| {
        events[5]["licence"]["until"] = json!("2026-06-15");
    });
    let permit = standing.permit(&engine, noon()).unwrap();
    let end = "2026-06-15T16:00:00Z".parse().unwrap();
    assert_eq!(permit.expires(), end);
    let before = standing.permit(&engine, end - chrono::Duration::microseconds(1));
    assert!(Arc::ptr_eq(&permit, &before.unwrap()));
    let refused = standing.permit(&engine, end).unwrap_err();
    assert_eq!(refused, Refusal::LicenceNotInTerm);
}

#[test]
fn so_many_permits_are_kept_and_no_more() {
    let engine = Engine::load(None);
    let standing = Standing::new(&certificate(), |_| {});
    let permit = standing.permit(&engine, noon()).unwrap();
    let kept = || engine.permits.lock().unwrap();
    let key = kept().keys().next().unwrap().clone();
    let fill = |until: usize| {
        kept().clear();
        for version in (100u64..).take(until) {
            let mut key = key.clone();
            key.0 = version;
            kept().insert(key, Arc::clone(&permit));
        }
        standing.permit(&engine, noon()).unwrap();
        kept().len()
    };
    assert_eq!(fill(PERMITS_MAX - 1), PERMITS_MAX);
    assert_eq!(fill(PERMITS_MAX), 1);
}

/// What a decision costs with 20 and with 2,000 policies of the domain's own beside the baseline, each
/// about another person: medians, nothing kept.
#[test]
#[ignore = "prints a cost; run it with --release --ignored --nocapture"]
fn a_decision_over_many_policies() {
    let standing = Standing::new(&certificate(), |_| {});
    let mut medians = Vec::new();
    for count in [20, 2_000] {
        let folder = tempfile::tempdir().unwrap();
        let own = |n| {
            format!(
                "@id(\"own-{n}\")\nforbid (principal == Person::\"nobody-{n}\", action == Action::\"showMasked\", resource)\nwhen {{ resource.grade >= 2 }};\n"
            )
        };
        let policies: String = (0..count).map(own).collect();
        std::fs::write(folder.path().join("own.cedar"), policies).unwrap();
        let engine = Engine::load(Some(folder.path()));
        assert_eq!(engine.unusable(), None);
        let mut times: Vec<_> = (0..51)
            .map(|_| {
                engine.permits.lock().unwrap().clear();
                let began = std::time::Instant::now();
                standing.permit(&engine, noon()).unwrap();
                began.elapsed()
            })
            .collect();
        times.sort();
        println!("{count} policies: {:?}", times[25]);
        medians.push(times[25].as_secs_f64());
    }
    println!("{:.2} times", medians[1] / medians[0]);
}

#[test]
fn rows_show_only_where_the_risk_of_the_snapshot_that_is_seen_is_on_record() {
    let (engine, der) = (Engine::load(None), certificate());
    let shows = |wanted: bool, risks: Value| {
        let standing = Standing::new(&der, |events| {
            events[4]["snapshot"]["number"] = json!(3);
            events[6]["scenario"]["datasets"][0]["show_rows"] = json!(wanted);
            events[6]["row_risks"] = risks;
        });
        engine.permits.lock().unwrap().clear();
        let permit = standing.permit(&engine, noon()).unwrap();
        let dataset = permit.datasets()[0].clone();
        (dataset.show_rows, dataset.risk.map(|risk| risk.subjects))
    };
    let older = || {
        let mut older = risk("fund.people", 1);
        older["snapshot"] = json!(2);
        older
    };
    assert_eq!(shows(true, json!([])), (false, None));
    assert_eq!(shows(true, json!([older()])), (false, None));
    assert_eq!(shows(true, json!([risk("fund.others", 1)])), (false, None));
    let both = json!([older(), risk("fund.people", 2)]);
    assert_eq!(shows(true, both), (true, Some(2)));
    assert_eq!(
        shows(false, json!([risk("fund.people", 2)])),
        (false, Some(2))
    );
}

#[test]
fn what_annotations_ask_binds_the_cells_of_a_dataset_and_the_results_of_its_items() {
    let policies = r#"
        @id("own-measures") @k("20") @perturb @rows_max("500")
        permit (principal, action == Action::"aggregate", resource)
        when { resource.grade == 3 && resource.listed && resource.measure };
        @id("own-export") @k("30") @rows_max("100") @two_approvals
        permit (principal, action == Action::"export", resource)
        when { resource.grade == 3 && resource.listed };
        @id("own-members") @rows_max("900") @result_bytes_max("4000")
        permit (principal, action == Action::"enter", resource) when { context.member };"#;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.cedar"), policies).unwrap();
    let engine = Engine::load(Some(folder.path()));
    assert_eq!(engine.unusable(), None);
    let standing = Standing::new(&certificate(), |events| {
        events[0]["obligations"] = json!({"rows_max": 1000, "result_bytes_max": 3000});
    });
    let scenario = "s".parse().unwrap();
    let under = |action| {
        let asked = (Some(&scenario), action);
        let caller = standing.caller.clone();
        engine
            .permit(caller, &standing.state, asked, noon())
            .unwrap()
    };
    let owed = |permit: &Permit, name: &str| {
        let mut items = permit.datasets()[0].items.iter();
        items.find(|item| item.name.as_str() == name).unwrap().owed
    };
    let (query, export) = (under(Action::Query), under(Action::Export));
    for permit in [&query, &export] {
        let dataset = &permit.datasets()[0];
        assert_eq!(dataset.k, 30, "cells are made alike wherever they go");
        assert_eq!(dataset.disclosure.release, crate::Release::Perturb);
        let caps = Obligations {
            rows_max: 900,
            result_bytes_max: 3000,
        };
        assert_eq!(permit.obligations(), caps);
        assert!(!permit.owed().two_approvals);
    }
    let measure = |rows_max| crate::Owed {
        k: Some(30),
        rows_max: Some(rows_max),
        perturb: true,
        two_approvals: true,
        ..crate::Owed::default()
    };
    assert_eq!(owed(&query, "amount"), measure(500));
    assert_eq!(owed(&export, "amount"), measure(100));
    assert_eq!(owed(&query, "ratio"), crate::Owed::default());
    let plain = Engine::load(None);
    let permit = standing.permit(&plain, noon()).unwrap();
    assert_eq!(permit.datasets()[0].k, 10, "nothing is owed unasked");
}
