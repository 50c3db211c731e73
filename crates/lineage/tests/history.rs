//! Runs folded from a real ledger.
#![expect(clippy::unwrap_used, reason = "a test's own tools may panic")]

use chrono::{DateTime, Utc};
use ledger::{Decision, Ledger, Opening, ReleaseFacts, Stored, SystemClock};
use lineage::{
    Caption, Column, Drawn, Emitter, Input, Moved, Product, Run, Runs, Sought, picture, products,
};
use serde_json::Value;
use std::sync::Arc;
use terms::{
    Action, Channel, Digest, Flow, Grade, Notice, Obligations, Origin, QueryId, Reference, Type,
};

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_262_400, 0).unwrap()
}

fn origin(item: &str, way: &str, flow: Flow) -> Origin {
    Origin {
        dataset: "city.citizen".parse().unwrap(),
        item: item.parse().unwrap(),
        grade: Grade::Three,
        way: way.to_owned(),
        flow,
    }
}

fn drawn() -> Drawn {
    let column = |name: &str, sources| Column {
        name: name.to_owned(),
        data_type: Type::Float,
        sources,
    };
    Drawn {
        inputs: vec![Input {
            dataset: "city.citizen".parse().unwrap(),
            snapshot: 2,
            k: Some(10),
        }],
        columns: vec![
            column(
                "<avg> & \"co\"",
                vec![origin("income", "raw-aggregate", Flow::Aggregation)],
            ),
            column("who", vec![origin("name", "partial(1,0)", Flow::Identity)]),
        ],
        influences: vec![origin("district", "row-policy", Flow::Filter)],
    }
}

/// How an operation of the story goes.
#[derive(Clone, Copy)]
enum Goes {
    Released,
    RefusedAtOnce,
    RefusedLate,
    Failed,
    Abandoned(u64),
    Killed,
}

struct Story {
    ledger: Ledger,
    _dir: tempfile::TempDir,
}

impl Story {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let name = "yuecheng".parse().unwrap();
        let ledger = Ledger::create(dir.path(), &name, Arc::new(SystemClock)).unwrap();
        Self { ledger, _dir: dir }
    }

    async fn tell(&self, number: u8, action: Action, goes: Goes) -> QueryId {
        let query: QueryId = format!("{number:032x}").parse().unwrap();
        let opening = Opening {
            query: query.clone(),
            action,
            person: "alice".parse().unwrap(),
            scenario: Some("care".parse().unwrap()),
            product: None,
            channel: Channel::Domain,
        };
        let entry = self
            .ledger
            .open_operation(opening, "SELECT 1", noon())
            .await
            .unwrap();
        if matches!(goes, Goes::RefusedAtOnce) {
            entry.refuse("policy.no", noon()).await.unwrap();
            return query;
        }
        let decision = Decision {
            plan: Digest::of(b"plan"),
            policies: Digest::of(b"policies"),
            register_version: 3,
            references: vec![Reference {
                dataset: "city.citizen".parse().unwrap(),
                item: "income".parse().unwrap(),
                grade: Grade::Three,
                way: "raw-aggregate".to_owned(),
            }],
            obligations: Obligations {
                rows_max: 10,
                result_bytes_max: 10,
            },
            lineage: drawn().encode(),
        };
        let decided = entry.decide(decision, noon()).await.unwrap();
        match goes {
            Goes::Released | Goes::RefusedAtOnce => {
                decided.close(facts(), noon()).await.unwrap();
            }
            Goes::RefusedLate => {
                decided.refuse("disclosure.conflict", noon()).await.unwrap();
            }
            Goes::Failed => {
                decided.fail("dispatch.killed", noon()).await.unwrap();
            }
            Goes::Abandoned(rows) => decided.count_rows(rows),
            Goes::Killed => std::mem::forget(decided),
        }
        query
    }

    fn stored(&self) -> Vec<Stored> {
        self.ledger.head().unwrap();
        self.ledger.events(0).unwrap().map(Result::unwrap).collect()
    }
}

fn facts() -> ReleaseFacts {
    ReleaseFacts {
        rows: 2,
        bytes: 64,
        result: Digest::of(b"result"),
        notice: Notice::Standing,
        groups_withheld: 0,
        accuracy: None,
        register: "audited".to_owned(),
        used: None,
    }
}

fn moves(stored: &[Stored]) -> Vec<Moved> {
    let mut runs = Runs::default();
    let moved = stored.iter().filter_map(|one| runs.apply(one).unwrap());
    moved.collect()
}

fn ended(moved: &[Moved]) -> Vec<&Run> {
    let mut runs = Vec::new();
    for one in moved {
        match one {
            Moved::Ended(run) => runs.push(run),
            Moved::Decided(_) => {}
        }
    }
    runs
}

