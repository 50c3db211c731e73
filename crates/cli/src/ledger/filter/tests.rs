use super::*;
use serde_json::json;

const ONE: &str = "11111111111111111111111111111111";
const TWO: &str = "22222222222222222222222222222222";

fn digest(of: &str) -> terms::Digest {
    terms::Digest::of(of.as_bytes())
}

fn leaf(hour: u32, event: Value) -> Leaf {
    let day: NaiveDate = "2026-11-21".parse().unwrap();
    Leaf {
        at: day.and_hms_opt(hour, 0, 0).unwrap().and_utc(),
        event: serde_json::from_value(event).unwrap(),
        sealed: None,
    }
}

/// Two operations of two people on two datasets, one of them exported; and the datasets' loading.
fn entries() -> Vec<Leaf> {
    let opened = |query: &str, person: &str| {
        json!({"event": "operation-opened", "query": query, "action": "query",
        "person": person, "scenario": null, "channel": "domain", "statement": digest("s")})
    };
    let decided = |query: &str, dataset: &str| {
        json!({"event": "operation-decided", "query": query,
        "plan": digest("p"), "policies": digest("c"), "register_version": 1, "references": [
        {"dataset": dataset, "item": "a", "grade": 1, "way": "masked"}],
        "obligations": {"rows_max": 1, "result_bytes_max": 1}})
    };
    let loaded = |dataset: &str| {
        json!({"event": "dataset-loaded", "by": "adam", "snapshot":
        {"dataset": dataset, "number": 1, "rows": 1, "digest": digest("d"), "types": []}})
    };
    vec![
        leaf(1, loaded("city.visits")),
        leaf(2, loaded("city.citizen")),
        leaf(3, opened(ONE, "alice")),
        leaf(4, opened(TWO, "bob")),
        leaf(5, decided(ONE, "city.citizen")),
        leaf(6, decided(TWO, "city.visits")),
        leaf(
            7,
            json!({"event": "exported", "query": ONE, "manifest": digest("m")}),
        ),
    ]
}

/// The hours of the entries that are asked for.
fn check(filter: Filter) -> Vec<u32> {
    let mut filter = filter;
    let entries = entries();
    entries.iter().for_each(|leaf| filter.learn(leaf));
    let asked = entries.iter().filter(|leaf| filter.asks_for(leaf));
    asked.map(|leaf| chrono::Timelike::hour(&leaf.at)).collect()
}

#[test]
fn an_operation_is_found_whole_by_person_dataset_and_product() {
    let some = |text: &str| Some(text.to_owned());
    let none = Filter::default;
    assert_eq!(check(none()), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(
        check(Filter {
            person: some("alice"),
            ..none()
        }),
        [3, 5, 7]
    );
    assert_eq!(
        check(Filter {
            person: some("adam"),
            ..none()
        }),
        [1, 2]
    );
    assert_eq!(
        check(Filter {
            dataset: some("city.visits"),
            ..none()
        }),
        [1, 4, 6]
    );
    assert_eq!(
        check(Filter {
            product: some(ONE),
            ..none()
        }),
        [3, 5, 7]
    );
    let manifest = digest("m").to_string();
    assert_eq!(
        check(Filter {
            product: some(&manifest),
            ..none()
        }),
        [3, 5, 7]
    );
    assert_eq!(
        check(Filter {
            product: some("other"),
            ..none()
        }),
        [0_u32; 0]
    );
    let both = Filter {
        person: some("bob"),
        dataset: some("city.citizen"),
        ..none()
    };
    assert_eq!(check(both), [0_u32; 0]);
}

#[test]
fn a_day_is_included_and_a_time_is_not() {
    let between = |since: &str, until: &str| Filter {
        since: Some(time(since, 0).unwrap()),
        until: Some(time(until, 1).unwrap()),
        ..Filter::default()
    };
    assert_eq!(check(between("2026-11-21", "2026-11-21")).len(), 7);
    assert_eq!(check(between("2026-11-22", "2026-11-22")).len(), 0);
    let hours = between("2026-11-21T03:00:00Z", "2026-11-21T14:00:00+08:00");
    assert_eq!(check(hours), [3, 4, 5]);
    assert!(time("yesterday", 0).is_err());
}
