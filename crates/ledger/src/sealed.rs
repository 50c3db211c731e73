//! The part of an entry that only the security authority may read: SQL text, real names.
//!
//! Shape of a sealed part: 32 bytes of salt, then AES-256-GCM ciphertext and tag. The salt is the
//! class of the event, its day, and random bytes; the part's key is derived from the node of the key
//! tree at the salt's path, and the salt. Every part has its own key, so the nonce is constant. The
//! leaf holds the digest of all of it: removing a part leaves the log whole.

use crate::key_tree::{KeyTree, STEPS, STEPS_TO_DAY};
use crate::{Breach, place};
use chrono::{DateTime, NaiveDate, Utc};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use terms::{Digest, EventClass};

const SALT_BYTES: usize = 32;
const CONTEXT: &[u8] = b"bonded ledger sealed part v2";

/// The keys of the sealed parts, and the file they stand in. Clones share what they have forgotten.
#[derive(Debug, Clone)]
pub(crate) struct SealingKey {
    file: PathBuf,
    tree: Arc<RwLock<KeyTree>>,
}

impl SealingKey {
    /// The text of a new key's file.
    pub(crate) fn generate() -> Result<zeroize::Zeroizing<String>, Breach> {
        Ok(KeyTree::new(random()?).encode())
    }

    /// Reads a key's file.
    pub(crate) fn read(file: PathBuf) -> Result<Self, Breach> {
        let bytes = zeroize::Zeroizing::new(place::read(&file)?);
        let tree = std::str::from_utf8(&bytes).ok().and_then(KeyTree::decode);
        match tree {
            Some(tree) => Ok(Self {
                file,
                tree: Arc::new(RwLock::new(tree)),
            }),
            None => Err(Breach::Key { file }),
        }
    }

    fn key(&self, salt: &[u8]) -> Result<LessSafeKey, Breach> {
        let tree = self.tree.read().unwrap_or_else(PoisonError::into_inner);
        let node = tree
            .derive(&path(salt))
            .ok_or_else(|| failed("has no key for the part: it was destroyed"))?;
        drop(tree);
        Salt::new(HKDF_SHA256, salt)
            .extract(&*node)
            .expand(&[CONTEXT], &AES_256_GCM)
            .map(|okm| LessSafeKey::new(UnboundKey::from(okm)))
            .map_err(|_| failed("derived no key"))
    }

    /// Seals a part of an event of a class, at a time.
    pub(crate) fn seal(
        &self,
        class: EventClass,
        at: DateTime<Utc>,
        plain: &[u8],
    ) -> Result<Vec<u8>, Breach> {
        let mut sealed = day_prefix(class, at.date_naive()).to_vec();
        sealed.extend_from_slice(&random::<{ SALT_BYTES - 3 }>()?);
        let key = self.key(&sealed)?;
        let mut ciphertext = plain.to_vec();
        key.seal_in_place_append_tag(nonce(), Aad::empty(), &mut ciphertext)
            .map_err(|_| failed("did not seal"))?;
        sealed.append(&mut ciphertext);
        Ok(sealed)
    }

    /// Opens a sealed part.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Breach> {
        let (salt, ciphertext) = sealed
            .split_at_checked(SALT_BYTES)
            .ok_or_else(|| failed("found a cut part"))?;
        let mut plain = ciphertext.to_vec();
        let length = self
            .key(salt)?
            .open_in_place(nonce(), Aad::empty(), &mut plain)
            .map_err(|_| failed("can't open a part: the key is another's or the part was changed"))?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    /// Destroys the key of one part, for good: durable when this returns.
    pub(crate) fn forget_part(&self, sealed: &[u8]) -> Result<(), Breach> {
        let salt = sealed.get(..SALT_BYTES);
        self.forget(&[path(salt.ok_or_else(|| failed("found a cut part"))?)])
    }

    /// Destroys the keys of all parts of a class and of these days, for good.
    pub(crate) fn forget_days(
        &self,
        class: EventClass,
        days: impl Iterator<Item = NaiveDate>,
    ) -> Result<(), Breach> {
        let paths: Vec<_> = days.map(|day| path(&day_prefix(class, day))).collect();
        self.forget(&paths)
    }

    fn forget(&self, paths: &[Vec<u8>]) -> Result<(), Breach> {
        let mut tree = self.tree.write().unwrap_or_else(PoisonError::into_inner);
        for path in paths {
            tree.forget(path);
        }
        // Written even where this process had forgotten it already: an earlier writing may have failed.
        place::replace_secret(&self.file, tree.encode().as_bytes())
    }
}

/// The class and day that every salt of them begins with.
pub(crate) fn day_prefix(class: EventClass, day: NaiveDate) -> [u8; 3] {
    let days = (day - NaiveDate::default()).num_days();
    let [high, low] = u16::try_from(days.max(0)).unwrap_or(u16::MAX).to_be_bytes();
    [class.number(), high, low]
}

