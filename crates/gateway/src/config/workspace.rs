use crate::WorkspaceConfig;
use register::Room;

/// How much scenarios keep, and how long, as it is written.
#[derive(Debug, Clone, Copy, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWorkspace {
    /// Of one licence.
    datasets_max: u64,
    /// Of one licence.
    rows_max: u64,
    /// Of one result.
    bytes_max: u64,
    retention_days: u32,
    retention_days_max: u32,
}

impl Default for RawWorkspace {
    fn default() -> Self {
        Self {
            datasets_max: 100,
            rows_max: 50_000_000,
            bytes_max: 4 << 30,
            retention_days: 30,
            retention_days_max: 365,
        }
    }
}

impl RawWorkspace {
    /// What is wrong with it, if anything.
    pub(super) fn mistake(&self) -> Option<String> {
        let days = 1..=self.retention_days_max;
        let wrong = !days.contains(&self.retention_days) || self.retention_days_max > 3_650;
        wrong.then(|| {
            "workspace.retention_days, workspace.retention_days_max: 1 to 3650, the first not above \
             the second"
                .to_owned()
        })
    }
}

impl From<RawWorkspace> for WorkspaceConfig {
    fn from(raw: RawWorkspace) -> Self {
        Self {
            room: Room {
                datasets_max: raw.datasets_max,
                rows_max: raw.rows_max,
            },
            bytes_max: raw.bytes_max,
            days: raw.retention_days,
            days_max: raw.retention_days_max,
        }
    }
}
