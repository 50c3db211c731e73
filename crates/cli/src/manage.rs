//! Management: each call of the register as `bonded <noun> <verb>`.

mod document; // files that become documents
mod person; // 参与人员
mod operator; // 运营单位
mod dataset; // 公共数据目录
mod import; // the catalogue in lists, in and out
mod describe; // a draft of an entry, from a data file
mod licence; // 授权
mod scenario; // 应用场景
mod product; // 公共数据产品
mod external; // 社会数据
mod workspace; // 工作区
mod supervision; // 违规 and 异议
mod seal; // 封存
mod domain; // what the platform governs

pub(crate) use self::{
    dataset::{Dataset, dataset},
    domain::{Domain, domain},
    external::{External, external},
    licence::{Licence, licence},
    operator::{Operator, operator},
    person::{Person, person},
    product::{Product, product},
    scenario::{Scenario, scenario},
    supervision::{Objection, Violation, objection, violation},
    workspace::{Workspace, workspace},
};

use crate::{
    Failure,
    args::block_on,
    client,
    profile::{self, Profile},
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use terms::{legible, legible_lines};
use tonic::{Response, Status, transport::Channel};
use wire::management::{Caused, Documents, Done, Named, Page, Reasoned};

/// The largest answer taken, in bytes.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// A verb of a noun, and who asks.
#[derive(Debug, Args)]
pub(crate) struct Managed<V: Subcommand> {
    /// The profile of the person who asks / 操作人的配置
    #[arg(short, long, global = true)]
    pub profile: Option<PathBuf>,
    #[command(subcommand)]
    pub verb: V,
}

/// Which.
#[derive(Debug, Args)]
pub(crate) struct Id {
    /// Its id / 编号
    pub id: String,
}

/// Which, and why.
#[derive(Debug, Args)]
pub(crate) struct IdReason {
    /// Its id / 编号
    pub id: String,
    /// Why; kept sealed / 理由（密封保存）
    #[arg(long)]
    pub reason: String,
}

/// Which, on which ground, and why.
#[derive(Debug, Args)]
pub(crate) struct IdCause {
    /// Its id / 编号
    pub id: String,
    /// misuse, unsafe, assessment-failed, unlawful, agreement-breached, not-rectified, risk-reported,
    /// purpose-met, purpose-unattainable, surrendered or ordered / 事由
    #[arg(long)]
    pub cause: String,
    /// Why; kept sealed / 理由（密封保存）
    #[arg(long)]
    pub reason: String,
}

/// A file that becomes a document.
#[derive(Debug, Args)]
pub(crate) struct File {
    /// TOML, or JSON as the ledger has it / 文件
    #[arg(long)]
    pub file: PathBuf,
}

impl From<Id> for Named {
    fn from(Id { id }: Id) -> Self {
        Self { id }
    }
}

impl From<IdReason> for Reasoned {
    fn from(IdReason { id, reason }: IdReason) -> Self {
        Self { id, reason }
    }
}

impl From<IdCause> for Caused {
    fn from(IdCause { id, cause, reason }: IdCause) -> Self {
        Self {
            id,
            cause,
            reason,
            day: String::new(),
        }
    }
}

/// The profile of the person who asks.
fn profile_of(whom: Option<&Path>) -> Result<Profile, Failure> {
    let whom = whom.ok_or_else(|| Failure::Usage("give a profile: -p profile.toml".to_owned()))?;
    Ok(profile::read(whom)?.for_management())
}

/// Connects as a person and makes one call.
fn call<T>(
    whom: Option<&Path>,
    call: impl AsyncFnOnce(Channel) -> Result<Response<T>, Status>,
) -> Result<T, Failure> {
    let profile = profile_of(whom)?;
    block_on(async {
        let client = client::connect(&profile, None).await?;
        let reply = call(client.channel).await;
        Ok(reply
            .map_err(|status| Failure::answered(&status))?
            .into_inner())
    })
}

/// Tells everything of one sort, page by page.
fn list(
    (whom, json): (Option<&Path>, bool),
    asked: impl AsyncFn(Channel, Page) -> Result<Response<Documents>, Status>,
) -> Result<(), Failure> {
    let profile = profile_of(whom)?;
    block_on(async {
        let client = client::connect(&profile, None).await?;
        let mut told = Listing::begun(json);
        let mut after = String::new();
        loop {
            let page = Page { after, most: 0 };
            let reply = asked(client.channel.clone(), page).await;
            let page = reply.map_err(|status| Failure::answered(&status))?;
            let Documents { json, next } = page.into_inner();
            told.take(&json);
            if next.is_empty() || json.is_empty() {
                break;
            }
            after = next;
        }
        told.end();
        Ok(())
    })
}

/// Documents as they come: one array for machines, one a line for people.
struct Listing {
    json: bool,
    first: bool,
}

impl Listing {
    fn begun(json: bool) -> Self {
        if json {
            print!("[");
        }
        Self { json, first: true }
    }

    fn take(&mut self, documents: &[String]) {
        for document in documents {
            match (self.json, self.first) {
                (true, true) => print!("{document}"),
                (true, false) => print!(",{document}"),
                (false, _) => println!("{}", legible(document)),
            }
            self.first = false;
        }
    }

    fn end(self) {
        if self.json {
            println!("]");
        }
    }
}

/// Takes a step and tells its entry and what stands after it.
fn step(
    (whom, json): (Option<&Path>, bool),
    taken: impl AsyncFnOnce(Channel) -> Result<Response<Done>, Status>,
) -> Result<(), Failure> {
    let done = call(whom, taken)?;
    let stands = read(&done.json);
    if json {
        let told = json!({"index": done.index, "checkpoint": done.checkpoint, "stands": stands});
        println!("{told}");
    } else {
        println!("on record / 已存证: #{}", done.index);
        println!("{}", pretty(&stands));
    }
    Ok(())
}

/// Tells one document.
fn tell(document: &str, json: bool) {
    if json {
        println!("{document}");
    } else {
        println!("{}", pretty(&read(document)));
    }
}

/// Tells documents: as one array for machines, one a line for people.
fn tell_all(documents: &[String], json: bool) {
    let mut told = Listing::begun(json);
    told.take(documents);
    told.end();
}

fn read(document: &str) -> Value {
    serde_json::from_str(document).unwrap_or_default()
}

fn pretty(document: &Value) -> String {
    let pretty = serde_json::to_string_pretty(document).unwrap_or_default();
    legible_lines(&pretty)
}
