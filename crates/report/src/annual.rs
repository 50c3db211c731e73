use crate::{Account, Fees, Figures, Month, Period, Statement};
use std::collections::{BTreeMap, BTreeSet};
use terms::{DatasetName, LicenceId, OperatorId, Product, ScenarioId, Violation};

/// The annual operating report (公共数据授权运营年度运营报告): storage, processing, analysis and use,
/// security, market. Source: AO-18.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Annual {
    /// The domain's name.
    pub domain: String,
    /// What people call it.
    pub title: String,
    /// Whether it was made from a seed.
    pub pilot: bool,
    /// The year.
    pub period: Period,
    /// Of which operator; all if none.
    pub operator: Option<OperatorId>,
    /// The operator's name.
    pub operator_title: Option<String>,
    /// Entries of the log in the period.
    pub entries: u64,
    /// Datasets stored: those in the catalogue, or in the operator's scenarios.
    pub stored: Vec<Stored>,
    /// Everything together.
    pub total: Figures,
    /// By month.
    pub months: BTreeMap<Month, Figures>,
    /// By scenario.
    pub scenarios: Vec<Part<ScenarioId>>,
    /// Operations that name no scenario that stands.
    pub unattributed: Figures,
    /// By operator; of all operators alone.
    pub operators: Vec<Part<OperatorId>>,
    /// The licences, what each used and pays.
    pub licences: Vec<Licensed>,
    /// Products on record, as they stand.
    pub products: Vec<Made>,
    /// Violations recorded in the period. Source: OD-1.
    pub violations: Vec<Violation>,
    /// People on record who work for the operator, or at all.
    pub people: u64,
    /// Entries by event; of all operators alone.
    pub events: BTreeMap<&'static str, u64>,
    /// Calls without a valid certificate; of all operators alone.
    pub strangers: u64,
    /// Sealed texts destroyed, their time being over; of all operators alone.
    pub texts_expired: u64,
}

/// A dataset that is stored.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Stored {
    /// Which.
    pub dataset: DatasetName,
    /// What people call it.
    pub title: String,
    /// The highest grade of its items.
    pub grade: u8,
    /// Its items.
    pub items: usize,
    /// The newest state of its data; none where there is none.
    pub snapshot: Option<u32>,
    /// Rows of that.
    pub rows: u64,
}

/// The figures of a part.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Part<K> {
    /// Which.
    pub id: K,
    /// What people call it.
    pub title: String,
    /// Its operations.
    pub figures: Figures,
}

/// A product as it stands.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Made {
    /// The step it is at.
    pub stage: terms::Stage,
    /// The product.
    #[serde(flatten)]
    pub product: Product,
}

/// A licence in a year.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Licensed {
    /// The step it is at.
    pub stage: terms::Stage,
    /// The first day.
    pub from: chrono::NaiveDate,
    /// The last day.
    pub until: chrono::NaiveDate,
    /// What it used and pays.
    #[serde(flatten)]
    pub statement: Statement,
}

