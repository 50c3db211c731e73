use crate::{
    config::{Config, KeystoreConfig, Misconfigured},
    keys_on_record::Whose,
    live::Live,
    operation::now,
    receipts::Receipts,
    snapshot::{self, Folded, TakenUp},
    unlock::{self, Locked, Secrets},
    workspace::Workspace,
};
use disclosure::{Limits, Register};
use identity::{Authority, Unissued};
use ledger::{Breach, Ledger, Promises, SystemClock, Unfinished};
use manifest::{Algorithm, ManifestKey};
use policy::Engine;
use register::{Destructions, Redactions};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use terms::{DomainName, Event, KeyName, KeystoreKind};
use vault::{Keyring, Store};

/// A domain's folder, opened by exactly one process.
#[derive(Debug)]
pub struct Domain {
    /// The folder.
    pub dir: PathBuf,
    /// What a person sets.
    pub config: Config,
    /// What happened.
    pub ledger: Ledger,
    /// What stands, folded from the ledger.
    pub live: Live,
    /// What was left to do when it was opened, until somebody does it.
    left: Mutex<Option<Left>>,
    /// What may be.
    pub engine: Engine,
    /// The keys of data and tokens.
    pub keyring: Keyring,
    /// The sealed files.
    pub store: Store,
    /// What was released already.
    pub disclosure: Arc<Register>,
    /// What signs manifests.
    pub manifest_key: ManifestKey,
    /// What became of each operation, by who asked.
    pub(crate) receipts: Mutex<Receipts>,
    /// Held while a file is uploaded: one at a time is in memory.
    pub(crate) uploading: tokio::sync::Mutex<()>,
    /// Held while data is taken in.
    pub(crate) loading: tokio::sync::Mutex<()>,
    /// What scenarios keep, as it is made and destroyed.
    pub(crate) workspace: Workspace,
    /// Held while it is put on record what became of keys, so that it is put once.
    recording: tokio::sync::Mutex<()>,
    /// Held while a backup is taken.
    pub(crate) backing_up: tokio::sync::Mutex<()>,
    _lock: File,
}

/// What a new domain begins with.
#[derive(Debug)]
pub struct Founding<'a> {
    /// Its name.
    pub name: &'a DomainName,
    /// Further policies to take along.
    pub policies: Option<&'a Path>,
    /// With what its manifests are signed.
    pub manifest_algorithm: Algorithm,
    /// The PostgreSQL database that keeps its ledger, if its folder does not.
    pub ledger_postgres: Option<&'a str>,
    /// In what its root key is kept.
    pub keystore: KeystoreKind,
    /// What opens that.
    pub keystore_config: &'a KeystoreConfig,
    /// And where the secret comes from.
    pub secrets: &'a Secrets,
    /// The time.
    pub now: chrono::DateTime<chrono::Utc>,
}

