//! What opens a keystore: where its passphrase or PIN comes from. Never a command line, never an
//! environment variable that children inherit.

use crate::{Config, config::KeystoreConfig};
use std::{
    fs::File,
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};
use terms::KeystoreKind;
use vault::{Cost, Keyring, Keystore, Passphrase, Pkcs11, Unkept, Unprotected};
use zeroize::Zeroizing;

/// Asks a person, on a terminal and without echo.
pub type Prompt = fn(&str) -> std::io::Result<Zeroizing<String>>;

/// Where a passphrase or PIN may come from, beside the files that `bonded.toml` names.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// A descriptor that the process was started with.
    pub descriptor: Option<u32>,
    /// The folder of credentials that systemd gave this process.
    pub credentials: Option<PathBuf>,
    /// Who can be asked.
    pub prompt: Option<Prompt>,
}

/// Why a keystore cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Locked {
    /// Nobody says what opens it.
    #[error(
        "keystore.no-secret: keystore `{kind}` needs its {what}: give `--secret-fd`, name a file in \
         bonded.toml ([keystore] {setting}), pass a systemd credential `{credential}`, or start it on \
         a terminal / 需要密钥库口令"
    )]
    NoSecret {
        /// Of which kind it is.
        kind: KeystoreKind,
        /// A passphrase or a PIN.
        what: &'static str,
        /// The setting that names its file.
        setting: &'static str,
        /// The credential.
        credential: &'static str,
    },
    /// Others than its owner may read the file.
    #[error(
        "keystore.secret-readable: `{}` may be read by others: chmod 600 it / 口令文件权限过宽",
        .0.display()
    )]
    Readable(PathBuf),
    /// It cannot be read.
    #[error("keystore.secret-unreadable: {from}: {source}")]
    Unreadable {
        /// From where.
        from: String,
        /// Why.
        source: std::io::Error,
    },
    /// `bonded.toml` does not say which token.
    #[error(
        "keystore.no-token: bonded.toml names no token: set [keystore] pkcs11_module and pkcs11_token \
         / 未配置 PKCS#11 模块"
    )]
    NoToken,
    /// The keystore itself.
    #[error("{}: {}", .0.code(), .0)]
    Keys(#[from] Unkept),
}

/// The words of one kind of secret.
#[derive(Clone, Copy)]
struct Words {
    kind: KeystoreKind,
    what: &'static str,
    setting: &'static str,
    credential: &'static str,
}

const PASSPHRASE: Words = Words {
    kind: KeystoreKind::Passphrase,
    what: "passphrase",
    setting: "passphrase_file",
    credential: "bonded-passphrase",
};
const PIN: Words = Words {
    kind: KeystoreKind::Pkcs11,
    what: "PIN",
    setting: "pin_file",
    credential: "bonded-pin",
};
/// The longest secret, in bytes.
const SECRET_BYTES_MAX: u64 = 4096;

/// Opens the keys of a domain, wherever they are kept. Nothing is destroyed before they are judged.
///
/// # Errors
/// [`Locked`].
pub(crate) fn unlocked(
    dir: &Path,
    config: &KeystoreConfig,
    secrets: &Secrets,
) -> Result<Keyring, Locked> {
    let kind = Keyring::kept_in(dir)?;
    let keystore = keystore(dir, kind, (config, secrets))?;
    Ok(Keyring::open_unswept(dir, keystore)?)
}

/// A keystore of this kind, with its secret.
///
/// # Errors
/// [`Locked`].
pub fn keystore(
    dir: &Path,
    kind: KeystoreKind,
    (config, secrets): (&KeystoreConfig, &Secrets),
) -> Result<Box<dyn Keystore>, Locked> {
    Ok(match kind {
        KeystoreKind::Unprotected => Box::new(Unprotected::new(dir)),
        KeystoreKind::Passphrase => {
            let file = config.passphrase_file.as_deref();
            let passphrase = secret(PASSPHRASE, dir, file, secrets)?;
            Box::new(Passphrase::new(dir, passphrase, Cost::default()))
        }
        KeystoreKind::Pkcs11 => {
            let token = config.token.clone().ok_or(Locked::NoToken)?;
            let pin = secret(PIN, dir, config.pin_file.as_deref(), secrets)?;
            Box::new(Pkcs11::open(token, &pin)?)
        }
    })
}

