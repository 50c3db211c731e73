//! The commands as typed. Names are promised in the interface; extend freely, keep them.

use crate::{
    Failure, demo, explain, export, init,
    manage::{self, Managed},
    query, witness,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

mod backup; // those of backups
mod key; // those of keys, and keystores
mod ledger; // the verbs of the ledger
mod lineage; // those of lineage
mod policy; // those of the policies
mod report; // those of reports

pub(crate) use self::{
    backup::{Backup, Place, Restore, Store},
    key::{Key, KeystoreWord, NewKeystore, Opener, Secret},
    ledger::{Ledger, Tail, Where},
    lineage::{Lineage, Traced},
    policy::Policy,
    report::{Form, Report, Written},
};

#[derive(Debug, Parser)]
#[command(
    name = "bonded",
    version,
    about = "A bonded warehouse for public data / 公共数据授权运营域",
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Machine output / 机器可读输出
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a domain / 建立授权运营域
    Init(Init),
    /// Run the gateway / 运行网关
    Serve(Serve),
    /// The whole story on generated data / 用生成的数据演示全过程
    Demo(Demo),
    /// Run a statement / 执行查询
    Query(Query),
    /// The decision without touching data / 只看决定，不动数据
    Explain(Statement),
    /// A result as a signed package / 导出带签名清单的数据包
    Export(Export),
    /// Keep a result inside, as work.NAME / 在域内留存结果
    Materialise(Materialise),
    /// What is kept inside: list, drop / 工作区
    Workspace(Managed<manage::Workspace>),
    /// Check a package offline / 离线核验数据包
    Verify {
        /// The package's folder
        package: PathBuf,
        /// The domain's public key
        #[arg(long)]
        key: PathBuf,
        /// The log's trust policy or verifier key
        #[arg(long)]
        policy: Option<PathBuf>,
    },
    /// The receipt of an operation / 操作回执
    Receipt {
        #[command(flatten)]
        as_whom: AsWhom,
        /// The operation's id
        query: String,
    },
    /// The ledger / 存证账本
    Ledger {
        #[command(subcommand)]
        verb: Ledger,
    },
    /// People: key, enrolment, vetting, agreement / 参与人员
    Person(Managed<manage::Person>),
    /// Operators: papers, officer, drills, assessments / 运营单位
    Operator(Managed<manage::Operator>),
    /// The catalogue: entries, grades, data / 公共数据目录
    Dataset(Managed<manage::Dataset>),
    /// Licences, from the call to the end / 授权
    Licence(Managed<manage::Licence>),
    /// Scenarios, from the application to the end / 应用场景
    Scenario(Managed<manage::Scenario>),
    /// Data from outside, through the import gate / 社会数据导入
    External(Managed<manage::External>),
    /// Products, from registration to recall / 公共数据产品
    Product(Managed<manage::Product>),
    /// Violations and the public list / 违规
    Violation(Managed<manage::Violation>),
    /// Objections and their answers / 异议
    Objection(Managed<manage::Objection>),
    /// The domain: what is overdue, what happens / 授权运营域
    Domain(Managed<manage::Domain>),
    /// The keys of a domain that is not served / 密钥
    Key {
        #[command(subcommand)]
        verb: Key,
    },
    /// Backups of the data / 数据备份
    Backup {
        #[command(subcommand)]
        verb: Backup,
    },
    /// Put a domain back from a backup and its keys / 从备份恢复
    Restore(Restore),
    /// Who cosigns the log / 账本见证方
    Witness {
        #[command(subcommand)]
        verb: Witness,
    },
    /// From what to what, over the whole history / 数据来源与去向
    Lineage {
        #[command(subcommand)]
        verb: Lineage,
    },
    /// The policies / 策略
    Policy {
        #[command(subcommand)]
        verb: Policy,
    },
    /// What a period holds / 统计与报告
    Report {
        #[command(subcommand)]
        verb: Report,
    },
    /// What planners are forked from; for the gateway alone
    #[command(hide = true)]
    PlannerChild {
        /// Limits
        limits: Vec<String>,
    },
    /// What runners are forked from; for the gateway alone
    #[command(hide = true)]
    RunnerChild {
        /// Limits
        limits: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AsWhom {
    /// The person's profile
    #[arg(short, long)]
    pub profile: PathBuf,
    /// The scenario; the profile's if not given
    #[arg(long)]
    pub scenario: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Statement {
    #[command(flatten)]
    pub as_whom: AsWhom,
    /// The statement
    pub sql: String,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub as_whom: AsWhom,
    /// The statement; outside a pilot that of an approved product
    #[arg(required_unless_present = "product", conflicts_with = "product")]
    pub sql: Option<String>,
    /// An approved product, by its id / 已审核通过的产品
    #[arg(long)]
    pub product: Option<String>,
    /// The package's folder, made anew
    #[arg(long, short)]
    pub output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Materialise {
    #[command(flatten)]
    pub statement: Statement,
    /// What statements call it: work.NAME / 名称
    #[arg(long)]
    pub name: String,
    /// How many days it is kept; as the domain says if not given / 留存天数
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub days: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    #[command(flatten)]
    pub statement: Statement,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Csv,
    Json,
    Arrow,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The domain's folder
    #[arg(long)]
    pub dir: PathBuf,
    /// Where Flight SQL is served inside the domain
    #[arg(long)]
    pub flight: Option<SocketAddr>,
    /// Where Flight SQL is served to remote callers; off if not given
    #[arg(long)]
    pub flight_remote: Option<SocketAddr>,
    /// Where the management services are
    #[arg(long)]
    pub admin: Option<SocketAddr>,
    /// Where the console is
    #[arg(long)]
    pub console: Option<SocketAddr>,
    /// Where the log is published over HTTP; nowhere if not given
    #[arg(long)]
    pub log: Option<SocketAddr>,
    #[command(flatten)]
    pub secret: Secret,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where the demo's domain is kept; a temporary folder if not given
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// How many people are in the data
    #[arg(long, default_value_t = 100_000)]
    pub rows: u64,
    /// Keep serving at the end
    #[arg(long)]
    pub serve: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where
    pub dir: PathBuf,
    /// A seed directory to play through
    #[arg(long)]
    pub from: Option<PathBuf>,
    /// The domain's name, where there is no seed
    #[arg(long)]
    pub name: Option<String>,
    /// What unqualified table names mean, where there is no seed
    #[arg(long, default_value = "main", value_name = "SCHEMA")]
    pub default_schema: String,
    /// The founder's certificate request; without it a key is written once, in `people/founder`
    #[arg(long, value_name = "CSR", conflicts_with = "from")]
    pub founder_csr: Option<PathBuf>,
    /// The last day of the founder's confidentiality agreement; a year from today if not given
    #[arg(long, value_name = "DAY", conflicts_with = "from")]
    pub founder_until: Option<chrono::NaiveDate>,
    /// A PostgreSQL database that keeps the ledger instead of the folder, as a connection string
    #[arg(long, value_name = "CONNECTION")]
    pub ledger_postgres: Option<String>,
    /// With what manifests are signed
    #[arg(long, value_enum, default_value_t = ManifestAlgorithm::P256)]
    pub manifest_key: ManifestAlgorithm,
    #[command(flatten)]
    pub keystore: NewKeystore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ManifestAlgorithm {
    P256,
    Ed25519,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Witness {
    /// Make a witness with a new key, on the regulator's own machine
    Init {
        /// Where
        dir: PathBuf,
        /// Its name, like example.gov.cn/witness
        #[arg(long)]
        name: String,
    },
    /// Begin to watch a log
    Watch {
        #[command(flatten)]
        place: Folder,
        /// The file of the log's verifier key
        log: PathBuf,
    },
    /// Cosign over HTTP what continues the record
    Serve {
        #[command(flatten)]
        place: Folder,
        /// Where
        #[arg(long, default_value = "127.0.0.1:7380")]
        listen: SocketAddr,
    },
    /// Write the request for a witness that no network reaches
    Request {
        #[command(flatten)]
        place: Folder,
        /// The witness, as the domain's policy names it
        #[arg(long)]
        witness: String,
        /// The size it cosigned last, where it told another than is known here
        #[arg(long)]
        from: Option<u64>,
        /// The file, made anew
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Answer a request that came as a file
    Cosign {
        #[command(flatten)]
        place: Folder,
        /// The request
        request: PathBuf,
        /// The file, made anew
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Take a cosigned checkpoint that came as a file
    Accept {
        #[command(flatten)]
        place: Folder,
        /// The cosigned checkpoint
        cosigned: PathBuf,
    },
    /// What a witness cosigned last, or what a domain's witnesses did
    Status(Folder),
}

#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// The folder
    #[arg(long)]
    pub dir: PathBuf,
}

/// Runs the command line.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    let ended = match cli.command {
        Command::PlannerChild { limits: _ } => return planner::child::main(),
        Command::RunnerChild { limits: _ } => return runner::child::main(),
        Command::Init(given) => init::init(&given),
        Command::Serve(serve) => serve_command(serve),
        Command::Demo(demo) => demo::demo(&demo),
        Command::Query(query) => query::query(&query, json),
        Command::Explain(statement) => explain::explain(&statement, json),
        Command::Export(given) => export::export(given, json),
        Command::Materialise(given) => crate::materialise::materialise(&given, json),
        Command::Workspace(given) => manage::workspace(given, json),
        Command::Verify {
            package,
            key,
            policy,
        } => crate::verify::verify(&package, &key, policy.as_deref(), json),
        Command::Receipt { as_whom, query } => query::receipt(&as_whom, &query, json),
        Command::Ledger { verb } => crate::ledger::ledger(&verb, json),
        Command::Person(given) => manage::person(given, json),
        Command::Operator(given) => manage::operator(given, json),
        Command::Dataset(given) => manage::dataset(given, json),
        Command::Licence(given) => manage::licence(given, json),
        Command::Scenario(given) => manage::scenario(given, json),
        Command::External(given) => manage::external(given, json),
        Command::Product(given) => manage::product(given, json),
        Command::Violation(given) => manage::violation(given, json),
        Command::Objection(given) => manage::objection(given, json),
        Command::Domain(given) => manage::domain(given, json),
        Command::Key { verb } => crate::key::key(&verb, json),
        Command::Backup { verb } => crate::backup::backup(&verb, json),
        Command::Restore(given) => crate::backup::restore(&given, json),
        Command::Witness { verb } => witness::witness(&verb, json),
        Command::Lineage { verb } => crate::lineage::lineage(&verb, json),
        Command::Policy { verb } => crate::policy::policy(&verb, json),
        Command::Report { verb } => crate::report::report(&verb, json),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // What it names may be somebody else's words.
            eprintln!("{}", terms::legible_lines(&failure.to_string()));
            ExitCode::from(failure.exit_code())
        }
    }
}

/// A runtime for one command.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime
        .map_err(|error| Failure::Other(error.to_string()))?
        .block_on(work)
}

fn serve_command(serve: Serve) -> Result<(), Failure> {
    init::serve(serve)
}
