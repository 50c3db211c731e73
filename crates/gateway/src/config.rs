mod backup; // where backups go
mod keystore; // what opens the keystore
mod workspace; // how much scenarios keep, and how long

pub use self::{backup::BackupConfig, keystore::KeystoreConfig};

use self::{backup::RawBackup, keystore::RawKeystore, workspace::RawWorkspace};
use crate::WorkspaceConfig;
use dispatch::{PoolConfig, Ring};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use terms::Retention;
use wire::job::STATEMENT_LIMITS;

/// The file in a domain's folder.
pub(crate) const FILE: &str = "bonded.toml";

/// What a person sets. Every key has its unit in its name.
#[derive(Debug, Clone, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    flight: String,
    flight_remote: String,
    admin: String,
    /// Where the log is published over HTTP; nowhere if empty.
    log: String,
    planners_ready: usize,
    runners_ready: usize,
    planners_running_max: usize,
    runners_running_max: usize,
    /// Of each kind; none where all but one may be one licence's.
    licence_running_max: Option<usize>,
    planner_wall_ms_max: u64,
    runner_wall_ms_max: u64,
    runner_memory_bytes_max: u64,
    results_bytes_max: u32,
    /// After so long a result of which nothing is read is dropped.
    results_unread_ms_max: u64,
    /// Of one file that an operator uploads: in memory until it is sealed.
    external_bytes_max: u64,
    external_upload_ms_max: u64,
    /// Walls that must stand around planners and runners, by name, or `all`; `SECURITY.md` lists them.
    jail_required: Vec<String>,
    log_filter: String,
    otlp_endpoint: String,
    /// A PostgreSQL database that keeps the ledger instead of the domain's folder.
    ledger_postgres: String,
    /// Tighter limits on statements; `docs/lockdown.md` lists them.
    statement: BTreeMap<String, u64>,
    /// Who cosigns the log.
    witness: RawWitness,
    /// How long events are kept, by class; `docs/ledger.md` lists them.
    retention: Retention,
    /// What opens the keystore; `docs/keys.md` says how.
    keystore: RawKeystore,
    /// Where backups of the data go; `docs/backup.md` says how.
    backup: RawBackup,
    /// How much scenarios keep, and how long; `docs/workspace.md` says what that is.
    workspace: RawWorkspace,
}

/// Who cosigns the log, and what waits for them.
#[derive(Debug, Clone, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
struct RawWitness {
    policy: String,
    authorities: String,
    interval_ms: u64,
    answer_ms_max: u64,
    export_wait_ms_max: u64,
    lag_seconds_max: u64,
}

impl Default for RawWitness {
    fn default() -> Self {
        Self {
            policy: String::new(),
            authorities: String::new(),
            interval_ms: 10_000,
            answer_ms_max: 5_000,
            export_wait_ms_max: 5_000,
            lag_seconds_max: 3_600,
        }
    }
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            flight: "127.0.0.1:50051".into(),
            flight_remote: String::new(),
            admin: "127.0.0.1:50052".into(),
            log: String::new(),
            planners_ready: 2,
            runners_ready: 2,
            planners_running_max: 4,
            runners_running_max: 4,
            licence_running_max: None,
            planner_wall_ms_max: 5_000,
            runner_wall_ms_max: 30_000,
            runner_memory_bytes_max: 3 << 30,
            results_bytes_max: 64 << 20,
            results_unread_ms_max: 60_000,
            external_bytes_max: 256 << 20,
            external_upload_ms_max: 600_000,
            jail_required: vec![],
            log_filter: "warn".into(),
            otlp_endpoint: String::new(),
            ledger_postgres: String::new(),
            statement: BTreeMap::new(),
            witness: RawWitness::default(),
            retention: Retention::default(),
            keystore: RawKeystore::default(),
            backup: RawBackup::default(),
            workspace: RawWorkspace::default(),
        }
    }
}

/// A domain's configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where Flight SQL is served inside the domain.
    pub flight: SocketAddr,
    /// Where it is served to remote callers, if at all.
    pub flight_remote: Option<SocketAddr>,
    /// Where the management services are.
    pub admin: SocketAddr,
    /// Where the log is published over HTTP, if anywhere.
    pub log: Option<SocketAddr>,
    /// How long events are kept.
    pub retention: Retention,
    /// Which log lines are written.
    pub log_filter: String,
    /// Where spans are sent, if anywhere.
    pub otlp_endpoint: Option<String>,
    /// How large a file an operator may upload.
    pub external_bytes_max: u64,
    /// How long that may take.
    pub external_upload_max: Duration,
    /// Who cosigns the log.
    pub witness: WitnessConfig,
    /// What opens the keystore.
    pub(crate) keystore: KeystoreConfig,
    /// Where backups of the data go.
    pub backup: BackupConfig,
    /// How much scenarios keep, and how long.
    pub workspace: WorkspaceConfig,
    /// Where the ledger is.
    pub ledger: ledger::Place,
    /// Walls that must stand around planners and runners.
    rings_demanded: Vec<Ring>,
    raw: Raw,
}

