use super::*;
use crate::certificates::{FOLDER, policy};
use crate::stage::{Stage, event};
use manifest::Certifies as _;
use serde_json::json;
use std::os::unix::fs::MetadataExt as _;

/// A snapshot of the stage's dataset that is really stored, in place of the one that is only on record.
async fn loaded(stage: &Stage) {
    let domain = &stage.gateway.domain;
    let data = stage.folder.path().join("in.csv");
    std::fs::write(&data, "code\na\nb\n").unwrap();
    let name: DatasetName = "city.open".parse().unwrap();
    let dataset = domain.live.read().state.dataset(&name).cloned().unwrap();
    let snapshot = domain
        .store
        .ingest(&dataset, &data, 2, &mut |_| ())
        .unwrap();
    domain.record_keys::<Undestroyed>().await.unwrap();
    let snapshot = serde_json::to_value(snapshot).unwrap();
    stage
        .stand(event(
            json!({"event": "dataset-loaded", "by": "dora", "snapshot": snapshot}),
        ))
        .await;
}

/// What two operations made of it: one exported, one not.
async fn used(stage: &Stage) {
    let digest = Digest::of(b"x");
    for (query, is_exported) in [("ab", true), ("cd", false)] {
        let query = query.repeat(16);
        let reference = json!({"dataset": "city.open", "item": "code", "grade": 1, "way": "plain"});
        let mut events = vec![
            json!({"event": "operation-decided", "query": query, "plan": digest,
                "policies": digest, "register_version": 1, "references": [reference],
                "obligations": {"rows_max": 10, "result_bytes_max": 1000}}),
            json!({"event": "operation-released", "query": query, "rows": 7, "bytes": 70,
                "result": digest, "notice": "standing", "register": "none"}),
        ];
        if is_exported {
            events.push(json!({"event": "exported", "query": query, "manifest": digest}));
        }
        for value in events {
            stage.stand(event(value)).await;
        }
    }
}

async fn requested(stage: &Stage) -> u64 {
    let mut standing = stage.gateway.upkeep.standing.lock().await;
    let event = Event::DestructionRequested {
        by: "sam".parse().unwrap(),
        dataset: "city.open".parse().unwrap(),
        snapshot: 2,
        basis: DestructionBasis::Superseded,
    };
    let ledger = &stage.gateway.domain.ledger;
    let request = standing.record(ledger, event, now()).await.unwrap();
    for by in ["dora", "rita"] {
        let by = by.parse().unwrap();
        let event = Event::DestructionApproved { by, request };
        standing.record(ledger, event, now()).await.unwrap();
    }
    request
}

fn verified(domain: &Domain, request: u64) -> manifest::Certified<Certificate> {
    let key = std::fs::read_to_string(domain.dir.join("keys/manifest.pub.pem")).unwrap();
    let log = policy(domain);
    manifest::verify_certificate(place(domain, request).whole(), &key, Some(&log)).unwrap()
}

#[tokio::test]
async fn what_is_approved_is_destroyed_and_certified() {
    let stage = Stage::set().await;
    loaded(&stage).await;
    used(&stage).await;
    let domain = &stage.gateway.domain;
    let file = domain.dir.join("data/city.open/2.parquet");
    let stored = Digest::of(&std::fs::read(&file).unwrap());
    let length = std::fs::metadata(&file).unwrap().size();
    let (copy, _) = domain.copy_keys(stage.folder.path()).await.unwrap();
    let request = requested(&stage).await;
    let digest = {
        let mut standing = stage.gateway.upkeep.standing.lock().await;
        destroy(domain, &mut standing, request).await.unwrap()
    };
    assert!(!file.exists());
    let certified = verified(domain, request);
    let certificate = certified.certificate;
    let steps: Vec<_> = certificate
        .steps
        .iter()
        .map(|s| (s.step.as_str(), s.by.as_str()))
        .collect();
    assert_eq!(
        steps,
        [
            ("requested", "sam"),
            ("approved", "dora"),
            ("approved", "rita")
        ]
    );
    assert_eq!(
        (certificate.objects[0].sha256, certificate.objects[0].bytes),
        (stored, Some(length))
    );
    let tried: Vec<_> = certificate
        .validation
        .iter()
        .map(|tried| tried.is.as_str())
        .collect();
    assert_eq!(
        tried,
        ["vault.unit-absent", "not found", "the one in use alone"]
    );
    assert_eq!(certificate.method.degree, "clear");
    let key = &certificate.key;
    assert_eq!(key.wrapped_by, KeyName::Storage(1));
    assert!(key.created.is_some_and(|created| created < key.destroyed));
    assert_eq!(key.keys_wrapped_anew, 4);
    // The copy of the keys that is on record is named.
    let copy = format!("copy {copy} of the keys, made ");
    assert!(
        certificate
            .copies
            .iter()
            .any(|named| named.of.starts_with(&copy))
    );
    let exports = certificate
        .derived
        .iter()
        .filter(|d| matches!(d, manifest::Derived::Export { .. }));
    assert_eq!(exports.count(), 1);
    let results = manifest::Derived::Results {
        results: 2,
        rows: 14,
    };
    assert!(certificate.derived.contains(&results));
    // The file that is confirmed with is the one on record.
    let bytes = std::fs::read(place(domain, request).whole().join(Certificate::FILE)).unwrap();
    assert_eq!(Digest::of(&bytes), digest);
}

