use super::*;
use proptest::prelude::*;

const DECIMAL: Type = Type::Decimal {
    precision: 10,
    scale: 2,
};
const TYPES: [Type; 9] = [
    Type::Bool,
    Type::Int,
    Type::Float,
    DECIMAL,
    Type::Text,
    Type::Date,
    Type::Timestamp,
    Type::Interval,
    Type::Witness,
];

#[test]
fn each_mask_has_one_spelling() {
    let check = |mask: Mask, text: &str| {
        assert_eq!(mask.to_string(), text);
        assert_eq!(text.parse::<Mask>().unwrap(), mask);
    };
    check(Mask::Plain, "plain");
    check(Mask::Suppress, "suppress");
    check(Mask::Redact, "redact");
    check(Mask::Partial { head: 3, tail: 4 }, "partial(3,4)");
    check(Mask::Partial { head: 0, tail: 255 }, "partial(0,255)");
    check(Mask::Prefix(6), "prefix(6)");
    check(Mask::Token, "token");
    check(Mask::Band(5000.0), "band(5000)");
    check(Mask::Band(0.5), "band(0.5)");
    check(Mask::Year, "year");
    check(Mask::Month, "month");
}

#[test]
fn blanks_around_arguments_are_not_kept() {
    let mask: Mask = "partial( 3 , 4 )".parse().unwrap();
    assert_eq!(mask.to_string(), "partial(3,4)");
    assert_eq!("band( 10 )".parse::<Mask>().unwrap(), Mask::Band(10.0));
}

#[test]
fn other_spellings_are_refused() {
    let refused = [
        "",
        "Plain",
        " plain",
        "plain ",
        "plain()",
        "token(1)",
        "year()",
        "none",
        "mask",
        "hash",
        "partial",
        "partial()",
        "partial(3)",
        "partial(3,4",
        "partial(3,4,5)",
        "partial(3,4) ",
        "partial(3,-1)",
        "partial(256,0)",
        "partial(a,b)",
        "prefix",
        "prefix()",
        "prefix(-1)",
        "prefix(256)",
        "prefix(1.5)",
        "prefix(1",
        "prefix(1))",
    ];
    for text in refused {
        let error = text.parse::<Mask>().unwrap_err();
        assert_eq!((error.what, error.word.as_str()), ("mask", text));
        assert!(
            serde_json::from_value::<Mask>(text.into()).is_err(),
            "{text:?}"
        );
    }
}

#[test]
fn a_band_has_a_finite_width_above_nothing() {
    for width in [
        "0", "-0", "-1", "inf", "-inf", "NaN", "nan", "infinity", "1e999", "", "x", "1,5",
    ] {
        assert!(format!("band({width})").parse::<Mask>().is_err(), "{width}");
    }
    assert!("band(5e-324)".parse::<Mask>().is_ok());
}

#[test]
fn a_mask_decides_the_type_that_shows() {
    let shown = |mask: Mask| TYPES.map(|raw| mask.shown_type(raw));
    let (text, int, float) = (Some(Type::Text), Some(Type::Int), Some(Type::Float));
    let plain = TYPES.map(|raw| Some(raw).filter(|raw| raw.is_plain()));
    assert_eq!(shown(Mask::Plain), plain);
    assert_eq!(shown(Mask::Suppress), plain);
    assert_eq!(shown(Mask::Redact), [text; 9]);
    assert_eq!(shown(Mask::Token), [text; 9]);
    let spelled = [None, text, None, None, text, None, None, None, None];
    assert_eq!(shown(Mask::Partial { head: 1, tail: 1 }), spelled);
    assert_eq!(shown(Mask::Prefix(1)), spelled);
    let numbers = [
        None,
        int,
        float,
        Some(DECIMAL),
        None,
        None,
        None,
        None,
        None,
    ];
    assert_eq!(shown(Mask::Band(1.0)), numbers);
    let (date, time) = (Some(Type::Date), Some(Type::Timestamp));
    let days = [None, None, None, None, None, date, time, None, None];
    assert_eq!(shown(Mask::Year), days);
    assert_eq!(shown(Mask::Month), days);
}

#[test]
fn only_partial_and_prefix_show_part_of_the_written_value() {
    let of = |text: &str| text.parse::<Mask>().unwrap().is_partial();
    assert!(of("partial(0,0)") && of("prefix(1)"));
    for text in [
        "plain", "suppress", "redact", "token", "band(1)", "year", "month",
    ] {
        assert!(!of(text), "{text}");
    }
}

fn masks() -> impl Strategy<Value = Mask> {
    let width = any::<f64>().prop_map(|w| w.abs());
    let width = width.prop_filter("a band is finite and above 0", |w| {
        w.is_finite() && *w > 0.0
    });
    prop_oneof![
        Just(Mask::Plain),
        Just(Mask::Suppress),
        Just(Mask::Redact),
        Just(Mask::Token),
        Just(Mask::Year),
        Just(Mask::Month),
        any::<(u8, u8)>().prop_map(|(head, tail)| Mask::Partial { head, tail }),
        any::<u8>().prop_map(Mask::Prefix),
        width.prop_map(Mask::Band),
    ]
}

proptest! {
    #[test]
    fn masks_survive_writing_and_reading(mask in masks()) {
        prop_assert_eq!(mask.to_string().parse::<Mask>().unwrap(), mask);
        let json = serde_json::to_string(&mask).unwrap();
        prop_assert_eq!(serde_json::from_str::<Mask>(&json).unwrap(), mask);
    }

    #[test]
    fn any_text_is_a_mask_or_refused(text in "(partial|prefix|band|token|\\PC{0,4})[(]?[-+0-9eE., ]{0,9}[)]?") {
        if let Ok(mask) = text.parse::<Mask>() {
            prop_assert_eq!(mask.to_string().parse::<Mask>().unwrap(), mask);
        }
    }
}
