//! Where root keys are kept: one small trait, three that keep them.

mod passphrase; // a file sealed under a passphrase
mod pkcs11; // a token that never lets a root key out
mod root_file; // root keys as files
mod unprotected; // a file, for pilots

pub use self::{
    passphrase::{Cost, Passphrase},
    pkcs11::{Pkcs11, Token},
    unprotected::Unprotected,
};
pub(crate) use root_file::sweep;

use crate::{Key, Unkept};
use terms::KeystoreKind;

/// The name of a root key.
///
/// Shape: 16 hexadecimal digits that say whose it is, `-`, 16 that say which.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct RootId(String);

/// Keeps root keys, and does with them what a domain needs: wrap its storage key and open it again.
///
/// What every keystore holds to, one suite checks (`tests/keystores.rs`).
pub trait Keystore: std::fmt::Debug + Send + Sync {
    /// Of which kind it is.
    fn kind(&self) -> KeystoreKind;

    /// Makes a root key of this name.
    ///
    /// # Errors
    /// [`Unkept`], in particular where there is one of that name.
    fn make(&self, root: &RootId) -> Result<(), Unkept>;

    /// Wraps a key under a root key.
    ///
    /// # Errors
    /// [`Unkept::NoSuchKey`], [`Unkept::WrongSecret`], or the keystore's own.
    fn wrap(&self, root: &RootId, key: &Key) -> Result<Vec<u8>, Unkept>;

    /// Opens what [`Keystore::wrap`] made under the same root key.
    ///
    /// # Errors
    /// [`Unkept::NoSuchKey`], [`Unkept::WrongSecret`], [`Unkept::SealBroken`], or the keystore's own.
    fn unwrap(&self, root: &RootId, wrapped: &[u8]) -> Result<Key, Unkept>;

    /// Destroys a root key for good; one that is not there is no error.
    ///
    /// # Errors
    /// The keystore's own.
    fn destroy(&self, root: &RootId) -> Result<(), Unkept>;

    /// The root keys that are kept of whoever this one is of.
    ///
    /// # Errors
    /// The keystore's own.
    fn roots(&self, like: &RootId) -> Result<Vec<RootId>, Unkept>;
}

// === impl RootId ===

impl RootId {
    /// A name for the first root key of somebody new.
    ///
    /// # Errors
    /// [`Unkept::NoRandom`].
    pub fn random() -> Result<Self, Unkept> {
        let bytes = crate::sealing::random::<16>()?;
        let (owner, which) = bytes.split_at(8);
        Ok(Self(format!(
            "{}-{}",
            hex::encode(owner),
            hex::encode(which)
        )))
    }

    /// A name for another root key of the same.
    ///
    /// # Errors
    /// [`Unkept::NoRandom`].
    pub fn another(&self) -> Result<Self, Unkept> {
        let which = hex::encode(crate::sealing::random::<8>()?);
        Ok(Self(format!("{}-{which}", self.owner())))
    }

    /// Whose it is.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for RootId {
    type Err = terms::Unreadable;
    fn from_str(text: &str) -> Result<Self, terms::Unreadable> {
        let is_half = |half: &str| {
            let mut digits = half.bytes();
            half.len() == 16 && digits.all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        match text.split_once('-') {
            Some((owner, which)) if is_half(owner) && is_half(which) => Ok(Self(text.to_owned())),
            _ => Err(terms::Unreadable::new(
                "root key",
                text,
                "16 hexadecimal digits, a hyphen, 16 more",
            )),
        }
    }
}

impl TryFrom<String> for RootId {
    type Error = terms::Unreadable;
    fn try_from(text: String) -> Result<Self, terms::Unreadable> {
        text.parse()
    }
}

impl From<RootId> for String {
    fn from(root: RootId) -> Self {
        root.0
    }
}

impl std::fmt::Display for RootId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
