//! The commands as typed. Names are promised in the interface; extend freely, keep them.

use crate::{Failure, demo, explain, export, init, ledger, lineage, query, witness};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

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
    Export {
        #[command(flatten)]
        statement: Statement,
        /// The package's folder, made anew
        #[arg(long, short)]
        output: PathBuf,
    },
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
    /// A planner child; for the gateway alone
    #[command(hide = true)]
    PlannerChild {
        /// Limits
        limits: Vec<String>,
    },
    /// A runner child; for the gateway alone
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
    /// A PostgreSQL database that keeps the ledger instead of the folder, as a connection string
    #[arg(long, value_name = "CONNECTION")]
    pub ledger_postgres: Option<String>,
    /// With what manifests are signed
    #[arg(long, value_enum, default_value_t = ManifestAlgorithm::P256)]
    pub manifest_key: ManifestAlgorithm,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// The newest checkpoint / 最新检查点
    Head(Where),
    /// Hash everything again / 重算全部散列
    Verify {
        #[command(flatten)]
        place: Where,
        /// An older checkpoint that the log must have grown out of
        #[arg(long)]
        old: Option<PathBuf>,
    },
    /// The proof that an entry is in the log / 条目的存在证明
    Prove {
        #[command(flatten)]
        place: Where,
        /// The entry's index
        index: u64,
    },
    /// Hash everything again, fold what stands again, hold the record against its rules / 全面审计
    Audit(Where),
    /// The entries, oldest first / 列出条目
    Tail(Tail),
    /// Copy the log as files, for outside verifiers / 将账本复制为文件
    Copy {
        #[command(flatten)]
        place: Where,
        /// The folder
        folder: PathBuf,
    },
    /// Read an entry's sealed text; the reading is on record / 阅读密封内容（留痕）
    Read {
        #[command(flatten)]
        as_whom: AsWhom,
        /// The entry's index
        index: u64,
        /// What for: audit, investigation, complaint, redaction
        #[arg(long)]
        purpose: String,
    },
    /// Ask that an entry's sealed text be destroyed / 申请销毁密封内容
    Redact {
        #[command(flatten)]
        as_whom: AsWhom,
        /// The entry's index
        index: u64,
        /// On which ground: erasure-request, unlawful-content, entered-in-error, order
        #[arg(long)]
        basis: String,
    },
    /// Approve such a request; the second approval destroys the text / 批准销毁申请
    Approve {
        #[command(flatten)]
        as_whom: AsWhom,
        /// The entry of the request
        request: u64,
    },
    /// End the publication of entries whose time is over / 截断已过保存期的条目
    Prune {
        #[command(flatten)]
        as_whom: AsWhom,
    },
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

#[derive(Debug, Subcommand)]
pub(crate) enum Lineage {
    /// What a product comes from
    Sources {
        #[command(flatten)]
        place: Traced,
        /// export/ID, result/ID, or the operation's id
        product: String,
    },
    /// What a dataset, or one item of it, went into
    Products {
        #[command(flatten)]
        place: Traced,
        /// schema.table
        dataset: String,
        /// One of its items
        #[arg(long)]
        item: Option<String>,
    },
    /// Every run as OpenLineage events, one a line
    Events {
        #[command(flatten)]
        place: Traced,
        /// The file, made anew; the terminal if not given
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// The lineage of a product as SVG
    Picture {
        #[command(flatten)]
        place: Traced,
        /// export/ID, result/ID, or the operation's id
        product: String,
        /// The file, made anew
        #[arg(long, short)]
        output: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Traced {
    /// The domain's folder
    #[arg(long)]
    pub dir: PathBuf,
    /// Who opens the sealed columns, through the running gateway; each reading is on record / 阅读留痕
    #[arg(long, short, requires = "purpose")]
    pub profile: Option<PathBuf>,
    /// What for: audit, investigation, complaint, redaction
    #[arg(long, requires = "profile")]
    pub purpose: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// The folder
    #[arg(long)]
    pub dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Where {
    /// The domain's folder
    #[arg(long, required_unless_present = "url")]
    pub dir: Option<PathBuf>,
    /// Where the log is published: an http or https address, or a folder of its files
    #[arg(long, conflicts_with = "dir", requires = "key")]
    pub url: Option<String>,
    /// The log's verifier key, which has to come from elsewhere than the log
    #[arg(long)]
    pub key: Option<PathBuf>,
    /// PEM with the authorities that vouch for an https server
    #[arg(long, requires = "url")]
    pub ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    pub place: Where,
    /// Wait for further entries
    #[arg(long, short)]
    pub follow: bool,
    /// Show so many of the last entries at first; all if not given
    #[arg(long, short = 'n')]
    pub lines: Option<usize>,
    /// What this person did, or what concerns them
    #[arg(long)]
    pub person: Option<String>,
    /// What concerns this dataset, operations that read it included
    #[arg(long)]
    pub dataset: Option<String>,
    /// What made this product: an operation's id, or the digest of a manifest
    #[arg(long)]
    pub product: Option<String>,
    /// From this time on: 2026-11-21 or 2026-11-21T12:00:00Z
    #[arg(long)]
    pub since: Option<String>,
    /// Up to this time, a day included
    #[arg(long)]
    pub until: Option<String>,
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
        Command::Export { statement, output } => export::export(&statement, &output, json),
        Command::Verify {
            package,
            key,
            policy,
        } => export::verify(&package, &key, policy.as_deref(), json),
        Command::Receipt { as_whom, query } => query::receipt(&as_whom, &query, json),
        Command::Ledger { verb } => ledger::ledger(&verb, json),
        Command::Witness { verb } => witness::witness(&verb, json),
        Command::Lineage { verb } => lineage::lineage(&verb, json),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
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
