//! The form people read, word for word.

use super::*;
use crate::{
    Cell, Dominance, Frame, FrameBound, Noised, Report, RowPolicy, ScanColumn, Statistic,
    WindowCall,
};
use terms::Type;

fn column(ordinal: u32) -> Expr {
    Expr::Column(ordinal)
}

fn int(value: i64) -> Expr {
    Expr::Literal(Literal::Int(value))
}

fn unit() -> Box<Node> {
    Box::new(Node::Values {
        types: vec![],
        rows: vec![vec![]],
    })
}

fn plan(root: Node) -> Plan {
    Plan {
        root,
        names: vec![],
        checks: vec![],
    }
}

/// The text of one expression, as a project prints it.
fn check(expr: Expr, expect: &str) {
    let printed = plan(Node::Project {
        input: unit(),
        exprs: vec![expr],
    })
    .print();
    let line = printed.lines().nth(1).unwrap();
    assert_eq!(line, format!("project {expect}"));
    assert_eq!(printed.lines().count(), 3, "{printed}");
}

fn scan() -> Node {
    let views = [
        ("age", Type::Int, View::masked(Mask::Band(10.0), None)),
        (
            "id",
            Type::Text,
            View::masked(Mask::Token, Some("person".parse().unwrap())),
        ),
        ("pay", Type::Float, View::Raw),
        ("id", Type::Int, View::Row),
        ("id", Type::Int, View::Subject),
    ];
    let columns = views.map(|(item, data_type, view)| ScanColumn {
        item: item.parse().unwrap(),
        data_type,
        view,
    });
    Node::Scan(Scan {
        dataset: "city.citizen".parse().unwrap(),
        columns: columns.into(),
        rows: Some(RowPolicy {
            items: vec![
                ("district".parse().unwrap(), Type::Text),
                ("year".parse().unwrap(), Type::Int),
            ],
            predicate: Expr::call(Function::Greater, [column(1), int(2020)]),
        }),
    })
}

fn aggregated() -> Node {
    let call = |function, arguments| AggregateCall {
        function,
        arguments,
        distinct: false,
        filter: None,
    };
    let adults = Expr::call(Function::GreaterEqual, [column(0), int(18)]);
    Node::Aggregate {
        input: Box::new(Node::Filter {
            input: Box::new(scan()),
            predicate: Expr::call(Function::IsNotNull, [column(2)]),
        }),
        keys: vec![column(0)],
        aggregates: vec![
            call(AggregateFunction::Count, vec![]),
            AggregateCall {
                distinct: true,
                filter: Some(adults),
                ..call(AggregateFunction::Count, vec![column(1)])
            },
            call(
                AggregateFunction::Witness,
                vec![column(4), column(3), column(2)],
            ),
        ],
    }
}

fn withheld() -> Node {
    let strict = Check {
        dominance: Some(Dominance {
            share_percent: 85,
            rest_percent: 10,
        }),
        once: true,
        spread: true,
        freedom: 10,
        ..Check::of(5)
    };
    Node::Withhold {
        input: Box::new(aggregated()),
        cells: vec![
            Cell {
                witness: 3,
                check: strict,
            },
            Cell {
                witness: 1,
                check: Check::of(5),
            },
        ],
        reports: vec![Report {
            witness: 3,
            number: 1,
            by_subject: false,
            noised: vec![Noised {
                column: 1,
                statistic: Statistic::Count,
            }],
        }],
    }
}

fn windowed() -> Node {
    let ranked = WindowCall {
        function: WindowFunction::Rank,
        arguments: vec![],
        partition: vec![column(0)],
        order: vec![SortKey {
            expr: column(1),
            descending: true,
            nulls_first: true,
        }],
        frame: Frame {
            rows: false,
            start: FrameBound::UnboundedPreceding,
            end: FrameBound::CurrentRow,
        },
    };
    let summed = WindowCall {
        function: WindowFunction::Aggregate(AggregateFunction::Sum),
        arguments: vec![column(1)],
        partition: vec![],
        order: vec![],
        ..ranked.clone()
    };
    Node::Window {
        input: Box::new(withheld()),
        calls: vec![ranked, summed],
    }
}

