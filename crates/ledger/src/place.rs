use crate::Breach;
use crate::note::{NoteSigner, NoteVerifier};
use crate::postgres::Postgres;
use crate::sealed::SealingKey;
use crate::server::Server;
use crate::sqlite::Sqlite;
use crate::storage::Store;
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use terms::DomainName;

/// Where a domain keeps its log and the log's keys: a path alone means SQLite in the domain's folder.
#[derive(Debug, Clone)]
pub struct Place {
    dir: PathBuf,
    server: Option<Server>,
}

impl From<&Path> for Place {
    fn from(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            server: None,
        }
    }
}

impl From<&PathBuf> for Place {
    fn from(dir: &PathBuf) -> Self {
        Self::from(dir.as_path())
    }
}

impl Place {
    /// The log of the domain in this folder, kept in a PostgreSQL database; keys and anchor stay in the
    /// folder. The password, if one is needed, stands in `keys/postgres.password`.
    ///
    /// # Errors
    /// [`Breach::Unfit`] if this is no connection string, or one that leaves the machine unencrypted.
    pub fn in_postgres(dir: &Path, connection: &str) -> Result<Self, Breach> {
        let mut server = Server::new(connection)?;
        let password = dir.join("keys").join("postgres.password");
        if password.exists() {
            server.set_password(read(&password)?.trim_ascii());
        }
        Ok(Self {
            dir: dir.to_owned(),
            server: Some(server),
        })
    }

    /// Makes the database of a new log.
    pub(crate) fn create_store(&self) -> Result<Box<dyn Store>, Breach> {
        Ok(match &self.server {
            None => Box::new(Sqlite::create(&self.database())?),
            Some(server) => Box::new(Postgres::create(server)?),
        })
    }

    /// Opens the database for writing; whoever had it open for writing can't write any more.
    pub(crate) fn open_store(&self) -> Result<Box<dyn Store>, Breach> {
        Ok(match &self.server {
            None => Box::new(Sqlite::open(&self.database())?),
            Some(server) => Box::new(Postgres::open(server)?),
        })
    }

    /// Opens the database beside its writer, to take out what retention takes out.
    pub(crate) fn upkeep_store(&self) -> Result<Box<dyn Store>, Breach> {
        Ok(match &self.server {
            None => Box::new(Sqlite::open(&self.database())?),
            Some(server) => Box::new(Postgres::open_beside(server)?),
        })
    }

    /// Opens the database for reading, beside a writer or alone.
    pub(crate) fn read_store(&self) -> Result<Box<dyn Store>, Breach> {
        Ok(match &self.server {
            None => Box::new(Sqlite::open_read_only(&self.database())?),
            Some(server) => Box::new(Postgres::open_read_only(server)?),
        })
    }

    /// The database, or what to call it.
    pub(crate) fn database(&self) -> PathBuf {
        match &self.server {
            None => self.dir.join("ledger").join("ledger.db"),
            Some(server) => server.called().to_owned(),
        }
    }

    /// The anchor against rolling back.
    pub(crate) fn anchor(&self) -> PathBuf {
        self.dir.join("ledger").join("anchor")
    }

    fn key(&self) -> PathBuf {
        self.dir.join("keys").join("ledger.key")
    }

    /// The key that verifiers need.
    pub(crate) fn vkey(&self) -> PathBuf {
        self.dir.join("keys").join("ledger.vkey")
    }

    fn sealing(&self) -> PathBuf {
        self.dir.join("keys").join("sealed.key")
    }

    /// Makes the folders and the keys of a new log.
    pub(crate) fn make(&self, origin: &DomainName) -> Result<NoteSigner, Breach> {
        for folder in ["ledger", "keys"] {
            let folder = self.dir.join(folder);
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(|source| Breach::Unreachable {
                    file: folder,
                    source,
                })?;
        }
        let unusable = || Breach::Key { file: self.key() };
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| unusable())?;
        let name = format!("bonded/{origin}");
        let signer = NoteSigner::new(&name, pkcs8.as_ref()).ok_or_else(unusable)?;
        write_new(&self.key(), pkcs8.as_ref())?;
        write_new(&self.sealing(), SealingKey::generate()?.as_bytes())?;
        write_new(&self.vkey(), format!("{}\n", signer.verifier()).as_bytes())?;
        Ok(signer)
    }

    /// Reads the public half of the log's key.
    pub(crate) fn verifier(&self) -> Result<NoteVerifier, Breach> {
        let text = String::from_utf8(read(&self.vkey())?)
            .map_err(|_| Breach::Key { file: self.vkey() })?;
        text.parse().map_err(|_| Breach::Key { file: self.vkey() })
    }

    /// Reads the log's signing key; it must be the one whose public half stands beside it.
    pub(crate) fn signer(&self) -> Result<NoteSigner, Breach> {
        let verifier = self.verifier()?;
        let signer = NoteSigner::new(verifier.name(), &read(&self.key())?)
            .ok_or_else(|| Breach::Key { file: self.key() })?;
        if signer.verifier() == &verifier {
            Ok(signer)
        } else {
            Err(Breach::Key { file: self.key() })
        }
    }

    /// Reads the key of the sealed parts.
    pub(crate) fn sealing_key(&self) -> Result<SealingKey, Breach> {
        SealingKey::read(self.sealing())
    }
}

/// Reads a whole file.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, Breach> {
    std::fs::read(file).map_err(|source| Breach::Unreachable {
        file: file.to_owned(),
        source,
    })
}

/// Writes a file that must not exist yet, readable by its owner alone, through to the disk.
pub(crate) fn write_new(file: &Path, bytes: &[u8]) -> Result<File, Breach> {
    let unreachable = |source: std::io::Error| {
        if source.kind() == std::io::ErrorKind::AlreadyExists {
            Breach::Exists {
                file: file.to_owned(),
            }
        } else {
            Breach::Unreachable {
                file: file.to_owned(),
                source,
            }
        }
    };
    let mut open = OpenOptions::new();
    let mut handle = open
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map_err(unreachable)?;
    handle
        .write_all(bytes)
        .and_then(|()| handle.sync_all())
        .map_err(unreachable)?;
    Ok(handle)
}

/// Replaces a secret file, whole or not at all, durably; what stood there is overwritten where it lay.
///
/// Overwriting is not promised to reach every copy that a disk may keep of a block.
pub(crate) fn replace_secret(file: &Path, bytes: &[u8]) -> Result<(), Breach> {
    let unreachable = |source| Breach::Unreachable {
        file: file.to_owned(),
        source,
    };
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = folder.join(name);
    // What a crash left of an earlier writing.
    match std::fs::remove_file(&fresh) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(unreachable(source));
        }
        Ok(()) | Err(_) => {}
    }
    drop(write_new(&fresh, bytes)?);
    let mut old = OpenOptions::new()
        .write(true)
        .open(file)
        .map_err(unreachable)?;
    let length = old.metadata().map_err(unreachable)?.len();
    std::fs::rename(&fresh, file).map_err(unreachable)?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(unreachable)?;
    let zeros = vec![0; usize::try_from(length).unwrap_or_default()];
    old.write_all(&zeros)
        .and_then(|()| old.sync_all())
        .map_err(unreachable)
}
