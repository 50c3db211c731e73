use super::*;

const WORDS: [&str; 16] = [
    "subject_id",
    "resident_id",
    "person_name",
    "phone",
    "bank_account",
    "social_account",
    "email",
    "address",
    "plate",
    "date",
    "amount",
    "count",
    "ratio",
    "code",
    "free_text",
    "other",
];

#[test]
fn a_kind_is_written_as_its_word_and_read_back() {
    let words: Vec<_> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    assert_eq!(words, WORDS);
    for kind in Kind::ALL.iter().copied() {
        assert_eq!(Kind::try_from(kind.word().to_owned()).unwrap(), kind);
        assert_eq!(kind.to_string(), kind.word());
        assert_eq!(String::from(kind), kind.word());
        let json = serde_json::to_value(kind).unwrap();
        assert_eq!(serde_json::from_value::<Kind>(json).unwrap(), kind);
    }
}

#[test]
fn other_spellings_are_refused_with_the_list() {
    for word in [
        "",
        "Phone",
        "phone ",
        " phone",
        "subject-id",
        "subjectId",
        "手机号",
        "phones",
    ] {
        let error = Kind::try_from(word.to_owned()).unwrap_err();
        assert_eq!((error.what, error.word.as_str()), ("item kind", word));
        assert_eq!(error.remedy, format!("one of {}", WORDS.join(", ")));
    }
}

#[test]
fn only_what_names_somebody_or_something_is_an_identifier() {
    let identifiers: Vec<_> = Kind::ALL
        .iter()
        .filter(|kind| kind.is_identifier())
        .collect();
    assert_eq!(
        identifiers,
        [
            &Kind::SubjectId,
            &Kind::ResidentId,
            &Kind::PersonName,
            &Kind::Phone,
            &Kind::BankAccount,
            &Kind::SocialAccount,
            &Kind::Email,
            &Kind::Plate,
        ]
    );
}
