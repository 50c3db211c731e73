use std::path::PathBuf;

/// Where backups go, as it is written.
#[derive(Debug, Clone, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawBackup {
    /// A folder.
    to: String,
    /// Older ones are removed; 0 keeps all.
    kept_max: u64,
}

impl Default for RawBackup {
    fn default() -> Self {
        Self {
            to: String::new(),
            kept_max: 30,
        }
    }
}

/// Where backups of a domain's data go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupConfig {
    /// The place; none where none is set.
    pub to: Option<PathBuf>,
    /// How many are kept; none for all.
    pub kept_max: Option<u64>,
}

impl From<&RawBackup> for BackupConfig {
    fn from(raw: &RawBackup) -> Self {
        Self {
            to: Some(PathBuf::from(&raw.to)).filter(|to| *to != PathBuf::new()),
            kept_max: Some(raw.kept_max).filter(|kept| *kept > 0),
        }
    }
}
