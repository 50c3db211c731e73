use crate::keyring::{decrypt, encrypt, write_private};
use crate::{Key, Unkept};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::{Path, PathBuf};
use terms::DatasetName;

/// The key of one snapshot: the smallest thing that can be destroyed.
///
/// Source: NIST SP 800-88r2, cryptographic erase.
#[derive(Debug)]
pub(crate) struct Unit {
    key: Key,
}

/// The file that holds a wrapped unit key.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    v: u32,
    algorithm: String,
    dataset: DatasetName,
    snapshot: u32,
    /// Base64 of 12 bytes nonce, 32 bytes ciphertext, 16 bytes tag.
    wrapped: String,
    /// Hexadecimal; derived from the key, says which key it was without saying the key.
    check: String,
}

const ALGORITHM: &str = "AES-256-GCM";
const NONCE_BYTES: usize = 12;

// === impl Unit ===

impl Unit {
    /// Draws a key and writes it wrapped, in place of any that had the name.
    pub(crate) fn create(
        keys_dir: &Path,
        wrapping: &Key,
        dataset: &DatasetName,
        number: u32,
    ) -> Result<Self, Unkept> {
        let unit = Self {
            key: Key::random().map_err(|_| Unkept::NoRandom)?,
        };
        let mut nonce = [0; NONCE_BYTES];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut nonce)
            .map_err(|_| Unkept::NoRandom)?;
        let mut body = unit.key.bytes().to_vec();
        encrypt(wrapping, &nonce, &context(dataset, number), &mut body)?;
        let file = Wrapped {
            v: 1,
            algorithm: ALGORITHM.to_owned(),
            dataset: dataset.clone(),
            snapshot: number,
            wrapped: STANDARD.encode([&nonce[..], &body].concat()),
            check: unit.check(),
        };
        let path = path(keys_dir, dataset, number);
        let text = serde_json::to_vec_pretty(&file)
            .map_err(|_| Unkept::UnitBroken { path: path.clone() })?;
        Self::remove(keys_dir, dataset, number)?;
        write_private(&path, &text)?;
        Ok(unit)
    }

    /// Reads and unwraps a key, and checks that it is the one that was made.
    pub(crate) fn open(
        keys_dir: &Path,
        wrapping: &Key,
        dataset: &DatasetName,
        number: u32,
    ) -> Result<Self, Unkept> {
        let path = path(keys_dir, dataset, number);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                return Err(Unkept::UnitAbsent {
                    dataset: dataset.clone(),
                    number,
                });
            }
            Err(source) => return Err(Unkept::File { path, source }),
        };
        let broken = || Unkept::UnitBroken { path: path.clone() };
        let foreign = || Unkept::UnitForeign {
            dataset: dataset.clone(),
            number,
        };
        let file: Wrapped = serde_json::from_slice(&text).map_err(|_| broken())?;
        if file.v != 1 || file.algorithm != ALGORITHM {
            return Err(broken());
        }
        let bytes = STANDARD.decode(&file.wrapped).map_err(|_| broken())?;
        let (nonce, body) = bytes.split_at_checked(NONCE_BYTES).ok_or_else(broken)?;
        let plain = decrypt(wrapping, nonce, &context(dataset, number), body)
            .map(zeroize::Zeroizing::new)
            .map_err(|_| foreign())?;
        let key = <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| foreign())?;
        let unit = Self {
            key: Key::from_bytes(key),
        };
        if unit.check() == file.check {
            Ok(unit)
        } else {
            Err(foreign())
        }
    }

    /// Removes the wrapped key, if there is one.
    pub(crate) fn remove(
        keys_dir: &Path,
        dataset: &DatasetName,
        number: u32,
    ) -> Result<(), Unkept> {
        let path = path(keys_dir, dataset, number);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(Unkept::File { path, source }),
        }
    }

    /// The key of the file's footer: names and positions of columns.
    pub(crate) fn footer_key(&self) -> Key {
        self.key.derive("footer", b"")
    }

    /// The key of one column; all leaves of a nested column share it.
    pub(crate) fn column_key(&self, column: &str) -> Key {
        self.key.derive("column", column.as_bytes())
    }

    fn check(&self) -> String {
        hex::encode(self.key.derive("check", b"").bytes())
    }
}

fn context(dataset: &DatasetName, number: u32) -> Vec<u8> {
    format!("bonded unit v1\n{dataset}\n{number}\n").into_bytes()
}

fn path(keys_dir: &Path, dataset: &DatasetName, number: u32) -> PathBuf {
    keys_dir
        .join("units")
        .join(format!("{dataset}.{number}.json"))
}

#[cfg(test)]
mod tests {
    use crate::Keyring;
    use terms::DatasetName;

    #[test]
    fn a_unit_key_opens_under_its_own_name_and_root_alone() {
        let dir = tempfile::tempdir().unwrap();
        let ring = Keyring::create(dir.path()).unwrap();
        let name: DatasetName = "gjj.account".parse().unwrap();
        let made = ring.new_unit(&name, 1).unwrap();
        assert_eq!(
            made.column_key("a"),
            ring.unit(&name, 1).unwrap().column_key("a")
        );
        assert_ne!(made.column_key("a"), made.column_key("b"));
        assert_eq!(ring.unit(&name, 2).unwrap_err().code(), "vault.unit-absent");

        let units = dir.path().join("keys/units");
        std::fs::copy(
            units.join("gjj.account.1.json"),
            units.join("gjj.account.2.json"),
        )
        .unwrap();
        assert_eq!(
            ring.unit(&name, 2).unwrap_err().code(),
            "vault.unit-foreign"
        );

        let other = tempfile::tempdir().unwrap();
        let stranger = Keyring::create(other.path()).unwrap();
        std::fs::copy(
            units.join("gjj.account.1.json"),
            other.path().join("keys/units/gjj.account.1.json"),
        )
        .unwrap();
        assert_eq!(
            stranger.unit(&name, 1).unwrap_err().code(),
            "vault.unit-foreign"
        );
        std::fs::write(units.join("gjj.account.1.json"), "{}").unwrap();
        assert_eq!(ring.unit(&name, 1).unwrap_err().code(), "vault.unit-broken");
    }
}
