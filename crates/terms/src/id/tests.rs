use crate::*;
use proptest::prelude::*;

/// Reads a word as each kind of plain name, and by JSON too; both ways agree.
fn check(text: &str, expect: bool) {
    fn read<T: std::str::FromStr + serde::de::DeserializeOwned>(text: &str) -> bool {
        let json = serde_json::from_value::<T>(text.into()).is_ok();
        assert_eq!(text.parse::<T>().is_ok(), json, "{text:?}");
        json
    }
    assert_eq!(read::<PersonId>(text), expect, "{text:?}");
    assert_eq!(read::<OperatorId>(text), expect, "{text:?}");
    assert_eq!(read::<LicenceId>(text), expect, "{text:?}");
    assert_eq!(read::<ScenarioId>(text), expect, "{text:?}");
    assert_eq!(read::<DomainName>(text), expect, "{text:?}");
    assert_eq!(read::<IdentifierDomain>(text), expect, "{text:?}");
    assert_eq!(read::<ItemName>(text), expect, "{text:?}");
    let dataset = format!("city.{text}");
    assert_eq!(read::<DatasetName>(&dataset), expect, "{dataset:?}");
    let dataset = format!("{text}.citizen");
    assert_eq!(read::<DatasetName>(&dataset), expect, "{dataset:?}");
}

#[test]
fn a_name_is_letters_digits_underscores_and_hyphens() {
    for text in ["a", "7", "_", "-", "op-a", "手机号", "Ann_1", "ａ１"] {
        check(text, true);
    }
    let refused = [
        "",
        " ",
        "a b",
        " a",
        "a ",
        "a\n",
        "a\0",
        "a/b",
        "../a",
        "a\\b",
        "a'",
        "a\"",
        "a;b",
        "a:b",
        "a*",
        "a%",
        "a,b",
        "a(b)",
        "a\u{202e}b",
        "a\u{200b}b",
        "😀",
    ];
    for text in refused {
        check(text, false);
    }
}

#[test]
fn a_name_has_at_most_64_characters_however_many_bytes() {
    check(&"a".repeat(64), true);
    check(&"a".repeat(65), false);
    check(&"数".repeat(64), true);
    check(&"数".repeat(65), false);
}

#[test]
fn a_dataset_has_exactly_one_schema() {
    let name: DatasetName = "city.citizen".parse().unwrap();
    assert_eq!((name.schema(), name.table()), ("city", "citizen"));
    for text in ["citizen", ".", "city.", ".citizen", "a.b.c", "a..b"] {
        assert!(text.parse::<DatasetName>().is_err(), "{text:?}");
    }
}

#[test]
fn an_item_never_begins_like_a_hidden_column() {
    assert!("__witness".parse::<ItemName>().is_err());
    assert!("__".parse::<ItemName>().is_err());
    assert!("_witness".parse::<ItemName>().is_ok());
    assert!("a__".parse::<ItemName>().is_ok());
    assert!("__a".parse::<PersonId>().is_ok(), "only items are columns");
}

#[test]
fn a_query_is_32_hexadecimal_digits() {
    let text = "0123456789abcdef0123456789abcdef";
    assert_eq!(text.parse::<QueryId>().unwrap().as_str(), text);
    for text in [
        &"f".repeat(31),
        "",
        &"g".repeat(32),
        &format!("{}00", "数".repeat(10)),
        " 123456789abcdef0123456789abcdef",
    ] {
        assert!(text.parse::<QueryId>().is_err(), "{text:?}");
    }
    assert!(format!("{text}0").parse::<QueryId>().is_err());
}

#[test]
fn a_refused_name_says_which_kind_it_is_no_name_of() {
    let said = |error: Unreadable| error.to_string();
    assert_eq!(
        said("a b".parse::<PersonId>().unwrap_err()),
        "`a b` is no person id: 1 to 64 letters, digits, `_` or `-`"
    );
    assert_eq!(
        said("citizen".parse::<DatasetName>().unwrap_err()),
        "`citizen` is no dataset name: `schema.name`, each of 1 to 64 letters, digits, `_` or `-`"
    );
    assert_eq!(
        said("__x".parse::<ItemName>().unwrap_err()),
        "`__x` is no item name: 1 to 64 letters, digits, `_` or `-`, not beginning with `__`"
    );
}

proptest! {
    #[test]
    fn a_name_is_written_as_it_was_read(text in "[a-zA-Z0-9_数据-]{1,64}") {
        let id: LicenceId = text.parse().unwrap();
        prop_assert_eq!(id.as_str(), &text);
        prop_assert_eq!(id.to_string(), text.clone());
        prop_assert_eq!(serde_json::to_value(&id).unwrap(), serde_json::Value::from(text.clone()));
        prop_assert_eq!(String::from(id), text);
    }

    #[test]
    fn any_text_is_read_as_itself_or_refused(text in any::<String>()) {
        match text.parse::<ItemName>() {
            Ok(name) => prop_assert_eq!(name.as_str(), text),
            Err(error) => prop_assert!(error.word.chars().count() <= 64),
        }
    }
}
