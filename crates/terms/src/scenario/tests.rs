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

#[test]
fn fewer_subjects_than_k_are_never_told_apart() {
    let risk = |subjects: u64, k: u32| RowRisk {
        dataset: "a.b".parse().unwrap(),
        snapshot: 1,
        subjects,
        subjects_unique: subjects,
        subjects_below_k: subjects,
        k,
    };
    for few in 0..10 {
        assert_eq!(risk(few, 10).coarse(), risk(0, 10));
        assert_eq!(risk(few, 10).told(few), "< 10");
    }
    for (exact, coarse) in [
        (10, "10"),
        (19, "10"),
        (20, "20"),
        (u64::MAX, "18446744073709551610"),
    ] {
        let risk = risk(exact, 10).coarse();
        assert_eq!(risk.told(exact), coarse);
        assert_eq!(risk.subjects.to_string(), coarse);
        assert_eq!(risk.clone().coarse(), risk);
    }
    assert_eq!(risk(7, 0).coarse(), risk(7, 0));
}
