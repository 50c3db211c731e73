use crate::{Budget, Disclosure, Owed, Perturbation, asking::Granted, kept::PermittedKept};
use chrono::{DateTime, Utc};
use identity::Caller;
use terms::{
    DatasetName, Digest, Grade, IdentifierDomain, ItemName, Kind, Licence, Mask, Obligations,
    Operator, ProductId, RowRisk, Scenario, Thresholds, Type,
};

/// What a caller may use in a scenario, and how. Made by the engine alone.
#[derive(Debug, Clone)]
pub struct Permit {
    caller: Caller,
    scenario: Scenario,
    licence: Licence,
    operator: Operator,
    product: Option<PermittedProduct>,
    datasets: Vec<PermittedDataset>,
    obligations: Obligations,
    owed: Owed,
    thresholds: Thresholds,
    budget: Budget,
    noise: Perturbation,
    policies: Digest,
    register_version: u64,
    pilot: bool,
    expires: DateTime<Utc>,
}

/// The product whose results alone a permit is for: nothing but its plan is confined under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermittedProduct {
    /// Which.
    pub id: ProductId,
    /// The digest of the plan that was approved.
    pub plan: Digest,
}

/// A dataset a permit holds.
#[derive(Debug, Clone, PartialEq)]
pub struct PermittedDataset {
    /// Which.
    pub name: DatasetName,
    /// Whether results owe thresholds.
    pub protected: bool,
    /// Whether it is operator-supplied.
    pub external: bool,
    /// The item whose values are the people.
    pub subject: Option<ItemName>,
    /// The raw type of the subject item, on the item list or not.
    pub subject_type: Option<Type>,
    /// Whether each subject has one row, so that the numbers of subjects and of rows are the same.
    pub subject_unique: bool,
    /// The fewest subjects of a released cell.
    pub k: u32,
    /// What a released cell owes beside.
    pub disclosure: Disclosure,
    /// The row policy, as canonical bytes of the plan language.
    pub rows_plan: Option<Vec<u8>>,
    /// Whether row-level results may show.
    pub show_rows: bool,
    /// Which state of the data; 0 where there is none yet.
    pub snapshot: u32,
    /// The measured risk of the rows it shows.
    pub risk: Option<RowRisk>,
    /// Items that can be used in some way.
    pub items: Vec<PermittedItem>,
    /// Items that cannot.
    pub absent: Vec<AbsentItem>,
    /// What is more to say where it is a result that the scenario keeps.
    pub kept: Option<PermittedKept>,
}

/// An item a permit holds.
#[derive(Debug, Clone, PartialEq)]
pub struct PermittedItem {
    /// Which.
    pub name: ItemName,
    /// Its raw type.
    pub data_type: Type,
    /// Its grade.
    pub grade: Grade,
    /// What it is about.
    pub kind: Kind,
    /// Whether every value occurs once.
    pub unique: bool,
    /// What it identifies.
    pub domain: Option<IdentifierDomain>,
    /// Whether what is stored is the token already.
    pub tokenised: bool,
    /// How it is shown; suppress where it is only aggregated.
    pub mask: Mask,
    /// The width to which its order statistics are rounded; none where they are not approved.
    pub band: Option<f64>,
    /// The item in whose name its sums are held against each other: itself, or of a family of derived
    /// items and their parts the first.
    pub pooled: ItemName,
    /// Whether approved aggregates see its raw values.
    pub aggregate: bool,
    /// Whether what is computed from it may leave.
    pub export: bool,
    /// Whether what is computed from it may be kept inside.
    pub materialise: bool,
    /// What the policies that permit its use ask of every result that it goes into.
    pub owed: Owed,
}

/// An item a permit does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsentItem {
    /// Which.
    pub name: ItemName,
    /// Its grade.
    pub grade: Grade,
}

impl PermittedDataset {
    /// What statements call it.
    #[must_use]
    pub fn seen_as(&self) -> &DatasetName {
        let kept = self.kept.as_ref();
        kept.map_or(&self.name, |kept| &kept.seen_as)
    }

