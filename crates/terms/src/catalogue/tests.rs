use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn item(name: &str, grade: u8) -> Value {
    json!({"name": name, "title": "", "kind": "code", "grade": grade, "mask": null,
        "unique": false, "domain": null, "sharing": "conditional", "opening": "not-opened",
        "data_type": null})
}

fn dataset(items: &[Value]) -> Value {
    json!({"name": "city.citizen", "title": "Citizens", "content": "", "provider": "bureau",
        "source": "forms", "sector": "general", "update": "daily", "subject": null,
        "external": false, "prohibited": null, "risk": null, "items": items})
}

fn read(value: Value) -> Dataset {
    serde_json::from_value(value).unwrap()
}

#[test]
fn the_grade_of_a_dataset_is_the_highest_of_its_items() {
    let grade = |grades: &[u8]| {
        let items: Vec<_> = grades.iter().map(|grade| item("a", *grade)).collect();
        read(dataset(&items)).grade()
    };
    assert_eq!(grade(&[1]), Grade::One);
    assert_eq!(grade(&[1, 2, 1]), Grade::Two);
    assert_eq!(grade(&[3, 1]), Grade::Three);
    assert_eq!(grade(&[1, 4, 3]), Grade::Four);
    assert_eq!(grade(&[]), Grade::Four, "what nobody graded is closed");
}

#[test]
fn people_make_a_dataset_protected_unless_the_operator_brought_it() {
    let protected = |subject: Option<&str>, external: bool| {
        let mut value = dataset(&[item("a", 3)]);
        value["subject"] = json!(subject);
        value["external"] = json!(external);
        read(value).is_protected()
    };
    assert!(protected(Some("a"), false));
    assert!(!protected(Some("a"), true));
    assert!(!protected(None, false));
    assert!(!protected(None, true));
}

#[test]
fn an_item_is_found_by_its_name_alone() {
    let dataset = read(dataset(&[item("a", 1), item("b", 2)]));
    let grade = |name: &str| dataset.item(&name.parse().unwrap()).map(|i| i.grade);
    assert_eq!(grade("b"), Some(Grade::Two));
    assert_eq!(grade("B"), None);
    assert_eq!(grade("c"), None);
}

#[test]
fn an_entry_survives_reading_and_writing() {
    let mut full = item("income", 3);
    full["mask"] = json!("band(5000)");
    full["band"] = json!(1000.0);
    full["domain"] = json!("person");
    full["data_type"] = json!("decimal(12,2)");
    let mut value = dataset(&[item("a", 1), full]);
    value["subject"] = json!("a");
    value["prohibited"] = json!("State Secrets Law");
    value["risk"] = json!({"level": "low", "by": "lab", "until": "2027-12-31"});
    assert_eq!(serde_json::to_value(read(value.clone())).unwrap(), value);
}

#[test]
fn words_that_are_not_in_the_vocabulary_are_refused() {
    let wrong = [
        ("/name", json!("citizen")),
        ("/sector", json!("weather")),
        ("/subject", json!("__a")),
        ("/items/0/kind", json!("secret")),
        ("/items/0/grade", json!(5)),
        ("/items/0/mask", json!("hash")),
        ("/items/0/sharing", json!("not-opened")),
        ("/items/0/opening", json!("not-shared")),
        ("/items/0/domain", json!("")),
        ("/items/0/data_type", json!("int64")),
    ];
    for (place, word) in wrong {
        let mut value = dataset(&[item("a", 1)]);
        *value.pointer_mut(place).unwrap() = word;
        assert!(serde_json::from_value::<Dataset>(value).is_err(), "{place}");
    }
}

proptest! {
    /// A width that changed by its last bit would be another leaf, and so a breach of the ledger.
    #[test]
    fn the_width_of_a_band_survives_to_its_last_bit(width in any::<f64>().prop_filter("finite", |w| w.is_finite())) {
        let mut value = item("a", 1);
        value["band"] = json!(width);
        let text = value.to_string();
        let item: Item = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(item.band.map(f64::to_bits), Some(width.to_bits()));
    }
}
