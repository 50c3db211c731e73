//! What a crash leaves of a result is all or nothing, wherever it came in between.

use super::*;
use crate::{
    Asking, Unopened,
    stage::{Stage, event},
};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use serde_json::json;
use std::path::PathBuf;
use terms::{Digest, Event, KeyName};

fn named(number: u32) -> DatasetName {
    "x".parse::<DerivedName>().unwrap().stored_as(number)
}

fn batch() -> RecordBatch {
    let codes: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let rows: ArrayRef = Arc::new(Int64Array::from(vec![7, 8, 11]));
    let subjects: ArrayRef = Arc::new(Int64Array::from(vec![Some(4), Some(4), None]));
    let columns = [("code", codes), ("__row", rows), ("__subject", subjects)];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .unwrap()
}

/// A result in the store, whole or in part; settled where its event may be on record.
fn stored(domain: &Domain, number: u32) -> vault::Keeping {
    let batch = batch();
    let mut keeping = domain
        .store
        .keep((&named(number), number), &batch.schema(), 2)
        .unwrap();
    keeping.write(&batch).unwrap();
    keeping
}

/// A whole result in the store, whose event may be on record; its digest.
fn settled(domain: &Domain, number: u32) -> Digest {
    let mut keeping = stored(domain, number);
    let digest = keeping.finish().unwrap();
    keeping.settle();
    digest
}

fn file(domain: &Domain, number: u32) -> PathBuf {
    domain
        .dir
        .join(format!("data/{}/{number}.parquet", named(number)))
}

fn has_key(domain: &Domain, number: u32) -> bool {
    let name = KeyName::Snapshot {
        dataset: named(number),
        number,
    };
    domain
        .keyring
        .status()
        .keys
        .iter()
        .any(|(known, _)| *known == name)
}

fn kept(number: u32) -> Event {
    kept_as(number, Digest::of(b""))
}

fn kept_as(number: u32, digest: Digest) -> Event {
    event(
        json!({"event": "derived-kept", "by": "ann", "derived": {"name": "x", "number": number,
        "scenario": "s", "licence": "l", "query": "0123456789abcdef0123456789abcdef",
        "rows": "answers", "external": false, "columns": [{"name": "code", "data_type": "text",
        "grade": 1, "made": "freely"}], "sources": [{"dataset": "city.open", "snapshot": 2,
        "items": ["code"]}], "view": Digest::of(b""), "rows_charged": 3, "until": "2999-01-01",
        "digest": digest}}),
    )
}

fn dropped(number: u32) -> Event {
    event(
        json!({"event": "derived-dropped", "by": "ann", "dataset": named(number), "end": "dropped"}),
    )
}

#[tokio::test]
async fn what_no_event_names_is_destroyed_and_what_one_names_stays() {
    let stage = Stage::set().await;
    let domain = &stage.gateway.domain;
    // 1 is dropped half-way, 2 was killed half-way, 3 whole and not on record, 4 stands, 5 was dropped
    // and is there still, 6 is being made.
    drop(stored(domain, 1));
    assert!(!file(domain, 1).exists() && !has_key(domain, 1));
    std::mem::forget(stored(domain, 2));
    for number in 3..=5 {
        settled(domain, number);
    }
    for event in [kept(4), kept(5), dropped(5)] {
        stage.stand(event).await;
    }
    let name = "x".parse().unwrap();
    let making = Named::new(domain, &name).unwrap();
    assert_eq!(making.number, 6, "no number comes twice");
    let mut keeping = stored(domain, 6);
    keeping.finish().unwrap();
    for _ in 0..2 {
        sweep::<Unopened>(domain).await.unwrap();
        for (number, stays) in [(2, false), (3, false), (4, true), (5, false), (6, true)] {
            assert_eq!(file(domain, number).exists(), stays, "{number}");
            assert_eq!(has_key(domain, number), stays, "{number}");
        }
    }
    let half = file(domain, 2).with_extension("parquet.part");
    assert!(!half.exists() && !file(domain, 3).parent().unwrap().exists());
    // What it leaves unmade is gone; what stands can be read with the source's numbers.
    drop((making, keeping));
    assert!(!file(domain, 6).exists() && !has_key(domain, 6));
    let numbers = domain.store.subjects(&named(4), 4).unwrap();
    assert_eq!(numbers, [Some(4), Some(4), None]);
}