impl Annual {
    /// The report of a period, of one operator or of all.
    #[must_use]
    pub fn of(account: &Account, operator: Option<&OperatorId>, fees: &Fees) -> Self {
        let state = account.state();
        let asked = |of: Option<&OperatorId>| operator.is_none() || of == operator;
        let ours = |whose: &crate::Whose| asked(whose.operator.as_ref());
        let titled = |id: &OperatorId| state.operator(id).map(|operator| operator.title.clone());
        let scenarios = account.by(|whose| ours(whose).then(|| whose.scenario.clone())?);
        let scenario = |(id, figures): (ScenarioId, Figures)| Part {
            title: state
                .scenario(&id)
                .map(|s| s.scenario.title.clone())
                .unwrap_or_default(),
            id,
            figures,
        };
        let operators = account.by(|whose| operator.is_none().then(|| whose.operator.clone())?);
        let part = |(id, figures): (OperatorId, Figures)| Part {
            title: titled(&id).unwrap_or_default(),
            id,
            figures,
        };
        let people = state
            .people()
            .filter(|person| asked(person.operator().as_ref()));
        let whole = operator.is_none();
        Self {
            domain: state.name().map(ToString::to_string).unwrap_or_default(),
            title: state.title().to_owned(),
            pilot: state.pilot(),
            period: account.period(),
            operator: operator.cloned(),
            operator_title: operator.and_then(titled),
            entries: account.entries(),
            stored: stored(account, operator),
            total: account.sum(ours),
            months: account.by(|whose| ours(whose).then_some(whose.month)),
            scenarios: scenarios.into_iter().map(scenario).collect(),
            unattributed: account.sum(|whose| ours(whose) && whose.scenario.is_none()),
            operators: operators.into_iter().map(part).collect(),
            licences: licences(account, operator, fees),
            products: products(account, operator),
            violations: violations(account, operator),
            people: u64::try_from(people.count()).unwrap_or(u64::MAX),
            events: if whole {
                account.events().clone()
            } else {
                BTreeMap::new()
            },
            strangers: if whole { account.strangers() } else { 0 },
            texts_expired: if whole { account.texts_expired() } else { 0 },
        }
    }
}

fn licences(account: &Account, operator: Option<&OperatorId>, fees: &Fees) -> Vec<Licensed> {
    let state = account.state();
    // Every licence has operations or scenarios, or it has nothing to report.
    let named = state
        .scenarios()
        .map(|standing| standing.scenario.licence.clone());
    let used = account
        .parts()
        .filter_map(|(whose, _)| whose.licence.clone());
    let ids: BTreeSet<LicenceId> = named.chain(used).collect();
    let licensed = |id: &LicenceId| {
        let standing = state.licence(id)?;
        let licence = &standing.licence;
        let asked = operator.is_none_or(|operator| licence.operator == *operator);
        asked.then_some(())?;
        Some(Licensed {
            stage: standing.stage,
            from: licence.from,
            until: licence.until,
            statement: Statement::of(account, id, fees)?,
        })
    };
    ids.iter().filter_map(licensed).collect()
}

fn products(account: &Account, operator: Option<&OperatorId>) -> Vec<Made> {
    let state = account.state();
    let owner = |product: &Product| {
        let standing = state.scenario(&product.scenario)?;
        let licence = state.licence(&standing.scenario.licence)?;
        Some(&licence.licence.operator)
    };
    let asked = |product: &Product| operator.is_none() || owner(product) == operator;
    let products = state.products().filter(|made| asked(&made.product));
    let made = products.map(|standing| Made {
        stage: standing.stage,
        product: standing.product.clone(),
    });
    made.collect()
}

fn violations(account: &Account, operator: Option<&OperatorId>) -> Vec<Violation> {
    let Period { from, until } = account.period();
    let violations = account.state().violations().filter(|violation| {
        (from..=until).contains(&violation.recorded)
            && operator.is_none_or(|operator| violation.operator == *operator)
    });
    violations.cloned().collect()
}

fn stored(account: &Account, operator: Option<&OperatorId>) -> Vec<Stored> {
    let state = account.state();
    let of_operator = |name: &DatasetName| {
        let Some(operator) = operator else {
            return true;
        };
        state.scenarios().any(|standing| {
            let licence = state.licence(&standing.scenario.licence);
            licence.is_some_and(|l| l.licence.operator == *operator)
                && standing
                    .scenario
                    .datasets
                    .iter()
                    .any(|wanted| wanted.name == *name)
        })
    };
    let asked = state
        .datasets()
        .filter(|dataset| of_operator(&dataset.name));
    let told = |dataset: &terms::Dataset| {
        let snapshot = state.snapshot(&dataset.name);
        Stored {
            dataset: dataset.name.clone(),
            title: dataset.title.clone(),
            grade: dataset.grade().number(),
            items: dataset.items.len(),
            snapshot: snapshot.map(|snapshot| snapshot.number),
            rows: snapshot.map_or(0, |snapshot| snapshot.rows),
        }
    };
    asked.map(told).collect()
}
