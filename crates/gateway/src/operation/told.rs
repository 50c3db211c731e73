use super::running::Closed;
use chrono::DateTime;
use confine::{Confined, ReceiptRow};
use serde_json::json;
use terms::{Accuracy, Notice};

pub(super) fn explained(confined: &Confined) -> serde_json::Value {
    let permit = confined.permit();
    let columns: Vec<_> = confined
        .columns()
        .iter()
        .map(|column| {
            json!({"name": column.name, "type": column.data_type, "sources": column.sources})
        })
        .collect();
    let read: Vec<_> = confined
        .sources()
        .into_iter()
        .map(|(dataset, ..)| dataset)
        .collect();
    let datasets: Vec<_> = permit
        .datasets()
        .iter()
        .filter(|dataset| read.contains(&dataset.name))
        .map(|d| {
            json!({"name": d.name, "protected": d.protected, "k": d.k, "show_rows": d.show_rows,
                "snapshot": d.snapshot})
        })
        .collect();
    json!({
        "decision": "granted",
        "plan": confined.digest(),
        "printed": confined.plan().print(),
        "columns": columns,
        "influences": confined.influences(),
        "left_out": confined.left_out(),
        "references": confined.references(),
        "datasets": datasets,
        "row_level": confined.is_row_level(),
        "thresholds_apply": confined.notice_possible(),
        "obligations": confined.obligations(),
        "two_approvals": confined.owed().two_approvals,
        "policies": permit.policies(),
        "register": confined.register(),
    })
}

/// How exact a perturbed result is, in words.
fn accuracy_told(accuracy: &Accuracy) -> (String, String) {
    let Accuracy {
        cells,
        count_max,
        count_deviation,
        sum_deviation,
    } = accuracy;
    (
        format!(
            "{cells} cells would name a small group together with earlier releases and carry noise: counts by at most {count_max} (standard deviation {count_deviation}), sums by {sum_deviation} largest contributions of one subject (standard deviation)."
        ),
        format!(
            "有{cells}个单元与以前放行的结果合并后会指向人数过少的群体，已加入噪声：计数最多偏差{count_max}（标准差{count_deviation}），合计的噪声标准差为单个主体最大贡献的{sum_deviation}倍。"
        ),
    )
}

/// A receipt as the log has it, told afterwards.
pub(super) fn told_again(row: &ReceiptRow) -> serde_json::Value {
    let time = |micros: Option<i64>| micros.and_then(DateTime::from_timestamp_micros);
    json!({
        "query": row.query,
        "opened": time(Some(row.opened)),
        "ended": time(row.ended),
        "action": row.action,
        "scenario": row.scenario,
        "outcome": row.outcome,
        "code": row.code,
        "rows": row.rows,
        "bytes": row.bytes,
        "notice": row.notice,
        "register": row.register,
        "index": row.index,
    })
}

/// The receipt as a client reads it.
pub(super) fn told(closed: &Closed) -> serde_json::Value {
    let (en, zh) = match closed.facts.notice {
        Notice::NotApplicable => ("", ""),
        Notice::Standing => (
            "Small or dominated groups, if any, are withheld.",
            "人数过少或被少数主体支配的分组（如有）不予公布。",
        ),
        Notice::GroupsWithheld => (
            "Some groups were withheld because they are small or dominated.",
            "部分分组因人数过少或被少数主体支配而未予公布。",
        ),
    };
    let accuracy = closed.facts.accuracy;
    let (accuracy_en, accuracy_zh) = accuracy.as_ref().map(accuracy_told).unwrap_or_default();
    json!({
        "query": closed.receipt.query,
        "index": closed.receipt.index,
        "checkpoint": closed.receipt.checkpoint,
        "pilot": closed.receipt.pilot,
        "register": closed.receipt.register,
        "rows": closed.facts.rows,
        "bytes": closed.facts.bytes,
        "result": closed.facts.result,
        "notice": closed.facts.notice,
        "notice_en": en,
        "notice_zh": zh,
        "accuracy": accuracy,
        "accuracy_en": accuracy_en,
        "accuracy_zh": accuracy_zh,
        "left_out": closed.confined.left_out(),
    })
}
