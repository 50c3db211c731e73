//! `bonded policy …` as typed.

use super::Folder;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Decide what is on record again by other policies; exit 1 if a decision flips / 用新策略重演已有记录
    Rehearse {
        /// The folder that would stand in place of the domain's `policies`
        policies: PathBuf,
        #[command(flatten)]
        place: Folder,
        /// Judge from this time on alone: 2026-11-21 or 2026-11-21T12:00:00Z
        #[arg(long)]
        since: Option<String>,
    },
}
