//! The cosignatures a domain holds, whoever brought them: one signed note for each size.
//!
//! Shape: `ledger/cosigned/<size>.checkpoint`, the log's note with the lines of witnesses under it. The
//! witnesses' own records are what counts; what is lost here is asked for again.

use crate::note::{Line, Note};
use crate::record::write_through;
use crate::unwitnessed::malformed;
use crate::{Cosigner, Policy, Unwitnessed};
use ledger::{Checkpoint, Head, NoteVerifier};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const SUFFIX: &str = ".checkpoint";
/// The most notes kept beside those that something still rests on.
const NOTES_MAX: usize = 64;

/// The cosigned checkpoints of a domain, judged by its policy.
#[derive(Debug)]
pub struct Cosigned {
    folder: PathBuf,
    log: NoteVerifier,
    policy: Policy,
    /// One writer at a time within this process; other processes only add lines for the same note.
    writing: Mutex<()>,
}

/// A checkpoint with witnesses under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedCheckpoint {
    /// Size and root.
    pub head: Head,
    /// The signed note with all its lines.
    pub note: String,
    /// Which of the policy's witnesses cosigned it.
    pub by: Vec<String>,
    /// Whether they are the policy's quorum.
    pub quorum: bool,
}

// === impl Cosigned ===

impl Cosigned {
    /// Opens, or makes, the folder of a domain's cosignatures.
    ///
    /// # Errors
    /// [`Unwitnessed::Unreachable`]; [`Unwitnessed::Malformed`] if the policy names other logs only.
    pub fn open(dir: &Path, log: NoteVerifier, policy: Policy) -> Result<Self, Unwitnessed> {
        let folder = dir.join("ledger").join("cosigned");
        if !policy.trusts(&log) {
            return Err(malformed(format!(
                "the witness policy does not name this domain's log `{log}`"
            )));
        }
        std::fs::create_dir_all(&folder).map_err(|source| Unwitnessed::Unreachable {
            file: folder.clone(),
            source,
        })?;
        Ok(Self {
            folder,
            log,
            policy,
            writing: Mutex::new(()),
        })
    }

