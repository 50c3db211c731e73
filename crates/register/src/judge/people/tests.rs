use crate::{Command, stage::*};
use serde_json::json;
use terms::{Digest, Event, Operator};

fn registered(operator: serde_json::Value) -> Command {
    Command::RegisterOperator(read(operator))
}

#[test]
fn a_person_is_enrolled_by_whom_with_which_certificate() {
    let mut state = peopled();
    let bob = person("bob", "acme");
    let certificate = Digest::of(b"bob");
    let event = carry(&mut state, &adam(), enrol(bob.clone()));
    let by = adam().id;
    let person = bob.clone();
    assert_eq!(
        event,
        Event::PersonEnrolled {
            by,
            person,
            certificate
        }
    );
    assert_eq!(state.person_by_certificate(&certificate), Some(&bob));
}

#[test]
fn one_id_is_one_person_for_good() {
    let mut ann_again = person("ann", "zeta");
    ann_again.vetted = false;
    let command = Command::EnrolPerson {
        person: ann_again,
        certificate: Digest::of(b"another"),
    };
    assert_eq!(
        refused(&peopled(), &adam(), command).to_string(),
        "register.person-exists: person `ann`: a person of this id is enrolled already; choose \
         another id (AO-16(1))"
    );
}

#[test]
fn one_certificate_is_one_person() {
    let command = Command::EnrolPerson {
        person: person("bob", "acme"),
        certificate: Digest::of(b"ann"),
    };
    let state = peopled();
    assert_eq!(
        refused(&state, &adam(), command).to_string(),
        "register.certificate-exists: person `bob`: somebody is enrolled with this certificate \
         already; issue another (AO-16(1))"
    );
    let owner = state.person_by_certificate(&Digest::of(b"ann"));
    assert_eq!(owner.map(|person| person.id.as_str()), Some("ann"));
}

#[test]
fn the_organisation_of_an_operator_member_is_an_operator_id() {
    let command = enrol(person("bob", "Acme Data Ltd."));
    assert_eq!(
        refused(&peopled(), &adam(), command).to_string(),
        "register.no-operator: person `bob`: the organisation of an operator member is the \
         operator's id (AO-16(1))"
    );
    let mut state = peopled();
    let mut provider = person("pat", "civil-affairs");
    "Bureau of Civil Affairs".clone_into(&mut provider.organisation);
    carry(&mut state, &adam(), enrol(provider));
}

#[test]
fn an_operator_names_an_enrolled_person_of_its_own_as_officer() {
    let mut state = peopled();
    carry(&mut state, &adam(), enrol(person("bob", "beta")));
    let nobody = json!(null);
    for officer in [json!("ghost"), json!("ann"), json!("dora"), nobody] {
        let operator = with(operator("beta", "bob"), "/security_officer", officer);
        assert_eq!(
            refused(&state, &dora(), registered(operator)).to_string(),
            "register.no-security-officer: operator `beta`: name a data security officer who is \
             enrolled as a member of this operator (AO-7)"
        );
    }
    let expect: Operator = read(operator("beta", "bob"));
    let event = carry(&mut state, &dora(), registered(operator("beta", "bob")));
    let (by, operator) = (dora().id, expect.clone());
    assert_eq!(event, Event::OperatorRegistered { by, operator });
    assert_eq!(state.operator(&expect.id), Some(&expect));
}

#[test]
fn one_id_is_one_operator() {
    let command = registered(operator("acme", "ann"));
    assert_eq!(
        refused(&peopled(), &dora(), command).to_string(),
        "register.operator-exists: operator `acme`: an operator of this id is registered \
         already; choose another id (AO-7)"
    );
}
