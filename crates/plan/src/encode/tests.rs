//! Every tag, pinned: plans are named by their digests, so no byte of one may ever mean another thing.

use super::*;
use crate::{Dominance, Function, Noised, Report, ScanColumn};

/// The bytes of a plan without names and checks, after those two empty lists.
fn check(root: Node, expect: &str) {
    let plan = Plan {
        root,
        names: vec![],
        checks: vec![],
    };
    let bytes = hex::encode(plan.encode());
    assert_eq!(bytes, ["0000000000000000", expect].concat(), "{plan:?}");
}

/// One row without columns: `02`, no types, one row, no values.
const UNIT: &str = "02000000000100000000000000";

fn unit() -> Box<Node> {
    Box::new(Node::Values {
        types: vec![],
        rows: vec![vec![]],
    })
}

fn one() -> Expr {
    Expr::Column(1)
}

/// `01`, then the ordinal.
const ONE: &str = "0101000000";

/// An expression as the condition of a filter, `04`.
fn check_expr(expr: Expr, expect: &str) {
    let filter = Node::Filter {
        input: unit(),
        predicate: expr,
    };
    check(filter, &["04", UNIT, expect].concat());
}

fn check_literal(literal: Literal, expect: &str) {
    check_expr(Expr::Literal(literal), &["02", expect].concat());
}

#[test]
fn types_keep_their_bytes() {
    let types = [
        (Type::Bool, "01"),
        (Type::Int, "02"),
        (Type::Float, "03"),
        (
            Type::Decimal {
                precision: 38,
                scale: 2,
            },
            "042602",
        ),
        (Type::Text, "05"),
        (Type::Date, "06"),
        (Type::Timestamp, "07"),
        (Type::Interval, "08"),
        (Type::Witness, "09"),
    ];
    for (data_type, expect) in types {
        check_literal(Literal::Null(data_type), &["00", expect].concat());
    }
}

#[test]
fn literals_keep_their_bytes() {
    check_literal(Literal::Bool(false), "0100");
    check_literal(Literal::Bool(true), "0101");
    check_literal(Literal::Int(-2), "02feffffffffffffff");
    check_literal(Literal::Float(1.0_f64.to_bits()), "03000000000000f03f");
    check_literal(
        Literal::Decimal {
            unscaled: 258,
            precision: 9,
            scale: 2,
        },
        "04090202010000000000000000000000000000",
    );
    check_literal(Literal::Text("年".to_owned()), "0503000000e5b9b4");
    check_literal(Literal::Date(-1), "06ffffffff");
    check_literal(Literal::Timestamp(256), "070001000000000000");
    check_literal(
        Literal::Interval {
            months: 1,
            days: 2,
            nanoseconds: 3,
        },
        "0801000000020000000300000000000000",
    );
}

#[test]
fn expressions_keep_their_bytes() {
    check_expr(Expr::Column(258), "0102010000");
    check_expr(Expr::Parameter(1, Type::Text), "030100000005");
    check_expr(
        Expr::call(Function::Add, [one(), one()]),
        &["040102000000", ONE, ONE].concat(),
    );
    check_expr(
        Expr::Cast {
            value: Box::new(one()),
            to: Type::Date,
            lenient: true,
        },
        &["05", ONE, "0601"].concat(),
    );
    let case = |otherwise| Expr::Case {
        branches: vec![(one(), Expr::Column(2))],
        otherwise,
    };
    let branch = ["0601000000", ONE, "0102000000"].concat();
    check_expr(case(None), &[&branch, "00"].concat());
    check_expr(case(Some(Box::new(one()))), &[&branch, "01", ONE].concat());
    check_expr(
        Expr::InList {
            value: Box::new(Expr::Column(2)),
            list: vec![one()],
            negated: true,
        },
        &["07010200000001000000", ONE, "01"].concat(),
    );
    check_expr(Expr::Scalar(unit()), &["08", UNIT].concat());
}

