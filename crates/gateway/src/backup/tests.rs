//! A backup is one list or none, holds what the log says and no key, and comes back as it was.

use super::*;
use crate::stage::{Stage, event};
use crate::{KeystoreConfig, Restored, Restoring, Secrets, Unopened, Unrestored};
use backup::{Folder, verify};
use serde_json::json;
use std::path::PathBuf;
use std::process::Command;

const STEPS: [Step; 8] = [
    // The first object, whatever it is.
    Step::Object {
        bytes: 0,
        is_new: true,
    },
    Step::Copied,
    Step::ListWritten,
    Step::Recorded,
    Step::Held,
    Step::OldRemoved,
    Step::Swept,
    // And the last before the list.
    Step::Object {
        bytes: 1,
        is_new: true,
    },
];
const DIES_AT: &str = "BONDED_TEST_DIES_AT";
const DIES_IN: &str = "BONDED_TEST_DIES_IN";
/// Objects of the small domain below, at least.
const OBJECTS_MIN: u64 = 5;

/// A domain that is not served, with one stored snapshot, and where its backups go.
struct Kept {
    stage: tempfile::TempDir,
    domain: Arc<Domain>,
    shelf: Folder,
}

/// Opens, though a child that another test starts may hold every lock for a moment.
fn opened(dir: &Path) -> Domain {
    loop {
        match Domain::open(dir, &Secrets::default()) {
            Err(Unopened::Ledger(ledger::Breach::Held { .. }) | Unopened::InUse(_)) => {}
            opened => return opened.unwrap(),
        }
    }
}

async fn loaded(domain: &Domain, folder: &Path, number: u32) {
    let data = folder.join("in.csv");
    std::fs::write(&data, "code\nCANARY-a\nCANARY-b\n").unwrap();
    let name: DatasetName = "city.open".parse().unwrap();
    let dataset = domain.live.read().state.dataset(&name).cloned().unwrap();
    let snapshot = domain.store.ingest(&dataset, &data, number, &mut |_| ());
    domain.record_keys::<Unbacked>().await.unwrap();
    let snapshot = serde_json::to_value(snapshot.unwrap()).unwrap();
    let loaded = json!({"event": "dataset-loaded", "by": "dora", "snapshot": snapshot});
    let appended = domain.ledger.append(&event(loaded), None, now()).await;
    appended.unwrap();
}

impl Kept {
    async fn set() -> Self {
        let Stage {
            gateway, folder, ..
        } = Stage::set().await;
        gateway.shutdown().await;
        drop(gateway);
        let domain = opened(&folder.path().join("domain"));
        loaded(&domain, folder.path(), 2).await;
        Self {
            shelf: Folder::new(&folder.path().join("shelf")),
            domain: Arc::new(domain),
            stage: folder,
        }
    }

    fn to(&self) -> PathBuf {
        self.stage.path().join("shelf")
    }

    async fn back_up(&self) -> Result<BackedUp, Unbacked> {
        let watch = Box::new(|_| Ok(()));
        self.domain.back_up(Some(&self.to()), watch).await
    }

    async fn keys(&self) -> PathBuf {
        let to = self.stage.path().join("safe");
        std::fs::create_dir_all(&to).unwrap();
        self.domain.copy_keys(&to).await.unwrap().1
    }

    async fn restore(
        &self,
        keys: &Path,
        (name, number, danger_accept_rollback): (&str, Option<u64>, bool),
    ) -> Result<(PathBuf, Restored), Unrestored> {
        let into = self.stage.path().join(name);
        let restoring = Restoring {
            from: &self.shelf,
            number,
            keys,
            into: &into,
            keystore: &KeystoreConfig::default(),
            secrets: &Secrets::default(),
            danger_accept_rollback,
        };
        let restored = restoring.restore(&mut |_| Ok(()))?;
        Ok((into, restored))
    }

    fn lists(&self) -> Vec<u64> {
        let all = Listed::all(&self.shelf).unwrap();
        all.iter().map(|listed| listed.header.size).collect()
    }
}

fn on_record(domain: &Domain) -> Vec<(u64, Digest)> {
    let events = domain.ledger.events(0).unwrap();
    let made = events.filter_map(|stored| match stored.unwrap().event {
        Event::BackupMade { size, backup, .. } => Some((size, backup)),
        _ => None,
    });
    made.collect()
}

