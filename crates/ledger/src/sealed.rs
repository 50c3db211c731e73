//! The part of an entry that only the security authority may read: SQL text, real names.
//!
//! Shape of a sealed part: 32 bytes of salt, then AES-256-GCM ciphertext and tag under a key that
//! HKDF derives from the domain's sealing key and that salt. Every part has its own key, so the
//! nonce is constant. The leaf holds the digest of all of it: removing a part leaves the log whole.

use crate::Breach;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use terms::Digest;

const SALT_BYTES: usize = 32;
const CONTEXT: &[u8] = b"bonded ledger sealed part v1";

/// The key that the sealed parts' keys derive from.
pub(crate) struct SealingKey([u8; 32]);

impl SealingKey {
    /// Takes the bytes of `keys/sealed.key`.
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn key(&self, salt: &[u8]) -> Result<LessSafeKey, Breach> {
        Salt::new(HKDF_SHA256, salt)
            .extract(&self.0)
            .expand(&[CONTEXT], &AES_256_GCM)
            .map(|okm| LessSafeKey::new(UnboundKey::from(okm)))
            .map_err(|_| failed("derived no key"))
    }

    /// Seals a part.
    pub(crate) fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, Breach> {
        let salt: [u8; SALT_BYTES] = random()?;
        let mut ciphertext = plain.to_vec();
        self.key(&salt)?
            .seal_in_place_append_tag(nonce(), Aad::empty(), &mut ciphertext)
            .map_err(|_| failed("did not seal"))?;
        let mut sealed = salt.to_vec();
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
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

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

    #[test]
    fn a_sealed_part_opens_with_its_key_alone() {
        let key = SealingKey::new([7; 32]);
        let sealed = key.seal("张三".as_bytes()).unwrap();
        assert_eq!(key.open(&sealed).unwrap(), "张三".as_bytes());
        assert!(SealingKey::new([8; 32]).open(&sealed).is_err());
        assert_ne!(key.seal("张三".as_bytes()).unwrap(), sealed);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(key.open(&changed).is_err());
        }
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
