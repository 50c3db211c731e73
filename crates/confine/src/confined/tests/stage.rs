use chrono::{DateTime, TimeZone, Utc};
use identity::Authority;
use plan::{Node, Scan, ScanColumn, View};
use policy::{Engine, Permit, Refusal};
use register::State;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use terms::{Action, Channel, Digest, Event};

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 21, 9, 0, 0).unwrap()
}

pub(super) fn item(
    name: &str,
    kind: &str,
    grade: u8,
    mask: Option<&str>,
    data_type: &str,
) -> Value {
    let (sharing, opening) = match grade {
        1 => ("unconditional", "unconditional"),
        2 | 3 => ("conditional", "conditional"),
        _ => ("not-shared", "not-opened"),
    };
    let domain = kind.contains("id").then_some("person");
    json!({"name": name, "kind": kind, "grade": grade, "mask": mask, "unique": false,
        "domain": domain, "sharing": sharing, "opening": opening, "data_type": data_type})
}

pub(super) fn dataset(
    name: &str,
    subject: Option<&str>,
    external: bool,
    items: Vec<Value>,
) -> Value {
    json!({"name": name, "title": name, "provider": if external { "op-a" } else { "bureau" },
        "source": "x", "sector": "medical", "update": "daily", "subject": subject,
        "external": external, "prohibited": null, "risk": null, "items": items})
}

pub(super) fn datasets() -> Vec<Value> {
    let mut pid = item("pid", "subject_id", 3, None, "int");
    pid["unique"] = json!(true);
    let mut district = item("district", "code", 1, None, "text");
    district["unique"] = json!(true);
    let mut wealth = item("wealth", "amount", 3, Some("suppress"), "int");
    wealth["band"] = json!(1000.0);
    vec![
        dataset(
            "city.citizen",
            Some("pid"),
            false,
            vec![
                pid.clone(),
                item("name", "person_name", 2, Some("partial(1,0)"), "text"),
                item("birth", "date", 3, Some("year"), "date"),
                item("district", "code", 1, None, "text"),
                item("income", "amount", 3, Some("suppress"), "int"),
                wealth,
                item("diag", "free_text", 4, None, "text"),
                item("age", "count", 2, Some("band(10)"), "int"),
            ],
        ),
        dataset(
            "city.visits",
            Some("pid"),
            false,
            vec![
                item("pid", "subject_id", 3, None, "int"),
                item("hosp", "code", 1, None, "text"),
                item("cost", "amount", 2, Some("suppress"), "float"),
            ],
        ),
        dataset(
            "city.stat",
            None,
            false,
            vec![district, item("pop", "count", 1, None, "int")],
        ),
        dataset(
            "city.upload",
            None,
            true,
            vec![pid, item("label", "code", 1, None, "text")],
        ),
    ]
}

/// A permit over the four datasets, rows shown or not.
pub(super) fn permit(rows: bool) -> Arc<Permit> {
    static PERMITS: OnceLock<[Arc<Permit>; 2]> = OnceLock::new();
    let [off, on] = PERMITS.get_or_init(|| [of_four(false), of_four(true)]);
    Arc::clone(if rows { on } else { off })
}

fn of_four(rows: bool) -> Arc<Permit> {
    made(datasets(), &four(rows), (5, 10))
}

fn four(rows: bool) -> Value {
    json!([
        {"name": "city.citizen", "items": "all", "aggregate": ["income", "wealth"],
            "rows": null, "show_rows": rows},
        {"name": "city.visits", "items": "all", "aggregate": ["cost"], "rows": null,
            "show_rows": rows},
        {"name": "city.stat", "items": "all", "rows": null},
        {"name": "city.upload", "items": "all", "rows": null},
    ])
}

/// A permit from outside the domain, for a product of this plan at this stage.
pub(super) fn for_product(plan: Digest, stage: &str) -> Result<Arc<Permit>, Refusal> {
    let (mut state, der) = standing((datasets(), Vec::new()), &four(true), (5, 10));
    let product = json!({"event": "product-step", "by": "alice", "stage": stage, "course": {},
        "product": {"id": "p", "form": "report", "scenario": "care", "title": "x",
        "benefit": "public", "plan": plan, "disclosure": Digest::of(b"report"),
        "validation": {"kind": "validation", "title": "x", "until": "2027-12-31"}}});
    let product: Event = serde_json::from_value(product).unwrap();
    state.apply(&product);
    let caller = identity::prove(Some(&der), &state, Channel::Remote, now()).unwrap();
    let (scenario, product) = ("care".parse().unwrap(), "p".parse().unwrap());
    let asked = (Some(&scenario), Some(&product), Action::Query);
    Engine::load(None).permit_for(caller, &state, asked, now())
}

/// A permit over these datasets, as the scenario wants them, with k of grades two and three.
pub(super) fn made(datasets: Vec<Value>, wanted: &Value, k: (u32, u32)) -> Arc<Permit> {
    made_by(&Engine::load(None), datasets, wanted, k)
}

