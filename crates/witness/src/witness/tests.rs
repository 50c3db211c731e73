use super::*;
use crate::{Cosigned, Outcome, Policy, Publisher, Submitter};
use chrono::DateTime;
use ledger::{Ledger, SystemClock};
use std::time::Duration;
use terms::Event;

/// A domain's log beside a witness that watches it.
struct Pair {
    domain: tempfile::TempDir,
    ledger: Ledger,
    witness_dir: tempfile::TempDir,
    witness: Arc<Witness>,
}

fn grow(ledger: &Ledger, entries: u64) {
    let at = DateTime::from_timestamp(1_795_262_400, 0).unwrap();
    for calls in 0..entries {
        let event = Event::StrangersCounted { calls };
        ledger.append(&event, None, at).wait().unwrap();
    }
}

fn pair() -> Pair {
    let domain = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let ledger = Ledger::create(domain.path(), &"yuecheng".parse().unwrap(), clock.clone());
    let ledger = ledger.unwrap();
    let witness_dir = tempfile::tempdir().unwrap();
    let witness = Witness::create(witness_dir.path(), "regulator.example/w", clock).unwrap();
    witness.watch(ledger.reader().verifier().clone()).unwrap();
    Pair {
        domain,
        ledger,
        witness_dir,
        witness: Arc::new(witness),
    }
}

impl Pair {
    fn request(&self, old: u64) -> Request {
        let (checkpoint, note) = self.ledger.head().unwrap();
        let size = checkpoint.head.size;
        let path = match old {
            0 => Vec::new(),
            old => self.ledger.reader().prove_consistency(old, size).unwrap(),
        };
        Request {
            old,
            path,
            checkpoint: note,
        }
    }

    fn ask(&self, request: &Request) -> Result<String, Refusal> {
        self.witness.add_checkpoint(&request.to_string())
    }

    /// The same log with the same keys, from a copy made now.
    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        for folder in ["ledger", "keys"] {
            std::fs::create_dir(copy.path().join(folder)).unwrap();
            for entry in std::fs::read_dir(self.domain.path().join(folder)).unwrap() {
                let from = entry.unwrap().path();
                if from.is_file() {
                    let to = copy.path().join(folder).join(from.file_name().unwrap());
                    std::fs::copy(&from, to).unwrap();
                }
            }
        }
        copy
    }

    fn publisher(&self, address: Option<&str>) -> Publisher {
        publisher(&self.ledger, self.domain.path(), &self.witness, address)
    }
}

fn publisher(ledger: &Ledger, dir: &Path, witness: &Witness, address: Option<&str>) -> Publisher {
    let policy: Policy = format!(
        "witness regulator {} {}\nquorum regulator\n",
        witness.cosigner(),
        address.unwrap_or_default()
    )
    .parse()
    .unwrap();
    let log = ledger.reader().verifier().clone();
    let cosigned = Arc::new(Cosigned::open(dir, log, policy).unwrap());
    let submitter = Submitter::new(None, Duration::from_secs(20)).unwrap();
    Publisher::new(Arc::clone(ledger.reader()), cosigned, submitter)
}

#[test]
fn what_continues_the_record_is_cosigned() {
    let pair = pair();
    let mut old = 0;
    for _ in 0..20 {
        grow(&pair.ledger, 3);
        let request = pair.request(old);
        let line = pair.ask(&request).unwrap();
        let note = format!("{}{line}", request.checkpoint);
        assert!(pair.witness.cosigner().cosigned(&note).unwrap().is_some());
        old += 3;
    }
    assert_eq!(pair.witness.watched()[0].size, old);
}

#[test]
fn the_same_checkpoint_is_cosigned_again() {
    let pair = pair();
    grow(&pair.ledger, 3);
    pair.ask(&pair.request(0)).unwrap();
    pair.ask(&pair.request(3)).unwrap();
}

#[test]
fn the_record_survives_the_process() {
    let mut pair = pair();
    grow(&pair.ledger, 5);
    pair.ask(&pair.request(0)).unwrap();
    let held = pair.witness.watched();
    pair.witness = Arc::new(
        // The folder is held until the last handle goes.
        {
            let dir = pair.witness_dir.path();
            let clock = Arc::new(SystemClock);
            assert!(matches!(
                Witness::open(dir, clock.clone()),
                Err(Unwitnessed::InUse { .. })
            ));
            let other = tempfile::tempdir().unwrap();
            let spare = Witness::create(other.path(), "spare.example/w", clock.clone()).unwrap();
            drop(std::mem::replace(&mut pair.witness, Arc::new(spare)));
            Witness::open(dir, clock).unwrap()
        },
    );
    assert_eq!(pair.witness.watched(), held);
    assert_eq!(
        pair.ask(&pair.request(0)),
        Err(Refusal::OtherSize { size: 5 })
    );
}

