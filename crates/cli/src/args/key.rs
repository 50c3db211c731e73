//! `bonded key …` as typed, and where the secrets of a keystore come from.

use super::Folder;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Which keys there are, and where the root is kept; opens nothing / 密钥状态
    Status(Folder),
    /// Make the storage key anew, or the root key alone, and destroy the old one / 轮换密钥
    Rotate {
        #[command(flatten)]
        place: Folder,
        /// The root key alone
        #[arg(long)]
        root: bool,
        #[command(flatten)]
        secret: Secret,
    },
    /// Copy the keys, numbered and on record, for a safe of their own / 复制密钥
    Copy {
        #[command(flatten)]
        place: Folder,
        /// The folder in which the copy's folder is made
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
        #[command(flatten)]
        secret: Secret,
    },
    /// Keep the root key elsewhere, or under another passphrase / 迁移根密钥
    Move {
        #[command(flatten)]
        place: Folder,
        /// Where
        #[arg(long, value_enum)]
        to: KeystoreWord,
        #[command(flatten)]
        secret: Secret,
        /// A file with the new passphrase, that its owner alone may read
        #[arg(long, value_name = "FILE")]
        new_secret_file: Option<PathBuf>,
        /// A descriptor that the new passphrase or PIN is read from
        #[arg(long, value_name = "FD")]
        new_secret_fd: Option<u32>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Secret {
    /// A descriptor that the keystore's passphrase or PIN is read from
    #[arg(long, value_name = "FD")]
    pub secret_fd: Option<u32>,
}

/// What opens a keystore, where no bonded.toml says.
#[derive(Debug, Args)]
pub(crate) struct Opener {
    /// A file with the passphrase of the keystore, that its owner alone may read
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
    pub secret: Secret,
}

/// In what the root key of a new domain is kept.
#[derive(Debug, Args)]
pub(crate) struct NewKeystore {
    /// In what the root key is kept; a domain from a seed has it unprotected unless this is given
    #[arg(long, value_enum)]
    pub keystore: Option<KeystoreWord>,
    #[command(flatten)]
    pub opener: Opener,
    /// Keep the root key of a production domain in a file without protection
    #[arg(long, conflicts_with = "keystore")]
    pub danger_unprotected_keys: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeystoreWord {
    Unprotected,
    Passphrase,
    Pkcs11,
}