/// A permit by these policies.
pub(super) fn made_by(
    engine: &Engine,
    datasets: Vec<Value>,
    wanted: &Value,
    k: (u32, u32),
) -> Arc<Permit> {
    made_after(engine, (datasets, Vec::new()), wanted, k)
}

/// A permit over the four datasets, once something more came to stand.
pub(super) fn permit_after(rows: bool, more: Vec<Value>) -> Arc<Permit> {
    let wanted = four(rows);
    made_after(&Engine::load(None), (datasets(), more), &wanted, (5, 10))
}

fn made_after(
    engine: &Engine,
    stands: (Vec<Value>, Vec<Value>),
    wanted: &Value,
    k: (u32, u32),
) -> Arc<Permit> {
    let (state, der) = standing(stands, wanted, k);
    let caller = identity::prove(Some(&der), &state, Channel::Domain, now()).unwrap();
    let scenario = "care".parse().unwrap();
    engine
        .permit(caller, &state, (Some(&scenario), Action::Query), now())
        .unwrap()
}

/// What stands, and the certificate of its one caller.
fn standing(
    (datasets, more): (Vec<Value>, Vec<Value>),
    wanted: &Value,
    k: (u32, u32),
) -> (State, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path(), "tests", now()).unwrap();
    let person = json!({"id": "alice", "role": "operator-member", "organisation": "op-a",
        "vetted": true, "nda_until": "2027-12-31"});
    let issued = authority
        .issue(&serde_json::from_value(person.clone()).unwrap(), now())
        .unwrap();
    let der = certificate_der(&issued.certificate_pem);
    let scenario = json!({"id": "care", "licence": "lic-a", "title": "x", "purpose": "x",
    "members": ["alice"], "datasets": wanted});
    let licence = json!({"id": "lic-a", "operator": "op-a", "mode": "comprehensive",
        "from": "2026-01-01", "until": "2027-12-30", "agreement": null});
    let mut events = vec![
        json!({"event": "domain-created", "name": "tests", "title": "x", "default_schema": "city",
            "pilot": true, "thresholds": {"grade_two": k.0, "grade_three": k.1},
            "obligations": {"rows_max": 1000, "result_bytes_max": 1000000}}),
        json!({"event": "person-enrolled", "by": "alice", "person": person,
            "certificate": Digest::of(&der)}),
        json!({"event": "operator-registered", "by": "alice", "operator": {"id": "op-a",
            "title": "x", "security_officer": "alice", "emergency_plan": true, "evidence": []}}),
    ];
    let mut risks = Vec::new();
    for dataset in datasets {
        risks.push(
            json!({"dataset": dataset["name"], "snapshot": 1, "subjects": 9,
            "subjects_unique": 0, "subjects_below_k": 0, "k": 5}),
        );
        let types: Vec<Value> = dataset["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["data_type"].clone())
            .collect();
        let snapshot = json!({"dataset": dataset["name"], "number": 1, "rows": 9,
            "digest": Digest::of(b""), "types": types});
        events.push(json!({"event": "dataset-catalogued", "by": "alice", "dataset": dataset}));
        events.push(json!({"event": "dataset-loaded", "by": "alice", "snapshot": snapshot}));
    }
    events.push(
        json!({"event": "licence-step", "by": "alice", "stage": "granted",
        "licence": licence}),
    );
    events.push(
        json!({"event": "scenario-step", "by": "alice", "stage": "granted",
        "scenario": scenario, "row_risks": risks}),
    );
    events.extend(more);
    let mut state = State::default();
    for event in events {
        let event: Event = serde_json::from_value(event.clone())
            .unwrap_or_else(|error| panic!("{error}: {event}"));
        state.apply(&event);
    }
    (state, der)
}

fn certificate_der(pem: &str) -> Vec<u8> {
    let lines: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    base64(&lines)
}

fn base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let bits: Vec<u8> = text.bytes().filter(|c| *c != b'=').map(value).collect();
    let (mut out, mut buffer, mut count) = (Vec::new(), 0u32, 0);
    for six in bits {
        buffer = (buffer << 6) | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((buffer >> count & 0xff) as u8);
        }
    }
    out
}

/// A scan of these items as the caller's catalogue shows them.
pub(super) fn scan(dataset: &str, items: &[&str]) -> Node {
    scan_under(&permit(true), dataset, items)
}

/// The same under another permit.
pub(super) fn scan_under(permit: &Permit, dataset: &str, items: &[&str]) -> Node {
    let dataset: terms::DatasetName = dataset.parse().unwrap();
    let table = crate::catalogue(permit)
        .into_iter()
        .find(|table| table.dataset == dataset)
        .unwrap();
    let columns = items.iter().map(|name| {
        let (item, data_type) = table
            .columns
            .iter()
            .find(|(item, _)| item.as_str() == *name)
            .unwrap_or_else(|| panic!("{name} is not in {table:?}"));
        ScanColumn {
            item: item.clone(),
            data_type: *data_type,
            view: View::Catalogue,
        }
    });
    let columns = columns.collect();
    Node::Scan(Scan {
        dataset,
        columns,
        rows: None,
    })
}
