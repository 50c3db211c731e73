//! For tests: a permit made by the real engine from real events, and a shell script for a runner.

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{Field, Schema},
    ipc::writer::StreamWriter,
};
use chrono::{DateTime, TimeZone, Utc};
use confine::{Confined, confine};
use disclosure::{Admitted, Limits, Register};
use dispatch::{Done, Keys, Pool, PoolConfig};
use identity::Authority;
use ledger::{Decided, Decision, Ledger, Opening, SystemClock};
use plan::{AggregateCall, AggregateFunction, Expr, Literal, Node, Plan, Scan, ScanColumn, View};
use policy::{Engine, Permit};
use register::State;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};
use terms::{Action, Channel, Digest, Event, Obligations, Type};
use wire::{frame, job::RunFrame};

pub(crate) const CAPS: Obligations = Obligations {
    rows_max: 10_000,
    result_bytes_max: 100_000,
};

/// What a runner says at its end.
pub(crate) const DONE: Done = Done {
    rows: 0,
    groups_withheld: 0,
    cpu_us: 11,
    memory_peak_bytes: 12,
};

pub(crate) const QUERY: &str = "0123456789abcdef0123456789abcdef";

// === what is granted ===

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 21, 9, 0, 0).unwrap()
}

fn item(name: &str, kind: &str, grade: u8, domain: Option<&str>, data_type: &str) -> Value {
    let attribute = if grade == 1 {
        "unconditional"
    } else {
        "conditional"
    };
    json!({"name": name, "kind": kind, "grade": grade, "mask": null, "unique": false,
        "domain": domain, "sharing": attribute, "opening": attribute, "data_type": data_type})
}

fn events(person: &Value, certificate: Digest) -> Vec<Value> {
    let dataset = json!({"name": "city.citizen", "title": "x", "provider": "bureau", "source": "x",
    "sector": "medical", "update": "daily", "subject": "pid", "external": false,
    "prohibited": null, "risk": null, "items": [
        item("pid", "subject_id", 3, Some("person"), "int"),
        item("district", "code", 1, None, "text"),
        item("income", "amount", 3, None, "int"),
    ]});
    let scenario = json!({"id": "care", "licence": "lic-a", "title": "x", "purpose": "x",
        "members": ["alice"], "datasets": [{"name": "city.citizen", "items": "all",
            "aggregate": ["income"], "rows": null, "show_rows": true}]});
    let licence = json!({"id": "lic-a", "operator": "op-a", "mode": "comprehensive",
        "from": "2026-01-01", "until": "2027-12-30", "agreement": null});
    vec![
        json!({"event": "domain-created", "name": "tests", "title": "x", "default_schema": "city",
            "pilot": true, "thresholds": {"grade_two": 5, "grade_three": 10}, "obligations": CAPS}),
        json!({"event": "person-enrolled", "by": "alice", "person": person,
            "certificate": certificate}),
        json!({"event": "operator-registered", "by": "alice", "operator": {"id": "op-a",
            "title": "x", "security_officer": "alice", "emergency_plan": true, "evidence": []}}),
        json!({"event": "dataset-catalogued", "by": "alice", "dataset": dataset}),
        json!({"event": "dataset-loaded", "by": "alice", "snapshot": {"dataset": "city.citizen",
            "number": 1, "rows": 9, "digest": Digest::of(b""), "types": ["int", "text", "int"]}}),
        json!({"event": "licence-step", "by": "alice", "stage": "granted", "licence": licence}),
        json!({"event": "scenario-step", "by": "alice", "stage": "granted", "scenario": scenario,
            "row_risks": [{"dataset": "city.citizen", "snapshot": 1, "subjects": 9,
            "subjects_unique": 0, "subjects_below_k": 0, "k": 5}]}),
    ]
}

/// A permit over `city.citizen` that shows rows, under [`CAPS`].
fn permit() -> Arc<Permit> {
    static PERMIT: OnceLock<Arc<Permit>> = OnceLock::new();
    Arc::clone(PERMIT.get_or_init(made))
}

fn made() -> Arc<Permit> {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path(), "tests", now()).unwrap();
    let person = json!({"id": "alice", "role": "operator-member", "organisation": "op-a",
        "vetted": true, "nda_until": "2027-12-31"});
    let alice = serde_json::from_value(person.clone()).unwrap();
    let issued = authority.issue(&alice, now()).unwrap();
    let der = CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap();
    let mut state = State::default();
    for event in events(&person, Digest::of(&der)) {
        let event: Event = serde_json::from_value(event).unwrap();
        state.apply(&event);
    }
    let caller = identity::prove(Some(&der), &state, Channel::Domain, now()).unwrap();
    let asked = (Some(&"care".parse().unwrap()), Action::Query);
    Engine::load(None)
        .permit(caller, &state, asked, now())
        .unwrap()
}

