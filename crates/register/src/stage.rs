//! A small domain, raised step by step, and commands to judge in it.

use crate::{Command, State, Unlawful};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use terms::{Aspect, Digest, Event, Person};

/// The moment of every step that does not say another: noon of 2026-11-21 in the domain.
pub(crate) fn noon() -> DateTime<Utc> {
    at("2026-11-21")
}

/// Noon of a civil day of the domain.
pub(crate) fn at(day: &str) -> DateTime<Utc> {
    format!("{day}T12:00:00+08:00").parse().unwrap()
}

/// A value of the vocabulary from its JSON.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

/// The JSON with one place changed.
pub(crate) fn with(mut value: Value, place: &str, to: impl Into<Value>) -> Value {
    *value.pointer_mut(place).unwrap() = to.into();
    value
}

/// A person; the role is told by the organisation.
pub(crate) fn person(id: &str, organisation: &str) -> Person {
    let role = match organisation {
        "bigdata-bureau" => "data-authority",
        "cyber-bureau" => "security-authority",
        "civil-affairs" => "provider",
        "domain" => "domain-admin",
        _ => "operator-member",
    };
    read(
        json!({"id": id, "role": role, "organisation": organisation, "vetted": true,
        "nda_until": "2027-12-31"}),
    )
}

pub(crate) fn adam() -> Person {
    person("adam", "domain")
}

/// Of the data authority.
pub(crate) fn dora() -> Person {
    person("dora", "bigdata-bureau")
}

/// Of the security authority.
pub(crate) fn sam() -> Person {
    person("sam", "cyber-bureau")
}

/// A member of operator `acme`, and its data security officer.
pub(crate) fn ann() -> Person {
    person("ann", "acme")
}

/// A member of operator `zeta`, and its data security officer.
pub(crate) fn zoe() -> Person {
    person("zoe", "zeta")
}

pub(crate) fn enrol(person: Person) -> Command {
    let certificate = Digest::of(person.id.as_str().as_bytes());
    Command::EnrolPerson {
        person,
        certificate,
    }
}

pub(crate) fn create() -> Command {
    Command::CreateDomain {
        name: read(json!("wuxi")),
        title: "Wuxi".to_owned(),
        default_schema: "city".to_owned(),
        pilot: true,
        thresholds: terms::Thresholds {
            grade_two: 6,
            grade_three: 12,
        },
        obligations: terms::Obligations {
            rows_max: 1000,
            result_bytes_max: 1_000_000,
        },
    }
}

pub(crate) fn operator(id: &str, officer: &str) -> Value {
    json!({"id": id, "title": id, "security_officer": officer, "emergency_plan": true,
        "evidence": []})
}

pub(crate) fn item(name: &str, kind: &str, grade: u8) -> Value {
    let (sharing, opening) = match grade {
        1 => ("unconditional", "unconditional"),
        2 => ("unconditional", "conditional"),
        3 => ("conditional", "not-opened"),
        _ => ("not-shared", "not-opened"),
    };
    json!({"name": name, "kind": kind, "grade": grade, "mask": null, "unique": false,
        "domain": null, "sharing": sharing, "opening": opening, "data_type": null})
}

/// `city.citizen`: one item of each grade, about people.
pub(crate) fn dataset() -> Value {
    let items = [
        item("pid", "subject_id", 3),
        item("phone", "phone", 2),
        item("district", "code", 1),
        item("gene", "free_text", 4),
    ];
    json!({"name": "city.citizen", "title": "Citizens", "content": "", "provider":
        "civil-affairs", "source": "forms", "sector": "medical", "update": "daily",
        "subject": "pid", "external": false, "prohibited": null, "risk": null, "items": items})
}

pub(crate) fn snapshot(number: u32) -> Value {
    json!({"dataset": "city.citizen", "number": number, "rows": 7, "digest": Digest::of(b"x"),
        "types": ["int", "text", "text", null]})
}

