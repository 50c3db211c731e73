use crate::{Account, Class, Fees, Figures, Line, Money, Period};
use std::collections::BTreeMap;
use terms::{LicenceId, OperatorId, ScenarioId};

/// What one licence used in a period, and what is paid for it. Source: AO-16, AO-20..23.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Statement {
    /// The days.
    pub period: Period,
    /// The licence.
    pub licence: LicenceId,
    /// Whose it is.
    pub operator: OperatorId,
    /// The operator's name.
    pub operator_title: String,
    /// For what data is used.
    pub class: Class,
    /// Everything together.
    pub total: Figures,
    /// By scenario.
    pub scenarios: BTreeMap<ScenarioId, Figures>,
    /// The currency's code.
    pub currency: String,
    /// What is paid; nothing where it is free.
    pub lines: Vec<Line>,
    /// What is paid in all.
    pub amount: Money,
}

impl Statement {
    /// The statement of a licence; none where there is no such licence.
    #[must_use]
    pub fn of(account: &Account, licence: &LicenceId, fees: &Fees) -> Option<Self> {
        let standing = account.state().licence(licence)?;
        let operator = standing.licence.operator.clone();
        let titled = account.state().operator(&operator);
        let operator_title = titled.map(|o| o.title.clone()).unwrap_or_default();
        let ours = |whose: &crate::Whose| whose.licence.as_ref() == Some(licence);
        let total = account.sum(ours);
        let class = fees.class(licence);
        let lines = fees.lines(class, &total);
        Some(Self {
            period: account.period(),
            licence: licence.clone(),
            operator,
            operator_title,
            class,
            scenarios: account.by(|whose| ours(whose).then(|| whose.scenario.clone())?),
            total,
            currency: fees.currency().to_owned(),
            amount: Money::sum(&lines),
            lines,
        })
    }
}
