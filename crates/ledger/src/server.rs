//! A PostgreSQL server: where it is, and one session with it.

use crate::Breach;
use postgres::config::Host;
use postgres::error::SqlState;
use postgres::types::ToSql;
use postgres::{Client, Config, NoTls, Row, Statement};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// How long a server is waited for before it counts as gone.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// Where a log's database is.
#[derive(Clone)]
pub(crate) struct Server {
    called: PathBuf,
    config: Config,
}

/// One connection, on a thread of its own: its client must not be driven from an asynchronous one.
#[derive(Debug)]
pub(crate) struct Session {
    called: PathBuf,
    jobs: mpsc::Sender<Job>,
    patience: Duration,
}

/// A connection and the statements prepared on it.
pub(crate) struct Wire {
    client: Client,
    prepared: BTreeMap<&'static str, Statement>,
    /// Where to connect again; none where a new connection would not be as good as the old.
    again: Option<Config>,
}

type Job = Box<dyn FnOnce(&mut Wire) + Send>;
type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

// === impl Server ===

impl Server {
    /// Reads a connection string, in either of libpq's forms.
    pub(crate) fn new(connection: &str) -> Result<Self, Breach> {
        let unfit = |what: String| Breach::Unfit {
            file: "postgresql:".into(),
            what,
        };
        let mut config: Config = connection
            .parse()
            .map_err(|error| unfit(format!("its connection string is none: {error}")))?;
        if config.get_password().is_some() {
            let what = "write the password into `keys/postgres.password`, not into the connection";
            return Err(unfit(what.to_owned()));
        }
        let hosts: Vec<String> = config.get_hosts().iter().map(host).collect();
        // INVARIANT (no entry crosses a network in clear): the sealed parts are encrypted, who asked
        // for what is not.
        let inside = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(is_loopback),
        };
        let addressed = config.get_hostaddrs().iter().copied().all(is_loopback);
        if hosts.is_empty() || !addressed || !config.get_hosts().iter().all(inside) {
            let what = "name a socket's folder or a loopback address; to a server elsewhere, go \
                        through an encrypted tunnel that ends on this machine";
            return Err(unfit(what.to_owned()));
        }
        let name = config.get_dbname().unwrap_or("postgres");
        let called = format!("postgresql:{name}@{}", hosts.join(","));
        config
            .application_name("bonded ledger")
            .connect_timeout(Duration::from_secs(5))
            .tcp_user_timeout(Duration::from_secs(10))
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(2))
            .keepalives_retries(3);
        Ok(Self {
            called: called.into(),
            config,
        })
    }

    pub(crate) fn set_password(&mut self, password: &[u8]) {
        self.config.password(password);
    }

    /// What messages call it.
    pub(crate) fn called(&self) -> &Path {
        &self.called
    }
}

fn is_loopback(address: std::net::IpAddr) -> bool {
    address.is_loopback()
}

fn host(host: &Host) -> String {
    match host {
        Host::Unix(folder) => folder.display().to_string(),
        Host::Tcp(name) => name.clone(),
    }
}

impl std::fmt::Debug for Server {
    // The configuration may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.called.display())
    }
}

// === impl Session ===

impl Session {
    /// A session that writes. It ends with its connection.
    pub(crate) fn to_write(server: &Server) -> Result<Self, Breach> {
        Self::start(server, SILENCE_MAX, false)
    }

    /// A session that reads. It connects again where it has to, and waits for long queries.
    pub(crate) fn to_read(server: &Server) -> Result<Self, Breach> {
        Self::start(server, SILENCE_MAX * 40, true)
    }

