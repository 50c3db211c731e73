//! `docs/clauses.md` names tests that exist, and has a row for every clause it promises.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The rows of the table: clause, what keeps it, tests.
fn rows() -> Vec<[String; 3]> {
    let text = fs::read_to_string(root().join("docs/clauses.md")).expect("docs/clauses.md");
    let rows = text.lines().filter_map(|line| {
        let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
        let mut cells = cells.split(" | ").map(str::to_owned);
        Some([cells.next()?, cells.next()?, cells.next()?])
    });
    rows.filter(|[clause, ..]| clause != "clause").collect()
}

/// The names of all functions in the sources, tests among them.
fn functions(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let found = text.lines().filter_map(|line| {
                let line = line.trim_start();
                let line = line.strip_prefix("async ").unwrap_or(line);
                let (name, _) = line.strip_prefix("fn ")?.split_once('(')?;
                Some(name.to_owned())
            });
            names.extend(found);
        }
    }
}

#[test]
fn every_test_the_clauses_name_exists() {
    let mut names = BTreeSet::new();
    functions(&root().join("crates"), &mut names);
    let rows = rows();
    assert!(rows.len() >= 50, "{}", rows.len());
    for [clause, kept, tests] in rows {
        let named: Vec<_> = tests
            .split(", ")
            .map(|test| test.trim_matches('`'))
            .collect();
        for test in &named {
            assert!(*test == "–" || names.contains(*test), "{clause}: `{test}`");
        }
        let says_so = kept.contains("not built");
        assert!(
            named != ["–"] || says_so,
            "{clause} has neither a test nor a word"
        );
    }
}

#[test]
fn every_clause_has_one_row() {
    let rows = rows();
    let clauses: BTreeSet<&str> = rows.iter().map(|[clause, ..]| clause.as_str()).collect();
    assert_eq!(clauses.len(), rows.len(), "a clause stands twice");
    let families = [("AO-", 26), ("CG-", 15), ("PD-", 5), ("RA-", 3), ("OD-", 2)];
    for (family, at_least) in families {
        let count = clauses
            .iter()
            .filter(|clause| clause.starts_with(family))
            .count();
        assert!(count >= at_least, "{family} {count}");
    }
}
