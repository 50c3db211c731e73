//! Every class of items, every way, every channel: what the design says in one line holds for all of them,
//! whatever a domain's own policies permit.

use super::*;
use terms::Role;

/// A class of items as the schema knows it: a grade, and one bit for each other attribute.
#[derive(Clone, Copy)]
struct Class {
    grade: u8,
    bits: u8,
}

const ATTRIBUTES: [&str; 6] = [
    "listed",
    "measure",
    "external",
    "own",
    "prohibited",
    "covered",
];

impl Class {
    fn all() -> impl Iterator<Item = Self> {
        (1..=4).flat_map(|grade| (0..64).map(move |bits| Self { grade, bits }))
    }

    fn is(self, attribute: &str) -> bool {
        let place = ATTRIBUTES.iter().position(|known| *known == attribute);
        self.bits >> place.unwrap() & 1 == 1
    }

    fn item(self) -> Value {
        let mut item = json!({"grade": self.grade});
        for attribute in ATTRIBUTES {
            item[attribute] = json!(self.is(attribute));
        }
        item
    }

    /// What the baseline forbids. Source: design, "Grades" and "Policy".
    fn forbidden(self, action: &str, channel: &str) -> bool {
        self.grade == 4
            || (self.grade >= 2 && (action == "showPlain" || channel != "domain"))
            || self.is("prohibited")
            || (self.is("external") && !self.is("own"))
            || !(self.is("covered") || self.is("external"))
    }

    /// What the baseline permits where nothing forbids.
    fn permitted(self, action: &str) -> bool {
        self.is("listed")
            && match action {
                "showPlain" => self.grade == 1,
                "aggregate" => self.is("measure"),
                "train" => false,
                _ => true,
            }
    }
}

/// Every class, way and channel, with what an engine decides.
fn each(engine: &Engine, judge: impl Fn(Class, &str, &str, bool)) {
    let caller = person("operator-member");
    for class in Class::all() {
        for action in ITEM_ACTIONS {
            for channel in ["domain", "remote"] {
                let item = ("Item", class.item());
                let decision = engine.case(&caller, action, item, json!({"channel": channel}));
                judge(class, action, channel, decision.unwrap().allowed);
            }
        }
    }
}

#[test]
fn the_baseline_decides_every_class_of_items_as_the_design_says() {
    each(&Engine::load(None), |class, action, channel, allowed| {
        let wanted = class.permitted(action) && !class.forbidden(action, channel);
        assert_eq!(allowed, wanted, "{action} {} {channel}", class.item());
    });
}

#[test]
fn a_domain_that_permits_everything_opens_nothing_the_baseline_forbids() {
    let all = r#"@id("own") permit (principal, action, resource);"#;
    each(&engine_with(all), |class, action, channel, allowed| {
        let wanted = !class.forbidden(action, channel);
        assert_eq!(allowed, wanted, "{action} {} {channel}", class.item());
    });
}

#[test]
fn a_scenario_is_entered_only_where_all_six_conditions_hold() {
    let conditions = [
        "member",
        "granted",
        "licenceGranted",
        "licenceInTerm",
        "emergencyPlan",
        "evidenceCurrent",
    ];
    let engine = Engine::load(None);
    for role in Role::ALL {
        for bits in 0..64u8 {
            let mut context = json!({"channel": "domain"});
            for (place, condition) in conditions.iter().enumerate() {
                context[*condition] = json!(bits >> place & 1 == 1);
            }
            let scenario = ("Scenario", json!({}));
            let decision = engine.case(&person(role.word()), "enter", scenario, context.clone());
            let wanted = role == Role::OperatorMember && bits == 63;
            assert_eq!(decision.unwrap().allowed, wanted, "{role:?} {context}");
        }
    }
}

#[test]
fn every_management_step_has_one_role_and_no_role_both_asks_and_decides() {
    let steps: BTreeSet<String> = cases()
        .into_iter()
        .filter(|(file, _)| file == "management.toml")
        .map(|(_, case)| case.action)
        .collect();
    assert_eq!(steps.len(), 16);
    let engine = Engine::load(None);
    for step in steps {
        let may = |role: &Role| {
            let submitter = json!({"submitter": "another"});
            let decision = engine.case(
                &person(role.word()),
                &step,
                ("Domain", json!({})),
                submitter,
            );
            decision.unwrap().allowed
        };
        let roles: Vec<Role> = Role::ALL.into_iter().filter(may).collect();
        if step == "approveRedaction" {
            // Two persons must, neither of whom asked; no role that may ask may approve.
            assert_eq!(roles, [Role::DataAuthority, Role::Regulator]);
            continue;
        }
        assert_eq!(roles.len(), 1, "{step}: {roles:?}");
        let asks = step.starts_with("apply");
        assert_eq!(roles == [Role::OperatorMember], asks, "{step}: {roles:?}");
    }
}