/// Codes are never given anew: what left the list leaves a hole.
#[test]
fn functions_keep_their_codes() {
    let codes: Vec<String> = Function::ALL
        .iter()
        .map(|function| format!("{} {}", function.code(), function.word()))
        .collect();
    let expect = "\
1 +, 2 -, 3 *, 4 /, 5 %, 6 neg, \
10 =, 11 <>, 12 <, 13 <=, 14 >, 15 >=, 16 is distinct from, 17 is not distinct from, \
20 and, 21 or, 22 not, 23 is null, 24 is not null, 25 is true, 26 is false, 27 is unknown, \
30 like, 31 ilike, 32 concat, 33 lower, 34 upper, 35 trim, 36 ltrim, 37 rtrim, 38 substr, \
39 left, 40 right, 41 length, 42 strpos, 43 starts_with, 44 ends_with, 45 reverse, \
50 abs, 51 round, 52 ceil, 53 floor, 54 sqrt, 55 power, 56 ln, 57 log10, 58 exp, 59 signum, \
60 coalesce, 61 nullif, 62 greatest, 63 least, 70 date_part, 71 date_trunc, \
90 witness_subjects, 91 /?, 92 %?, 93 or_null";
    assert_eq!(codes.join(", "), expect);
}

#[test]
fn aggregates_keep_their_codes() {
    let codes: Vec<String> = AggregateFunction::ALL
        .iter()
        .map(|function| format!("{} {}", aggregate_code(*function), function.word()))
        .collect();
    let expect = "\
1 count, 2 sum, 3 avg, 4 stddev, 5 stddev_pop, 6 var, 7 var_pop, 8 min, 9 max, 10 witness, \
11 witness_union, 12 median, 13 percentile, 14 safe_quantile, 15 safe_min, 16 safe_max, \
17 shared_min, 18 shared_max";
    assert_eq!(codes.join(", "), expect);
}

#[test]
fn nodes_over_one_input_keep_their_bytes() {
    check(*unit(), UNIT);
    check(
        Node::Project {
            input: unit(),
            exprs: vec![one()],
        },
        &["03", UNIT, "01000000", ONE].concat(),
    );
    let key = |descending, nulls_first| SortKey {
        expr: one(),
        descending,
        nulls_first,
    };
    check(
        Node::Sort {
            input: unit(),
            keys: vec![key(true, false), key(false, true)],
            fetch: Some(3),
        },
        &[
            "08",
            UNIT,
            "02000000",
            ONE,
            "0100",
            ONE,
            "0001",
            "010300000000000000",
        ]
        .concat(),
    );
    check(
        Node::Limit {
            input: unit(),
            skip: 2,
            fetch: None,
        },
        &["09", UNIT, "020000000000000000"].concat(),
    );
    check(Node::Distinct { input: unit() }, &["0a", UNIT].concat());
    check(
        Node::Union {
            inputs: vec![*unit(), *unit()],
        },
        &["0b02000000", UNIT, UNIT].concat(),
    );
}

#[test]
fn joins_keep_their_bytes() {
    let kinds = [
        (JoinKind::Inner, "01"),
        (JoinKind::Left, "02"),
        (JoinKind::Right, "03"),
        (JoinKind::Full, "04"),
        (JoinKind::Semi, "05"),
        (JoinKind::Anti, "06"),
        (JoinKind::Mark, "07"),
    ];
    for (kind, code) in kinds {
        let join = Node::Join {
            kind,
            left: unit(),
            right: Box::new(Node::Distinct { input: unit() }),
            on: vec![(one(), Expr::Column(2))],
            filter: Some(one()),
            null_equal: true,
        };
        let on = ["01000000", ONE, "0102000000"].concat();
        let sides = [UNIT, "0a", UNIT].concat();
        check(join, &["05", code, &sides, &on, "01", ONE, "01"].concat());
    }
}

#[test]
fn groups_keep_their_bytes() {
    let call = AggregateCall {
        function: AggregateFunction::Sum,
        arguments: vec![Expr::Column(2)],
        distinct: true,
        filter: Some(one()),
    };
    check(
        Node::Aggregate {
            input: unit(),
            keys: vec![one()],
            aggregates: vec![call],
        },
        &[
            "06",
            UNIT,
            "01000000",
            ONE,
            "01000000",
            "02010000000102000000",
            "01",
            "01",
            ONE,
        ]
        .concat(),
    );
}