/// Who cosigns the log, and what waits for them.
#[derive(Debug, Clone)]
pub struct WitnessConfig {
    /// The file of the trust policy (C2SP tlog-policy), in the domain's folder; none: no witnesses.
    pub policy: Option<PathBuf>,
    /// The file of certificate authorities for witnesses at `https` addresses, in PEM.
    pub authorities: Option<PathBuf>,
    /// How often the newest checkpoint is published.
    pub interval: Duration,
    /// How long a witness may take to answer.
    pub answer_max: Duration,
    /// How long an export waits for the policy's quorum.
    pub export_wait_max: Duration,
    /// How long a witness may be behind before it is put on record.
    pub lag_max: Duration,
}

impl From<&RawWitness> for WitnessConfig {
    fn from(raw: &RawWitness) -> Self {
        let file = |text: &str| Some(PathBuf::from(text)).filter(|file| *file != PathBuf::new());
        Self {
            policy: file(&raw.policy),
            authorities: file(&raw.authorities),
            interval: Duration::from_millis(raw.interval_ms),
            answer_max: Duration::from_millis(raw.answer_ms_max),
            export_wait_max: Duration::from_millis(raw.export_wait_ms_max),
            lag_max: Duration::from_secs(raw.lag_seconds_max),
        }
    }
}

/// What is wrong with the configuration, all of it.
#[derive(Debug, thiserror::Error)]
#[error("{}:\n  {}", path.display(), mistakes.join("\n  "))]
pub struct Misconfigured {
    path: PathBuf,
    mistakes: Vec<String>,
}

impl Config {
    /// Reads a domain's configuration; what is not there has its default.
    ///
    /// # Errors
    /// [`Misconfigured`] with every mistake.
    pub fn read(dir: &Path) -> Result<Self, Misconfigured> {
        let path = dir.join(FILE);
        let wrong = |mistakes| Misconfigured {
            path: path.clone(),
            mistakes,
        };
        let text =
            std::fs::read_to_string(&path).map_err(|error| wrong(vec![error.to_string()]))?;
        let raw: Raw = toml::from_str(&text).map_err(|e| wrong(vec![e.message().to_owned()]))?;
        let mut mistakes = Vec::new();
        let mut address = |key: &str, text: &str| match text.parse::<SocketAddr>() {
            Ok(address) => Some(address),
            Err(_) => {
                mistakes.push(format!("{key}: `{text}` is no address; write 127.0.0.1:0"));
                None
            }
        };
        let flight = address("flight", &raw.flight);
        let admin = address("admin", &raw.admin);
        let remote = match raw.flight_remote.as_str() {
            "" => None,
            text => address("flight_remote", text),
        };
        let log = match raw.log.as_str() {
            "" => None,
            text => address("log", text),
        };
        mistakes.extend(raw.no_children());
        let (rings_demanded, unknown) = demanded(&raw.jail_required);
        mistakes.extend(unknown);
        mistakes.extend(raw.workspace.mistake());
        let witness = &raw.witness;
        if witness.interval_ms == 0 || witness.answer_ms_max == 0 {
            mistakes.push("witness.interval_ms, witness.answer_ms_max: at least 1".to_owned());
        }
        if raw.results_unread_ms_max == 0 {
            mistakes.push("results_unread_ms_max: at least 1".to_owned());
        }
        mistakes.extend(raw.no_limits());
        let ledger = match raw.ledger_postgres.as_str() {
            "" => ledger::Place::from(dir),
            connection => ledger::Place::in_postgres(dir, connection).unwrap_or_else(|error| {
                mistakes.push(format!("ledger_postgres: {error}"));
                ledger::Place::from(dir)
            }),
        };
        match (flight, admin) {
            (Some(flight), Some(admin)) if mistakes.is_empty() => Ok(Self {
                flight,
                flight_remote: remote,
                admin,
                log,
                retention: raw.retention,
                log_filter: raw.log_filter.clone(),
                ledger,
                rings_demanded,
                external_bytes_max: raw.external_bytes_max,
                external_upload_max: Duration::from_millis(raw.external_upload_ms_max),
                otlp_endpoint: Some(raw.otlp_endpoint.clone()).filter(|text| !text.is_empty()),
                witness: WitnessConfig::from(&raw.witness),
                keystore: KeystoreConfig::from(&raw.keystore),
                backup: BackupConfig::from(&raw.backup),
                workspace: WorkspaceConfig::from(raw.workspace),
                raw,
            }),
            _ => Err(wrong(mistakes)),
        }
    }

