//! Parameters and the values given for them.

use super::*;
use crate::{
    Accept, AggregateCall, AggregateFunction, Bounds, Frame, FrameBound, Function, JoinKind,
    SortKey, WindowCall, WindowFunction,
};

fn parameter(index: u32, data_type: Type) -> Expr {
    Expr::Parameter(index, data_type)
}

fn unit() -> Box<Node> {
    Box::new(Node::Values {
        types: vec![],
        rows: vec![vec![]],
    })
}

fn project(exprs: Vec<Expr>) -> Plan {
    Plan {
        root: Node::Project {
            input: unit(),
            exprs,
        },
        names: vec![],
        checks: vec![],
    }
}

/// Takes an int and a text.
fn statement() -> Plan {
    project(vec![
        parameter(1, Type::Text),
        Expr::call(
            Function::Add,
            [parameter(0, Type::Int), Expr::Literal(Literal::Int(1))],
        ),
    ])
}

fn text(text: &str) -> Literal {
    Literal::Text(text.to_owned())
}

fn check_types(exprs: Vec<Expr>, expect: Result<Vec<Type>, Unbindable>) {
    assert_eq!(project(exprs).parameters(), expect);
}

#[test]
fn parameters_are_known_by_index_and_type() {
    assert_eq!(statement().parameters(), Ok(vec![Type::Int, Type::Text]));
    check_types(vec![], Ok(vec![]));
    check_types(
        vec![parameter(0, Type::Date), parameter(0, Type::Date)],
        Ok(vec![Type::Date]),
    );
}

#[test]
fn a_parameter_left_out_in_between_is_untyped() {
    check_types(vec![parameter(1, Type::Int)], Err(Unbindable::Untyped(0)));
    check_types(
        vec![parameter(0, Type::Int), parameter(2, Type::Int)],
        Err(Unbindable::Untyped(1)),
    );
    check_types(
        vec![parameter(u32::MAX, Type::Int)],
        Err(Unbindable::Untyped(0)),
    );
}

#[test]
fn a_parameter_of_two_types_is_untyped() {
    check_types(
        vec![parameter(0, Type::Int), parameter(0, Type::Float)],
        Err(Unbindable::Untyped(0)),
    );
    let narrow = Type::Decimal {
        precision: 5,
        scale: 2,
    };
    let wide = Type::Decimal {
        precision: 6,
        scale: 2,
    };
    check_types(
        vec![
            parameter(0, Type::Int),
            parameter(1, narrow),
            parameter(1, wide),
        ],
        Err(Unbindable::Untyped(1)),
    );
}

#[test]
fn values_stand_where_parameters_stood() {
    let bound = statement().bind(&[Literal::Int(7), text("年龄")]).unwrap();
    let expect = project(vec![
        Expr::Literal(text("年龄")),
        Expr::call(
            Function::Add,
            [
                Expr::Literal(Literal::Int(7)),
                Expr::Literal(Literal::Int(1)),
            ],
        ),
    ]);
    assert_eq!(bound, expect);
    assert_eq!(bound.parameters(), Ok(vec![]));
}

#[test]
fn one_value_stands_wherever_its_parameter_stood() {
    let twice = project(vec![parameter(0, Type::Int), parameter(0, Type::Int)]);
    let seven = Expr::Literal(Literal::Int(7));
    assert_eq!(
        twice.bind(&[Literal::Int(7)]),
        Ok(project(vec![seven.clone(), seven]))
    );
}

#[test]
fn too_few_and_too_many_values_are_refused() {
    let values = [Literal::Int(7), text("x"), text("y")];
    for given in [0, 1, 3] {
        assert_eq!(
            statement().bind(&values[..given]),
            Err(Unbindable::Count { given, wanted: 2 })
        );
    }
    assert_eq!(
        project(vec![]).bind(&values[..1]),
        Err(Unbindable::Count {
            given: 1,
            wanted: 0
        })
    );
}

#[test]
fn a_value_of_another_type_is_refused() {
    let check = |values: [Literal; 2], index, given, wanted| {
        assert_eq!(
            statement().bind(&values),
            Err(Unbindable::Type {
                index,
                given,
                wanted
            })
        );
    };
    let half = Literal::Float(0.5_f64.to_bits());
    check([half, text("x")], 0, Type::Float, Type::Int);
    check([text("7"), text("x")], 0, Type::Text, Type::Int);
    check([Literal::Int(7), Literal::Int(7)], 1, Type::Int, Type::Text);
}

#[test]
fn a_decimal_of_other_digits_is_another_type() {
    let wanted = Type::Decimal {
        precision: 5,
        scale: 2,
    };
    let value = |precision, scale| Literal::Decimal {
        unscaled: 125,
        precision,
        scale,
    };
    let plan = project(vec![parameter(0, wanted)]);
    assert!(plan.bind(&[value(5, 2)]).is_ok());
    for (precision, scale) in [(6, 2), (5, 1)] {
        assert_eq!(
            plan.bind(&[value(precision, scale)]),
            Err(Unbindable::Type {
                index: 0,
                given: Type::Decimal { precision, scale },
                wanted,
            })
        );
    }
}

