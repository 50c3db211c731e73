//! `bonded explain`: the decision without touching data.

use crate::{
    Failure,
    args::{Statement, block_on},
    client, profile,
};
use serde_json::Value;
use wire::operations::{ExplainRequest, operations_client::OperationsClient};

pub(crate) fn explain(statement: &Statement, json: bool) -> Result<(), Failure> {
    let profile = profile::read(&statement.as_whom.profile)?;
    let reply = block_on(async {
        let client = client::connect(&profile, statement.as_whom.scenario.as_deref()).await?;
        let mut operations = OperationsClient::new(client.channel.clone());
        let request = client.request(ExplainRequest {
            sql: statement.sql.clone(),
        });
        let reply = operations.explain(request).await;
        Ok(reply
            .map_err(|status| Failure::answered(&status))?
            .into_inner())
    })?;
    if json {
        println!("{}", reply.json);
        return Ok(());
    }
    let value: Value =
        serde_json::from_str(&reply.json).map_err(|error| Failure::Other(error.to_string()))?;
    print!("{}", told(&value));
    Ok(())
}

/// The decision for people.
#[expect(
    clippy::too_many_lines,
    reason = "one paragraph after the other, as they are read"
)]
pub(crate) fn told(value: &Value) -> String {
    let text = |value: &Value, key: &str| {
        let found = value.get(key).cloned().unwrap_or_default();
        found
            .as_str()
            .map_or_else(|| found.to_string(), ToOwned::to_owned)
    };
    let list = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let mut told = String::from("granted / 准许\n");
    for column in list("columns") {
        told.push_str(&format!(
            "  {} {}",
            text(&column, "name"),
            text(&column, "type")
        ));
        let sources = column
            .get("sources")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let sources: Vec<String> = sources
            .iter()
            .map(|s| {
                let (dataset, item) = (text(s, "dataset"), text(s, "item"));
                format!(
                    "{dataset}.{item} (grade {}, {})",
                    text(s, "grade"),
                    text(s, "way")
                )
            })
            .collect();
        if !sources.is_empty() {
            told.push_str(&format!(" ← {}", sources.join(", ")));
        }
        told.push('\n');
    }
    for item in list("left_out") {
        told.push_str(&format!(
            "  left out / 未显示: {}.{}\n",
            text(&item, "dataset"),
            text(&item, "item")
        ));
    }
    for dataset in list("datasets") {
        told.push_str(&format!(
            "{}: k = {}",
            text(&dataset, "name"),
            text(&dataset, "k")
        ));
        if dataset.get("show_rows") == Some(&Value::Bool(true)) {
            let snapshot = text(&dataset, "snapshot");
            told.push_str(&format!(", rows shown / 逐行可见; snapshot {snapshot}"));
        }
        told.push('\n');
    }
    if let Some(caps) = value.get("obligations") {
        told.push_str(&format!(
            "at most / 最多: {} rows / 行, {} bytes / 字节\n",
            text(caps, "rows_max"),
            text(caps, "result_bytes_max")
        ));
    }
    if value.get("two_approvals") == Some(&Value::Bool(true)) {
        told.push_str("leaves with two approvals alone / 出域须经两方批准\n");
    }
    told.push_str(&format!(
        "plan {}\n{}",
        text(value, "plan"),
        text(value, "printed")
    ));
    told
}
