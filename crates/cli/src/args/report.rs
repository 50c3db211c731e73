//! `bonded report …` as typed.

use super::Folder;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// What a licence used in a period, and what is paid for it / 授权用量与费用清单
    Statement {
        #[command(flatten)]
        place: Folder,
        /// The licence
        #[arg(long)]
        licence: String,
        /// The first day, like 2026-01-01
        #[arg(long)]
        from: String,
        /// The last day
        #[arg(long)]
        until: String,
        #[command(flatten)]
        written: Written,
    },
    /// The annual operating report / 年度运营报告
    Annual {
        #[command(flatten)]
        place: Folder,
        /// The year
        #[arg(long)]
        year: i32,
        /// Of one operator; of all if not given
        #[arg(long)]
        operator: Option<String>,
        #[command(flatten)]
        written: Written,
    },
    /// Probing, bursts of refusals, unusual volume / 异常预警
    Anomalies {
        #[command(flatten)]
        place: Folder,
        /// Tell what was seen from this day on
        #[arg(long)]
        since: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Written {
    /// How it is written; HTML of the annual report alone
    #[arg(long, value_enum, default_value_t = Form::Md)]
    pub format: Form,
    /// The file, made anew; the terminal if not given
    #[arg(long, short)]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Md,
    Html,
    Json,
}
