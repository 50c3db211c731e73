//! Which logs and witnesses a verifier trusts, and how many witnesses it wants. Source: C2SP
//! tlog-policy.

use crate::note::Note;
use crate::{Cosigner, Unwitnessed};
use chrono::{DateTime, Utc};
use ledger::{Checkpoint, NoteVerifier};
use std::collections::{BTreeMap, BTreeSet};

/// A trust policy, as a text of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<NoteVerifier>,
    witnesses: Vec<Member>,
    groups: BTreeMap<String, Group>,
    quorum: Option<String>,
}

/// A witness, as a policy names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name within the policy.
    pub name: String,
    /// Its key.
    pub cosigner: Cosigner,
    /// Where checkpoints are submitted, if over a network.
    pub address: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    least: usize,
    members: Vec<String>,
}

/// A checkpoint that a policy accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Which of the trusted witnesses cosigned it, and when.
    pub by: Vec<(String, DateTime<Utc>)>,
}

#[derive(Default)]
struct Draft {
    logs: Vec<NoteVerifier>,
    witnesses: Vec<Member>,
    groups: BTreeMap<String, Group>,
    taken: BTreeSet<String>,
    quorum: Option<Option<String>>,
}

// === impl Policy ===

impl Policy {
    /// The witnesses it names.
    #[must_use]
    pub fn witnesses(&self) -> &[Member] {
        &self.witnesses
    }

    /// The logs it names; none where the log is known from elsewhere.
    #[must_use]
    pub fn logs(&self) -> &[NoteVerifier] {
        &self.logs
    }

    /// Whether it wants any witness at all.
    #[must_use]
    pub const fn demands_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Whether it trusts a log: it names it, or leaves the log to be known from elsewhere.
    #[must_use]
    pub fn trusts(&self, log: &NoteVerifier) -> bool {
        self.logs.is_empty() || self.logs.contains(log)
    }

    /// Which of its witnesses cosigned a signed checkpoint.
    ///
    /// # Errors
    /// [`Unwitnessed::Malformed`] if the note is none, or a line under a trusted key does not verify.
    pub fn cosigned_by(
        &self,
        checkpoint: &str,
    ) -> Result<Vec<(String, DateTime<Utc>)>, Unwitnessed> {
        let note: Note = checkpoint.parse()?;
        let mut by = Vec::new();
        for member in &self.witnesses {
            if let Some(found) = member.cosigner.find(&note.text, &note.lines)? {
                by.push((member.name.clone(), found.at));
            }
        }
        Ok(by)
    }

    /// Accepts a checkpoint of a log that it trusts, with its quorum of witnesses.
    ///
    /// # Errors
    /// [`Unwitnessed::NoQuorum`] with the witnesses that did cosign; [`Unwitnessed::Ledger`] if the
    /// log's signature does not verify; [`Unwitnessed::Malformed`].
    pub fn accept(&self, checkpoint: &str, log: &NoteVerifier) -> Result<Witnessed, Unwitnessed> {
        if !self.trusts(log) {
            return Err(crate::unwitnessed::malformed(format!(
                "the policy does not name the log `{}`",
                log.name()
            )));
        }
        let opened = Checkpoint::open(checkpoint, log)?;
        let by = self.cosigned_by(checkpoint)?;
        let names: BTreeSet<&str> = by.iter().map(|(name, _)| name.as_str()).collect();
        let reached = self
            .quorum
            .as_ref()
            .is_none_or(|name| self.witnessed(name, &names));
        if !reached {
            let by = by.into_iter().map(|(name, _)| name).collect();
            return Err(Unwitnessed::NoQuorum { by });
        }
        Ok(Witnessed {
            checkpoint: opened,
            by,
        })
    }

    /// Groups name only what stood before them, so this ends.
    fn witnessed(&self, name: &str, by: &BTreeSet<&str>) -> bool {
        match self.groups.get(name) {
            None => by.contains(name),
            Some(group) => {
                let members = group.members.iter();
                members.filter(|name| self.witnessed(name, by)).count() >= group.least
            }
        }
    }
}

impl std::str::FromStr for Policy {
    type Err = Unwitnessed;

