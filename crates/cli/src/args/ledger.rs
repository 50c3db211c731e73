//! `bonded ledger …` as typed.

use super::AsWhom;
use clap::{Args, Subcommand};
use std::path::PathBuf;

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
