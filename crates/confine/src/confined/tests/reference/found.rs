//! What the reference once found granted against the letter of the design, as small as it gets.

use super::{
    super::{aggregate, call, column, confine, draft, join},
    world::permits,
};
use plan::{AggregateFunction as F, JoinKind, Node, Scan, ScanColumn, View};
use terms::Type;

fn scan(dataset: &str, items: &[&str]) -> Node {
    let columns = items.iter().map(|item| ScanColumn {
        item: item.parse().unwrap(),
        data_type: Type::Text,
        view: View::Catalogue,
    });
    Node::Scan(Scan {
        dataset: dataset.parse().unwrap(),
        columns: columns.collect(),
        rows: None,
    })
}

/// A dataset may name people beside its subject, as visits name a guide. Their tokens join to the
/// operator's own people, whose rows would then show one by one who is there with k subjects, and with
/// how many. Source: design, "Rows": a statement over operator-supplied and protected data never shows rows.
#[test]
fn the_operators_own_people_are_not_told_apart_by_protected_data() {
    let upload = || scan("city.upload", &["pid", "label"]);
    let guides = || scan("city.visits", &["guide"]);
    let counted = aggregate(guides(), vec![column(0)], vec![call(F::Count, vec![])]);
    let drafts = [
        join(JoinKind::Semi, upload(), guides(), vec![(0, 0)]),
        join(JoinKind::Mark, upload(), guides(), vec![(0, 0)]),
        join(JoinKind::Inner, upload(), counted, vec![(0, 0)]),
    ];
    for permit in permits() {
        let granted = drafts.iter().map(|node| {
            let draft = draft(node.clone());
            confine(permit.clone(), &draft).is_ok()
        });
        let granted: Vec<bool> = granted.collect();
        assert!(!granted.contains(&true), "{granted:?}");
    }
}
