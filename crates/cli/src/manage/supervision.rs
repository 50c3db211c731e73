use super::{Id, Managed, list, step};
use crate::Failure;
use clap::Subcommand;
use wire::management::{
    self, Named, ObjectionAnswer, objections_client::ObjectionsClient as Objections,
    violations_client::ViolationsClient as Violations,
};

/// Violations / 违规
#[derive(Debug, Subcommand)]
pub(crate) enum Violation {
    /// Put on record / 记录
    Record {
        #[command(flatten)]
        id: Id,
        /// Whose / 运营单位
        #[arg(long)]
        operator: String,
        /// platform-rules, unlawful-acquisition, others-rights, beyond-scenario or other-breach / 种类
        #[arg(long)]
        kind: String,
        /// published, restricted or closed / 措施
        #[arg(long)]
        measure: String,
        /// What happened; kept sealed / 事实（密封保存）
        #[arg(long)]
        reason: String,
    },
    /// End what was done about it / 解除措施
    Lift(Id),
    /// The public list / 公示名单
    List,
}

/// Objections / 异议
#[derive(Debug, Subcommand)]
pub(crate) enum Objection {
    /// Lodge / 提出
    Lodge {
        #[command(flatten)]
        id: Id,
        /// Against an item of this dataset / 数据集
        #[arg(long, requires = "item", default_value = "")]
        dataset: String,
        /// Which item / 数据项
        #[arg(long, default_value = "")]
        item: String,
        /// Against a licence under notice / 公示中的授权
        #[arg(long, default_value = "")]
        licence: String,
        /// What is wrong; kept sealed / 理由（密封保存）
        #[arg(long)]
        reason: String,
    },
    /// Answer / 答复
    Answer {
        #[command(flatten)]
        id: Id,
        /// It is right; otherwise it is not / 成立
        #[arg(long)]
        upheld: bool,
        /// Why; kept sealed / 理由（密封保存）
        #[arg(long)]
        reason: String,
    },
    /// Objections / 列表
    List,
}

pub(crate) fn violation(given: Managed<Violation>, json: bool) -> Result<(), Failure> {
    let whom = given.profile.as_deref();
    let as_told = (whom, json);
    match given.verb {
        Violation::Record {
            id,
            operator,
            kind,
            measure,
            reason,
        } => {
            let violation = management::Violation {
                id: id.id,
                operator,
                kind,
                measure,
                reason,
            };
            step(as_told, async |to| {
                Violations::new(to).record(violation).await
            })
        }
        Violation::Lift(id) => step(as_told, async |to| {
            Violations::new(to).lift(Named::from(id)).await
        }),
        Violation::List => list((whom, json), async |to, page| {
            Violations::new(to).list(page).await
        }),
    }
}

pub(crate) fn objection(given: Managed<Objection>, json: bool) -> Result<(), Failure> {
    let whom = given.profile.as_deref();
    let as_told = (whom, json);
    match given.verb {
        Objection::Lodge {
            id,
            dataset,
            item,
            licence,
            reason,
        } => {
            let objection = management::Objection {
                id: id.id,
                dataset,
                item,
                licence,
                reason,
            };
            step(as_told, async |to| {
                Objections::new(to).lodge(objection).await
            })
        }
        Objection::Answer { id, upheld, reason } => {
            let answer = ObjectionAnswer {
                id: id.id,
                upheld,
                reason,
            };
            step(as_told, async |to| Objections::new(to).answer(answer).await)
        }
        Objection::List => list((whom, json), async |to, page| {
            Objections::new(to).list(page).await
        }),
    }
}
