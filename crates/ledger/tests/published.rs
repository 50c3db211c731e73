//! A log read from files: what was published verifies, and nothing else does.
#![expect(clippy::unwrap_used, reason = "a test's own tools may panic")]
mod domain;

use domain::{create, domain_created, fill, noon, strangers};
use ledger::{Breach, Ledger, Onlooker, Published};
use std::path::{Path, PathBuf};

/// A log of so many entries, written out.
fn published(dir: &Path, entries: u64) -> (Ledger, PathBuf) {
    let ledger = create(dir);
    ledger
        .append(&domain_created(false), None, noon())
        .wait()
        .unwrap();
    fill(&ledger, entries - 1);
    let out = dir.join("out");
    ledger.reader().export(&out).unwrap();
    (ledger, out)
}

fn log<'a>(ledger: &Ledger, folder: &'a Path) -> Published<&'a Path> {
    Published::new(folder, ledger.reader().verifier().clone())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[derive(Default)]
struct Counted(Vec<u64>);

impl Onlooker for Counted {
    fn progress(&mut self, _done: u64, _of: u64) {}

    fn entry(&mut self, index: u64, leaf: &[u8]) -> Result<(), Breach> {
        ledger::Leaf::decode(leaf)?;
        self.0.push(index);
        Ok(())
    }
}

#[test]
fn a_log_from_files_is_the_log_in_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, out) = published(dir.path(), 700);
    let mut counted = Counted::default();
    let report = log(&ledger, &out).audit(&mut counted).unwrap();
    assert_eq!(counted.0, (0..700).collect::<Vec<_>>());
    let verified = domain::verify(dir.path()).unwrap();
    assert_eq!((report.entries, report.root), (700, verified.root));
    for index in [0, 255, 256, 511, 512, 699] {
        let (proof, leaf) = log(&ledger, &out).prove(index).unwrap();
        assert_eq!(proof, ledger.prove(index).unwrap());
        assert_eq!(leaf.unwrap(), ledger.leaf(index).unwrap());
    }
    let absent = log(&ledger, &out).prove(700);
    assert!(matches!(absent, Err(Breach::Absent { index: 700 })));
}

/// A byte of each file at a time, at places spread over it.
#[test]
fn any_changed_file_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, out) = published(dir.path(), 300);
    let files = files(&out);
    assert_eq!(files.len(), 6, "{files:?}");
    for file in files {
        let whole = std::fs::read(&file).unwrap();
        for place in (0..whole.len()).step_by(whole.len().div_ceil(60)) {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            std::fs::write(&file, changed).unwrap();
            let read = log(&ledger, &out).audit(&mut Counted::default());
            assert!(read.is_err(), "{} byte {place}", file.display());
        }
        std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        assert!(log(&ledger, &out).audit(&mut Counted::default()).is_err());
        std::fs::remove_file(&file).unwrap();
        assert!(log(&ledger, &out).audit(&mut Counted::default()).is_err());
        std::fs::write(&file, &whole).unwrap();
    }
    log(&ledger, &out).audit(&mut Counted::default()).unwrap();
}

#[test]
fn a_full_file_may_stand_for_a_partial_one() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, out) = published(dir.path(), 300);
    let head = std::fs::read(out.join("checkpoint")).unwrap();
    fill(&ledger, 300);
    ledger.reader().export(&out).unwrap();
    std::fs::remove_dir_all(out.join("tile/0/001.p")).unwrap();
    std::fs::remove_dir_all(out.join("tile/entries/001.p")).unwrap();
    std::fs::write(out.join("checkpoint"), head).unwrap();
    let report = log(&ledger, &out).audit(&mut Counted::default()).unwrap();
    assert_eq!(report.entries, 300);
}

#[test]
fn a_log_is_held_to_what_it_signed_before() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, out) = published(dir.path(), 300);
    let old = ledger.head().unwrap().0.head;
    fill(&ledger, 300);
    ledger.reader().export(&out).unwrap();
    let grown = log(&ledger, &out);
    assert!(grown.grew_from(old).is_ok());
    let (leaves, newest) = grown.since(old).unwrap();
    assert_eq!((leaves.len(), newest.size), (300, 600));
    assert_eq!(leaves[0], ledger.leaf(300).unwrap());
    assert!(grown.since(newest).unwrap().0.is_empty());
    let other = tempfile::tempdir().unwrap();
    let fork = create(other.path());
    fork.append(&strangers(1000), None, noon()).wait().unwrap();
    fill(&fork, 299);
    let forged = fork.head().unwrap().0.head;
    assert!(matches!(
        grown.grew_from(forged),
        Err(Breach::RolledBack { .. })
    ));
    assert!(matches!(
        grown.since(forged),
        Err(Breach::RolledBack { .. })
    ));
    fill(&fork, 600);
    let longer = fork.head().unwrap().0.head;
    assert!(matches!(
        grown.grew_from(longer),
        Err(Breach::RolledBack { .. })
    ));
    assert!(matches!(
        grown.since(longer),
        Err(Breach::RolledBack { .. })
    ));
    // Another log's key opens nothing here.
    let other = Published::new(out.as_path(), fork.reader().verifier().clone());
    assert!(other.head().is_err());
}
