use crate::plain::Held;
use crate::{Shelf, Unbacked};
use ring::rand::{SecureRandom as _, SystemRandom};
use rustix::fs::FileType;
use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A shelf in a folder: another disk, or one that is mounted from elsewhere.
///
/// Shape: an object is written as `part/<random>`, synced, and given its name by a rename. No link beneath
/// the folder is followed, and what is no plain file is no object.
#[derive(Debug, Clone)]
pub struct Folder {
    dir: PathBuf,
}

const PART: &str = "part";
/// Folders beneath one that is listed: `objects/<two digits>`.
const DEPTH_MAX: u32 = 1;
/// Bytes of a part's name.
const NAME_BYTES: usize = 16;

// === impl Folder ===

impl Folder {
    /// The shelf in this folder, which is made where it is not there.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// The folder that an object lies in, and its own name there.
    fn place<'n>(&self, name: &'n str) -> Result<Option<(Held, &'n str)>, Unbacked> {
        match Held::top(&self.dir)? {
            Some(top) => top.folder_of(name),
            None => Ok(None),
        }
    }
}

impl Shelf for Folder {
    fn put(&self, name: &str, from: &mut dyn Read) -> Result<(), Unbacked> {
        make_folder(&self.dir)?;
        let file = |source| Unbacked::File {
            path: self.dir.join(name),
            source,
        };
        let top = Held::top(&self.dir)?;
        let top = top.ok_or_else(|| file(ErrorKind::NotFound.into()))?;
        let (folder, last) = top.made_for(name)?;
        let parts = top.made(PART)?;
        let part = random_name()?;
        let mut written = parts.create(&part)?;
        let copied = std::io::copy(from, &mut written).and_then(|_| written.sync_all());
        let placed = copied
            .map_err(file)
            .and_then(|()| parts.rename(&part, (&folder, last)));
        if placed.is_err() {
            // What cannot be removed now is swept later.
            drop(parts.remove(&part));
        }
        placed
    }

    fn get(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>, Unbacked> {
        let Some((folder, last)) = self.place(name)? else {
            return Ok(None);
        };
        let file = folder.file(last)?;
        Ok(file.map(|file| Box::new(file) as Box<dyn Read>))
    }

    fn bytes(&self, name: &str) -> Result<Option<u64>, Unbacked> {
        match self.place(name)? {
            Some((folder, last)) => folder.bytes(last),
            None => Ok(None),
        }
    }

    fn names(&self, beneath: &str) -> Result<Vec<String>, Unbacked> {
        let mut names = Vec::new();
        if let Some((above, last)) = self.place(beneath)?
            && let Some(folder) = above.folder(last)?
        {
            gather(&folder, (beneath, DEPTH_MAX), &mut names)?;
        }
        names.sort();
        Ok(names)
    }

    fn remove(&self, name: &str) -> Result<(), Unbacked> {
        match self.place(name)? {
            Some((folder, last)) => folder.remove(last),
            None => Ok(()),
        }
    }

    fn sweep(&self) -> Result<(), Unbacked> {
        let Some((above, last)) = self.place(PART)? else {
            return Ok(());
        };
        let Some(parts) = above.folder(last)? else {
            return Ok(());
        };
        for (name, kind) in parts.entries()? {
            let is_ours = hex::decode(&name).is_ok_and(|bytes| bytes.len() == NAME_BYTES);
            if kind == FileType::RegularFile && is_ours {
                parts.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// The plain files in a folder, and in its folders as deep as ours go.
fn gather(
    folder: &Held,
    (name, deeper): (&str, u32),
    names: &mut Vec<String>,
) -> Result<(), Unbacked> {
    for (last, kind) in folder.entries()? {
        let name = format!("{name}/{last}");
        if kind == FileType::RegularFile {
            names.push(name);
        } else if kind == FileType::Directory
            && let Some(deeper) = deeper.checked_sub(1)
            && let Some(folder) = folder.folder(&last)?
        {
            gather(&folder, (&name, deeper), names)?;
        }
    }
    Ok(())
}

/// A name that nobody can have taken before.
fn random_name() -> Result<String, Unbacked> {
    let mut bytes = [0; NAME_BYTES];
    let drawn = SystemRandom::new().fill(&mut bytes);
    drawn.map_err(|_| Unbacked::Keys(vault::Unkept::NoRandom))?;
    Ok(hex::encode(bytes))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Makes a folder for its owner alone, and what it lies in; each is durable in the one above.
pub(crate) fn make_folder(path: &Path) -> Result<(), Unbacked> {
    if path.is_dir() {
        return Ok(());
    }
    let above = folder_of(path);
    if above != Path::new("") {
        make_folder(above)?;
    }
    let made = DirBuilder::new().mode(0o700).create(path);
    match made {
        Ok(()) => {}
        Err(source) if source.kind() == ErrorKind::AlreadyExists => {}
        Err(source) => {
            let path = path.to_owned();
            return Err(Unbacked::File { path, source });
        }
    }
    sync(if above == Path::new("") {
        Path::new(".")
    } else {
        above
    })
}

pub(crate) fn sync(folder: &Path) -> Result<(), Unbacked> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| Unbacked::File {
        path: folder.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
