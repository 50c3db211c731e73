//! Policy cases as data: `policies/cases/*.toml`, request → decision → policy ids.

use super::*;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use terms::{Grade, Item, Kind, Mask};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    action: String,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    item: serde_json::Map<String, Value>,
    #[serde(default)]
    enter: serde_json::Map<String, Value>,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    submitter: Option<String>,
    allow: bool,
    by: Vec<String>,
}

const ITEM_ACTIONS: [&str; 5] = ["showPlain", "showMasked", "aggregate", "train", "export"];

fn person(role: Option<&str>) -> Person {
    let role = role.unwrap_or("operator-member");
    let person = json!({"id": "self", "role": role, "organisation": "op", "vetted": true,
        "nda_until": "2027-12-31"});
    serde_json::from_value(person).unwrap()
}

fn with(mut defaults: Value, over: &serde_json::Map<String, Value>) -> Value {
    for (key, value) in over {
        assert!(defaults.get(key).is_some(), "no attribute `{key}`");
        defaults[key] = value.clone();
    }
    defaults
}

fn decided(engine: &Engine, case: &Case) -> Result<Decision, Refusal> {
    let person = person(case.role.as_deref());
    let channel = case.channel.as_deref().unwrap_or("domain");
    if ITEM_ACTIONS.contains(&case.action.as_str()) {
        let item = json!({"grade": 1, "listed": true, "measure": false, "external": false,
            "own": false, "prohibited": false, "covered": true});
        let resource = ("Item", with(item, &case.item));
        return engine.case(&person, &case.action, resource, json!({"channel": channel}));
    }
    if case.action == "enter" {
        let context = json!({"channel": channel, "member": true, "granted": true,
            "licenceGranted": true, "licenceInTerm": true, "emergencyPlan": true,
            "evidenceCurrent": true});
        let context = with(context, &case.enter);
        return engine.case(&person, "enter", ("Scenario", json!({})), context);
    }
    let submitter = case.submitter.as_deref().unwrap_or("another");
    let context = json!({"submitter": submitter});
    engine.case(&person, &case.action, ("Domain", json!({})), context)
}

fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/cases");
    let mut all = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let cases: Cases = toml::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        all.extend(cases.case.into_iter().map(|case| (name.clone(), case)));
    }
    all
}

#[test]
fn every_case_is_decided_as_it_says_and_by_the_policies_it_names() {
    let engine = Engine::load(None);
    let mut wrong = Vec::new();
    for (file, case) in cases() {
        let got = decided(&engine, &case);
        let wanted = Decision {
            allowed: case.allow,
            policies: case.by.clone(),
        };
        if got.as_ref().ok() != Some(&wanted) {
            wrong.push(format!("{file}, {}: {got:?}, wanted {wanted:?}", case.name));
        }
    }
    assert!(cases().len() >= 60);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_policy_determines_a_case() {
    let named: BTreeSet<String> = cases().into_iter().flat_map(|(_, case)| case.by).collect();
    let shipped = [
        include_str!("../../../../policies/baseline.cedar"),
        include_str!("../../../../policies/roles.cedar"),
    ];
    let mut ids = 0;
    for line in shipped.iter().flat_map(|text| text.lines()) {
        if let Some(id) = line.strip_prefix("@id(\"") {
            let id = id.split('"').next().unwrap();
            assert!(named.contains(id), "no case is determined by `{id}`");
            ids += 1;
        }
    }
    assert!(ids > 10);
}

fn engine_with(policies: &str) -> Engine {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.cedar"), policies).unwrap();
    Engine::load(Some(folder.path()))
}

fn masked_grade_3(engine: &Engine) -> Result<Decision, Refusal> {
    let (_, case) = cases()
        .into_iter()
        .find(|(_, case)| case.name == "grade 3, showMasked")
        .unwrap();
    decided(engine, &case)
}

#[test]
fn a_domains_own_forbid_wins_and_its_permit_opens_nothing_the_baseline_forbids() {
    let forbid = r#"@id("own") forbid (principal, action == Action::"showMasked", resource) when { resource.grade == 3 };"#;
    assert!(!masked_grade_3(&engine_with(forbid)).unwrap().allowed);
    let permit = r#"@id("own") permit (principal, action, resource);"#;
    let engine = engine_with(permit);
    for (file, case) in cases() {
        if case.action == "showPlain" && !case.allow && !case.by.is_empty() {
            let got = decided(&engine, &case).unwrap();
            assert!(!got.allowed, "{file}, {}", case.name);
        }
    }
}

#[test]
fn policies_that_cannot_be_used_refuse_everything() {
    let broken = [
        "permit (principal, action, resource",
        r#"permit (principal, action, resource);"#,
        r#"@id("own") permit (principal, action == Action::"showMasked", resource) when { resource.nothing };"#,
        r#"@id("grade-1-plain") permit (principal, action, resource);"#,
    ];
    for text in broken {
        let engine = engine_with(text);
        assert!(engine.unusable().is_some(), "{text}");
        assert!(masked_grade_3(&engine).is_err(), "{text}");
    }
}

#[test]
fn a_request_that_the_schema_does_not_know_is_refused() {
    let engine = Engine::load(None);
    let context = || json!({"channel": "domain"});
    let item = || json!({"grade": 1, "listed": true});
    assert!(
        engine
            .case(&person(None), "showPlain", ("Item", item()), context())
            .is_err()
    );
    assert!(
        engine
            .case(&person(None), "drop", ("Domain", json!({})), json!({}))
            .is_err()
    );
}

#[test]
fn the_mask_table_keeps_to_the_grades() {
    let engine = Engine::load(None);
    let masks = engine.masks().unwrap();
    for kind in Kind::ALL {
        for grade in [Grade::One, Grade::Two, Grade::Three, Grade::Four] {
            let item = Item {
                name: "x".parse().unwrap(),
                title: String::new(),
                kind: *kind,
                grade,
                mask: None,
                band: None,
                unique: false,
                domain: Some("person".parse().unwrap()),
                sharing: grade.default_sharing(),
                opening: grade.default_opening(),
                data_type: None,
            };
            let mask = masks.of(&item);
            match grade {
                Grade::One => assert_eq!(mask, Mask::Plain, "{kind:?}"),
                Grade::Two => {
                    let open = matches!(mask, Mask::Plain);
                    assert!(!open || !kind.is_identifier(), "{kind:?} grade 2 is {mask}");
                }
                Grade::Three => assert!(
                    !mask.is_partial() && mask != Mask::Plain,
                    "{kind:?}: {mask}"
                ),
                Grade::Four => assert_eq!(mask, Mask::Suppress, "{kind:?}"),
            }
        }
    }
}
