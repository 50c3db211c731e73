//! Whoever can write the place leads nobody out of it.

use super::*;
use std::os::unix::fs::symlink;
use terms::Digest;

/// A place, and beside it a folder of a live domain that links in the place lead to.
struct Beside {
    stage: tempfile::TempDir,
    shelf: Folder,
}

const VALUE: &[u8] = b"of the live domain";

impl Beside {
    fn set() -> Self {
        let stage = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(stage.path().join("place")).unwrap();
        std::fs::create_dir_all(stage.path().join("live")).unwrap();
        let shelf = Folder::new(&stage.path().join("place"));
        Self { stage, shelf }
    }

    fn live(&self, name: &str) -> PathBuf {
        let path = self.stage.path().join("live").join(name);
        std::fs::write(&path, VALUE).unwrap();
        path
    }

    fn place(&self, name: &str) -> PathBuf {
        self.stage.path().join("place").join(name)
    }

    /// The live folder as it was, with nothing more in it.
    fn is_untouched(&self) -> bool {
        let live = std::fs::read_dir(self.stage.path().join("live")).unwrap();
        let files: Vec<_> = live.map(|entry| entry.unwrap().path()).collect();
        let is_whole = |path: &PathBuf| std::fs::read(path).unwrap() == VALUE;
        files.len() == 1 && files.iter().all(is_whole)
    }
}

fn object() -> (Digest, String) {
    let digest = Digest::of(b"object");
    (digest, crate::shelf::object(&digest))
}

fn code<T>(result: Result<T, Unbacked>) -> &'static str {
    result.map_or_else(|why| why.code(), |_| "done")
}

#[test]
fn a_folder_that_is_a_link_is_not_followed() {
    let (_, name) = object();
    let folder = name.rsplit_once('/').unwrap().0.to_owned();
    let live = name.rsplit('/').next().unwrap().to_owned();
    for link in ["objects", &folder, "part"] {
        let beside = Beside::set();
        // The very name that would be looked for behind the link.
        beside.live(&live);
        let at = beside.place(link);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(beside.stage.path().join("live"), &at).unwrap();
        let put = beside.shelf.put(&name, &mut b"object".as_slice());
        assert_eq!(code(put), "backup.not-plain", "{link}");
        if link == "part" {
            assert_eq!(code(beside.shelf.sweep()), "backup.not-plain");
        } else {
            assert_eq!(code(beside.shelf.get(&name)), "backup.not-plain", "{link}");
            assert_eq!(code(beside.shelf.bytes(&name)), "backup.not-plain");
            assert_eq!(code(beside.shelf.remove(&name)), "backup.not-plain");
            let names = beside.shelf.names("objects").unwrap_or_default();
            assert!(names.is_empty(), "{names:?}");
        }
        assert!(beside.is_untouched(), "{link}");
    }
}

#[test]
fn a_file_that_is_a_link_is_replaced_and_never_read() {
    let (_, name) = object();
    let beside = Beside::set();
    let live = beside.live("ledger.key");
    let at = beside.place(&name);
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    symlink(&live, &at).unwrap();
    assert_eq!(code(beside.shelf.get(&name)), "backup.not-plain");
    assert_eq!(beside.shelf.bytes(&name).unwrap(), None);
    assert!(beside.shelf.names("objects").unwrap().is_empty());
    beside.shelf.put(&name, &mut b"object".as_slice()).unwrap();
    assert_eq!(std::fs::read(&at).unwrap(), b"object");
    assert!(beside.is_untouched());
    std::fs::remove_file(&at).unwrap();
    symlink(&live, &at).unwrap();
    beside.shelf.remove(&name).unwrap();
    assert!(beside.is_untouched());
}

#[test]
fn a_part_that_was_laid_out_beforehand_is_not_written_through() {
    let (_, name) = object();
    let beside = Beside::set();
    let live = beside.live("ledger.db");
    let parts = beside.place("part");
    std::fs::create_dir_all(&parts).unwrap();
    symlink(&live, parts.join(name.replace('/', "."))).unwrap();
    beside.shelf.put(&name, &mut b"object".as_slice()).unwrap();
    assert!(beside.is_untouched());
    // What a put that broke off left goes, and nothing else does.
    std::fs::write(parts.join("0123456789abcdef0123456789abcdef"), b"x").unwrap();
    std::fs::write(parts.join("notes.txt"), b"x").unwrap();
    beside.shelf.sweep().unwrap();
    let left = std::fs::read_dir(&parts).unwrap().count();
    assert_eq!(left, 2, "the link and somebody's notes");
}

#[test]
fn a_pipe_is_no_object_and_nobody_waits_for_it() {
    let (_, name) = object();
    let beside = Beside::set();
    let at = beside.place(&name);
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&at).status();
    assert!(made.unwrap().success());
    assert_eq!(code(beside.shelf.get(&name)), "backup.not-plain");
    assert!(beside.shelf.names("objects").unwrap().is_empty());
    beside.shelf.put(&name, &mut b"object".as_slice()).unwrap();
    assert_eq!(std::fs::read(&at).unwrap(), b"object");
}

#[test]
fn a_name_that_would_leave_the_folder_is_none() {
    let beside = Beside::set();
    beside.live("x");
    for name in ["../live/x", "objects/../../live/x", "/etc/passwd", ""] {
        assert_eq!(code(beside.shelf.get(name)), "backup.path", "{name}");
        let put = beside.shelf.put(name, &mut b"y".as_slice());
        assert_eq!(code(put), "backup.path", "{name}");
    }
    assert!(beside.is_untouched());
}
