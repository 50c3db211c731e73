use crate::{Command, State, stage::*};
use serde_json::{Value, json};
use terms::{Aspect, Course, Event, Person, ScenarioId, Stage};

fn apply(scenario: Value) -> Command {
    Command::ApplyScenario(read(scenario))
}

fn id() -> ScenarioId {
    read(json!("s-1"))
}

/// The review of how safe it is, the last of three.
fn review(row_risks: Value) -> Command {
    Command::ReviewScenario {
        scenario: id(),
        aspect: Aspect::Security,
        row_risks: read(row_risks),
    }
}

fn approve() -> Command {
    Command::ApproveScenario(id())
}

/// The scenario with its one dataset changed at one place.
fn wanting(place: &str, to: impl Into<Value>) -> Value {
    with(scenario(), &format!("/datasets/0/{place}"), to)
}

/// An application refused for this reason.
fn check(state: &State, by: &Person, scenario: Value, expect: &str) {
    let why = refused(state, by, apply(scenario));
    assert_eq!(why.to_string(), expect);
}

/// A licensed domain with a scenario applied for.
fn applied(scenario: Value) -> State {
    let mut state = licensed(licence());
    carry(&mut state, &ann(), apply(scenario));
    judged(&mut state);
    state
}

/// The two reviews that the security authority's follows.
fn judged(state: &mut State) {
    let [reasonable, compliant, _] = reviews("s-1", json!([]));
    carry(state, &reasonable.0, reasonable.1);
    carry(state, &compliant.0, compliant.1);
}

/// A licensed domain whose dataset is another one.
fn licensed_over(dataset: Value) -> State {
    let mut state = peopled();
    carry(
        &mut state,
        &dora(),
        Command::CatalogueDataset(read(dataset)),
    );
    let (by, stage, licence) = (dora().id, Stage::Granted, read(licence()));
    let course = Course::default();
    state.apply(&Event::LicenceStep {
        by,
        stage,
        licence,
        course,
    });
    state
}

#[test]
fn a_member_of_the_licensed_operator_applies() {
    let mut state = licensed(licence());
    for by in [zoe(), dora(), adam()] {
        check(
            &state,
            &by,
            scenario(),
            "register.not-own: scenario `s-1`: only a member of the licensed operator applies \
             (AO-12)",
        );
    }
    let event = carry(&mut state, &ann(), apply(scenario()));
    let expect = Event::ScenarioStep {
        by: ann().id,
        stage: Stage::Applied,
        scenario: read(scenario()),
        row_risks: Vec::new(),
        course: read(json!({"since": "2026-11-21", "due": "2026-12-04"})),
    };
    assert_eq!(event, expect);
}

#[test]
fn an_id_is_applied_for_once() {
    check(
        &applied(scenario()),
        &ann(),
        scenario(),
        "register.scenario-exists: scenario `s-1`: a scenario of this id exists already (AO-12)",
    );
}

#[test]
fn only_a_granted_licence_carries_a_scenario() {
    let expect =
        "register.licence-not-granted: scenario `s-1`: licence `l-1` is not granted (AO-9)";
    check(&catalogued(), &ann(), scenario(), expect);
    let stages = [
        Stage::Applied,
        Stage::Reviewed,
        Stage::Noticed,
        Stage::Suspended,
        Stage::Terminated,
    ];
    for stage in stages {
        let mut state = licensed(licence());
        let (by, licence) = (sam().id, read(licence()));
        let course = Course::default();
        state.apply(&Event::LicenceStep {
            by,
            stage,
            licence,
            course,
        });
        check(&state, &ann(), scenario(), expect);
    }
}

#[test]
fn members_are_enrolled_for_the_licensed_operator() {
    let state = licensed(licence());
    for member in ["ghost", "zoe", "dora"] {
        check(
            &state,
            &ann(),
            with(scenario(), "/members", json!(["ann", member])),
            &format!(
                "register.no-member: scenario `s-1`: member `{member}` is not enrolled for the \
                 licensed operator (AO-16(1))"
            ),
        );
    }
}

