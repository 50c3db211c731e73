//! The one action of our own: a result that is kept inside, asked for by a Flight client.

use crate::{Asking, Gateway, Refused};
use arrow_flight::{Action, ActionType};
use serde_json::Value;
use std::sync::Arc;

/// The action's name.
pub(super) const MATERIALISE: &str = "bonded.materialise";

/// What the action's body says, as JSON.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// What statements call it: `work.NAME`.
    name: String,
    sql: String,
    /// How many days it is kept; as many as the domain says, if not given.
    #[serde(default)]
    days: Option<u32>,
}

/// The action, as clients are told of it.
pub(super) fn action() -> ActionType {
    ActionType {
        r#type: MATERIALISE.to_owned(),
        description: "Keeps the result of a statement inside, as work.NAME of the scenario. \
                      Body: JSON with name, sql and, where wanted, days. Result: JSON."
            .to_owned(),
    }
}

/// Does it, and tells what is kept.
pub(super) async fn materialise(
    gateway: &Arc<Gateway>,
    asking: &Asking,
    action: &Action,
) -> Result<Value, Refused> {
    let wanted: Wanted = serde_json::from_slice(&action.body).map_err(|_| {
        Refused::invalid(
            "flight.malformed",
            "the body is JSON with name, sql and, where wanted, days.",
            "请求体须为含 name、sql 及可选 days 的 JSON。",
        )
    })?;
    let Wanted { name, sql, days } = wanted;
    gateway.materialise(asking, (&sql, &name), days).await
}
