use super::*;
use std::path::Path;
use std::process::Command;
use terms::{Digest, KeystoreKind};

const STEPS: [Step; 5] = [
    Step::RootMade,
    Step::Written,
    Step::Switched,
    Step::OldRingDestroyed,
    Step::OldRootDestroyed,
];
/// Where the child of a test dies, and in which folder.
const DIES_AT: &str = "BONDED_TEST_DIES_AT";
const DIES_IN: &str = "BONDED_TEST_DIES_IN";

fn domain() -> (tempfile::TempDir, Keyring) {
    let dir = tempfile::tempdir().unwrap();
    let ring = Keyring::create(dir.path()).unwrap();
    for number in 1..=3 {
        ring.new_unit(&"a.b".parse().unwrap(), number).unwrap();
    }
    ring.recorded(8).unwrap();
    (dir, ring)
}

fn second() -> KeyName {
    "snapshot/a.b/2".parse().unwrap()
}

fn renewals() -> Vec<fn() -> Renewal<'static>> {
    fn destroying() -> Renewal<'static> {
        static SECOND: std::sync::LazyLock<[KeyName; 1]> = std::sync::LazyLock::new(|| [second()]);
        Renewal {
            without: &*SECOND,
            ..Renewal::of(Rotation::Storage)
        }
    }
    vec![
        || Renewal::of(Rotation::Root),
        || Renewal::of(Rotation::Storage),
        destroying,
    ]
}

fn files(dir: &Path) -> usize {
    let count = |dir: &Path| std::fs::read_dir(dir).unwrap().count();
    count(&dir.join("keys")) - 1 + count(&dir.join("keys/roots"))
}

/// All there or nothing: whatever broke off, the domain opens, with every key that should be there.
fn check(
    dir: &Path,
    before: &crate::KeyStatus,
    (rotation, is_destroying): (Rotation, bool),
    at: &str,
) {
    let ring = Keyring::open(dir).unwrap();
    let after = ring.status();
    let checks = |status: &crate::KeyStatus| -> Vec<Digest> {
        let kept = status.keys.iter();
        let kept = kept.filter(|(name, _)| !is_destroying || *name != second());
        kept.map(|(_, check)| *check).collect()
    };
    assert_eq!(checks(before), checks(&after), "{at}");
    let is_done = before.root != after.root;
    let is_new = is_done && rotation != Rotation::Root;
    assert_eq!(is_new, before.check != after.check, "{at}");
    assert_eq!(is_done, !ring.unrecorded().is_empty(), "{at}");
    let is_gone = ring.unit(&"a.b".parse().unwrap(), 2).is_err();
    assert_eq!(is_gone, is_done && is_destroying, "{at}");
    for number in [1, 3] {
        ring.unit(&"a.b".parse().unwrap(), number).unwrap();
    }
    // One ring, one root: nothing old is left once it was opened again.
    assert_eq!(files(dir), 2, "{at}");
}

#[test]
fn a_renewal_that_fails_at_any_step_is_done_or_not_begun() {
    for renewal in renewals() {
        for (at, step) in STEPS.into_iter().enumerate() {
            let (dir, ring) = domain();
            let before = ring.status();
            let what = (renewal().rotation, !renewal().without.is_empty());
            let mut fails = |now| {
                if now == step {
                    Err(Unkept::NoRandom)
                } else {
                    Ok(())
                }
            };
            assert!(ring.renew(renewal(), &mut fails).is_err());
            // The ring in memory goes on as the one on the disk would.
            let is_done = ring.status().root != before.root;
            assert_eq!(is_done, at >= 2, "{step:?}");
            ring.unit(&"a.b".parse().unwrap(), 1).unwrap();
            ring.new_unit(&"a.b".parse().unwrap(), 9).unwrap();
            ring.remove_unit(&"a.b".parse().unwrap(), 9).unwrap();
            drop(ring);
            check(dir.path(), &before, what, &format!("{step:?}"));
        }
    }
}

#[test]
fn a_process_killed_at_any_step_leaves_all_or_nothing() {
    for (which, renewal) in renewals().into_iter().enumerate() {
        for (at, step) in STEPS.into_iter().enumerate() {
            let (dir, ring) = domain();
            let before = ring.status();
            drop(ring);
            let child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "renew::tests::dies", "--ignored"])
                .env(DIES_AT, format!("{which} {at}"))
                .env(DIES_IN, dir.path())
                .output()
                .unwrap();
            assert!(!child.status.success(), "{step:?} was not reached");
            let what = (renewal().rotation, !renewal().without.is_empty());
            check(dir.path(), &before, what, &format!("{step:?}"));
        }
    }
}

