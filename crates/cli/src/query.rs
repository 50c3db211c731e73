//! `bonded query` and `bonded receipt`.

use crate::{
    Failure,
    args::{AsWhom, Format, Query, block_on},
    client::{self, Answer},
    profile, table,
};
use std::io::Write;
use wire::operations::{ReceiptRequest, operations_client::OperationsClient};

/// Rows a table shows before it only counts.
const TABLE_ROWS_MAX: usize = 200;

pub(crate) fn query(query: &Query, json: bool) -> Result<(), Failure> {
    let profile = profile::read(&query.statement.as_whom.profile)?;
    let answer = block_on(async {
        let scenario = query.statement.as_whom.scenario.as_deref();
        client::connect(&profile, scenario)
            .await?
            .query(&query.statement.sql)
            .await
    })?;
    let format = if json { Format::Json } else { query.format };
    let bytes = written(&answer, format)?;
    let stdout = std::io::stdout().lock().write_all(&bytes);
    stdout.map_err(|error| Failure::Other(error.to_string()))?;
    if format == Format::Table {
        eprint!("{}", told(&answer));
    }
    Ok(())
}

fn written(answer: &Answer, format: Format) -> Result<Vec<u8>, Failure> {
    let Answer {
        schema,
        batches,
        receipt,
    } = answer;
    match format {
        Format::Table => Ok(table::table(schema, batches, TABLE_ROWS_MAX).into_bytes()),
        Format::Csv => table::csv(schema, batches),
        Format::Arrow => table::ipc(schema, batches),
        Format::Json => {
            let mut value = table::json(schema, batches);
            if let Some(object) = value.as_object_mut() {
                object.insert("receipt".into(), receipt.clone());
            }
            Ok(format!("{value}\n").into_bytes())
        }
    }
}

/// What was left out and withheld, and the receipt, in a few lines.
pub(crate) fn told(answer: &Answer) -> String {
    let rows: usize = answer
        .batches
        .iter()
        .map(arrow::array::RecordBatch::num_rows)
        .sum();
    let receipt = &answer.receipt;
    let text = |key: &str| {
        receipt
            .get(key)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
    };
    let mut told = format!("{rows} rows / {rows} 行\n");
    for key in ["notice_en", "notice_zh", "accuracy_en", "accuracy_zh"] {
        if !text(key).is_empty() {
            told.push_str(&format!("{}\n", text(key)));
        }
    }
    if let Some(left_out) = receipt.get("left_out").and_then(|value| value.as_array())
        && !left_out.is_empty()
    {
        let names: Vec<String> = left_out
            .iter()
            .map(|item| {
                let part = |key: &str| item.get(key).and_then(|v| v.as_str()).unwrap_or_default();
                format!("{}.{}", part("dataset"), part("item"))
            })
            .collect();
        told.push_str(&format!("left out / 未显示: {}\n", names.join(", ")));
    }
    if let Some(index) = receipt.get("index").and_then(serde_json::Value::as_u64) {
        told.push_str(&format!("receipt / 回执: #{index} {}\n", text("query")));
    }
    told
}

pub(crate) fn receipt(as_whom: &AsWhom, query: &str, json: bool) -> Result<(), Failure> {
    let profile = profile::read(&as_whom.profile)?;
    let reply = block_on(async {
        let client = client::connect(&profile, as_whom.scenario.as_deref()).await?;
        let mut operations = OperationsClient::new(client.channel.clone());
        let request = client.request(ReceiptRequest {
            query: query.to_owned(),
        });
        let reply = operations.receipt(request).await;
        Ok(reply
            .map_err(|status| Failure::answered(&status))?
            .into_inner())
    })?;
    let row: serde_json::Value =
        serde_json::from_str(&reply.json).map_err(|error| Failure::Other(error.to_string()))?;
    if json {
        let value = serde_json::json!({"query": query, "index": reply.index,
            "proof": reply.proof, "receipt": row});
        println!("{value}");
    } else {
        eprint!("{}", receipt_told(&row));
        print!("{}", reply.proof);
    }
    Ok(())
}

/// What the log has of an operation, a line each; the proof alone goes to standard output.
fn receipt_told(row: &serde_json::Value) -> String {
    let lines = row
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), ToOwned::to_owned);
            (!value.is_null()).then(|| format!("{key} {text}\n"))
        });
    lines.collect()
}
