//! Where a log is read: in a domain's folder, or where it is published.

use super::{broken, http::Http, open_domain};
use crate::{Failure, args::Where};
use ledger::{
    Breach, Checkpoint, Fetch, Head, Ledger, NoteVerifier, Onlooker, Published, Reader, Report,
    Resource, TlogProof,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A log.
#[derive(Debug)]
pub(crate) enum Source {
    /// In a domain's folder, beside the gateway that writes it or alone.
    Domain {
        /// The folder.
        dir: PathBuf,
        /// What reads it.
        reader: Arc<Reader>,
    },
    /// Published, by address or as files.
    Published {
        /// What reads it.
        log: Box<Published<Files>>,
        /// The key it is held to.
        verifier: NoteVerifier,
    },
}

/// A published log's files.
#[derive(Debug)]
pub(crate) enum Files {
    /// Over HTTP.
    Http(Http),
    /// In a folder.
    Folder(PathBuf),
}

impl Fetch for Files {
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, Breach> {
        match self {
            Self::Http(http) => http.fetch(path),
            Self::Folder(folder) => folder.as_path().fetch(path),
        }
    }

    fn place(&self) -> PathBuf {
        match self {
            Self::Http(http) => http.place(),
            Self::Folder(folder) => folder.clone(),
        }
    }
}

/// A file of a published log, or what is published instead of it since it was pruned.
fn file_or_kept(
    log: &Published<Files>,
    resource: Resource,
) -> Result<Option<(Resource, Vec<u8>)>, Breach> {
    for resource in [Some(resource), resource.instead()].into_iter().flatten() {
        if let Some(bytes) = log.file(resource)? {
            return Ok(Some((resource, bytes)));
        }
    }
    Ok(None)
}

// === impl Source ===

impl Source {
    /// Opens a log as the command line names it.
    pub(crate) fn open(place: &Where) -> Result<Self, Failure> {
        let Where { dir, url, key, ca } = place;
        match (dir, url, key) {
            (Some(dir), None, None) => Ok(Self::Domain {
                dir: dir.clone(),
                reader: Arc::new(open_domain(dir)?),
            }),
            (None, Some(url), Some(key)) => {
                let text = std::fs::read_to_string(key);
                let text = text.map_err(|error| Failure::usage(key, error))?;
                let verifier: NoteVerifier = text
                    .parse()
                    .map_err(|error: Breach| Failure::usage(key, error))?;
                let files = match Http::open(url, ca.as_deref())? {
                    Some(http) => Files::Http(http),
                    None => Files::Folder(PathBuf::from(url)),
                };
                let log = Box::new(Published::new(files, verifier.clone()));
                Ok(Self::Published { log, verifier })
            }
            _ => Err(Failure::Usage(
                "give --dir, or --url with --key: the log's verifier key from elsewhere".to_owned(),
            )),
        }
    }

    /// The key that the log is held to.
    pub(crate) fn verifier(&self) -> &NoteVerifier {
        match self {
            Self::Domain { reader, .. } => reader.verifier(),
            Self::Published { verifier, .. } => verifier,
        }
    }

    /// The newest checkpoint.
    pub(crate) fn head(&self) -> Result<(Checkpoint, String), Failure> {
        let head = match self {
            Self::Domain { reader, .. } => reader.head(),
            Self::Published { log, .. } => log.head(),
        };
        head.map_err(|error| broken(&error))
    }

    /// The proof of an entry.
    pub(crate) fn prove(&self, index: u64) -> Result<TlogProof, Failure> {
        let proof = match self {
            Self::Domain { reader, .. } => reader.prove(index),
            Self::Published { log, .. } => log.prove(index).map(|(proof, _)| proof),
        };
        proof.map_err(|error| broken(&error))
    }

    /// Holds the log to an older head of it.
    pub(crate) fn grew_from(&self, old: Head) -> Result<(), Failure> {
        let grown = match self {
            Self::Domain { reader, .. } => {
                let new = self.head()?.0.head;
                let path = reader.prove_consistency(old.size, new.size);
                path.and_then(|path| {
                    if ledger::is_consistent(old, new, &path) {
                        Ok(())
                    } else {
                        let what = "the log did not grow out of the older checkpoint".to_owned();
                        Err(Breach::Unproved { what })
                    }
                })
            }
            Self::Published { log, .. } => log.grew_from(old).map(drop),
        };
        grown.map_err(|error| broken(&error))
    }

    /// Hashes everything again and shows each entry on the way.
    pub(crate) fn audit(&self, onlooker: &mut dyn Onlooker) -> Result<Report, Failure> {
        let report = match self {
            Self::Domain { dir, .. } => {
                let place = gateway::Config::ledger_of(dir);
                let place = place.map_err(|error| Failure::Other(error.to_string()))?;
                Ledger::audit(place, onlooker)
            }
            Self::Published { log, .. } => log.audit(onlooker),
        };
        report.map_err(|error| broken(&error))
    }

    /// The leaves that came after a head, once they were found to lead to the newest; and that one.
    pub(crate) fn since(&self, old: Head) -> Result<(Vec<Vec<u8>>, Head), Failure> {
        if let Self::Domain { .. } = self {
            self.grew_from(old)?;
        }
        let since = match self {
            Self::Domain { reader, .. } => reader.head().and_then(|(checkpoint, _)| {
                let new = checkpoint.head;
                let leaves = (old.size..new.size).map(|index| reader.leaf(index));
                Ok((leaves.collect::<Result<_, _>>()?, new))
            }),
            Self::Published { log, .. } => log.since(old),
        };
        since.map_err(|error| broken(&error))
    }

    /// Copies the log into a folder of files, and says how many entries it holds.
    pub(crate) fn copy(&self, folder: &Path) -> Result<u64, Failure> {
        let size = self.head()?.0.head.size;
        match self {
            Self::Domain { reader, .. } => reader.export(folder).map_err(|error| broken(&error))?,
            Self::Published { log, .. } => {
                for resource in Resource::all(size) {
                    let found = file_or_kept(log, resource).map_err(|error| broken(&error))?;
                    let Some((resource, bytes)) = found else {
                        continue;
                    };
                    let file = folder.join(resource.to_string());
                    let made = file.parent().map_or(Ok(()), std::fs::create_dir_all);
                    let written = made.and_then(|()| std::fs::write(&file, bytes));
                    written.map_err(|error| Failure::other(&file, error))?;
                }
            }
        }
        Ok(size)
    }
}
