use super::{
    File, Id, IdCause, IdReason, Managed, call, document, domain::default_schema, list, step, tell,
};
use crate::Failure;
use clap::Subcommand;
use wire::management::{
    Caused, Document, Named, Pair, Reasoned, scenarios_client::ScenariosClient as Scenarios,
};

/// Scenarios / 应用场景
#[derive(Debug, Subcommand)]
pub(crate) enum Scenario {
    /// Apply, with the item list / 申请（含数据项清单）
    Apply(File),
    /// Review in one respect / 审核
    Review {
        #[command(flatten)]
        id: Id,
        /// reasonableness, compliance or security / 审核方面
        #[arg(long)]
        aspect: String,
    },
    /// Approve / 审定
    Approve(Id),
    /// Turn down / 不予批准
    Refuse(IdReason),
    /// Suspend / 暂停
    Suspend(IdCause),
    /// Stop at once and tell the authorities / 发现风险，立即停止并报告
    ReportRisk(IdReason),
    /// Open again / 恢复
    Resume(Id),
    /// Close / 关闭
    Close {
        #[command(flatten)]
        id: Id,
        /// purpose-met, purpose-unattainable, surrendered or ordered / 事由
        #[arg(long)]
        cause: String,
    },
    /// Scenarios / 列表
    List,
    /// One scenario / 详情
    Show(Id),
}

pub(crate) fn scenario(given: Managed<Scenario>, json: bool) -> Result<(), Failure> {
    let whom = given.profile.as_deref();
    let as_told = (whom, json);
    match given.verb {
        Scenario::Apply(File { file }) => {
            let json = document::scenario(&file, &default_schema(whom)?)?;
            step(as_told, async |to| {
                Scenarios::new(to).apply(Document { json }).await
            })
        }
        Scenario::Review { id, aspect: word } => {
            let pair = Pair { id: id.id, word };
            step(as_told, async |to| Scenarios::new(to).review(pair).await)
        }
        Scenario::Approve(id) => step(as_told, async |to| {
            Scenarios::new(to).approve(Named::from(id)).await
        }),
        Scenario::Refuse(why) => step(as_told, async |to| {
            Scenarios::new(to).refuse(Reasoned::from(why)).await
        }),
        Scenario::Suspend(why) => step(as_told, async |to| {
            Scenarios::new(to).suspend(Caused::from(why)).await
        }),
        Scenario::ReportRisk(why) => step(as_told, async |to| {
            Scenarios::new(to).report_risk(Reasoned::from(why)).await
        }),
        Scenario::Resume(id) => step(as_told, async |to| {
            Scenarios::new(to).resume(Named::from(id)).await
        }),
        Scenario::Close { id, cause } => {
            let caused = Caused {
                id: id.id,
                cause,
                ..Caused::default()
            };
            step(as_told, async |to| Scenarios::new(to).close(caused).await)
        }
        Scenario::List => list((whom, json), async |to, page| {
            Scenarios::new(to).list(page).await
        }),
        Scenario::Show(id) => {
            let one = call(whom, async |to| {
                Scenarios::new(to).show(Named::from(id)).await
            })?;
            tell(&one.json, json);
            Ok(())
        }
    }
}
