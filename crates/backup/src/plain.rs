//! Plain files and folders, reached name by name from a folder that is held open. No link is followed on
//! the way, and what is neither a file nor a folder is not waited for: whoever can write there leads us
//! nowhere.

use crate::Unbacked;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A folder that is held open: what is beneath it is reached from here, whatever becomes of its path.
#[derive(Debug)]
pub(crate) struct Held {
    folder: OwnedFd,
    path: PathBuf,
}

/// Flags of everything that is opened beneath a folder.
const NEVER_ELSEWHERE: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Opens a plain file beneath a folder for reading; none where there is none. The folder itself is what
/// somebody named, and may be a link.
///
/// # Errors
/// [`Unbacked::NotPlain`] where a link or no plain file is on the way; [`Unbacked::Path`],
/// [`Unbacked::File`].
pub fn open_plain(folder: &Path, path: &str) -> Result<Option<File>, Unbacked> {
    let Some(top) = Held::top(folder)? else {
        return Ok(None);
    };
    match top.folder_of(path)? {
        Some((folder, last)) => folder.file(last),
        None => Ok(None),
    }
}

// === impl Held ===

impl Held {
    /// The folder that somebody named; none where there is none.
    pub(crate) fn top(path: &Path) -> Result<Option<Self>, Unbacked> {
        let named = if path == Path::new("") {
            Path::new(".")
        } else {
            path
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::openat(CWD, named, flags, Mode::empty()) {
            Ok(folder) => Ok(Some(Self {
                folder,
                path: path.to_owned(),
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(path, error)),
        }
    }

    /// A folder in this one; none where there is none.
    pub(crate) fn folder(&self, name: &str) -> Result<Option<Self>, Unbacked> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | NEVER_ELSEWHERE;
        match rustix::fs::openat(&self.folder, name, flags, Mode::empty()) {
            Ok(folder) => Ok(Some(Self { folder, path })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(&path, error)),
        }
    }

    /// A folder in this one, made for its owner alone where it is not there.
    pub(crate) fn made(&self, name: &str) -> Result<Self, Unbacked> {
        match rustix::fs::mkdirat(&self.folder, name, Mode::RWXU) {
            Ok(()) => self.sync()?,
            Err(Errno::EXIST) => {}
            Err(error) => return Err(failed(&self.path.join(name), error)),
        }
        let gone = || failed(&self.path.join(name), Errno::NOENT);
        self.folder(name)?.ok_or_else(gone)
    }

    /// The folder that a file beneath this one lies in, and the file's own name; none where a folder on
    /// the way is not there.
    pub(crate) fn folder_of(self, name: &str) -> Result<Option<(Self, &str)>, Unbacked> {
        let (folders, last) = parted(name)?;
        let mut held = self;
        for folder in folders {
            match held.folder(folder)? {
                Some(next) => held = next,
                None => return Ok(None),
            }
        }
        Ok(Some((held, last)))
    }

    /// As [`Held::folder_of`], with the folders made.
    pub(crate) fn made_for<'n>(&self, name: &'n str) -> Result<(Self, &'n str), Unbacked> {
        let (folders, last) = parted(name)?;
        let mut held = Self {
            folder: rustix::io::fcntl_dupfd_cloexec(&self.folder, 0)
                .map_err(|error| failed(&self.path, error))?,
            path: self.path.clone(),
        };
        for folder in folders {
            held = held.made(folder)?;
        }
        Ok((held, last))
    }

    /// Opens a plain file of this folder for reading; none where there is none.
    pub(crate) fn file(&self, name: &str) -> Result<Option<File>, Unbacked> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | NEVER_ELSEWHERE;
        let file = match rustix::fs::openat(&self.folder, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(failed(&path, error)),
        };
        match vault::plain(file) {
            Ok(file) => Ok(Some(file)),
            Err(why) if why.kind() == ErrorKind::InvalidData => Err(Unbacked::NotPlain { path }),
            Err(source) => Err(Unbacked::File { path, source }),
        }
    }

    /// Makes a file of this folder, which must not be there, for its owner alone.
    pub(crate) fn create(&self, name: &str) -> Result<File, Unbacked> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | NEVER_ELSEWHERE;
        let mode = Mode::RUSR | Mode::WUSR;
        let made = rustix::fs::openat(&self.folder, name, flags, mode);
        made.map(File::from)
            .map_err(|error| failed(&self.path.join(name), error))
    }

    /// How long a plain file of this folder is; none where there is no plain file of that name.
    pub(crate) fn bytes(&self, name: &str) -> Result<Option<u64>, Unbacked> {
        match rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if FileType::from_raw_mode(found.st_mode).is_file() => {
                Ok(Some(u64::try_from(found.st_size).unwrap_or(0)))
            }
            Ok(_) | Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(&self.path.join(name), error)),
        }
    }

    /// What is in this folder, and of which kind; what has no text for a name is none of ours.
    pub(crate) fn entries(&self) -> Result<Vec<(String, FileType)>, Unbacked> {
        let wrong = |error| failed(&self.path, error);
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.folder).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if name == "." || name == ".." {
                continue;
            }
            let mut kind = entry.file_type();
            // Not every file system says it with the name.
            if kind == FileType::Unknown {
                kind = match rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(found) => FileType::from_raw_mode(found.st_mode),
                    Err(Errno::NOENT) => continue,
                    Err(error) => return Err(wrong(error)),
                };
            }
            entries.push((name.to_owned(), kind));
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(entries)
    }

    /// Gives a file of this folder its name in another, in place of what had it: a link is replaced, not
    /// followed.
    pub(crate) fn rename(&self, from: &str, (to, name): (&Self, &str)) -> Result<(), Unbacked> {
        let renamed = rustix::fs::renameat(&self.folder, from, &to.folder, name);
        renamed.map_err(|error| failed(&to.path.join(name), error))?;
        to.sync()
    }

    /// Removes a name from this folder: of a link, the link. One that is not there is no error.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Unbacked> {
        match rustix::fs::unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) => self.sync(),
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(failed(&self.path.join(name), error)),
        }
    }

    fn sync(&self) -> Result<(), Unbacked> {
        rustix::fs::fsync(&self.folder).map_err(|error| failed(&self.path, error))
    }
}

/// The folders that a name says, and what comes last.
fn parted(name: &str) -> Result<(Vec<&str>, &str), Unbacked> {
    let mut folders: Vec<&str> = name.split('/').collect();
    let is_plain = |part: &&str| !["", ".", ".."].contains(part);
    if !folders.iter().all(is_plain) {
        return Err(Unbacked::Path(name.to_owned()));
    }
    let last = folders.pop().unwrap_or_default();
    Ok((folders, last))
}

fn failed(path: &Path, error: Errno) -> Unbacked {
    let path = path.to_owned();
    // A link, something other than a folder on the way, a socket or a device without anybody behind it.
    if [Errno::LOOP, Errno::NOTDIR, Errno::NXIO, Errno::ISDIR].contains(&error) {
        return Unbacked::NotPlain { path };
    }
    Unbacked::File {
        path,
        source: error.into(),
    }
}
