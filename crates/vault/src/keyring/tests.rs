use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::os::unix::fs::PermissionsExt;

fn ring() -> (tempfile::TempDir, Keyring) {
    let dir = tempfile::tempdir().unwrap();
    let ring = Keyring::create(dir.path()).unwrap();
    (dir, ring)
}

fn name() -> DatasetName {
    "gjj.account".parse().unwrap()
}

/// Every file beneath a folder, with its bytes.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    files
}

#[test]
fn keys_are_for_their_owner_alone() {
    let (dir, ring) = ring();
    ring.new_unit(&name(), 1).unwrap();
    let all = files(&dir.path().join("keys"));
    assert_eq!(all.len(), 2);
    for (path, _) in all {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn second_keys_are_refused() {
    let (dir, _) = ring();
    let cause = Keyring::create(dir.path()).unwrap_err();
    assert_eq!(cause.code(), "vault.keys-exist");
    let empty = tempfile::tempdir().unwrap();
    let cause = Keyring::open(empty.path()).unwrap_err();
    assert_eq!(cause.code(), "vault.keys-absent");
}

#[test]
fn a_ring_opened_again_is_the_same_ring() {
    let (dir, first) = ring();
    let again = Keyring::open(dir.path()).unwrap();
    let sealed = first.seal("ledger", b"select 1").unwrap();
    assert_eq!(again.unseal("ledger", &sealed).unwrap(), b"select 1");
    let scenario = "care".parse().unwrap();
    assert_eq!(first.token_key(&scenario), again.token_key(&scenario));
    assert_eq!(first.cell_key(), again.cell_key());
    assert_ne!(
        first.token_key(&scenario),
        first.token_key(&"roads".parse().unwrap())
    );
    assert_eq!(first.order_key(&scenario), again.order_key(&scenario));
    assert_ne!(
        first.order_key(&scenario),
        first.order_key(&"roads".parse().unwrap())
    );
    assert_ne!(first.order_key(&scenario), first.token_key(&scenario));
}

#[test]
fn a_changed_ring_is_refused_wherever_it_was_changed() {
    let (dir, ring) = ring();
    ring.new_unit(&name(), 1).unwrap();
    let keys = dir.path().join("keys");
    let (path, bytes) = files(&keys)
        .into_iter()
        .find(|(path, _)| path.starts_with(&keys) && path.extension().unwrap() == "json")
        .unwrap();
    for at in (0..bytes.len() - 1).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(Keyring::open(dir.path()).is_err(), "byte {at}");
        std::fs::write(&path, &bytes[..at]).unwrap();
        assert!(Keyring::open(dir.path()).is_err(), "cut at {at}");
    }
    std::fs::write(&path, &bytes).unwrap();
    Keyring::open(dir.path()).unwrap().unit(&name(), 1).unwrap();
}

#[test]
fn a_unit_key_opens_under_its_own_name_alone() {
    let (_dir, ring) = ring();
    let made = ring.new_unit(&name(), 1).unwrap();
    let again = ring.unit(&name(), 1).unwrap();
    assert_eq!(made.column_key("a"), again.column_key("a"));
    assert_ne!(made.column_key("a"), made.column_key("b"));
    let absent = ring.unit(&name(), 2).unwrap_err();
    assert_eq!(absent.code(), "vault.unit-absent");
    {
        let mut state = ring.write();
        let (one, two) = (snapshot(&name(), 1), snapshot(&name(), 2));
        let wrapped = state.ring.keys[&one].clone();
        state.ring.keys.insert(two, wrapped);
    }
    let foreign = ring.unit(&name(), 2).unwrap_err();
    assert_eq!(foreign.code(), "vault.unit-foreign");
}

#[test]
fn what_becomes_of_keys_waits_for_the_ledger_across_restarts() {
    let (dir, ring) = ring();
    let named = |ring: &Keyring| -> Vec<String> {
        let events = ring.unrecorded();
        let text = |event: &Event| {
            let value = serde_json::to_value(event).unwrap();
            format!(
                "{} {}",
                event.name(),
                value["key"].as_str().unwrap_or_default()
            )
        };
        events.iter().map(text).collect()
    };
    let created = ["storage/1", "tokens", "cells", "sealed", "backup"]
        .map(|key| format!("key-created {key}"));
    assert_eq!(named(&ring), created);
    ring.recorded(5).unwrap();
    ring.new_unit(&name(), 1).unwrap();
    drop(ring);
    let ring = Keyring::open(dir.path()).unwrap();
    assert_eq!(named(&ring), ["key-created snapshot/gjj.account/1"]);
    // A key that the ledger never knew goes unsaid; one that it knew does not.
    ring.remove_unit(&name(), 1).unwrap();
    assert!(named(&ring).is_empty());
    ring.new_unit(&name(), 1).unwrap();
    ring.recorded(1).unwrap();
    ring.remove_unit(&name(), 1).unwrap();
    assert_eq!(named(&ring), ["key-destroyed snapshot/gjj.account/1"]);
}

#[test]
fn sealed_bytes_open_only_whole_and_in_their_context() {
    let (_dir, ring) = ring();
    let sealed = ring.seal("ledger", b"text").unwrap();
    assert_ne!(sealed, ring.seal("ledger", b"text").unwrap());
    assert!(ring.unseal("people", &sealed).is_err());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(ring.unseal("ledger", &changed).is_err(), "byte {at}");
        assert!(ring.unseal("ledger", &sealed[..at]).is_err(), "cut at {at}");
    }
}

