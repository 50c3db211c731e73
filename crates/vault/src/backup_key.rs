use crate::sealing::{decrypt, encrypt};
use crate::{Key, Unkept};
use terms::Digest;
use zeroize::Zeroizing;

/// Seals the pieces of a backup: the same piece under the same context is the same bytes, so that a
/// second backup copies only what is new.
///
/// Shape: a version, 32 bytes that name the piece, ciphertext, 16 bytes tag. The name is a keyed
/// function of context and content, and the piece's key one of the name: no two pieces share a key, so
/// the nonce is constant. Who has the sealed pieces alone learns their lengths, and which are the same.
#[derive(Debug, Clone)]
pub struct BackupKey(Key);

const VERSION: u8 = 1;
const NAME_BYTES: usize = 32;
const NONCE: [u8; 12] = [0; 12];

// === impl BackupKey ===

impl BackupKey {
    pub(crate) const fn new(key: Key) -> Self {
        Self(key)
    }

    /// Seals a piece; it opens only under the same context.
    ///
    /// # Errors
    /// [`Unkept::SealBroken`], where the piece is longer than the cipher takes.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, Unkept> {
        let both = [Digest::of(context.as_bytes()), Digest::of(plain)];
        let both: Vec<u8> = both.iter().flat_map(|one| *one.bytes()).collect();
        let name = self.0.derive("piece name", &both);
        let mut body = Vec::with_capacity(plain.len() + 16);
        body.extend_from_slice(plain);
        encrypt(
            &self.0.derive("piece", name.bytes()),
            &NONCE,
            context.as_bytes(),
            &mut body,
        )?;
        let mut sealed = Vec::with_capacity(1 + NAME_BYTES + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(name.bytes());
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what [`BackupKey::seal`] sealed.
    ///
    /// # Errors
    /// [`Unkept::SealBroken`].
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unkept> {
        let (version, rest) = sealed.split_first().ok_or(Unkept::SealBroken)?;
        let parts = rest.split_at_checked(NAME_BYTES);
        let (name, body) = parts.ok_or(Unkept::SealBroken)?;
        if *version != VERSION {
            return Err(Unkept::SealBroken);
        }
        decrypt(
            &self.0.derive("piece", name),
            &NONCE,
            context.as_bytes(),
            body,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> BackupKey {
        BackupKey::new(Key::from_bytes([byte; 32]))
    }

    #[test]
    fn a_piece_is_sealed_the_same_every_time_and_another_is_not() {
        let one = key(1).seal("c", b"piece").unwrap();
        assert_eq!(key(1).seal("c", b"piece").unwrap(), one);
        for other in [
            key(1).seal("c", b"piecf"),
            key(1).seal("d", b"piece"),
            key(2).seal("c", b"piece"),
        ] {
            let other = other.unwrap();
            // Neither the name nor a byte of keystream is shared.
            assert_ne!(other[1..33], one[1..33]);
            assert_ne!(other[33..38], one[33..38]);
        }
    }

    #[test]
    fn a_piece_opens_under_its_key_and_context_alone_and_unchanged() {
        let sealed = key(1).seal("c", b"piece").unwrap();
        assert_eq!(key(1).open("c", &sealed).unwrap().as_slice(), b"piece");
        assert!(key(2).open("c", &sealed).is_err());
        assert!(key(1).open("d", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key(1).open("c", &changed).is_err(), "{at}");
            assert!(key(1).open("c", &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
