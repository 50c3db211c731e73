//! `bonded materialise`.

use crate::{
    Failure,
    args::{Materialise, block_on},
    client, profile,
};
use serde_json::Value;
use wire::operations::{MaterialiseRequest, operations_client::OperationsClient};

pub(crate) fn materialise(given: &Materialise, json: bool) -> Result<(), Failure> {
    let whom = &given.statement.as_whom;
    let profile = profile::read(&whom.profile)?;
    let wanted = MaterialiseRequest {
        sql: given.statement.sql.clone(),
        name: given.name.clone(),
        days: given.days.unwrap_or(0),
    };
    let told = block_on(async {
        let client = client::connect(&profile, whom.scenario.as_deref()).await?;
        let request = client.request(wanted);
        let mut operations = OperationsClient::new(client.channel.clone());
        let reply = operations.materialise(request).await;
        let reply = reply.map_err(|status| Failure::answered(&status))?;
        Ok(reply.into_inner().json)
    })?;
    if json {
        println!("{told}");
        return Ok(());
    }
    let told: Value = serde_json::from_str(&told).unwrap_or_default();
    print!("{}", worded(&told));
    Ok(())
}

/// What is kept, for people.
fn worded(told: &Value) -> String {
    let text = |of: &Value, key: &str| match of.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let each = |key: &str| {
        let all = told.get(key).and_then(Value::as_array);
        all.cloned().unwrap_or_default()
    };
    let (kept, until) = (text(told, "kept"), text(told, "until"));
    let mut worded = format!("{kept}: kept until {until} / 已在域内留存至 {until}\n");
    for column in each("columns") {
        let [name, data_type, grade] = ["name", "type", "grade"].map(|key| text(&column, key));
        worded.push_str(&format!("  {name} {data_type}, grade / 等级 {grade}\n"));
    }
    if told.get("people").and_then(Value::as_bool) == Some(true) {
        worded.push_str("  rows of people; how many is not told / 个人记录，行数不予告知\n");
    } else {
        worded.push_str(&format!("  rows / 行数: {}\n", text(told, "rows")));
    }
    for item in each("left_out") {
        let [dataset, item] = ["dataset", "item"].map(|key| text(&item, key));
        worded.push_str(&format!("  left out / 未含: {dataset}.{item}\n"));
    }
    worded.push_str(&format!(
        "query {} #{}\n",
        text(told, "query"),
        text(told, "index")
    ));
    worded
}