#[test]
fn a_null_has_its_parameters_type() {
    let bound = statement().bind(&[Literal::Null(Type::Int), text("x")]);
    let printed = bound.unwrap().print();
    assert!(printed.contains("(null int + 1)"), "{printed}");
    assert_eq!(
        statement().bind(&[Literal::Null(Type::Text), text("x")]),
        Err(Unbindable::Type {
            index: 0,
            given: Type::Text,
            wanted: Type::Int,
        })
    );
}

#[test]
fn a_value_keeps_the_type_and_loses_the_null() {
    let plan = statement();
    let bound = plan.bind(&[Literal::Int(7), text("x")]).unwrap();
    let (before, after) = (plan.root.fields().unwrap(), bound.root.fields().unwrap());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.data_type, after.data_type);
        assert!(before.nullable && !after.nullable);
    }
}

#[test]
fn the_digest_tells_values_apart() {
    let plan = statement();
    let bind = |age, name: &str| plan.bind(&[Literal::Int(age), text(name)]).unwrap();
    assert_eq!(bind(7, "x").digest(), bind(7, "x").digest());
    let digests = [
        plan.digest(),
        bind(7, "x").digest(),
        bind(8, "x").digest(),
        bind(7, "y").digest(),
    ];
    let apart: std::collections::BTreeSet<_> = digests.into_iter().collect();
    assert_eq!(apart.len(), digests.len());
}

/// The digest names what runs, however it was sent.
#[test]
fn a_bound_plan_has_the_digest_of_one_written_with_values() {
    let plan = project(vec![parameter(0, Type::Int)]);
    let written = project(vec![Expr::Literal(Literal::Int(7))]);
    let bound = plan.bind(&[Literal::Int(7)]).unwrap();
    assert_eq!(bound.digest(), written.digest());
    let bytes = bound.encode();
    assert_eq!(
        Plan::decode(&bytes, Accept::Confined, &Bounds::default()),
        Ok(bound)
    );
}

/// One plan with a parameter in every place an expression can stand.
#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one plan, and every place in it shows that it is one"
)]
fn no_parameter_is_overlooked() {
    let next = std::cell::Cell::new(0);
    let here = || {
        let index = next.get();
        next.set(index + 1);
        parameter(index, Type::Bool)
    };
    let key = |expr| SortKey {
        expr,
        descending: false,
        nulls_first: false,
    };
    let subquery = Node::Filter {
        input: unit(),
        predicate: here(),
    };
    let exprs = vec![
        Expr::Cast {
            value: Box::new(here()),
            to: Type::Int,
            lenient: false,
        },
        Expr::Case {
            branches: vec![(here(), here())],
            otherwise: Some(Box::new(here())),
        },
        Expr::InList {
            value: Box::new(here()),
            list: vec![here(), here()],
            negated: false,
        },
        Expr::call(Function::Not, [Expr::Scalar(Box::new(subquery))]),
    ];
    let project = Node::Project {
        input: unit(),
        exprs,
    };
    let aggregate = Node::Aggregate {
        input: Box::new(project),
        keys: vec![here()],
        aggregates: vec![AggregateCall {
            function: AggregateFunction::Count,
            arguments: vec![here()],
            distinct: false,
            filter: Some(here()),
        }],
    };
    let window = Node::Window {
        input: unit(),
        calls: vec![WindowCall {
            function: WindowFunction::FirstValue,
            arguments: vec![here()],
            partition: vec![here()],
            order: vec![key(here())],
            frame: Frame {
                rows: true,
                start: FrameBound::UnboundedPreceding,
                end: FrameBound::CurrentRow,
            },
        }],
    };
    let join = Node::Join {
        kind: JoinKind::Inner,
        left: Box::new(aggregate),
        right: Box::new(window),
        on: vec![(here(), here())],
        filter: Some(here()),
        null_equal: false,
    };
    let sort = Node::Sort {
        input: Box::new(join),
        keys: vec![key(here())],
        fetch: None,
    };
    let plan = Plan {
        root: Node::Union {
            inputs: vec![sort, *unit()],
        },
        names: vec![],
        checks: vec![],
    };
    let wanted = plan.parameters().unwrap();
    assert_eq!(wanted.len(), usize::try_from(next.get()).unwrap());
    let bound = plan.bind(&vec![Literal::Bool(true); wanted.len()]).unwrap();
    assert_eq!(bound.parameters(), Ok(vec![]));
    let bytes = bound.encode();
    // A confined plan takes no parameter at all: the decoder's word beside the walk's.
    assert!(Plan::decode(&bytes, Accept::Draft, &Bounds::default()).is_ok());
    assert!(Plan::decode(&bytes, Accept::Confined, &Bounds::default()).is_ok());
}
