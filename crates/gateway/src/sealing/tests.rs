use super::*;
use crate::{
    Refused, Undestroyed,
    stage::{Stage, event},
};
use std::path::PathBuf;
use terms::{Action, DestructionBasis};

fn name() -> DatasetName {
    "city.open".parse().unwrap()
}

fn unit(text: &str) -> SealedUnit {
    text.parse().unwrap()
}

/// A snapshot of the stage's dataset that is really stored, and Ann of the security authority.
async fn stored() -> (Stage, PathBuf) {
    let stage = Stage::set().await;
    let domain = &stage.gateway.domain;
    let data = stage.folder.path().join("in.csv");
    std::fs::write(&data, "code\na\nb\n").unwrap();
    let dataset = domain.live.read().state.dataset(&name()).cloned().unwrap();
    let snapshot = domain.store.ingest(&dataset, &data, 2, &mut |_| ());
    domain.record_keys::<Undestroyed>().await.unwrap();
    let loaded = json!({"event": "dataset-loaded", "by": "dora", "snapshot": snapshot.unwrap()});
    stage.stand(event(loaded)).await;
    let file = domain.dir.join("data/city.open/2.parquet");
    (stage, file)
}

/// Ann is somebody of another role from here on.
async fn becomes(stage: &Stage, role: &str) {
    let person = event(json!({"event": "person-enrolled", "by": "admin",
        "certificate": Digest::of(&stage.certificate), "person": {"id": "ann", "role": role,
        "vetted": true, "organisation": "op", "nda_until": "2999-12-31"}}));
    stage.stand(person).await;
}

async fn seal(stage: &Stage, of: &str) -> Result<Carried, Unadministered> {
    becomes(stage, "security-authority").await;
    let until = terms::today(crate::operation::now()) + chrono::Days::new(30);
    let wanted = (unit(of), SealBasis::Order, until);
    stage.gateway.seal(&stage.asking(), wanted).await
}

fn code(refused: Result<impl Sized, Refused>) -> String {
    refused.map_or_else(|why| why.code, |_| "done".to_owned())
}

