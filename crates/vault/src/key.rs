use crate::Unkept;
use terms::Digest;
use zeroize::Zeroizing;

/// A secret key.
///
/// Shape: 32 bytes. It prints as `Key(…)` and is overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// Takes bytes that came from a secure source.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The secret itself; whoever asks answers for where it goes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Draws a new key from the system's generator.
    ///
    /// # Errors
    /// [`Unkept::NoRandom`].
    pub fn random() -> Result<Self, Unkept> {
        let mut bytes = Zeroizing::new([0; 32]);
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), bytes.as_mut())
            .map_err(|_| Unkept::NoRandom)?;
        Ok(Self(bytes))
    }

    /// Says which key this is, without saying it.
    #[must_use]
    pub fn check(&self) -> Digest {
        Digest::from_bytes(*self.derive("check", b"").bytes())
    }

    /// Derives a key for one purpose and one name under it.
    ///
    /// Source: RFC 5869 (HKDF-SHA256); the parts are length-prefixed, so that no two lists of parts
    /// give the same key.
    pub(crate) fn derive(&self, purpose: &str, name: &[u8]) -> Self {
        let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes();
        let (first, second) = (length(purpose.as_bytes()), length(name));
        let info = [&first[..], purpose.as_bytes(), &second[..], name];
        let root = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, b"bonded keys v1");
        let mut bytes = Zeroizing::new([0; 32]);
        let filled = root
            .extract(self.0.as_ref())
            .expand(&info, ring::hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(bytes.as_mut()));
        // HKDF fails only for an output longer than 255 hashes; ours is one.
        debug_assert!(filled.is_ok());
        Self(bytes)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_prints_itself() {
        assert_eq!(format!("{:?}", Key::from_bytes([7; 32])), "Key(…)");
    }

    #[test]
    fn purposes_and_names_do_not_run_into_each_other() {
        let root = Key::from_bytes([1; 32]);
        assert_ne!(root.derive("ab", b"c"), root.derive("a", b"bc"));
        assert_ne!(root.derive("a", b""), root.derive("", b"a"));
        assert_eq!(root.derive("a", b"b"), root.derive("a", b"b"));
        assert_ne!(
            root.derive("a", b"b"),
            Key::from_bytes([2; 32]).derive("a", b"b")
        );
    }

    #[test]
    fn derivation_is_hkdf_sha256() {
        // Computed independently (Python hmac): salt `bonded keys v1`, key 32 × 0x01,
        // info = be64(5) "token" be64(4) "care".
        let key = Key::from_bytes([1; 32]).derive("token", b"care");
        assert_eq!(
            hex::encode(key.bytes()),
            "a3c9348f7c096a417145ccf34ed0e1d689ad31125a8f6c7d42994737e8512a8f"
        );
    }
}
