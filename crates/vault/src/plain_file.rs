use rustix::fs::{Mode, OFlags};
use std::{fs::File, io, path::Path};

/// Opens a file for reading that has to be a plain one. A pipe, or whatever else whoever can write the
/// folder has put in its place, is not waited for.
///
/// # Errors
/// The file system's; [`io::ErrorKind::InvalidData`] of what is no plain file.
pub fn open_plain(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    plain(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// What was opened, if it is a plain file.
///
/// # Errors
/// As [`open_plain`].
pub fn plain(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, mkfifoat};
    use std::{io::Read, sync::mpsc, time::Duration};

    #[test]
    fn what_is_no_plain_file_is_neither_read_nor_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (file, pipe) = (folder.path().join("file"), folder.path().join("pipe"));
        std::fs::write(&file, b"x").unwrap();
        mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        let mut text = String::new();
        open_plain(&file)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "x");
        let (said, heard) = mpsc::channel();
        for path in [pipe, folder.path().to_owned(), folder.path().join("none")] {
            let said = said.clone();
            std::thread::spawn(move || {
                said.send(open_plain(&path).map_err(|why| why.kind()).err())
            });
            let kind = heard.recv_timeout(Duration::from_secs(5)).unwrap();
            assert!(matches!(
                kind,
                Some(io::ErrorKind::InvalidData | io::ErrorKind::NotFound)
            ));
        }
    }
}