/// Bytes of every file beneath a folder.
fn bytes(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() {
            bytes(&path)
        } else {
            std::fs::read(&path).unwrap()
        });
    }
    all
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle)
}

/// A watch that does something at one step.
fn at_step(at: usize, act: fn() -> Result<(), Unbacked>) -> BackupWatch {
    let mut objects = 0;
    Box::new(move |step| {
        let is_there = match (STEPS[at], step) {
            (Step::Object { bytes, .. }, Step::Object { .. }) => {
                objects += 1;
                objects == if bytes == 0 { 1 } else { OBJECTS_MIN }
            }
            (wanted, step) => wanted == step,
        };
        if is_there { act() } else { Ok(()) }
    })
}

/// After a backup that broke off at a step: all of it or nothing, and the next is whole.
async fn check(kept: &Kept, before: &[u64], at: usize) {
    let is_on_record = matches!(
        STEPS[at],
        Step::Recorded | Step::Held | Step::OldRemoved | Step::Swept
    );
    let lists = kept.lists();
    let counts = usize::from(!matches!(STEPS[at], Step::Recorded) && is_on_record);
    assert_eq!(lists.len(), before.len() + counts, "{at}");
    assert!(lists.starts_with(before));
    let record = on_record(&kept.domain);
    assert_eq!(record.len(), before.len() + usize::from(is_on_record));
    let next = kept.back_up().await.unwrap();
    // What was on record counts, what was not is gone.
    let lists = Listed::all(&kept.shelf).unwrap();
    let listed: Vec<_> = lists.iter().map(|l| (l.header.size, l.digest)).collect();
    assert_eq!(listed, on_record(&kept.domain), "{at}");
    assert_eq!(listed.last(), Some(&(next.number, next.backup)));
    assert!(Listed::parts(&kept.shelf).unwrap().is_empty());
    let key = kept.domain.keyring.backup_key().unwrap();
    for listed in &lists {
        verify(&kept.shelf, listed, Some(&key), &mut |_| ()).unwrap();
    }
    let named: std::collections::BTreeSet<_> =
        lists.iter().flat_map(|l| l.header.objects.keys()).collect();
    assert_eq!(kept.shelf.names("objects").unwrap().len(), named.len());
}

#[tokio::test]
async fn an_error_at_any_step_leaves_a_backup_or_none() {
    for at in 0..STEPS.len() {
        let kept = Kept::set().await;
        let first = kept.back_up().await.unwrap();
        loaded(&kept.domain, kept.stage.path(), 3).await;
        let failing = at_step(at, || Err(Unbacked::Empty));
        let failed = kept.domain.back_up(Some(&kept.to()), failing).await;
        assert!(failed.is_err(), "{at}");
        check(&kept, &[first.number], at).await;
    }
}

#[tokio::test]
async fn a_process_killed_at_any_step_leaves_a_backup_or_none() {
    for at in 0..STEPS.len() {
        let Kept {
            stage,
            domain,
            shelf,
        } = Kept::set().await;
        let watch = Box::new(|_| Ok(()));
        let to = stage.path().join("shelf");
        let first = domain.back_up(Some(&to), watch).await.unwrap();
        loaded(&domain, stage.path(), 3).await;
        drop(domain);
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "backup::tests::dies", "--ignored"])
            .env(DIES_AT, at.to_string())
            .env(DIES_IN, stage.path())
            .output()
            .unwrap();
        assert!(!child.status.success(), "{at} was not reached");
        let domain = Arc::new(opened(&stage.path().join("domain")));
        let kept = Kept {
            stage,
            domain,
            shelf,
        };
        check(&kept, &[first.number], at).await;
    }
}

#[tokio::test]
#[ignore = "the child of the test above: it dies"]
async fn dies() {
    let at = std::env::var_os(DIES_AT).unwrap().into_string().unwrap();
    let folder = PathBuf::from(std::env::var_os(DIES_IN).unwrap());
    let domain = Arc::new(opened(&folder.join("domain")));
    let watch = at_step(at.parse().unwrap(), || std::process::abort());
    let to = folder.join("shelf");
    domain.back_up(Some(&to), watch).await.unwrap();
}

