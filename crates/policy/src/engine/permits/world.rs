//! A case's world: read, enrolled through the register's own events, and asked with a real certificate.

use super::*;
use identity::{Authority, prove};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;
use serde_json::Map;
use terms::{Event, Grade};

/// The lists of one file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    defaults: Map<String, Value>,
    permit: Vec<Map<String, Value>>,
}

/// What a case says once the world and its file's defaults are laid under it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub now: DateTime<Utc>,
    pub channel: Channel,
    pub scenario_named: Option<ScenarioId>,
    /// How the product stands whose results alone are asked for.
    pub product: Option<String>,
    /// What is sealed: the dataset, the scenario or the licence.
    pub sealed: Option<String>,
    pub person: Asker,
    pub operator: Firm,
    pub licence: Granted,
    pub scenario: Approved,
    pub dataset: Entry,
    pub thresholds: Value,
    pub items: BTreeMap<String, Column>,
    pub refused: Option<String>,
    pub shown: BTreeMap<String, String>,
    pub k: u32,
    pub protected: bool,
    pub ends: DateTime<Utc>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asker {
    pub role: String,
    pub organisation: String,
    pub vetted: bool,
    pub nda_until: Option<NaiveDate>,
    pub certificate: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Firm {
    pub registered: String,
    pub emergency_plan: bool,
    pub evidence: BTreeMap<String, NaiveDate>,
    pub drill_until: Option<NaiveDate>,
    #[serde(default)]
    pub assessment_failed: bool,
    /// By a violation in force.
    #[serde(default)]
    pub closed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Granted {
    pub operator: String,
    pub stage: String,
    pub scope: Value,
    pub from: NaiveDate,
    pub until: NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Approved {
    pub stage: String,
    pub members: Vec<String>,
    pub listed: Vec<String>,
    pub aggregate: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub sector: String,
    pub provider: String,
    pub subject: Option<String>,
    pub external: bool,
    pub prohibited: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub grade: Grade,
    pub r#type: Option<String>,
    pub domain: Option<String>,
    pub mask: Option<String>,
}

// === reading ===

/// Lays one table over another. `every` speaks for all keys below it; a key the world lacks is a mistake.
fn lay(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    if let Some(every) = over.get("every") {
        let names: Vec<String> = under.keys().cloned().collect();
        for name in names {
            let one = Map::from_iter([(name, every.clone())]);
            lay(under, &one);
        }
    }
    for (name, value) in over.iter().filter(|(name, _)| *name != "every") {
        let known = under
            .get_mut(name)
            .unwrap_or_else(|| panic!("the world has no `{name}`"));
        match (known, value) {
            (Value::Object(known), Value::Object(value)) => lay(known, value),
            (known, value) => *known = value.clone(),
        }
    }
}

/// TOML has no null: an empty word is none.
fn without_empty(value: &mut Value) {
    match value {
        Value::String(word) if word.is_empty() => *value = Value::Null,
        Value::Object(all) => all.values_mut().for_each(without_empty),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
}

/// All cases, by file and name.
pub(super) fn cases() -> Vec<(String, Case)> {
    let folder = Path::new("../../policies/permits");
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let world: Map<String, Value> = toml::from_str(&text(&folder.join("world.toml"))).unwrap();
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| !path.ends_with("world.toml"))
        .collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let place = path.file_name().unwrap().to_string_lossy().into_owned();
        let file: File = toml::from_str(&text(&path)).unwrap_or_else(|e| panic!("{place}: {e}"));
        for mut said in file.permit {
            let name = said.remove("name").expect("a case has a name");
            let name = format!("{place}, {}", name.as_str().unwrap());
            let mut whole = world["world"].as_object().unwrap().clone();
            lay(&mut whole, &file.defaults);
            lay(&mut whole, &said);
            let mut whole = Value::Object(whole);
            without_empty(&mut whole);
            let case = serde_json::from_value(whole).unwrap_or_else(|e| panic!("{name}: {e}"));
            all.push((name, case));
        }
    }
    all
}

// === the world ===

/// A certificate that holds from 2026-05-31 to 2027-06-01, and the authority's folder.
pub(super) fn certificate() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let issued_at = "2026-06-01T00:00:00Z".parse().unwrap();
    let authority = Authority::create(folder.path(), "test", issued_at).unwrap();
    let ann = json!({"id": "ann", "role": "operator-member", "organisation": "op", "vetted": true,
        "nda_until": null});
    let issued = authority
        .issue(&serde_json::from_value(ann).unwrap(), issued_at)
        .unwrap();
    let der = CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap();
    der.to_vec()
}

/// What stands after these events.
pub(super) fn folded(events: Vec<Value>) -> State {
    let mut state = State::default();
    for event in events {
        let event: Event = serde_json::from_value(event).unwrap();
        state.apply(&event);
    }
    state
}

impl Case {
    fn state(&self, certificate: Digest) -> State {
        folded(self.events(certificate))
    }

    pub(super) fn events(&self, certificate: Digest) -> Vec<Value> {
        let evidence = self.operator.evidence.iter();
        let evidence = evidence
            .map(|(kind, until)| json!({"kind": kind, "title": "x", "until": until}))
            .collect::<Vec<_>>();
        let types: Vec<_> = self.items.values().map(|item| &item.r#type).collect();
        let listed = match self.scenario.listed.as_slice() {
            [all] if all == "*" => json!("all"),
            names => json!({"named": names}),
        };
        let mut events = vec![
            json!({"event": "domain-created", "name": "d", "title": "x", "default_schema": "fund",
                "pilot": false, "thresholds": self.thresholds,
                "obligations": {"rows_max": 1, "result_bytes_max": 1}}),
            json!({"event": "person-enrolled", "by": "admin", "certificate": certificate,
                "person": {"id": "ann", "role": self.person.role, "vetted": self.person.vetted,
                "organisation": self.person.organisation, "nda_until": self.person.nda_until}}),
            json!({"event": "operator-registered", "by": "dora", "operator": {"title": "x",
                "id": self.operator.registered, "security_officer": null, "evidence": evidence,
                "emergency_plan": self.operator.emergency_plan,
                "drill_until": self.operator.drill_until,
                "assessment_failed": self.operator.assessment_failed}}),
            json!({"event": "dataset-catalogued", "by": "dora", "dataset": self.dataset_entry()}),
            json!({"event": "dataset-loaded", "by": "dora", "snapshot": {"dataset": "fund.people",
                "number": 1, "rows": 1, "digest": Digest::of(b""), "types": types}}),
            json!({"event": "licence-step", "by": "ann", "stage": self.licence.stage,
                "licence": self.licence_entry()}),
            json!({"event": "scenario-step", "by": "ann", "stage": self.scenario.stage,
                "row_risks": [], "scenario": {"id": "s", "licence": "l", "title": "x",
                "purpose": "x", "members": self.scenario.members, "datasets": [{
                "name": "fund.people", "items": listed, "aggregate": self.scenario.aggregate,
                "rows": null}]}}),
        ];
        if let Some(stage) = self.product.as_ref().filter(|stage| *stage != "unknown") {
            events.push(
                json!({"event": "product-step", "by": "ann", "stage": stage, "course": {},
                "product": {"id": "p", "form": "report", "scenario": "s", "title": "x",
                "benefit": "public", "plan": Digest::of(b"plan"), "disclosure": Digest::of(b"report"),
                "validation": {"kind": "validation", "title": "x", "until": "2027-12-31"}}}),
            );
        }
        if let Some(unit) = &self.sealed {
            let id = ["fund.people", "s", "l"][["dataset", "scenario", "licence"]
                .iter()
                .position(|known| known == unit)
                .unwrap()];
            events.push(
                json!({"event": "data-sealed", "by": "sam", "unit": format!("{unit}/{id}"),
                "basis": "order", "until": "2026-12-31", "list": Digest::of(b""),
                "root": Digest::of(b"")}),
            );
        }
        if self.operator.closed {
            events.push(
                json!({"event": "violation-recorded", "violation": {"id": "v",
                "operator": self.operator.registered, "kind": "other-breach", "measure": "closed",
                "recorded_by": "dora", "recorded": "2026-01-01"}}),
            );
        }
        events
    }

    fn dataset_entry(&self) -> Value {
        let item = |(kind, item): (&String, &Column)| {
            json!({"name": kind, "kind": kind, "grade": item.grade, "mask": item.mask,
                "domain": item.domain, "data_type": null,
                "sharing": item.grade.default_sharing(), "opening": item.grade.default_opening()})
        };
        let dataset = &self.dataset;
        json!({"name": "fund.people", "title": "x", "provider": dataset.provider, "source": "x",
            "sector": dataset.sector, "update": "x", "subject": dataset.subject, "risk": null,
            "external": dataset.external, "prohibited": dataset.prohibited,
            "items": self.items.iter().map(item).collect::<Vec<_>>()})
    }

    pub(super) fn licence_entry(&self) -> Value {
        let mut licence = json!({"id": "l", "operator": self.licence.operator, "agreement": null,
            "from": self.licence.from, "until": self.licence.until});
        for (key, value) in self.licence.scope.as_object().unwrap() {
            licence[key] = value.clone();
        }
        licence
    }

    pub(super) fn permit(&self, engine: &Engine, der: &[u8]) -> Result<Arc<Permit>, String> {
        let enrolled = match self.person.certificate.as_str() {
            "unknown" => Digest::of(b"another"),
            _ => Digest::of(der),
        };
        let state = self.state(enrolled);
        let sent = (self.person.certificate != "none").then_some(der);
        let caller =
            prove(sent, &state, self.channel, self.now).map_err(|e| e.code().to_owned())?;
        let product = self.product.as_ref().map(|_| "p".parse().unwrap());
        let asked = (
            self.scenario_named.as_ref(),
            product.as_ref(),
            Action::Query,
        );
        engine
            .permit_for(caller, &state, asked, self.now)
            .map_err(|refusal| refusal.code().to_owned())
    }
}
