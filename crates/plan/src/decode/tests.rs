//! Canonical bytes there and back, hostile bytes, bounds, and what a draft may not say.

mod generate; // every plan that can be said

use super::*;
use proptest::prelude::*;

const BOUNDS: Bounds = Bounds {
    bytes_max: 1 << 20,
    items_max: 20_000,
    depth_max: 200,
    columns_max: 2_000,
    texts_max: 256,
    text_bytes_max: 64 << 10,
    pattern_bytes_max: 4 << 10,
};

fn refused<T>(why: &'static str) -> Read<T> {
    Err(Undecodable(why))
}

fn plan(root: Node) -> Plan {
    Plan {
        root,
        names: vec![],
        checks: vec![],
    }
}

/// One row without columns.
fn unit() -> Node {
    Node::Values {
        types: vec![],
        rows: vec![vec![]],
    }
}

fn project(exprs: Vec<Expr>) -> Plan {
    plan(Node::Project {
        input: Box::new(unit()),
        exprs,
    })
}

fn decode(plan: &Plan, accept: Accept) -> Read<Plan> {
    Plan::decode(&plan.encode(), accept, &BOUNDS)
}

/// What a draft may not say, and a confined plan may.
fn check_confined_only(plan: &Plan, why: &'static str) {
    assert_eq!(decode(plan, Accept::Draft), refused(why), "{plan:?}");
    assert_eq!(decode(plan, Accept::Confined).as_ref(), Ok(plan));
}

/// Whatever these bytes are, reading them ends, and what they say has no other bytes.
fn check_hostile(bytes: &[u8]) {
    for accept in [Accept::Draft, Accept::Confined] {
        if let Ok(plan) = Plan::decode(bytes, accept, &BOUNDS) {
            assert_eq!(plan.encode(), bytes);
            // Types and print look at whatever was decoded: neither may panic.
            let _ = plan.fields();
            let _ = plan.print();
        }
    }
    if let Ok(rows) = RowPolicy::decode(bytes, &BOUNDS) {
        assert_eq!(rows.encode(), bytes);
    }
}

