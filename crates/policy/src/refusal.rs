use terms::Told;

/// A request that policy refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The caller did not say for which scenario.
    #[error("no scenario named")]
    NoScenario,
    /// There is no such scenario for this caller; whether it exists is not told.
    #[error("no such scenario for this caller")]
    UnknownScenario,
    /// The scenario is not approved.
    #[error("scenario not granted")]
    ScenarioNotGranted,
    /// The product is not published, or was recalled.
    #[error("product not published")]
    ProductNotPublished,
    /// The licence is not granted or was suspended.
    #[error("licence not granted")]
    LicenceNotGranted,
    /// The licence has not begun or is over.
    #[error("licence outside its term")]
    LicenceNotInTerm,
    /// No emergency plan is filed.
    #[error("no emergency plan")]
    NoEmergencyPlan,
    /// An assessment of the operator is over.
    #[error("evidence lapsed")]
    EvidenceLapsed,
    /// The emergency plan was not drilled in time.
    #[error("drill overdue")]
    DrillOverdue,
    /// The operator failed its last annual assessment.
    #[error("assessment failed")]
    AssessmentFailed,
    /// The operator's access is closed for a violation.
    #[error("closed for a violation")]
    Closed,
    /// The scenario is sealed, or its licence.
    #[error("sealed")]
    Sealed,
    /// The role may not do this, or did submit what it would approve.
    #[error("action `{0}` not permitted")]
    ActionNotPermitted(&'static str),
    /// The policies cannot be used, so everything is refused.
    #[error("policies unusable: {0}")]
    Unusable(String),
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoScenario => "policy.no-scenario",
            Self::UnknownScenario => "policy.unknown-scenario",
            Self::ScenarioNotGranted => "policy.scenario-not-granted",
            Self::ProductNotPublished => "policy.product-not-published",
            Self::LicenceNotGranted => "policy.licence-not-granted",
            Self::LicenceNotInTerm => "policy.licence-not-in-term",
            Self::NoEmergencyPlan => "policy.no-emergency-plan",
            Self::EvidenceLapsed => "policy.evidence-lapsed",
            Self::DrillOverdue => "policy.drill-overdue",
            Self::AssessmentFailed => "policy.assessment-failed",
            Self::Closed => "policy.closed",
            Self::Sealed => "policy.sealed",
            Self::ActionNotPermitted(_) => "policy.action-not-permitted",
            Self::Unusable(_) => "policy.unusable",
        }
    }

    /// What the caller hears, with clause and smallest change.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::NoScenario => Told::new(
                "the call names no scenario; send the header bonded-scenario (AO-12).",
                "请求未指明应用场景；请发送 bonded-scenario 请求头（办法第十二条）。",
            ),
            Self::UnknownScenario => Told::new(
                "there is no such scenario for you; ask to be listed as a member (AO-12).",
                "您没有可用的该应用场景；请申请列入参与人员（办法第十二条）。",
            ),
            Self::ScenarioNotGranted => Told::new(
                "the scenario is not approved yet (AO-12).",
                "该应用场景尚未审定（办法第十二条）。",
            ),
            Self::ProductNotPublished => Told::new(
                "from outside the domain only the results of a published product are served; it is not published, or was recalled (AO-17, AO-21).",
                "域外仅提供已发布的公共数据产品；该产品未发布或已下架（办法第十七条、第二十一条）。",
            ),
            Self::LicenceNotGranted => Told::new(
                "the licence is not in force (AO-9, AO-10).",
                "授权未生效或已暂停（办法第九条、第十条）。",
            ),
            Self::LicenceNotInTerm => Told::new(
                "the licence has not begun or is over; renew it (AO-11).",
                "授权未开始或已到期，请续期（办法第十一条）。",
            ),
            Self::NoEmergencyPlan => Told::new(
                "the operator has no emergency plan on file (AO-26).",
                "运营单位未备案应急预案（办法第二十六条）。",
            ),
            Self::EvidenceLapsed => Told::new(
                "an assessment of the operator is over; file a new one (AO-7).",
                "运营单位的评估材料已过期，请重新提交（办法第七条）。",
            ),
            Self::DrillOverdue => Told::new(
                "the operator's emergency plan was not drilled in time; record a drill (AO-26).",
                "运营单位未按期组织应急演练，请组织演练并备案（办法第二十六条）。",
            ),
            Self::AssessmentFailed => Told::new(
                "the operator failed its annual assessment; pass another (AO-10, AO-29).",
                "运营单位年度评估不合格，请整改后重新评估（办法第十条、第二十九条）。",
            ),
            Self::Closed => Told::new(
                "the operator's access is closed for a violation (OD-1).",
                "因违规行为，运营单位的数据获取权限已关闭（开放意见）。",
            ),
            Self::Sealed => Told::new(
                "the data is sealed; nobody operates on it until the seal is released (AO-3, AO-19).",
                "数据已封存，解封前不得运营（办法第三条、第十九条）。",
            ),
            Self::ActionNotPermitted(_) => Told::new(
                "this role may not take this step (AO-5, AO-6).",
                "该角色不得执行此步骤（办法第五条、第六条）。",
            ),
            Self::Unusable(_) => Told::new(
                "the domain's policies cannot be used, so everything is refused.",
                "本域策略不可用，所有请求均被拒绝。",
            ),
        }
    }

    /// The refusal a deciding policy stands for.
    pub(crate) fn of_policy(id: &str) -> Self {
        match id {
            "scenario-not-granted" => Self::ScenarioNotGranted,
            "product-not-published" => Self::ProductNotPublished,
            "licence-not-granted" => Self::LicenceNotGranted,
            "licence-not-in-term" => Self::LicenceNotInTerm,
            "no-emergency-plan" => Self::NoEmergencyPlan,
            "evidence-lapsed" => Self::EvidenceLapsed,
            "drill-overdue" => Self::DrillOverdue,
            "assessment-failed" => Self::AssessmentFailed,
            "closed-for-a-violation" => Self::Closed,
            "sealed" => Self::Sealed,
            _ => Self::UnknownScenario,
        }
    }
}
