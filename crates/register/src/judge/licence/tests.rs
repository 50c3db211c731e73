use crate::{Command, State, stage::*};
use serde_json::{Value, json};
use terms::{Course, Event, LicenceId, Person, Stage};

fn apply(licence: Value) -> Command {
    Command::ApplyLicence(read(licence))
}

fn id() -> LicenceId {
    read(json!("l-1"))
}

fn notice() -> Command {
    Command::NoticeLicence {
        licence: id(),
        until: noon().date_naive(),
    }
}

/// The steps after the application, as commands and as stages.
fn steps() -> [(Command, Stage); 3] {
    [
        (Command::ReviewLicence(id()), Stage::Reviewed),
        (notice(), Stage::Noticed),
        (Command::GrantLicence(id()), Stage::Granted),
    ]
}

/// An application refused for this reason.
fn check(state: &State, by: &Person, licence: Value, expect: &str) {
    let why = refused(state, by, apply(licence));
    assert_eq!(why.to_string(), expect);
}

#[test]
fn a_member_of_the_operator_applies() {
    let mut state = peopled();
    for by in [zoe(), dora(), adam()] {
        check(
            &state,
            &by,
            licence(),
            "register.not-own: licence `l-1`: only a member of the operator applies (AO-9)",
        );
    }
    let event = carry(&mut state, &ann(), apply(licence()));
    let expect = Event::LicenceStep {
        by: ann().id,
        stage: Stage::Applied,
        licence: read(licence()),
        // Ten working days: two weeks.
        course: read(json!({"since": "2026-11-21", "due": "2026-12-04"})),
    };
    assert_eq!(event, expect);
}

#[test]
fn an_id_is_applied_for_once() {
    check(
        &licensed(licence()),
        &ann(),
        licence(),
        "register.licence-exists: licence `l-1`: a licence of this id exists already (AO-9)",
    );
}

#[test]
fn the_operator_is_registered_first() {
    let mut state = peopled();
    let by = person("bob", "beta");
    carry(&mut state, &adam(), enrol(by.clone()));
    check(
        &state,
        &by,
        with(licence(), "/operator", "beta"),
        "register.no-operator: licence `l-1`: register its operator first (AO-7)",
    );
}

#[test]
fn an_operator_without_an_emergency_plan_is_not_licensed() {
    let mut state = peopled();
    let by = person("bob", "beta");
    carry(&mut state, &adam(), enrol(by.clone()));
    let beta = with(operator("beta", "bob"), "/emergency_plan", false);
    carry(&mut state, &dora(), Command::RegisterOperator(read(beta)));
    check(
        &state,
        &by,
        with(licence(), "/operator", "beta"),
        "register.no-emergency-plan: licence `l-1`: file the emergency plan first (AO-26)",
    );
}

#[test]
fn the_term_is_at_most_two_years() {
    let state = peopled();
    for until in ["2028-01-02", "2030-01-01", "2025-12-31"] {
        check(
            &state,
            &ann(),
            with(licence(), "/until", until),
            "register.term: licence `l-1`: the term is at most two years and ends after it begins \
             (AO-11)",
        );
    }
    for until in ["2026-01-01", "2027-12-31", "2028-01-01"] {
        let licence = with(licence(), "/until", until);
        assert!(
            state.judge(&ann(), apply(licence), noon()).is_ok(),
            "{until}"
        );
    }
}

#[test]
fn a_step_without_an_application_is_refused() {
    for (step, _) in steps() {
        assert_eq!(
            refused(&peopled(), &sam(), step).to_string(),
            "register.no-licence: licence `l-1`: there is no application for it (AO-9)"
        );
    }
}

#[test]
fn the_steps_come_in_order_and_once() {
    let mut state = peopled();
    carry(&mut state, &ann(), apply(licence()));
    for due in 0..=steps().len() {
        for (place, (step, _)) in steps().into_iter().enumerate() {
            if place != due {
                let why = refused(&state, &sam(), step).to_string();
                let is = state.licence(&id()).unwrap().stage.word();
                assert_eq!(
                    why,
                    format!(
                        "register.step-order: licence `l-1`: the steps are applied, reviewed, \
                         noticed, granted, in this order; this one is {is} (AO-9)"
                    )
                );
            }
        }
        let Some((step, stage)) = steps().into_iter().nth(due) else {
            break;
        };
        let event = carry(&mut state, &sam(), step);
        let Event::LicenceStep { by, licence, .. } = event else {
            panic!("{event:?}");
        };
        assert_eq!((by, licence), (sam().id, read(self::licence())));
        assert_eq!(state.licence(&id()).map(|s| s.stage), Some(stage));
    }
}

#[test]
fn the_submitter_stays_the_applicant_so_that_policy_can_refuse_self_approval() {
    let state = licensed(licence());
    assert_eq!(state.licence(&id()).unwrap().submitter, ann().id);
}

#[test]
fn a_licence_that_was_suspended_or_terminated_takes_no_step() {
    for stage in [Stage::Suspended, Stage::Terminated] {
        let mut state = licensed(licence());
        let (by, licence) = (sam().id, read(licence()));
        let course = Course::default();
        state.apply(&Event::LicenceStep {
            by,
            stage,
            licence,
            course,
        });
        for (step, _) in steps() {
            let why = refused(&state, &dora(), step);
            assert_eq!(why.code(), "register.step-order");
        }
        let again = refused(&state, &ann(), apply(self::licence()));
        assert_eq!(again.code(), "register.licence-exists");
    }
}
