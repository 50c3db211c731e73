use super::*;
use crate::Authority;
use chrono::TimeZone;
use serde_json::{Value, json};

/// A domain of one authority, and what it issued to its one person at nine o'clock.
struct Stage {
    authority: Authority,
    der: Vec<u8>,
}

fn at(day: (i32, u32, u32), hour: u32) -> DateTime<Utc> {
    let (year, month, day) = day;
    Utc.with_ymd_and_hms(year, month, day, hour, 0, 0).unwrap()
}

fn now() -> DateTime<Utc> {
    at((2026, 11, 21), 9)
}

fn second() -> chrono::TimeDelta {
    chrono::TimeDelta::seconds(1)
}

fn alice(vetted: bool, nda_until: Option<&str>) -> Value {
    json!({"id": "alice", "role": "operator-member", "organisation": "op-a",
        "vetted": vetted, "nda_until": nda_until})
}

fn person(person: Value) -> Person {
    serde_json::from_value(person).unwrap()
}

fn issued(authority: &Authority) -> Vec<u8> {
    let alice = person(alice(true, None));
    let issued = authority.issue(&alice, now()).unwrap();
    let (_, pem) = x509_parser::pem::parse_x509_pem(issued.certificate_pem.as_bytes()).unwrap();
    assert_eq!(Digest::of(&pem.contents), issued.digest);
    pem.contents
}

fn authority() -> Authority {
    let folder = tempfile::tempdir().unwrap();
    Authority::create(folder.path(), "tests", now()).unwrap()
}

fn stage() -> Stage {
    let authority = authority();
    let der = issued(&authority);
    Stage { authority, der }
}

/// A register in which the certificate is this person's.
fn enrolled(der: &[u8], person: &Value) -> State {
    let event = json!({"event": "person-enrolled", "by": "root", "person": person,
        "certificate": Digest::of(der)});
    let mut state = State::default();
    state.apply(&serde_json::from_value(event).unwrap());
    state
}

fn proved(der: &[u8], register: &State, now: DateTime<Utc>) -> Result<Caller, Unproved> {
    prove(Some(der), register, Channel::Domain, now)
}

/// What is told of a person who is enrolled with a good certificate, at a time.
fn told(alice: &Value, now: DateTime<Utc>) -> Result<Caller, Unproved> {
    let der = stage().der;
    proved(&der, &enrolled(&der, alice), now)
}

fn check(told: Result<Caller, Unproved>, wanted: &Unproved, code: &str) {
    let refused = told.unwrap_err();
    assert_eq!((&refused, refused.code()), (wanted, code));
}

#[test]
fn the_right_certificate_proves_its_person() {
    let der = stage().der;
    let alice = alice(true, Some("2027-12-31"));
    let register = enrolled(&der, &alice);
    for channel in [Channel::Domain, Channel::Remote] {
        let caller = prove(Some(&der), &register, channel, now()).unwrap();
        assert_eq!(caller.person(), &person(alice.clone()));
        assert_eq!(caller.operator(), Some("op-a".parse().unwrap()));
        assert_eq!(caller.channel(), channel);
        assert_eq!(caller.certificate(), &Digest::of(&der));
    }
}

#[test]
fn without_a_certificate_a_caller_is_nobody() {
    let register = enrolled(b"", &alice(true, Some("2027-12-31")));
    let told = prove(None, &register, Channel::Domain, now());
    check(told, &Unproved::NoCertificate, "identity.no-certificate");
}

#[test]
fn what_is_no_certificate_is_unreadable_even_if_enrolled() {
    let whole = stage().der;
    let half = whole.get(..whole.len() / 2).unwrap();
    for der in [&b""[..], b"no certificate", half] {
        let register = enrolled(der, &alice(true, Some("2027-12-31")));
        let told = proved(der, &register, now());
        check(
            told,
            &Unproved::Unreadable,
            "identity.unreadable-certificate",
        );
    }
}

#[test]
fn a_certificate_of_another_authority_is_nobodys_though_it_names_the_person() {
    let der = stage().der;
    let register = enrolled(&der, &alice(true, Some("2027-12-31")));
    let told = proved(&issued(&authority()), &register, now());
    check(told, &Unproved::Unknown, "identity.unknown-certificate");
}

#[test]
fn a_second_certificate_of_the_same_authority_is_nobodys_until_it_is_enrolled() {
    let stage = stage();
    let register = enrolled(&stage.der, &alice(true, Some("2027-12-31")));
    let told = proved(&issued(&stage.authority), &register, now());
    check(told, &Unproved::Unknown, "identity.unknown-certificate");
}

#[test]
fn a_certificate_with_a_byte_more_is_nobodys() {
    let mut der = stage().der;
    let register = enrolled(&der, &alice(true, Some("2027-12-31")));
    der.push(0);
    let told = proved(&der, &register, now());
    check(told, &Unproved::Unknown, "identity.unknown-certificate");
}

