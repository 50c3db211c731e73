//! `bonded key …`: the keys of a domain that is not served, and what opens a keystore.

use crate::{
    Failure,
    args::{Key, KeystoreWord, NewKeystore, Opener, Secret, block_on},
};
use gateway::{Domain, KeystoreConfig, Secrets, Unopened};
use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};
use terms::KeystoreKind;
use vault::{KeyStatus, Keyring};
use zeroize::Zeroizing;

pub(crate) fn key(verb: &Key, json: bool) -> Result<(), Failure> {
    match verb {
        Key::Status(place) => tell(&looked(&place.dir)?, json),
        Key::Rotate {
            place,
            root,
            secret,
        } => {
            let domain = opened(&place.dir, secret)?;
            let renewed = if *root {
                domain.keyring.rotate_root()
            } else {
                domain.keyring.rotate_storage()
            };
            recorded(&domain, renewed)?;
            tell(&domain.keyring.status(), json)
        }
        Key::Copy { place, to, secret } => {
            let domain = opened(&place.dir, secret)?;
            crate::backup::copy_keys(&domain, to, json)
        }
        Key::Move {
            place,
            to,
            secret,
            new_secret_file,
            new_secret_fd,
        } => {
            let domain = opened(&place.dir, secret)?;
            let config = moved(&domain, *to, new_secret_file.as_deref())?;
            let secrets = Secrets {
                descriptor: *new_secret_fd,
                credentials: None,
                prompt: std::io::stdin().is_terminal().then_some(chosen),
            };
            let keystore = gateway::keystore(&domain.dir, to.kind(), (&config, &secrets));
            let keystore = keystore.map_err(|error| Failure::Usage(error.to_string()))?;
            recorded(&domain, domain.keyring.move_to(keystore))?;
            tell(&domain.keyring.status(), json)
        }
    }
}

impl KeystoreWord {
    pub(crate) const fn kind(self) -> KeystoreKind {
        match self {
            Self::Unprotected => KeystoreKind::Unprotected,
            Self::Passphrase => KeystoreKind::Passphrase,
            Self::Pkcs11 => KeystoreKind::Pkcs11,
        }
    }
}

impl Opener {
    /// As bonded.toml would say it, with files named from the root on.
    pub(crate) fn config(&self, danger_unprotected: bool) -> Result<KeystoreConfig, Failure> {
        let absolute = |file: &Option<PathBuf>| {
            let file = file.as_deref();
            let file =
                file.map(|file| std::path::absolute(file).map_err(|e| Failure::usage(file, e)));
            file.transpose()
        };
        let token = self.pkcs11_module.as_ref().zip(self.pkcs11_token.clone());
        Ok(KeystoreConfig {
            passphrase_file: absolute(&self.passphrase_file)?,
            token: token.map(|(module, label)| vault::Token {
                module: module.clone(),
                label,
            }),
            pin_file: absolute(&self.pin_file)?,
            danger_unprotected,
        })
    }
}

/// In what the root key of a new domain is kept, and what opens that.
pub(crate) fn wanted(
    given: &NewKeystore,
    is_seeded: bool,
) -> Result<(KeystoreKind, KeystoreConfig, Secrets), Failure> {
    let kind = match (given.keystore, is_seeded || given.danger_unprotected_keys) {
        (None, true) => KeystoreKind::Unprotected,
        (Some(KeystoreWord::Unprotected), false) | (None, false) => {
            return Err(Failure::Usage(
                "say in what the root key is kept: --keystore passphrase, --keystore pkcs11, or \
                 --danger-unprotected-keys / 请指定密钥库"
                    .to_owned(),
            ));
        }
        (Some(word), _) => word.kind(),
    };
    let config = given.opener.config(given.danger_unprotected_keys)?;
    let mut secrets = secrets(&given.opener.secret);
    if kind == KeystoreKind::Passphrase {
        secrets.prompt = secrets.prompt.map(|_| chosen as gateway::Prompt);
    }
    Ok((kind, config, secrets))
}

/// Where the secret of a keystore that is there comes from.
pub(crate) fn secrets(given: &Secret) -> Secrets {
    Secrets {
        descriptor: given.secret_fd,
        credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(Into::into),
        prompt: std::io::stdin().is_terminal().then_some(asked),
    }
}

/// Asks for a secret, without echo.
fn asked(what: &str) -> std::io::Result<Zeroizing<String>> {
    rpassword::prompt_password(format!("{what} / 口令: ")).map(Zeroizing::new)
}

/// Asks for a new secret, twice.
fn chosen(what: &str) -> std::io::Result<Zeroizing<String>> {
    let first = asked(&format!("new {what} / 新"))?;
    if *asked(&format!("new {what} again / 再次输入新"))? == *first {
        return Ok(first);
    }
    let text = "the two are not the same / 两次输入不一致";
    Err(std::io::Error::other(text))
}

/// What opens the keystore a root key moves to: a passphrase is a new one, so it is not in the file of
/// the old.
fn moved(
    domain: &Domain,
    to: KeystoreWord,
    file: Option<&Path>,
) -> Result<KeystoreConfig, Failure> {
    let mut config = domain.config.keystore().clone();
    let is_changed = domain.keyring.status().keystore == to.kind();
    if is_changed || file.is_some() {
        let file = file.map(|file| std::path::absolute(file).map_err(|e| Failure::usage(file, e)));
        config.passphrase_file = file.transpose()?;
    }
    Ok(config)
}

pub(crate) fn opened(dir: &Path, secret: &Secret) -> Result<Domain, Failure> {
    Domain::open(dir, &secrets(secret)).map_err(|error| Failure::Other(error.to_string()))
}

fn looked(dir: &Path) -> Result<KeyStatus, Failure> {
    Keyring::look(dir).map_err(|error| Failure::Other(format!("{}: {error}", error.code())))
}

/// What was done to keys is put on record, whether all of it was done or not.
fn recorded(domain: &Domain, renewed: Result<(), vault::Unkept>) -> Result<(), Failure> {
    block_on(async {
        let recorded = domain.record_keys::<Unopened>().await;
        recorded.map_err(|error| Failure::Other(error.to_string()))
    })?;
    renewed.map_err(|error| Failure::Other(format!("{}: {error}", error.code())))
}

fn tell(status: &KeyStatus, json: bool) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string(status);
        println!("{}", text.map_err(|e| Failure::Other(e.to_string()))?);
        return Ok(());
    }
    let KeyStatus {
        keystore,
        root,
        storage,
        check,
        keys,
        unrecorded,
    } = status;
    println!("keystore / 密钥库      {keystore}");
    println!("root / 根密钥          {root}");
    println!("storage / 存储密钥     {storage}  {check}");
    for (name, check) in keys {
        println!("  {name}  {check}");
    }
    if *unrecorded > 0 {
        println!("not on the ledger yet / 尚未入账  {unrecorded}");
    }
    Ok(())
}
