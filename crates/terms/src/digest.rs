use crate::Unreadable;

/// A SHA-256 value.
///
/// Shape: 32 bytes, written as 64 lower-case hexadecimal digits. Source: FIPS 180-4.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        hash.update(bytes);
        Self::finished(hash)
    }

    /// Closes a running hash.
    #[must_use]
    pub fn finished(hash: ring::digest::Context) -> Self {
        let mut value = [0; 32];
        value
            .iter_mut()
            .zip(hash.finish().as_ref())
            .for_each(|(to, from)| *to = *from);
        Self(value)
    }

    /// The raw bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Takes raw bytes for a digest made elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl std::str::FromStr for Digest {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut value = [0; 32];
        hex::decode_to_slice(text, &mut value)
            .map_err(|_| Unreadable::new("digest", text, "64 hexadecimal digits"))?;
        Ok(Self(value))
    }
}

impl TryFrom<String> for Digest {
    type Error = Unreadable;
    fn try_from(text: String) -> Result<Self, Unreadable> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests;
