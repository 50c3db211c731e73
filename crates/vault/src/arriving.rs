use crate::{DataFile, Format};
use ring::digest::{Context, SHA256};
use rustix::fs::MemfdFlags;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use terms::Digest;

/// Bytes on their way in: in the gateway's memory alone, never on a disk, gone when dropped.
///
/// Units: bytes; so many and no more.
pub struct Arriving {
    file: File,
    hash: Context,
    bytes: u64,
    bytes_max: u64,
}

/// All bytes of a file, in memory.
#[derive(Debug)]
pub struct Arrived {
    /// Kept open: the bytes are there as long as it is.
    _file: File,
    path: PathBuf,
    format: Format,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// How many.
    pub bytes: u64,
}

/// Why bytes are not taken.
#[derive(Debug, thiserror::Error)]
pub enum Overfull {
    /// There are more than may come.
    #[error("more than {bytes_max} bytes")]
    TooMany {
        /// How many may come.
        bytes_max: u64,
    },
    /// The system has no memory for them.
    #[error("no memory for what arrives")]
    NoMemory(#[from] std::io::Error),
}

// === impl Arriving ===

impl std::fmt::Debug for Arriving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Arriving({} bytes)", self.bytes)
    }
}

impl Arriving {
    /// Begins to take bytes.
    ///
    /// # Errors
    /// [`Overfull::NoMemory`].
    pub fn new(bytes_max: u64) -> Result<Self, Overfull> {
        let fd = rustix::fs::memfd_create("arriving", MemfdFlags::CLOEXEC);
        let fd = fd.map_err(std::io::Error::from)?;
        Ok(Self {
            file: File::from(fd),
            hash: Context::new(&SHA256),
            bytes: 0,
            bytes_max,
        })
    }

    /// Takes more bytes.
    ///
    /// # Errors
    /// [`Overfull`]; what came before is still there.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Overfull> {
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let all = self.bytes.saturating_add(more);
        if all > self.bytes_max {
            let bytes_max = self.bytes_max;
            return Err(Overfull::TooMany { bytes_max });
        }
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes = all;
        Ok(())
    }

    /// The bytes are all there.
    #[must_use]
    pub fn whole(self, format: Format) -> Arrived {
        // Every opening of it begins at the first byte.
        let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        Arrived {
            _file: self.file,
            path: path.into(),
            format,
            digest: Digest::finished(self.hash),
            bytes: self.bytes,
        }
    }
}

// === impl Arrived ===

impl Arrived {
    /// The bytes as a file that this process can open.
    #[must_use]
    pub fn file(&self) -> DataFile<'_> {
        DataFile {
            path: &self.path,
            format: self.format,
        }
    }

    /// A message about it, with its sender's name for it in place of ours.
    #[must_use]
    pub fn told(&self, message: &str, name: &str) -> String {
        message.replace(&self.path.display().to_string(), name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_is_read_from_its_beginning_and_is_gone_with_its_owner() {
        let mut arriving = Arriving::new(8).unwrap();
        arriving.take(b"a,b\n").unwrap();
        arriving.take(b"1,2\n").unwrap();
        assert!(matches!(
            arriving.take(b"x"),
            Err(Overfull::TooMany { bytes_max: 8 })
        ));
        let arrived = arriving.whole(Format::Csv);
        assert_eq!(
            (arrived.bytes, arrived.digest),
            (8, Digest::of(b"a,b\n1,2\n"))
        );
        let path = arrived.file().path.to_owned();
        for _ in 0..2 {
            assert_eq!(std::fs::read(&path).unwrap(), b"a,b\n1,2\n");
        }
        let message = format!("`{}` line 2: no", path.display());
        assert_eq!(arrived.told(&message, "list.csv"), "`list.csv` line 2: no");
        drop(arrived);
        assert!(std::fs::read(&path).is_err());
    }
}
