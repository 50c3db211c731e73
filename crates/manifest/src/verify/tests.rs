use super::*;
use crate::package::{
    DATA_PACKAGE_FILE, LINEAGE_FILE, PICTURE_FILE, PLAN_FILE, README_FILE, SCRIPT_FILE,
};
use crate::{
    Algorithm, Approval, CellRules, Content, DATA_FILE, Decision, Grant, Ground, Handed,
    ManifestKey, Operation, Parts, Record, Rule, RuleOutcome, Source, SourceItem,
};
use chrono::{DateTime, TimeZone as _, Utc};
use ledger::{Clock, Ledger};
use lineage::Column;
use serde_json::Value;
use std::ffi::OsStr;
use std::process::Command;
use std::sync::Arc;
use terms::{Mask, Notice, Origin, Type};

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> DateTime<Utc> {
        noon()
    }
}

fn noon() -> DateTime<Utc> {
    Utc.timestamp_opt(1_795_262_400, 123_450_789).unwrap()
}

/// A domain with a package beside it.
struct Domain {
    dir: tempfile::TempDir,
    ledger: Ledger,
    key: ManifestKey,
    manifest: Manifest,
    log: NoteVerifier,
    policy: String,
}

const DATA: &[u8] = b"PAR1 the data PAR1";

fn released(rows: u64) -> Event {
    Event::OperationReleased {
        query: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        rows,
        bytes: 64,
        result: Digest::of(b"result"),
        notice: Notice::Standing,
        register: "none".to_owned(),
        used: Some(terms::Usage {
            cells: rows,
            ..terms::Usage::default()
        }),
    }
}

fn domain() -> Domain {
    domain_with(Algorithm::P256)
}

fn domain_with(algorithm: Algorithm) -> Domain {
    let dir = tempfile::tempdir().unwrap();
    let key = ManifestKey::create(dir.path(), algorithm).unwrap();
    let ledger = Ledger::create(dir.path(), &"yuecheng".parse().unwrap(), Arc::new(Fixed)).unwrap();
    for rows in 0..5 {
        ledger
            .append(&released(rows + 100), None, noon())
            .wait()
            .unwrap();
    }
    let index = ledger
        .append(&released(3), Some(b"count"), noon())
        .wait()
        .unwrap()
        .index;
    ledger.append(&released(200), None, noon()).wait().unwrap();
    let leaf = String::from_utf8(ledger.leaf(index).unwrap()).unwrap();
    let proof = ledger.prove(index).unwrap().to_string();
    let log = ledger.reader().verifier().clone();
    Domain {
        manifest: manifest(index, leaf, proof),
        dir,
        ledger,
        key,
        policy: format!("log {log}\nquorum none\n"),
        log,
    }
}

fn manifest(index: u64, leaf: String, proof: String) -> Manifest {
    Manifest {
        operation: Operation {
            query: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            domain: "yuecheng".parse().unwrap(),
            pilot: true,
            opened: noon(),
            released: noon(),
        },
        grant: Grant {
            person: "zhang".parse().unwrap(),
            operator: "bank".parse().unwrap(),
            licence: "l1".parse().unwrap(),
            scenario: "s1".parse().unwrap(),
            purpose: "贷款 \"审查\"".to_owned(),
            product: None,
        },
        approvals: vec![Approval {
            of: Ground::Licence("l1".parse().unwrap()),
            stage: terms::Stage::Granted,
            by: "zhao".parse().unwrap(),
            at: noon(),
            index: 1,
        }],
        decision: Decision {
            plan: Digest::of(b"plan"),
            policies: Digest::of(b"policies"),
            register_version: 9,
            obligations: terms::Obligations {
                rows_max: 10,
                result_bytes_max: 1000,
            },
        },
        rules: vec![Rule {
            rule: "egress.row-level-export".to_owned(),
            clause: Some("CG-B 汇聚 L2-5".to_owned()),
            outcome: RuleOutcome::Held,
        }],
        sources: sources(),
        content: Content {
            rows: 3,
            bytes: 64,
            result: Digest::of(b"result"),
            columns: vec![Column {
                name: "avg".to_owned(),
                data_type: Type::Float,
                sources: vec![Origin {
                    dataset: "gjj.account".parse().unwrap(),
                    item: "balance".parse().unwrap(),
                    grade: terms::Grade::Three,
                    way: "raw-aggregate".to_owned(),
                    flow: terms::Flow::Aggregation,
                }],
            }],
            influences: Vec::new(),
            notice: Notice::Standing,
            accuracy: None,
            left_out: Vec::new(),
        },
        ledger: Record {
            index,
            leaf,
            register: "none".to_owned(),
            proof,
        },
    }
}

