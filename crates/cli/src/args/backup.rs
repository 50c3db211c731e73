//! `bonded backup …` and `bonded restore` as typed.

use super::Secret;
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
    /// Which backups there are; opens nothing / 备份清单
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
    /// A file with the keystore's passphrase, that its owner alone may read
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// The library of the token
    #[arg(long, value_name = "FILE", requires = "pkcs11_token")]
    pub pkcs11_module: Option<PathBuf>,
    /// The token's label
    #[arg(long, value_name = "LABEL", requires = "pkcs11_module")]
    pub pkcs11_token: Option<String>,
    /// A file with the token's PIN, that its owner alone may read
    #[arg(long, value_name = "FILE")]
    pub pin_file: Option<PathBuf>,
    #[command(flatten)]
    pub store: Store,
    #[command(flatten)]
    pub secret: Secret,
    /// Put a log back that is known to have been longer / 接受账本回退
    #[arg(long)]
    pub danger_accept_rollback: bool,
}