/// A licence of `acme` over two sectors.
pub(crate) fn licence() -> Value {
    json!({"id": "l-1", "operator": "acme", "mode": "sectoral", "sectors": ["medical", "credit"],
        "from": "2026-01-01", "until": "2027-12-31", "agreement": "A-1"})
}

/// What a scenario wants of `city.citizen`.
pub(crate) fn wanted() -> Value {
    json!({"name": "city.citizen", "items": {"named": ["pid", "phone"]}, "aggregate": ["phone"],
        "rows": null, "rows_plan": null, "show_rows": false})
}

pub(crate) fn scenario() -> Value {
    json!({"id": "s-1", "licence": "l-1", "title": "t", "purpose": "p", "members": ["ann"],
        "datasets": [wanted()]})
}

/// Folds what the command becomes; it has to be lawful.
pub(crate) fn carry(state: &mut State, by: &Person, command: Command) -> Event {
    carry_on(state, by, command, "2026-11-21")
}

/// … on another day.
pub(crate) fn carry_on(state: &mut State, by: &Person, command: Command, day: &str) -> Event {
    let mut events = state.judge(by, command, at(day)).unwrap();
    let event = events.pop().unwrap();
    assert!(events.is_empty(), "one command is one event");
    state.apply(&event);
    event
}

/// Judges a command that has to be refused, and shows that it changed nothing.
pub(crate) fn refused(state: &State, by: &Person, command: Command) -> Unlawful {
    refused_on(state, by, command, "2026-11-21")
}

/// … on another day.
pub(crate) fn refused_on(state: &State, by: &Person, command: Command, day: &str) -> Unlawful {
    let before = format!("{state:?}");
    let why = state.judge(by, command, at(day)).unwrap_err();
    assert_eq!(format!("{state:?}"), before);
    why
}

/// People and two operators.
pub(crate) fn peopled() -> State {
    let mut state = State::default();
    carry(&mut state, &adam(), create());
    for person in [adam(), dora(), sam(), ann(), zoe()] {
        carry(&mut state, &adam(), enrol(person));
    }
    for (id, officer) in [("acme", "ann"), ("zeta", "zoe")] {
        let command = Command::RegisterOperator(read(operator(id, officer)));
        carry(&mut state, &dora(), command);
    }
    state
}

/// … and a dataset.
pub(crate) fn catalogued() -> State {
    let mut state = peopled();
    carry(
        &mut state,
        &dora(),
        Command::CatalogueDataset(read(dataset())),
    );
    state
}

/// … and a licence, granted.
pub(crate) fn licensed(licence: Value) -> State {
    let mut state = catalogued();
    let id = || read(licence["id"].clone());
    let by = ann();
    carry(
        &mut state,
        &by,
        Command::ApplyLicence(read(licence.clone())),
    );
    carry(&mut state, &sam(), Command::ReviewLicence(id()));
    let until = noon().date_naive();
    let licence = id();
    carry(
        &mut state,
        &dora(),
        Command::NoticeLicence { licence, until },
    );
    carry(&mut state, &dora(), Command::GrantLicence(id()));
    state
}

/// All three reviews of a scenario, the second authority's last.
pub(crate) fn reviews(scenario: &str, row_risks: Value) -> [(Person, Command); 3] {
    [
        (dora(), Aspect::Reasonableness),
        (dora(), Aspect::Compliance),
        (sam(), Aspect::Security),
    ]
    .map(|(by, aspect)| {
        let command = Command::ReviewScenario {
            scenario: read(json!(scenario)),
            aspect,
            row_risks: read(row_risks.clone()),
        };
        (by, command)
    })
}

/// Data comes in that no scenario shows rows of.
pub(crate) fn load(snapshot: Value) -> Command {
    Command::LoadDataset {
        snapshot: read(snapshot),
        row_risks: BTreeMap::new(),
    }
}
