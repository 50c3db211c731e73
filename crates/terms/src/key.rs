use crate::{DatasetName, Unreadable};

/// Where a domain's root key is kept, and so what opens it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum KeystoreKind {
    /// A file that whoever reads the folder reads: for pilots.
    Unprotected,
    /// A file sealed under a passphrase.
    Passphrase,
    /// A token or hardware module, which never lets it out. Source: PKCS #11 (OASIS).
    Pkcs11,
}

/// A key of a domain beneath its root.
///
/// Shape: `storage/3`, `tokens`, `cells`, `sealed`, `backup`, `snapshot/gjj.account/1`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub enum KeyName {
    /// The storage key of this version: it wraps all the others.
    Storage(u32),
    /// What the tokens of every scenario are made with.
    Tokens,
    /// What the noise of perturbed cells is drawn with.
    Cells,
    /// What seals the disclosure register and what stands.
    Sealed,
    /// What seals the pieces of backups of the data.
    Backup,
    /// What one state of a dataset is stored under.
    Snapshot {
        /// Which dataset.
        dataset: DatasetName,
        /// Which state.
        number: u32,
    },
}

/// What was made anew, so that the old one could be destroyed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rotation {
    /// The root key alone: another one wraps the same storage key.
    Root,
    /// The storage key, and the root with it; every other key is wrapped anew.
    Storage,
    /// The root moved to another keystore, or under another passphrase.
    Keystore,
}

// === impl KeystoreKind ===

impl KeystoreKind {
    /// The kind's word, as in configuration and events.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unprotected => "unprotected",
            Self::Passphrase => "passphrase",
            Self::Pkcs11 => "pkcs11",
        }
    }
}

impl std::fmt::Display for KeystoreKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

impl std::str::FromStr for KeystoreKind {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let kinds = [Self::Unprotected, Self::Passphrase, Self::Pkcs11];
        let known = kinds.map(Self::word).join(", ");
        let found = kinds.into_iter().find(|kind| kind.word() == text);
        found.ok_or_else(|| Unreadable::new("keystore", text, known))
    }
}

// === impl KeyName ===

impl std::fmt::Display for KeyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Storage(version) => write!(f, "storage/{version}"),
            Self::Tokens => f.write_str("tokens"),
            Self::Cells => f.write_str("cells"),
            Self::Sealed => f.write_str("sealed"),
            Self::Backup => f.write_str("backup"),
            Self::Snapshot { dataset, number } => write!(f, "snapshot/{dataset}/{number}"),
        }
    }
}

impl std::str::FromStr for KeyName {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let parts: Vec<&str> = text.split('/').collect();
        let number = |digits: &str| {
            digits
                .parse()
                .ok()
                .filter(|n: &u32| n.to_string() == digits)
        };
        let name = match parts.as_slice() {
            ["tokens"] => Some(Self::Tokens),
            ["cells"] => Some(Self::Cells),
            ["sealed"] => Some(Self::Sealed),
            ["backup"] => Some(Self::Backup),
            ["storage", version] => number(version).map(Self::Storage),
            ["snapshot", dataset, at] => number(at).and_then(|number| {
                let dataset = dataset.parse().ok()?;
                Some(Self::Snapshot { dataset, number })
            }),
            _ => None,
        };
        name.ok_or_else(|| Unreadable::new("key", text, "a name like snapshot/city.citizen/1"))
    }
}

impl TryFrom<String> for KeyName {
    type Error = Unreadable;
    fn try_from(text: String) -> Result<Self, Unreadable> {
        text.parse()
    }
}

impl From<KeyName> for String {
    fn from(name: KeyName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_in_one_way_alone() {
        for name in [
            "storage/3",
            "tokens",
            "cells",
            "sealed",
            "backup",
            "snapshot/gjj.account/1",
        ] {
            assert_eq!(name.parse::<KeyName>().unwrap().to_string(), name);
        }
        for wrong in [
            "",
            "storage",
            "storage/03",
            "snapshot/x",
            "snapshot/a.b/-1",
            "tokens/1",
        ] {
            assert!(wrong.parse::<KeyName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_keystore_is_called_in_configuration_as_in_events() {
        for kind in [
            KeystoreKind::Unprotected,
            KeystoreKind::Passphrase,
            KeystoreKind::Pkcs11,
        ] {
            assert_eq!(kind.word().parse::<KeystoreKind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
        assert!("tpm".parse::<KeystoreKind>().is_err());
    }
}
