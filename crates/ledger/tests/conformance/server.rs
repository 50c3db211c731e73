//! A PostgreSQL server for tests, from Debian's package: in a temporary folder, reached through a
//! socket there, run by a user without privileges, ended with the tests that use it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test's own tools may panic"
)]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

pub(crate) struct Server {
    dir: tempfile::TempDir,
    process: std::process::Child,
    databases: AtomicU32,
}

/// The server of all tests that run at this moment.
pub(crate) fn server() -> Arc<Server> {
    static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut running = RUNNING.lock().unwrap();
    running.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Server::start(&[]));
        *running = Arc::downgrade(&server);
        server
    })
}

/// Where the distribution keeps what is not for everybody's path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let mut found: Vec<PathBuf> = versions
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found
        .pop()
        .expect("these tests need a PostgreSQL server: apt-get install postgresql")
}

/// PostgreSQL refuses to run as root: then it runs as its package's user.
fn unprivileged(mut command: Command, dir: &Path) -> Command {
    let mine = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap());
    if mine == 0 {
        let users = std::fs::read_to_string("/etc/passwd").unwrap();
        let user = users.lines().find(|line| line.starts_with("postgres:"));
        let fields: Vec<&str> = user.expect("the package's user").split(':').collect();
        let (uid, gid) = (fields[2].parse().unwrap(), fields[3].parse().unwrap());
        chown(dir, Some(uid), Some(gid)).unwrap();
        command.uid(uid).gid(gid);
    }
    command
}

impl Server {
    pub(crate) fn start(settings: &[&str]) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("pg")
            .tempdir_in("/tmp")
            .unwrap();
        let data = dir.path().join("data");
        let mut initdb = unprivileged(Command::new(program("initdb")), dir.path());
        initdb.args(["--no-sync", "--auth=trust", "--username=bonded", "-D"]);
        let made = initdb.arg(&data).current_dir(dir.path()).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut postgres = unprivileged(Command::new(program("postgres")), dir.path());
        postgres.arg("-D").arg(&data).arg("-k").arg(dir.path());
        postgres.args(["-c", "listen_addresses="]);
        for setting in settings {
            postgres.args(["-c", setting]);
        }
        let mut process = postgres
            .current_dir(dir.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let ready = log
            .by_ref()
            .map(Result::unwrap)
            .any(|line| line.contains("ready to accept connections"));
        assert!(ready, "the server did not start");
        std::thread::spawn(move || log.for_each(drop));
        Self {
            dir,
            process,
            databases: AtomicU32::new(0),
        }
    }

    /// The connection string of a database of its own.
    pub(crate) fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        self.run("postgres", &format!("CREATE DATABASE d{number}"));
        self.connection(&format!("d{number}"))
    }

    fn connection(&self, database: &str) -> String {
        let folder = self.dir.path().display();
        format!("host={folder} user=bonded dbname={database}")
    }

    fn run(&self, database: &str, sql: &str) {
        run(&self.connection(database), sql);
    }
}

/// Runs statements as somebody who may do anything to the database.
pub(crate) fn run(connection: &str, sql: &str) {
    let mut client = postgres::Client::connect(connection, postgres::NoTls).unwrap();
    client.batch_execute(sql).unwrap();
}

impl Drop for Server {
    fn drop(&mut self) {
        // Immediate shutdown: nobody needs what is in it.
        let id = self.process.id().to_string();
        let ended = Command::new("kill").args(["-QUIT", &id]).status();
        ended.unwrap();
        self.process.wait().unwrap();
    }
}