#[test]
fn data_without_a_catalogue_entry_is_never_operated_on() {
    check(
        &licensed(licence()),
        &ann(),
        wanting("name", "city.ghost"),
        "register.not-catalogued: scenario `s-1`, dataset `city.ghost`: data without a catalogue \
         entry is never operated on (AO-2)",
    );
}

#[test]
fn a_prohibited_dataset_is_never_operated_on() {
    check(
        &licensed_over(with(dataset(), "/prohibited", "State Secrets Law")),
        &ann(),
        scenario(),
        "register.prohibited: scenario `s-1`, dataset `city.citizen`: the dataset is barred: State \
         Secrets Law (AO-2)",
    );
}

#[test]
fn a_dataset_of_high_risk_is_not_licensed() {
    let assessed = |level: &str| {
        let risk = json!({"level": level, "by": "lab", "until": "2027-12-31"});
        licensed_over(with(dataset(), "/risk", risk))
    };
    check(
        &assessed("high"),
        &ann(),
        scenario(),
        "register.high-risk: scenario `s-1`, dataset `city.citizen`: a dataset of high risk cannot \
         be licensed (RA-4)",
    );
    for level in ["medium", "low", "none"] {
        carry(&mut assessed(level), &ann(), apply(scenario()));
    }
}

#[test]
fn a_dataset_lies_in_the_scope_of_the_licence() {
    let credit = with(dataset(), "/sector", "credit");
    carry(&mut licensed_over(credit), &ann(), apply(scenario()));
    check(
        &licensed_over(with(dataset(), "/sector", "finance")),
        &ann(),
        scenario(),
        "register.outside-scope: scenario `s-1`, dataset `city.citizen`: sector `finance` is \
         outside the licence (AO-8)",
    );
    for mode in ["comprehensive", "scenario"] {
        let mut state = licensed(with(licence(), "/mode", mode));
        carry(&mut state, &ann(), apply(scenario()));
    }
}

#[test]
fn a_licence_of_the_scenario_mode_serves_one_scenario() {
    let mut state = licensed(with(licence(), "/mode", "scenario"));
    carry(&mut state, &ann(), apply(scenario()));
    let second = with(scenario(), "/id", "s-2");
    check(
        &state,
        &ann(),
        second.clone(),
        "register.one-scenario: scenario `s-2`: licence `l-1` is for one scenario and has it; apply \
         for another licence (AO-8)",
    );
    carry(&mut applied(scenario()), &ann(), apply(second));
}

#[test]
fn external_data_serves_its_operator_alone_whatever_the_sector() {
    let external = |provider: &str| {
        let brought = with(dataset(), "/external", true);
        let brought = with(brought, "/sector", "finance");
        licensed_over(with(brought, "/provider", provider))
    };
    carry(&mut external("acme"), &ann(), apply(scenario()));
    for provider in ["zeta", "civil-affairs"] {
        check(
            &external(provider),
            &ann(),
            scenario(),
            "register.not-own: scenario `s-1`, dataset `city.citizen`: external data belongs to \
             the operator that brought it (AO-16(3))",
        );
    }
}

#[test]
fn a_provider_named_like_the_operator_does_not_widen_the_licence() {
    let public = with(dataset(), "/sector", "finance");
    let state = licensed_over(with(public, "/provider", "acme"));
    let why = refused(&state, &ann(), apply(scenario()));
    assert_eq!(why.code(), "register.outside-scope");
}

#[test]
fn a_dataset_is_listed_once() {
    let open = with(wanted(), "/items", "all");
    check(
        &licensed(licence()),
        &ann(),
        with(scenario(), "/datasets", json!([wanted(), open])),
        "register.dataset-twice: scenario `s-1`, dataset `city.citizen`: the dataset is listed \
         twice (AO-12)",
    );
}