fn sources() -> Vec<Source> {
    vec![Source {
        dataset: "gjj.account".parse().unwrap(),
        snapshot: 1,
        k: Some(10),
        cells: Some(CellRules {
            share_percent: 90,
            rest_percent: 10,
            spread: true,
            freedom: 10,
            explained_percent: 50,
        }),
        items: vec![SourceItem {
            item: "balance".parse().unwrap(),
            grade: terms::Grade::Three,
            way: "raw-aggregate".to_owned(),
            mask: Mask::Band(1000.0),
        }],
    }]
}

impl Domain {
    fn parts(&self) -> Parts<'_> {
        Parts {
            data: Digest::of(DATA),
            data_bytes: 17,
            plan: "scan gjj.account\n",
            log: &self.log,
            policy: &self.policy,
        }
    }

    /// Puts the handing over of a manifest on record: the entry and its proof.
    fn hand(&self, manifest: Digest) -> (Vec<u8>, TlogProof) {
        let query = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let event = Event::Exported {
            query,
            manifest,
            product: None,
        };
        let handed = self.ledger.append(&event, None, noon()).wait().unwrap();
        let leaf = self.ledger.leaf(handed.index).unwrap();
        (leaf, self.ledger.prove(handed.index).unwrap())
    }

    fn package(&self) -> tempfile::TempDir {
        let sealed = self
            .manifest
            .clone()
            .seal(&self.parts(), &self.key)
            .unwrap();
        let (leaf, proof) = self.hand(sealed.digest());
        let (leaf, proof) = (leaf.as_slice(), &proof);
        let package = sealed.recorded(Handed { leaf, proof }).unwrap();
        let out = tempfile::tempdir().unwrap();
        package.write(&out.path().join("p")).unwrap();
        std::fs::write(out.path().join("p").join(DATA_FILE), DATA).unwrap();
        out
    }

    /// Verifies with both; they must agree.
    fn verify(&self, folder: &Path) -> Result<Verified, Broken> {
        let ours = verify_package(folder, &self.key.public().pem(), None);
        let theirs = script(folder, &self.dir.path().join("keys/manifest.pub.pem"), None);
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{ours:?} {theirs:?}");
        ours
    }

    /// Puts another statement into the envelope, signed by the domain's own key and on its record.
    fn sign_again(&self, folder: &Path, change: impl FnOnce(&mut Value)) {
        let envelope = std::fs::read(folder.join(MANIFEST_FILE)).unwrap();
        let payload = dsse::open(&envelope, self.key.public()).unwrap();
        let mut statement: Value = serde_json::from_slice(&payload).unwrap();
        change(&mut statement);
        let statement = statement.to_string();
        let envelope = dsse::seal(statement.as_bytes(), &self.key).unwrap();
        std::fs::write(folder.join(MANIFEST_FILE), envelope).unwrap();
        let (leaf, proof) = self.hand(Digest::of(statement.as_bytes()));
        std::fs::write(folder.join(ENTRY_FILE), leaf).unwrap();
        std::fs::write(folder.join(PROOF_FILE), proof.to_string()).unwrap();
    }
}