    fn start(server: &Server, patience: Duration, reconnects: bool) -> Result<Self, Breach> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let (started, start) = mpsc::sync_channel(1);
        let config = server.config.clone();
        let session = Self {
            called: server.called.clone(),
            jobs,
            patience,
        };
        let serve = move || {
            let mut wire = match Wire::connect(&config) {
                Ok(wire) => wire,
                Err(error) => return drop(started.send(Err(error))),
            };
            wire.again = reconnects.then_some(config);
            drop(started.send(Ok(())));
            while let Ok(job) = queue.recv() {
                job(&mut wire);
            }
        };
        std::thread::Builder::new()
            .name("ledger-session".to_owned())
            .spawn(serve)
            .map_err(|source| Breach::Unreachable {
                file: server.called.clone(),
                source,
            })?;
        start
            .recv_timeout(patience)
            .map_err(|error| session.severed(error.into()))?
            .map_err(|error| session.failed(error))?;
        Ok(session)
    }

    /// Does something on the connection and waits for it.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        ask: impl Fn(&mut Wire) -> Result<T, postgres::Error> + Send + 'static,
    ) -> Result<T, Breach> {
        let (answer, answered) = mpsc::sync_channel(1);
        let job = move |wire: &mut Wire| {
            let first = ask(wire);
            let answered = match &first {
                Err(error) if is_severed(error) && wire.reconnect() => ask(wire),
                Ok(_) | Err(_) => first,
            };
            drop(answer.send(answered));
        };
        self.jobs
            .send(Box::new(job))
            .map_err(|_| self.severed("the session ended".into()))?;
        answered
            .recv_timeout(self.patience)
            .map_err(|error| self.severed(error.into()))?
            .map_err(|error| self.failed(error))
    }

    fn severed(&self, source: Box<dyn std::error::Error + Send + Sync>) -> Breach {
        Breach::Severed {
            file: self.called.clone(),
            source,
        }
    }

    fn failed(&self, error: postgres::Error) -> Breach {
        let file = self.called.clone();
        let severed = is_severed(&error);
        let Some(code) = error.code().cloned() else {
            return self.severed(error.into());
        };
        // The server says more beneath its error than on top of it.
        let source: Box<dyn std::error::Error + Send + Sync> = match error.into_source() {
            Some(source) => source,
            None => code.code().into(),
        };
        if code == SqlState::DISK_FULL {
            Breach::Full { file, source }
        } else if severed {
            self.severed(source)
        } else {
            Breach::Database { file, source }
        }
    }
}

/// Whether the connection is gone, and not the statement wrong. Source: PostgreSQL, appendix A, classes
/// 08 (connection exception) and 57 (operator intervention).
fn is_severed(error: &postgres::Error) -> bool {
    error.code().is_none_or(|code| {
        let code = code.code();
        code.starts_with("08") || code.starts_with("57P")
    })
}

// === impl Wire ===

impl Wire {
    fn connect(config: &Config) -> Result<Self, postgres::Error> {
        let mut client = config.connect(NoTls)?;
        // A gateway that vanished with its network must not hold the log's lock for hours.
        client.batch_execute(
            "SET synchronous_commit = on; SET tcp_keepalives_idle = 5; \
             SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3",
        )?;
        Ok(Self {
            client,
            prepared: BTreeMap::new(),
            again: None,
        })
    }

    /// A connection instead of one that broke, where any connection will do.
    fn reconnect(&mut self) -> bool {
        let Some(config) = self.again.take() else {
            return false;
        };
        let connected = Self::connect(&config);
        let is_connected = connected.is_ok();
        if let Ok(wire) = connected {
            *self = wire;
        }
        self.again = Some(config);
        is_connected
    }

    /// Holds what is seen still, as long as the connection lasts.
    pub(crate) fn hold_still(&mut self) -> Result<(), postgres::Error> {
        self.again = None;
        self.client
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    /// Runs statements without parameters.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), postgres::Error> {
        self.client.batch_execute(sql)
    }

    /// Runs a statement and fetches what it gives.
    pub(crate) fn query(
        &mut self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, postgres::Error> {
        let statement = self.prepare(sql)?;
        self.client.query(&statement, parameters)
    }

    /// Runs a statement and says how many rows it touched.
    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<u64, postgres::Error> {
        let statement = self.prepare(sql)?;
        self.client.execute(&statement, parameters)
    }

    fn prepare(&mut self, sql: &'static str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }
}