/// A crash after the approvals, after the key was destroyed, after the certificate was on record.
#[tokio::test]
async fn a_destruction_that_was_cut_off_is_finished_at_the_next_start() {
    for cut in 0..3 {
        let stage = Stage::set().await;
        loaded(&stage).await;
        let domain = &stage.gateway.domain;
        let request = requested(&stage).await;
        let mut standing = stage.gateway.upkeep.standing.lock().await;
        if cut == 1 {
            domain
                .store
                .destroy(&"city.open".parse().unwrap(), 2)
                .unwrap();
        }
        if cut == 2 {
            destroy(domain, &mut standing, request).await.unwrap();
            let whole = place(domain, request).whole().to_owned();
            std::fs::remove_file(whole.join("ledger.tlog-proof")).unwrap();
            std::fs::rename(
                whole,
                domain.dir.join(FOLDER).join(format!("{request}.part")),
            )
            .unwrap();
        }
        take_up(domain, &mut standing).await.unwrap();
        take_up(domain, &mut standing).await.unwrap();
        let certificate = verified(domain, request).certificate;
        assert_eq!(certificate.snapshot, 2, "cut at {cut}");
        let source = domain.store.source(&"city.open".parse().unwrap(), 2, &[]);
        assert_eq!(source.unwrap_err().code(), "vault.unit-absent");
    }
}

#[tokio::test]
async fn a_certificate_that_was_changed_does_not_hold() {
    let stage = Stage::set().await;
    loaded(&stage).await;
    let domain = &stage.gateway.domain;
    let request = requested(&stage).await;
    {
        let mut standing = stage.gateway.upkeep.standing.lock().await;
        take_up(domain, &mut standing).await.unwrap();
    }
    verified(domain, request);
    let key = std::fs::read_to_string(domain.dir.join("keys/manifest.pub.pem")).unwrap();
    let whole = place(domain, request).whole().to_owned();
    let code = || {
        manifest::verify_certificate(&whole, &key, None)
            .unwrap_err()
            .code()
    };
    for (name, expected) in [
        (Certificate::FILE, "manifest.signature"),
        ("policy.tlog-policy", "manifest.digests"),
        ("ledger.entry.json", "manifest.inclusion"),
        ("ledger.tlog-proof", "manifest.inclusion"),
    ] {
        let path = whole.join(name);
        let bytes = std::fs::read(&path).unwrap();
        let mut changed = bytes.clone();
        let at = changed.len() / 3;
        changed[at] ^= 1;
        std::fs::write(&path, changed).unwrap();
        assert_eq!(code(), expected, "{name}");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(code(), "manifest.files", "{name}");
        std::fs::write(&path, bytes).unwrap();
    }
    std::fs::write(whole.join("more"), "").unwrap();
    assert_eq!(code(), "manifest.files");
}

#[tokio::test]
async fn what_was_kept_of_a_snapshot_is_destroyed_with_it_and_on_its_certificate() {
    use arrow::array::{ArrayRef, RecordBatch, StringArray};
    let stage = Stage::set().await;
    loaded(&stage).await;
    let domain = &stage.gateway.domain;
    let name: terms::DerivedName = "x".parse().unwrap();
    // The first is made of the snapshot, the second of another.
    for (number, snapshot) in [(1, 2), (2, 1)] {
        let codes: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
        let batch = RecordBatch::try_from_iter_with_nullable([("code", codes, true)]).unwrap();
        let of = (&name.stored_as(number), number);
        let mut keeping = domain.store.keep(of, &batch.schema(), 0).unwrap();
        keeping.write(&batch).unwrap();
        let digest = keeping.finish().unwrap();
        keeping.settle();
        let derived = json!({"name": "x", "number": number, "scenario": "s", "licence": "l",
            "query": "0123456789abcdef0123456789abcdef", "rows": "answers", "external": false,
            "columns": [], "sources": [{"dataset": "city.open", "snapshot": snapshot, "items": []}],
            "view": digest, "rows_charged": 1, "until": "2999-01-01", "digest": digest});
        let kept = json!({"event": "derived-kept", "by": "ann", "derived": derived});
        stage.stand(event(kept)).await;
    }
    let request = requested(&stage).await;
    {
        let mut standing = stage.gateway.upkeep.standing.lock().await;
        take_up(domain, &mut standing).await.unwrap();
    }
    let certificate = verified(domain, request).certificate;
    let kept: Vec<_> = certificate
        .derived
        .iter()
        .filter_map(|derived| match derived {
            manifest::Derived::Kept {
                dataset,
                scenario,
                kept,
                dropped,
                ..
            } => Some((dataset.to_string(), scenario.to_string(), kept < dropped)),
            _ => None,
        })
        .collect();
    assert_eq!(kept, [("work.x_1".to_owned(), "s".to_owned(), true)]);
    let file = |number: u32| {
        domain
            .dir
            .join(format!("data/work.x_{number}/{number}.parquet"))
    };
    assert!(!file(1).exists() && file(2).exists());
    let opened = |number: u32| {
        domain
            .store
            .source(&name.stored_as(number), number, &[])
            .is_ok()
    };
    assert!(!opened(1) && opened(2));
}
