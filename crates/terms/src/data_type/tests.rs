use super::*;
use proptest::prelude::*;

#[test]
fn each_type_has_one_spelling() {
    let check = |data_type: Type, text: &str| {
        assert_eq!(data_type.to_string(), text);
        assert_eq!(text.parse::<Type>().unwrap(), data_type);
        let json = serde_json::Value::from(text);
        assert_eq!(serde_json::to_value(data_type).unwrap(), json);
        assert_eq!(serde_json::from_value::<Type>(json).unwrap(), data_type);
    };
    check(Type::Bool, "bool");
    check(Type::Int, "int");
    check(Type::Float, "float");
    check(Type::Text, "text");
    check(Type::Date, "date");
    check(Type::Timestamp, "timestamp");
    check(Type::Interval, "interval");
    check(Type::Witness, "witness");
    let decimal = |precision, scale| Type::Decimal { precision, scale };
    check(decimal(1, 0), "decimal(1,0)");
    check(decimal(1, 1), "decimal(1,1)");
    check(decimal(38, 0), "decimal(38,0)");
    check(decimal(38, 38), "decimal(38,38)");
}

#[test]
fn other_spellings_are_refused() {
    let refused = [
        "",
        "Int",
        "int ",
        " int",
        "integer",
        "int64",
        "utf8",
        "varchar",
        "boolean",
        "double",
        "timestamp(6)",
        "decimal",
        "decimal()",
        "decimal(10)",
        "decimal(10,2",
        "decimal(10,2)x",
        "decimal(10;2)",
        "decimal(10,2,1)",
        "decimal(10, 2)",
        "decimal(0,0)",
        "decimal(39,0)",
        "decimal(2,3)",
        "decimal(10,-2)",
        "decimal(256,0)",
        "numeric(10,2)",
    ];
    for text in refused {
        let error = text.parse::<Type>().unwrap_err();
        assert_eq!((error.what, error.word.as_str()), ("type", text));
        assert_eq!(
            error.remedy,
            "bool, int, float, decimal(p,s), text, date or timestamp"
        );
    }
}

#[test]
fn intervals_and_witnesses_are_never_stored_or_released() {
    let types = [
        "bool",
        "int",
        "float",
        "decimal(9,2)",
        "text",
        "date",
        "timestamp",
    ];
    for text in types {
        assert!(text.parse::<Type>().unwrap().is_plain(), "{text}");
    }
    assert!(!Type::Interval.is_plain() && !Type::Witness.is_plain());
}

#[test]
fn numbers_are_int_float_and_decimal() {
    let numbers = ["int", "float", "decimal(9,2)"];
    let others = ["bool", "text", "date", "timestamp", "interval", "witness"];
    assert!(
        numbers
            .iter()
            .all(|t| t.parse::<Type>().unwrap().is_number())
    );
    assert!(
        !others
            .iter()
            .any(|t| t.parse::<Type>().unwrap().is_number())
    );
}

proptest! {
    #[test]
    fn decimals_are_read_exactly_within_bounds(precision in any::<u8>(), scale in any::<u8>()) {
        let text = format!("decimal({precision},{scale})");
        let lawful = (1..=38).contains(&precision) && scale <= precision;
        let expect = lawful.then_some(Type::Decimal { precision, scale });
        prop_assert_eq!(text.parse::<Type>().ok(), expect);
    }
}