#[test]
fn a_request_from_another_size_is_told_the_size() {
    let pair = pair();
    grow(&pair.ledger, 5);
    pair.ask(&pair.request(0)).unwrap();
    grow(&pair.ledger, 5);
    for old in [0, 1, 4, 6, 10] {
        assert_eq!(
            pair.ask(&pair.request(old)),
            Err(Refusal::OtherSize { size: 5 }),
            "{old}"
        );
    }
    pair.ask(&pair.request(5)).unwrap();
}

#[test]
fn a_log_rolled_back_is_not_cosigned() {
    let pair = pair();
    grow(&pair.ledger, 3);
    let earlier = pair.request(0);
    grow(&pair.ledger, 3);
    pair.ask(&pair.request(0)).unwrap();
    assert_eq!(pair.ask(&earlier), Err(Refusal::OtherSize { size: 6 }));
    let later = Request { old: 6, ..earlier };
    assert!(matches!(pair.ask(&later), Err(Refusal::Malformed(_))));
}

#[test]
fn a_fork_under_the_logs_own_key_is_refused_and_kept_as_evidence() {
    let pair = pair();
    grow(&pair.ledger, 3);
    let copy = pair.copy();
    grow(&pair.ledger, 4);
    pair.ask(&pair.request(0)).unwrap();
    let fork = Ledger::open(copy.path(), Arc::new(SystemClock)).unwrap();
    let at = DateTime::from_timestamp(1_795_262_499, 0).unwrap();
    for calls in 0..4 {
        let event = Event::StrangersCounted { calls };
        fork.append(&event, None, at).wait().unwrap();
    }
    // The same size with another root.
    let same = Request {
        old: 7,
        path: Vec::new(),
        checkpoint: fork.head().unwrap().1,
    };
    assert_eq!(pair.ask(&same), Err(Refusal::Forked { size: 7 }));
    // A larger size whose proof is that of the fork.
    grow(&fork, 4);
    let larger = Request {
        old: 7,
        path: fork.reader().prove_consistency(7, 11).unwrap(),
        checkpoint: fork.head().unwrap().1,
    };
    assert_eq!(pair.ask(&larger), Err(Refusal::Inconsistent { size: 7 }));
    let watched = pair.witness.watched();
    assert_eq!((watched[0].size, watched[0].evidence), (7, 2));
    // The true history goes on.
    grow(&pair.ledger, 1);
    pair.ask(&pair.request(7)).unwrap();
}

#[test]
fn a_log_that_is_not_watched_and_a_signature_that_is_not_its_own_are_refused() {
    let (ours, theirs) = (pair(), pair());
    grow(&ours.ledger, 3);
    // Both logs have one name and two keys.
    assert_eq!(theirs.ask(&ours.request(0)), Err(Refusal::Unsigned));
    let mut renamed = ours.request(0);
    renamed.checkpoint = renamed.checkpoint.replace("yuecheng", "elsewhere");
    assert_eq!(
        ours.ask(&renamed),
        Err(Refusal::UnknownLog("bonded/elsewhere".to_owned()))
    );
    assert!(
        ours.witness
            .watch(theirs.ledger.reader().verifier().clone())
            .is_err()
    );
}

#[test]
fn any_changed_byte_of_a_request_is_refused() {
    let pair = pair();
    grow(&pair.ledger, 4);
    pair.ask(&pair.request(0)).unwrap();
    grow(&pair.ledger, 3);
    let body = pair.request(4).to_string();
    for place in 0..body.len() {
        let mut bytes = body.clone().into_bytes();
        bytes[place] ^= 1;
        if let Ok(text) = String::from_utf8(bytes) {
            assert!(pair.witness.add_checkpoint(&text).is_err(), "byte {place}");
        }
    }
    pair.witness.add_checkpoint(&body).unwrap();
}

#[test]
fn a_record_that_was_changed_is_not_taken_up() {
    let pair = pair();
    grow(&pair.ledger, 4);
    pair.ask(&pair.request(0)).unwrap();
    let origin = pair.ledger.reader().verifier().name().to_owned();
    let file = pair
        .witness_dir
        .path()
        .join("logs")
        .join(folder_name(&origin))
        .join("checkpoint");
    let dir = pair.witness_dir.path().to_owned();
    let text = std::fs::read_to_string(&file).unwrap();
    drop(pair.witness);
    std::fs::write(&file, text.replacen("\n4\n", "\n3\n", 1)).unwrap();
    let opened = Witness::open(&dir, Arc::new(SystemClock));
    assert!(matches!(opened, Err(Unwitnessed::Damaged { .. })));
}

#[test]
fn cosignatures_come_across_an_air_gap_as_files() {
    let pair = pair();
    grow(&pair.ledger, 6);
    let publisher = pair.publisher(None);
    let (checkpoint, note) = pair.ledger.head().unwrap();
    let request = publisher.request(0, (checkpoint.head, &note)).unwrap();
    let line = pair.ask(&request).unwrap();
    let told = publisher
        .cosigned()
        .accept(&format!("{}{line}", request.checkpoint))
        .unwrap();
    assert!(told.quorum && told.by == ["regulator"]);
    assert_eq!(
        publisher.cosigned().quorum().unwrap().unwrap().head,
        checkpoint.head
    );
    publisher.stands().unwrap();
}

