//! Whole permits as data: `policies/permits/*.toml`, who asks for what, when → each item's use, k, end.
//!
//! The words Cedar is asked in are written down here a second time, so that a permit that asks wrongly and
//! a case that expects wrongly cannot agree.

mod kept; // what a permit says of itself, and how long it is kept
mod world; // a case, and what stands in it

use self::world::{Case, cases, certificate};
use super::*;
use chrono::{FixedOffset, NaiveDate};
use serde_json::Value;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};
use terms::{Licence, Mode};

/// An engine that remembers what it was asked.
struct Remembering<'a> {
    engine: &'a Engine,
    known: RefCell<BTreeMap<String, Decision>>,
}

impl Remembering<'_> {
    fn case(
        &self,
        person: &Person,
        action: &str,
        resource: (&str, Value),
        context: Value,
    ) -> Decision {
        let request = format!("{person:?} {action} {resource:?} {context}");
        let decide = || self.engine.case(person, action, resource, context).unwrap();
        let mut known = self.known.borrow_mut();
        known.entry(request).or_insert_with(decide).clone()
    }
}

impl Case {
    fn asker(&self) -> Person {
        let person = json!({"id": "ann", "role": self.person.role, "vetted": self.person.vetted,
            "organisation": self.person.organisation, "nda_until": self.person.nda_until});
        serde_json::from_value(person).unwrap()
    }

    /// The policies that determine whether the scenario is entered.
    fn entering(&self, engine: &Remembering<'_>) -> Decision {
        let east = FixedOffset::east_opt(8 * 3600).unwrap();
        let today = self.now.with_timezone(&east).date_naive();
        let context = json!({
            "channel": self.channel,
            "product": self.product.as_deref().unwrap_or("none"),
            "member": self.scenario.members.contains(&"ann".to_owned()),
            "granted": self.scenario.stage == "granted",
            "licenceGranted": self.licence.stage == "granted",
            "licenceInTerm": self.licence.from <= today && today <= self.licence.until,
            "emergencyPlan": self.operator.emergency_plan,
            "evidenceCurrent": self.operator.evidence.values().all(|until| today <= *until),
            "drillCurrent": self.operator.drill_until.is_none_or(|until| today <= until),
            "assessed": !self.operator.assessment_failed,
            "open": !self.operator.closed,
            "sealed": self.shut(),
        });
        let scenario = ("Scenario", json!({}));
        engine.case(&self.asker(), "enter", scenario, context)
    }

    /// Whether the scenario is sealed, or its licence.
    fn shut(&self) -> bool {
        matches!(self.sealed.as_deref(), Some("scenario" | "licence"))
    }

    /// The policies that determine one way of using one item.
    fn using(&self, engine: &Remembering<'_>, name: &String, action: &str) -> Decision {
        let licence: Licence = serde_json::from_value(self.licence_entry()).unwrap();
        let sector = || self.dataset.sector.clone().try_into().unwrap();
        let covered = match &licence.mode {
            Mode::Comprehensive | Mode::Scenario => true,
            Mode::Sectoral { sectors } => sectors.contains(&sector()),
        };
        let listed = &self.scenario.listed;
        let item = json!({
            "grade": self.items[name].grade,
            "listed": listed.contains(name) || listed.contains(&"*".to_owned()),
            "measure": self.scenario.aggregate.contains(name),
            "external": self.dataset.external,
            "own": self.dataset.provider == self.licence.operator,
            "prohibited": self.dataset.prohibited.is_some(),
            "covered": covered,
            "sealed": self.sealed.as_deref() == Some("dataset"),
        });
        let product = self.product.as_deref().unwrap_or("none");
        let context = json!({"channel": self.channel, "product": product});
        engine.case(&self.asker(), action, ("Item", item), context)
    }

    /// How a permit uses an item, and the policies that determine it, as cases write it.
    fn shown(&self, engine: &Remembering<'_>, permit: &Permit, name: &String) -> String {
        // A dataset no item of which is permitted is not in the permit.
        let dataset = permit.datasets().first();
        let using = |action: &str| self.using(engine, name, action);
        let [plain, masked, aggregate] = ["showPlain", "showMasked", "aggregate"].map(using);
        let mut items = dataset.into_iter().flat_map(|dataset| &dataset.items);
        let Some(item) = items.find(|i| i.name.as_str() == name) else {
            let absent = |dataset: &crate::PermittedDataset| {
                let absent = dataset.absent.iter();
                absent.filter(|i| i.name.as_str() == name).count()
            };
            let absent = dataset.map_or(1, absent);
            assert_eq!(absent, 1, "`{name}` is neither held nor absent");
            let mut by: BTreeSet<String> = masked.policies.into_iter().collect();
            by.extend(aggregate.policies);
            // A plain item is absent only where it has no type that can be shown.
            by.extend(plain.policies.into_iter().filter(|_| plain.allowed));
            return worded("absent", by);
        };
        assert_eq!(item.aggregate, aggregate.allowed, "{name}: aggregate");
        assert_eq!(item.export, using("export").allowed, "{name}: export");
        let kept = using("materialise").allowed;
        assert_eq!(item.materialise, kept, "{name}: materialise");
        let mask = item.mask.to_string();
        let (way, by) = match (mask.as_str(), item.aggregate) {
            ("suppress", _) => ("aggregate".to_owned(), aggregate.policies),
            (_, with) => {
                assert!(plain.allowed || masked.allowed, "{name} is shown");
                let open = plain.allowed && self.items[name].mask.is_none();
                let mut by = if open {
                    plain.policies
                } else {
                    masked.policies
                };
                by.extend(aggregate.policies.into_iter().filter(|_| with));
                let also = if with { " + aggregate" } else { "" };
                (format!("{mask}{also}"), by)
            }
        };
        worded(&way, by)
    }