#[tokio::test]
async fn a_second_backup_copies_only_what_is_new() {
    let kept = Kept::set().await;
    let first = kept.back_up().await.unwrap();
    assert_eq!(first.bytes_new, first.bytes);
    let second = kept.back_up().await.unwrap();
    let snapshot = kept.domain.dir.join("data/city.open/2.parquet");
    let snapshot = std::fs::metadata(snapshot).unwrap().len();
    // The log grew by an entry: its last piece is another, and what is stored is not copied again.
    assert!(second.bytes_new < first.bytes - snapshot, "{second:?}");
    assert_eq!(on_record(&kept.domain).len(), 2);
}

#[tokio::test]
async fn older_backups_go_and_the_objects_with_them() {
    let kept = Kept::set().await;
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(kept.back_up().await.unwrap().number);
    }
    assert_eq!(kept.lists(), made);
    assert_eq!(tidy(&kept.shelf, Some(2), &mut |_| Ok(())).unwrap(), 2);
    assert_eq!(kept.lists(), made[2..]);
    for listed in Listed::all(&kept.shelf).unwrap() {
        verify(&kept.shelf, &listed, None, &mut |_| ()).unwrap();
    }
}

#[tokio::test]
async fn a_backup_holds_no_key_and_nothing_that_can_be_read() {
    let kept = Kept::set().await;
    std::fs::create_dir_all(kept.domain.dir.join("inbox")).unwrap();
    std::fs::write(kept.domain.dir.join("inbox/x.csv"), "CANARY-inbox").unwrap();
    std::fs::write(
        kept.domain.dir.join("policies/own.cedar"),
        "// CANARY-policy",
    )
    .unwrap();
    kept.back_up().await.unwrap();
    let all = bytes(&kept.to());
    for canary in [
        "CANARY",
        "city.open",
        "citizen",
        "PRIVATE",
        "dataset-loaded",
    ] {
        assert!(!contains(&all, canary.as_bytes()), "{canary}");
    }
    let mut keys = 0;
    for name in ["ledger.key", "sealed.key", "manifest.key"] {
        let key = std::fs::read(kept.domain.dir.join("keys").join(name)).unwrap();
        for part in key.windows(16).step_by(5) {
            assert!(!contains(&all, part), "{name}");
            keys += 1;
        }
    }
    assert!(keys > 20);
    // And opened, no key's name either.
    let listed = Listed::find(&kept.shelf, None).unwrap();
    let key = kept.domain.keyring.backup_key().unwrap();
    for file in listed.open(&key).unwrap().files() {
        let path = &file.path;
        assert!(!path.starts_with("keys") && !path.contains("key"), "{path}");
        assert!(!path.starts_with("inbox"), "{path}");
    }
}

#[tokio::test]
async fn a_key_among_the_policies_stops_the_backup() {
    let kept = Kept::set().await;
    let pem = "-----BEGIN EC PRIVATE KEY-----";
    std::fs::write(kept.domain.dir.join("policies/x.pem"), pem).unwrap();
    let cause = kept.back_up().await.unwrap_err();
    assert_eq!(cause.code(), "backup.path");
    assert!(kept.lists().is_empty());
}

#[tokio::test]
async fn a_stored_file_that_is_not_on_record_stops_the_backup() {
    let kept = Kept::set().await;
    let path = kept.domain.dir.join("data/city.open/2.parquet");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let cause = kept.back_up().await.unwrap_err();
    assert_eq!(cause.code(), "backup.not-on-record");
    std::fs::remove_file(&path).unwrap();
    let cause = kept.back_up().await.unwrap_err();
    assert_eq!(cause.code(), "backup.not-on-record");
    assert!(kept.lists().is_empty());
}

#[tokio::test]
async fn a_shelf_of_another_domain_is_refused() {
    let kept = Kept::set().await;
    kept.back_up().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let other = crate::Founding {
        name: &"other".parse().unwrap(),
        policies: None,
        manifest_algorithm: manifest::Algorithm::Ed25519,
        ledger_postgres: None,
        keystore: terms::KeystoreKind::Unprotected,
        keystore_config: &KeystoreConfig::default(),
        secrets: &Secrets::default(),
        now: now(),
    };
    let other = Domain::create(&folder.path().join("domain"), &other).unwrap();
    let watch = Box::new(|_| Ok(()));
    let refused = Arc::new(other).back_up(Some(&kept.to()), watch).await;
    assert_eq!(refused.unwrap_err().code(), "backup.foreign");
}