#[test]
fn items_exist() {
    let expect = "register.no-item: scenario `s-1`, dataset `city.citizen`, item `ghost`: the \
                  dataset has no such item (AO-12)";
    let state = licensed(licence());
    let listed = wanting("items", json!({"named": ["pid", "ghost"]}));
    check(&state, &ann(), listed, expect);
    let measured = with(
        wanting("items", "all"),
        "/datasets/0/aggregate",
        json!(["ghost"]),
    );
    check(&state, &ann(), measured, expect);
}

#[test]
fn an_item_of_grade_four_is_never_listed_by_name() {
    let expect = "register.grade-four: scenario `s-1`, dataset `city.citizen`, item `gene`: an \
                  item of grade 4 is never put on an item list (AO-2)";
    let state = licensed(licence());
    check(
        &state,
        &ann(),
        wanting("items", json!({"named": ["gene"]})),
        expect,
    );
    let measured = with(
        wanting("items", "all"),
        "/datasets/0/aggregate",
        json!(["gene"]),
    );
    check(&state, &ann(), measured, expect);
}

#[test]
fn a_measure_is_a_listed_item() {
    let state = licensed(licence());
    check(
        &state,
        &ann(),
        wanting("aggregate", json!(["phone", "district"])),
        "register.not-listed: scenario `s-1`, dataset `city.citizen`, item `district`: list the \
         item before it is aggregated (AO-12)",
    );
    let all = with(
        wanting("items", "all"),
        "/datasets/0/aggregate",
        json!(["district"]),
    );
    assert!(state.judge(&ann(), apply(all), noon()).is_ok());
}

#[test]
fn a_row_policy_is_judged_as_what_will_be_enforced() {
    let state = licensed(licence());
    let rows =
        |text: Value, plan: Value| with(wanting("rows", text), "/datasets/0/rows_plan", plan);
    let one_sided = [
        rows(json!("district = '1'"), json!(null)),
        rows(json!(null), json!("00")),
    ];
    for scenario in one_sided {
        check(
            &state,
            &ann(),
            scenario,
            "register.rows-not-translated: scenario `s-1`, dataset `city.citizen`: the row policy \
             has not been translated (AO-12)",
        );
    }
    let both = rows(json!("district = '1'"), json!("00"));
    assert!(state.judge(&ann(), apply(both), noon()).is_ok());
}

#[test]
fn the_first_of_several_datasets_that_is_wrong_is_named() {
    let second = with(wanted(), "/name", "city.ghost");
    let scenario = with(scenario(), "/datasets", json!([wanted(), second]));
    let why = refused(&licensed(licence()), &ann(), apply(scenario));
    assert_eq!(why.place, "scenario `s-1`, dataset `city.ghost`");
}

fn risk(dataset: &str) -> Value {
    json!([{"dataset": dataset, "snapshot": 1, "subjects": 7, "subjects_unique": 1,
        "subjects_below_k": 2, "k": 5}])
}