    /// Writes the configuration of a new domain: the defaults, where its ledger is if that is not in its
    /// folder, and what opens its keystore.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_new(
        dir: &Path,
        ledger_postgres: Option<&str>,
        keystore: &KeystoreConfig,
    ) -> std::io::Result<()> {
        let raw = Raw {
            ledger_postgres: ledger_postgres.unwrap_or_default().to_owned(),
            keystore: RawKeystore::from(keystore),
            ..Raw::default()
        };
        let text = toml::to_string(&raw).map_err(std::io::Error::other)?;
        std::fs::write(dir.join(FILE), text)
    }

    /// States that the ledger is in the domain's folder.
    pub(crate) fn without_postgres(dir: &Path) -> std::io::Result<()> {
        let path = dir.join(FILE);
        let mut text: toml::Table =
            toml::from_str(&std::fs::read_to_string(&path)?).map_err(std::io::Error::other)?;
        if text.remove("ledger_postgres").is_none() {
            return Ok(());
        }
        std::fs::write(path, toml::to_string(&text).map_err(std::io::Error::other)?)
    }

    /// Where a domain's ledger is: where its configuration says, or in its folder where there is none,
    /// as in a copy that somebody verifies.
    ///
    /// # Errors
    /// [`Misconfigured`] with every mistake.
    pub fn ledger_of(dir: &Path) -> Result<ledger::Place, Misconfigured> {
        if dir.join(FILE).is_file() {
            Self::read(dir).map(|config| config.ledger)
        } else {
            Ok(ledger::Place::from(dir))
        }
    }

    /// How the children are kept.
    pub(crate) fn pool(&self, program: PathBuf) -> PoolConfig {
        let mut pool = PoolConfig::new(program);
        let each = |running: usize| {
            let asked = self.raw.licence_running_max.unwrap_or(usize::MAX);
            asked.min(running.saturating_sub(1)).max(1)
        };
        pool.planner.running_max = self.raw.planners_running_max;
        pool.planner.running_each_max = each(self.raw.planners_running_max);
        pool.runner.running_max = self.raw.runners_running_max;
        pool.runner.running_each_max = each(self.raw.runners_running_max);
        pool.planner.ready = self.raw.planners_ready;
        pool.planner.wall_max = Duration::from_millis(self.raw.planner_wall_ms_max);
        pool.runner.ready = self.raw.runners_ready;
        pool.runner.wall_max = Duration::from_millis(self.raw.runner_wall_ms_max);
        pool.runner.limits.memory_bytes = self.raw.runner_memory_bytes_max;
        pool.engine_bytes_max = self.raw.runner_memory_bytes_max / 2;
        pool.results_bytes_max = self.raw.results_bytes_max;
        pool.results_unread_max = Duration::from_millis(self.raw.results_unread_ms_max);
        pool.rings_demanded.clone_from(&self.rings_demanded);
        pool.statement_limits.clone_from(&self.raw.statement);
        pool
    }
}

impl Raw {
    /// The counts of children that would leave none.
    fn no_children(&self) -> Option<String> {
        let licence = self.licence_running_max.unwrap_or(1);
        let counts = [
            ("planners_ready", self.planners_ready),
            ("runners_ready", self.runners_ready),
            ("planners_running_max", self.planners_running_max),
            ("runners_running_max", self.runners_running_max),
            ("licence_running_max", licence),
        ];
        let none = counts.into_iter().filter(|(_, count)| *count == 0);
        let names: Vec<_> = none.map(|(name, _)| name).collect();
        (!names.is_empty()).then(|| format!("{}: at least 1", names.join(", ")))
    }

    /// The limits on statements that are none.
    fn no_limits(&self) -> impl Iterator<Item = String> {
        self.statement.iter().filter_map(|(name, most)| {
            if !STATEMENT_LIMITS.contains(&name.as_str()) {
                let known = STATEMENT_LIMITS.join(", ");
                Some(format!(
                    "statement.{name}: there is no such limit; there are {known}"
                ))
            } else if *most == 0 {
                Some(format!("statement.{name}: at least 1"))
            } else {
                None
            }
        })
    }
}

/// The rings of these names, and a mistake for each name that is none.
fn demanded(names: &[String]) -> (Vec<Ring>, Vec<String>) {
    if names.iter().any(|name| name == "all") {
        return (Ring::ALL.into(), vec![]);
    }
    let (mut rings, mut mistakes) = (Vec::new(), Vec::new());
    for name in names {
        match name.parse() {
            Ok(ring) => rings.push(ring),
            Err(unknown) => {
                let unknown: dispatch::NoSuchRing = unknown;
                let known = Ring::ALL.map(Ring::name).join(", ");
                mistakes.push(format!("jail_required: {unknown}; there are all, {known}"));
            }
        }
    }
    (rings, mistakes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_demanded_by_name_and_a_wrong_name_is_told() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (rings, mistakes) = demanded(&names(&["landlock", "net"]));
        assert_eq!(
            (rings, mistakes.len()),
            (vec![Ring::Landlock, Ring::Network], 0)
        );
        assert_eq!(demanded(&names(&["all"])).0, Ring::ALL);
        let (_, mistakes) = demanded(&names(&["moat"]));
        assert!(mistakes[0].contains("`moat`") && mistakes[0].contains("landlock"));
    }
}