#[tokio::test]
async fn a_domain_comes_back_as_it_was_and_says_so() {
    let kept = Kept::set().await;
    let made = kept.back_up().await.unwrap();
    let keys = kept.keys().await;
    let (into, restored) = kept.restore(&keys, ("back", None, false)).await.unwrap();
    assert_eq!((restored.size, restored.backup), (made.number, made.backup));
    // The stage's first snapshot is on record alone.
    assert_eq!(restored.unopened.len(), 1);
    let back = opened(&into);
    let before = kept.domain.ledger.reader().root(made.number).unwrap();
    assert_eq!(back.ledger.root(made.number).unwrap(), before);
    let last = back.ledger.events(restored.index).unwrap().next();
    let Event::DomainRestored { size, unopened, .. } = last.unwrap().unwrap().event else {
        panic!("the restored log does not say so");
    };
    assert_eq!((size, unopened), (made.number, 1));
    let name = "city.open".parse().unwrap();
    let source = back
        .store
        .source(&name, 2, &["code".parse().unwrap()])
        .unwrap();
    assert_eq!(back.store.extent(&source).unwrap().rows, 2);
    // Once more into the same folder is refused, and so is a part that is nobody's.
    let again = kept.restore(&keys, ("back", None, false)).await;
    assert!(matches!(again, Err(Unrestored::NotEmpty(_))));
    std::fs::create_dir(kept.stage.path().join("third.part")).unwrap();
    let part = kept.restore(&keys, ("third", None, false)).await;
    assert!(matches!(part, Err(Unrestored::NotEmpty(_))));
}

#[tokio::test]
async fn a_log_known_to_be_longer_comes_back_where_that_is_accepted_alone() {
    let kept = Kept::set().await;
    let (first, second) = (kept.back_up().await.unwrap(), kept.back_up().await.unwrap());
    let keys = kept.keys().await;
    let refused = kept
        .restore(&keys, ("back", Some(first.number), false))
        .await;
    assert!(matches!(
        refused,
        Err(Unrestored::RolledBack { size, known }) if (size, known) == (first.number, second.number)
    ));
    assert!(!kept.stage.path().join("back").exists());
    let accepted = kept
        .restore(&keys, ("back", Some(first.number), true))
        .await;
    let (_, restored) = accepted.unwrap();
    assert_eq!(restored.rolled_back_from, Some(second.number));
}

#[tokio::test]
async fn what_was_destroyed_does_not_come_back() {
    let kept = Kept::set().await;
    kept.back_up().await.unwrap();
    let name: DatasetName = "city.open".parse().unwrap();
    kept.domain.store.destroy(&name, 2).unwrap();
    let keys = kept.keys().await;
    let (into, restored) = kept.restore(&keys, ("back", None, false)).await.unwrap();
    assert_eq!(restored.unopened.len(), 2);
    // The ciphertext is there, and nothing opens it.
    assert!(into.join("data/city.open/2.parquet").is_file());
    let cause = opened(&into).store.source(&name, 2, &[]).unwrap_err();
    assert_eq!(cause.code(), "vault.unit-absent");
}

#[tokio::test]
async fn a_changed_object_or_list_is_not_put_back() {
    let kept = Kept::set().await;
    kept.back_up().await.unwrap();
    let keys = kept.keys().await;
    let files = [kept.shelf.names("objects"), kept.shelf.names("backups")];
    let files: Vec<String> = files.into_iter().flat_map(Result::unwrap).collect();
    assert!(files.len() > 5);
    for (at, name) in files.iter().enumerate() {
        let path = kept.to().join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        std::fs::write(&path, changed).unwrap();
        let into = format!("back-{at}");
        let put = kept.restore(&keys, (&into, None, false)).await;
        assert!(put.is_err(), "{name}");
        assert!(!kept.stage.path().join(&into).exists());
        std::fs::write(&path, whole).unwrap();
    }
    // What a restore that broke off left is begun anew.
    kept.restore(&keys, ("back-0", None, false)).await.unwrap();
}
