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
    let mut parts = 0;
    Listed::each_part(&kept.shelf, &mut |_| {
        parts += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(parts, 0);
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
    let key = kept.domain.keyring.backup_key().unwrap();
    let notes = kept.to().join("objects/notes.txt");
    std::fs::write(&notes, "somebody's").unwrap();
    let tidied = tidy((&kept.shelf, &key), (Some(2), None), &mut |_| Ok(()));
    assert_eq!(tidied.unwrap(), 2);
    // What has no object's name stays.
    assert!(notes.is_file());
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
    let listed = Listed::find(&kept.shelf, None, None).unwrap();
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
    // Its keys hang on a root of its own, and those they were copied of are as they were.
    let root = back.keyring.status().root;
    assert_ne!(root.owner(), kept.domain.keyring.status().root.owner());
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

/// The text of the newest list with another number, as whoever has no key can write it.
fn forged(kept: &Kept, number: u64) -> (PathBuf, String) {
    let newest = kept.shelf.names("backups").unwrap().pop().unwrap();
    let text = std::fs::read_to_string(kept.to().join(newest)).unwrap();
    let (line, sealed) = text.split_once('\n').unwrap();
    let mut header: serde_json::Value = serde_json::from_str(line).unwrap();
    header["size"] = json!(number);
    let path = kept.to().join(format!("backups/{number:020}.list"));
    (path, format!("{header}\n{sealed}"))
}

#[tokio::test]
async fn lists_of_whoever_has_no_key_make_no_backup_go_and_stop_none() {
    let kept = Kept::set().await;
    let first = kept.back_up().await.unwrap();
    // More of them than backups are kept, all newer.
    let lists: Vec<_> = (0..40).map(|n| forged(&kept, 9_000 + n)).collect();
    for (path, text) in &lists {
        std::fs::write(path, text).unwrap();
    }
    std::fs::write(kept.to().join("backups/00000000000000008000.list"), "{").unwrap();
    let foreign = lists[0].1.replace("\"log\":\"", "\"log\":\"x");
    let foreign = foreign.replace("9000", "7000");
    let at = kept.to().join("backups/00000000000000007000.list");
    std::fs::write(at, foreign).unwrap();
    let second = kept.back_up().await.unwrap();
    assert_eq!(second.removed, 0);
    assert_eq!(second.uncounted.len(), 42);
    let key = kept.domain.keyring.backup_key().unwrap();
    for number in [first.number, second.number] {
        let listed = Listed::find(&kept.shelf, Some(number), None).unwrap();
        verify(&kept.shelf, &listed, Some(&key), &mut |_| ()).unwrap();
    }
    // Nor do they make the newest one that is put back.
    let newest = Listed::find(&kept.shelf, None, Some(&key)).unwrap();
    assert_eq!(newest.header.size, second.number);
    let keys = kept.keys().await;
    let (_, restored) = kept.restore(&keys, ("back", None, false)).await.unwrap();
    assert_eq!(restored.size, second.number);
}

#[tokio::test]
async fn the_backup_just_taken_stays_and_no_object_goes_while_strange_lists_are_there() {
    let kept = Kept::set().await;
    for _ in 0..3 {
        kept.back_up().await.unwrap();
    }
    let key = kept.domain.keyring.backup_key().unwrap();
    let oldest = Listed::all(&kept.shelf).unwrap().remove(0);
    let (path, text) = forged(&kept, 9_000);
    std::fs::write(&path, text).unwrap();
    let before = kept.shelf.names("objects").unwrap();
    let tidied = tidy((&kept.shelf, &key), (Some(1), Some(&oldest)), &mut |_| {
        Ok(())
    });
    assert_eq!(tidied.unwrap(), 2);
    assert_eq!(kept.lists(), [oldest.header.size, 9_000]);
    assert_eq!(kept.shelf.names("objects").unwrap(), before);
    std::fs::remove_file(path).unwrap();
    tidy((&kept.shelf, &key), (Some(1), None), &mut |_| Ok(())).unwrap();
    assert_eq!(
        kept.shelf.names("objects").unwrap().len(),
        oldest.header.objects.len()
    );
}

#[tokio::test]
async fn a_list_or_an_object_without_end_is_not_read_to_its_end() {
    let kept = Kept::set().await;
    let made = kept.back_up().await.unwrap();
    let long = |path: &Path| {
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(path);
        file.unwrap().set_len(256 << 30).unwrap();
    };
    long(&kept.to().join("backups/00000000000000009000.list"));
    let next = kept.back_up().await.unwrap();
    assert_eq!(next.uncounted.len(), 1);
    assert_eq!(next.uncounted[0].code, "backup.too-long");
    let listed = Listed::find(&kept.shelf, Some(made.number), None).unwrap();
    let object = listed.header.objects.keys().next().unwrap().to_string();
    long(
        &kept
            .to()
            .join(format!("objects/{}/{object}", object.get(..2).unwrap())),
    );
    let found = verify(&kept.shelf, &listed, None, &mut |_| ());
    assert_eq!(found.unwrap_err().code(), "backup.changed");
}

#[tokio::test]
async fn an_object_that_was_changed_is_healed_by_removing_it_and_the_next_backup() {
    let kept = Kept::set().await;
    let made = kept.back_up().await.unwrap();
    let listed = Listed::find(&kept.shelf, None, None).unwrap();
    let snapshot = kept.domain.dir.join("data/city.open/2.parquet");
    let digest = Digest::of(&std::fs::read(snapshot).unwrap()).to_string();
    let path = kept
        .to()
        .join(format!("objects/{}/{digest}", digest.get(..2).unwrap()));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[7] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let found = verify(&kept.shelf, &listed, None, &mut |_| ()).unwrap_err();
    assert!(
        found.to_string().contains("remove it from the place"),
        "{found}"
    );
    std::fs::remove_file(&path).unwrap();
    let found = verify(&kept.shelf, &listed, None, &mut |_| ()).unwrap_err();
    assert_eq!(found.code(), "backup.missing");
    kept.back_up().await.unwrap();
    let whole = verify(&kept.shelf, &listed, None, &mut |_| ()).unwrap();
    assert_eq!(whole.size, made.number);
}

#[tokio::test]
async fn a_history_that_was_given_up_and_ours_have_a_place_each() {
    let kept = Kept::set().await;
    let first = kept.back_up().await.unwrap();
    kept.back_up().await.unwrap();
    let keys = kept.keys().await;
    let accepted = kept
        .restore(&keys, ("back", Some(first.number), true))
        .await;
    let (into, _) = accepted.unwrap();
    let back = Arc::new(opened(&into));
    let watch = || Box::new(|_| Ok(()));
    let refused = back.back_up(Some(&kept.to()), watch()).await.unwrap_err();
    assert_eq!(refused.code(), "backup.other-history");
    assert!(refused.to_string().contains("choose a new place"));
    let elsewhere = kept.stage.path().join("elsewhere");
    back.back_up(Some(&elsewhere), watch()).await.unwrap();
    // Both histories' backups are whole.
    assert_eq!(kept.lists().len(), 2);
    kept.back_up().await.unwrap();
}

#[tokio::test]
async fn the_log_goes_on_while_the_place_is_read() {
    let kept = Kept::set().await;
    kept.back_up().await.unwrap();
    let (path, text) = forged(&kept, 9_000);
    for old in std::fs::read_dir(kept.to().join("backups")).unwrap() {
        std::fs::remove_file(old.unwrap().path()).unwrap();
    }
    std::fs::write(path, text.replace("\"log\":\"", "\"log\":\"x")).unwrap();
    let upkeep = crate::upkeep::Upkeep::take_up(&kept.domain, Default::default(), now());
    let standing = upkeep.await.unwrap().standing;
    let held = Arc::clone(&standing).lock_owned().await;
    let to = kept.to();
    let backup = Backup {
        by: None,
        standing: Some(standing),
        to: Some(&to),
    };
    // It was judged, and the log was not waited for.
    let made = backup.make(&kept.domain, Box::new(|_| Ok(())));
    let made = tokio::time::timeout(std::time::Duration::from_secs(20), made).await;
    let refused = made.expect("it waits for the log first").unwrap_err();
    assert_eq!(refused.code(), "backup.foreign");
    drop(held);
}

#[tokio::test]
async fn no_link_in_the_domain_leads_a_backup_to_keys() {
    use std::os::unix::fs::symlink;
    let kept = Kept::set().await;
    let dir = &kept.domain.dir;
    let keys = dir.join("keys");
    std::fs::create_dir_all(dir.join("reports/2026")).unwrap();
    for (link, to) in [
        ("certificates", &keys),
        ("reports/2026/more", &keys),
        ("policies/x.cedar", &keys.join("ledger.key")),
        ("fees.toml", &keys.join("sealed.key")),
        ("people/ann", &keys),
    ] {
        let at = dir.join(link);
        assert!(!at.exists(), "{link}");
        symlink(to, &at).unwrap();
        let refused = kept.back_up().await.map(|made| made.number);
        assert_eq!(refused.unwrap_err().code(), "backup.not-plain", "{link}");
        std::fs::remove_file(at).unwrap();
    }
    for (folder, name) in [("policies", "policies"), ("people", "people"), ("ca", "ca")] {
        std::fs::rename(dir.join(folder), dir.join("aside")).unwrap();
        symlink("aside", dir.join(name)).unwrap();
        let refused = kept.back_up().await.map(|made| made.number);
        assert_eq!(refused.unwrap_err().code(), "backup.not-plain", "{folder}");
        std::fs::remove_file(dir.join(name)).unwrap();
        std::fs::rename(dir.join("aside"), dir.join(folder)).unwrap();
    }
    let pipe = dir.join("reports/pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let refused = kept.back_up().await.map(|made| made.number);
    assert_eq!(refused.unwrap_err().code(), "backup.not-plain");
    std::fs::remove_file(pipe).unwrap();
    assert!(kept.lists().is_empty());
    kept.back_up().await.unwrap();
}

#[tokio::test]
async fn a_copy_of_the_keys_among_the_reports_stops_the_backup() {
    let kept = Kept::set().await;
    let dir = &kept.domain.dir;
    std::fs::create_dir_all(dir.join("reports")).unwrap();
    let mut names = vec!["x.key".to_owned(), "somebody-key.pem".to_owned()];
    let root = kept.domain.keyring.status().root;
    names.push(format!("{root}.json"));
    for entry in std::fs::read_dir(dir.join("keys")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("ring.") || name.ends_with(".key") {
            names.push(name);
        }
    }
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        let at = dir.join("reports").join(&name);
        std::fs::write(&at, b"{}").unwrap();
        let refused = kept.back_up().await.map(|made| made.number);
        assert_eq!(refused.unwrap_err().code(), "backup.path", "{name}");
        std::fs::remove_file(at).unwrap();
    }
    kept.back_up().await.unwrap();
}

#[tokio::test]
async fn the_copy_of_the_register_goes_whatever_comes_in_between() {
    let kept = Kept::set().await;
    let copy = kept.domain.dir.join(belonging::REGISTER_COPY);
    let (seen, path) = (
        Arc::new(std::sync::atomic::AtomicBool::new(false)),
        copy.clone(),
    );
    let was_there = Arc::clone(&seen);
    let watch: BackupWatch = Box::new(move |_| {
        if path.exists() {
            was_there.store(true, std::sync::atomic::Ordering::Relaxed);
            return Err(Unbacked::Empty);
        }
        Ok(())
    });
    assert!(kept.domain.back_up(Some(&kept.to()), watch).await.is_err());
    assert!(seen.load(std::sync::atomic::Ordering::Relaxed));
    assert!(!copy.exists());
}

#[tokio::test]
async fn a_copy_of_the_keys_lies_outside_the_domain_and_whole_or_not_at_all() {
    let kept = Kept::set().await;
    let dir = kept.domain.dir.clone();
    std::os::unix::fs::symlink(&dir, kept.stage.path().join("link")).unwrap();
    let entries = kept.domain.ledger.size();
    for to in [
        dir.clone(),
        dir.join("reports/new"),
        kept.stage.path().join("link/policies"),
    ] {
        let refused = kept.domain.copy_keys(&to).await.unwrap_err();
        assert!(matches!(refused, Unopened::CopyWithin(_)), "{refused}");
    }
    assert_eq!(
        kept.domain.ledger.size(),
        entries,
        "nothing is on record of it"
    );
    let to = kept.stage.path().join("safe");
    // Something has the copy's name already.
    kept.domain.record_keys::<Unopened>().await.unwrap();
    let name = format!("keys-{}", kept.domain.ledger.size());
    std::fs::create_dir_all(to.join(&name).join("x")).unwrap();
    assert!(kept.domain.copy_keys(&to).await.is_err());
    assert_eq!(std::fs::read_dir(&to).unwrap().count(), 1);
}