fn any_plan() -> impl Strategy<Value = (Plan, Accept)> {
    prop_oneof![
        generate::plan(Accept::Draft).prop_map(|plan| (plan, Accept::Draft)),
        generate::plan(Accept::Confined).prop_map(|plan| (plan, Accept::Confined)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_plan_comes_back_from_its_bytes((plan, accept) in any_plan()) {
        let bytes = plan.encode();
        let again = Plan::decode(&bytes, accept, &BOUNDS);
        prop_assert_eq!(again.as_ref(), Ok(&plan));
        prop_assert_eq!(again.unwrap().encode(), bytes);
    }

    #[test]
    fn a_row_policy_comes_back_from_its_bytes(rows in generate::row_policy()) {
        let bytes = rows.encode();
        prop_assert_eq!(RowPolicy::decode(&bytes, &BOUNDS), Ok(rows));
    }

    #[test]
    fn a_plan_cut_short_is_no_plan((plan, accept) in any_plan(), cut in any::<prop::sample::Index>()) {
        let bytes = plan.encode();
        let head = &bytes[..cut.index(bytes.len())];
        prop_assert!(Plan::decode(head, accept, &BOUNDS).is_err());
        check_hostile(head);
    }

    #[test]
    fn a_plan_with_bytes_behind_it_is_no_plan((plan, accept) in any_plan(), tail in any::<u8>()) {
        let bytes = [plan.encode(), vec![tail]].concat();
        prop_assert_eq!(Plan::decode(&bytes, accept, &BOUNDS), refused("bytes behind the end"));
    }

    #[test]
    fn changed_bytes_are_another_plan_or_none(
        (plan, accept) in any_plan(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = plan.encode();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check_hostile(&bytes);
        if bytes != plan.encode() {
            prop_assert_ne!(Plan::decode(&bytes, accept, &BOUNDS), Ok(plan));
        }
    }

    #[test]
    fn moved_bytes_never_panic(
        (plan, _) in any_plan(),
        (from, to, length) in (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..24_usize),
    ) {
        let mut bytes = plan.encode();
        let from = from.index(bytes.len());
        let piece: Vec<u8> = bytes.iter().copied().skip(from).take(length).collect();
        let to = to.index(bytes.len());
        bytes.splice(to..to, piece);
        check_hostile(&bytes);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        check_hostile(&bytes);
    }

    #[test]
    fn bytes_that_look_like_tags_never_panic(bytes in prop::collection::vec(0..13_u8, 0..64)) {
        let begun = [&[0; 8][..], &bytes].concat();
        check_hostile(&bytes);
        check_hostile(&begun);
    }
}

#[test]
fn a_plan_as_large_as_allowed_is_read_and_one_byte_more_is_not() {
    let plan = project(vec![Expr::Literal(Literal::Text("x".repeat(300)))]);
    let bytes = plan.encode();
    let allowed = |bytes_max| Bounds {
        bytes_max,
        ..BOUNDS
    };
    let read = |bounds| Plan::decode(&bytes, Accept::Draft, &bounds);
    assert_eq!(read(allowed(bytes.len())), Ok(plan));
    assert_eq!(read(allowed(bytes.len() - 1)), refused("too many bytes"));
}

#[test]
fn the_default_size_is_a_mebibyte() {
    let bounds = Bounds::default();
    assert_eq!(bounds, BOUNDS);
    let rest = project(vec![Expr::Literal(Literal::Text(String::new()))])
        .encode()
        .len();
    for (size, fits) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        let plan = project(vec![Expr::Literal(Literal::Text("x".repeat(size - rest)))]);
        assert_eq!(plan.encode().len(), size);
        assert_eq!(decode(&plan, Accept::Draft).is_ok(), fits);
    }
}

#[test]
fn nodes_stand_inside_each_other_two_hundred_deep_and_no_deeper() {
    let nested = |depth: usize| {
        plan((1..depth).fold(unit(), |input, _| Node::Distinct {
            input: Box::new(input),
        }))
    };
    assert_eq!(decode(&nested(200), Accept::Draft), Ok(nested(200)));
    assert_eq!(
        decode(&nested(201), Accept::Draft),
        refused("too large or too deep")
    );
}

#[test]
fn expressions_and_subqueries_count_towards_the_depth() {
    // A project is one deep; `not` is one deeper each; a subquery is one, its node another.
    let nots = |depth: usize| {
        let innermost = Expr::Scalar(Box::new(unit()));
        let expr = (3..depth).fold(innermost, |expr, _| Expr::call(Function::Not, [expr]));
        project(vec![expr])
    };
    assert_eq!(decode(&nots(200), Accept::Draft), Ok(nots(200)));
    assert_eq!(
        decode(&nots(201), Accept::Draft),
        refused("too large or too deep")
    );
}

#[test]
fn twenty_thousand_nodes_and_expressions_are_read_and_one_more_is_not() {
    // The project, its input, IN and its value are four.
    let listed = |items: usize| {
        project(vec![Expr::InList {
            value: Box::new(Expr::Column(0)),
            list: vec![Expr::Column(1); items - 4],
            negated: false,
        }])
    };
    assert_eq!(decode(&listed(20_000), Accept::Draft), Ok(listed(20_000)));
    assert_eq!(
        decode(&listed(20_001), Accept::Draft),
        refused("too large or too deep")
    );
}

#[test]
fn nodes_are_counted_with_expressions() {
    let bounds = |items_max| Bounds {
        items_max,
        ..BOUNDS
    };
    let plan = project(vec![Expr::call(
        Function::Add,
        [Expr::Column(0), Expr::Column(1)],
    )]);
    let bytes = plan.encode();
    assert_eq!(Plan::decode(&bytes, Accept::Draft, &bounds(5)), Ok(plan));
    assert_eq!(
        Plan::decode(&bytes, Accept::Draft, &bounds(4)),
        refused("too large or too deep")
    );
}

#[test]
fn a_node_has_two_thousand_columns_at_most() {
    let wide = |columns| project(vec![Expr::Column(0); columns]);
    assert_eq!(decode(&wide(2_000), Accept::Draft), Ok(wide(2_000)));
    assert_eq!(
        decode(&wide(2_001), Accept::Draft),
        refused("too many columns")
    );
}

#[test]
fn a_list_cannot_claim_more_than_there_are_bytes() {
    let no_names_no_checks = [0; 8];
    let union = [&[11][..], &u32::MAX.to_le_bytes()].concat();
    let bytes = [&no_names_no_checks[..], &union].concat();
    assert_eq!(
        Plan::decode(&bytes, Accept::Draft, &BOUNDS),
        refused("a list beyond the bounds")
    );
    // As deep as may be, each claiming as many members as may be.
    let claim = [&[11][..], &20_000_u32.to_le_bytes()].concat();
    let bytes = [&no_names_no_checks[..], &claim.repeat(5_000)].concat();
    assert_eq!(
        Plan::decode(&bytes, Accept::Draft, &BOUNDS),
        refused("too large or too deep")
    );
}

/// Names and rows are neither nodes nor columns; rows without columns take hardly a byte.
#[test]
fn lists_that_hold_no_nodes_are_bounded_too() {
    let named = |names: usize| Plan {
        names: vec![String::new(); names],
        ..plan(unit())
    };
    let rows = |rows: usize| {
        plan(Node::Values {
            types: vec![],
            rows: vec![vec![]; rows],
        })
    };
    for fits in [named(20_000), rows(20_000)] {
        assert_eq!(decode(&fits, Accept::Draft), Ok(fits));
    }
    for beyond in [named(20_001), rows(20_001)] {
        assert_eq!(
            decode(&beyond, Accept::Draft),
            refused("a list beyond the bounds")
        );
    }
}

fn scan(view: View) -> Plan {
    plan(Node::Scan(Scan {
        dataset: "city.citizen".parse().unwrap(),
        columns: vec![ScanColumn {
            item: "age".parse().unwrap(),
            data_type: Type::Int,
            view,
        }],
        rows: None,
    }))
}

#[test]
fn a_draft_sees_only_what_the_catalogue_shows() {
    let why = "a view that does not belong there";
    for view in [
        View::Raw,
        View::Row,
        View::Subject,
        View::masked(Mask::Plain, None),
        View::masked(Mask::Token, Some("person".parse().unwrap())),
    ] {
        check_confined_only(&scan(view), why);
    }
    let draft = scan(View::Catalogue);
    assert_eq!(decode(&draft, Accept::Confined), refused(why));
    assert_eq!(decode(&draft, Accept::Draft), Ok(draft));
}

#[test]
fn a_draft_brings_no_row_policy() {
    let rows = RowPolicy {
        items: vec![("age".parse().unwrap(), Type::Int)],
        predicate: Expr::Literal(Literal::Bool(true)),
    };
    let plan = plan(Node::Scan(Scan {
        dataset: "city.citizen".parse().unwrap(),
        columns: vec![],
        rows: Some(rows),
    }));
    check_confined_only(&plan, "a draft with a row policy");
}

#[test]
fn a_draft_withholds_and_checks_nothing() {
    let withhold = plan(Node::Withhold {
        input: Box::new(unit()),
        cells: vec![],
        reports: vec![],
    });
    check_confined_only(&withhold, "an unknown node");
    let checked = Plan {
        checks: vec![Check::of(5)],
        ..plan(unit())
    };
    check_confined_only(&checked, "a draft with checks");
}

#[test]
fn a_draft_has_no_witnesses() {
    let why = "a draft with witnesses";
    check_confined_only(
        &project(vec![Expr::call(
            Function::WitnessSubjects,
            [Expr::Column(0)],
        )]),
        why,
    );
    for &function in AggregateFunction::ALL {
        let aggregate = plan(Node::Aggregate {
            input: Box::new(unit()),
            keys: vec![],
            aggregates: vec![AggregateCall {
                function,
                arguments: vec![],
                distinct: false,
                filter: None,
            }],
        });
        let window = plan(Node::Window {
            input: Box::new(unit()),
            calls: vec![WindowCall {
                function: WindowFunction::Aggregate(function),
                arguments: vec![],
                partition: vec![],
                order: vec![],
                frame: Frame {
                    rows: true,
                    start: FrameBound::CurrentRow,
                    end: FrameBound::CurrentRow,
                },
            }],
        });
        for plan in [aggregate, window] {
            if function.is_confined() {
                check_confined_only(&plan, why);
            } else {
                assert_eq!(decode(&plan, Accept::Draft), Ok(plan));
            }
        }
    }
    let null = Expr::Literal(Literal::Null(Type::Witness));
    check_confined_only(&project(vec![null]), "an unknown type");
}

#[test]
fn a_confined_plan_has_no_parameters() {
    let plan = project(vec![Expr::Parameter(0, Type::Int)]);
    assert_eq!(
        decode(&plan, Accept::Confined),
        refused("an unknown expression")
    );
    assert_eq!(decode(&plan, Accept::Draft), Ok(plan));
}

#[test]
fn values_without_meaning_are_no_plan() {
    let check = |plan: &Plan, why| {
        assert_eq!(decode(plan, Accept::Confined), refused(why), "{plan:?}");
    };
    for (precision, scale) in [(0, 0), (39, 0), (5, 6)] {
        let none = Type::Decimal { precision, scale };
        let literal = Literal::Decimal {
            unscaled: 1,
            precision,
            scale,
        };
        for literal in [Literal::Null(none), literal] {
            check(
                &project(vec![Expr::Literal(literal)]),
                "a decimal that is none",
            );
        }
    }
    for width in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let view = View::masked(Mask::Band(width), None);
        check(&scan(view), "a band without width");
    }
    let dominated = |share_percent, rest_percent| Plan {
        checks: vec![Check {
            dominance: Some(Dominance {
                share_percent,
                rest_percent,
            }),
            ..Check::of(1)
        }],
        ..plan(unit())
    };
    check(&dominated(101, 0), "a share past all");
    check(&dominated(0, 101), "a share past all");
    assert!(decode(&dominated(100, 100), Accept::Confined).is_ok());
}

#[test]
fn function_codes_are_told_apart() {
    let codes: std::collections::BTreeSet<u8> = Function::ALL
        .iter()
        .map(|function| function.code())
        .collect();
    assert_eq!(codes.len(), Function::ALL.len());
    for code in 0..=u8::MAX {
        let found = Function::of_code(code).map(Function::code);
        assert_eq!(found, codes.contains(&code).then_some(code));
    }
}

/// `select age from city.citizen where age >= $1`, written by hand from the table in `encode`.
#[test]
fn a_plan_has_the_bytes_and_the_digest_it_always_had() {
    let plan = Plan {
        names: vec!["age".to_owned()],
        ..plan(Node::Filter {
            input: Box::new(scan(View::Catalogue).root),
            predicate: Expr::call(
                Function::GreaterEqual,
                [Expr::Column(0), Expr::Parameter(0, Type::Int)],
            ),
        })
    };
    let by_hand = [
        "01000000",
        "03000000",
        "616765",   // one name, `age`
        "00000000", // no checks
        "04",       // filter
        "01",
        "0c000000",
        "636974792e636974697a656e", // scan of `city.citizen`
        "01000000",
        "03000000",
        "616765",
        "02",
        "01", // one column, `age`, int, catalogue
        "00", // no row policy
        "04",
        "0f",
        "02000000", // call of >=, two arguments
        "01",
        "00000000", // column 0
        "03",
        "00000000",
        "02", // parameter 0, int
    ]
    .concat();
    assert_eq!(hex::encode(plan.encode()), by_hand);
    assert_eq!(
        plan.digest().to_string(),
        "a0de0aac028e9491fdc36e3e57729837041cc43dc9bf448a7c21d425badf6733"
    );
}