fn confined(root: Node) -> Confined {
    let width = root.fields().unwrap().len();
    let draft = Plan {
        root,
        names: (0..width).map(|at| format!("c{at}")).collect(),
        checks: vec![],
    };
    confine(permit(), &draft).unwrap()
}

/// One row of these values: nobody's data.
pub(crate) fn values(row: &[Literal]) -> Confined {
    confined(Node::Values {
        types: row.iter().map(Literal::data_type).collect(),
        rows: vec![row.to_vec()],
    })
}

fn citizen(columns: &[(&str, Type)]) -> Node {
    let column = |(item, data_type): &(&str, Type)| ScanColumn {
        item: item.parse().unwrap(),
        data_type: *data_type,
        view: View::Catalogue,
    };
    Node::Scan(Scan {
        dataset: "city.citizen".parse().unwrap(),
        columns: columns.iter().map(column).collect(),
        rows: None,
    })
}

/// How many raw incomes there are by district: owes the threshold.
pub(crate) fn counted() -> Confined {
    confined(Node::Aggregate {
        input: Box::new(citizen(&[("district", Type::Text), ("income", Type::Int)])),
        keys: vec![Expr::Column(0)],
        aggregates: vec![AggregateCall {
            function: AggregateFunction::Count,
            arguments: vec![Expr::Column(1)],
            distinct: false,
            filter: None,
        }],
    })
}

/// Districts, with an income that is only aggregated.
pub(crate) fn left_out() -> Confined {
    confined(citizen(&[("district", Type::Text), ("income", Type::Int)]))
}

// === what runs ===

/// A script in place of a runner, and the record of what it runs for.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    pub(crate) ledger: Ledger,
    register: Arc<Register>,
    pool: Pool,
}

impl Stage {
    /// A runner that says this and then does that. Needs a runtime's context.
    pub(crate) fn answering(frames: &[RunFrame], then: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let said = frames.iter().flat_map(|said| frame::sealed(said).unwrap());
        fs::write(at("answer"), said.collect::<Vec<u8>>()).unwrap();
        let answer = at("answer").display().to_string();
        let script = format!("cat >/dev/null; cat {answer}; {then}");
        let program = jail::program(folder.path(), "egress_stand_in", &script).unwrap();
        let ledger = Ledger::create(
            &dir(&at("ledger")),
            &"tests".parse().unwrap(),
            Arc::new(SystemClock),
        );
        let vault = dir(&at("vault"));
        let keyring = vault::Keyring::create(&vault).unwrap();
        let nobody = Box::new(|_: &terms::DatasetName, _| Ok(vec![]));
        let register = Register::open(&vault, &keyring, nobody, Limits::default());
        Self {
            pool: Pool::new(PoolConfig::new(program)).unwrap(),
            ledger: ledger.unwrap(),
            register: Arc::new(register.unwrap()),
            folder,
        }
    }

    async fn decided(&self, confined: &Confined) -> Decided {
        let opening = Opening {
            query: QUERY.parse().unwrap(),
            action: Action::Query,
            person: "alice".parse().unwrap(),
            scenario: None,
            product: None,
            channel: Channel::Domain,
        };
        let decision = Decision {
            plan: confined.digest(),
            policies: confined.permit().policies(),
            register_version: 1,
            references: vec![],
            obligations: CAPS,
            lineage: Vec::new(),
        };
        let entry = self.ledger.open_operation(opening, "SELECT 1", now()).await;
        entry.unwrap().decide(decision, now()).await.unwrap()
    }

    /// The outcome of a plan that reads no data.
    pub(crate) async fn admitted(&self, confined: Confined) -> Admitted {
        assert!(self.folder.path().exists());
        let decided = self.decided(&confined).await;
        let keys = Keys {
            sources: vec![],
            token_key: vault::Key::from_bytes([0; 32]),
            order_key: vault::Key::from_bytes([0; 32]),
        };
        let lease = Duration::from_secs(60);
        let outcome = self.pool.run(confined, decided, keys, lease).await;
        self.register.admitted(outcome.unwrap()).await.unwrap()
    }
}

fn dir(path: &Path) -> std::path::PathBuf {
    fs::create_dir_all(path).unwrap();
    path.to_owned()
}

/// A frame of one column.
pub(crate) fn framed(column: ArrayRef) -> RunFrame {
    let field = Field::new("c0", column.data_type().clone(), true);
    let schema = Arc::new(Schema::new(vec![field]));
    let batch = RecordBatch::try_new(schema, vec![column]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    RunFrame::Batch(writer.into_inner().unwrap().into())
}
