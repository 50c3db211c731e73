//! The course of what is applied for: at which step it is since when, what is owed by when, and why it
//! was stopped.

use crate::PersonId;
use chrono::NaiveDate;

/// A step of a procedure. Source: AO-9, AO-10, AO-12, AO-17.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// 申请.
    Applied,
    /// 审核.
    Reviewed,
    /// 公示.
    Noticed,
    /// 审定: it stands. Of a product: 登记, it is certified.
    Granted,
    /// 发布, of a product.
    Published,
    /// 暂停.
    Suspended,
    /// 不予批准.
    Refused,
    /// 终止.
    Terminated,
    /// 到期.
    Expired,
    /// Its purpose is met, or it was given back.
    Closed,
    /// 下架, of a product.
    Recalled,
}

/// What is known of the course beside the step. Days are the domain's civil days.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Course {
    /// The day of the last step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<NaiveDate>,
    /// The last day for the authority's next step. Source: PD-24.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<NaiveDate>,
    /// The last day of the public notice. Source: AO-9.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_until: Option<NaiveDate>,
    /// The last day for rectification. Source: AO-10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rectify_by: Option<NaiveDate>,
    /// Why it was stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The last day on which the operator may not apply again. Source: AO-10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barred_until: Option<NaiveDate>,
    /// Who found it in order, and in which respect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<Review>,
}

/// Somebody found an application in order in one respect.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Review {
    /// Who.
    pub by: PersonId,
    /// In which respect.
    pub aspect: Aspect,
    /// When.
    pub on: NaiveDate,
}

/// In which respect an application is judged (合理性、合规性、安全性). Source: AO-12.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// 合理性: what is asked for fits the purpose.
    Reasonableness,
    /// 合规性: it is lawful.
    Compliance,
    /// 安全性: it is safe.
    Security,
}

/// Why something was stopped: a closed list, so that no leaf holds free text; the reason in words is
/// in the sealed part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// 违规使用公共数据. Source: AO-10(1).
    Misuse,
    /// 未采取安全保障措施. Source: AO-10(2).
    Unsafe,
    /// 评估结果不符合要求. Source: AO-10(3), AO-29.
    AssessmentFailed,
    /// 违反法律、法规. Source: AO-10(4).
    Unlawful,
    /// 其他严重违反协议. Source: AO-10(5).
    AgreementBreached,
    /// Not rectified by the day that was set. Source: AO-10.
    NotRectified,
    /// The operator reported that something dangerous came to light. Source: AO-15.
    RiskReported,
    /// The purpose is met. Source: AO-19.
    PurposeMet,
    /// The purpose cannot be met any more. Source: AO-19.
    PurposeUnattainable,
    /// The holder gave it back.
    Surrendered,
    /// An authority ordered it.
    Ordered,
}

// === impl Stage ===

impl Stage {
    /// All stages.
    pub const ALL: [Self; 11] = [
        Self::Applied,
        Self::Reviewed,
        Self::Noticed,
        Self::Granted,
        Self::Published,
        Self::Suspended,
        Self::Refused,
        Self::Terminated,
        Self::Expired,
        Self::Closed,
        Self::Recalled,
    ];

    /// The stage as events and commands write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Reviewed => "reviewed",
            Self::Noticed => "noticed",
            Self::Granted => "granted",
            Self::Published => "published",
            Self::Suspended => "suspended",
            Self::Refused => "refused",
            Self::Terminated => "terminated",
            Self::Expired => "expired",
            Self::Closed => "closed",
            Self::Recalled => "recalled",
        }
    }
}

// === impl Course ===

impl Course {
    /// A course whose last step was on this day; reviews stay, what was owed does not.
    #[must_use]
    pub fn stepped(self, on: NaiveDate) -> Self {
        Self {
            since: Some(on),
            reviews: self.reviews,
            ..Self::default()
        }
    }

    /// Whether somebody found it in order in this respect.
    #[must_use]
    pub fn is_reviewed(&self, aspect: Aspect) -> bool {
        self.reviews.iter().any(|review| review.aspect == aspect)
    }
}

// === impl Aspect ===

impl Aspect {
    /// All aspects.
    pub const ALL: [Self; 3] = [Self::Reasonableness, Self::Compliance, Self::Security];

    /// The aspect as events and commands write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reasonableness => "reasonableness",
            Self::Compliance => "compliance",
            Self::Security => "security",
        }
    }
}

// === impl Cause ===

impl Cause {
    /// Whether what ends for this cause bars the operator for three years: revocation for breach of law
    /// or rules. Source: AO-10.
    #[must_use]
    pub const fn bars(self) -> bool {
        match self {
            Self::Misuse
            | Self::Unsafe
            | Self::Unlawful
            | Self::AgreementBreached
            | Self::NotRectified => true,
            Self::AssessmentFailed
            | Self::RiskReported
            | Self::PurposeMet
            | Self::PurposeUnattainable
            | Self::Surrendered
            | Self::Ordered => false,
        }
    }
}
