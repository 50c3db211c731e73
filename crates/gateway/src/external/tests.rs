use super::*;
use crate::{
    Domain,
    stage::{Stage, event},
};
use serde_json::json;
use terms::Event;
use vault::{Arriving, Format, KeyList};

/// A list of so many people; the k of the stage's scenario is 10.
fn list(people: usize) -> String {
    let ids = (1..=people).map(|n| {
        format!(
            "CIT-{n:04}
"
        )
    });
    ids.fold(
        "pid
"
        .to_owned(),
        |text, id| text + &id,
    )
}

fn entry() -> Dataset {
    serde_json::from_value(json!({"name": "city.list", "title": "t", "content": "c",
        "provider": "op", "source": "s", "sector": "medical", "update": "once", "subject": "pid",
        "external": true, "prohibited": null, "risk": null, "items": [{"name": "pid",
        "kind": "subject_id", "grade": 2, "mask": null, "domain": "person", "data_type": null,
        "impact": {"degree": "slight", "scope": "narrow"},
        "sharing": "unconditional", "opening": "conditional"}]}))
    .unwrap()
}

fn bringing() -> Bringing {
    Bringing {
        scenario: "s".parse().unwrap(),
        dataset: entry(),
        purpose: "p".to_owned(),
        source: "s".to_owned(),
        agreement: Digest::of(b"agreement"),
        file: "list.csv".to_owned(),
    }
}

fn arrived(text: &str) -> Arrived {
    let mut arriving = Arriving::new(1 << 20).unwrap();
    arriving.take(text.as_bytes()).unwrap();
    arriving.whole(Format::Csv)
}

fn person(stage: &Stage) -> Person {
    let stands = stage.gateway.domain.live.read();
    stands
        .state
        .person(&"ann".parse().unwrap())
        .cloned()
        .unwrap()
}

/// Sealed and noted, and not on record yet.
async fn sealed(stage: &Stage) -> External {
    let id = fresh().unwrap();
    let by = person(stage);
    stage
        .gateway
        .laid_away(&id, &by, (&bringing(), arrived(&list(12))))
        .await
        .unwrap()
}

fn step(external: &External, stage: &str, snapshot: Option<&terms::Snapshot>) -> Event {
    event(
        json!({"event": "external-step", "by": "ann", "stage": stage, "external": external,
        "course": {}, "snapshot": snapshot}),
    )
}

/// The names of what is left: keys of the quarantine and of the dataset, and files.
fn left(domain: &Domain) -> Vec<String> {
    let keys = domain.keyring.status().keys.into_iter();
    let keys = keys.map(|(name, _)| name.to_string());
    let of_it = |name: &String| name.starts_with("quarantine") || name.contains("city.list");
    let mut all: Vec<String> = keys
        .filter(of_it)
        .map(|name| format!("key {name}"))
        .collect();
    for folder in [
        domain.store.quarantine_dir().to_owned(),
        domain.dir.join("data/city.list"),
    ] {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            all.push(entry.unwrap().file_name().into_string().unwrap());
        }
    }
    all.sort();
    all
}

