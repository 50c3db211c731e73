use super::*;
use crate::{Format, Keyring};
use arrow::array::Array;
use terms::{Grade, Kind};

struct Gate {
    dir: tempfile::TempDir,
    store: Store,
}

fn gate() -> Gate {
    let dir = tempfile::tempdir().unwrap();
    let ring = Keyring::create(dir.path()).unwrap();
    let store = Store::new(dir.path(), &ring);
    Gate { dir, store }
}

fn entry() -> Dataset {
    let key = Item {
        domain: Some("person".parse().unwrap()),
        ..Item::new("pid".parse().unwrap(), Kind::SubjectId, Grade::Three)
    };
    let note = Item::new("note".parse().unwrap(), Kind::FreeText, Grade::One);
    serde_json::from_value(
        serde_json::json!({"name": "city.list", "title": "t", "content": "c",
        "provider": "acme", "source": "s", "sector": "credit", "update": "once", "subject": "pid",
        "external": true, "prohibited": null, "risk": null, "items": [key, note]}),
    )
    .unwrap()
}

fn id() -> ExternalId {
    "x-1".parse().unwrap()
}

impl Gate {
    fn quarantine(&self, text: &str) -> Result<Quarantined, Unreceivable> {
        let path = self.dir.path().join("list");
        std::fs::write(&path, text).unwrap();
        let file = DataFile {
            path: &path,
            format: Format::Csv,
        };
        let keys = GateKeys {
            tokens: Key::from_bytes([7; 32]),
            lists: Key::from_bytes([8; 32]),
        };
        let sealed = self.store.quarantine(&id(), (&entry(), file), &keys);
        std::fs::remove_file(&path).unwrap();
        sealed
    }

    /// Every byte of every file of the domain.
    fn bytes(&self) -> Vec<u8> {
        let (mut all, mut folders) = (Vec::new(), vec![self.dir.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => all.extend(std::fs::read(path).unwrap()),
                }
            }
        }
        all
    }

    fn keys(&self) -> Vec<String> {
        let keys = self.store.keyring().status().keys.into_iter();
        let names = keys.map(|(name, _)| name.to_string());
        names
            .filter(|name| name.contains('/') && !name.starts_with("storage"))
            .collect()
    }
}

#[test]
fn identifiers_are_stored_as_tokens_and_nothing_of_the_list_is_in_the_folder() {
    let gate = gate();
    let sealed = gate
        .quarantine("pid,note\nP4201,a\nP4202,b\n,c\nP4201,d\n")
        .unwrap();
    assert_eq!((sealed.rows, sealed.types[0]), (4, Some(Type::Text)));
    assert_eq!(sealed.lists[0].tokens.len(), 2);
    let contains = |text: &[u8]| gate.bytes().windows(text.len()).any(|found| found == text);
    assert!(!contains(b"P4201"));
    let dataset: DatasetName = "city.list".parse().unwrap();
    let snapshot = gate
        .store
        .admit(&id(), (&dataset, 1), &sealed.types)
        .unwrap();
    assert_eq!(snapshot.rows, 4);
    assert_eq!(gate.keys(), ["snapshot/city.list/1", "quarantine/x-1"]);
    assert!(!contains(b"P4201"));
    gate.store.release(&id()).unwrap();
    assert_eq!(gate.keys(), ["snapshot/city.list/1"]);
    assert!(
        gate.store
            .admit(&id(), (&dataset, 2), &sealed.types)
            .is_err()
    );
    let unit = gate.store.keyring().named(&KeyName::Snapshot {
        dataset: dataset.clone(),
        number: 1,
    });
    let (reader, _) = opened(&gate.store.path(&dataset, 1), &unit.unwrap()).unwrap();
    let batch = reader.map(|batch| batch.unwrap()).next().unwrap();
    let tokens = batch.column(0).as_string::<i32>();
    assert_eq!(tokens.value(0), tokens.value(3));
    assert!(tokens.value(0).len() == 32 && tokens.is_null(2));
    // Who is the same is said by number too, as of data that is loaded.
    assert_eq!(
        gate.store.subjects(&dataset, 1).unwrap(),
        [Some(0), Some(1), None, Some(0)]
    );
}

#[test]
fn what_stands_for_a_person_is_counted_in_every_column() {
    let gate = gate();
    let text = "pid,note\nP1,11010519491231002X\nP2,tel 13812345678\nP3,nothing\n";
    let sealed = gate.quarantine(text).unwrap();
    let note: ItemName = "note".parse().unwrap();
    let count = |shape| sealed.shapes.get(&(note.clone(), shape)).copied();
    assert_eq!(count(Shape::ResidentId), Some(1));
    assert_eq!(count(Shape::Phone), Some(1));
    assert_eq!(count(Shape::BankCard), None);
}

#[test]
fn what_is_wrong_is_told_by_line_and_leaves_nothing() {
    let gate = gate();
    let why = gate.quarantine("pid,note\nP1,a\nP2\n").unwrap_err();
    assert_eq!(why.code(), "vault.broken-row");
    assert!(why.to_string().contains("line 3"), "{why}");
    assert!(gate.keys().is_empty());
    assert!(!gate.store.quarantine_path(&id()).exists());
    let why = gate.quarantine("pid\nP1\n").unwrap_err();
    assert_eq!(why.code(), "vault.items-missing");
}

#[test]
fn what_is_destroyed_is_gone_with_its_key_and_destroyed_again_without_error() {
    let gate = gate();
    gate.quarantine("pid,note\nP1,a\n").unwrap();
    assert_eq!(gate.store.quarantined(), [id()]);
    gate.store.destroy_quarantined(&id()).unwrap();
    gate.store.destroy_quarantined(&id()).unwrap();
    assert!(gate.store.quarantined().is_empty());
    assert!(!gate.store.quarantine_path(&id()).exists());
}
