//! Signed notes with Ed25519. Source: C2SP signed-note v1.0.0.

use crate::{Breach, NoteKey, SignatureType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// The public half of a log's key, as outside verifiers take it: `name+hash+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    key: NoteKey,
}

/// The log's signing key under its name.
#[derive(Debug)]
pub(crate) struct NoteSigner {
    verifier: NoteVerifier,
    pair: Ed25519KeyPair,
}

fn unproved(what: impl Into<String>) -> Breach {
    Breach::Unproved { what: what.into() }
}

// === impl NoteVerifier ===

impl NoteVerifier {
    /// The name that the key signs under: the log's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        self.key.name()
    }

    /// Checks a note and gives its text, if this key signed it. Signatures by other keys, as those of
    /// witnesses, are passed over.
    ///
    /// # Errors
    /// [`Breach::Unproved`] if the note is malformed, unsigned by this key, or its signature is bad.
    pub fn open<'note>(&self, note: &'note str) -> Result<&'note str, Breach> {
        if note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(unproved("the signed note holds control characters"));
        }
        let (text, signatures) = note
            .rsplit_once("\n\n")
            .ok_or_else(|| unproved("the note has no signatures"))?;
        let text = note.get(..text.len() + 1).unwrap_or_default();
        let lines = signatures
            .strip_suffix('\n')
            .ok_or_else(|| unproved("the signed note does not end with a line end"))?;
        let mut signed = false;
        for line in lines.split('\n') {
            let malformed = || unproved("a signature line of the note is malformed");
            let (name, blob) = line
                .strip_prefix("— ")
                .and_then(|rest| rest.split_once(' '))
                .ok_or_else(malformed)?;
            let blob = STANDARD.decode(blob).map_err(|_| malformed())?;
            let (key_id, signature) = blob.split_at_checked(4).ok_or_else(malformed)?;
            if !self.key.is_of(name, key_id) {
                continue;
            }
            if !self.key.signed(text.as_bytes(), signature) {
                return Err(unproved("the log's signature on the note does not verify"));
            }
            signed = true;
        }
        if signed {
            Ok(text)
        } else {
            Err(unproved(format!("`{}` did not sign the note", self.name())))
        }
    }
}

impl std::fmt::Display for NoteVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.key.fmt(f)
    }
}

impl std::str::FromStr for NoteVerifier {
    type Err = Breach;

    fn from_str(text: &str) -> Result<Self, Breach> {
        let key = NoteKey::parse(SignatureType::Note, text.trim_end_matches('\n'));
        let what = "the verifier key is no `name+hash+key` of an Ed25519 note key";
        key.map(|key| Self { key }).ok_or_else(|| unproved(what))
    }
}

// === impl NoteSigner ===

impl NoteSigner {
    /// Takes a key in PKCS #8 under a name; none if the bytes hold no Ed25519 key or it is no name.
    pub(crate) fn new(name: &str, pkcs8: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).ok()?;
        let key = NoteKey::new(SignatureType::Note, name, pair.public_key().as_ref())?;
        let verifier = NoteVerifier { key };
        Some(Self { verifier, pair })
    }

    /// The public half.
    pub(crate) const fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// Signs a text that ends with a line end.
    pub(crate) fn sign(&self, text: &str) -> String {
        let signature = self.pair.sign(text.as_bytes());
        format!("{text}\n{}", self.verifier.key.line(signature.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and note that Go's `golang.org/x/mod/sumdb/note` documents.
    const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn a_note_of_another_implementation_opens() {
        let verifier: NoteVerifier = GO_KEY.parse().unwrap();
        assert_eq!(verifier.to_string(), GO_KEY);
        assert!(verifier.open(GO_NOTE).unwrap().ends_with("problem is.\n"));
    }

    #[test]
    fn a_note_with_any_changed_byte_does_not_open() {
        let verifier: NoteVerifier = GO_KEY.parse().unwrap();
        for place in 0..GO_NOTE.len() {
            let mut bytes = GO_NOTE.as_bytes().to_vec();
            bytes[place] ^= 1;
            if let Ok(note) = String::from_utf8(bytes) {
                assert!(verifier.open(&note).is_err(), "byte {place}");
            }
        }
    }

    #[test]
    fn lines_of_witnesses_are_passed_over() {
        let verifier: NoteVerifier = GO_KEY.parse().unwrap();
        let note = format!("{GO_NOTE}— witness.example AAAAAAAA\n");
        assert!(verifier.open(&note).is_ok());
        assert!(verifier.open(&format!("{GO_NOTE}trailing\n")).is_err());
    }

    #[test]
    fn a_verifier_key_with_a_wrong_hash_is_refused() {
        assert!(
            GO_KEY
                .replace("c74f", "c74e")
                .parse::<NoteVerifier>()
                .is_err()
        );
        assert!(
            GO_KEY
                .replace("+ARpc", "+BRpc")
                .parse::<NoteVerifier>()
                .is_err()
        );
    }

    #[test]
    fn signing_is_the_inverse_of_opening() {
        let rng = ring::rand::SystemRandom::new();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&rng).unwrap();
        let signer = NoteSigner::new("bonded/here", pkcs8.as_ref()).unwrap();
        let note = signer.sign("a\n\nb\n");
        assert_eq!(signer.verifier().open(&note).unwrap(), "a\n\nb\n");
    }
}
