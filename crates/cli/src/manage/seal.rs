//! `bonded domain seal …`: 封存.

use super::{ANSWER_BYTES_MAX, call, list, step, tell};
use crate::Failure;
use clap::{Args, Subcommand};
use std::path::Path;
use wire::management::{Dated, Named, SealRequest, seals_client::SealsClient as Seals};

/// Seals / 封存
#[derive(Debug, Subcommand)]
pub(crate) enum Sealing {
    /// Seal data: nothing of it is operated on, comes in or is destroyed / 封存
    Seal {
        #[command(flatten)]
        unit: Unit,
        /// investigation, incident, dispute, ended or order / 事由
        #[arg(long)]
        basis: String,
        /// The last day on which nobody may release it / 封存至
        #[arg(long)]
        until: String,
    },
    /// A later day / 延长封存
    ExtendSeal {
        #[command(flatten)]
        unit: Unit,
        /// The last day on which nobody may release it / 封存至
        #[arg(long)]
        until: String,
    },
    /// Ask that a seal be released, once its day is over / 申请解封
    ReleaseSeal(Unit),
    /// Approve it; the second approval, of another role, releases / 批准解封
    ApproveRelease(Unit),
    /// Hash every file of it again, and hold that against the list on record / 核验封存
    SealCheck(Unit),
    /// The seals that stand / 封存列表
    Seals,
}

/// What is sealed.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Unit {
    /// A dataset / 数据集
    #[arg(long)]
    dataset: Option<String>,
    /// What a scenario sees / 场景编号
    #[arg(long)]
    scenario: Option<String>,
    /// What the scenarios of a licence see / 授权编号
    #[arg(long)]
    licence: Option<String>,
}

pub(super) fn sealing(as_told: (Option<&Path>, bool), given: Sealing) -> Result<(), Failure> {
    let (whom, json) = as_told;
    match given {
        Sealing::Seal { unit, basis, until } => {
            let request = SealRequest {
                unit: unit.name(),
                basis,
                day: until,
            };
            step(as_told, async |to| Seals::new(to).seal(request).await)
        }
        Sealing::ExtendSeal { unit, until } => {
            let dated = Dated {
                id: unit.name(),
                day: until,
            };
            step(as_told, async |to| Seals::new(to).extend(dated).await)
        }
        Sealing::ReleaseSeal(unit) => step(as_told, async |to| {
            Seals::new(to).request_release(unit.named()).await
        }),
        Sealing::ApproveRelease(unit) => step(as_told, async |to| {
            Seals::new(to).approve_release(unit.named()).await
        }),
        Sealing::SealCheck(unit) => {
            let found = call(whom, async |to| {
                let client = Seals::new(to).max_decoding_message_size(ANSWER_BYTES_MAX);
                { client }.check(unit.named()).await
            })?;
            tell(&found.json, json);
            broken(&found.json)
        }
        Sealing::Seals => list(as_told, async |to, page| Seals::new(to).list(page).await),
    }
}

/// A seal whose files are not what was sealed is a bad end.
fn broken(json: &str) -> Result<(), Failure> {
    let told: serde_json::Value =
        serde_json::from_str(json).map_err(|why| Failure::Other(why.to_string()))?;
    if told.get("holds").and_then(serde_json::Value::as_bool) == Some(true) {
        return Ok(());
    }
    let text = "the files are not what was sealed / 文件与封存时不一致";
    Err(Failure::Other(text.to_owned()))
}

// === impl Unit ===

impl Unit {
    /// `dataset/city.visits`.
    fn name(&self) -> String {
        let of = |kind: &str, id: &Option<String>| id.as_ref().map(|id| format!("{kind}/{id}"));
        let known = of("dataset", &self.dataset).or_else(|| of("scenario", &self.scenario));
        known
            .or_else(|| of("licence", &self.licence))
            .unwrap_or_default()
    }

    fn named(&self) -> Named {
        Named { id: self.name() }
    }
}
