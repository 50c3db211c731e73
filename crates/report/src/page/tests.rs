use super::{block::Block, *};
use crate::{Account, Fees, Period};
use serde_json::{Value, json};
use terms::Event;

const QUERY: &str = "0123456789abcdef0123456789abcdef";

fn digest() -> String {
    "0".repeat(64)
}

/// A year: a licence, and two operations of it, one handed over and one refused.
fn events() -> Vec<(&'static str, Value)> {
    let licence = json!({"id": "l", "operator": "op", "mode": "comprehensive",
        "from": "2026-01-01", "until": "2026-12-31", "agreement": null});
    let scenario = json!({"id": "s", "licence": "l", "title": "a<b|c", "purpose": "p",
        "members": ["ann"], "datasets": []});
    let person = json!({"id": "ann", "role": "operator-member", "organisation": "op",
        "vetted": true, "nda_until": "2027-12-31"});
    let opened = |query: &str, action: &str| {
        json!({"event": "operation-opened", "query": query, "action": action, "person": "ann",
            "scenario": "s", "channel": "domain", "statement": digest()})
    };
    let other = "f".repeat(32);
    vec![
        (
            "2026-01-01T00:00:00Z",
            json!({"event": "person-enrolled", "by": "adam",
            "person": person, "certificate": digest()}),
        ),
        (
            "2026-01-01T00:00:01Z",
            json!({"event": "operator-registered", "by": "dora",
            "operator": {"id": "op", "title": "Op", "security_officer": null,
            "emergency_plan": true, "evidence": []}}),
        ),
        (
            "2026-01-01T00:00:02Z",
            json!({"event": "licence-step", "by": "ann", "stage": "granted",
            "licence": licence}),
        ),
        (
            "2026-01-01T00:00:03Z",
            json!({"event": "scenario-step", "by": "ann", "stage": "granted",
            "scenario": scenario, "row_risks": []}),
        ),
        ("2026-01-31T15:59:59Z", opened(QUERY, "export")),
        (
            "2026-01-31T16:00:01Z",
            json!({"event": "operation-released", "query": QUERY, "rows": 3,
            "bytes": 30, "result": digest(), "notice": "groups-withheld", "register": "perturbed",
            "used": {"planner_cpu_ms": 4, "runner_cpu_ms": 7, "scanned_bytes": 8, "values_masked": 9, "cells": 6}}),
        ),
        (
            "2026-01-31T16:00:02Z",
            json!({"event": "exported", "query": QUERY, "manifest": digest()}),
        ),
        ("2026-02-01T00:00:00Z", opened(&other, "query")),
        (
            "2026-02-01T00:00:01Z",
            json!({"event": "operation-refused", "query": other,
            "code": "confine.x"}),
        ),
        ("2027-01-01T00:00:00Z", opened(&"a".repeat(32), "query")),
    ]
}

fn account() -> Account {
    account_of(events())
}