/// Runs the product's own script over a package, then the one that lies in it.
fn script(folder: &Path, key: &Path, log: Option<&Path>) -> Result<String, String> {
    let mut command = Command::new("sh");
    // The script of the product, not the one under test: a changed script proves nothing.
    let sound = folder.join("..").join("sound.sh");
    command
        .arg(SCRIPT_FILE)
        .current_dir(folder)
        .arg(key)
        .args(log);
    std::fs::write(&sound, include_str!("../verify.sh")).unwrap();
    let mut sound_command = Command::new("sh");
    sound_command
        .arg(&sound)
        .args([OsStr::new("-C"), folder.as_os_str()])
        .arg(key)
        .args(log);
    let output = sound_command.output().unwrap();
    if output.status.success() {
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn a_sound_package_passes_every_check_of_both_verifiers() {
    let domain = domain();
    let out = domain.package();
    let verified = domain.verify(&out.path().join("p")).unwrap();
    assert_eq!(verified.checks, Check::ALL);
    assert_eq!(
        (verified.log.as_str(), verified.log_size),
        ("bonded/yuecheng", 8)
    );
    assert_eq!(verified.manifest.grant, domain.manifest.grant);
}

#[test]
fn a_change_to_any_file_is_rejected() {
    let domain = domain();
    let out = domain.package();
    let folder = out.path().join("p");
    for name in SIGNED_FILES.into_iter().chain(OTHER_FILES) {
        let file = folder.join(name);
        let whole = std::fs::read(&file).unwrap();
        for place in [0, whole.len() / 2, whole.len() - 2] {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            std::fs::write(&file, changed).unwrap();
            assert!(domain.verify(&folder).is_err(), "{name} byte {place}");
        }
        std::fs::write(&file, [whole.as_slice(), b"\n"].concat()).unwrap();
        // A line end after the envelope changes nothing that is signed.
        assert_eq!(
            domain.verify(&folder).is_ok(),
            name == MANIFEST_FILE,
            "{name} longer"
        );
        std::fs::remove_file(&file).unwrap();
        assert!(domain.verify(&folder).is_err(), "{name} missing");
        std::fs::write(&file, whole).unwrap();
    }
    domain.verify(&folder).unwrap();
}

#[test]
fn files_that_the_manifest_does_not_name_are_rejected() {
    let domain = domain();
    let out = domain.package();
    let folder = out.path().join("p");
    for name in ["more.parquet", ".hidden", "..odd", "a b", "*"] {
        std::fs::write(folder.join(name), b"").unwrap();
        assert!(domain.verify(&folder).is_err(), "{name}");
        std::fs::remove_file(folder.join(name)).unwrap();
    }
    let data = folder.join(DATA_FILE);
    std::fs::rename(&data, out.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(out.path().join("elsewhere"), &data).unwrap();
    assert!(
        domain.verify(&folder).is_err(),
        "a link is no file of the package"
    );
}

/// Changes each scalar of a JSON value in turn.
fn each_scalar(value: &Value, change: &mut dyn FnMut(&str, Value)) {
    fn walk(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                members
                    .iter()
                    .for_each(|(k, v)| walk(v, &format!("{path}/{k}"), found));
            }
            Value::Array(all) => {
                all.iter()
                    .enumerate()
                    .for_each(|(n, v)| walk(v, &format!("{path}/{n}"), found));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                found.push(path.to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    assert!(found.len() > 30, "{found:?}");
    for path in found {
        let mut changed = value.clone();
        let scalar = changed.pointer_mut(&path).unwrap();
        *scalar = match &*scalar {
            Value::Bool(yes) => (!*yes).into(),
            Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
            Value::String(text) => format!("{text}0").into(),
            Value::Null | Value::Array(_) | Value::Object(_) => Value::Bool(true),
        };
        change(&path, changed);
    }
}

#[test]
fn a_change_to_any_field_of_the_manifest_is_rejected() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let domain = domain();
    let out = domain.package();
    let folder = out.path().join("p");
    let file = folder.join(MANIFEST_FILE);
    let whole = std::fs::read(&file).unwrap();
    let envelope: Value = serde_json::from_slice(&whole).unwrap();
    let payload = STANDARD
        .decode(envelope["payload"].as_str().unwrap())
        .unwrap();
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    each_scalar(&statement, &mut |path, changed| {
        let mut envelope = envelope.clone();
        envelope["payload"] = STANDARD.encode(changed.to_string()).into();
        std::fs::write(&file, envelope.to_string()).unwrap();
        assert!(domain.verify(&folder).is_err(), "{path}");
    });
}

#[test]
fn an_envelope_of_another_form_is_rejected() {
    let domain = domain();
    let out = domain.package();
    let folder = out.path().join("p");
    let file = folder.join(MANIFEST_FILE);
    let whole = std::fs::read_to_string(&file).unwrap();
    let change = |change: &dyn Fn(&mut Value)| {
        let mut envelope: Value = serde_json::from_str(&whole).unwrap();
        change(&mut envelope);
        envelope.to_string()
    };
    let spoil = |text: &Value| {
        let (head, rest) = text.as_str().unwrap().split_at(4);
        Value::from(format!("{head}\n{rest}"))
    };
    for text in [
        change(&|e| e["payloadType"] = "application/json".into()),
        change(&|e| e["signatures"] = Value::Array(Vec::new())),
        change(&|e| {
            let one = e["signatures"][0].clone();
            e["signatures"].as_array_mut().unwrap().push(one);
        }),
        change(&|e| e["more"] = 1.into()),
        change(&|e| e["signatures"][0]["cert"] = "x".into()),
        change(&|e| e["signatures"][0]["keyid"] = "00".into()),
        change(&|e| e["payload"] = spoil(&e["payload"])),
        change(&|e| e["signatures"][0]["sig"] = spoil(&e["signatures"][0]["sig"])),
        format!("{whole}{whole}"),
        String::new(),
    ] {
        std::fs::write(&file, &text).unwrap();
        assert!(domain.verify(&folder).is_err(), "{text}");
    }
}

#[test]
fn what_contradicts_the_record_is_rejected_though_the_domain_signed_it() {
    let domain = domain();
    for (path, value) in [
        ("/predicate/content/rows", Value::from(4)),
        ("/predicate/content/bytes", 65.into()),
        (
            "/predicate/content/result",
            Digest::of(b"x").to_string().into(),
        ),
        ("/predicate/content/notice", "groups-withheld".into()),
        ("/predicate/ledger/index", 4.into()),
        ("/predicate/ledger/register", "full".into()),
        (
            "/predicate/operation/query",
            "ffff456789abcdef0123456789abcdef".into(),
        ),
        ("/predicate/operation/domain", "elsewhere".into()),
        (
            "/predicate/operation/released",
            "2026-11-21T12:00:01Z".into(),
        ),
        ("/predicateType", "https://example.org".into()),
        ("/subject/0/name", "another".into()),
    ] {
        let out = domain.package();
        let folder = out.path().join("p");
        domain.sign_again(&folder, |statement| {
            *statement.pointer_mut(path).unwrap() = value
        });
        assert!(domain.verify(&folder).is_err(), "{path}");
    }
    let mut false_rows = domain.manifest.clone();
    false_rows.content.rows = 4;
    assert!(
        false_rows.seal(&domain.parts(), &domain.key).is_err(),
        "we do not sign it either"
    );
}

#[test]
fn a_package_of_another_domain_is_rejected_by_its_keys() {
    let (ours, theirs) = (domain(), domain());
    let out = theirs.package();
    let folder = out.path().join("p");
    theirs.verify(&folder).unwrap();
    assert!(matches!(
        ours.verify(&folder),
        Err(Broken::Fails {
            check: Check::Signature,
            ..
        })
    ));
    let pem = theirs.key.public().pem();
    let policy = |domain: &Domain| format!("# trusted\nlog {}\nquorum none\n", domain.log);
    verify_package(&folder, &pem, Some(&policy(&theirs))).unwrap();
    verify_package(&folder, &pem, Some(&theirs.log.to_string())).unwrap();
    assert!(matches!(
        verify_package(&folder, &pem, Some(&policy(&ours))),
        Err(Broken::Fails {
            check: Check::Log,
            ..
        })
    ));
    assert!(matches!(
        verify_package(&folder, &pem, Some("log x\nwitness w 1")),
        Err(Broken::Policy(_))
    ));
    let (keys, others) = (theirs.dir.path().join("keys"), ours.dir.path().join("keys"));
    let key = keys.join("manifest.pub.pem");
    script(&folder, &key, Some(&keys.join("ledger.vkey"))).unwrap();
    assert!(script(&folder, &key, Some(&others.join("ledger.vkey"))).is_err());
}

#[test]
fn a_key_is_read_and_written_as_openssl_does() {
    for algorithm in [Algorithm::P256, Algorithm::Ed25519] {
        as_openssl_does(&domain_with(algorithm));
    }
}

fn as_openssl_does(domain: &Domain) {
    let pem = domain.key.public().pem();
    assert_eq!(pem.parse::<PublicKey>().unwrap(), *domain.key.public());
    let public = domain.dir.path().join("keys/manifest.pub.pem");
    let output = Command::new("openssl")
        .args(["pkey", "-pubin", "-pubout", "-in"])
        .arg(&public)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), pem);
    assert!(
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
            .parse::<PublicKey>()
            .is_err()
    );
    assert!("".parse::<PublicKey>().is_err());
    let again = ManifestKey::open(domain.dir.path()).unwrap();
    assert_eq!(again.public(), domain.key.public());
    assert!(
        ManifestKey::create(domain.dir.path(), Algorithm::P256).is_err(),
        "a key is never written over"
    );
}

#[test]
fn the_lineage_names_the_items_behind_each_column() {
    let domain = domain();
    let out = domain.package();
    let folder = out.path().join("p");
    let lineage: Value =
        serde_json::from_slice(&std::fs::read(folder.join(LINEAGE_FILE)).unwrap()).unwrap();
    let fields = &lineage["outputs"][0]["facets"]["columnLineage"]["fields"];
    assert_eq!(fields["avg"]["inputFields"][0]["field"], "balance");
    assert_eq!(
        fields["avg"]["inputFields"][0]["transformations"][0]["subtype"],
        "AGGREGATION"
    );
    assert_eq!(
        lineage["run"]["runId"],
        "01234567-89ab-cdef-0123-456789abcdef"
    );
    for name in [
        PLAN_FILE,
        README_FILE,
        SCRIPT_FILE,
        PICTURE_FILE,
        DATA_PACKAGE_FILE,
    ] {
        assert!(folder.join(name).is_file());
    }
}

#[test]
fn an_ed25519_domain_signs_packages_that_both_verifiers_take() {
    let domain = domain_with(Algorithm::Ed25519);
    let out = domain.package();
    let folder = out.path().join("p");
    domain.verify(&folder).unwrap();
    let envelope = std::fs::read_to_string(folder.join(MANIFEST_FILE)).unwrap();
    let place = envelope.find("\"sig\":\"").unwrap() + 9;
    let other = if envelope.as_bytes()[place] == b'A' {
        "B"
    } else {
        "A"
    };
    let mut changed = envelope.clone();
    changed.replace_range(place..=place, other);
    std::fs::write(folder.join(MANIFEST_FILE), changed).unwrap();
    assert!(domain.verify(&folder).is_err());
}

#[test]
fn a_manifest_that_is_not_on_record_is_rejected_though_the_domain_signed_it() {
    let domain = domain();
    let out = domain.package();
    let folder = out.path().join("p");
    let (entry, proof) = (folder.join(ENTRY_FILE), folder.join(PROOF_FILE));
    let record = (
        std::fs::read(&entry).unwrap(),
        std::fs::read(&proof).unwrap(),
    );
    domain.sign_again(&folder, |statement| {
        *statement.pointer_mut("/predicate/grant/purpose").unwrap() = "another".into();
    });
    domain.verify(&folder).unwrap();
    // The first manifest's record stands under the second manifest.
    std::fs::write(&entry, record.0).unwrap();
    std::fs::write(&proof, record.1).unwrap();
    assert!(matches!(
        domain.verify(&folder),
        Err(Broken::Fails {
            check: Check::Record,
            ..
        })
    ));
}

/// A witness of this number, and its line under a checkpoint.
fn witness(number: u8) -> witness::CosigningKey {
    let mut pkcs8 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    pkcs8.extend([number; 32]);
    witness::CosigningKey::new(&format!("witness.example/w{number}"), &pkcs8).unwrap()
}

fn cosigned(folder: &Path, by: &[u8]) {
    let file = folder.join(PROOF_FILE);
    let mut proof: TlogProof = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    for number in by {
        let line = witness(*number).cosign(&proof.checkpoint, noon()).unwrap();
        proof.checkpoint.push_str(&line);
    }
    std::fs::write(file, proof.to_string()).unwrap();
}

#[test]
fn a_package_owes_the_witnesses_that_the_policy_asks_for() {
    let domain = domain();
    let out = domain.package();
    let folder = out.path().join("p");
    let pem = domain.key.public().pem();
    let key = domain.dir.path().join("keys/manifest.pub.pem");
    let named: String = (1..=3)
        .map(|n| {
            format!(
                "witness w{n} {} https://w{n}.example/\n",
                witness(n).cosigner()
            )
        })
        .collect();
    let two = format!(
        "# two of three\nlog {}\n{named}group two 2 w1 w2 w3\nquorum two\n",
        domain.log
    );
    let other = format!(
        "log {}\nwitness w9 {}\nquorum w9\n",
        domain.log,
        witness(9).cosigner()
    );
    let judge = |policy: &str| {
        let file = out.path().join("policy");
        std::fs::write(&file, policy).unwrap();
        let ours = verify_package(&folder, &pem, Some(policy));
        let theirs = script(&folder, &key, Some(&file));
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{policy} {ours:?} {theirs:?}");
        ours.is_ok()
    };
    assert!(!judge(&two));
    cosigned(&folder, &[3]);
    assert!(!judge(&two));
    cosigned(&folder, &[1]);
    assert!(judge(&two) && !judge(&other));
    assert!(judge(&two.replace("group two 2", "group two any")));
    assert!(!judge(&two.replace("group two 2", "group two all")));
    // A line that does not verify is no witness, and no package.
    let proof = folder.join(PROOF_FILE);
    let text = std::fs::read_to_string(&proof).unwrap();
    let line = text.lines().last().unwrap();
    let (head, _) = line.split_at(line.len() - 4);
    let bad = text.replace(line, &format!("{head}AAA="));
    std::fs::write(&proof, bad).unwrap();
    assert!(!judge(&two) && !judge(&two.replace("group two 2", "group two any")));
}
