//! Policy cases as data: `policies/cases/*.toml`, request → decision → policy ids.

use super::*;
use crate::Owed;
use cedar_policy::{Policy, PolicySet};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use terms::Role;

mod folder; // what a domain's own folder adds
mod laws; // what holds for every request there can be

/// A file of cases: what a case does not say is in the head.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// What the domain's own folder adds.
    #[serde(default)]
    policies: String,
    defaults: Request,
    case: Vec<Case>,
    #[serde(default)]
    step: Vec<Step>,
}

/// A management step: who may, by which policy, and which one keeps them from their own, or from others'.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    action: String,
    roles: Vec<String>,
    by: String,
    own: Option<String>,
    others: Option<String>,
}

impl Step {
    /// A case for every role, and one of what they submitted themselves for every role that may.
    fn cases(&self) -> Vec<Case> {
        let case = |role: Role, own: bool| {
            let may = self.roles.iter().any(|named| named == role.word());
            let forbids = if own { &self.own } else { &self.others };
            let (allow, by) = match (may, forbids) {
                (false, _) => (false, None),
                (true, Some(forbids)) => (false, Some(forbids)),
                (true, None) => (true, Some(&self.by)),
            };
            Case {
                name: format!("{} by {}, own: {own}", self.action, role.word()),
                action: self.action.clone(),
                request: Request {
                    role: Some(role.word().to_owned()),
                    submitter: own.then(|| "self".to_owned()),
                    ..Request::default()
                },
                allow,
                by: by.into_iter().cloned().collect(),
                owed: Owed::default(),
                own: String::new(),
            }
        };
        let mays = |role: &Role| self.roles.iter().any(|named| named == role.word());
        let own = Role::ALL
            .into_iter()
            .filter(mays)
            .map(|role| case(role, true));
        Role::ALL
            .map(|role| case(role, false))
            .into_iter()
            .chain(own)
            .collect()
    }
}

#[derive(Deserialize)]
struct Case {
    name: String,
    action: String,
    #[serde(flatten, deserialize_with = "strictly")]
    request: Request,
    allow: bool,
    by: Vec<String>,
    /// What the permits ask, by their annotations.
    #[serde(default)]
    owed: Owed,
    /// What the domain's own folder adds, as its file says.
    #[serde(skip)]
    own: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Request {
    role: Option<String>,
    channel: Option<String>,
    product: Option<String>,
    submitter: Option<String>,
    #[serde(default)]
    item: Map<String, Value>,
    #[serde(default)]
    enter: Map<String, Value>,
}

const ITEM_ACTIONS: [&str; 6] = [
    "showPlain",
    "showMasked",
    "aggregate",
    "train",
    "materialise",
    "export",
];

fn person(role: &str) -> Person {
    let person = json!({"id": "self", "role": role, "organisation": "op", "vetted": true,
        "nda_until": "2027-12-31"});
    serde_json::from_value(person).unwrap()
}

/// A flattened field would take any key; a misspelt one is an error here.
fn strictly<'a, D: serde::Deserializer<'a>>(rest: D) -> Result<Request, D::Error> {
    let rest = Map::deserialize(rest)?;
    serde_json::from_value(Value::Object(rest)).map_err(serde::de::Error::custom)
}

impl Request {
    /// This request, with what it leaves out taken from the head of its file.
    fn over(self, head: &Self) -> Self {
        let over = |ours: Map<String, Value>, head: &Map<String, Value>| {
            let mut all = head.clone();
            all.extend(ours);
            all
        };
        Self {
            role: self.role.or_else(|| head.role.clone()),
            channel: self.channel.or_else(|| head.channel.clone()),
            product: self.product.or_else(|| head.product.clone()),
            submitter: self.submitter.or_else(|| head.submitter.clone()),
            item: over(self.item, &head.item),
            enter: over(self.enter, &head.enter),
        }
    }
}

/// Decides a case. The schema refuses a request with an attribute too few or too many.
fn decided(engine: &Engine, case: &Case) -> Result<Decision, Refusal> {
    let request = &case.request;
    let person = person(request.role.as_deref().unwrap());
    let action = case.action.as_str();
    let product = request.product.as_deref().unwrap_or("none");
    let context = json!({"channel": request.channel, "product": product});
    if ITEM_ACTIONS.contains(&action) {
        let item = ("Item", Value::Object(request.item.clone()));
        return engine.case(&person, action, item, context);
    }
    if action == "enter" {
        let mut entering = request.enter.clone();
        entering.extend(context.as_object().cloned().unwrap_or_default());
        let scenario = ("Scenario", json!({}));
        return engine.case(&person, action, scenario, Value::Object(entering));
    }
    let submitter = json!({"submitter": request.submitter});
    engine.case(&person, action, ("Domain", json!({})), submitter)
}

/// All cases with the names of their files, in order.
fn cases() -> Vec<(String, Case)> {
    let folder = Path::new("../../policies/cases");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let cases: Cases = toml::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let steps = cases.step.iter().flat_map(Step::cases);
        for mut case in cases.case.into_iter().chain(steps) {
            case.request = case.request.over(&cases.defaults);
            case.own.clone_from(&cases.policies);
            all.push((name.clone(), case));
        }
    }
    all
}

