use super::*;
use serde_json::json;

#[test]
fn all_items_or_the_named_ones() {
    let item = |text: &str| text.parse::<ItemName>().unwrap();
    let named: Wanted = serde_json::from_value(json!({"named": ["a", "b"]})).unwrap();
    assert!(named.includes(&item("a")) && named.includes(&item("b")));
    assert!(!named.includes(&item("c")));
    assert!(!Wanted::Named(Vec::new()).includes(&item("a")));
    let all: Wanted = serde_json::from_value(json!("all")).unwrap();
    assert!(all.includes(&item("c")));
    for wrong in [
        json!("*"),
        json!(["*"]),
        json!("none"),
        json!({"named": ["__a"]}),
    ] {
        assert!(
            serde_json::from_value::<Wanted>(wrong.clone()).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn what_an_application_leaves_out_is_the_closed_choice() {
    let least = json!({"name": "a.b", "items": "all", "rows": null});
    let wanted: ScenarioDataset = serde_json::from_value(least).unwrap();
    assert!(wanted.aggregate.is_empty());
    assert_eq!((wanted.rows_plan, wanted.show_rows), (None, false));
}
