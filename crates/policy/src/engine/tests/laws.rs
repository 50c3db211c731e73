//! Every class of items, every way, every channel: what the design says in one line holds for all of them,
//! whatever a domain's own policies permit.

use super::*;

/// A class of items as the schema knows it: a grade, and one bit for each other attribute.
#[derive(Clone, Copy)]
struct Class {
    grade: u8,
    bits: u8,
}

const ATTRIBUTES: [&str; 7] = [
    "listed",
    "measure",
    "external",
    "own",
    "prohibited",
    "covered",
    "sealed",
];

impl Class {
    fn all() -> impl Iterator<Item = Self> {
        (1..=4).flat_map(|grade| (0..128).map(move |bits| Self { grade, bits }))
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
    fn forbidden(self, action: &str, (channel, product): (&str, &str)) -> bool {
        let served = channel == "domain" || product == "published";
        self.grade == 4
            || (self.grade >= 2 && (action == "showPlain" || !served))
            || self.is("prohibited")
            || self.is("sealed")
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

/// How a product stands, in the policies' words.
const PRODUCTS: [&str; 6] = [
    "none",
    "unknown",
    "applied",
    "granted",
    "published",
    "recalled",
];

/// Every class, way, channel and standing of a product, with what an engine decides.
fn each(engine: &Engine, judge: impl Fn(Class, &str, (&str, &str), bool)) {
    let caller = person("operator-member");
    for class in Class::all() {
        for action in ITEM_ACTIONS {
            // Of a product that is not published all standings are one to an item.
            let products = ["none", "published", "recalled"];
            for by in ["domain", "remote"]
                .iter()
                .flat_map(|c| products.map(|p| (*c, p)))
            {
                let item = ("Item", class.item());
                let context = json!({"channel": by.0, "product": by.1});
                let decision = engine.case(&caller, action, item, context);
                judge(class, action, by, decision.unwrap().allowed);
            }
        }
    }
}

#[test]
fn the_baseline_decides_every_class_of_items_as_the_design_says() {
    each(&Engine::load(None), |class, action, by, allowed| {
        let wanted = class.permitted(action) && !class.forbidden(action, by);
        assert_eq!(allowed, wanted, "{action} {} {by:?}", class.item());
    });
}

#[test]
fn a_domain_that_permits_everything_opens_nothing_the_baseline_forbids() {
    let all = r#"@id("own") permit (principal, action, resource);"#;
    each(&engine_with(all), |class, action, by, allowed| {
        let wanted = !class.forbidden(action, by);
        assert_eq!(allowed, wanted, "{action} {} {by:?}", class.item());
    });
}

const CONDITIONS: [&str; 9] = [
    "member",
    "granted",
    "licenceGranted",
    "licenceInTerm",
    "emergencyPlan",
    "evidenceCurrent",
    "drillCurrent",
    "assessed",
    "open",
];

#[test]
fn a_scenario_is_entered_only_where_all_conditions_hold() {
    let engine = Engine::load(None);
    for role in Role::ALL {
        for bits in 0..512u16 {
            let mut context = json!({"channel": "domain", "product": "none", "sealed": false});
            for (place, condition) in CONDITIONS.iter().enumerate() {
                context[*condition] = json!(bits >> place & 1 == 1);
            }
            let scenario = ("Scenario", json!({}));
            let decision = engine.case(&person(role.word()), "enter", scenario, context.clone());
            let wanted = role == Role::OperatorMember && bits == 511;
            assert_eq!(decision.unwrap().allowed, wanted, "{role:?} {context}");
        }
    }
}

#[test]
fn from_outside_a_product_is_entered_for_only_while_it_is_published() {
    let engine = Engine::load(None);
    for channel in ["domain", "remote"] {
        for product in PRODUCTS {
            let mut context = json!({"channel": channel, "product": product, "sealed": false});
            for condition in CONDITIONS {
                context[condition] = json!(true);
            }
            let scenario = ("Scenario", json!({}));
            let decision = engine.case(&person("operator-member"), "enter", scenario, context);
            let wanted = channel == "domain" || ["none", "published"].contains(&product);
            assert_eq!(decision.unwrap().allowed, wanted, "{channel} {product}");
        }
    }
}

#[test]
fn a_sealed_scenario_is_entered_by_nobody_whatever_is_permitted() {
    let all = r#"@id("own") permit (principal, action, resource);"#;
    for engine in [Engine::load(None), engine_with(all)] {
        for role in Role::ALL {
            let mut context = json!({"channel": "domain", "product": "none", "sealed": true});
            for condition in CONDITIONS {
                context[condition] = json!(true);
            }
            let scenario = ("Scenario", json!({}));
            let decision = engine.case(&person(role.word()), "enter", scenario, context);
            assert!(!decision.unwrap().allowed, "{role:?}");
        }
    }
}

/// What each role may do about a matter of another's.
fn steps_of(engine: &Engine, role: Role) -> BTreeSet<String> {
    let may = |case: &(String, Case)| {
        let submitter = json!({"submitter": "another"});
        let domain = ("Domain", json!({}));
        let action = &case.1.action;
        let decided = engine.case(&person(role.word()), action, domain, submitter);
        decided.unwrap().allowed
    };
    let steps = cases().into_iter();
    let steps = steps.filter(|(file, _)| file == "management.toml");
    steps.filter(may).map(|(_, case)| case.action).collect()
}

#[test]
fn no_role_both_asks_and_decides() {
    let engine = Engine::load(None);
    let decide = |step: &String| {
        let verbs = [
            "review",
            "approve",
            "grant",
            "notice",
            "confirm",
            "refuse",
            "catalogue",
            "vet",
            "vouch",
            "assessOperator",
            "answer",
            "terminate",
            "accept",
            "resume",
            "reinstate",
            "lift",
        ];
        verbs.iter().any(|verb| step.starts_with(verb))
    };
    let ask = |step: &String| {
        let verbs = ["apply", "register", "propose", "file", "name", "publish"];
        verbs.iter().any(|verb| step.starts_with(verb)) && step != "registerOperator"
    };
    let mut all = BTreeSet::new();
    for role in Role::ALL {
        let steps = steps_of(&engine, role);
        let (asks, decides) = (steps.iter().any(ask), steps.iter().any(decide));
        assert!(!(asks && decides), "{role:?}: {steps:?}");
        all.extend(steps);
    }
    assert_eq!(all.len(), 82);
    assert_eq!(
        steps_of(&engine, Role::Regulator),
        [
            "approveDestruction",
            "approveRedaction",
            "approveSealRelease",
            "checkSeal",
            "followPlatform",
            "readExternalReport",
            "readRegister",
            "vouchPerson"
        ]
        .map(str::to_owned)
        .into()
    );
}

/// What the register knows to be asked, the policies know; what they do not name nobody may.
#[test]
fn the_clocks_step_is_nobodys() {
    let engine = Engine::load(None);
    let domain = || ("Domain", json!({}));
    for (role, step) in Role::ALL
        .iter()
        .flat_map(|role| ["expireLicence", "endDerived"].map(|step| (role, step)))
    {
        let submitter = json!({"submitter": ""});
        let asked = engine.case(&person(role.word()), step, domain(), submitter);
        assert!(asked.is_err(), "{step}");
    }
}