#[test]
fn a_note_without_a_trusted_cosignature_is_not_kept() {
    let pair = pair();
    grow(&pair.ledger, 6);
    let publisher = pair.publisher(None);
    let note = pair.ledger.head().unwrap().1;
    assert!(publisher.cosigned().accept(&note).is_err());
    assert!(publisher.cosigned().all().unwrap().is_empty());
}

/// Serves the witness at a free port and gives its address.
async fn served(witness: &Arc<Witness>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(crate::serve(listener, Arc::clone(witness)));
    address
}

fn only(mut outcomes: Vec<Outcome>) -> Result<u64, Unwitnessed> {
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0).seen
}

#[tokio::test]
async fn checkpoints_are_published_over_http() {
    let pair = pair();
    let address = served(&pair.witness).await;
    let publisher = pair.publisher(Some(&address));
    for round in 1..=5 {
        grow(&pair.ledger, 2);
        assert_eq!(only(publisher.round().await.unwrap()).unwrap(), 2 * round);
    }
    let quorum = publisher.cosigned().quorum().unwrap().unwrap();
    assert_eq!(quorum.head.size, 10);
    // A domain that lost what it held is told the witness's size, and goes on from there.
    std::fs::remove_dir_all(pair.domain.path().join("ledger/cosigned")).unwrap();
    let publisher = pair.publisher(Some(&address));
    grow(&pair.ledger, 1);
    assert_eq!(only(publisher.round().await.unwrap()).unwrap(), 11);
}

#[tokio::test]
async fn a_domain_put_back_from_a_backup_learns_it_from_its_witness() {
    let pair = pair();
    let address = served(&pair.witness).await;
    grow(&pair.ledger, 3);
    let copy = pair.copy();
    grow(&pair.ledger, 4);
    only(pair.publisher(Some(&address)).round().await.unwrap()).unwrap();
    let old = Ledger::open(copy.path(), Arc::new(SystemClock)).unwrap();
    let publisher = publisher(&old, copy.path(), &pair.witness, Some(&address));
    let told = only(publisher.round().await.unwrap());
    assert!(
        matches!(
            told,
            Err(Unwitnessed::RolledBack {
                ours: 3,
                theirs: 7,
                ..
            })
        ),
        "{told:?}"
    );
    // It grows on by itself, past the witness: a fork.
    let at = DateTime::from_timestamp(1_795_262_499, 0).unwrap();
    for calls in 0..6 {
        let event = Event::StrangersCounted { calls };
        old.append(&event, None, at).wait().unwrap();
    }
    let told = only(publisher.round().await.unwrap());
    assert!(
        matches!(
            told,
            Err(Unwitnessed::RolledBack {
                ours: 9,
                theirs: 7,
                ..
            })
        ),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_domain_whose_cosigned_checkpoint_it_does_not_reach_does_not_stand() {
    let pair = pair();
    let address = served(&pair.witness).await;
    grow(&pair.ledger, 3);
    let copy = pair.copy();
    grow(&pair.ledger, 4);
    only(pair.publisher(Some(&address)).round().await.unwrap()).unwrap();
    let (from, to) = (pair.domain.path(), copy.path());
    std::fs::create_dir(to.join("ledger/cosigned")).unwrap();
    for entry in std::fs::read_dir(from.join("ledger/cosigned")).unwrap() {
        let entry = entry.unwrap();
        let to = to.join("ledger/cosigned").join(entry.file_name());
        std::fs::copy(entry.path(), to).unwrap();
    }
    let old = Ledger::open(to, Arc::new(SystemClock)).unwrap();
    let publisher = publisher(&old, to, &pair.witness, None);
    assert!(matches!(
        publisher.stands(),
        Err(Unwitnessed::RolledBack {
            ours: 3,
            theirs: 7,
            ..
        })
    ));
}

#[tokio::test]
async fn a_witness_that_is_away_is_told_and_stops_nothing() {
    let pair = pair();
    grow(&pair.ledger, 3);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let told = only(pair.publisher(Some(&address)).round().await.unwrap());
    assert!(matches!(told, Err(Unwitnessed::Away { .. })), "{told:?}");
}

#[tokio::test]
async fn a_witness_that_claims_more_than_it_can_show_is_not_believed() {
    let pair = pair();
    grow(&pair.ledger, 3);
    // Another log's witness, of the same name: it answers, and shows nothing that we signed.
    let other = self::pair();
    grow(&other.ledger, 9);
    other.ask(&other.request(0)).unwrap();
    let address = served(&other.witness).await;
    let publisher = publisher(
        &pair.ledger,
        pair.domain.path(),
        &other.witness,
        Some(&address),
    );
    let told = only(publisher.round().await.unwrap());
    assert!(matches!(told, Err(Unwitnessed::Away { .. })), "{told:?}");
}
