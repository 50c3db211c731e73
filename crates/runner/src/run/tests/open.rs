//! Scans that hide nothing give what guarded ones give, from several threads and row groups.

use super::*;

/// More rows than two row groups hold.
const ROWS: usize = 300_000;

fn large() -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let keyring = vault::Keyring::create(dir.path()).unwrap();
    let store = vault::Store::new(dir.path(), &keyring);
    let csv = dir.path().join("people.csv");
    let rows = (0..ROWS).map(|row| format!("{row},a{},{},2024-01-01,x\n", row % 7, row % 100));
    let header = "id,area,amount,day,text\n".to_owned();
    let text: String = std::iter::once(header).chain(rows).collect();
    std::fs::write(&csv, text).unwrap();
    stored(dir, &store, &csv)
}

fn plain(item: &'static str, data_type: Type) -> (&'static str, Type, View) {
    (item, data_type, View::masked(Mask::Plain, None))
}

#[test]
fn open_scans_give_what_guarded_ones_give() {
    let stage = large();
    let all = || {
        let everybody = Expr::call(Function::IsNotNull, [Expr::Column(0)]);
        RowPolicy {
            items: vec![("id".parse().unwrap(), Type::Int)],
            predicate: everybody,
        }
    };
    let asked = |rows: Option<RowPolicy>| {
        let columns = [plain("area", Type::Text), plain("amount", Type::Int)];
        let call = |function, arguments| AggregateCall {
            function,
            arguments,
            distinct: false,
            filter: None,
        };
        let grouped = Node::Aggregate {
            input: Box::new(people(&columns, rows)),
            keys: vec![Expr::Column(0)],
            aggregates: vec![
                call(F::Sum, vec![Expr::Column(1)]),
                call(F::Count, vec![Expr::Column(1)]),
            ],
        };
        let mut rows = run_plan(grouped, vec![stage.source.clone()]).unwrap().rows;
        rows.sort();
        rows
    };
    let open = asked(None);
    assert_eq!(open.len(), 7);
    assert_eq!(open, asked(Some(all())));
}

#[test]
fn what_is_masked_or_raw_is_never_open() {
    let scan = |view: View| match people(&[("amount", Type::Int, view)], None) {
        Node::Scan(scan) => scan,
        other => panic!("{other:?}"),
    };
    assert!(MaskedView::is_open(&scan(View::masked(Mask::Plain, None))));
    for view in [
        View::Raw,
        View::Row,
        View::Subject,
        View::Catalogue,
        View::masked(Mask::Redact, None),
        View::masked(Mask::Band(10.0), None),
        View::masked(Mask::Token, Some("person".parse().unwrap())),
    ] {
        assert!(!MaskedView::is_open(&scan(view.clone())), "{view:?}");
    }
}
