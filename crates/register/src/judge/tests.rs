use super::*;
use crate::stage::*;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;
use terms::{Aspect, Digest, Stage};

#[test]
fn a_domain_is_created_once() {
    let mut state = State::default();
    carry(&mut state, &adam(), create());
    assert_eq!(
        refused(&state, &adam(), create()).to_string(),
        "register.domain-exists: domain `wuxi`: the domain exists already (–)"
    );
}

#[test]
fn a_refusal_tells_a_constant_sentence_and_no_place() {
    let why = refused(&peopled(), &adam(), create());
    assert_eq!(why.told().en, "the rules do not allow this step.");
    assert_eq!(why.told().zh, "按规定不允许执行此步骤。");
}

#[test]
fn every_command_has_its_own_action_word() {
    let words: Vec<_> = (0..14)
        .map(|which| command([which, 0, 0, 0]).1.action())
        .collect();
    let expect = [
        "createDomain",
        "enrolPerson",
        "registerOperator",
        "catalogueDataset",
        "loadDataset",
        "applyLicence",
        "reviewLicence",
        "noticeLicence",
        "grantLicence",
        "applyScenario",
        "reviewScenarioReasonableness",
        "reviewScenarioCompliance",
        "reviewScenarioSecurity",
        "approveScenario",
    ];
    assert_eq!(words, expect);
}

/// A command and who asks, out of a few names, so that sequences of them meet: often lawful where
/// the numbers are 0, often not elsewhere.
fn command([which, name, wrong, by]: [u8; 4]) -> (Person, Command) {
    let by = [ann(), zoe(), dora()][usize::from(by % 3)].clone();
    let who = ["ann", "zoe", "bob"][usize::from(name % 3)];
    let house = ["acme", "zeta", "Acme Data Ltd."][usize::from((name + wrong) % 3)];
    let number = name % 2;
    let licence_id = || read(json!(format!("l-{number}")));
    let scenario_id = || read(json!(format!("s-{number}")));
    let command = match which % 14 {
        0 => create(),
        1 => Command::EnrolPerson {
            person: person(who, house),
            certificate: Digest::of(&[name % 3, wrong / 3]),
        },
        2 => Command::RegisterOperator(read(operator(house.split(' ').next().unwrap(), who))),
        3 => {
            let entry = with(dataset(), "/name", format!("city.d{number}"));
            let grade = [3, 3, 2, 4][usize::from(wrong % 4)];
            Command::CatalogueDataset(read(with(entry, "/items/0/grade", grade)))
        }
        4 => {
            let state = with(
                snapshot(u32::from(wrong) + 1),
                "/dataset",
                format!("city.d{number}"),
            );
            load(state)
        }
        5 => {
            let until = ["2027-12-31", "2028-01-01", "2029-01-01"][usize::from(wrong % 3)];
            let mode = ["comprehensive", "scenario"][usize::from(number)];
            let asked = with(with(licence(), "/until", until), "/mode", mode);
            Command::ApplyLicence(read(with(asked, "/id", format!("l-{number}"))))
        }
        6 => Command::ReviewLicence(licence_id()),
        7 => Command::NoticeLicence {
            licence: licence_id(),
            until: noon().date_naive(),
        },
        8 => Command::GrantLicence(licence_id()),
        9 => {
            let asked = with(scenario(), "/id", format!("s-{number}"));
            let asked = with(asked, "/licence", format!("l-{}", wrong % 2));
            let asked = with(asked, "/datasets/0/name", format!("city.d{number}"));
            Command::ApplyScenario(read(with(asked, "/datasets/0/show_rows", wrong == 2)))
        }
        10..=12 => Command::ReviewScenario {
            scenario: scenario_id(),
            aspect: Aspect::ALL[usize::from(which % 14) - 10],
            row_risks: Vec::new(),
        },
        _ => Command::ApproveScenario(scenario_id()),
    };
    (by, command)
}

