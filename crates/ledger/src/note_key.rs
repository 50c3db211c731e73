//! Public keys of signed notes, as people and policies write them. Source: C2SP signed-note v1.0.0.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use terms::Digest;

/// What a key's signatures say. Source: C2SP signed-note, "Signature types".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureType {
    /// The note's text was signed.
    Note = 1,
    /// The time and the note's text were. Source: C2SP tlog-cosignature v1.
    Cosignature = 4,
}

/// An Ed25519 public key under a name: `name+hash+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    kind: SignatureType,
    key_id: [u8; 4],
    public: Vec<u8>,
}

// === impl NoteKey ===

impl NoteKey {
    /// A key under a name; none if the name can't stand in a signature line.
    #[must_use]
    pub fn new(kind: SignatureType, name: &str, public: &[u8]) -> Option<Self> {
        let mut text = name.as_bytes().to_vec();
        text.extend_from_slice(b"\n");
        text.push(kind as u8);
        text.extend_from_slice(public);
        let key_id = *Digest::of(&text).bytes().first_chunk::<4>()?;
        (is_key_name(name) && public.len() == 32).then(|| Self {
            name: name.to_owned(),
            kind,
            key_id,
            public: public.to_vec(),
        })
    }

    /// Reads `name+hash+key`; none if it is not that, or of another type.
    #[must_use]
    pub fn parse(kind: SignatureType, text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (hash, key) = rest.split_once('+')?;
        let key = STANDARD.decode(key).ok()?;
        let (said, public) = key.split_first()?;
        let read = Self::new(kind, name, public).filter(|_| *said == kind as u8)?;
        (hash == hex::encode(read.key_id)).then_some(read)
    }

    /// The name it signs under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a signature line begins with to name this key.
    #[must_use]
    pub const fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// The key's 32 bytes, whatever name it has.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// Whether a signature line under this name and id is of this key.
    #[must_use]
    pub fn is_of(&self, name: &str, key_id: &[u8]) -> bool {
        name == self.name && key_id == self.key_id
    }

    /// Whether this key made a signature over a message.
    #[must_use]
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.public);
        key.verify(message, signature).is_ok()
    }

    /// The signature line of this key, with its end.
    #[must_use]
    pub fn line(&self, signature: &[u8]) -> String {
        let blob = [self.key_id.as_slice(), signature].concat();
        format!("— {} {}\n", self.name, STANDARD.encode(blob))
    }
}

impl std::fmt::Display for NoteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = [&[self.kind as u8], self.public.as_slice()].concat();
        let hash = hex::encode(self.key_id);
        write!(f, "{}+{hash}+{}", self.name, STANDARD.encode(key))
    }
}

/// Whether a key may have this name: no blanks, no plus.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}
