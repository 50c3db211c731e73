use super::*;
use std::collections::BTreeSet;

fn all() -> [Unproved; 6] {
    let wang = || "wang-07".parse().unwrap();
    [
        Unproved::NoCertificate,
        Unproved::Unreadable,
        Unproved::OutsideValidity,
        Unproved::Unknown,
        Unproved::NotVetted(wang()),
        Unproved::NdaLapsed(wang()),
    ]
}

#[test]
fn every_reason_has_its_own_code_and_sentences() {
    let codes: Vec<_> = all().iter().map(Unproved::code).collect();
    assert_eq!(
        codes,
        [
            "identity.no-certificate",
            "identity.unreadable-certificate",
            "identity.certificate-not-valid",
            "identity.unknown-certificate",
            "identity.not-vetted",
            "identity.nda-lapsed",
        ]
    );
    let sentences: BTreeSet<_> = all()
        .iter()
        .flat_map(|w| [w.told().en, w.told().zh])
        .collect();
    assert_eq!(sentences.len(), 12);
}

#[test]
fn the_log_names_the_person_and_the_caller_is_told_none() {
    let people = all().map(|why| why.person().map(ToString::to_string));
    let wang = Some("wang-07".to_owned());
    assert_eq!(people, [None, None, None, None, wang.clone(), wang]);
    assert_eq!(all()[4].to_string(), "person `wang-07` has not been vetted");
    assert_eq!(
        all()[5].to_string(),
        "the non-disclosure agreement of person `wang-07` is missing or over"
    );
    for why in all() {
        assert!(!why.told().to_string().contains("wang-07"), "{why}");
    }
}