#[tokio::test]
async fn a_key_that_was_destroyed_opens_nothing_and_is_on_record() {
    let stage = Stage::set().await;
    let domain = &stage.gateway.domain;
    settled(domain, 1);
    domain.record_keys::<Unopened>().await.unwrap();
    stage.stand(kept(1)).await;
    stage.stand(dropped(1)).await;
    domain.sweep_kept().await;
    let events = domain
        .ledger
        .events(0)
        .unwrap()
        .map(|stored| stored.unwrap().event);
    let of_it: Vec<&'static str> = events
        .filter(|event| serde_json::to_string(event).unwrap().contains("work.x_1"))
        .map(|event| event.name())
        .collect();
    // The event that it is kept says its name and number apart.
    assert_eq!(of_it, ["key-created", "derived-dropped", "key-destroyed"]);
    let code = domain.store.source(&named(1), 1, &[]).unwrap_err().code();
    assert_eq!(code, "vault.unit-absent");
}

#[test]
fn rows_without_a_number_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = vault::Keyring::create(folder.path()).unwrap();
    let store = vault::Store::new(folder.path(), &keyring);
    let batch = batch();
    let nameless = RecordBatch::try_from_iter_with_nullable([
        ("code", batch.column(0).clone(), true),
        ("__row", Arc::new(Int64Array::new_null(3)) as ArrayRef, true),
        ("__subject", batch.column(2).clone(), true),
    ])
    .unwrap();
    for wrong in [
        nameless,
        batch.project(&[0, 1]).unwrap(),
        batch.project(&[0, 0, 0]).unwrap(),
    ] {
        let mut keeping = store.keep((&named(1), 1), &batch.schema(), 2).unwrap();
        assert!(keeping.write(&wrong).is_err());
        drop(keeping);
        assert!(store.kept().unwrap().is_empty());
    }
}

#[tokio::test]
async fn who_may_not_keep_or_keeps_too_long_is_refused_before_anything() {
    let stage = Stage::set().await;
    let asked = async |asking: &Asking, name: &str, days| {
        let kept = stage
            .gateway
            .materialise(asking, ("SELECT 1 AS one", name), days)
            .await;
        kept.unwrap_err().code
    };
    let ann = stage.asking();
    assert_eq!(asked(&ann, "a.b", None).await, "workspace.name");
    assert_eq!(asked(&ann, "__x", None).await, "workspace.name");
    assert_eq!(asked(&ann, "x", Some(366)).await, "workspace.too-long");
    assert_eq!(asked(&ann, "x", Some(0)).await, "workspace.too-long");
    let remote = Asking {
        channel: terms::Channel::Remote,
        ..ann
    };
    assert!(asked(&remote, "x", None).await.starts_with("policy."));
    assert!(stage.gateway.domain.store.kept().unwrap().is_empty());
}

/// The gate looks for states of datasets that no entry knows; what is kept is none.
#[tokio::test]
async fn what_is_kept_is_there_after_a_start() {
    let stage = Stage::set().await;
    let domain = &stage.gateway.domain;
    settled(domain, 1);
    domain.record_keys::<Unopened>().await.unwrap();
    stage.stand(kept(1)).await;
    crate::external::take_up(domain).await.unwrap();
    sweep::<Unopened>(domain).await.unwrap();
    assert!(file(domain, 1).exists() && has_key(domain, 1));
}

#[tokio::test]
async fn a_kept_result_comes_back_from_a_backup() {
    let stage = Stage::set().await;
    let domain = &stage.gateway.domain;
    let digest = settled(domain, 1);
    domain.record_keys::<Unopened>().await.unwrap();
    stage.stand(kept_as(1, digest)).await;
    let back = crate::stage::put_back(&stage).await;
    assert!(has_key(&back, 1));
    let numbers = back.store.subjects(&named(1), 1).unwrap();
    assert_eq!(numbers, [Some(4), Some(4), None]);
}
