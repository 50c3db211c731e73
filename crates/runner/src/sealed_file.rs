//! A file that came open with the job: there is no path to it here.

use bytes::{Bytes, BytesMut};
use parquet::{
    errors::ParquetError,
    file::reader::{ChunkReader, Length},
};
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    sync::Arc,
};

/// How a Parquet file ends whose footer is encrypted. Source: Parquet Modular Encryption, 5.1.
const ENDING: &[u8; 4] = b"PARE";

/// A file that many readers read at places of their own, none of which moves another's.
#[derive(Debug, Clone)]
pub(crate) struct SealedFile {
    file: Arc<File>,
    bytes: u64,
}

/// One reader.
#[derive(Debug)]
pub(crate) struct Reader {
    file: Arc<File>,
    at: u64,
}

impl SealedFile {
    /// Measures it, by its end: what else the kernel knows of a file is not asked here.
    ///
    /// INVARIANT (only what is sealed is read): the library reads a file in the clear though it was given
    /// keys, so that whoever can write the folder could put made-up data in its place.
    pub(crate) fn new(mut file: File) -> io::Result<Self> {
        let bytes = file.seek(SeekFrom::End(0))?;
        let mut ending = [0; 4];
        let at = bytes.checked_sub(4).ok_or(io::ErrorKind::InvalidData)?;
        file.read_exact_at(&mut ending, at)?;
        if ending != *ENDING {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self {
            file: Arc::new(file),
            bytes,
        })
    }
}

impl Length for SealedFile {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for SealedFile {
    type T = BufReader<Reader>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let file = Arc::clone(&self.file);
        Ok(BufReader::new(Reader { file, at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = u64::try_from(length)
            .ok()
            .and_then(|l| start.checked_add(l));
        if end.is_none_or(|end| end > self.bytes) {
            return Err(ParquetError::EOF("beyond the end of the file".to_owned()));
        }
        let mut bytes = BytesMut::zeroed(length);
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.freeze())
    }
}

impl Read for Reader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, self.at)?;
        self.at = self
            .at
            .saturating_add(u64::try_from(read).unwrap_or_default());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_do_not_move_each_other_and_nothing_is_read_beyond_the_end() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"0123456789PARE").unwrap();
        let file = SealedFile::new(file).unwrap();
        assert_eq!(file.len(), 14);
        let (mut one, mut other) = (file.get_read(2).unwrap(), file.get_read(7).unwrap());
        let next = |reader: &mut BufReader<Reader>| {
            let mut two = [0; 2];
            reader.read_exact(&mut two).unwrap();
            two
        };
        assert_eq!(
            [next(&mut one), next(&mut other), next(&mut one)],
            [*b"23", *b"78", *b"45"]
        );
        assert_eq!(file.get_bytes(12, 2).unwrap(), "RE");
        assert!(file.get_bytes(12, 3).is_err());
        assert!(file.get_bytes(u64::MAX, 2).is_err());
    }

    #[test]
    fn a_file_in_the_clear_is_not_read() {
        for content in ["", "PAR", "PAR1 and so on PAR1", "PARE at the front alone"] {
            let mut file = tempfile::tempfile().unwrap();
            io::Write::write_all(&mut file, content.as_bytes()).unwrap();
            assert!(SealedFile::new(file).is_err(), "{content}");
        }
    }
}
