use crate::{Digest, Evidence, ProductId, ScenarioId};

/// What came out of operation and is offered (公共数据产品). It is bound to one scenario.
///
/// Source: AO-3, AO-17, AO-24.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Product {
    /// Which.
    pub id: ProductId,
    /// In which of the seven forms.
    pub form: Form,
    /// Of which scenario.
    pub scenario: ScenarioId,
    /// What people call it.
    pub title: String,
    /// For whose benefit, which decides what is paid.
    pub benefit: Benefit,
    /// What is paid for it; none where it is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Fee>,
    /// The digest of the confined plan whose results it releases; none where it releases none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Digest>,
    /// That it was validated and checked for hazards. Source: AO-16(2).
    pub validation: Evidence,
    /// The digest of the disclosure report that goes with it: what is computed of what, how it is
    /// masked, which thresholds it met. Made by the domain, never typed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure: Option<Digest>,
}

/// The seven forms of a product. Source: AO-3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// 数据集.
    Dataset,
    /// 数据接口.
    Api,
    /// 算法模型.
    Model,
    /// 数据工具.
    Tool,
    /// 数据应用.
    App,
    /// 数据服务.
    Service,
    /// 数据报告.
    Report,
}

/// For whose benefit data is operated on. Source: AO-23.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Benefit {
    /// 公共治理、公益事业: free, under conditions.
    Public,
    /// 产业发展、行业发展: paid, under conditions.
    Industry,
}

/// A fee standard. Source: AO-22, AO-23.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fee {
    /// For what: a call, a month, an export.
    pub unit: String,
    /// In hundredths of a yuan (分).
    pub cents: u64,
}

impl Form {
    /// The seven forms.
    pub const ALL: [Self; 7] = [
        Self::Dataset,
        Self::Api,
        Self::Model,
        Self::Tool,
        Self::App,
        Self::Service,
        Self::Report,
    ];

    /// The form as events and commands write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Api => "api",
            Self::Model => "model",
            Self::Tool => "tool",
            Self::App => "app",
            Self::Service => "service",
            Self::Report => "report",
        }
    }
}