#[tokio::test]
async fn what_is_sealed_is_listed_file_by_file_and_found_again_as_it_was_or_not() {
    let (stage, file) = stored().await;
    seal(&stage, "dataset/city.open").await.unwrap();
    let domain = &stage.gateway.domain;
    let seal = domain
        .live
        .read()
        .state
        .seals()
        .of(&unit("dataset/city.open"))
        .cloned()
        .unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let line = format!(
        "data/city.open/2.parquet {} {}\n",
        Digest::of(&bytes),
        bytes.len()
    );
    assert_eq!(
        (seal.list, seal.root),
        (Digest::of(line.as_bytes()), leaf_hash(line.as_bytes()))
    );
    let check = async || {
        let found = stage
            .gateway
            .check_seal(&stage.asking(), unit("dataset/city.open"))
            .await;
        let found = found.unwrap();
        (
            found["holds"].as_bool().unwrap(),
            found["files"][0]["is"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(check().await, (true, "as-sealed".to_owned()));
    let mut changed = bytes.clone();
    changed[bytes.len() / 2] ^= 1;
    std::fs::write(&file, changed).unwrap();
    assert_eq!(check().await, (false, "changed".to_owned()));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(check().await, (false, "missing".to_owned()));
    std::fs::write(&file, &bytes).unwrap();
    let more = file.with_file_name("7.parquet");
    std::fs::write(&more, "x").unwrap();
    assert_eq!(
        check().await,
        (false, "as-sealed".to_owned()),
        "one more file"
    );
    std::fs::remove_file(&more).unwrap();
    assert_eq!(check().await, (true, "as-sealed".to_owned()));
    let checks = domain.ledger.events(0).unwrap();
    let checks =
        checks.filter(|stored| matches!(stored.as_ref().unwrap().event, Event::SealChecked { .. }));
    assert_eq!(checks.count(), 5, "each look is on record");
}

#[tokio::test]
async fn an_operation_on_what_is_sealed_ends_at_once() {
    for of in ["dataset/city.open", "scenario/s", "licence/l"] {
        let stage = Stage::set().await;
        let leash = stage.gateway.leash(&stage.asking(), Action::Query).unwrap();
        let sealed = json!({"event": "data-sealed", "by": "sam", "unit": of, "basis": "order",
            "until": "2999-12-31", "list": Digest::of(b""), "root": Digest::of(b"")});
        stage.stand(event(sealed)).await;
        stage.gateway.cut_off();
        assert!(leash.is_cut(), "{of}");
        let permit = stage.gateway.permit(&stage.asking(), Action::Query);
        if of == "dataset/city.open" {
            assert!(permit.unwrap().datasets().is_empty());
        } else {
            assert_eq!(code(permit), "policy.sealed", "{of}");
        }
    }
}

#[tokio::test]
async fn nothing_of_what_is_sealed_comes_in_is_destroyed_or_is_forgotten() {
    let (stage, file) = stored().await;
    seal(&stage, "dataset/city.open").await.unwrap();
    let asking = stage.asking();
    let gateway = &stage.gateway;
    let of = (name(), 2);
    let asked = gateway
        .request_destruction(&asking, of, DestructionBasis::Order)
        .await;
    assert_eq!(code(asked), "register.sealed");
    let again = seal(&stage, "dataset/city.open").await.unwrap_err();
    assert!(
        again.to_string().contains("register.sealed-already"),
        "{again}"
    );
    becomes(&stage, "data-authority").await;
    assert_eq!(code(gateway.prune(&asking).await), "register.sealed");
    becomes(&stage, "domain-admin").await;
    let data = stage.folder.path().join("in.csv");
    let dataset = gateway
        .domain
        .live
        .read()
        .state
        .dataset(&name())
        .cloned()
        .unwrap();
    let by = By::Caller(Box::new(asking.clone()));
    let loaded = gateway
        .administration()
        .load(&by, (&dataset, &data), |_| ())
        .await;
    assert!(loaded.unwrap_err().to_string().contains("register.sealed"));
    assert!(file.exists() && !file.with_file_name("3.parquet").exists());
}

/// Approved before, it would destroy after.
#[tokio::test]
async fn what_is_about_to_be_destroyed_is_not_sealed() {
    let (stage, _) = stored().await;
    {
        let mut standing = stage.gateway.upkeep.standing.lock().await;
        let ledger = &stage.gateway.domain.ledger;
        let asked = Event::DestructionRequested {
            by: "sam".parse().unwrap(),
            dataset: name(),
            snapshot: 2,
            basis: DestructionBasis::Order,
        };
        let at = crate::operation::now();
        let request = standing.record(ledger, asked, at).await.unwrap();
        for by in ["dora", "rita"] {
            let by = by.parse().unwrap();
            let approved = Event::DestructionApproved { by, request };
            standing.record(ledger, approved, at).await.unwrap();
        }
    }
    let why = seal(&stage, "dataset/city.open").await.unwrap_err();
    assert!(
        why.to_string().contains("register.destruction-under-way"),
        "{why}"
    );
}

#[test]
fn the_root_is_that_of_the_tree_of_the_lines() {
    let lines: Vec<String> = (0..7).map(|number| format!("line {number}\n")).collect();
    let leaf = |at: usize| leaf_hash(lines[at].as_bytes());
    let pair = |at: usize| node_hash(&leaf(at), &leaf(at + 1));
    let left = node_hash(&pair(0), &pair(2));
    assert_eq!(root(&lines[..1]), leaf(0));
    assert_eq!(root(&lines[..3]), node_hash(&pair(0), &leaf(2)));
    assert_eq!(root(&lines[..4]), left);
    assert_eq!(
        root(&lines),
        node_hash(&left, &node_hash(&pair(4), &leaf(6)))
    );
}

/// A scenario keeps naming the state that it was granted on, when that is destroyed too.
#[tokio::test]
async fn what_has_no_file_any_more_keeps_nobody_from_sealing_the_rest() {
    let (stage, file) = stored().await;
    let seen = {
        let state = &stage.gateway.domain.live.read().state;
        state.seen_by(&unit("scenario/s"))
    };
    assert_eq!(seen.len(), 1);
    let (dataset, number) = seen.first().unwrap();
    assert!(!file.with_file_name(format!("{number}.parquet")).exists());
    seal(&stage, "scenario/s").await.unwrap();
    let state = &stage.gateway.domain.live.read().state;
    assert!(state.seals().of(&unit("scenario/s")).is_some(), "{dataset}");
}