    /// A refusal's code, and the policies that determined it where policies were asked at all.
    fn told(&self, engine: &Remembering<'_>, code: &str) -> String {
        let unasked = ["policy.no-scenario", "policy.unknown-scenario"];
        if !code.starts_with("policy.") || unasked.contains(&code) {
            return code.to_owned();
        }
        worded(code, self.entering(engine).policies)
    }

    /// What is wrong with what the engine says, if anything.
    fn mistakes(&self, engine: &Remembering<'_>, der: &[u8]) -> Vec<String> {
        let permit = match (self.permit(engine.engine, der), &self.refused) {
            (Err(code), wanted) => {
                let got = self.told(engine, &code);
                return differ("refused", &got, wanted.as_deref().unwrap_or("a permit"));
            }
            (Ok(_), Some(wanted)) => return differ("refused", "a permit", wanted),
            (Ok(permit), None) => permit,
        };
        let entering = self.entering(engine);
        let mut wrong = differ("enter", &worded("", entering.policies), ": members-enter");
        for (name, wanted) in &self.shown {
            let got = self.shown(engine, &permit, name);
            wrong.extend(differ(name, &got, &spelt(wanted)));
        }
        let ends = (permit.expires().to_string(), self.ends.to_string());
        wrong.extend(differ("ends", &ends.0, &ends.1));
        let Some(dataset) = permit.datasets().first() else {
            let shown = self.shown.values().find(|way| !way.starts_with("absent"));
            wrong.extend(shown.map(|way| format!("  no dataset, wanted `{way}`")));
            return wrong;
        };
        assert!(!dataset.items.is_empty(), "a dataset that shows nothing");
        wrong.extend(differ("k", &dataset.k.to_string(), &self.k.to_string()));
        let protected = (dataset.protected.to_string(), self.protected.to_string());
        wrong.extend(differ("protected", &protected.0, &protected.1));
        wrong
    }
}

/// `way: policy, policy`.
fn worded(way: &str, by: impl IntoIterator<Item = String>) -> String {
    let by: BTreeSet<String> = by.into_iter().collect();
    if by.is_empty() {
        return way.to_owned();
    }
    format!("{way}: {}", Vec::from_iter(by).join(", "))
}

/// An expected way with its policies: its own permit's where the case names none.
fn spelt(wanted: &str) -> String {
    if wanted.contains(": ") || wanted == "absent" {
        return wanted.to_owned();
    }
    let (first, aggregate) = match wanted.split_once(" + ") {
        Some((first, _)) => (first, true),
        None => (wanted, wanted == "aggregate"),
    };
    let shown = match first {
        "plain" => Some("grade-1-plain"),
        "aggregate" => None,
        _ => Some("masked-to-grade-3"),
    };
    let aggregate = aggregate.then_some("aggregate-listed-measures");
    worded(
        wanted,
        shown.into_iter().chain(aggregate).map(str::to_owned),
    )
}

fn differ(what: &str, got: &str, wanted: &str) -> Vec<String> {
    let wrong = format!("  {what}: got `{got}`, wanted `{wanted}`");
    (got != wanted).then_some(wrong).into_iter().collect()
}

// === the laws ===

#[test]
fn every_permit_is_what_its_case_says() {
    let (engine, der) = (Engine::load(None), certificate());
    let asked = Remembering {
        engine: &engine,
        known: RefCell::default(),
    };
    let cases = cases();
    assert!(cases.len() >= 80, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        // The worlds differ, their versions do not: forget the permit of the one before.
        engine.permits.lock().unwrap().clear();
        let mistakes = case.mistakes(&asked, &der);
        if !mistakes.is_empty() {
            wrong.push(format!("{name}\n{}", mistakes.join("\n")));
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
fn what_a_policy_that_errs_denies_is_laid_to_it_and_not_to_a_permit() {
    let folder = tempfile::tempdir().unwrap();
    let errs = r#"@id("own") forbid (principal, action == Action::"enter", resource)
        when { context.member && 9223372036854775807 + 1 == 0 };"#;
    std::fs::write(folder.path().join("own.cedar"), errs).unwrap();
    let engine = Engine::load(Some(folder.path()));
    assert_eq!(engine.unusable(), None);
    let asked = Remembering {
        engine: &engine,
        known: RefCell::default(),
    };
    let (name, case) = cases()
        .into_iter()
        .find(|(_, case)| case.refused.is_none())
        .unwrap();
    let denied = Decision {
        allowed: false,
        policies: vec!["own".to_owned()],
        owed: crate::Owed::default(),
    };
    assert_eq!(case.entering(&asked), denied, "{name}");
    let told = case.permit(&engine, &certificate()).map(|_| ());
    assert_eq!(told, Err("policy.unknown-scenario".to_owned()));
}