fn commands() -> impl Strategy<Value = Vec<[u8; 4]>> {
    let mostly_right = || prop_oneof![3 => Just(0_u8), 1 => 0..4_u8];
    let any_step = (0..14_u8, 0..3_u8, mostly_right(), mostly_right());
    let any_step = any_step.prop_map(|(which, name, wrong, by)| [which, name, wrong, by]);
    // Half of the steps go through the commands in their order, so that sequences get to the end.
    let in_order = (0..24_u8).prop_map(|shift| [u8::MAX, shift, 0, 0]);
    let step = prop_oneof![any_step, in_order];
    prop::collection::vec(step, 0..120).prop_map(|mut steps| {
        let mut next = 0;
        for step in &mut steps {
            if step[0] == u8::MAX {
                *step = [next % 14, u8::from(step[1] == 0), 0, 0];
                next += 1;
            }
        }
        steps
    })
}

/// Judges and folds one after another; what was lawful, as it stands on record.
fn lived(steps: &[[u8; 4]]) -> (State, Vec<String>, usize) {
    let mut state = State::default();
    let (mut record, mut refusals) = (Vec::new(), 0);
    for (by, command) in steps.iter().map(|step| command(*step)) {
        let before = state.clone();
        match state.judge(&by, command, noon()) {
            Ok(events) => {
                for event in events {
                    state.apply(&event);
                    record.push(serde_json::to_string(&event).unwrap());
                }
                assert_eq!(state.version(), u64::try_from(record.len()).unwrap());
            }
            Err(_) => {
                assert_eq!(format!("{state:?}"), format!("{before:?}"));
                refusals += 1;
            }
        }
    }
    (state, record, refusals)
}

fn folded(record: &[String]) -> State {
    let mut state = State::default();
    for event in record {
        state.apply(&serde_json::from_str(event).unwrap());
    }
    state
}

/// What the rules promise of any state they let come to be.
fn assert_lawful(state: &State) {
    let certified = |digest: &Digest| state.person_by_certificate(digest).map(|p| p.id.clone());
    let digests = (0..3).flat_map(|name| (0..2).map(move |n| Digest::of(&[name, n])));
    let owners: Vec<_> = digests.filter_map(|digest| certified(&digest)).collect();
    assert_eq!(owners.len(), owners.iter().collect::<BTreeSet<_>>().len());
    assert_eq!(owners.len(), state.people().count(), "all can be proved");
    for dataset in state.datasets() {
        let lawful = |item: &terms::Item| item.grade.allows(item.sharing, item.opening);
        assert!(dataset.items.iter().all(lawful));
    }
    let mut served = BTreeSet::new();
    for standing in state.scenarios() {
        let licence = state.licence(&standing.scenario.licence).unwrap();
        assert_eq!(licence.stage, Stage::Granted);
        assert!(licence.licence.term_is_lawful());
        let first = served.insert(&licence.licence.id);
        assert!(first || licence.licence.mode != terms::Mode::Scenario);
        for (dataset, number) in &standing.pinned {
            assert!(*number <= state.snapshot(dataset).unwrap().number);
        }
    }
}

#[test]
fn the_commands_in_their_order_are_lawful_and_again_are_not() {
    let steps: Vec<_> = (0..14).map(|which| [which, 0, 0, 0]).collect();
    let (state, record, refusals) = lived(&steps);
    assert_eq!((record.len(), refusals), (14, 0));
    assert_eq!(
        state.scenarios().map(|s| s.stage).collect::<Vec<_>>(),
        [Stage::Granted]
    );
    let (_, record, refusals) = lived(&[steps.clone(), steps].concat());
    assert_eq!((record.len(), refusals), (14, 14));
}

proptest! {
    #[test]
    fn what_stands_is_the_fold_of_the_record_and_a_refusal_changes_nothing(steps in commands()) {
        let (state, record, refusals) = lived(&steps);
        prop_assert_eq!(record.len() + refusals, steps.len());
        prop_assert_eq!(format!("{:?}", folded(&record)), format!("{state:?}"));
        assert_lawful(&state);
    }
}
