use dispatch::PoolConfig;
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
    planner_wall_ms_max: u64,
    runner_wall_ms_max: u64,
    runner_memory_bytes_max: u64,
    results_bytes_max: u32,
    log_filter: String,
    otlp_endpoint: String,
    /// Tighter limits on statements; `docs/lockdown.md` lists them.
    statement: BTreeMap<String, u64>,
    /// How long events are kept, by class; `docs/ledger.md` lists them.
    retention: Retention,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            flight: "127.0.0.1:50051".into(),
            flight_remote: String::new(),
            admin: "127.0.0.1:0".into(),
            log: String::new(),
            planners_ready: 2,
            runners_ready: 2,
            planner_wall_ms_max: 5_000,
            runner_wall_ms_max: 30_000,
            runner_memory_bytes_max: 4 << 30,
            results_bytes_max: 64 << 20,
            log_filter: "warn".into(),
            otlp_endpoint: String::new(),
            statement: BTreeMap::new(),
            retention: Retention::default(),
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
    raw: Raw,
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
        if raw.planners_ready == 0 || raw.runners_ready == 0 {
            mistakes.push("planners_ready, runners_ready: at least 1".to_owned());
        }
        for (name, most) in &raw.statement {
            if !STATEMENT_LIMITS.contains(&name.as_str()) {
                let known = STATEMENT_LIMITS.join(", ");
                mistakes.push(format!(
                    "statement.{name}: there is no such limit; there are {known}"
                ));
            } else if *most == 0 {
                mistakes.push(format!("statement.{name}: at least 1"));
            }
        }
        match (flight, admin) {
            (Some(flight), Some(admin)) if mistakes.is_empty() => Ok(Self {
                flight,
                flight_remote: remote,
                admin,
                log,
                retention: raw.retention,
                log_filter: raw.log_filter.clone(),
                otlp_endpoint: Some(raw.otlp_endpoint.clone()).filter(|text| !text.is_empty()),
                raw,
            }),
            _ => Err(wrong(mistakes)),
        }
    }

    /// Writes the defaults, for a new domain.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_default(dir: &Path) -> std::io::Result<()> {
        let text = toml::to_string(&Raw::default()).map_err(std::io::Error::other)?;
        std::fs::write(dir.join(FILE), text)
    }

    /// How the children are kept.
    pub(crate) fn pool(&self, program: PathBuf) -> PoolConfig {
        let mut pool = PoolConfig::new(program);
        pool.planner.ready = self.raw.planners_ready;
        pool.planner.wall_max = Duration::from_millis(self.raw.planner_wall_ms_max);
        pool.runner.ready = self.raw.runners_ready;
        pool.runner.wall_max = Duration::from_millis(self.raw.runner_wall_ms_max);
        pool.runner.limits.memory_bytes = self.raw.runner_memory_bytes_max;
        pool.engine_bytes_max = self.raw.runner_memory_bytes_max / 2;
        pool.results_bytes_max = self.raw.results_bytes_max;
        pool.statement_limits.clone_from(&self.raw.statement);
        pool
    }
}
