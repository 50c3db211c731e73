use crate::{Command, State, stage::*};
use serde_json::json;
use terms::{Digest, Event, Operator, Person};

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

fn renew_own(id: &str, certificate: &[u8]) -> Command {
    Command::RenewOwnCertificate {
        person: read(json!(id)),
        certificate: Digest::of(certificate),
    }
}

fn renew(id: &str, certificate: &[u8]) -> Command {
    Command::RenewCertificate {
        person: read(json!(id)),
        certificate: Digest::of(certificate),
    }
}

fn vet(person: Person) -> Command {
    Command::VetPerson {
        person: person.id,
        certificate: None,
    }
}

fn vouch(id: &str) -> Command {
    Command::VouchPerson {
        person: read(json!(id)),
        certificate: None,
    }
}

/// Of the security authority.
fn sue() -> Person {
    person("sue", "cyber-bureau")
}

fn rex() -> Person {
    read(
        json!({"id": "rex", "role": "regulator", "organisation": "audit", "vetted": true,
        "nda_until": "2027-12-31"}),
    )
}

fn not_vetted(person: Person) -> Person {
    let vetted = false;
    Person { vetted, ..person }
}

fn vetted(state: &State, id: &str) -> bool {
    state.person(&read(json!(id))).unwrap().vetted
}

fn code(state: &State, by: &Person, command: Command) -> &'static str {
    refused(state, by, command).code
}

/// No pilot: its founder, the first of the security authority, and others whom that one vetted.
fn production() -> State {
    let mut state = State::default();
    let Command::CreateDomain {
        name,
        title,
        default_schema,
        thresholds,
        obligations,
        ..
    } = create()
    else {
        panic!("a domain begins with its creation");
    };
    let create = Command::CreateDomain {
        name,
        title,
        default_schema,
        pilot: false,
        thresholds,
        obligations,
    };
    carry(&mut state, &adam(), create);
    carry(&mut state, &adam(), enrol(adam()));
    carry(&mut state, &adam(), enrol(sam()));
    for person in [dora(), rex(), ann()] {
        let vet = vet(person.clone());
        carry(&mut state, &adam(), enrol(not_vetted(person)));
        carry(&mut state, &sam(), vet);
    }
    state
}

#[test]
fn who_renews_with_the_certificate_they_hold_stays_vetted() {
    let mut state = production();
    carry(&mut state, &ann(), renew_own("ann", b"ann 2"));
    assert!(vetted(&state, "ann"));
    let held = |certificate: &[u8]| state.person_by_certificate(&Digest::of(certificate));
    assert_eq!(held(b"ann"), None);
    assert_eq!(held(b"ann 2"), Some(&ann()));
    // The only one of the security authority as well.
    carry(&mut state, &sam(), renew_own("sam", b"sam 2"));
    assert!(vetted(&state, "sam"));
}

#[test]
fn each_renews_their_own_alone() {
    let state = production();
    for by in [adam(), dora(), sam()] {
        let told = code(&state, &by, renew_own("ann", b"new"));
        assert_eq!(told, "register.not-own-certificate");
    }
    let told = code(&state, &adam(), renew("adam", b"new"));
    assert_eq!(told, "register.own-certificate");
    let told = code(&state, &ann(), renew_own("ann", b"dora"));
    assert_eq!(told, "register.certificate-exists");
}

#[test]
fn whoever_another_gives_a_certificate_is_vetted_again() {
    let mut state = production();
    carry(&mut state, &adam(), renew("dora", b"dora 2"));
    assert!(!vetted(&state, "dora"));
    carry(&mut state, &sam(), vet(dora()));
    assert!(vetted(&state, "dora"));
    let mut pilot = peopled();
    carry(&mut pilot, &adam(), renew("dora", b"dora 2"));
    assert!(!vetted(&pilot, "dora"));
}

#[test]
fn the_only_one_who_vets_is_given_no_certificate_by_another() {
    let mut state = production();
    let lost = || renew("sam", b"sam 2");
    let only = "register.only-security-authority";
    assert_eq!(code(&state, &adam(), lost()), only);
    carry(&mut state, &adam(), enrol(not_vetted(sue())));
    assert_eq!(code(&state, &adam(), lost()), only);
    carry(&mut state, &sam(), vet(sue()));
    let without = {
        let mut without = state.clone();
        let (person, reason) = (sue().id, "lost".parse().unwrap());
        let revoke = Command::RevokeCertificate { person, reason };
        carry(&mut without, &adam(), revoke);
        without
    };
    assert_eq!(code(&without, &adam(), lost()), only);
    carry(&mut state, &adam(), lost());
    assert!(!vetted(&state, "sam"));
    // And now sue is the only one.
    assert_eq!(code(&state, &adam(), renew("sue", b"sue 2")), only);
}

