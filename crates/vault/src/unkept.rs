use std::path::PathBuf;
use terms::{DatasetName, Told};

/// What can go wrong with keys. Every cause is ours, never the caller's: fail closed and alert.
#[derive(Debug, thiserror::Error)]
pub enum Unkept {
    /// A key file could not be read or written.
    #[error("key file `{path}` could not be used")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The root key is there already; a second one would orphan everything under the first.
    #[error("root key `{path}` exists already")]
    RootExists {
        /// Where.
        path: PathBuf,
    },
    /// The root key's file is not 32 bytes long.
    #[error("root key `{path}` is not 32 bytes")]
    RootBroken {
        /// Where.
        path: PathBuf,
    },
    /// A wrapped key's file is not what we write.
    #[error("key file `{path}` is not readable as a wrapped key")]
    UnitBroken {
        /// Where.
        path: PathBuf,
    },
    /// A unit key does not open under this root, or is another than the one it was made as.
    #[error("the key of snapshot {number} of `{dataset}` does not open under this root key")]
    UnitForeign {
        /// Of which dataset.
        dataset: DatasetName,
        /// Of which snapshot.
        number: u32,
    },
    /// There is no key: the snapshot never was, or was destroyed.
    #[error("there is no key for snapshot {number} of `{dataset}`")]
    UnitAbsent {
        /// Of which dataset.
        dataset: DatasetName,
        /// Of which snapshot.
        number: u32,
    },
    /// A stored file does not open under its key, or is not what we write.
    #[error("stored file `{path}` is not readable")]
    Unreadable {
        /// Which.
        path: PathBuf,
    },
    /// Sealed bytes were changed, or sealed elsewhere or as something else.
    #[error("sealed bytes do not open")]
    SealBroken,
    /// No random bytes, so no key and no nonce.
    #[error("the system's random generator failed")]
    NoRandom,
}

impl Unkept {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "vault.key-file",
            Self::RootExists { .. } => "vault.root-exists",
            Self::RootBroken { .. } => "vault.root-broken",
            Self::UnitBroken { .. } => "vault.unit-broken",
            Self::UnitForeign { .. } => "vault.unit-foreign",
            Self::UnitAbsent { .. } => "vault.unit-absent",
            Self::Unreadable { .. } => "vault.unreadable",
            Self::SealBroken => "vault.seal-broken",
            Self::NoRandom => "vault.no-random",
        }
    }

    /// What the caller hears.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::UnitAbsent { .. } => Told::new("The data is not available.", "数据不可用。"),
            Self::File { .. }
            | Self::RootExists { .. }
            | Self::RootBroken { .. }
            | Self::UnitBroken { .. }
            | Self::UnitForeign { .. }
            | Self::Unreadable { .. }
            | Self::SealBroken
            | Self::NoRandom => Told::new(
                "The key store failed; the operation was stopped.",
                "密钥库故障，操作已停止。",
            ),
        }
    }
}
