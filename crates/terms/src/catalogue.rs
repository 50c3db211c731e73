use crate::{
    DatasetName, Derivation, Digest, Grade, IdentifierDomain, Impact, ItemName, Kind, Mask,
    ScenarioId, Sector, Standing, Type,
};
use chrono::NaiveDate;

/// 共享属性. Source: CG-5, CG-A.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// 无条件共享.
    Unconditional,
    /// 有条件共享.
    Conditional,
    /// 不予共享.
    NotShared,
}

/// 开放属性. Source: CG-5, CG-A.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opening {
    /// 无条件开放.
    Unconditional,
    /// 有条件开放.
    Conditional,
    /// 不予开放.
    NotOpened,
}

/// A catalogue entry (公共数据目录). Source: PD-13, CG-5, CG-6.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Dataset {
    /// `schema.table`.
    pub name: DatasetName,
    /// What people call it.
    pub title: String,
    /// What is in it.
    #[serde(default)]
    pub content: String,
    /// The body that provides it (公共管理服务机构), or the operator's id for external data.
    pub provider: String,
    /// Where the provider has it from.
    pub source: String,
    /// The field it belongs to; licences are granted by sector.
    pub sector: Sector,
    /// Update cycle.
    pub update: String,
    /// The item whose values are the people the data is about; a dataset with one is protected.
    pub subject: Option<ItemName>,
    /// Operator-supplied (社会数据): counts zero towards any threshold.
    pub external: bool,
    /// The one scenario it serves, where it came in by the gate: its identifiers are stored as that
    /// scenario's tokens. Set by the gate alone. Source: AO-16(3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<ScenarioId>,
    /// Barred from operation, with the legal basis. Source: AO-2.
    pub prohibited: Option<String>,
    /// The provider's risk assessment, where filed. Source: RA-3, RA-4.
    pub risk: Option<DatasetRisk>,
    /// Whether it is operated on.
    #[serde(default, skip_serializing_if = "Standing::is_active")]
    pub standing: Standing,
    /// The columns, in the order of the data.
    pub items: Vec<Item>,
}

impl Dataset {
    /// The grade of a dataset is the highest of its items, never typed in. Source: CG-6.2.
    #[must_use]
    pub fn grade(&self) -> Grade {
        self.items
            .iter()
            .map(|item| item.grade)
            .max()
            .unwrap_or(Grade::Four)
    }

    /// The item of this name.
    #[must_use]
    pub fn item(&self, name: &ItemName) -> Option<&Item> {
        self.items.iter().find(|item| &item.name == name)
    }

    /// Whether results owe thresholds: people are in it, and they are not the operator's own rows.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.subject.is_some() && !self.external
    }

    /// Whether an item's values are stored as tokens, so that nobody has what they were made of.
    #[must_use]
    pub fn is_tokenised(&self, item: &Item) -> bool {
        self.bound.is_some() && item.is_key()
    }
}

/// A column (数据项), the smallest graded unit. Source: CG-6.2, PD-13.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Item {
    /// Its name.
    pub name: ItemName,
    /// What people call it.
    #[serde(default)]
    pub title: String,
    /// What it is about.
    pub kind: Kind,
    /// The confirmed grade.
    pub grade: Grade,
    /// What was found when it was graded. Source: CG-6.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact>,
    /// A mask tighter than the table's for this kind and grade.
    pub mask: Option<Mask>,
    /// The width to which medians, percentiles and extremes of its raw values are rounded down; none
    /// where they are not approved. In units of the item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<f64>,
    /// How it is computed of other items of the row when data comes in; none where the data has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<Derivation>,
    /// Whether every value occurs once and none is null; checked when data comes in.
    #[serde(default)]
    pub unique: bool,
    /// What the identifier identifies, for identifier kinds.
    pub domain: Option<IdentifierDomain>,
    /// 共享属性.
    pub sharing: Sharing,
    /// 开放属性.
    pub opening: Opening,
    /// The type of its values, known once data is in; none where the type is not plain.
    pub data_type: Option<Type>,
}

impl Item {
    /// Whether its values identify something of a domain, so that tokens of it join.
    #[must_use]
    pub const fn is_key(&self) -> bool {
        self.kind.is_identifier() && self.domain.is_some()
    }

    /// An item of which nothing more is said: shared and opened as its grade has it.
    #[must_use]
    pub const fn new(name: ItemName, kind: Kind, grade: Grade) -> Self {
        Self {
            name,
            title: String::new(),
            kind,
            grade,
            impact: None,
            mask: None,
            band: None,
            derived: None,
            unique: false,
            domain: None,
            sharing: grade.default_sharing(),
            opening: grade.default_opening(),
            data_type: None,
        }
    }
}

/// A risk assessment on file. Source: RA-3, RA-4, RA-5.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DatasetRisk {
    /// The level as a whole: that of the worst aspect.
    pub level: RiskLevel,
    /// Who assessed.
    pub by: String,
    /// The last day it holds, inclusive.
    pub until: NaiveDate,
    /// The level of each aspect, where they were assessed apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspects: Option<Aspects>,
    /// What brings a medium risk down. Source: RA-4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mitigations: Vec<String>,
}

/// 风险等级. Source: RA-4.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum RiskLevel {
    /// 无风险.
    None,
    /// 低风险.
    Low,
    /// 中风险: operated on with named mitigations alone.
    Medium,
    /// 高风险: not operated on.
    High,
}

/// The four aspects of an assessment. Source: RA-3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Aspects {
    /// 合法性.
    pub legality: RiskLevel,
    /// 合理性.
    pub reasonableness: RiskLevel,
    /// 可行性.
    pub feasibility: RiskLevel,
    /// 可控性.
    pub controllability: RiskLevel,
}

impl Aspects {
    /// The level of the worst.
    #[must_use]
    pub fn worst(&self) -> RiskLevel {
        self.legality
            .max(self.reasonableness)
            .max(self.feasibility)
            .max(self.controllability)
    }
}

/// One state of a dataset's data. Statements read exactly one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Snapshot {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// Counted from 1.
    pub number: u32,
    /// Rows.
    pub rows: u64,
    /// SHA-256 of the stored (encrypted) file.
    pub digest: Digest,
    /// Item types found, in the order of the catalogue; none where not plain.
    pub types: Vec<Option<Type>>,
}

#[cfg(test)]
mod tests;
