use super::stages::BEGINNING_BYTES;
use super::*;
use crate::stage::{Stage, event};
use plan::{Node, Plan, Scan, ScanColumn, View};
use serde_json::json;
use terms::{Digest, Event, Type};

/// The codes of the open dataset, each as it is.
fn codes() -> Plan {
    let column = ScanColumn {
        item: "code".parse().unwrap(),
        data_type: Type::Text,
        view: View::Catalogue,
    };
    Plan {
        root: Node::Scan(Scan {
            dataset: "city.open".parse().unwrap(),
            columns: vec![column],
            rows: None,
        }),
        names: vec!["code".to_owned()],
        checks: vec![],
    }
}

/// The digest of what is confined, or the code of the refusal.
fn confined(stage: &Stage, aim: Aim) -> Result<Digest, String> {
    let permit = stage.gateway.permit(&stage.asking(), aim.permitted());
    let confined = stage.gateway.confined_for(permit.unwrap(), codes(), aim);
    let confined = confined.map_err(|refused| refused.code)?;
    Ok(confined.digest())
}

#[tokio::test]
async fn what_leaves_is_the_plan_of_a_product_while_it_stands_approved() {
    let stage = Stage::set().await;
    let none = || Err("egress.no-product".to_owned());
    let plan = confined(&stage, Aim::Trial).unwrap();
    assert_eq!(confined(&stage, Aim::Export), none());
    let step = async |id: &str, step: &str, scenario: &str, plan: Digest| {
        let product = event(
            json!({"event": "product-step", "by": "ann", "stage": step, "product": {
            "id": id, "form": "report", "scenario": scenario, "title": "P", "benefit": "public",
            "plan": plan, "disclosure": Digest::of(b"r"), "validation": {"kind": "validation",
            "title": "V", "until": "2099-01-01"}}, "course": {"since": "2026-01-01"}}),
        );
        stage.stand(product).await;
    };
    // Another plan's, and another scenario's.
    step("p-1", "granted", "s", Digest::of(b"another")).await;
    step("p-2", "granted", "elsewhere", plan).await;
    assert_eq!(confined(&stage, Aim::Export), none());
    for (stands, may) in [
        ("applied", false),
        ("granted", true),
        ("published", true),
        ("recalled", false),
    ] {
        step("p-3", stands, "s", plan).await;
        let expect = if may { Ok(plan) } else { none() };
        assert_eq!(confined(&stage, Aim::Export), expect, "{stands}");
        // Inside nothing changes.
        assert_eq!(confined(&stage, Aim::Query), Ok(plan));
    }
}

/// A statement that is longer than may run, and fills the log with itself no more than it runs.
#[tokio::test]
async fn of_a_statement_too_long_to_run_the_beginning_and_the_digest_are_on_record() {
    let stage = Stage::set().await;
    let most = stage.gateway.pool.sql_bytes_max();
    let ledger = &stage.gateway.domain.ledger;
    let on_record = |sql: &str| {
        let events = ledger.events(0).unwrap().map(Result::unwrap);
        let opened = events.filter(|at| matches!(at.event, Event::OperationOpened { .. }));
        let text = ledger.reader().sealed(opened.last().unwrap().index);
        let text: serde_json::Value = serde_json::from_slice(&text.unwrap().unwrap()).unwrap();
        let text = text["sql"].as_str().unwrap().to_owned();
        (text == sql, text)
    };
    // A character of three bytes stands across the end of the beginning.
    let long = format!("SELECT '{}'", "数".repeat(most));
    let refused = stage.gateway.explain(&stage.asking(), &long).await;
    assert_eq!(refused.unwrap_err().code, "planner.too-large");
    let (_, text) = on_record(&long);
    assert!(text.len() < 2 * BEGINNING_BYTES, "{} bytes", text.len());
    let (beginning, rest) = text.split_once("\n-- ").unwrap();
    assert!(long.starts_with(beginning) && beginning.len() > BEGINNING_BYTES - 3);
    let digest = Digest::of(long.as_bytes());
    assert_eq!(
        rest,
        format!("the beginning of {} bytes, of SHA-256 {digest}", long.len())
    );
    // What may run is on record as it is, to its last byte; here no planner is there to run it.
    let just = format!("SELECT '{}'", "x".repeat(most - 9));
    assert_eq!(just.len(), most);
    stage
        .gateway
        .explain(&stage.asking(), &just)
        .await
        .unwrap_err();
    assert!(on_record(&just).0);
}

/// Whether a licence still has its first refusal of the day.
async fn has_all(stage: &Stage, permit: &Permit) -> bool {
    let (licence, mut budget) = (permit.licence(), permit.budget());
    budget.per_day.refusals = 1;
    let days = (now().date_naive(), licence.from);
    let register = &stage.gateway.domain.disclosure;
    let debited = register
        .debit_query(licence.id.as_str(), days, &budget)
        .await;
    debited.is_ok()
}

#[tokio::test]
async fn a_run_that_does_not_begin_costs_a_refusal_over_people_unless_nobody_was_free() {
    let stage = Stage::set().await;
    let granted = || {
        stage
            .gateway
            .permit(&stage.asking(), Action::Query)
            .unwrap()
    };
    let domain = &stage.gateway.domain;
    let (busy, died) = (
        dispatch::Failure::Busy(dispatch::Worker::Runner),
        dispatch::Failure::OutOfMemory(dispatch::Worker::Runner),
    );
    let open = granted();
    domain.debit_stopped(&open, &died).await.unwrap();
    assert!(
        has_all(&stage, &open).await,
        "open data says nothing of anybody"
    );
    stage.stand_people().await;
    let people = granted();
    domain.debit_stopped(&people, &busy).await.unwrap();
    assert!(
        has_all(&stage, &people).await,
        "that nobody was free says nothing"
    );
    domain.debit_stopped(&people, &died).await.unwrap();
    assert!(!has_all(&stage, &people).await);
}
