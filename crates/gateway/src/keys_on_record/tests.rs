use super::*;
use crate::stage::Stage;
use crate::{Domain, Secrets};
use std::path::Path;

/// A domain that is not served, whose keys are on record.
async fn domain() -> (tempfile::TempDir, std::path::PathBuf) {
    let Stage {
        gateway, folder, ..
    } = Stage::set().await;
    gateway.shutdown().await;
    let dir = gateway.domain.dir.clone();
    assert!(gateway.domain.keyring.unrecorded().is_empty());
    (folder, dir)
}

/// Opens, though a child that another test starts may hold every lock for a moment.
fn opened(dir: &Path) -> Result<Domain, Unopened> {
    loop {
        match Domain::open(dir, &Secrets::default()) {
            Err(Unopened::Ledger(Breach::Held { .. }) | Unopened::InUse(_)) => {}
            opened => return opened,
        }
    }
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("roots")).unwrap();
    for folder in ["", "roots"] {
        for entry in std::fs::read_dir(from.join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_file() {
                std::fs::copy(entry.path(), to.join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
}

/// Takes the ring and the root keys out of a folder of keys.
fn without_ring(keys: &Path) {
    std::fs::remove_dir_all(keys.join("roots")).unwrap();
    for entry in std::fs::read_dir(keys).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("ring.") {
            std::fs::remove_file(path).unwrap();
        }
    }
}

fn ring(keys: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(keys)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("ring."))
        .collect();
    names.sort();
    names
}

fn refused(dir: &Path) -> String {
    opened(dir).map_or_else(|why| why.to_string(), |_| "it opened".to_owned())
}

#[tokio::test]
async fn a_ring_of_somebody_else_does_not_open_the_domain() {
    let (folder, dir) = domain().await;
    let other = folder.path().join("other");
    let theirs = Keyring::create(&other).unwrap();
    without_ring(&dir.join("keys"));
    copied(&other.join("keys"), &dir.join("keys"));
    let told = refused(&dir);
    assert!(told.starts_with("keystore.not-on-record"), "{told}");
    // Nor where they sealed what stands, too.
    let sealed = theirs.seal("stands", b"{}").unwrap();
    std::fs::write(dir.join("stands.sealed"), sealed).unwrap();
    let told = refused(&dir);
    assert!(told.starts_with("keystore.not-on-record"), "{told}");
}

#[tokio::test]
async fn a_ring_from_before_a_rotation_does_not_open_the_domain_and_destroys_nothing() {
    let (folder, dir) = domain().await;
    let keys = dir.join("keys");
    let before = folder.path().join("before");
    copied(&keys, &before);
    let domain = opened(&dir).unwrap();
    domain.keyring.rotate_storage().unwrap();
    domain.record_keys::<Unopened>().await.unwrap();
    drop(domain);
    let after = ring(&keys);
    let number = |names: &[String]| -> u64 {
        let name = names.first().unwrap();
        name.split('.').nth(1).unwrap().parse().unwrap()
    };
    let now = number(&after);
    // It goes on by itself until its number and its version are higher than those that hold.
    let older = folder.path().join("older");
    copied(&before, &older.join("keys"));
    let old = Keyring::open(&older).unwrap();
    while number(&ring(&older.join("keys"))) <= now {
        old.rotate_root().unwrap();
    }
    old.rotate_storage().unwrap();
    old.rotate_storage().unwrap();
    assert_eq!(old.status().storage, 3);
    drop(old);
    copied(&older.join("keys"), &keys);
    let told = refused(&dir);
    assert!(told.starts_with("keystore.not-on-record"), "{told}");
    // The true ring is there still: without the other the domain opens.
    assert!(ring(&keys).contains(after.first().unwrap()));
    for name in ring(&keys) {
        if !after.contains(&name) {
            std::fs::remove_file(keys.join(name)).unwrap();
        }
    }
    opened(&dir).unwrap();
}

#[tokio::test]
async fn what_is_not_on_record_is_held_against_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::create(folder.path()).unwrap();
    let none = KeysOnRecord::default();
    none.judge(&keyring, Whose::Own).unwrap();
    none.judge(&keyring, Whose::Copied).unwrap();
}

#[tokio::test]
async fn what_a_snapshot_says_of_keys_is_believed_as_far_as_the_log_says_it() {
    let stage = Stage::set().await;
    let domain = &stage.gateway.domain;
    let mut said = KeysOnRecord::default();
    for stored in domain.ledger.events(0).unwrap() {
        said.apply(&stored.unwrap());
    }
    assert_eq!(said.fixed.len(), 4);
    assert!(said.is_of(&domain.ledger, &domain.keyring));
    let check = Digest::of(b"another");
    for key in said.fixed.keys().cloned().collect::<Vec<_>>() {
        let mut forged = said.clone();
        forged.fixed.get_mut(&key).unwrap().check = check;
        assert!(!forged.is_of(&domain.ledger, &domain.keyring), "{key}");
        let mut elsewhere = said.clone();
        elsewhere.fixed.get_mut(&key).unwrap().index = 0;
        assert!(!elsewhere.is_of(&domain.ledger, &domain.keyring), "{key}");
        let mut silent = said.clone();
        silent.fixed.remove(&key);
        assert!(!silent.is_of(&domain.ledger, &domain.keyring), "{key}");
    }
    let mut silent = said.clone();
    silent.storage = None;
    assert!(!silent.is_of(&domain.ledger, &domain.keyring));
    let mut forged = said;
    forged.storage.as_mut().unwrap().1.check = check;
    assert!(!forged.is_of(&domain.ledger, &domain.keyring));
}