#[test]
fn vetted_at_enrolment_are_the_founder_and_the_first_of_the_security_authority() {
    let by_nobody = "register.vetted-by-nobody";
    let mut begun = production();
    assert_eq!(code(&begun, &adam(), enrol(sue())), by_nobody);
    assert_eq!(
        code(&begun, &adam(), enrol(person("bob", "acme"))),
        by_nobody
    );
    // Whatever became of the first.
    let (person, reason) = (sam().id, "lost".parse().unwrap());
    let revoke = Command::RevokeCertificate { person, reason };
    carry(&mut begun, &adam(), revoke);
    assert_eq!(code(&begun, &adam(), enrol(sue())), by_nobody);
    assert_eq!(
        code(&begun, &adam(), renew("sam", b"sam 2")),
        "register.only-security-authority"
    );
    carry(&mut begun, &adam(), Command::DismissPerson(sam().id));
    assert_eq!(code(&begun, &adam(), enrol(sue())), by_nobody);
    // Nor does anybody else come in vetted before the first.
    let mut early = State::default();
    let founding = |state: &mut State, id: &str| {
        state.apply(&read(
            json!({"event": "person-enrolled", "by": "adam", "person": adam(),
            "certificate": Digest::of(id.as_bytes())}),
        ));
    };
    founding(&mut early, "adam");
    assert_eq!(code(&early, &adam(), enrol(dora())), by_nobody);
    carry(&mut early, &adam(), enrol(sam()));
    // In a pilot whoever plays the seed says who is vetted.
    carry(&mut peopled(), &adam(), enrol(sue()));
}

#[test]
fn where_nobody_is_left_to_vet_two_of_different_roles_do() {
    let mut state = production();
    carry(&mut state, &adam(), enrol(not_vetted(sue())));
    let vouched = |state: &State, by: &Person| code(state, by, vouch("sue"));
    assert_eq!(vouched(&state, &dora()), "register.vetted-inside");
    carry(&mut state, &adam(), Command::DismissPerson(sam().id));
    assert_eq!(code(&state, &dora(), vouch("ann")), "register.vouched-role");
    carry(&mut state, &dora(), vouch("sue"));
    assert!(!vetted(&state, "sue"));
    assert_eq!(vouched(&state, &dora()), "register.approved-already");
    // A word is for the certificate they hold.
    let mut another = state.clone();
    carry(&mut another, &adam(), renew("sue", b"sue 2"));
    carry(&mut another, &rex(), vouch("sue"));
    assert!(!vetted(&another, "sue"));
    carry(&mut another, &dora(), vouch("sue"));
    assert!(vetted(&another, "sue"));
    carry(&mut state, &rex(), vouch("sue"));
    assert!(vetted(&state, "sue"));
    assert_eq!(vouched(&state, &rex()), "register.no-change");
}

#[test]
fn a_second_who_vets_is_owed_until_there_is_one() {
    let mut state = production();
    let owed = |state: &State| {
        let overdue = state.overdue(noon().date_naive());
        overdue.iter().any(|owed| owed.of == "domain/wuxi")
    };
    assert!(owed(&state));
    carry(&mut state, &adam(), enrol(not_vetted(sue())));
    assert!(owed(&state));
    carry(&mut state, &sam(), vet(sue()));
    assert!(!owed(&state));
    carry(
        &mut state,
        &dora(),
        Command::SuspendPerson {
            person: sue().id,
            reason: "drill".parse().unwrap(),
        },
    );
    assert!(owed(&state));
    assert!(!owed(&peopled()));
}

#[test]
fn who_vets_can_name_the_certificate_that_they_looked_at() {
    let mut state = production();
    carry(&mut state, &adam(), enrol(not_vetted(sue())));
    let looked_at = Command::VetPerson {
        person: sue().id,
        certificate: Some(Digest::of(b"sue")),
    };
    let mut renewed = state.clone();
    carry(&mut renewed, &adam(), renew("sue", b"sue 2"));
    let another = "register.another-certificate";
    assert_eq!(code(&renewed, &sam(), looked_at.clone()), another);
    carry(&mut state, &sam(), looked_at);
    let vouched = Command::VouchPerson {
        person: sue().id,
        certificate: Some(Digest::of(b"sue")),
    };
    assert_eq!(code(&renewed, &dora(), vouched), another);
}
