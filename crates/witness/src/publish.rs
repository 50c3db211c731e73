//! The newest checkpoint, to every witness of the policy that has an address.

use crate::{Answer, Cosigned, Member, Request, Submitter, Unwitnessed};
use ledger::{Checkpoint, Head, Reader, is_consistent};
use std::sync::Arc;

/// Brings a domain's checkpoints to its witnesses.
#[derive(Debug, Clone)]
pub struct Publisher {
    reader: Arc<Reader>,
    cosigned: Arc<Cosigned>,
    submitter: Submitter,
}

/// How one witness answered in a round.
#[derive(Debug)]
pub struct Outcome {
    /// Its name in the policy.
    pub witness: String,
    /// The size it has cosigned now, or why it has not.
    pub seen: Result<u64, Unwitnessed>,
}

// === impl Publisher ===

impl Publisher {
    /// Of one domain.
    #[must_use]
    pub const fn new(reader: Arc<Reader>, cosigned: Arc<Cosigned>, submitter: Submitter) -> Self {
        Self {
            reader,
            cosigned,
            submitter,
        }
    }

    /// What it has collected.
    #[must_use]
    pub const fn cosigned(&self) -> &Arc<Cosigned> {
        &self.cosigned
    }

    /// Every checkpoint that a witness of ours holds is continued by the log as it stands.
    ///
    /// # Errors
    /// [`Unwitnessed::RolledBack`] if one is not.
    pub fn stands(&self) -> Result<(), Unwitnessed> {
        let (head, _) = self.reader.head()?;
        for held in self.cosigned.all()? {
            self.continues(held.head, head.head, &held.by.join(", "))?;
        }
        Ok(())
    }

    /// Asks every witness for the newest checkpoint, all at once.
    ///
    /// # Errors
    /// What the ledger says against it; witnesses answer each for themselves.
    pub async fn round(&self) -> Result<Vec<Outcome>, Unwitnessed> {
        let (checkpoint, note) = self.reader.head()?;
        let asked = self
            .cosigned
            .policy()
            .witnesses()
            .iter()
            .filter_map(|member| {
                let address = member.address.as_deref()?;
                Some(self.asked(member, address, (checkpoint.head, &note)))
            });
        Ok(futures::future::join_all(asked).await)
    }

    async fn asked(&self, member: &Member, address: &str, newest: (Head, &str)) -> Outcome {
        Outcome {
            witness: member.name.clone(),
            seen: self.ask(member, address, newest).await,
        }
    }

    async fn ask(
        &self,
        member: &Member,
        address: &str,
        (head, note): (Head, &str),
    ) -> Result<u64, Unwitnessed> {
        let seen = self.cosigned.seen_by(&member.cosigner)?;
        let mut old = seen.map_or(0, |head| head.size);
        if old == head.size {
            return Ok(old);
        }
        // Once more after a 409: what we hold of this witness may be behind what it holds of us.
        for _ in 0..2 {
            let request = self.request(old, (head, note))?;
            let body = request.to_string();
            match self.submitter.add_checkpoint(address, body).await? {
                Answer::Cosigned(lines) => return self.take(member, note, &lines),
                Answer::OtherSize(size) if size <= head.size && size != old => old = size,
                Answer::OtherSize(size) => return self.conflict(member, address, size, head).await,
                Answer::Refused(status) => {
                    // 422: what it holds of us is not what we have. It may be able to prove it.
                    if status == 422 {
                        self.compare(member, address, head).await?;
                    }
                    return Err(Unwitnessed::Away {
                        witness: member.name.clone(),
                        what: format!("it refused with status {status}"),
                    });
                }
            }
        }
        Err(Unwitnessed::Away {
            witness: member.name.clone(),
            what: "its last size changes while it is asked".to_owned(),
        })
    }

    /// The request for a witness that saw `old` last.
    ///
    /// # Errors
    /// [`Unwitnessed::Ledger`].
    pub fn request(&self, old: u64, (head, note): (Head, &str)) -> Result<Request, Unwitnessed> {
        let path = if old == 0 {
            Vec::new()
        } else {
            self.reader.prove_consistency(old, head.size)?
        };
        Ok(Request {
            old,
            path,
            checkpoint: note.to_owned(),
        })
    }

    /// The request for a witness, from the size it saw last, or what we hold of that, to the newest
    /// checkpoint.
    ///
    /// # Errors
    /// [`Unwitnessed::Ledger`], or what is held can't be read.
    pub fn request_for(&self, member: &Member, from: Option<u64>) -> Result<Request, Unwitnessed> {
        let (checkpoint, note) = self.reader.head()?;
        let seen = self.cosigned.seen_by(&member.cosigner)?;
        let old = from.or(seen.map(|head| head.size)).unwrap_or(0);
        self.request(old, (checkpoint.head, &note))
    }

    fn take(&self, member: &Member, note: &str, lines: &str) -> Result<u64, Unwitnessed> {
        let cosigned = format!("{note}{lines}");
        if member.cosigner.cosigned(&cosigned)?.is_none() {
            return Err(Unwitnessed::Away {
                witness: member.name.clone(),
                what: "its answer holds no cosignature by its key".to_owned(),
            });
        }
        Ok(self.cosigned.accept(&cosigned)?.head.size)
    }

    /// A witness that claims to have seen more, or another history: believed if it shows our own
    /// signature over it, else passed over, so that a witness that lies stops nobody.
    async fn conflict(
        &self,
        member: &Member,
        address: &str,
        size: u64,
        head: Head,
    ) -> Result<u64, Unwitnessed> {
        self.compare(member, address, head).await?;
        Err(Unwitnessed::Away {
            witness: member.name.clone(),
            what: format!("it claims {size} entries of ours and does not show our signature"),
        })
    }

    async fn compare(&self, member: &Member, address: &str, head: Head) -> Result<(), Unwitnessed> {
        let origin = self.reader.verifier().name();
        let Some(note) = self.submitter.checkpoint(address, origin).await? else {
            return Ok(());
        };
        let Ok(held) = Checkpoint::open(&note, self.reader.verifier()) else {
            return Ok(());
        };
        self.continues(held.head, head, &member.name)
    }

    /// Whether our log as it stands continues a head that our key signed.
    fn continues(&self, held: Head, ours: Head, witness: &str) -> Result<(), Unwitnessed> {
        let rolled_back = || Unwitnessed::RolledBack {
            witness: witness.to_owned(),
            ours: ours.size,
            theirs: held.size,
        };
        if held.size > ours.size {
            return Err(rolled_back());
        }
        if held.size == 0 {
            return Ok(());
        }
        let path = self.reader.prove_consistency(held.size, ours.size)?;
        if is_consistent(held, ours, &path) {
            Ok(())
        } else {
            Err(rolled_back())
        }
    }
}