/// The folder of a domain as it was made before there was a ring.
fn old_domain() -> (tempfile::TempDir, Key, Key) {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    private_file::create_dir(&keys.join("units")).unwrap();
    let (root, unit) = (Key::random().unwrap(), Key::random().unwrap());
    private_file::write_new(&keys.join("root.key"), root.bytes()).unwrap();
    let wrapping = root.derive("wrap", b"units");
    let context = b"bonded unit v1\ngjj.account\n3\n";
    let wrapped = crate::sealing::wrap(&wrapping, context, &unit).unwrap();
    let file = serde_json::json!({"v": 1, "algorithm": "AES-256-GCM", "dataset": "gjj.account",
        "snapshot": 3, "wrapped": STANDARD.encode(wrapped), "check": unit.check()});
    let path = keys.join("units/gjj.account.3.json");
    private_file::write_new(&path, file.to_string().as_bytes()).unwrap();
    (dir, root, unit)
}

#[test]
fn a_domain_from_before_the_ring_opens_with_the_same_keys() {
    let (dir, root, unit) = old_domain();
    assert_eq!(
        Keyring::kept_in(dir.path()).unwrap(),
        KeystoreKind::Unprotected
    );
    for _ in 0..2 {
        let ring = Keyring::open(dir.path()).unwrap();
        assert_eq!(
            ring.token_key(&"care".parse().unwrap()),
            root.derive("token", b"care")
        );
        assert_eq!(ring.cell_key(), root.derive("cell", b""));
        let opened = ring.unit(&name(), 3).unwrap();
        assert_eq!(opened.footer_key(), Unit::new(unit.clone()).footer_key());
        let mut text = b"old text".to_vec();
        let (salt, nonce) = ([5; SALT_BYTES], [6; NONCE_BYTES]);
        encrypt(&root.derive("seal", &salt), &nonce, b"ledger", &mut text).unwrap();
        let sealed = [&[SEAL_VERSION][..], &salt, &nonce, &text].concat();
        assert_eq!(ring.unseal("ledger", &sealed).unwrap(), b"old text");
        ring.rotate_storage().unwrap();
    }
    // Nothing under the old root is left.
    let left = files(&dir.path().join("keys"));
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|(_, bytes)| bytes != root.bytes()));
}

#[test]
fn a_domain_from_before_the_ring_with_a_broken_key_is_left_as_it_was() {
    let (dir, _, _) = old_domain();
    let path = dir.path().join("keys/units/gjj.account.3.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"snapshot\":3", "\"snapshot\":4")).unwrap();
    let cause = Keyring::open(dir.path()).unwrap_err();
    assert_eq!(cause.code(), "vault.unit-broken");
    assert!(dir.path().join("keys/root.key").exists());
    std::fs::write(&path, text).unwrap();
    Keyring::open(dir.path()).unwrap().unit(&name(), 3).unwrap();
}

/// The ring's file, and which generation it is.
fn ring_file(dir: &Path) -> (PathBuf, u64) {
    let stored = Stored::newest(&dir.join("keys")).unwrap().unwrap();
    let path = format!("keys/ring.{}.json", stored.generation);
    (dir.join(path), stored.generation)
}

#[test]
fn an_older_ring_does_not_hold_under_a_higher_number() {
    let (dir, ring) = ring();
    let (older, _) = ring_file(dir.path());
    let older = std::fs::read(older).unwrap();
    ring.new_unit(&name(), 1).unwrap();
    drop(ring);
    let keys = dir.path().join("keys");
    std::fs::write(keys.join("ring.99.json"), older).unwrap();
    let cause = Keyring::open(dir.path()).unwrap_err();
    assert_eq!(cause.code(), "vault.ring-broken");
    // Nothing was destroyed for it.
    std::fs::remove_file(keys.join("ring.99.json")).unwrap();
    Keyring::open(dir.path()).unwrap().unit(&name(), 1).unwrap();
}

/// Writes a ring as it was written before it said its number.
fn write_older_form(dir: &Path, ring: &Keyring) {
    let (path, _) = ring_file(dir);
    let state = ring.read();
    let mut text = serde_json::to_value(&state.ring).unwrap();
    let members = text.as_object_mut().unwrap();
    members.remove("generation");
    members.insert("v".to_owned(), 1.into());
    let text = text.to_string();
    let key = ::ring::hmac::Key::new(
        ::ring::hmac::HMAC_SHA256,
        state.storage.derive("ring", b"").bytes(),
    );
    let tag = hex::encode(::ring::hmac::sign(&key, text.as_bytes()));
    std::fs::write(path, format!("{text}\n{tag}\n")).unwrap();
}

#[test]
fn a_ring_of_the_older_form_is_read_once_and_no_other_of_it_opens_then() {
    let (dir, ring) = ring();
    ring.new_unit(&name(), 1).unwrap();
    let footer = ring.unit(&name(), 1).unwrap().footer_key();
    write_older_form(dir.path(), &ring);
    drop(ring);
    let (path, generation) = ring_file(dir.path());
    let older = std::fs::read(&path).unwrap();
    let ring = Keyring::open(dir.path()).unwrap();
    assert_eq!(ring.unit(&name(), 1).unwrap().footer_key(), footer);
    assert_eq!(ring.status().storage, 2);
    drop(ring);
    assert!(!path.exists());
    let (_, now) = ring_file(dir.path());
    assert!(now > generation);
    let again = dir.path().join(format!("keys/ring.{}.json", now + 1));
    std::fs::write(&again, older).unwrap();
    let cause = Keyring::open(dir.path()).unwrap_err();
    assert_eq!(cause.code(), "vault.no-such-key");
}