#[test]
fn windows_keep_their_bytes() {
    let check = |function, frame, expect: &[&str]| {
        let call = WindowCall {
            function,
            arguments: vec![one()],
            partition: vec![],
            order: vec![],
            frame,
        };
        let node = Node::Window {
            input: unit(),
            calls: vec![call],
        };
        let [function, frame] = expect else {
            panic!("a function and a frame")
        };
        let lists = ["01000000", ONE, "0000000000000000"].concat();
        check(
            node,
            &["07", UNIT, "01000000", function, &lists, frame].concat(),
        );
    };
    let whole = Frame {
        rows: false,
        start: FrameBound::UnboundedPreceding,
        end: FrameBound::UnboundedFollowing,
    };
    let functions = [
        (WindowFunction::RowNumber, "01"),
        (WindowFunction::Rank, "02"),
        (WindowFunction::DenseRank, "03"),
        (WindowFunction::Lag, "04"),
        (WindowFunction::Lead, "05"),
        (WindowFunction::FirstValue, "06"),
        (WindowFunction::LastValue, "07"),
        (WindowFunction::Aggregate(AggregateFunction::Max), "0809"),
    ];
    for (function, code) in functions {
        check(function, whole, &[code, "000105"]);
    }
    let near = Frame {
        rows: true,
        start: FrameBound::Preceding(2),
        end: FrameBound::Following(1),
    };
    let near_bytes = "0102020000000000000004".to_owned() + "0100000000000000";
    check(WindowFunction::Rank, near, &["02", &near_bytes]);
    let here = Frame {
        end: FrameBound::CurrentRow,
        ..whole
    };
    check(WindowFunction::Rank, here, &["02", "000103"]);
}

#[test]
fn scans_keep_their_bytes() {
    let masked = |mask| View::masked(mask, None);
    let views = [
        (View::Catalogue, "01"),
        (masked(Mask::Plain), "020100"),
        (masked(Mask::Suppress), "020200"),
        (masked(Mask::Redact), "020300"),
        (masked(Mask::Partial { head: 3, tail: 4 }), "0204030400"),
        (masked(Mask::Prefix(6)), "02050600"),
        (
            View::masked(Mask::Token, Some("p".parse().unwrap())),
            "0206010100000070",
        ),
        (masked(Mask::Band(1.0)), "0207000000000000f03f00"),
        (masked(Mask::Year), "020800"),
        (masked(Mask::Month), "020900"),
        (View::Raw, "03"),
        (View::Row, "04"),
        (View::Subject, "05"),
    ];
    for (view, code) in views {
        let column = ScanColumn {
            item: "i".parse().unwrap(),
            data_type: Type::Int,
            view,
        };
        let rows = RowPolicy {
            items: vec![("r".parse().unwrap(), Type::Bool)],
            predicate: one(),
        };
        let policy = ["01000000", "010000007201", ONE].concat();
        assert_eq!(hex::encode(rows.encode()), policy);
        let scan = Node::Scan(Scan {
            dataset: "a.b".parse().unwrap(),
            columns: vec![column],
            rows: Some(rows),
        });
        let columns = ["01000000", "010000006902", code].concat();
        check(
            scan,
            &["0103000000612e62", &columns, "01", &policy].concat(),
        );
    }
}

#[test]
fn withheld_rows_and_checks_keep_their_bytes() {
    let strict = Check {
        k: 5,
        dominance: Some(Dominance {
            share_percent: 85,
            rest_percent: 10,
        }),
        once: true,
        spread: false,
        freedom: 9,
    };
    let strict_bytes = "0500000001550a010009000000";
    let report = Report {
        witness: 2,
        number: 7,
        by_subject: true,
        noised: vec![Noised {
            column: 4,
            statistic: Statistic::Mean,
        }],
    };
    check(
        Node::Withhold {
            input: unit(),
            cells: vec![Cell {
                witness: 1,
                check: strict,
            }],
            reports: vec![report],
        },
        &[
            "0c",
            UNIT,
            "01000000",
            "01000000",
            strict_bytes,
            "01000000",
            "020000000700000001",
            "010000000400000003",
        ]
        .concat(),
    );
    let plan = Plan {
        root: *unit(),
        names: vec!["名".to_owned()],
        checks: vec![
            strict,
            Check {
                spread: true,
                ..Check::of(3)
            },
        ],
    };
    let names = "0100000003000000e5908d";
    let second = "03000000000001".to_owned() + "00000000";
    let checks = ["02000000", strict_bytes, &second].concat();
    assert_eq!(hex::encode(plan.encode()), [names, &checks, UNIT].concat());
}

#[test]
fn the_digest_is_of_a_prefix_and_the_bytes() {
    let plan = Plan {
        root: *unit(),
        names: vec![],
        checks: vec![],
    };
    let hashed = [b"bonded plan v1\n".as_slice(), &plan.encode()].concat();
    assert_eq!(plan.digest(), Digest::of(&hashed));
}