#[tokio::test]
async fn every_run_starts_once_and_ends_once_under_one_id() {
    let story = Story::new();
    let all = [
        (Action::Query, Goes::Released, "COMPLETE"),
        (Action::Export, Goes::Released, "COMPLETE"),
        (Action::Query, Goes::RefusedAtOnce, "FAIL"),
        (Action::Query, Goes::RefusedLate, "FAIL"),
        (Action::Query, Goes::Failed, "FAIL"),
        (Action::Query, Goes::Abandoned(4), "ABORT"),
        (Action::Query, Goes::Killed, "ABORT"),
    ];
    for (number, (action, goes, _)) in (1..).zip(&all) {
        story.tell(number, *action, *goes).await;
    }
    story.tell(99, Action::Explain, Goes::Released).await;
    story.ledger.abandon_unfinished(noon()).unwrap();
    let emitter = Emitter::new(&"yuecheng".parse().unwrap());
    let moved = moves(&story.stored());
    let events: Vec<Value> = moved.iter().flat_map(|m| emitter.events(m)).collect();
    assert_eq!(events.len(), 2 * all.len());
    for (number, (.., end)) in (1..).zip(&all) {
        let id = format!("00000000-0000-0000-0000-{number:012x}");
        let kinds: Vec<&str> = events
            .iter()
            .filter(|e| e["run"]["runId"] == id.as_str())
            .map(|e| e["eventType"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["START", end], "{id}");
    }
    assert_eq!(
        events[3]["outputs"][0]["name"],
        format!("export/{:032x}", 2)
    );
    let fields = &events[1]["outputs"][0]["facets"]["columnLineage"]["fields"];
    let step = |name: &str| fields[name]["inputFields"][0]["transformations"][0].clone();
    assert_eq!(step("who")["masking"], true);
    assert_eq!(step("<avg> & \"co\"")["masking"], false);
}

#[tokio::test]
async fn what_was_destroyed_is_told_as_a_superset() {
    let story = Story::new();
    story.tell(1, Action::Query, Goes::Released).await;
    let mut stored = story.stored();
    stored.iter_mut().for_each(|one| one.sealed = None);
    let moved = moves(&stored);
    let run = ended(&moved)[0];
    let emitter = Emitter::new(&"yuecheng".parse().unwrap());
    let events = emitter.events(moved.last().unwrap());
    let facet = &events[0]["outputs"][0]["facets"]["columnLineage"];
    assert_eq!(facet["fields"], serde_json::json!({}));
    assert_eq!(facet["dataset"][0]["field"], "income");
    assert_eq!(
        facet["dataset"][0]["transformations"][0]["description"],
        "unresolved"
    );
    let item = "income".parse().unwrap();
    let sought = Sought::Source("city.citizen".parse().unwrap(), Some(item));
    assert!(!products(run, &sought).unwrap().resolved);
}

#[tokio::test]
async fn pruned_beginnings_make_up_no_run() {
    let story = Story::new();
    story.tell(1, Action::Query, Goes::Released).await;
    let stored = story.stored();
    assert!(moves(&stored[1..]).is_empty());
    assert!(moves(&stored[2..]).is_empty());
}

#[tokio::test]
async fn a_product_is_what_left_wholly_or_in_part() {
    let story = Story::new();
    let mut wanted = Vec::new();
    for (number, (goes, left)) in (1..).zip([
        (Goes::Released, Some((Some(2), true))),
        (Goes::RefusedAtOnce, None),
        (Goes::RefusedLate, None),
        (Goes::Abandoned(0), None),
        (Goes::Abandoned(7), Some((Some(7), false))),
        // Nobody counted what had left by then.
        (Goes::Failed, Some((None, false))),
        (Goes::Killed, Some((None, false))),
    ]) {
        story.tell(number, Action::Query, goes).await;
        wanted.extend(left);
    }
    story.ledger.abandon_unfinished(noon()).unwrap();
    let moved = moves(&story.stored());
    let dataset = "city.citizen".parse().unwrap();
    let sought = Sought::Source(dataset, None);
    let found: Vec<Product> = ended(&moved)
        .into_iter()
        .filter_map(|run| products(run, &sought))
        .collect();
    let told: Vec<_> = found.iter().map(|p| (p.rows, p.whole)).collect();
    assert_eq!(told, wanted);
    assert_eq!(found[0].parts.len(), 3);
    let nothing = Sought::Source("city.visits".parse().unwrap(), None);
    assert!(
        ended(&moved)
            .iter()
            .all(|run| products(run, &nothing).is_none())
    );
}

#[test]
fn a_picture_says_grades_and_masks_and_escapes_names() {
    let caption = Caption {
        title: "export/<1>",
        subtitle: "a & b",
    };
    let svg = picture(&drawn(), caption);
    for told in [
        "&lt;avg&gt; &amp; &quot;co&quot;",
        "G3",
        "partial(1,0)",
        "raw, aggregated",
        "k≥10",
        "export/&lt;1&gt;",
    ] {
        assert!(svg.contains(told), "{told}");
    }
    assert_eq!(
        svg.matches("<path d=\"M454").count(),
        2,
        "one curve for each part in a column"
    );
    assert!(!svg.contains("<script") && svg.ends_with("</svg>\n"));
}

#[test]
fn a_sealed_part_that_is_no_lineage_is_refused() {
    assert!(Drawn::decode(b"{}").is_err());
    assert_eq!(Drawn::decode(&drawn().encode()).unwrap(), drawn());
}