#[test]
fn every_case_is_decided_as_it_says_and_by_the_policies_it_names() {
    let mut engines: BTreeMap<String, Engine> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (file, case) in cases() {
        let made = || engine_with(&case.own);
        let engine = engines.entry(case.own.clone()).or_insert_with(made);
        let got = decided(engine, &case);
        let wanted = Decision {
            allowed: case.allow,
            policies: case.by.clone(),
            owed: case.owed,
        };
        if got.as_ref().ok() != Some(&wanted) {
            wrong.push(format!(
                "{file}, {}:\n  expected {wanted:?}\n  got      {got:?}",
                case.name
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn there_are_cases_of_every_theme_and_no_two_have_one_name() {
    let cases = cases();
    let files: BTreeSet<&str> = cases.iter().map(|(file, _)| file.as_str()).collect();
    let themes = [
        "channel",
        "grades",
        "licence",
        "management",
        "obligations",
        "person",
        "scenario",
    ];
    assert!(
        files
            .iter()
            .copied()
            .eq(themes.map(|theme| format!("{theme}.toml")))
    );
    let names: BTreeSet<&str> = cases.iter().map(|(_, case)| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.len() >= 60);
}

#[test]
fn every_policy_determines_a_case() {
    let shipped_alone = cases().into_iter().filter(|(_, case)| case.own.is_empty());
    let named: BTreeSet<String> = shipped_alone.flat_map(|(_, case)| case.by).collect();
    let texts = [
        include_str!("../../../../policies/baseline.cedar"),
        include_str!("../../../../policies/roles.cedar"),
    ];
    let shipped: BTreeSet<String> = texts
        .into_iter()
        .flat_map(|text| {
            text.parse::<PolicySet>()
                .unwrap()
                .policies()
                .map(id_of)
                .collect::<Vec<_>>()
        })
        .collect();
    // Equal both ways: the cases name nothing that is not shipped.
    assert_eq!(named, shipped);
}

fn id_of(policy: &Policy) -> String {
    policy.annotation("id").unwrap().to_owned()
}

fn engine_with(policies: &str) -> Engine {
    if policies.is_empty() {
        return Engine::load(None);
    }
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
fn a_policy_that_errs_denies_and_denies_its_own_action_alone() {
    for effect in ["permit", "forbid"] {
        // Valid by type, and past the largest number when evaluated.
        let errs = format!(
            r#"@id("own") {effect} (principal, action == Action::"showMasked", resource)
            when {{ resource.grade + 9223372036854775807 < 0 }};"#
        );
        let engine = engine_with(&errs);
        assert_eq!(engine.unusable(), None);
        for (file, case) in cases() {
            let got = decided(&engine, &case).unwrap().allowed;
            let wanted = case.allow && case.action != "showMasked";
            assert_eq!(got, wanted, "{effect}: {file}, {}", case.name);
        }
    }
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
    let obliging = |annotations: &str, effect: &str, action: &str| {
        format!("@id(\"own\") {annotations} {effect} (principal, action{action}, resource);")
    };
    let masked = r#" == Action::"showMasked""#;
    let unread = [
        r#"@k("0")"#,
        r#"@k("-1")"#,
        r#"@k("+7")"#,
        r#"@k("ten")"#,
        r#"@k("10.0")"#,
        r#"@k("4294967296")"#,
        "@k",
        r#"@rows_max("")"#,
        r#"@rows_max("0")"#,
        r#"@result_bytes_max("1 MB")"#,
        r#"@perturb("no")"#,
        r#"@two_approvals("1")"#,
        r#"@K("10")"#,
        r#"@row_max("10")"#,
        r#"@reviewed("by nobody")"#,
    ];
    let mut broken: Vec<String> = broken.map(str::to_owned).into();
    broken.extend(unread.map(|annotation| obliging(annotation, "permit", masked)));
    // Where it would never bind.
    let manages = r#" == Action::"grantLicence""#;
    let some = r#" in [Action::"enter", Action::"grantLicence"]"#;
    broken.extend(["", manages, some].map(|action| obliging(r#"@k("7")"#, "permit", action)));
    broken.push(obliging("@perturb", "forbid", masked));
    for text in &broken {
        let engine = engine_with(text);
        assert!(engine.unusable().is_some(), "{text}");
        assert!(masked_grade_3(&engine).is_err(), "{text}");
    }
}

#[test]
fn a_request_that_the_schema_does_not_know_is_refused() {
    let engine = Engine::load(None);
    let context = || json!({"channel": "domain", "product": "none"});
    let item = || json!({"grade": 1, "listed": true});
    assert!(
        engine
            .case(
                &person("operator-member"),
                "showPlain",
                ("Item", item()),
                context()
            )
            .is_err()
    );
    assert!(
        engine
            .case(
                &person("operator-member"),
                "drop",
                ("Domain", json!({})),
                json!({})
            )
            .is_err()
    );
}

#[test]
fn a_management_step_is_its_roles_and_never_the_submitters_own() {
    let engine = Engine::load(None);
    let manage = |role: &str, submitter: Option<&str>| {
        let submitter = submitter.map(|id| id.parse().unwrap());
        engine.manage(&person(role), "grantLicence", submitter.as_ref())
    };
    let refused = Err(Refusal::ActionNotPermitted("grantLicence"));
    assert!(manage("data-authority", Some("another")).unwrap().allowed);
    assert_eq!(manage("data-authority", Some("self")), refused);
    assert_eq!(manage("operator-member", Some("another")), refused);
}
