//! The crate table of `ARCHITECTURE.md` and `cargo metadata` are the same graph.

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

type Graph = BTreeMap<String, BTreeSet<String>>;

fn written() -> Graph {
    let text = include_str!("../../ARCHITECTURE.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let words = cells[2]
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty());
        (
            cells[0].trim_matches('`').to_owned(),
            words.map(ToOwned::to_owned).collect(),
        )
    };
    rows.map(row).collect()
}

fn real() -> Graph {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let ours: BTreeSet<String> = metadata
        .packages
        .iter()
        .map(|p| p.name.to_string())
        .collect();
    let package = |package: &cargo_metadata::Package| {
        let normal = package
            .dependencies
            .iter()
            .filter(|d| d.kind == DependencyKind::Normal);
        let used = normal
            .map(|d| d.name.clone())
            .filter(|n| ours.contains(n) && n != "terms");
        (package.name.to_string(), used.collect())
    };
    metadata.packages.iter().map(package).collect()
}

#[test]
fn the_crate_table_is_the_crate_graph() {
    let (written, real) = (written(), real());
    let names = |graph: &Graph| graph.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(
        names(&written),
        names(&real),
        "the table lists exactly the crates"
    );
    for (name, used) in &real {
        let allowed = &written[name];
        let extra: Vec<_> = used.difference(allowed).collect();
        assert!(
            extra.is_empty(),
            "`{name}` imports {extra:?}, which the table does not allow"
        );
    }
}
