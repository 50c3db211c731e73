use crate::{Shelf, Unbacked};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A shelf in a folder: another disk, or one that is mounted from elsewhere.
///
/// Shape: an object is written as `part/<its name>`, synced, and given its name by a rename.
#[derive(Debug, Clone)]
pub struct Folder {
    dir: PathBuf,
}

const PART: &str = "part";

// === impl Folder ===

impl Folder {
    /// The shelf in this folder, which is made where it is not there.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }
}

impl Shelf for Folder {
    fn put(&self, name: &str, from: &mut dyn Read) -> Result<(), Unbacked> {
        let path = self.dir.join(name);
        let part = self.dir.join(PART).join(name.replace('/', "."));
        for path in [&path, &part] {
            make_folder(folder_of(path))?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = options.open(&part).and_then(|mut file| {
            std::io::copy(from, &mut file)?;
            file.sync_all()
        });
        let placed = written.and_then(|()| std::fs::rename(&part, &path));
        if let Err(source) = placed {
            // What cannot be removed is overwritten by the next that is put under this name.
            drop(std::fs::remove_file(&part));
            return Err(Unbacked::File { path, source });
        }
        sync(folder_of(&path))
    }

    fn get(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>, Unbacked> {
        let path = self.dir.join(name);
        match File::open(&path) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Unbacked::File { path, source }),
        }
    }

    fn bytes(&self, name: &str) -> Result<Option<u64>, Unbacked> {
        let path = self.dir.join(name);
        match std::fs::metadata(&path) {
            Ok(file) => Ok(Some(file.len())),
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Unbacked::File { path, source }),
        }
    }

    fn names(&self, beneath: &str) -> Result<Vec<String>, Unbacked> {
        let mut names = Vec::new();
        gather(&self.dir.join(beneath), beneath, &mut names)?;
        names.sort();
        Ok(names)
    }

    fn remove(&self, name: &str) -> Result<(), Unbacked> {
        let path = self.dir.join(name);
        match std::fs::remove_file(&path) {
            Ok(()) => sync(folder_of(&path)),
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(()),
            Err(source) => Err(Unbacked::File { path, source }),
        }
    }
}

fn gather(folder: &Path, name: &str, names: &mut Vec<String>) -> Result<(), Unbacked> {
    let file = |source| Unbacked::File {
        path: folder.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(file(source)),
    };
    for entry in entries {
        let entry = entry.map_err(file)?;
        // A name that is no text is none of ours.
        let Ok(last) = entry.file_name().into_string() else {
            continue;
        };
        let name = format!("{name}/{last}");
        if entry.file_type().map_err(file)?.is_dir() {
            gather(&entry.path(), &name, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
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
