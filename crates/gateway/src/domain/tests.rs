//! Keys and the ledger: what becomes of one is on the other.

use super::*;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;

const PASSPHRASE: &str = "correct horse battery";

/// A new domain, in a keystore.
fn founded(dir: &Path, keystore: KeystoreKind) -> Result<Domain, Unopened> {
    let file = dir.with_extension("passphrase");
    std::fs::write(&file, PASSPHRASE).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let founding = Founding {
        name: &"d".parse().unwrap(),
        policies: None,
        manifest_algorithm: Algorithm::Ed25519,
        ledger_postgres: None,
        keystore,
        keystore_config: &KeystoreConfig {
            passphrase_file: Some(file),
            ..KeystoreConfig::default()
        },
        secrets: &Secrets::default(),
        now: now(),
    };
    Domain::create(dir, &founding)
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

/// The log, as far as it is of keys.
fn of_keys(domain: &Domain) -> Vec<String> {
    let events = domain.ledger.events(0).unwrap();
    let named = events.filter_map(|stored| {
        let event = stored.unwrap().event;
        let value = serde_json::to_value(&event).unwrap();
        let word = |key: &str| match &value[key] {
            Value::String(word) => format!(" {word}"),
            Value::Number(number) => format!(" {number}"),
            _ => String::new(),
        };
        let words = ["key", "rotation", "keystore", "storage"]
            .map(word)
            .concat();
        event
            .name()
            .starts_with("key")
            .then(|| format!("{}{words}", event.name()))
    });
    named.collect()
}

#[tokio::test]
async fn what_becomes_of_keys_is_on_record_once() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("domain");
    let domain = founded(&dir, KeystoreKind::Passphrase).unwrap();
    let created =
        ["storage/1", "tokens", "cells", "sealed", "backup"].map(|key| format!("key-created {key}"));
    domain.record_keys::<Unopened>().await.unwrap();
    domain.record_keys::<Unopened>().await.unwrap();
    assert_eq!(of_keys(&domain), created);
    let check = domain.keyring.status().check;
    domain.keyring.rotate_storage().unwrap();
    // A crash between the rotation and the ledger.
    drop(domain);
    let domain = opened(&dir).unwrap();
    domain.record_unlocking().await.unwrap();
    let after = [
        "keys-rotated storage passphrase 2",
        "key-destroyed storage/1",
        "keys-unlocked passphrase 2",
    ];
    assert_eq!(of_keys(&domain)[5..], after);
    // The destroyed key is the one that was created, and nothing in the log is a key.
    let events = domain.ledger.events(0).unwrap();
    let destroyed = events.filter_map(|stored| match stored.unwrap().event {
        Event::KeyDestroyed { check, .. } => Some(check),
        _ => None,
    });
    assert_eq!(destroyed.collect::<Vec<_>>(), [check]);
}

#[tokio::test]
async fn a_domain_opens_with_its_passphrase_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("domain");
    drop(founded(&dir, KeystoreKind::Passphrase).unwrap());
    std::fs::write(dir.with_extension("passphrase"), "wrong horse battery").unwrap();
    let cause = opened(&dir).unwrap_err().to_string();
    assert!(cause.starts_with("vault.wrong-secret"), "{cause}");
    std::fs::remove_file(dir.with_extension("passphrase")).unwrap();
    let cause = opened(&dir).unwrap_err().to_string();
    assert!(cause.starts_with("keystore.secret-unreadable"), "{cause}");
}

#[tokio::test]
async fn an_unprotected_root_is_served_in_a_pilot_or_by_decision_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("domain");
    let domain = founded(&dir, KeystoreKind::Unprotected).unwrap();
    let cause = domain.judge_keystore().unwrap_err().to_string();
    assert!(cause.starts_with("keystore.unprotected"), "{cause}");
    drop(domain);
    let config = dir.join(crate::config::FILE);
    let text = std::fs::read_to_string(&config).unwrap();
    let wanted = text.replace("danger_unprotected = false", "danger_unprotected = true");
    std::fs::write(&config, wanted).unwrap();
    opened(&dir).unwrap().judge_keystore().unwrap();
    std::fs::write(&config, text).unwrap();
    let domain = opened(&dir).unwrap();
    let pilot = serde_json::json!({"event": "domain-created", "name": "d", "title": "x",
        "default_schema": "city", "pilot": true, "thresholds": {"grade_two": 5, "grade_three": 10},
        "obligations": {"rows_max": 10, "result_bytes_max": 1000}});
    let pilot: Event = serde_json::from_value(pilot).unwrap();
    domain.ledger.append(&pilot, None, now()).await.unwrap();
    drop(domain);
    opened(&dir).unwrap().judge_keystore().unwrap();
}
