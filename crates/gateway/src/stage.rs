//! A small served domain for the tests: one operator's member, one granted scenario over open data.

use crate::{Asking, Domain, Founding, Gateway, KeystoreConfig, Peer, Secrets, Unopened};
use chrono::{Days, Utc};
use identity::Authority;
use ledger::{Breach, Ledger, Stored, SystemClock};
use manifest::Algorithm;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use std::sync::Arc;
use terms::{Channel, Digest, Event, KeystoreKind};

/// The domain, its folder and its one caller.
pub(crate) struct Stage {
    pub gateway: Arc<Gateway>,
    pub folder: tempfile::TempDir,
    pub certificate: Vec<u8>,
}

pub(crate) fn event(value: Value) -> Event {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn licence_step(stage: &str) -> Event {
    let today = Utc::now().date_naive();
    event(
        json!({"event": "licence-step", "by": "dora", "stage": stage, "licence": {"id": "l",
        "operator": "op", "agreement": null, "mode": "comprehensive", "from": today - Days::new(9),
        "until": today + Days::new(99)}}),
    )
}

fn events(certificate: Digest) -> Vec<Event> {
    let nda = Utc::now().date_naive() + Days::new(99);
    let person = |id: &str, certificate: Digest| {
        event(
            json!({"event": "person-enrolled", "by": "admin", "certificate": certificate,
            "person": {"id": id, "role": "operator-member", "vetted": true, "organisation": "op",
            "nda_until": nda}}),
        )
    };
    vec![
        event(
            json!({"event": "domain-created", "name": "d", "title": "x", "default_schema": "city",
            "pilot": false, "thresholds": {"grade_two": 5, "grade_three": 10},
            "obligations": {"rows_max": 10, "result_bytes_max": 1000}}),
        ),
        person("ann", certificate),
        event(
            json!({"event": "operator-registered", "by": "dora", "operator": {"id": "op",
            "title": "x", "security_officer": "ann", "evidence": [], "emergency_plan": true}}),
        ),
        event(
            json!({"event": "dataset-catalogued", "by": "dora", "dataset": {"name": "city.open",
            "title": "x", "provider": "p", "source": "x", "sector": "medical", "update": "daily",
            "subject": null, "risk": null, "external": false, "prohibited": null, "items": [
            {"name": "code", "kind": "code", "grade": 1, "mask": null, "domain": null,
            "data_type": null, "sharing": "unconditional", "opening": "unconditional"}]}}),
        ),
        event(
            json!({"event": "dataset-loaded", "by": "dora", "snapshot": {"dataset": "city.open",
            "number": 1, "rows": 1, "digest": Digest::of(b""), "types": ["text"]}}),
        ),
        licence_step("granted"),
        scenario_over(&["city.open"]),
    ]
}

fn scenario_over(datasets: &[&str]) -> Event {
    let dataset =
        |name: &&str| json!({"name": name, "items": "all", "aggregate": [], "rows": null});
    let datasets: Vec<Value> = datasets.iter().map(dataset).collect();
    event(
        json!({"event": "scenario-step", "by": "dora", "stage": "granted", "row_risks": [],
        "scenario": {"id": "s", "licence": "l", "title": "x", "purpose": "x", "members": ["ann"],
        "datasets": datasets}}),
    )
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("domain");
        let founding = Founding {
            name: &"d".parse().unwrap(),
            policies: None,
            manifest_algorithm: Algorithm::Ed25519,
            ledger_postgres: None,
            keystore: KeystoreKind::Unprotected,
            keystore_config: &KeystoreConfig {
                danger_unprotected: true,
                ..KeystoreConfig::default()
            },
            secrets: &Secrets::default(),
            now: Utc::now(),
        };
        drop(Domain::create(&dir, &founding).unwrap());
        let authority = Authority::open(&dir.join("ca")).unwrap();
        let ann = json!({"id": "ann", "role": "operator-member", "organisation": "op",
            "vetted": true, "nda_until": null});
        let issued = authority.issue(&serde_json::from_value(ann).unwrap(), Utc::now());
        let issued = issued.unwrap();
        std::fs::write(folder.path().join("cert.pem"), &issued.certificate_pem).unwrap();
        std::fs::write(folder.path().join("key.pem"), &issued.key_pem).unwrap();
        let certificate = CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes());
        // A child that another test starts holds every lock for a moment, until it is its own program.
        let ledger = loop {
            match Ledger::open(dir.as_path(), Arc::new(SystemClock)) {
                Err(Breach::Held { .. }) => tokio::task::yield_now().await,
                opened => break opened.unwrap(),
            }
        };
        for event in events(issued.digest) {
            ledger.append(&event, None, Utc::now()).await.unwrap();
        }
        drop(ledger);
        let program = jail::program(folder.path(), "gateway_stand_in", "cat >/dev/null").unwrap();
        let gateway = loop {
            match Gateway::open(&dir, program.clone(), &Secrets::default()).await {
                Err(Unopened::Ledger(Breach::Held { .. }) | Unopened::InUse(_)) => {}
                opened => break opened.unwrap(),
            }
        };
        Self {
            gateway,
            folder,
            certificate: certificate.unwrap().to_vec(),
        }
    }

    /// Ann, for the one scenario.
    pub(crate) fn asking(&self) -> Asking {
        Asking {
            peer: Peer::for_test(&self.certificate),
            channel: Channel::Domain,
            scenario: Some("s".to_owned()),
            product: None,
        }
    }

    /// Puts on record, lets stand and announces.
    pub(crate) async fn stand(&self, event: Event) {
        let live = &self.gateway.domain.live;
        let turn = live.turn().await;
        let at = Utc::now();
        let appended = self.gateway.domain.ledger.append(&event, None, at).await;
        let stored = Stored {
            index: appended.unwrap().index,
            at,
            event,
            sealed: None,
        };
        live.apply(&turn, &stored);
        drop(turn);
        live.announce();
    }

    pub(crate) async fn suspend(&self) {
        self.stand(licence_step("suspended")).await;
    }

    /// Ann's scenario is over people too from now on.
    pub(crate) async fn stand_people(&self) {
        let catalogued = event(
            json!({"event": "dataset-catalogued", "by": "dora", "dataset": {"name": "city.people",
            "title": "x", "provider": "p", "source": "x", "sector": "medical", "update": "daily",
            "subject": "id", "risk": null, "external": false, "prohibited": null, "items": [
            {"name": "id", "kind": "subject_id", "grade": 3, "mask": null, "domain": "person",
            "data_type": null, "sharing": "conditional", "opening": "conditional"}]}}),
        );
        let loaded = event(
            json!({"event": "dataset-loaded", "by": "dora", "snapshot": {"dataset": "city.people",
            "number": 1, "rows": 1, "digest": Digest::of(b""), "types": ["text"]}}),
        );
        for event in [
            catalogued,
            loaded,
            scenario_over(&["city.open", "city.people"]),
        ] {
            self.stand(event).await;
        }
    }

    /// Something that is none of Ann's business.
    pub(crate) async fn enrol_another(&self) {
        let bob = event(
            json!({"event": "person-enrolled", "by": "admin", "certificate": Digest::of(b"bob"),
            "person": {"id": "bob", "role": "regulator", "vetted": true, "organisation": "r",
            "nda_until": null}}),
        );
        self.stand(bob).await;
    }

    /// How the log says that the last operation ended.
    pub(crate) fn ended(&self) -> Option<String> {
        let events = self.gateway.domain.ledger.events(0).unwrap();
        let events: Vec<Event> = events.map(|stored| stored.unwrap().event).collect();
        events.into_iter().rev().find_map(|event| {
            let value = serde_json::to_value(&event).unwrap();
            let name = value["event"].as_str().unwrap_or_default().to_owned();
            let code = value["code"].as_str().unwrap_or_default();
            name.starts_with("operation-")
                .then(|| format!("{name} {code}"))
        })
    }
}

/// The domain of a stage, backed up while it is open and put back beside it.
pub(crate) async fn put_back(stage: &Stage) -> Domain {
    let folder = stage.folder.path();
    let (place, safe) = (folder.join("place"), folder.join("safe"));
    let domain = &stage.gateway.domain;
    let made = domain.back_up(Some(&place), Box::new(|_| Ok(()))).await;
    made.unwrap();
    let (_, keys) = domain.copy_keys(&safe).await.unwrap();
    let into = folder.join("back");
    let restoring = crate::Restoring {
        from: &backup::Folder::new(&place),
        number: None,
        keys: &keys,
        into: &into,
        keystore: &KeystoreConfig::default(),
        secrets: &Secrets::default(),
        danger_accept_rollback: false,
    };
    restoring.restore(&mut |_| Ok(())).unwrap();
    loop {
        match Domain::open(&into, &Secrets::default()) {
            Err(Unopened::Ledger(Breach::Held { .. }) | Unopened::InUse(_)) => {}
            opened => return opened.unwrap(),
        }
    }
}
