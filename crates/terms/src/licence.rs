use crate::{AnnouncementId, Evidence, LicenceId, OperatorId, Unreadable};
use chrono::NaiveDate;

/// A field of public service (领域). Source: AO-8.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Sector(String);

impl Sector {
    /// The sectors the rules name.
    pub const WORDS: [&'static str; 13] = [
        "finance",
        "education",
        "transport",
        "medical",
        "energy",
        "industry",
        "telecom",
        "credit",
        "culture-tourism",
        "social-security",
        "provident-fund",
        "real-estate",
        "general",
    ];

    /// The sector as seeds and policies write it.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sector {
    type Error = Unreadable;
    fn try_from(word: String) -> Result<Self, Unreadable> {
        if Self::WORDS.contains(&word.as_str()) {
            Ok(Self(word))
        } else {
            Err(Unreadable::new(
                "sector",
                &word,
                format!("one of {}", Self::WORDS.join(", ")),
            ))
        }
    }
}

impl From<Sector> for String {
    fn from(sector: Sector) -> String {
        sector.0
    }
}

/// The mode of a licence, with its scope. Source: AO-8.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", tag = "mode")]
pub enum Mode {
    /// 综合: every sector.
    Comprehensive,
    /// 领域: these sectors.
    Sectoral {
        /// Which.
        sectors: Vec<Sector>,
    },
    /// 场景: only what its one scenario lists.
    Scenario,
}

impl Mode {
    /// Whether a dataset of this sector lies in the licence's scope.
    #[must_use]
    pub fn covers(&self, sector: &Sector) -> bool {
        match self {
            Self::Comprehensive | Self::Scenario => true,
            Self::Sectoral { sectors } => sectors.contains(sector),
        }
    }
}

/// A licence (授权). Source: AO-8..11.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Licence {
    /// Which.
    pub id: LicenceId,
    /// Whose.
    pub operator: OperatorId,
    /// Mode and scope.
    #[serde(flatten)]
    pub mode: Mode,
    /// First day, inclusive.
    pub from: NaiveDate,
    /// Last day, inclusive; at most two years after the first. Source: AO-11.
    pub until: NaiveDate,
    /// The agreement's reference or digest. Source: PD-24.
    pub agreement: Option<String>,
    /// The call it answers. Source: AO-9.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announcement: Option<AnnouncementId>,
    /// The licence it goes on from. Source: AO-10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<LicenceId>,
    /// What the application reports: `returns` (合理收益的测算方法), `security` (数据安全措施),
    /// `disposal` (期限届满后资产处置). Source: AO-11.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Evidence>,
}

/// A call for applications (通告). Source: AO-9.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Announcement {
    /// Which.
    pub id: AnnouncementId,
    /// What people call it.
    pub title: String,
    /// For licences of which mode, in which sectors.
    #[serde(flatten)]
    pub mode: Mode,
    /// First day for applications, inclusive.
    pub from: NaiveDate,
    /// Last day for applications, inclusive.
    pub until: NaiveDate,
}

impl Announcement {
    /// Whether it calls for licences of this mode and scope.
    #[must_use]
    pub fn calls_for(&self, mode: &Mode) -> bool {
        match (&self.mode, mode) {
            (Mode::Comprehensive, Mode::Comprehensive) | (Mode::Scenario, Mode::Scenario) => true,
            (Mode::Sectoral { sectors }, Mode::Sectoral { sectors: wanted }) => {
                wanted.iter().all(|sector| sectors.contains(sector))
            }
            (Mode::Comprehensive | Mode::Sectoral { .. } | Mode::Scenario, _) => false,
        }
    }
}

impl Licence {
    /// Whether the term is at most two years. Source: AO-11.
    #[must_use]
    pub fn term_is_lawful(&self) -> bool {
        self.from <= self.until
            && self
                .from
                .checked_add_months(chrono::Months::new(24))
                .is_some_and(|limit| self.until <= limit)
    }
}

#[cfg(test)]
mod tests;