#[test]
fn rows_of_people_are_reviewed_with_their_measured_risk() {
    let mut state = applied(wanting("show_rows", true));
    let loaded = |number: u32, measured: Value| Command::LoadDataset {
        snapshot: read(snapshot(number)),
        row_risks: read(measured),
    };
    let of = |number: u32| with(risk("city.citizen")[0].clone(), "/snapshot", number);
    // No data comes in whose rows would show unmeasured.
    for wrong in [json!({}), json!({"s-1": of(2)}), json!({"s-2": of(1)})] {
        assert_eq!(
            refused(&state, &dora(), loaded(1, wrong)).to_string(),
            "register.risk-not-measured: dataset `city.citizen`, scenario `s-1`: the risk of the \
             rows it would show has not been measured (RA-3)"
        );
    }
    carry(&mut state, &dora(), loaded(1, json!({"s-1": of(1)})));
    let older = with(risk("city.citizen"), "/0/snapshot", 0);
    for risks in [json!([]), risk("city.other"), older] {
        assert_eq!(
            refused(&state, &sam(), review(risks)).to_string(),
            "register.risk-not-measured: scenario `s-1`, dataset `city.citizen`: the risk of the \
             rows it would show has not been measured (RA-3)"
        );
    }
    carry(&mut state, &sam(), review(risk("city.citizen")));
    let kept = |state: &State| state.scenario(&id()).unwrap().row_risks.clone();
    let measured: Vec<_> = read(risk("city.citizen"));
    assert_eq!(kept(&state), measured);
    carry(&mut state, &dora(), approve());
    assert_eq!(kept(&state), measured, "the grant keeps what was reviewed");
    // A refresh is measured beside what is seen; the one after it takes its place.
    for number in [2, 3] {
        carry(
            &mut state,
            &dora(),
            loaded(number, json!({"s-1": of(number)})),
        );
        let both: Vec<_> = read(json!([of(1), of(number)]));
        assert_eq!(kept(&state), both);
    }
}

#[test]
fn rows_that_are_nobodys_or_not_shown_need_no_risk() {
    carry(&mut applied(scenario()), &sam(), review(json!([])));
    let mut things = licensed_over(with(dataset(), "/subject", json!(null)));
    carry(&mut things, &ann(), apply(wanting("show_rows", true)));
    judged(&mut things);
    carry(&mut things, &sam(), review(json!([])));
}

#[test]
fn the_steps_come_in_order_and_once() {
    let wrong = |state: &State, command: Command| {
        let why = refused(state, &sam(), command);
        assert_eq!((why.code(), why.clause), ("register.step-order", "AO-12"));
    };
    let mut state = licensed(licence());
    for command in [review(json!([])), approve()] {
        let why = refused(&state, &sam(), command);
        assert_eq!(why.code(), "register.no-scenario");
    }
    carry(&mut state, &ann(), apply(scenario()));
    wrong(&state, approve());
    for (by, command) in reviews("s-1", json!([])) {
        wrong(&state, approve());
        carry(&mut state, &by, command.clone());
        let why = refused(&state, &by, command);
        assert!(["register.reviewed", "register.step-order"].contains(&why.code()));
    }
    let event = carry(&mut state, &dora(), approve());
    let Event::ScenarioStep {
        by, stage, course, ..
    } = event
    else {
        panic!("{event:?}");
    };
    assert_eq!((by, stage), (dora().id, Stage::Granted));
    let aspects: Vec<_> = course.reviews.iter().map(|r| (&r.by, r.aspect)).collect();
    let expect = [
        (&dora().id, Aspect::Reasonableness),
        (&dora().id, Aspect::Compliance),
        (&sam().id, Aspect::Security),
    ];
    assert_eq!(aspects, expect);
    wrong(&state, review(json!([])));
    wrong(&state, approve());
}

#[test]
fn a_scenario_that_was_suspended_or_terminated_takes_no_step() {
    for stage in [Stage::Suspended, Stage::Terminated] {
        let mut state = applied(scenario());
        state.apply(&Event::ScenarioStep {
            by: sam().id,
            stage,
            scenario: read(scenario()),
            row_risks: Vec::new(),
            course: Course::default(),
        });
        for command in [review(json!([])), approve()] {
            let why = refused(&state, &sam(), command);
            assert_eq!(why.code(), "register.step-order");
        }
        let again = refused(&state, &ann(), apply(scenario()));
        assert_eq!(again.code(), "register.scenario-exists");
    }
}

#[test]
fn the_submitter_stays_the_applicant_so_that_policy_can_refuse_self_approval() {
    let mut state = applied(scenario());
    carry(&mut state, &sam(), review(json!([])));
    carry(&mut state, &dora(), approve());
    assert_eq!(state.scenario(&id()).unwrap().submitter, ann().id);
}