    /// The dataset in whose name its rows and people are counted: for rows of people that are kept, that
    /// which they are of.
    #[must_use]
    pub fn counted_as(&self) -> &DatasetName {
        let origin = self.kept.as_ref().and_then(|kept| kept.origin.as_ref());
        origin.unwrap_or(&self.name)
    }
}

impl Permit {
    /// The permit of a proved caller from what the policies grant.
    pub(crate) fn new(caller: Caller, granted: Granted<'_>, expires: DateTime<Utc>) -> Self {
        Self {
            scenario: granted.scenario.clone(),
            licence: granted.licence.clone(),
            operator: granted.operator.clone(),
            product: granted.product,
            datasets: granted.datasets,
            obligations: granted.obligations,
            owed: granted.owed,
            thresholds: granted.thresholds,
            budget: granted.budget,
            noise: granted.noise,
            policies: granted.policies,
            register_version: granted.register_version,
            pilot: granted.pilot,
            expires,
            caller,
        }
    }

    /// Who asks.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }
    /// For which scenario.
    #[must_use]
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }
    /// Under which licence.
    #[must_use]
    pub const fn licence(&self) -> &Licence {
        &self.licence
    }
    /// For which operator.
    #[must_use]
    pub const fn operator(&self) -> &Operator {
        &self.operator
    }
    /// The product whose results alone it is for; none where it is for whatever its items allow.
    #[must_use]
    pub const fn product(&self) -> Option<&PermittedProduct> {
        self.product.as_ref()
    }
    /// What may be used, and how.
    #[must_use]
    pub fn datasets(&self) -> &[PermittedDataset] {
        &self.datasets
    }
    /// The caps on every result; what a statement reads may owe more.
    #[must_use]
    pub const fn obligations(&self) -> Obligations {
        self.obligations
    }
    /// What the policies that let the caller in ask of every result.
    #[must_use]
    pub const fn owed(&self) -> Owed {
        self.owed
    }
    /// k by grade.
    #[must_use]
    pub const fn thresholds(&self) -> Thresholds {
        self.thresholds
    }
    /// What the licence may ask and receive.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        self.budget
    }
    /// The noise of perturbed cells.
    #[must_use]
    pub const fn noise(&self) -> Perturbation {
        self.noise
    }
    /// The digest of the policies that decided.
    #[must_use]
    pub const fn policies(&self) -> Digest {
        self.policies
    }
    /// The version of the register it was computed over.
    #[must_use]
    pub const fn register_version(&self) -> u64 {
        self.register_version
    }
    /// Whether the domain carries the pilot mark.
    #[must_use]
    pub const fn is_pilot(&self) -> bool {
        self.pilot
    }
    /// When it ends by itself.
    #[must_use]
    pub const fn expires(&self) -> DateTime<Utc> {
        self.expires
    }

    /// Whether it permits exactly what another does, whatever else has come to stand between them. Results
    /// that were kept since take nothing from it.
    #[must_use]
    pub fn stands_as(&self, other: &Self) -> bool {
        let Self {
            caller,
            scenario,
            licence,
            operator,
            product,
            datasets,
            obligations,
            owed,
            thresholds,
            budget,
            noise,
            policies,
            register_version: _,
            pilot,
            expires,
        } = self;
        caller == &other.caller
            && scenario == &other.scenario
            && licence == &other.licence
            && operator == &other.operator
            && product == &other.product
            && stand_as(datasets, &other.datasets)
            && obligations == &other.obligations
            && owed == &other.owed
            && thresholds == &other.thresholds
            && budget == &other.budget
            && noise == &other.noise
            && policies == &other.policies
            && pilot == &other.pilot
            && expires == &other.expires
    }
}

/// Whether datasets are those of before, and every result that was kept then is.
fn stand_as(now: &[PermittedDataset], before: &[PermittedDataset]) -> bool {
    let catalogued = |all: &'_ [PermittedDataset]| {
        let all = all.iter().filter(|dataset| dataset.kept.is_none());
        all.cloned().collect::<Vec<_>>()
    };
    let kept = |dataset: &&PermittedDataset| dataset.kept.is_some();
    catalogued(now) == catalogued(before)
        && before
            .iter()
            .filter(kept)
            .all(|dataset| now.contains(dataset))
}