#[test]
fn where_nobody_is_enrolled_everybody_is_unknown() {
    let told = proved(&stage().der, &State::default(), now());
    check(told, &Unproved::Unknown, "identity.unknown-certificate");
}

#[test]
fn a_certificate_proves_from_the_first_second_of_its_validity_to_the_last() {
    let alice = alice(true, Some("2028-12-31"));
    let (from, until) = (at((2026, 11, 20), 0), at((2027, 11, 21), 0));
    for outside in [from - second(), until, until + second()] {
        let told = told(&alice, outside);
        let code = "identity.certificate-not-valid";
        check(told, &Unproved::OutsideValidity, code);
    }
    for inside in [from, until - second()] {
        assert!(told(&alice, inside).is_ok(), "{inside}");
    }
}

#[test]
fn a_person_who_is_not_vetted_is_refused_by_id() {
    let told = told(&alice(false, Some("2027-12-31")), now());
    let alice: terms::PersonId = "alice".parse().unwrap();
    assert_eq!(told.as_ref().unwrap_err().person(), Some(&alice));
    check(told, &Unproved::NotVetted(alice), "identity.not-vetted");
}

#[test]
fn a_person_whose_agreement_is_missing_or_over_is_refused_by_id() {
    for nda_until in [None, Some("2026-11-20"), Some("2020-02-29")] {
        let told = told(&alice(true, nda_until), now());
        let alice: terms::PersonId = "alice".parse().unwrap();
        assert_eq!(told.as_ref().unwrap_err().person(), Some(&alice));
        check(told, &Unproved::NdaLapsed(alice), "identity.nda-lapsed");
    }
}

#[test]
fn an_agreement_holds_through_its_last_day_in_the_domains_time() {
    let alice = alice(true, Some("2026-11-21"));
    let end = at((2026, 11, 21), 16);
    assert!(told(&alice, end - second()).is_ok());
    let moment = chrono::TimeDelta::nanoseconds(1);
    assert!(told(&alice, end - moment).is_ok());
    let lapsed = Unproved::NdaLapsed("alice".parse().unwrap());
    check(told(&alice, end), &lapsed, "identity.nda-lapsed");
}

#[test]
fn a_proof_ends_with_the_certificate_or_the_agreement_whichever_is_first() {
    let cases = [
        ("2026-11-21", at((2026, 11, 21), 16)),
        ("2027-11-19", at((2027, 11, 19), 16)),
        ("2027-11-20", at((2027, 11, 20), 16)),
        ("2027-11-21", at((2027, 11, 21), 0)),
        ("2027-12-31", at((2027, 11, 21), 0)),
    ];
    for (nda_until, expires) in cases {
        let caller = told(&alice(true, Some(nda_until)), now()).unwrap();
        assert_eq!(caller.expires(), expires, "{nda_until}");
    }
}

#[test]
fn who_is_not_known_is_not_named() {
    let nameless = [
        Unproved::NoCertificate,
        Unproved::Unreadable,
        Unproved::OutsideValidity,
        Unproved::Unknown,
    ];
    for unproved in nameless {
        assert_eq!(unproved.person(), None, "{unproved}");
    }
}

#[test]
fn a_certificate_that_was_replaced_is_nobodys() {
    let stage = stage();
    let alice = alice(true, Some("2027-12-31"));
    let mut register = enrolled(&stage.der, &alice);
    let renewed = issued(&stage.authority);
    let event = json!({"event": "person-enrolled", "by": "root", "person": alice,
        "certificate": Digest::of(&renewed)});
    register.apply(&serde_json::from_value(event).unwrap());
    let told = proved(&stage.der, &register, now());
    check(told, &Unproved::Unknown, "identity.unknown-certificate");
    assert!(proved(&renewed, &register, now()).is_ok());
}

#[test]
fn a_certificate_with_a_bit_changed_is_nobodys() {
    let mut der = stage().der;
    let register = enrolled(&der, &alice(true, Some("2027-12-31")));
    *der.last_mut().unwrap() ^= 1;
    let told = proved(&der, &register, now());
    check(told, &Unproved::Unknown, "identity.unknown-certificate");
}

#[test]
fn a_person_of_an_authority_works_for_no_operator() {
    let mut dora = alice(true, Some("2027-12-31"));
    dora["role"] = json!("data-authority");
    assert_eq!(told(&dora, now()).unwrap().operator(), None);
}

#[test]
fn the_certificate_is_judged_before_the_person_and_vetting_before_the_agreement() {
    let nothing = alice(false, None);
    let refused = |now| told(&nothing, now).unwrap_err().code();
    assert_eq!(refused(now()), "identity.not-vetted");
    let late = at((2028, 1, 1), 0);
    assert_eq!(refused(late), "identity.certificate-not-valid");
}
