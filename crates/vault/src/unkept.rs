use crate::RootId;
use std::path::PathBuf;
use terms::{DatasetName, KeyName, KeystoreKind, Told};

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
    /// There are keys already; new ones would orphan everything under them.
    #[error("`{path}` holds keys already")]
    KeysExist {
        /// Where.
        path: PathBuf,
    },
    /// The folder holds no keys.
    #[error("`{path}` holds no keys")]
    KeysAbsent {
        /// Where.
        path: PathBuf,
    },
    /// A root key's file is not what we write.
    #[error("root key `{path}` is not what was written")]
    RootBroken {
        /// Where.
        path: PathBuf,
    },
    /// The file of wrapped keys is not what we write, or was changed.
    #[error(
        "key file `{path}` is not readable as wrapped keys, was changed, or has another number than its own"
    )]
    RingBroken {
        /// Where.
        path: PathBuf,
    },
    /// The root key is not in its keystore: it never was, or was destroyed.
    #[error("there is no root key `{root}`")]
    NoSuchKey {
        /// Which.
        root: RootId,
    },
    /// The keys are kept in another keystore than the one that was opened.
    #[error("the root key is kept in keystore `{kept}`, not in `{opened}`")]
    OtherKeystore {
        /// Where it is kept.
        kept: KeystoreKind,
        /// Which was opened.
        opened: KeystoreKind,
    },
    /// The passphrase or PIN is wrong.
    #[error("keystore `{0}` does not open: the passphrase or PIN is wrong")]
    WrongSecret(KeystoreKind),
    /// Too many wrong PINs: the keystore takes none any more.
    #[error("keystore `{0}` is locked after wrong PINs; its administrator has to unlock it")]
    LockedOut(KeystoreKind),
    /// One more wrong PIN would lock the keystore.
    #[error(
        "one wrong PIN more would lock the token, so none was tried; log in once with the token's own tool"
    )]
    LastTry,
    /// A passphrase that can be guessed.
    #[error("the passphrase is too short: {characters_min} characters at least")]
    SecretShort {
        /// How long it has to be.
        characters_min: usize,
    },
    /// The keystore failed.
    #[error("the keystore failed: {what}")]
    Keystore {
        /// In what.
        what: String,
    },
    /// A wrapped key's file is not what we write.
    #[error("key file `{path}` is not readable as a wrapped key")]
    UnitBroken {
        /// Where.
        path: PathBuf,
    },
    /// A key does not open under the storage key, or is another than the one it was made as.
    #[error("key `{key}` does not open under the storage key")]
    UnitForeign {
        /// Which.
        key: KeyName,
    },
    /// There is no key: the snapshot never was, or was destroyed.
    #[error("there is no key for snapshot {number} of `{dataset}`")]
    UnitAbsent {
        /// Of which dataset.
        dataset: DatasetName,
        /// Of which snapshot.
        number: u32,
    },
    /// There is no key of this name: it never was, or was destroyed.
    #[error("there is no key `{key}`")]
    KeyAbsent {
        /// Which.
        key: KeyName,
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
            Self::KeysExist { .. } => "vault.keys-exist",
            Self::KeysAbsent { .. } => "vault.keys-absent",
            Self::RingBroken { .. } => "vault.ring-broken",
            Self::NoSuchKey { .. } => "vault.no-such-key",
            Self::OtherKeystore { .. } => "vault.other-keystore",
            Self::WrongSecret(_) => "vault.wrong-secret",
            Self::LockedOut(_) => "vault.locked-out",
            Self::LastTry => "vault.last-try",
            Self::SecretShort { .. } => "vault.secret-short",
            Self::Keystore { .. } => "vault.keystore",
            Self::RootBroken { .. } => "vault.root-broken",
            Self::UnitBroken { .. } => "vault.unit-broken",
            Self::UnitForeign { .. } => "vault.unit-foreign",
            Self::UnitAbsent { .. } => "vault.unit-absent",
            Self::KeyAbsent { .. } => "vault.key-absent",
            Self::Unreadable { .. } => "vault.unreadable",
            Self::SealBroken => "vault.seal-broken",
            Self::NoRandom => "vault.no-random",
        }
    }

    /// What the caller hears.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::UnitAbsent { .. } | Self::KeyAbsent { .. } => {
                Told::new("The data is not available.", "数据不可用。")
            }
            Self::File { .. }
            | Self::KeysExist { .. }
            | Self::KeysAbsent { .. }
            | Self::RingBroken { .. }
            | Self::NoSuchKey { .. }
            | Self::OtherKeystore { .. }
            | Self::WrongSecret(_)
            | Self::LockedOut(_)
            | Self::LastTry
            | Self::SecretShort { .. }
            | Self::Keystore { .. }
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
