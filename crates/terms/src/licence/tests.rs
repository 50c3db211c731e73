use super::*;
use serde_json::{Value, json};

fn licence(from: &str, until: &str) -> Value {
    json!({"id": "l", "operator": "op-a", "mode": "comprehensive", "from": from, "until": until,
        "agreement": null})
}

#[test]
fn a_term_is_at_most_two_years_and_ends_after_it_begins() {
    let lawful = |from: &str, until: &str| {
        let licence: Licence = serde_json::from_value(licence(from, until)).unwrap();
        licence.term_is_lawful()
    };
    assert!(lawful("2026-01-01", "2026-01-01"), "one day");
    assert!(lawful("2026-01-01", "2027-12-31"));
    assert!(lawful("2026-01-01", "2028-01-01"), "the corresponding day");
    assert!(!lawful("2026-01-01", "2028-01-02"));
    assert!(!lawful("2026-01-02", "2026-01-01"));
    assert!(
        lawful("2024-02-29", "2026-02-28"),
        "the month has no such day"
    );
    assert!(!lawful("2024-02-29", "2026-03-01"));
    assert!(lawful("2026-02-28", "2028-02-28"));
    assert!(!lawful("2026-02-28", "2028-02-29"));
    assert!(
        !lawful("+262142-12-31", "+262142-12-31"),
        "the calendar ends"
    );
}

#[test]
fn a_sector_is_one_of_the_rules() {
    for word in Sector::WORDS {
        let sector = Sector::try_from(word.to_owned()).unwrap();
        assert_eq!(sector.word(), word);
        assert_eq!(String::from(sector), word);
    }
    for word in [
        "",
        "Finance",
        "finance ",
        "金融",
        "weather",
        "social_security",
    ] {
        let error = Sector::try_from(word.to_owned()).unwrap_err();
        assert_eq!((error.what, error.word.as_str()), ("sector", word));
        assert!(error.remedy.starts_with("one of finance, education, "));
    }
}

#[test]
fn a_mode_covers_its_sectors() {
    let sector = |word: &str| Sector::try_from(word.to_owned()).unwrap();
    let sectoral = |words: &[&str]| Mode::Sectoral {
        sectors: words.iter().map(|word| sector(word)).collect(),
    };
    for word in Sector::WORDS {
        assert!(Mode::Comprehensive.covers(&sector(word)));
        assert!(Mode::Scenario.covers(&sector(word)), "its scenario lists");
        assert!(!sectoral(&[]).covers(&sector(word)));
        let covered = sectoral(&["finance", "medical"]).covers(&sector(word));
        assert_eq!(covered, word == "finance" || word == "medical");
    }
}

#[test]
fn a_licence_survives_reading_and_writing_in_each_mode() {
    let modes = [
        json!({"mode": "comprehensive"}),
        json!({"mode": "sectoral", "sectors": ["finance", "credit"]}),
        json!({"mode": "scenario"}),
    ];
    for mode in modes {
        let mut value = licence("2026-01-01", "2027-12-31");
        let members = mode.as_object().unwrap().clone();
        value.as_object_mut().unwrap().extend(members);
        let licence: Licence = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(licence).unwrap(), value);
    }
}

#[test]
fn other_modes_and_days_are_refused() {
    let wrong = [
        ("mode", json!("universal")),
        ("mode", json!("sectoral")),
        ("from", json!("2026-02-30")),
        ("until", json!("31/12/2027")),
        ("operator", json!("op a")),
    ];
    for (member, word) in wrong {
        let mut value = licence("2026-01-01", "2027-12-31");
        value[member] = word;
        assert!(
            serde_json::from_value::<Licence>(value).is_err(),
            "{member}"
        );
    }
}