/// Why a domain cannot be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum Unopened {
    /// Another process has it.
    #[error("`{0}` is in use by another bonded process; stop that one first")]
    InUse(PathBuf),
    /// There is no domain.
    #[error("`{0}` is no domain: it has no bonded.toml; make one with `bonded init`")]
    NoDomain(PathBuf),
    /// There is something already.
    #[error("`{0}` is not empty; choose another folder")]
    NotEmpty(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] Misconfigured),
    /// The ledger is not to be trusted, or cannot be made.
    #[error(transparent)]
    Ledger(#[from] Breach),
    /// The keys cannot be read or made.
    #[error(transparent)]
    Keys(#[from] vault::Unkept),
    /// The keystore does not open.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// The keys are not those that the log has on record: of somebody else, or from before a rotation.
    #[error(
        "keystore.not-on-record: key `{key}` is another than the log has on record (entry {index}): put the \
         folder `keys` back as it was; a copy of the keys from before a rotation comes back with \
         `bonded restore` alone / 密钥与账本记录不符，请恢复原 keys 文件夹"
    )]
    OtherKeys {
        /// Which.
        key: KeyName,
        /// The entry that has it on record.
        index: u64,
    },
    /// A copy of the keys was to lie in the domain's folder.
    #[error(
        "key-copy.within: `{0}` is in the domain's folder: choose a place elsewhere, so that a backup of \
         one never holds the other / 密钥副本不得放在域文件夹内"
    )]
    CopyWithin(PathBuf),
    /// A production domain whose root key anybody reads who reads the folder.
    #[error(
        "keystore.unprotected: this is no pilot, and its root key is unprotected: move it with \
         `bonded key move`, or set [keystore] danger_unprotected = true in bonded.toml / \
         生产域的根密钥未受保护"
    )]
    Unprotected,
    /// A destruction that was approved cannot be finished.
    #[error(transparent)]
    Undestroyed(#[from] crate::Undestroyed),
    /// A product that was approved cannot be certified.
    #[error(transparent)]
    Uncertified(#[from] crate::Uncertified),
    /// What lies in quarantine cannot be put in order.
    #[error("the quarantine cannot be put in order: {0}")]
    Quarantine(String),
    /// The disclosure register cannot be used.
    #[error(transparent)]
    Disclosure(#[from] disclosure::Unstored),
    /// The authority cannot be made.
    #[error(transparent)]
    Authority(#[from] Unissued),
    /// The manifest key cannot be read or made.
    #[error("the manifest key: {0}")]
    ManifestKey(String),
    /// The witnesses cannot be used, or hold more of the log than there is.
    #[error(transparent)]
    Witnesses(#[from] witness::Unwitnessed),
    /// The children cannot be started.
    #[error("the children cannot be started: {0}")]
    Pool(String),
}

/// What the log says is left to do: taken up by a gateway, once.
#[derive(Debug)]
pub(crate) struct Left {
    pub redactions: Redactions,
    pub destructions: Destructions,
    pub promises: Promises,
    pub unfinished: Unfinished,
}

impl Domain {
    /// What was left to do, for the first who asks.
    pub(crate) fn left(&self) -> Option<Left> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.take()
    }

    /// Makes the folder of a new domain: configuration, keys, authority, ledger.
    ///
    /// # Errors
    /// [`Unopened`]; a folder that is not empty is left as it is.
    pub fn create(dir: &Path, founding: &Founding<'_>) -> Result<Self, Unopened> {
        let file = |path: &Path| {
            let path = path.to_owned();
            move |source| Unopened::File { path, source }
        };
        if dir.exists() {
            let mut entries = std::fs::read_dir(dir).map_err(file(dir))?;
            if entries.next().is_some() {
                return Err(Unopened::NotEmpty(dir.to_owned()));
            }
        }
        for folder in ["", "ca", "data", "people", "policies"] {
            let path = dir.join(folder);
            std::fs::create_dir_all(&path).map_err(file(&path))?;
        }
        if let Some(policies) = founding.policies {
            for entry in std::fs::read_dir(policies).map_err(file(policies))? {
                let from = entry.map_err(file(policies))?.path();
                let to = dir
                    .join("policies")
                    .join(from.file_name().unwrap_or_default());
                std::fs::copy(&from, &to).map_err(file(&to))?;
            }
        }
        let ca = dir.join("ca");
        let authority = Authority::create(&ca, founding.name.as_str(), founding.now)?;
        let names = [
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ];
        let server = authority.issue_server(&names, founding.now)?;
        let written = std::fs::write(ca.join("server.pem"), &server.certificate_pem)
            .and_then(|()| std::fs::write(ca.join("server-key.pem"), &server.key_pem));
        written.map_err(file(&ca))?;
        private(&ca.join("server-key.pem")).map_err(file(&ca))?;
        let opened_by = founding.keystore_config;
        Config::write_new(dir, founding.ledger_postgres, opened_by).map_err(file(dir))?;
        let place = Config::read(dir)?.ledger;
        let ledger = Ledger::create(place, founding.name, Arc::new(SystemClock))?;
        drop(ledger);
        let opening = (opened_by, founding.secrets);
        let keystore = unlock::keystore(dir, founding.keystore, opening)?;
        let keyring = Keyring::create_in(dir, keystore)?;
        ManifestKey::create(dir, founding.manifest_algorithm)
            .map_err(|error| Unopened::ManifestKey(error.to_string()))?;
        Self::opened(dir, Whose::Own, |_| Ok(keyring))
    }

    /// Opens a domain: takes its lock, checks its ledger, folds what stands.
    ///
    /// # Errors
    /// [`Unopened`].
    pub fn open(dir: &Path, secrets: &Secrets) -> Result<Self, Unopened> {
        Self::opened(dir, Whose::Own, |config| {
            unlock::unlocked(dir, &config.keystore, secrets)
        })
    }

    /// Puts on record what became of keys since it was last.
    ///
    /// # Errors
    /// The ledger's, or the keys'; what is on record then may come on record once more.
    pub async fn record_keys<E: From<Breach> + From<vault::Unkept>>(&self) -> Result<(), E> {
        let _one = self.recording.lock().await;
        let events = self.keyring.unrecorded();
        for event in &events {
            self.ledger.append(event, None, now()).await?;
        }
        Ok(self.keyring.recorded(events.len())?)
    }

    /// Puts on record which keys are in memory from here on, and what became of keys before.
    pub(crate) async fn record_unlocking(&self) -> Result<(), Unopened> {
        self.record_keys::<Unopened>().await?;
        let status = self.keyring.status();
        let unlocked = Event::KeysUnlocked {
            keystore: status.keystore,
            storage: status.storage,
            check: status.check,
            keys: u64::try_from(status.keys.len()).unwrap_or(u64::MAX),
        };
        self.ledger.append(&unlocked, None, now()).await?;
        if status.keystore == KeystoreKind::Unprotected {
            tracing::warn!(
                "the root key is unprotected: whoever reads the folder `keys` reads the data; \
                 `bonded key move` protects it"
            );
        }
        Ok(())
    }

    /// Refuses to serve a production domain whose root key is unprotected, unless that is wanted.
    pub(crate) fn judge_keystore(&self) -> Result<(), Unopened> {
        let is_unprotected = self.keyring.status().keystore == KeystoreKind::Unprotected;
        let is_wanted = self.config.keystore.danger_unprotected;
        let is_pilot = self.live.read().state.pilot();
        if is_unprotected && !is_wanted && !is_pilot {
            return Err(Unopened::Unprotected);
        }
        Ok(())
    }

    pub(crate) fn opened(
        dir: &Path,
        whose: Whose,
        keyring: impl FnOnce(&Config) -> Result<Keyring, Locked>,
    ) -> Result<Self, Unopened> {
        if !dir.join(crate::config::FILE).is_file() {
            return Err(Unopened::NoDomain(dir.to_owned()));
        }
        let config = Config::read(dir)?;
        let lock = locked(dir)?;
        let ledger = Ledger::open(config.ledger.clone(), Arc::new(SystemClock))?;
        let engine = Engine::load(Some(&dir.join("policies")));
        let keyring = keyring(&config)?;
        let TakenUp { folded, entries } = snapshot::take_up(dir, &ledger, &keyring)?;
        tracing::info!(entries, "entries folded");
        let Folded {
            stands,
            redactions,
            destructions,
            keys,
            promises,
            unfinished,
            register_parts,
        } = folded;
        keys.judge(&keyring, whose)?;
        if whose == Whose::Own {
            keyring.settle()?;
        }
        let store = Store::new(dir, &keyring);
        store.sweep_unfinished()?;
        let rows = store.clone();
        let subjects = move |dataset: &terms::DatasetName, snapshot| {
            let read = rows.subjects(dataset, snapshot);
            read.map_err(|why| why.to_string())
        };
        let limits = Limits::default();
        let disclosure = Register::open(dir, &keyring, Box::new(subjects), limits)?;
        disclosure.judge_record(register_parts)?;
        let manifest_key =
            ManifestKey::open(dir).map_err(|e| Unopened::ManifestKey(e.to_string()))?;
        let dir = dir.to_owned();
        let left = Left {
            redactions,
            destructions,
            promises,
            unfinished,
        };
        Ok(Self {
            dir,
            config,
            ledger,
            live: Live::new(stands),
            left: Mutex::new(Some(left)),
            engine,
            keyring,
            store,
            disclosure: Arc::new(disclosure),
            manifest_key,
            receipts: Mutex::default(),
            uploading: tokio::sync::Mutex::default(),
            loading: tokio::sync::Mutex::default(),
            workspace: Workspace::default(),
            recording: tokio::sync::Mutex::default(),
            backing_up: tokio::sync::Mutex::default(),
            _lock: lock,
        })
    }
}

fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

/// One process at a time: an advisory lock that ends with the process.
fn locked(dir: &Path) -> Result<File, Unopened> {
    let path = dir.join("lock");
    let file = |source| Unopened::File {
        path: path.clone(),
        source,
    };
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(file)?;
    match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Unopened::InUse(dir.to_owned())),
        Err(error) => Err(file(error.into())),
    }
}

#[cfg(test)]
mod tests;