/// The class and day of a sealed part, out of its first three bytes.
pub(crate) fn class_and_day(sealed: &[u8]) -> Option<(EventClass, NaiveDate)> {
    let (class, day) = sealed.get(..3)?.split_first()?;
    let class = EventClass::ALL.into_iter().find(|c| c.number() == *class)?;
    let days = u16::from_be_bytes(day.try_into().ok()?);
    let day = NaiveDate::default().checked_add_days(chrono::Days::new(days.into()))?;
    Some((class, day))
}

/// The path of a salt, or of the beginning of one: two steps a byte.
fn path(salt: &[u8]) -> Vec<u8> {
    let steps = salt.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    steps.take(STEPS).collect()
}

const _: () = assert!(STEPS_TO_DAY == 6 && STEPS <= SALT_BYTES * 2);

/// A constant: no two parts share a key.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn failed(what: &str) -> Breach {
    Breach::Unproved {
        what: format!("sealing {what}"),
    }
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Breach> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| failed("got no random bytes"))?;
    Ok(bytes)
}

/// The salted digest of a statement for the leaf, and what goes into the sealed part: the salt and
/// the text as JSON. Without the salt nobody can test a guess at a statement against the digest.
pub(crate) fn statement(sql: &str) -> Result<(Digest, Vec<u8>), Breach> {
    let salt = hex::encode(random::<16>()?);
    let digest = statement_digest(&salt, sql);
    let mut text = String::new();
    crate::leaf::write_value(&serde_json::json!({ "salt": salt, "sql": sql }), &mut text);
    Ok((digest, text.into_bytes()))
}

/// What the leaf of an opened operation says of its SQL text, from the opened sealed part.
#[must_use]
pub fn statement_digest(salt: &str, sql: &str) -> Digest {
    Digest::of(format!("bonded statement v1\n{salt}\n{sql}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(dir: &std::path::Path, name: &str) -> SealingKey {
        let file = dir.join(name);
        if !file.exists() {
            std::fs::write(&file, SealingKey::generate().unwrap().as_bytes()).unwrap();
        }
        SealingKey::read(file).unwrap()
    }

    fn at(day: u32) -> DateTime<Utc> {
        let day = NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        day.and_hms_opt(23, 59, 59).unwrap().and_utc()
    }

    const CLASS: EventClass = EventClass::Operation;

    #[test]
    fn a_sealed_part_opens_with_its_key_alone() {
        let dir = tempfile::tempdir().unwrap();
        let key_one = key(dir.path(), "one");
        let seal = || key_one.seal(CLASS, at(21), "张三".as_bytes()).unwrap();
        let sealed = seal();
        assert_eq!(key_one.open(&sealed).unwrap(), "张三".as_bytes());
        assert!(key(dir.path(), "two").open(&sealed).is_err());
        assert_ne!(seal(), sealed);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(key_one.open(&changed).is_err());
        }
    }

    #[test]
    fn a_forgotten_part_opens_never_again_and_its_neighbours_do() {
        let dir = tempfile::tempdir().unwrap();
        let keys = key(dir.path(), "keys");
        let parts = [0, 1].map(|_| keys.seal(CLASS, at(21), b"text").unwrap());
        keys.forget_part(&parts[0]).unwrap();
        keys.forget_part(&parts[0]).unwrap();
        for keys in [keys.clone(), key(dir.path(), "keys")] {
            assert!(keys.open(&parts[0]).is_err());
            assert_eq!(keys.open(&parts[1]).unwrap(), b"text");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_day_of_a_class_is_forgotten_as_one() {
        let dir = tempfile::tempdir().unwrap();
        let keys = key(dir.path(), "keys");
        let seal = |class, day| keys.seal(class, at(day), b"text").unwrap();
        let gone = [seal(CLASS, 20), seal(CLASS, 20), seal(CLASS, 21)];
        let left = [seal(CLASS, 22), seal(EventClass::Procedure, 20)];
        let days = [20, 21].map(|day| at(day).date_naive());
        keys.forget_days(CLASS, days.into_iter()).unwrap();
        assert!(gone.iter().all(|part| keys.open(part).is_err()));
        assert!(left.iter().all(|part| keys.open(part).is_ok()));
        assert_eq!(class_and_day(&gone[2]), Some((CLASS, days[1])));
    }

    #[test]
    fn the_same_statement_never_has_the_same_digest() {
        let (one, part) = statement("SELECT 1").unwrap();
        let (two, _) = statement("SELECT 1").unwrap();
        assert_ne!(one, two);
        let part: serde_json::Value = serde_json::from_slice(&part).unwrap();
        let salt = part["salt"].as_str().unwrap();
        assert_eq!(statement_digest(salt, part["sql"].as_str().unwrap()), one);
    }
}