    /// The policy they are judged by.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes a cosigned checkpoint of our log and keeps the lines of witnesses that we trust.
    ///
    /// # Errors
    /// [`Unwitnessed::Ledger`] if it is none of our log; [`Unwitnessed::Malformed`] if no witness we
    /// trust cosigned it; [`Unwitnessed::RolledBack`] if we hold another root of its size.
    pub fn accept(&self, note: &str) -> Result<CosignedCheckpoint, Unwitnessed> {
        let checkpoint = Checkpoint::open(note, &self.log)?;
        let taken: Note = note.parse()?;
        if self.policy.cosigned_by(note)?.is_empty() {
            let what = "no witness that the policy names cosigned the checkpoint";
            return Err(malformed(what));
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("{:020}{SUFFIX}", checkpoint.head.size);
        let mut lines: Vec<Line> = taken.lines;
        if let Some(held) = self.read(&name)? {
            let held: Note = held.parse()?;
            if held.text != taken.text {
                let size = checkpoint.head.size;
                return Err(Unwitnessed::RolledBack {
                    witness: "cosigned".to_owned(),
                    ours: size,
                    theirs: size,
                });
            }
            lines.extend(held.lines);
        }
        let merged = self.merged(&taken.text, &lines)?;
        let told = self.judged(&merged)?;
        write_through(&self.folder, &name, &merged)?;
        self.forget()?;
        Ok(told)
    }

    /// The log's own line, then the newest line of each trusted witness.
    fn merged(&self, text: &str, lines: &[Line]) -> Result<String, Unwitnessed> {
        let log = self.log.to_string();
        let own = lines.iter().find(|line| {
            let hash = format!("{}+{}+", line.name, hex::encode(line.key_id));
            log.starts_with(&hash)
        });
        let own = own.ok_or_else(|| malformed("the log's line is missing"))?;
        let mut note = format!("{text}\n{}\n", own.text);
        for member in self.policy.witnesses() {
            if let Some(found) = member.cosigner.find(text, lines)? {
                note.push_str(&found.line);
                note.push('\n');
            }
        }
        Ok(note)
    }

    /// The cosigned checkpoints, newest first.
    ///
    /// # Errors
    /// What can't be read, or is none of our log's.
    pub fn all(&self) -> Result<Vec<CosignedCheckpoint>, Unwitnessed> {
        let mut all = Vec::new();
        for name in self.names()?.iter().rev() {
            if let Some(note) = self.read(name)? {
                all.push(self.judged(&note)?);
            }
        }
        Ok(all)
    }

    /// The newest checkpoint with the policy's quorum under it.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn quorum(&self) -> Result<Option<CosignedCheckpoint>, Unwitnessed> {
        for name in self.names()?.iter().rev() {
            let judged = self
                .read(name)?
                .map(|note| self.judged(&note))
                .transpose()?;
            if let Some(found) = judged.filter(|one| one.quorum) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What a witness saw of us last, as far as we hold it.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn seen_by(&self, cosigner: &Cosigner) -> Result<Option<Head>, Unwitnessed> {
        for name in self.names()?.iter().rev() {
            let Some(note) = self.read(name)? else {
                continue;
            };
            if cosigner.cosigned(&note)?.is_some() {
                return Ok(Some(Checkpoint::open(&note, &self.log)?.head));
            }
        }
        Ok(None)
    }

    fn judged(&self, note: &str) -> Result<CosignedCheckpoint, Unwitnessed> {
        let head = Checkpoint::open(note, &self.log)?.head;
        let by = self.policy.cosigned_by(note)?;
        let quorum = match self.policy.accept(note, &self.log) {
            Ok(_) => true,
            Err(Unwitnessed::NoQuorum { .. }) => false,
            Err(other) => return Err(other),
        };
        Ok(CosignedCheckpoint {
            head,
            note: note.to_owned(),
            by: by.into_iter().map(|(name, _)| name).collect(),
            quorum,
        })
    }

    fn names(&self) -> Result<Vec<String>, Unwitnessed> {
        let unreachable = |source| Unwitnessed::Unreachable {
            file: self.folder.clone(),
            source,
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(unreachable)? {
            let name = entry.map_err(unreachable)?.file_name();
            let name = name.to_string_lossy().into_owned();
            if name.ends_with(SUFFIX) && !name.starts_with('.') {
                names.push(name);
            }
        }
        // Names have one width, so that their order is that of the sizes.
        names.sort();
        Ok(names)
    }

    fn read(&self, name: &str) -> Result<Option<String>, Unwitnessed> {
        let file = self.folder.join(name);
        match std::fs::read_to_string(&file) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Unwitnessed::Unreachable { file, source }),
        }
    }

    /// Drops what nothing rests on any more: neither the newest quorum, nor what a witness saw last.
    fn forget(&self) -> Result<(), Unwitnessed> {
        let names = self.names()?;
        let Some(excess) = names.len().checked_sub(NOTES_MAX).filter(|n| *n > 0) else {
            return Ok(());
        };
        let mut rests: BTreeSet<String> = BTreeSet::new();
        let named = |head: Head| format!("{:020}{SUFFIX}", head.size);
        rests.extend(self.quorum()?.map(|one| named(one.head)));
        for member in self.policy.witnesses() {
            rests.extend(self.seen_by(&member.cosigner)?.map(named));
        }
        for name in names
            .iter()
            .take(excess)
            .filter(|name| !rests.contains(*name))
        {
            let file = self.folder.join(name);
            std::fs::remove_file(&file)
                .map_err(|source| Unwitnessed::Unreachable { file, source })?;
        }
        Ok(())
    }
}
