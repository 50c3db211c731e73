//! `bonded backup …` and `bonded restore` as typed.

use super::{Opener, Secret};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Backup {
    /// Take a backup of the data, by the gateway or of a domain that is not served / 备份
    Create {
        /// The profile of a domain administrator: the gateway takes it / 由网关备份
        #[arg(short, long, conflicts_with_all = ["dir", "to", "secret_fd"], required_unless_present = "dir")]
        profile: Option<PathBuf>,
        /// The folder of a domain that is not served
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Where to, in place of what bonded.toml says
        #[arg(long, value_name = "PLACE")]
        to: Option<PathBuf>,
        #[command(flatten)]
        secret: Secret,
    },
    /// Which backups there are; with the domain, which of them are on its record / 备份清单
    List(Place),
    /// Read every object of a backup again; with the domain, open it too / 核验备份
    Verify {
        #[command(flatten)]
        place: Place,
        /// Which; the newest if not given
        #[arg(long)]
        number: Option<u64>,
        #[command(flatten)]
        secret: Secret,
    },
}

/// Where backups stand.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The place itself, a folder or s3://bucket/prefix: no key is needed / 备份位置
    #[arg(
        long,
        value_name = "PLACE",
        conflicts_with = "dir",
        required_unless_present = "dir"
    )]
    pub at: Option<PathBuf>,
    /// The folder of a domain, where its bonded.toml says
    #[arg(long)]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    pub store: Store,
}

/// What an S3-compatible store is reached with, as in bonded.toml.
#[derive(Debug, Args)]
pub(crate) struct Store {
    /// Its address; the region's own if not given
    #[arg(long, value_name = "URL", default_value = "")]
    pub s3_endpoint: String,
    /// Its region
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub s3_region: String,
    /// A file with access_key_id and secret_access_key, that its owner alone may read
    #[arg(long, value_name = "FILE")]
    pub s3_credentials_file: Option<PathBuf>,
    /// PEM with further authorities that vouch for the store
    #[arg(long, value_name = "FILE")]
    pub s3_authorities: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The new domain's folder, which must not be there
    pub dir: PathBuf,
    /// Where the backup stands
    #[arg(long, value_name = "PLACE")]
    pub from: PathBuf,
    /// Which; the newest if not given
    #[arg(long)]
    pub number: Option<u64>,
    /// A copy of the domain's keys, as `bonded key copy` makes it / 密钥副本
    #[arg(long, value_name = "FOLDER")]
    pub keys: PathBuf,
    #[command(flatten)]
    pub opener: Opener,
    #[command(flatten)]
    pub store: Store,
    /// Put a log back that is known to have been longer / 接受账本回退
    #[arg(long)]
    pub danger_accept_rollback: bool,
}
