use super::*;
use crate::stage::{Stage, event};
use plan::{Node, Plan, Scan, ScanColumn, View};
use serde_json::json;
use terms::{Digest, Type};

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
