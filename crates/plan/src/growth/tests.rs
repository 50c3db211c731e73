use super::*;
use crate::{Accept, Frame, FrameBound, Plan, Scan, ScanColumn, SortKey, View};

const SMALL: Bounds = Bounds {
    bytes_max: 1 << 20,
    items_max: 1_000,
    depth_max: 100,
    columns_max: 100,
    texts_max: 4,
    text_bytes_max: 200,
    pattern_bytes_max: 10,
};

fn scan() -> Node {
    let column = |item: &str, data_type| ScanColumn {
        item: item.parse().unwrap(),
        data_type,
        view: View::Catalogue,
    };
    Node::Scan(Scan {
        dataset: "city.citizen".parse().unwrap(),
        columns: vec![column("name", Type::Text), column("age", Type::Int)],
        rows: None,
    })
}

fn text(bytes: usize) -> Expr {
    Expr::Literal(Literal::Text("x".repeat(bytes)))
}

fn names(count: usize) -> Expr {
    Expr::Call(Function::Concat, vec![Expr::Column(0); count])
}

fn over(input: Node, expr: Expr) -> Node {
    Node::Project {
        input: Box::new(input),
        exprs: vec![expr],
    }
}

#[track_caller]
fn check(node: &Node, fits: bool) {
    let plan = Plan {
        root: node.clone(),
        names: vec![],
        checks: vec![],
    };
    let read = Plan::decode(&plan.encode(), Accept::Draft, &SMALL);
    assert_eq!(read.is_ok(), fits, "{node:?}");
}

#[test]
fn texts_and_bytes_have_their_limits() {
    check(&over(scan(), names(4)), true);
    check(&over(scan(), names(5)), false);
    let literals = |bytes| Expr::call(Function::Concat, [text(100), text(bytes)]);
    check(&over(scan(), literals(100)), true);
    check(&over(scan(), literals(101)), false);
    let number = Expr::Cast {
        value: Box::new(Expr::Column(1)),
        to: Type::Text,
        lenient: false,
    };
    let numbers = |count| Expr::Call(Function::Concat, vec![number.clone(); count]);
    check(&over(scan(), numbers(3)), true);
    check(&over(scan(), numbers(4)), false);
}

/// Twelve lines that each put what is above them together twice made sixteen million of one.
#[test]
fn growth_is_kept_through_every_node() {
    let two = || over(scan(), names(2));
    let boxed = |node| Box::new(node);
    let check = |node: Node| {
        check(&over(node.clone(), names(2)), true);
        check(&over(node, names(3)), false);
    };
    let min = AggregateCall {
        function: AggregateFunction::Min,
        arguments: vec![Expr::Column(0)],
        distinct: false,
        filter: None,
    };
    let nodes = [
        two(),
        Node::Limit {
            input: boxed(two()),
            skip: 0,
            fetch: None,
        },
        Node::Distinct {
            input: boxed(two()),
        },
        Node::Union {
            inputs: vec![over(scan(), Expr::Column(0)), two()],
        },
        Node::Aggregate {
            input: boxed(two()),
            keys: vec![Expr::Column(0)],
            aggregates: vec![],
        },
        Node::Aggregate {
            input: boxed(two()),
            keys: vec![],
            aggregates: vec![min],
        },
        Node::Join {
            kind: JoinKind::Inner,
            left: boxed(two()),
            right: boxed(scan()),
            on: vec![],
            filter: None,
            null_equal: false,
        },
        over(
            Node::Values {
                types: vec![],
                rows: vec![vec![]],
            },
            Expr::Scalar(boxed(two())),
        ),
    ];
    nodes.into_iter().for_each(check);
}

#[test]
fn growth_is_kept_through_windows() {
    let lag = WindowCall {
        function: WindowFunction::Lag,
        arguments: vec![names(2)],
        partition: vec![],
        order: vec![],
        frame: Frame {
            rows: true,
            start: FrameBound::UnboundedPreceding,
            end: FrameBound::CurrentRow,
        },
    };
    let window = Node::Window {
        input: Box::new(scan()),
        calls: vec![lag],
    };
    let last = |count| Expr::Call(Function::Concat, vec![Expr::Column(2); count]);
    check(&over(window.clone(), last(2)), true);
    check(&over(window, last(3)), false);
}

#[test]
fn functions_that_choose_keep_the_largest() {
    let of = |function, inside: Vec<Expr>| Expr::Call(function, inside);
    let twice = |expr: Expr| Expr::Call(Function::Concat, vec![expr; 2]);
    for (chosen, fits) in [
        (of(Function::Coalesce, vec![names(1), names(2)]), true),
        (of(Function::Coalesce, vec![names(1), names(3)]), false),
        (of(Function::Greatest, vec![names(3), names(1)]), false),
        (of(Function::Least, vec![names(3), names(1)]), false),
        (of(Function::NullIf, vec![names(3), text(1)]), false),
        (of(Function::Left, vec![names(3), Expr::Column(1)]), false),
        (of(Function::Reverse, vec![names(3)]), false),
        (of(Function::Trim, vec![names(2)]), true),
        (of(Function::Upper, vec![names(1)]), false),
        (
            Expr::Case {
                branches: vec![(Expr::Literal(Literal::Bool(true)), names(1))],
                otherwise: Some(Box::new(names(3))),
            },
            false,
        ),
    ] {
        check(&over(scan(), twice(chosen)), fits);
    }
    let lower = |expr| of(Function::Lower, vec![expr]);
    check(&over(scan(), lower(names(1))), true);
    check(&over(scan(), lower(names(2))), false);
}

#[test]
fn growth_is_kept_through_filters_and_sorts() {
    let input = || Box::new(over(scan(), names(2)));
    let filter = Node::Filter {
        input: input(),
        predicate: Expr::Literal(Literal::Bool(true)),
    };
    let sort = Node::Sort {
        input: input(),
        keys: vec![],
        fetch: None,
    };
    for node in [filter, sort] {
        check(&over(node.clone(), names(2)), true);
        check(&over(node, names(3)), false);
    }
}

#[test]
fn conditions_and_keys_are_looked_at_too() {
    let bad = Expr::call(Function::StartsWith, [names(5), text(1)]);
    let condition = Node::Filter {
        input: Box::new(scan()),
        predicate: bad.clone(),
    };
    check(&condition, false);
    let key = SortKey {
        expr: names(5),
        descending: false,
        nulls_first: false,
    };
    let sort = Node::Sort {
        input: Box::new(scan()),
        keys: vec![key],
        fetch: None,
    };
    check(&sort, false);
    let join = Node::Join {
        kind: JoinKind::Semi,
        left: Box::new(scan()),
        right: Box::new(scan()),
        on: vec![],
        filter: Some(bad),
        null_equal: false,
    };
    check(&join, false);
}

#[test]
fn patterns_have_their_limit() {
    for function in [Function::Like, Function::ILike] {
        let like = |bytes| Expr::call(function, [Expr::Column(0), text(bytes)]);
        check(&over(scan(), like(10)), true);
        check(&over(scan(), like(11)), false);
        let column = Expr::call(function, [Expr::Column(0), Expr::Column(0)]);
        check(&over(scan(), column), true);
    }
}
