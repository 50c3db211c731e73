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
    stored(dir, &store, (&csv, 1))
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
    assert!(scan(View::masked(Mask::Plain, None)).is_open());
    for view in [
        View::Raw,
        View::Row,
        View::Subject,
        View::Catalogue,
        View::masked(Mask::Redact, None),
        View::masked(Mask::Band(10.0), None),
        View::masked(Mask::Token, Some("person".parse().unwrap())),
    ] {
        assert!(!scan(view.clone()).is_open(), "{view:?}");
    }
}

/// Row groups that cannot have a row of the answer are passed by, and no other.
#[test]
fn filters_of_open_scans_give_what_filters_of_guarded_ones_give() {
    let stage = large();
    let all = || RowPolicy {
        items: vec![("id".parse().unwrap(), Type::Int)],
        predicate: Expr::Literal(Literal::Bool(true)),
    };
    let columns = [
        plain("id", Type::Int),
        plain("area", Type::Text),
        plain("day", Type::Date),
        plain("amount", Type::Int),
    ];
    let last = i64::try_from(ROWS).unwrap() - 1;
    let int = |value: i64| Expr::Literal(Literal::Int(value));
    let text = |value: &str| Expr::Literal(Literal::Text(value.to_owned()));
    let call = |function, arguments: [Expr; 2]| Expr::call(function, arguments);
    let mut wanted = vec![
        call(Function::Equal, [Expr::Column(0), int(-1)]),
        call(Function::Equal, [Expr::Column(1), text("a3")]),
        call(Function::Greater, [Expr::Column(1), text("a5")]),
        call(Function::Less, [Expr::Column(3), int(2)]),
    ];
    for edge in [0, 131_071, 131_072, 262_143, 262_144, last, last + 1] {
        for function in [Function::Equal, Function::Less, Function::GreaterEqual] {
            wanted.push(call(function, [Expr::Column(0), int(edge)]));
        }
    }
    let summed = |input: Node, filters: Vec<Option<Expr>>| {
        let sum = |filter| AggregateCall {
            function: F::Sum,
            arguments: vec![Expr::Column(0)],
            distinct: false,
            filter,
        };
        let summed = Node::Aggregate {
            input: Box::new(input),
            keys: vec![],
            aggregates: filters.into_iter().map(sum).collect(),
        };
        run_plan(summed, vec![stage.source.clone()]).unwrap().rows
    };
    // The guarded scan is read once for all: beside its filters nothing of it is passed by.
    let filters = wanted.iter().cloned().map(Some).collect();
    let guarded = summed(people(&columns, Some(all())), filters);
    for (predicate, guarded) in wanted.into_iter().zip(&guarded[0]) {
        let filtered = Node::Filter {
            input: Box::new(people(&columns, None)),
            predicate: predicate.clone(),
        };
        let open = summed(filtered, vec![None]);
        assert_eq!(&open[0][0], guarded, "{predicate:?}");
    }
}

/// What is passed by is not even read.
#[test]
fn a_row_group_that_cannot_matter_is_not_read() {
    let stage = large();
    let counted = |to: i64| {
        let below = [Expr::Column(0), Expr::Literal(Literal::Int(to))];
        let filtered = Node::Filter {
            input: Box::new(people(&[plain("id", Type::Int)], None)),
            predicate: Expr::call(Function::Less, below),
        };
        let counted = Node::Aggregate {
            input: Box::new(filtered),
            keys: vec![],
            aggregates: vec![AggregateCall {
                function: F::Count,
                arguments: vec![Expr::Column(0)],
                distinct: false,
                filter: None,
            }],
        };
        run_plan(counted, vec![stage.source.clone()])
    };
    assert_eq!(counted(200_000).unwrap().rows, [["200000"]]);
    // In the middle of the file lies the second row group.
    let mut bytes = std::fs::read(&stage.source.path).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle - 40_000..middle + 40_000] {
        *byte ^= 0xff;
    }
    std::fs::write(&stage.source.path, bytes).unwrap();
    assert!(counted(200_000).is_err());
    assert_eq!(counted(1_000).unwrap().rows, [["1000"]]);
}