    /// Reads a policy. A bare verifier key is one that trusts this log and wants no witness.
    fn from_str(text: &str) -> Result<Self, Unwitnessed> {
        if let Ok(log) = text.trim_matches(['\n', ' ', '\t']).parse::<NoteVerifier>() {
            return Ok(Self {
                logs: vec![log],
                witnesses: Vec::new(),
                groups: BTreeMap::new(),
                quorum: None,
            });
        }
        let mut draft = Draft::default();
        let mut last = 0;
        for (number, line) in text.split('\n').enumerate() {
            last = number + 1;
            let refused = |what: &str| Unwitnessed::Policy {
                line: last,
                what: what.to_owned(),
            };
            if line.chars().any(|c| c.is_ascii_control() && c != '\t') {
                return Err(refused("control characters"));
            }
            let words: Vec<&str> = line.split([' ', '\t']).filter(|w| !w.is_empty()).collect();
            draft.take(&words).map_err(|what| refused(&what))?;
        }
        let missing = || Unwitnessed::Policy {
            line: last,
            what: "there is no `quorum` line; write `quorum none` to want no witness".to_owned(),
        };
        Ok(Self {
            quorum: draft.quorum.ok_or_else(missing)?,
            logs: draft.logs,
            witnesses: draft.witnesses,
            groups: draft.groups,
        })
    }
}

// === impl Draft ===

impl Draft {
    fn take(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            [] => Ok(()),
            [comment, ..] if comment.starts_with('#') => Ok(()),
            ["log", key] | ["log", key, _] => self.log(key),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, address] => self.witness(name, key, Some(address)),
            ["group", name, least, members @ ..] => self.group(name, least, members),
            ["quorum", name] => self.quorum(name),
            [word, ..] => Err(format!(
                "`{word}` is no `log`, `witness`, `group` or `quorum` line of the right length"
            )),
        }
    }

    fn log(&mut self, key: &str) -> Result<(), String> {
        let log: NoteVerifier = key.parse().map_err(|why| format!("{why}"))?;
        // The text ends with the key's bytes, whatever its name and hash.
        let bytes = |log: &NoteVerifier| log.to_string().rsplit('+').next().map(str::to_owned);
        if self.logs.iter().any(|other| bytes(other) == bytes(&log)) {
            return Err("this log's key stands above already".to_owned());
        }
        self.logs.push(log);
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, address: Option<&str>) -> Result<(), String> {
        let cosigner: Cosigner = key.parse().map_err(|why: Unwitnessed| why.to_string())?;
        let same = |other: &Member| other.cosigner.public() == cosigner.public();
        if self.witnesses.iter().any(same) {
            return Err("this witness's key stands above already".to_owned());
        }
        self.name(name)?;
        self.witnesses.push(Member {
            name: name.to_owned(),
            cosigner,
            address: address.map(|text| text.trim_end_matches('/').to_owned()),
        });
        Ok(())
    }

    fn group(&mut self, name: &str, least: &str, members: &[&str]) -> Result<(), String> {
        let unique: BTreeSet<&&str> = members.iter().collect();
        if members.is_empty() || unique.len() != members.len() {
            return Err("a group names each of its members once, and at least one".to_owned());
        }
        if let Some(unknown) = members.iter().find(|m| !self.taken.contains(**m)) {
            return Err(format!("`{unknown}` is not defined above"));
        }
        let used = |m: &&&str| {
            self.groups
                .values()
                .any(|g| g.members.iter().any(|o| o == **m))
        };
        if let Some(twice) = members.iter().find(used) {
            return Err(format!("`{twice}` is a member of another group already"));
        }
        let digits = !least.starts_with('0') && least.bytes().all(|byte| byte.is_ascii_digit());
        let least = match least {
            "all" => members.len(),
            "any" => 1,
            number if digits => number.parse().unwrap_or(usize::MAX),
            _ => return Err("a group needs `all`, `any` or a number".to_owned()),
        };
        if least > members.len() {
            return Err("a group cannot need more members than it has".to_owned());
        }
        self.name(name)?;
        let members = members.iter().map(|m| (*m).to_owned()).collect();
        self.groups
            .insert(name.to_owned(), Group { least, members });
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), String> {
        if self.quorum.is_some() {
            return Err("there is a second `quorum` line".to_owned());
        }
        if name != "none" && !self.taken.contains(name) {
            return Err(format!("`{name}` is not defined above"));
        }
        self.quorum = Some(Some(name.to_owned()).filter(|name| name != "none"));
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), String> {
        if name == "none" || !self.taken.insert(name.to_owned()) {
            return Err(format!("the name `{name}` is taken"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
