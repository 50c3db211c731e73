use std::path::{Path, PathBuf};
use vault::Token;

/// What opens the keystore, as it is written.
#[derive(Debug, Clone, Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawKeystore {
    passphrase_file: String,
    pkcs11_module: String,
    pkcs11_token: String,
    pin_file: String,
    danger_unprotected: bool,
}

/// What opens the keystore. Which of it is needed, the keystore's kind says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeystoreConfig {
    /// A file with the passphrase, that its owner alone may read.
    pub passphrase_file: Option<PathBuf>,
    /// The token that keeps the root key.
    pub token: Option<Token>,
    /// A file with the token's PIN, that its owner alone may read.
    pub pin_file: Option<PathBuf>,
    /// Whether a production domain may keep its root key unprotected.
    pub danger_unprotected: bool,
}

impl From<&RawKeystore> for KeystoreConfig {
    fn from(raw: &RawKeystore) -> Self {
        let file = |text: &str| Some(PathBuf::from(text)).filter(|file| *file != PathBuf::new());
        Self {
            passphrase_file: file(&raw.passphrase_file),
            token: file(&raw.pkcs11_module).map(|module| Token {
                module,
                label: raw.pkcs11_token.clone(),
            }),
            pin_file: file(&raw.pin_file),
            danger_unprotected: raw.danger_unprotected,
        }
    }
}

impl From<&KeystoreConfig> for RawKeystore {
    fn from(config: &KeystoreConfig) -> Self {
        let text = |file: Option<&Path>| file.map(|file| file.display().to_string());
        let token = config.token.as_ref();
        Self {
            passphrase_file: text(config.passphrase_file.as_deref()).unwrap_or_default(),
            pkcs11_module: text(token.map(|token| token.module.as_path())).unwrap_or_default(),
            pkcs11_token: token.map(|token| token.label.clone()).unwrap_or_default(),
            pin_file: text(config.pin_file.as_deref()).unwrap_or_default(),
            danger_unprotected: config.danger_unprotected,
        }
    }
}
