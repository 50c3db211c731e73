//! Cosignatures with Ed25519 and the time. Source: C2SP tlog-cosignature v1.

use crate::Unwitnessed;
use crate::note::{Line, Note};
use crate::unwitnessed::malformed;
use chrono::{DateTime, Utc};
use ledger::{NoteKey, SignatureType};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// A witness's public key, as policies name it: `name+hash+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigner {
    key: NoteKey,
}

/// A witness's signing key.
#[derive(Debug)]
pub struct CosigningKey {
    cosigner: Cosigner,
    pair: Ed25519KeyPair,
}

/// That a witness saw a checkpoint, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// When it signed.
    pub at: DateTime<Utc>,
    /// The note line, without its end.
    pub line: String,
}

/// What is signed: the time, then the checkpoint's text.
fn message(seconds: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

// === impl Cosigner ===

impl Cosigner {
    /// The name it signs under.
    #[must_use]
    pub fn name(&self) -> &str {
        self.key.name()
    }

    /// The key's id in hexadecimal.
    #[must_use]
    pub fn key_id(&self) -> String {
        hex::encode(self.key.key_id())
    }

    /// The key's 32 bytes, whatever name it has.
    pub(crate) fn public(&self) -> &[u8] {
        self.key.public()
    }

    /// This witness's cosignature on a signed checkpoint, if there is one that verifies.
    ///
    /// # Errors
    /// [`Unwitnessed::Malformed`] if the note is none, or a line under this key does not verify.
    pub fn cosigned(&self, checkpoint: &str) -> Result<Option<Cosignature>, Unwitnessed> {
        let note: Note = checkpoint.parse()?;
        self.find(&note.text, &note.lines)
    }

    pub(crate) fn find(
        &self,
        text: &str,
        lines: &[Line],
    ) -> Result<Option<Cosignature>, Unwitnessed> {
        let own = |line: &&Line| self.key.is_of(&line.name, &line.key_id);
        let mut found: Option<Cosignature> = None;
        for line in lines.iter().filter(own) {
            let one = self.verify(text, line)?;
            if found.as_ref().is_none_or(|other| other.at < one.at) {
                found = Some(one);
            }
        }
        Ok(found)
    }

    fn verify(&self, text: &str, line: &Line) -> Result<Cosignature, Unwitnessed> {
        let refused = || {
            let name = self.name();
            malformed(format!("the cosignature of `{name}` does not verify"))
        };
        let (time, signature) = line
            .signature
            .split_first_chunk::<8>()
            .ok_or_else(refused)?;
        let seconds = u64::from_be_bytes(*time);
        if !self.key.signed(&message(seconds, text), signature) {
            return Err(refused());
        }
        let at = i64::try_from(seconds)
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        Ok(Cosignature {
            at: at.ok_or_else(refused)?,
            line: line.text.clone(),
        })
    }
}

impl std::fmt::Display for Cosigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.key.fmt(f)
    }
}

impl std::str::FromStr for Cosigner {
    type Err = Unwitnessed;

    fn from_str(text: &str) -> Result<Self, Unwitnessed> {
        let key = NoteKey::parse(SignatureType::Cosignature, text);
        let what = "the witness key is no `name+hash+key` of an Ed25519 cosignature key";
        key.map(|key| Self { key }).ok_or_else(|| malformed(what))
    }
}

// === impl CosigningKey ===

impl CosigningKey {
    /// Takes a key in PKCS #8 under a name; none if the bytes or the name are of another kind.
    #[must_use]
    pub fn new(name: &str, pkcs8: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok()?;
        let key = NoteKey::new(SignatureType::Cosignature, name, pair.public_key().as_ref())?;
        let cosigner = Cosigner { key };
        Some(Self { cosigner, pair })
    }

    /// The public half.
    #[must_use]
    pub const fn cosigner(&self) -> &Cosigner {
        &self.cosigner
    }

    /// Cosigns a signed checkpoint, whatever stood before it; gives the note line with its end. A
    /// witness answers for what it signs: [`crate::Witness::add_checkpoint`] judges first.
    ///
    /// # Errors
    /// [`Unwitnessed::Malformed`] if the note is none.
    pub fn cosign(&self, checkpoint: &str, at: DateTime<Utc>) -> Result<String, Unwitnessed> {
        let note: Note = checkpoint.parse()?;
        Ok(self.sign(&note.text, at))
    }

    pub(crate) fn sign(&self, text: &str, at: DateTime<Utc>) -> String {
        let seconds = u64::try_from(at.timestamp()).unwrap_or(0);
        let signature = self.pair.sign(&message(seconds, text));
        let timed = [&seconds.to_be_bytes(), signature.as_ref()].concat();
        self.cosigner.key.line(&timed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    /// RFC 8032 §7.1, test 2. The expected line was made with PyCA cryptography.
    fn key() -> CosigningKey {
        let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let pkcs8 = hex::decode(format!("302e020100300506032b657004220420{seed}")).unwrap();
        CosigningKey::new("witness.example/w1", &pkcs8).unwrap()
    }

    const TEXT: &str = "bonded/yuecheng\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_679_315_147, 0).unwrap()
    }

    #[test]
    fn a_cosignature_is_the_known_answer() {
        let line = key().sign(TEXT, at());
        assert_eq!(line, include_str!("cosignature.known"));
        let note = format!("{TEXT}\n{line}");
        let found = key().cosigner().cosigned(&note).unwrap().unwrap();
        assert_eq!(found.at, at());
    }

    #[test]
    fn a_cosignature_of_another_time_or_text_does_not_verify() {
        let line = key().sign(TEXT, at());
        let other = format!("{}\n{line}", TEXT.replace("\n7\n", "\n8\n"));
        assert!(key().cosigner().cosigned(&other).is_err());
        let mut parts = line.trim_end().rsplitn(2, ' ');
        let mut blob = STANDARD.decode(parts.next().unwrap()).unwrap();
        blob[11] ^= 1;
        let forged = format!(
            "{TEXT}\n{} {}\n",
            parts.next().unwrap(),
            STANDARD.encode(blob)
        );
        assert!(key().cosigner().cosigned(&forged).is_err());
    }

    #[test]
    fn lines_of_other_keys_are_passed_over() {
        let note = format!("{TEXT}\n— witness.example/w1 AAAAAAAAAAAA\n");
        assert_eq!(key().cosigner().cosigned(&note).unwrap(), None);
    }

    #[test]
    fn a_key_comes_back_from_its_text() {
        let text = key().cosigner().to_string();
        assert_eq!(&text.parse::<Cosigner>().unwrap(), key().cosigner());
        // A plain note key has another type, and so another hash.
        assert!(text.replace("+BD", "+AT").parse::<Cosigner>().is_err());
        assert!(text.replace("w1", "w2").parse::<Cosigner>().is_err());
    }
}