fn joined() -> Node {
    let one_row = Node::Values {
        types: vec![Type::Int],
        rows: vec![vec![Literal::Int(1)], vec![Literal::Int(2)]],
    };
    Node::Join {
        kind: JoinKind::Left,
        left: Box::new(windowed()),
        right: Box::new(Node::Distinct {
            input: Box::new(Node::Union {
                inputs: vec![one_row, *unit()],
            }),
        }),
        on: vec![(column(0), column(0))],
        filter: Some(Expr::call(Function::Less, [column(1), column(6)])),
        null_equal: true,
    }
}

#[test]
fn every_node_is_printed_on_a_line_of_its_own() {
    let ascending = SortKey {
        expr: column(0),
        descending: false,
        nulls_first: false,
    };
    let projected = Node::Project {
        input: Box::new(joined()),
        exprs: vec![column(0), column(3)],
    };
    let sorted = Node::Sort {
        input: Box::new(projected),
        keys: vec![ascending],
        fetch: Some(10),
    };
    let plan = Plan {
        root: Node::Limit {
            input: Box::new(sorted),
            skip: 2,
            fetch: Some(5),
        },
        names: vec!["age".to_owned()],
        checks: vec![Check::of(5)],
    };
    let expect = "\
result age
check #1 counts fewer than 5
limit 5 after 2
  sort #0 asc nulls last first 10
    project #0, #3
      left join on #0 = right #0 and (#1 < #6), nulls equal
        window rank() over (partition by [#0] order by [#1 desc nulls first]), sum(#1) over (partition by [] order by [])
          withhold rows where #3 counts fewer than 5 or is dominated (85 %, 10 %) or counts rows twice or has one value or has under 10 degrees of freedom, or #1 counts fewer than 5; report 1, noise on #1 if asked
            aggregate by [#0]: count(*), count(distinct #1) filter (#0 >= 18), witness(#4, #3, #2)
              filter is not null(#2)
                scan city.citizen [age band(10), id token of person, pay raw, row number, subject number] where (#1 > 2020) over [district, year]
        distinct
          union of 2
            values 2 rows
            values 1 rows
";
    assert_eq!(plan.print(), expect);
}

#[test]
fn absent_bounds_are_said() {
    let all = Node::Limit {
        input: Box::new(Node::Sort {
            input: unit(),
            keys: vec![],
            fetch: None,
        }),
        skip: 3,
        fetch: None,
    };
    assert_eq!(
        plan(all).print(),
        "result \nlimit all after 3\n  sort \n    values 1 rows\n"
    );
}

#[test]
fn a_draft_scan_names_its_items() {
    let draft = Node::Scan(Scan {
        dataset: "city.citizen".parse().unwrap(),
        columns: vec![ScanColumn {
            item: "年龄".parse().unwrap(),
            data_type: Type::Int,
            view: View::Catalogue,
        }],
        rows: None,
    });
    assert_eq!(plan(draft).print(), "result \nscan city.citizen [年龄]\n");
}

#[test]
fn every_join_has_its_word() {
    let words = [
        (JoinKind::Inner, "inner"),
        (JoinKind::Left, "left"),
        (JoinKind::Right, "right"),
        (JoinKind::Full, "full"),
        (JoinKind::Semi, "semi"),
        (JoinKind::Anti, "anti"),
        (JoinKind::Mark, "mark"),
    ];
    for (kind, word) in words {
        let join = Node::Join {
            kind,
            left: unit(),
            right: unit(),
            on: vec![],
            filter: Some(column(0)),
            null_equal: false,
        };
        let printed = plan(join).print();
        let expect = format!("result \n{word} join on #0\n  values 1 rows\n  values 1 rows\n");
        assert_eq!(printed, expect);
    }
}

#[test]
fn subqueries_are_printed_below_in_the_order_they_stand() {
    let one = |rows| {
        Expr::Scalar(Box::new(Node::Values {
            types: vec![],
            rows: vec![vec![]; rows],
        }))
    };
    let filter = Node::Filter {
        input: unit(),
        predicate: Expr::call(Function::Less, [one(2), one(3)]),
    };
    let expect = "\
result 
filter ((subquery) < (subquery))
  values 1 rows
  subquery
    values 2 rows
  subquery
    values 3 rows
";
    assert_eq!(plan(filter).print(), expect);
}

#[test]
fn expressions_are_printed_as_they_would_be_read() {
    check(Expr::Parameter(0, Type::Date), "$1 date");
    check(Expr::call(Function::Add, [column(0), int(-1)]), "(#0 + -1)");
    check(Expr::call(Function::Not, [column(0)]), "not(#0)");
    check(
        Expr::call(Function::IsDistinctFrom, [column(0), column(1)]),
        "(#0 is distinct from #1)",
    );
    // An operator with a wrong number of arguments is still printed.
    check(Expr::call(Function::Add, [column(0)]), "+(#0)");
    let cast = |lenient| Expr::Cast {
        value: Box::new(column(0)),
        to: Type::Decimal {
            precision: 9,
            scale: 2,
        },
        lenient,
    };
    check(cast(false), "cast(#0 as decimal(9,2))");
    check(cast(true), "try_cast(#0 as decimal(9,2))");
    let case = |otherwise: Option<Expr>| Expr::Case {
        branches: vec![(column(0), int(1)), (column(1), int(2))],
        otherwise: otherwise.map(Box::new),
    };
    check(case(None), "case when #0 then 1 when #1 then 2 end");
    check(
        case(Some(int(3))),
        "case when #0 then 1 when #1 then 2 else 3 end",
    );
    let one_of = |negated| Expr::InList {
        value: Box::new(column(0)),
        list: vec![int(1), int(2)],
        negated,
    };
    check(one_of(false), "(#0 in (1, 2))");
    check(one_of(true), "(#0 not in (1, 2))");
}

#[test]
fn literals_are_printed_with_what_tells_them_apart() {
    let check = |literal, expect| check(Expr::Literal(literal), expect);
    check(Literal::Null(Type::Text), "null text");
    check(Literal::Bool(true), "true");
    check(Literal::Int(i64::MIN), "-9223372036854775808");
    check(Literal::Float(1.0_f64.to_bits()), "1.0");
    check(Literal::Float(f64::NAN.to_bits()), "NaN");
    check(
        Literal::Decimal {
            unscaled: -125,
            precision: 5,
            scale: 2,
        },
        "-125e-2",
    );
    check(Literal::Text("it's".to_owned()), "'it''s'");
    check(Literal::Date(-1), "date '1969-12-31'");
    check(Literal::Date(i32::MAX), "date 2147483647");
    check(
        Literal::Timestamp(1_500_000),
        "timestamp '1970-01-01 00:00:01.500'",
    );
    check(
        Literal::Timestamp(i64::MAX),
        "timestamp 9223372036854775807",
    );
    check(
        Literal::Interval {
            months: 1,
            days: -2,
            nanoseconds: 3,
        },
        "interval 1 months -2 days 3 ns",
    );
}

/// Who reads a plan must not be shown lines that are not in it.
#[test]
fn text_of_the_callers_stays_on_its_line() {
    let forged = "x'\nscan city.citizen [age]\u{202e}\r";
    check(
        Expr::Literal(Literal::Text(forged.to_owned())),
        r"'x''\nscan city.citizen [age]\u{202e}\r'",
    );
    let named = Plan {
        names: vec![forged.to_owned()],
        ..plan(*unit())
    };
    assert_eq!(named.print().lines().count(), 2);
}
