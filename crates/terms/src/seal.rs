use crate::{DatasetName, Digest, LicenceId, ScenarioId, Unreadable};

/// What is sealed as one (封存). Source: AO-3, AO-19.
///
/// Shape: `dataset/city.visits`, `scenario/care`, `licence/l-1`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub enum SealedUnit {
    /// A dataset: every state of its data.
    Dataset(DatasetName),
    /// What a scenario sees.
    Scenario(ScenarioId),
    /// What the scenarios of a licence see.
    Licence(LicenceId),
}

/// Why data is sealed. Source: AO-3, AO-10, AO-19.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SealBasis {
    /// 调查: something is looked into.
    Investigation,
    /// 安全事件: something happened to it.
    Incident,
    /// 争议: somebody objects.
    Dispute,
    /// 授权终止: what it served ended, and it is kept until it is destroyed.
    Ended,
    /// A court or an authority ordered it.
    Order,
    /// The domain was put back out of a backup, and nothing is known of what left after it was taken. Set by
    /// a restore alone.
    Restored,
}

/// A stored file as it was when it was sealed: the data of one snapshot, as ciphertext.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SealedFile {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// Which state of it.
    pub snapshot: u32,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// How many these are.
    pub bytes: u64,
}

// === impl SealedUnit ===

impl std::fmt::Display for SealedUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dataset(name) => write!(f, "dataset/{name}"),
            Self::Scenario(id) => write!(f, "scenario/{id}"),
            Self::Licence(id) => write!(f, "licence/{id}"),
        }
    }
}

impl std::str::FromStr for SealedUnit {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        match text.split_once('/') {
            Some(("dataset", name)) => name.parse().map(Self::Dataset),
            Some(("scenario", id)) => id.parse().map(Self::Scenario),
            Some(("licence", id)) => id.parse().map(Self::Licence),
            Some(_) | None => {
                let expected = "`dataset/…`, `scenario/…` or `licence/…`";
                Err(Unreadable::new("sealed unit", text, expected))
            }
        }
    }
}

impl TryFrom<String> for SealedUnit {
    type Error = Unreadable;
    fn try_from(text: String) -> Result<Self, Unreadable> {
        text.parse()
    }
}

impl From<SealedUnit> for String {
    fn from(unit: SealedUnit) -> Self {
        unit.to_string()
    }
}

// === impl SealedFile ===

impl SealedFile {
    /// Its line in the list: name, digest and length. Lists are sorted by these.
    #[must_use]
    pub fn line(&self) -> String {
        let Self {
            dataset,
            snapshot,
            sha256,
            bytes,
        } = self;
        format!("data/{dataset}/{snapshot}.parquet {sha256} {bytes}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_unit_is_written_as_it_is_read() {
        for text in ["dataset/city.visits", "scenario/care", "licence/l-1"] {
            assert_eq!(text.parse::<SealedUnit>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "dataset",
            "dataset/",
            "product/p",
            "scenario/a/b",
            "licence/ ",
        ] {
            assert!(text.parse::<SealedUnit>().is_err(), "{text}");
        }
    }
}
