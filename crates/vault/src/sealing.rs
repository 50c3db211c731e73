//! AES-256-GCM over bytes in memory: what wraps keys and seals texts.

use crate::{Key, Unkept};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 12;

/// Bytes from the system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Unkept> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Unkept::NoRandom)?;
    Ok(bytes)
}

/// Encrypts in place and appends the tag.
pub(crate) fn encrypt(
    key: &Key,
    nonce: &[u8],
    context: &[u8],
    body: &mut Vec<u8>,
) -> Result<(), Unkept> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unkept::SealBroken)?;
    let key = UnboundKey::new(&AES_256_GCM, key.bytes()).map_err(|_| Unkept::SealBroken)?;
    LessSafeKey::new(key)
        .seal_in_place_append_tag(nonce, Aad::from(context), body)
        .map_err(|_| Unkept::SealBroken)
}

/// Checks the tag and gives back the plain bytes.
pub(crate) fn decrypt(
    key: &Key,
    nonce: &[u8],
    context: &[u8],
    body: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Unkept> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unkept::SealBroken)?;
    let key = UnboundKey::new(&AES_256_GCM, key.bytes()).map_err(|_| Unkept::SealBroken)?;
    let mut body = Zeroizing::new(body.to_vec());
    let plain = LessSafeKey::new(key)
        .open_in_place(nonce, Aad::from(context), &mut body)
        .map_err(|_| Unkept::SealBroken)?
        .len();
    body.truncate(plain);
    Ok(body)
}

/// Wraps a key: it opens only under the same key and context.
///
/// Shape: 12 bytes nonce, 32 bytes ciphertext, 16 bytes tag.
pub(crate) fn wrap(under: &Key, context: &[u8], key: &Key) -> Result<Vec<u8>, Unkept> {
    let nonce = random::<NONCE_BYTES>()?;
    // With room for the tag, so that no plain copy stays where the bytes grew out of.
    let mut body = Zeroizing::new(Vec::with_capacity(64));
    body.extend_from_slice(key.bytes());
    encrypt(under, &nonce, context, &mut body)?;
    Ok([&nonce[..], &body].concat())
}

/// Opens what [`wrap`] made.
pub(crate) fn unwrap(under: &Key, context: &[u8], wrapped: &[u8]) -> Result<Key, Unkept> {
    let parts = wrapped.split_at_checked(NONCE_BYTES);
    let (nonce, body) = parts.ok_or(Unkept::SealBroken)?;
    let plain = decrypt(under, nonce, context, body)?;
    let key = <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| Unkept::SealBroken)?;
    Ok(Key::from_bytes(key))
}
