//! Only planner and runner, and what is built of them, may reach the engine.

use cargo_metadata::{MetadataCommand, PackageId};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn no_front_crate_reaches_datafusion() {
    let metadata = MetadataCommand::new().exec().expect("cargo metadata");
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    let names: BTreeMap<&PackageId, String> = metadata
        .packages
        .iter()
        .map(|p| (&p.id, p.name.to_string()))
        .collect();
    let edges: BTreeMap<&PackageId, Vec<&PackageId>> = resolve
        .nodes
        .iter()
        .map(|n| (&n.id, n.dependencies.iter().collect()))
        .collect();
    for start in metadata.workspace_members.iter() {
        let name = &names[start];
        if matches!(name.as_str(), "planner" | "runner" | "cli" | "tests") {
            continue;
        }
        let (mut open, mut seen) = (vec![start], BTreeSet::new());
        while let Some(package) = open.pop() {
            if seen.insert(package) {
                assert_ne!(names[package], "datafusion", "`{name}` reaches the engine");
                open.extend(&edges[package]);
            }
        }
    }
}
