mod lists; // many entries at once

use super::dataset;
use policy::Engine;
use std::path::{Path, PathBuf};
use survey::Elements;

/// The draft of a table in which one column is unknown.
fn draft(dir: &Path) -> (PathBuf, String) {
    let data = dir.join("visits.csv");
    let rows: String = (0..300)
        .map(|n| format!("P{n:09},138{n:08},{},{}\n", n * 37 % 9001, n % 3))
        .collect();
    std::fs::write(&data, format!("patient_id,手机号,甲乙,区\n{rows}")).unwrap();
    let engine = Engine::load(None);
    let looked_at = vault::sample(&data, 1000, &mut |_| ()).unwrap();
    let entry = survey::describe(&looked_at, engine.masks().unwrap()).unwrap();
    let said = |text: &str| text.to_owned();
    let elements = Elements {
        name: said("visits"),
        title: said("Visits \"2026\""),
        provider: said("health-bureau"),
        source: said("register"),
        sector: said("medical"),
        update: said("daily"),
    };
    let text = survey::draft(&entry, &elements, "visits.csv");
    (dir.join("visits.toml"), text)
}

fn mistakes(file: &Path, text: &str) -> Vec<String> {
    std::fs::write(file, text).unwrap();
    dataset(file, "city").unwrap_err().mistakes
}

#[test]
fn a_draft_is_refused_until_a_person_has_confirmed_every_part() {
    let dir = tempfile::tempdir().unwrap();
    let (file, text) = draft(dir.path());
    let parts = [
        ", subject:",
        "item `patient_id`",
        "item `手机号`",
        "item `甲乙`",
        "item `区`",
    ];
    let said = mistakes(&file, &text);
    for part in parts {
        let named = said.iter().filter(|said| said.contains(part));
        let named = named
            .filter(|said| said.contains("unconfirmed = true"))
            .count();
        assert_eq!(named, 1, "{part}: {said:#?}");
    }
    // Each by itself holds the entry; a column that nothing tells needs its grade too.
    let graded = text.replace("# grade = ", "grade = 1");
    let pieces: Vec<&str> = graded.split("unconfirmed = true\n").collect();
    assert_eq!(pieces.len(), parts.len() + 1);
    for (left, part) in parts.iter().enumerate() {
        let mut confirmed = String::new();
        for (at, piece) in pieces.iter().enumerate() {
            confirmed.push_str(piece);
            confirmed.push_str(if at == left {
                "unconfirmed = true\n"
            } else {
                ""
            });
        }
        let said = mistakes(&file, &confirmed);
        assert!(said.len() == 1 && said[0].contains(part), "{said:#?}");
    }
    let said = mistakes(&file, &text.replace("unconfirmed = true\n", ""));
    assert!(
        said.len() == 1 && said[0].contains("item `甲乙`, grade"),
        "{said:#?}"
    );
    std::fs::write(&file, pieces.concat()).unwrap();
    let entry = dataset(&file, "city").unwrap();
    assert_eq!(entry.name.as_str(), "city.visits");
    assert_eq!(entry.title, "Visits \"2026\"");
    assert_eq!(entry.subject.unwrap().as_str(), "patient_id");
    assert_eq!(entry.items.len(), 4);
}
