use super::*;
use serde_json::json;

fn items(parts: &[(&str, &str, u8, Option<&str>)]) -> Dataset {
    let item = |(name, kind, grade, derived): &(&str, &str, u8, Option<&str>)| {
        let mut item = json!({"name": name, "kind": kind, "grade": grade, "mask": null,
            "domain": null, "sharing": "conditional", "opening": "conditional",
            "data_type": null});
        if let Some(derived) = derived {
            item["derived"] = json!(derived);
        }
        item
    };
    let items: Vec<_> = parts.iter().map(item).collect();
    serde_json::from_value(
        json!({"name": "t.sales", "title": "x", "provider": "x", "source": "x",
        "sector": "general", "update": "x", "subject": null, "external": false,
        "prohibited": null, "risk": null, "items": items}),
    )
    .unwrap()
}

fn read(text: &str) -> Option<String> {
    let derivation: Derivation = text.parse().ok()?;
    Some(shown(derivation.formula()))
}

fn shown(formula: &Formula) -> String {
    match formula {
        Formula::Item(name) => name.to_string(),
        Formula::Whole(whole) => whole.to_string(),
        Formula::Number(number) => format!("{number}f"),
        Formula::Computed(left, operator, right) => {
            format!("({} {operator:?} {})", shown(left), shown(right))
        }
    }
}

#[test]
fn arithmetic_binds_as_everybody_writes_it() {
    for (text, expected) in [
        ("quantity * unit_price", "(quantity Multiply unit_price)"),
        ("a - b - 2", "((a Subtract b) Subtract 2)"),
        ("a + b * 1.5", "(a Add (b Multiply 1.5f))"),
        ("(a + b) / -c", "((a Add b) Divide (0 Subtract c))"),
        ("单价*数量", "(单价 Multiply 数量)"),
        (" \"net-price\" ", "net-price"),
    ] {
        assert_eq!(read(text).as_deref(), Some(expected));
    }
}

#[test]
fn nothing_but_items_numbers_and_the_four_operators_is_read() {
    let deep = format!("{}a{}", "(".repeat(40), ")".repeat(40));
    let minus = format!("{}a", "-".repeat(40));
    let long = "a+".repeat(300) + "a";
    for text in [
        "", "a b", "a *", "* a", "(a", "a)", "a % b", "abs(a)", "a > 1", "'a'", "a;", "1e3",
        "1.2.3", "\"a", "a || b", &deep, &minus, &long,
    ] {
        let read = read(text);
        assert_eq!(read, None, "{text}");
    }
    let error = "a %".parse::<Derivation>().unwrap_err();
    assert!(
        error.to_string().contains("quantity * unit_price"),
        "{error}"
    );
}

#[test]
fn a_derivation_is_written_as_it_was_read_and_left_out_where_there_is_none() {
    let dataset = items(&[
        ("a", "amount", 3, None),
        ("b", "count", 2, None),
        ("c", "amount", 3, Some("a *  b")),
    ]);
    let written = serde_json::to_value(&dataset).unwrap();
    assert_eq!(written["items"][2]["derived"], "a *  b");
    assert!(written["items"][0].get("derived").is_none());
    assert_eq!(serde_json::from_value::<Dataset>(written).unwrap(), dataset);
}

#[test]
fn what_is_derived_is_of_numbers_of_the_row_and_graded_as_the_highest() {
    let with = |kind, grade, derived| {
        items(&[
            ("a", "amount", 3, None),
            ("b", "count", 2, None),
            ("name", "person_name", 2, None),
            ("d", "amount", 3, Some("a + b")),
            ("c", kind, grade, Some(derived)),
        ])
        .derivable()
    };
    assert_eq!(with("amount", 3, "a * b"), Ok(()));
    assert_eq!(with("ratio", 4, "a / b"), Ok(()));
    for (kind, grade, derived, part) in [
        ("amount", 2, "a * b", "grade 3; give it the highest grade"),
        ("code", 3, "a * b", "kind amount, count or ratio"),
        ("amount", 3, "a * e", "`e`, which is no item"),
        ("amount", 3, "a * name", "of kind person_name"),
        ("amount", 3, "d * b", "derived itself"),
        ("amount", 3, "c * b", "derived itself"),
        ("amount", 3, "2 * 3", "no item"),
    ] {
        let why = with(kind, grade, derived).unwrap_err().to_string();
        assert!(why.contains("item `c`") && why.contains(part), "{why}");
    }
    let mut unique = items(&[("a", "count", 2, None), ("c", "count", 2, Some("a"))]);
    unique.items[1].unique = true;
    assert!(unique.derivable().is_err());
    unique.items[1].unique = false;
    unique.subject = Some("c".parse().unwrap());
    assert!(unique.derivable().is_err());
}

#[test]
fn all_that_is_connected_by_derivation_is_pooled() {
    let dataset = items(&[
        ("other", "amount", 3, None),
        ("a", "amount", 3, None),
        ("b", "count", 2, None),
        ("e", "amount", 3, None),
        ("c", "amount", 3, Some("a * b")),
        ("d", "amount", 3, Some("b + e")),
    ]);
    let pooled = |name: &str| dataset.pooled(&name.parse().unwrap()).to_string();
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(pooled(name), "a");
    }
    assert_eq!(pooled("other"), "other");
}