fn account_of(events: Vec<(&'static str, Value)>) -> Account {
    let mut account = Account::new(Period::year(2026).unwrap());
    for (at, event) in events {
        let event: Event = serde_json::from_value(event).unwrap();
        account.entry(at.parse().unwrap(), &event);
    }
    account
}

fn fees() -> Fees {
    Fees::read("currency = \"CNY\"\n[standard.industrial]\nexport = \"100\"\n").unwrap()
}

#[test]
fn an_operation_counts_in_the_month_it_was_opened_in_and_outside_the_year_not_at_all() {
    let report = serde_json::to_value(Annual::of(&account(), None, &fees())).unwrap();
    let january = &report["months"]["2026-01"];
    assert_eq!(january["opened"], 1);
    assert_eq!(
        (&january["answered"], &january["exported"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        report["months"]["2026-02"]["refused"],
        json!({"confine.x": 1})
    );
    let total = &report["total"];
    assert_eq!(
        (&total["opened"], &total["people"], &total["open"]),
        (&json!(2), &json!(1), &json!(0))
    );
    assert_eq!(
        (&total["withheld"], &total["perturbed"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        total["used"],
        json!({"planner_cpu_ms": 4, "runner_cpu_ms": 7, "scanned_bytes": 8, "values_masked": 9, "cells": 6})
    );
    assert_eq!(
        (&report["entries"], &report["events"]["operation-opened"]),
        (&json!(9), &json!(2))
    );
    let licence = &report["licences"][0];
    assert_eq!(
        (&licence["licence"], &licence["amount"]),
        (&json!("l"), &json!("100.00"))
    );
}

#[test]
fn a_package_of_a_product_for_public_benefit_is_free_and_told_by_product() {
    let amount = |benefit: &str| {
        let mut events = events();
        let product = json!({"id": "p-1", "form": "report", "scenario": "s", "title": "P",
            "benefit": benefit, "validation": {"kind": "validation", "title": "V",
            "until": "2026-12-31"}});
        events.insert(
            4,
            (
                "2026-01-02T00:00:00Z",
                json!({"event": "product-step", "by": "ann", "stage": "published",
                    "product": product, "course": {"since": "2026-01-02"}}),
            ),
        );
        let handed = events
            .iter_mut()
            .find(|(_, event)| event["event"] == "exported");
        handed.unwrap().1["product"] = json!("p-1");
        let account = account_of(events);
        let report = serde_json::to_value(Annual::of(&account, None, &fees())).unwrap();
        assert_eq!(report["total"]["products"], json!({"p-1": 1}));
        let statement = Statement::of(&account, &"l".parse().unwrap(), &fees()).unwrap();
        assert_eq!(statement.total.exported, 1);
        statement.amount.to_string()
    };
    assert_eq!(amount("public"), "0.00");
    assert_eq!(amount("industry"), "100.00");
}

#[test]
fn another_operators_report_has_none_of_it() {
    let other = "zeta".parse().unwrap();
    let report = serde_json::to_value(Annual::of(&account(), Some(&other), &fees())).unwrap();
    assert_eq!(report["total"]["opened"], 0);
    assert_eq!(
        (&report["licences"], &report["events"]),
        (&json!([]), &json!({}))
    );
}

#[test]
fn what_people_wrote_is_no_markup_in_a_page() {
    let report = Annual::of(&account(), None, &fees());
    let (html, markdown) = (html(&report), markdown(&report));
    assert!(html.contains("a&lt;b|c") && !html.contains("a<b"));
    assert!(markdown.contains("a&lt;b\\|c") && !markdown.contains("<svg"));
    assert_eq!(html.matches("<svg").count(), 2);
    for heading in [
        "一、概况",
        "二、存储",
        "三、加工处理",
        "四、分析利用",
        "五、安全管理",
        "六、市场运营",
    ] {
        assert!(
            html.contains(heading) && markdown.contains(heading),
            "{heading}"
        );
    }
}

#[test]
fn what_people_wrote_steers_no_terminal_and_links_nowhere() {
    let title = "[费用](https://x) \u{1b}[2J\u{202e}`a`\n*b*".to_owned();
    let shown = "\\[费用\\](https://x) \\\\u{1b}\\[2J\\\\u{202e}\\`a\\` \\*b\\*";
    assert_eq!(
        Block::Title(title.clone()).markdown(),
        format!("# {shown}\n\n")
    );
    let table = Block::Table(vec!["x".to_owned()], vec![vec![title.clone()]]);
    assert!(table.markdown().contains(&format!("| {shown} |\n")));
    let html = Block::Heading(title).html();
    assert_eq!(
        html,
        "<h2>[费用](https://x) \\u{1b}[2J\\u{202e}`a`\\u{a}*b*</h2>\n"
    );
}

#[test]
fn a_statement_is_of_one_licence() {
    let statement = Statement::of(&account(), &"l".parse().unwrap(), &fees()).unwrap();
    assert_eq!(statement.amount.to_string(), "100.00");
    let page = statement_markdown(&statement);
    assert!(
        page.contains("| l | export | 1 | 1 | 100.00 | 100.00 |"),
        "{page}"
    );
    assert!(Statement::of(&account(), &"m".parse().unwrap(), &fees()).is_none());
}
