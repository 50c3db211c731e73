use crate::{OperatorId, PersonId, ViolationId};
use chrono::NaiveDate;

/// A recorded violation (违规). What happened in words is in the sealed part. Source: OD-1.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Violation {
    /// Which.
    pub id: ViolationId,
    /// Whose.
    pub operator: OperatorId,
    /// Of which kind.
    pub kind: Violated,
    /// What was done about it.
    pub measure: Measure,
    /// Who put it on record.
    pub recorded_by: PersonId,
    /// When.
    pub recorded: NaiveDate,
    /// When the measure was lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<NaiveDate>,
}

/// The five kinds of violation. Source: OD-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Violated {
    /// （一）违反平台管理制度.
    PlatformRules,
    /// （二）采用非法手段获取公共数据.
    UnlawfulAcquisition,
    /// （三）侵犯商业秘密、个人隐私等他人合法权益.
    OthersRights,
    /// （四）超出协议限制的应用场景使用公共数据.
    BeyondScenario,
    /// （五）违反法律、法规、规章和协议的其他行为.
    OtherBreach,
}

/// What is done about a violation. Source: OD-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// 公示 alone.
    Published,
    /// 限制: nothing new is applied for.
    Restricted,
    /// 关闭: no access.
    Closed,
}

impl Violated {
    /// The five kinds.
    pub const ALL: [Self; 5] = [
        Self::PlatformRules,
        Self::UnlawfulAcquisition,
        Self::OthersRights,
        Self::BeyondScenario,
        Self::OtherBreach,
    ];
}