impl Config {
    /// Where the secrets of this domain's keystore are.
    #[must_use]
    pub const fn keystore(&self) -> &KeystoreConfig {
        &self.keystore
    }
}

fn secret(
    words: Words,
    dir: &Path,
    file: Option<&Path>,
    secrets: &Secrets,
) -> Result<Zeroizing<String>, Locked> {
    if let Some(descriptor) = secrets.descriptor {
        return read(Path::new(&format!("/proc/self/fd/{descriptor}")), false);
    }
    if let Some(file) = file {
        return read(&dir.join(file), true);
    }
    let credential = secrets.credentials.as_deref();
    let credential = credential.map(|folder| folder.join(words.credential));
    if let Some(credential) = credential.filter(|path| path.exists()) {
        // Its permissions are systemd's.
        return read(&credential, false);
    }
    let prompt = secrets.prompt.ok_or(Locked::NoSecret {
        kind: words.kind,
        what: words.what,
        setting: words.setting,
        credential: words.credential,
    })?;
    prompt(words.what).map_err(|source| Locked::Unreadable {
        from: "the terminal".to_owned(),
        source,
    })
}

/// The first line of a file.
fn read(path: &Path, is_private: bool) -> Result<Zeroizing<String>, Locked> {
    let unreadable = |source| Locked::Unreadable {
        from: path.display().to_string(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    if is_private && file.metadata().map_err(unreadable)?.mode() & 0o077 != 0 {
        return Err(Locked::Readable(path.to_owned()));
    }
    // With room for all of it, so that no copy stays where the text grew out of.
    let mut text = Zeroizing::new(String::with_capacity(8192));
    let mut file = file.take(SECRET_BYTES_MAX);
    file.read_to_string(&mut text).map_err(unreadable)?;
    let line = text.lines().next().unwrap_or_default();
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn write(path: &Path, mode: u32) {
        std::fs::write(path, "correct horse battery\nsecond line\n").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_secret_comes_from_a_private_file_a_credential_or_a_person() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        let none = Secrets::default();
        let read = |file: Option<&Path>, secrets: &Secrets| {
            secret(PASSPHRASE, dir.path(), file, secrets).map(|found| found.to_string())
        };
        let cause = read(None, &none).unwrap_err().to_string();
        assert!(cause.starts_with("keystore.no-secret") && cause.contains("passphrase_file"));
        write(&file, 0o644);
        let cause = read(Some(&file), &none).unwrap_err().to_string();
        assert!(cause.starts_with("keystore.secret-readable"), "{cause}");
        write(&file, 0o600);
        assert_eq!(read(Some(&file), &none).unwrap(), "correct horse battery");

        write(&dir.path().join("bonded-passphrase"), 0o440);
        let systemd = Secrets {
            credentials: Some(dir.path().to_owned()),
            ..Secrets::default()
        };
        assert_eq!(read(None, &systemd).unwrap(), "correct horse battery");
        let person = Secrets {
            prompt: Some(|what| Ok(Zeroizing::new(format!("{what} as typed")))),
            ..Secrets::default()
        };
        assert_eq!(read(None, &person).unwrap(), "passphrase as typed");
    }

    #[test]
    fn a_secret_comes_from_an_inherited_descriptor() {
        use std::io::Write as _;
        use std::os::fd::AsRawFd as _;
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"correct horse battery\n").unwrap();
        drop(writer);
        let secrets = Secrets {
            descriptor: u32::try_from(reader.as_raw_fd()).ok(),
            ..Secrets::default()
        };
        let found = secret(PASSPHRASE, Path::new("/"), None, &secrets).unwrap();
        assert_eq!(*found, "correct horse battery");
    }
}