#[test]
#[ignore = "the child of the test above: it dies"]
fn dies() {
    let at = std::env::var_os(DIES_AT).unwrap().into_string().unwrap();
    let (which, at) = at.split_once(' ').unwrap();
    let (which, at): (usize, usize) = (which.parse().unwrap(), at.parse().unwrap());
    let ring = Keyring::open(Path::new(&std::env::var_os(DIES_IN).unwrap())).unwrap();
    let mut dies = |now| {
        if now == STEPS[at] {
            std::process::abort();
        }
        Ok(())
    };
    ring.renew(renewals()[which](), &mut dies).unwrap();
}

#[test]
fn a_destroyed_key_opens_with_no_copy_of_the_ring_any_more() {
    let (dir, ring) = domain();
    let copy = dir.path().join("copy");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(dir.path().join("keys"))
        .arg(&copy)
        .status();
    assert!(copied.unwrap().success());
    ring.destroy(&[second()]).unwrap();
    drop(ring);
    // Last night's ring put back: its root key is not in the keystore any more.
    let keys = dir.path().join("keys");
    for (folder, back) in [(&keys, false), (&copy, true)] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_file() && back {
                std::fs::copy(entry.path(), keys.join(entry.file_name())).unwrap();
            } else if entry.path().is_file() {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
    }
    let cause = Keyring::open(dir.path()).unwrap_err();
    assert_eq!(cause.code(), "vault.no-such-key");
}

#[test]
fn tokens_noise_and_sealed_texts_outlive_every_rotation() {
    let (dir, ring) = domain();
    let care = "care".parse().unwrap();
    let (tokens, cells) = (ring.token_key(&care), ring.cell_key());
    let sealed = ring.seal("c", b"text").unwrap();
    ring.rotate_root().unwrap();
    ring.rotate_storage().unwrap();
    let passphrase = || {
        let cost = crate::Cost {
            memory_kib: 64,
            passes: 1,
        };
        let secret = zeroize::Zeroizing::new("correct horse battery".to_owned());
        Box::new(crate::Passphrase::new(dir.path(), secret, cost))
    };
    ring.move_to(passphrase()).unwrap();
    drop(ring);
    let wrong = Keyring::open(dir.path()).unwrap_err();
    assert_eq!(wrong.code(), "vault.other-keystore");
    let ring = Keyring::open_in(dir.path(), passphrase()).unwrap();
    assert_eq!(ring.status().keystore, KeystoreKind::Passphrase);
    assert_eq!(ring.status().storage, 3);
    assert_eq!((ring.token_key(&care), ring.cell_key()), (tokens, cells));
    assert_eq!(ring.unseal("c", &sealed).unwrap(), b"text");
    assert_eq!(files(dir.path()), 2);
}

#[test]
fn a_move_to_a_keystore_that_fails_changes_nothing() {
    let (dir, ring) = domain();
    let before = ring.status();
    let secret = zeroize::Zeroizing::new("short".to_owned());
    let short = crate::Passphrase::new(dir.path(), secret, crate::Cost::default());
    let cause = ring.move_to(Box::new(short)).unwrap_err();
    assert_eq!(cause.code(), "vault.secret-short");
    assert_eq!(ring.status(), before);
}

/// Units: keys. 10,000 of them; how long it took is printed.
#[test]
fn ten_thousand_keys_are_wrapped_anew_and_one_destroyed() {
    let dir = tempfile::tempdir().unwrap();
    let ring = Keyring::create(dir.path()).unwrap();
    {
        let mut state = ring.write();
        let storage = state.storage.clone();
        for number in 1..=10_000 {
            let dataset = "a.b".parse().unwrap();
            let name = KeyName::Snapshot { dataset, number };
            let key = Key::random().unwrap();
            state.ring.put(&name, &key, &storage).unwrap();
        }
    }
    let begun = std::time::Instant::now();
    ring.destroy(&[second()]).unwrap();
    let took = begun.elapsed();
    println!("10,000 keys wrapped anew in {} ms", took.as_millis());
    assert_eq!(ring.status().keys.len(), 10_003);
    let ring = Keyring::open(dir.path()).unwrap();
    assert!(ring.unit(&"a.b".parse().unwrap(), 2).is_err());
    ring.unit(&"a.b".parse().unwrap(), 10_000).unwrap();
}