fn names(external: &External, endings: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = endings
        .iter()
        .map(|ending| match ending.strip_prefix("key ") {
            Some(key) => format!("key {}", key.replace("ID", external.id.as_str())),
            None => ending.replace("ID", external.id.as_str()),
        })
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn what_a_crash_left_of_a_submission_is_gone_and_what_is_on_record_is_kept() {
    let stage = Stage::set().await;
    let domain = &stage.gateway.domain;
    let lost = sealed(&stage).await;
    let whole = ["key quarantine/ID", "ID.parquet", "ID.lists", "ID.report"];
    assert_eq!(left(domain), names(&lost, &whole));
    // Half-written files of the same id.
    for half in ["parquet.part", "lists.new"] {
        let path = domain
            .store
            .quarantine_dir()
            .join(format!("{}.{half}", lost.id));
        std::fs::write(path, b"half").unwrap();
    }
    take_up(domain).await.unwrap();
    assert!(left(domain).is_empty(), "{:?}", left(domain));
    let kept = sealed(&stage).await;
    stage.stand(step(&kept, "applied", None)).await;
    take_up(domain).await.unwrap();
    sweep(domain).await.unwrap();
    assert_eq!(left(domain), names(&kept, &whole));
}

#[tokio::test]
async fn an_approval_that_was_cut_off_is_undone_or_finished_by_what_is_on_record() {
    let stage = Stage::set().await;
    let domain = &stage.gateway.domain;
    let external = sealed(&stage).await;
    stage.stand(step(&external, "applied", None)).await;
    // Made, and not on record.
    let snapshot = quarantine::admitted(domain, &external).await.unwrap();
    let made = [
        "key quarantine/ID",
        "key snapshot/city.list/1",
        "1.parquet",
        "ID.parquet",
        "ID.lists",
        "ID.report",
    ];
    assert_eq!(left(domain), names(&external, &made));
    take_up(domain).await.unwrap();
    let waiting = ["key quarantine/ID", "ID.parquet", "ID.lists", "ID.report"];
    assert_eq!(left(domain), names(&external, &waiting));
    // Once more, on record, and not settled.
    let again = quarantine::admitted(domain, &external).await.unwrap();
    assert_eq!(again.rows, snapshot.rows);
    stage.stand(step(&external, "granted", Some(&again))).await;
    take_up(domain).await.unwrap();
    let inside = [
        "key snapshot/city.list/1",
        "1.parquet",
        "ID.lists",
        "ID.report",
    ];
    assert_eq!(left(domain), names(&external, &inside));
    assert!(domain.keyring.unrecorded().is_empty());
}

#[tokio::test]
async fn what_was_turned_down_and_not_destroyed_is_destroyed_at_the_next_start() {
    for stage_of in ["refused", "closed", "expired"] {
        let stage = Stage::set().await;
        let domain = &stage.gateway.domain;
        let external = sealed(&stage).await;
        let storage = domain.keyring.status().storage;
        stage.stand(step(&external, "applied", None)).await;
        stage.stand(step(&external, stage_of, None)).await;
        sweep(domain).await.unwrap();
        assert_eq!(left(domain), names(&external, &["ID.report"]), "{stage_of}");
        // Its key went with the storage key that had wrapped it.
        assert_eq!(domain.keyring.status().storage, storage + 1);
    }
}

#[tokio::test]
async fn a_list_is_held_against_those_that_wait_and_those_that_came_in() {
    let stage = Stage::set().await;
    let (by, id) = (person(&stage), fresh().unwrap());
    let asking = stage.asking();
    let brought = async |people: usize| {
        let of = (bringing(), arrived(&list(people)));
        stage.gateway.brought(&asking, &by, of).await
    };
    let refused = brought(3).await.unwrap_err();
    assert!(matches!(refused, Barred::TooFew { .. }), "{refused}");
    assert!(left(&stage.gateway.domain).is_empty());
    brought(12).await.unwrap();
    let refused = brought(13).await.unwrap_err();
    assert!(matches!(refused, Barred::NearList { .. }), "{refused}");
    // A list that cannot be read stops everything.
    let lists = Lists {
        operator: "op".parse().unwrap(),
        lists: Vec::<KeyList>::new(),
    };
    lists.keep(&stage.gateway.domain, &id).unwrap();
    for standing in stage.gateway.domain.live.read().state.externals() {
        let path = lists::place(&stage.gateway.domain, &standing.external.id);
        std::fs::copy(lists::place(&stage.gateway.domain, &id), path).unwrap();
    }
    let refused = brought(12).await.unwrap_err();
    assert!(matches!(refused, Barred::Unkept(_)), "{refused}");
}

#[tokio::test]
async fn a_report_is_the_one_on_record_and_holds_no_value() {
    let stage = Stage::set().await;
    let external = sealed(&stage).await;
    let report = Report::kept(&stage.gateway.domain, &external).unwrap();
    assert!(!report.told().contains("CIT-"));
    let other = sealed(&stage).await;
    let mixed = External {
        report: other.report,
        ..external
    };
    assert!(Report::kept(&stage.gateway.domain, &mixed).is_err());
}

#[tokio::test]
async fn a_restored_domain_knows_the_lists_that_an_operator_brought_before() {
    let stage = Stage::set().await;
    let domain = &stage.gateway.domain;
    let brought = sealed(&stage).await;
    stage.stand(step(&brought, "applied", None)).await;
    let operator = "op".parse().unwrap();
    let before = lists::of_operator(domain, &operator, None).unwrap();
    assert_eq!(before.len(), 1);
    let back = crate::stage::put_back(&stage).await;
    let after = lists::of_operator(&back, &operator, None).unwrap();
    let tokens = |all: &[Lists]| -> Vec<Vec<u128>> {
        let lists = all.iter().flat_map(|one| &one.lists);
        lists.map(|list| list.tokens.clone()).collect()
    };
    assert_eq!(tokens(&after), tokens(&before));
    assert_eq!(tokens(&after)[0].len(), 12);
    // One more than before is too near to it there too.
    let own = tokens(&after).remove(0);
    let nearer: Vec<u128> = own.iter().copied().skip(1).collect();
    assert!(near(&nearer, &[&own], 10));
    // What waits is there, whole, with its report.
    assert_eq!(left(&back), left(domain));
}
