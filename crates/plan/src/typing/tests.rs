//! The language's rules as tables: what has a type, which, and what has none.

use super::*;
use crate::{
    AggregateCall, AggregateFunction, Cell, Check, Dominance, Frame, FrameBound, Function,
    JoinKind, Literal, Noised, Plan, Report, RowPolicy, Scan, ScanColumn, SortKey, Statistic, View,
    WindowCall, WindowFunction,
};
use terms::Mask;

use Type::{Bool, Date, Float, Int, Interval, Text, Timestamp, Witness};

const fn decimal(precision: u8, scale: u8) -> Type {
    Type::Decimal { precision, scale }
}

/// Every type there is.
const TYPES: [Type; 9] = [
    Bool,
    Int,
    Float,
    decimal(9, 2),
    Text,
    Date,
    Timestamp,
    Interval,
    Witness,
];

fn column(ordinal: u32) -> Expr {
    Expr::Column(ordinal)
}

fn columns(count: usize) -> Vec<Expr> {
    (0..).map(column).take(count).collect()
}

fn text(text: &str) -> Expr {
    Expr::Literal(Literal::Text(text.to_owned()))
}

fn null(data_type: Type) -> Expr {
    Expr::Literal(Literal::Null(data_type))
}

fn fields(types: &[Type], nullable: bool) -> Vec<Field> {
    types
        .iter()
        .map(|data_type| Field::of(*data_type, nullable))
        .collect()
}

/// A node with columns of these types, all nullable; a witness is an aggregate's.
fn input(types: &[Type]) -> Box<Node> {
    let plain: Vec<Type> = types.iter().copied().filter(|t| t.is_plain()).collect();
    let values = Node::Values {
        types: plain.clone(),
        rows: vec![],
    };
    if plain.len() == types.len() {
        return Box::new(values);
    }
    let exprs = types.iter().map(|data_type| null(*data_type)).collect();
    Box::new(Node::Project {
        input: Box::new(values),
        exprs,
    })
}

/// A call over columns of these types, none of them null.
fn check_call(function: Function, takes: &[Type], gives: Option<Type>) {
    let call = Expr::call(function, columns(takes.len()));
    let found = call.data_type(&fields(takes, false)).ok();
    assert_eq!(found, gives, "{} over {takes:?}", function.word());
}

/// `takes` has this type, and nothing else of as many arguments has one.
fn check_only(functions: &[Function], arity: usize, gives: impl Fn(&[Type]) -> Option<Type>) {
    for &function in functions {
        check_call(function, &[], None);
        check_call(function, &[TYPES.as_slice(); 4].concat()[..5], None);
        for left in TYPES {
            if arity == 1 {
                check_call(function, &[left], gives(&[left]));
                check_call(function, &[left, left], None);
            } else {
                check_call(function, &[left], None);
                for right in TYPES {
                    check_call(function, &[left, right], gives(&[left, right]));
                }
            }
        }
    }
}

#[test]
fn arithmetic_is_over_two_numbers_of_one_type() {
    check_only(
        &[Function::Add, Function::Subtract],
        2,
        |takes| match takes {
            [Int, Int] => Some(Int),
            [Float, Float] => Some(Float),
            [Type::Decimal { .. }, Type::Decimal { .. }] => Some(decimal(10, 2)),
            [moment @ (Date | Timestamp), Interval] => Some(*moment),
            _ => None,
        },
    );
    check_only(&[Function::Multiply], 2, |takes| match takes {
        [Int, Int] => Some(Int),
        [Float, Float] => Some(Float),
        [Type::Decimal { .. }, Type::Decimal { .. }] => Some(decimal(19, 4)),
        _ => None,
    });
    check_only(
        &[Function::Divide, Function::Modulo],
        2,
        |takes| match takes {
            [Int, Int] => Some(Int),
            [Float, Float] => Some(Float),
            _ => None,
        },
    );
    check_only(&[Function::Negate, Function::Abs], 1, |takes| {
        takes.first().copied().filter(|t| t.is_number())
    });
}

#[test]
fn decimals_widen_up_to_thirty_eight_digits() {
    let check = |function, left: (u8, u8), right: (u8, u8), gives| {
        check_call(
            function,
            &[decimal(left.0, left.1), decimal(right.0, right.1)],
            gives,
        );
    };
    check(Function::Add, (5, 2), (7, 1), Some(decimal(9, 2)));
    check(Function::Subtract, (38, 0), (38, 0), Some(decimal(38, 0)));
    check(Function::Add, (38, 38), (38, 0), Some(decimal(38, 38)));
    check(Function::Multiply, (5, 2), (7, 1), Some(decimal(13, 3)));
    check(
        Function::Multiply,
        (38, 19),
        (38, 19),
        Some(decimal(38, 38)),
    );
    check(Function::Multiply, (38, 20), (38, 19), None);
}

#[test]
fn comparisons_are_of_one_plain_type() {
    let compare = [
        Function::Equal,
        Function::NotEqual,
        Function::Less,
        Function::LessEqual,
        Function::Greater,
        Function::GreaterEqual,
        Function::IsDistinctFrom,
        Function::IsNotDistinctFrom,
    ];
    let alike = |takes: &[Type]| takes[0] == takes[1] && takes[0].is_plain();
    check_only(&compare, 2, |takes| alike(takes).then_some(Bool));
    check_only(&[Function::NullIf], 2, |takes| {
        alike(takes).then_some(takes[0])
    });
    check_call(Function::Less, &[decimal(5, 2), decimal(6, 2)], None);
}

#[test]
fn logic_is_over_booleans() {
    check_only(&[Function::And, Function::Or], 2, |takes| {
        (takes == [Bool, Bool]).then_some(Bool)
    });
    let truth = [
        Function::Not,
        Function::IsTrue,
        Function::IsFalse,
        Function::IsUnknown,
    ];
    check_only(&truth, 1, |takes| (takes == [Bool]).then_some(Bool));
    check_only(&[Function::IsNull, Function::IsNotNull], 1, |_| Some(Bool));
}

#[test]
fn text_functions_are_over_text() {
    let one = |gives| move |takes: &[Type]| (takes == [Text]).then_some(gives);
    let two = |gives| move |takes: &[Type]| (takes == [Text, Text]).then_some(gives);
    let texts = [
        Function::Lower,
        Function::Upper,
        Function::Trim,
        Function::TrimLeft,
        Function::TrimRight,
        Function::Reverse,
    ];
    check_only(&texts, 1, one(Text));
    check_only(&[Function::Length], 1, one(Int));
    let tests = [
        Function::Like,
        Function::ILike,
        Function::StartsWith,
        Function::EndsWith,
    ];
    check_only(&tests, 2, two(Bool));
    check_only(&[Function::Position], 2, two(Int));
    check_only(
        &[Function::Left, Function::Right, Function::Substring],
        2,
        |takes| (takes == [Text, Int]).then_some(Text),
    );
    check_call(Function::Substring, &[Text, Int, Int], Some(Text));
    check_call(Function::Substring, &[Text, Int, Text], None);
    check_call(Function::Substring, &[Text, Int, Int, Int], None);
    check_call(Function::Left, &[Text, Int, Int], None);
    for count in 1..5 {
        check_call(Function::Concat, &vec![Text; count], Some(Text));
    }
    check_call(Function::Concat, &[], None);
    check_call(Function::Concat, &[Text, Int], None);
}

#[test]
fn mathematics_is_over_floats() {
    let functions = [
        Function::Ceil,
        Function::Floor,
        Function::Sqrt,
        Function::Ln,
        Function::Log10,
        Function::Exp,
        Function::Signum,
    ];
    check_only(&functions, 1, |takes| (takes == [Float]).then_some(Float));
    check_only(&[Function::Power], 2, |takes| {
        (takes == [Float, Float]).then_some(Float)
    });
    for (takes, gives) in [
        (&[Float][..], Some(Float)),
        (&[Float, Int], Some(Float)),
        (&[Float, Float], None),
        (&[Float, Int, Int], None),
        (&[Int], None),
        (&[decimal(9, 2)], None),
        (&[], None),
    ] {
        check_call(Function::Round, takes, gives);
    }
}

#[test]
fn choices_are_among_values_of_one_plain_type() {
    for function in [Function::Coalesce, Function::Greatest, Function::Least] {
        check_call(function, &[], None);
        for data_type in TYPES {
            let gives = Some(data_type).filter(|t| t.is_plain());
            check_call(function, &[data_type], gives);
            check_call(function, &[data_type; 3], gives);
        }
        check_call(function, &[Int, Float], None);
        check_call(function, &[Int, Int, Text], None);
    }
}

#[test]
fn parts_of_dates_are_literals_of_a_list() {
    let check = |function, part, of: Type, gives| {
        let call = Expr::call(function, [part, column(0)]);
        let found = call.data_type(&fields(&[of, Text], false)).ok();
        assert_eq!(found, gives, "{call:?} of {of}");
    };
    for of in TYPES {
        let is_moment = matches!(of, Date | Timestamp);
        for part in ["year", "week", "day", "hour", "second"] {
            check(Function::DatePart, text(part), of, is_moment.then_some(Int));
            let cut = is_moment.then_some(Timestamp);
            check(Function::DateTrunc, text(part), of, cut);
        }
    }
    check(Function::DatePart, text("dow"), Date, Some(Int));
    check(Function::DateTrunc, text("dow"), Date, None);
    check(Function::DatePart, text("century"), Date, None);
    check(Function::DatePart, text("YEAR"), Date, None);
    check(Function::DatePart, column(1), Date, None);
    check(Function::DatePart, null(Text), Date, None);
    check_call(Function::DatePart, &[Text], None);
}

#[test]
fn division_without_errors_is_division_with_nulls() {
    use Function::{Divide, DivideOrNull, Modulo, ModuloOrNull};
    for (plain, total) in [(Divide, DivideOrNull), (Modulo, ModuloOrNull)] {
        for left in TYPES {
            for right in TYPES {
                let takes = fields(&[left, right], false);
                let of = |function| Expr::call(function, columns(2)).field(&takes).ok();
                let wanted = of(plain).map(|field| Field::of(field.data_type, true));
                assert_eq!(of(total), wanted, "{left} {right}");
            }
        }
    }
}

#[test]
fn subjects_are_counted_by_witnesses() {
    check_only(&[Function::WitnessSubjects], 1, |takes| {
        (takes == [Witness]).then_some(Int)
    });
}

#[test]
fn every_function_has_a_type_somewhere() {
    for &function in Function::ALL {
        let mut tried: Vec<Vec<Type>> = TYPES.iter().map(|t| vec![*t]).collect();
        for left in TYPES {
            tried.extend(TYPES.iter().map(|right| vec![left, *right]));
        }
        let typed = tried.iter().any(|takes| {
            let call = Expr::call(function, columns(takes.len()));
            call.data_type(&fields(takes, false)).is_ok()
        });
        // Parts of dates want a literal, and what may fail is a call.
        let more = [Function::DatePart, Function::DateTrunc, Function::OrNull];
        assert_ne!(typed, more.contains(&function), "{}", function.word());
    }
}

#[test]
fn a_call_that_may_fail_has_its_own_type_and_perhaps_no_value() {
    let takes = fields(&[Int], false);
    let of = |inside: Expr| Expr::call(Function::OrNull, [inside]).field(&takes).ok();
    let wanted = Some(Field::of(Int, true));
    assert_eq!(of(Expr::call(Function::Abs, [Expr::Column(0)])), wanted);
    assert_eq!(of(Expr::Column(0)), None);
}

#[test]
fn null_goes_through_where_it_is_not_caught() {
    let check = |function, types: &[Type], nullable: &[bool], expect| {
        let pairs = types.iter().zip(nullable);
        let input: Vec<Field> = pairs.map(|(t, n)| Field::of(*t, *n)).collect();
        let call = Expr::call(function, columns(types.len()));
        assert_eq!(call.field(&input).unwrap().nullable, expect, "{call:?}");
    };
    check(Function::Add, &[Int, Int], &[false, false], false);
    check(Function::Add, &[Int, Int], &[true, false], true);
    check(Function::Equal, &[Int, Int], &[false, true], true);
    check(Function::IsDistinctFrom, &[Int, Int], &[true, true], false);
    check(Function::IsNull, &[Int], &[true], false);
    check(Function::IsTrue, &[Bool], &[true], false);
    check(Function::Coalesce, &[Int, Int], &[true, false], false);
    check(Function::Coalesce, &[Int, Int], &[true, true], true);
    check(Function::NullIf, &[Int, Int], &[false, false], true);
}

#[test]
fn casts_that_exist() {
    let number = |t: Type| t.is_number();
    for from in TYPES {
        for to in TYPES {
            let plain = from.is_plain() && to.is_plain();
            let exists = plain
                && (from == to
                    || from == Text
                    || to == Text
                    || (number(from) && number(to))
                    || matches!((from, to), (Bool, Int) | (Int, Bool))
                    || matches!((from, to), (Date, Timestamp) | (Timestamp, Date)));
            for lenient in [false, true] {
                let cast = Expr::Cast {
                    value: Box::new(column(0)),
                    to,
                    lenient,
                };
                let found = cast.field(&fields(&[from], false)).ok();
                let expect = exists.then_some(Field::of(to, lenient));
                assert_eq!(found, expect, "{from} to {to}");
            }
        }
    }
}

#[test]
fn a_case_has_one_type_and_conditions() {
    let check = |branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>, expect| {
        let case = Expr::Case {
            branches,
            otherwise: otherwise.map(Box::new),
        };
        assert_eq!(case.field(&fields(&[Bool, Int, Float], false)).ok(), expect);
    };
    let when = || (column(0), column(1));
    check(vec![when()], None, Some(Field::of(Int, true)));
    check(vec![when()], Some(column(1)), Some(Field::of(Int, false)));
    check(vec![when()], Some(null(Int)), Some(Field::of(Int, true)));
    check(vec![when()], Some(column(2)), None);
    check(vec![when(), (column(0), column(2))], None, None);
    check(vec![(column(1), column(1))], None, None);
    check(vec![], None, None);
}

#[test]
fn a_list_is_of_the_values_type() {
    let check = |list: Vec<Expr>, expect| {
        let one_of = Expr::InList {
            value: Box::new(column(0)),
            list,
            negated: false,
        };
        assert_eq!(one_of.field(&fields(&[Int, Text], false)).ok(), expect);
    };
    check(vec![], Some(Field::of(Bool, false)));
    check(vec![column(0)], Some(Field::of(Bool, false)));
    check(vec![column(0), null(Int)], Some(Field::of(Bool, true)));
    check(vec![column(0), column(1)], None);
    for of in TYPES {
        let one_of = Expr::InList {
            value: Box::new(column(0)),
            list: vec![column(0)],
            negated: true,
        };
        let found = one_of.data_type(&fields(&[of], false)).ok();
        assert_eq!(found, of.is_plain().then_some(Bool), "{of}");
    }
}

#[test]
fn a_column_past_the_input_has_no_type() {
    let input = fields(&[Int], false);
    assert_eq!(column(0).data_type(&input), Ok(Int));
    assert!(column(1).data_type(&input).is_err());
    assert!(column(u32::MAX).data_type(&input).is_err());
}

#[test]
fn a_scalar_subquery_has_one_plain_nullable_column() {
    let check = |types: &[Type], expect| {
        let scalar = Expr::Scalar(input(types));
        assert_eq!(scalar.field(&[]).ok(), expect, "{types:?}");
    };
    check(&[Int], Some(Field::of(Int, true)));
    check(&[], None);
    check(&[Int, Int], None);
    check(&[Witness], None);
    check(&[Interval], None);
    // It does not see the columns around it.
    let correlated = Expr::Scalar(Box::new(Node::Project {
        input: input(&[]),
        exprs: vec![column(0)],
    }));
    assert!(correlated.field(&fields(&[Int], false)).is_err());
}

fn aggregate(function: AggregateFunction, takes: &[Type], distinct: bool) -> Option<Field> {
    let node = Node::Aggregate {
        input: input(takes),
        keys: vec![],
        aggregates: vec![AggregateCall {
            function,
            arguments: columns(takes.len()),
            distinct,
            filter: None,
        }],
    };
    node.fields().ok()?.first().copied()
}

#[test]
fn aggregates_over_one_value() {
    use AggregateFunction::{
        Avg, Count, Max, Median, Min, StddevPopulation, StddevSample, Sum, VariancePopulation,
        VarianceSample, WitnessUnion,
    };
    let some = |data_type| Some(Field::of(data_type, true));
    for of in TYPES {
        let is_float = (of == Float).then_some(Field::of(Float, true));
        let (sum, avg) = match of {
            Int => (some(Int), None),
            Float => (some(Float), some(Float)),
            Type::Decimal { .. } => (some(decimal(19, 2)), some(decimal(13, 6))),
            _ => (None, None),
        };
        assert_eq!(aggregate(Sum, &[of], false), sum);
        assert_eq!(aggregate(Avg, &[of], false), avg);
        let plain = of.is_plain();
        let count = plain.then_some(Field::of(Int, false));
        assert_eq!(aggregate(Count, &[of], false), count);
        assert_eq!(aggregate(Count, &[of], true), count);
        for function in [Min, Max] {
            let least = plain.then_some(Field::of(of, true));
            assert_eq!(aggregate(function, &[of], false), least);
        }
        for function in [
            StddevSample,
            StddevPopulation,
            VarianceSample,
            VariancePopulation,
            Median,
        ] {
            assert_eq!(aggregate(function, &[of], false), is_float);
        }
        let united = (of == Witness).then_some(Field::of(Witness, false));
        assert_eq!(aggregate(WitnessUnion, &[of], false), united);
        assert_eq!(aggregate(WitnessUnion, &[of], true), None);
    }
    assert_eq!(aggregate(Count, &[], false), Some(Field::of(Int, false)));
    assert_eq!(aggregate(Count, &[], true), None);
}

#[test]
fn sums_and_means_of_decimals_widen_up_to_thirty_eight_digits() {
    let check = |function, of, expect| {
        let found = aggregate(function, &[of], false);
        assert_eq!(found, Some(Field::of(expect, true)), "{of}");
    };
    check(AggregateFunction::Sum, decimal(30, 2), decimal(38, 2));
    check(AggregateFunction::Avg, decimal(36, 2), decimal(38, 6));
    check(AggregateFunction::Avg, decimal(38, 38), decimal(38, 38));
}

#[test]
fn aggregates_over_several_values_take_exactly_these() {
    use AggregateFunction::{Percentile, SafeMax, SafeMin, SafeQuantile};
    let signatures: [(AggregateFunction, &[Type], Field); 5] = [
        (
            AggregateFunction::Witness,
            &[Int, Int, Float],
            Field::of(Witness, false),
        ),
        (Percentile, &[Float, Float], Field::of(Float, true)),
        (
            SafeQuantile,
            &[Float, Int, Float, Int, Float],
            Field::of(Float, true),
        ),
        (SafeMin, &[Float, Int, Int, Float], Field::of(Float, true)),
        (SafeMax, &[Float, Int, Int, Float], Field::of(Float, true)),
    ];
    for function in [AggregateFunction::SharedMin, AggregateFunction::SharedMax] {
        for of in TYPES {
            let gives = aggregate(function, &[of, Int, Int], false);
            assert_eq!(gives, of.is_plain().then(|| Field::of(of, true)), "{of}");
        }
        assert_eq!(aggregate(function, &[Text, Int], false), None);
        assert_eq!(aggregate(function, &[Text, Text, Int], false), None);
        assert_eq!(aggregate(function, &[Text, Int, Float], false), None);
        assert_eq!(aggregate(function, &[Text, Int, Int], true), None);
    }
    for (function, takes, gives) in signatures {
        assert_eq!(aggregate(function, takes, false), Some(gives));
        assert_eq!(aggregate(function, takes, true), None);
        assert_eq!(aggregate(function, &takes[1..], false), None);
        assert_eq!(aggregate(function, &[takes, &[Int]].concat(), false), None);
        for at in 0..takes.len() {
            for other in TYPES.into_iter().filter(|other| *other != takes[at]) {
                let mut wrong = takes.to_vec();
                wrong[at] = other;
                assert_eq!(aggregate(function, &wrong, false), None, "{wrong:?}");
            }
        }
    }
    for &function in AggregateFunction::ALL {
        let alone = function == AggregateFunction::Count;
        assert_eq!(aggregate(function, &[], false).is_some(), alone);
    }
}

#[test]
fn keys_are_plain_and_filters_are_conditions() {
    let check = |key: Type, filter: Type, fits: bool| {
        let node = Node::Aggregate {
            input: input(&[key, filter]),
            keys: vec![column(0)],
            aggregates: vec![AggregateCall {
                function: AggregateFunction::Count,
                arguments: vec![],
                distinct: false,
                filter: Some(column(1)),
            }],
        };
        assert_eq!(node.fields().is_ok(), fits, "{key} {filter}");
    };
    for of in TYPES {
        check(of, Bool, of.is_plain());
        check(Int, of, of == Bool);
        let filter = Node::Filter {
            input: input(&[of]),
            predicate: column(0),
        };
        assert_eq!(filter.fields().is_ok(), of == Bool);
        let sort = Node::Sort {
            input: input(&[of]),
            keys: vec![SortKey {
                expr: column(0),
                descending: false,
                nulls_first: false,
            }],
            fetch: None,
        };
        assert_eq!(sort.fields().is_ok(), of.is_plain());
        let distinct = Node::Distinct {
            input: input(&[of]),
        };
        assert_eq!(distinct.fields().is_ok(), of.is_plain());
        let below = input(&[of]);
        let limit = Node::Limit {
            input: below.clone(),
            skip: 0,
            fetch: None,
        };
        assert_eq!(limit.fields(), below.fields());
    }
}

const FRAME: Frame = Frame {
    rows: true,
    start: FrameBound::UnboundedPreceding,
    end: FrameBound::CurrentRow,
};

/// The type of the last column: the window's.
fn window(function: WindowFunction, takes: &[Type], arguments: Vec<Expr>) -> Option<Field> {
    let node = Node::Window {
        input: input(takes),
        calls: vec![WindowCall {
            function,
            arguments,
            partition: vec![],
            order: vec![],
            frame: FRAME,
        }],
    };
    let fields = node.fields().ok()?;
    assert_eq!(fields.len(), takes.len() + 1);
    fields.last().copied()
}

#[test]
fn window_functions_right_and_wrong() {
    let int = |value| Expr::Literal(Literal::Int(value));
    for rank in [
        WindowFunction::RowNumber,
        WindowFunction::Rank,
        WindowFunction::DenseRank,
    ] {
        assert_eq!(window(rank, &[Int], vec![]), Some(Field::of(Int, false)));
        assert_eq!(window(rank, &[Int], vec![column(0)]), None);
    }
    for end in [WindowFunction::FirstValue, WindowFunction::LastValue] {
        assert_eq!(
            window(end, &[Text], vec![column(0)]),
            Some(Field::of(Text, true))
        );
        assert_eq!(window(end, &[Text], vec![]), None);
        assert_eq!(window(end, &[Witness], vec![column(0)]), None);
    }
    for near in [WindowFunction::Lag, WindowFunction::Lead] {
        let check = |arguments, fits: bool| {
            let expect = fits.then_some(Field::of(Text, true));
            assert_eq!(window(near, &[Text, Int], arguments), expect);
        };
        check(vec![column(0)], true);
        check(vec![column(0), int(1)], true);
        check(vec![column(0), int(1), text("x")], true);
        check(vec![], false);
        check(vec![column(0), column(1)], false);
        check(vec![column(0), text("1")], false);
        check(vec![column(0), int(1), int(1)], false);
        check(vec![column(0), int(1), column(0)], false);
        check(vec![column(0), int(1), text("x"), text("x")], false);
    }
    let sum = WindowFunction::Aggregate(AggregateFunction::Sum);
    assert_eq!(
        window(sum, &[Int], vec![column(0)]),
        Some(Field::of(Int, true))
    );
    assert_eq!(window(sum, &[Text], vec![column(0)]), None);
    let takes = [Int, Int, Float];
    let witness = WindowFunction::Aggregate(AggregateFunction::Witness);
    assert_eq!(window(witness, &takes, columns(3)), None);
}

#[test]
fn frames_with_and_without_meaning() {
    use FrameBound::{CurrentRow, Following, Preceding, UnboundedFollowing, UnboundedPreceding};
    let check = |rows, start, end, fits: bool| {
        let node = Node::Window {
            input: input(&[Int]),
            calls: vec![WindowCall {
                function: WindowFunction::RowNumber,
                arguments: vec![],
                partition: vec![column(0)],
                order: vec![],
                frame: Frame { rows, start, end },
            }],
        };
        assert_eq!(node.fields().is_ok(), fits, "{rows} {start:?} {end:?}");
    };
    for rows in [false, true] {
        check(rows, UnboundedPreceding, UnboundedFollowing, true);
        check(rows, UnboundedPreceding, CurrentRow, true);
        check(rows, CurrentRow, UnboundedFollowing, true);
        check(rows, Preceding(1), CurrentRow, rows);
        check(rows, CurrentRow, Following(1), rows);
        check(rows, UnboundedFollowing, UnboundedFollowing, false);
        check(rows, UnboundedPreceding, UnboundedPreceding, false);
        check(rows, CurrentRow, CurrentRow, true);
    }
    // What the engine refuses once it plans: a frame that ends before it begins.
    check(true, Preceding(2), Preceding(1), true);
    check(true, Preceding(1), Preceding(1), true);
    check(true, Preceding(1), Preceding(2), false);
    check(true, Following(1), Following(2), true);
    check(true, Following(1), Following(1), true);
    check(true, Following(2), Following(1), false);
    check(true, CurrentRow, Preceding(1), false);
    check(true, CurrentRow, Preceding(0), false);
    check(true, Following(0), CurrentRow, false);
    check(true, Following(0), Preceding(0), false);
    // What the engine counts past the end of its numbers.
    let most = u64::try_from(i64::MAX).unwrap();
    check(true, Preceding(most), Following(most), true);
    check(true, CurrentRow, Following(most + 1), false);
    check(true, Preceding(u64::MAX), CurrentRow, false);
}

fn join(kind: JoinKind, on: Vec<(Expr, Expr)>, filter: Option<Expr>) -> Option<Vec<Field>> {
    // Literals on the left are never null; columns on the right may be.
    let left = Node::Project {
        input: input(&[]),
        exprs: vec![Expr::Literal(Literal::Int(1)), text("x")],
    };
    let node = Node::Join {
        kind,
        left: Box::new(left),
        right: input(&[Int, Bool]),
        on,
        filter,
        null_equal: false,
    };
    node.fields().ok()
}

#[test]
fn joins_give_what_their_kind_says() {
    let left = fields(&[Int, Text], false);
    let loose = fields(&[Int, Text], true);
    let right = fields(&[Int, Bool], true);
    for (kind, expect) in [
        (JoinKind::Inner, [left.clone(), right.clone()].concat()),
        (JoinKind::Left, [left.clone(), right.clone()].concat()),
        (JoinKind::Right, [loose.clone(), right.clone()].concat()),
        (JoinKind::Full, [loose, right].concat()),
        (JoinKind::Semi, left.clone()),
        (JoinKind::Anti, left.clone()),
        (JoinKind::Mark, [left, fields(&[Bool], true)].concat()),
    ] {
        let on = vec![(column(0), column(0))];
        // The filter sees both sides, whatever comes out.
        assert_eq!(join(kind, on.clone(), Some(column(3))), Some(expect));
        assert_eq!(join(kind, on.clone(), Some(column(2))), None);
        assert_eq!(join(kind, on, Some(column(4))), None);
        assert_eq!(join(kind, vec![(column(1), column(0))], None), None);
        assert_eq!(join(kind, vec![(column(2), column(0))], None), None);
        assert_eq!(join(kind, vec![(column(0), column(2))], None), None);
        assert_eq!(join(kind, vec![(null(Witness), null(Witness))], None), None);
    }
}

#[test]
fn a_right_join_may_leave_the_left_without_values() {
    let check = |kind, nullable: [bool; 2]| {
        let one = || {
            Box::new(Node::Project {
                input: input(&[]),
                exprs: vec![Expr::Literal(Literal::Int(1))],
            })
        };
        let node = Node::Join {
            kind,
            left: one(),
            right: one(),
            on: vec![],
            filter: None,
            null_equal: false,
        };
        let expect = nullable.map(|nullable| Field::of(Int, nullable));
        assert_eq!(node.fields(), Ok(expect.to_vec()));
    };
    check(JoinKind::Inner, [false, false]);
    check(JoinKind::Left, [false, true]);
    check(JoinKind::Right, [true, false]);
    check(JoinKind::Full, [true, true]);
}

#[test]
fn unions_are_of_inputs_alike() {
    let check = |inputs: &[&[Type]], fits: bool| {
        let inputs: Vec<Node> = inputs.iter().map(|types| *input(types)).collect();
        let expect = fits.then(|| inputs[0].fields().unwrap());
        assert_eq!(Node::Union { inputs }.fields().ok(), expect);
    };
    check(&[], false);
    check(&[&[Int, Text]], true);
    check(&[&[Int, Text], &[Int, Text], &[Int, Text]], true);
    check(&[&[Int, Text], &[Text, Int]], false);
    check(&[&[Int], &[Int, Int]], false);
    check(&[&[Int], &[Int], &[Float]], false);
    check(&[&[decimal(5, 2)], &[decimal(6, 2)]], false);
    let one = Node::Project {
        input: input(&[]),
        exprs: vec![Expr::Literal(Literal::Int(1))],
    };
    for inputs in [
        vec![one.clone(), *input(&[Int])],
        vec![*input(&[Int]), one.clone()],
    ] {
        let union = Node::Union { inputs };
        assert_eq!(union.fields(), Ok(fields(&[Int], true)));
    }
    let inputs = vec![one.clone(), one];
    assert_eq!(Node::Union { inputs }.fields(), Ok(fields(&[Int], false)));
}

/// INTERSECT and EXCEPT are semi and anti joins in which nulls are equal.
#[test]
fn other_set_operations_are_joins_of_inputs_alike() {
    for kind in [JoinKind::Semi, JoinKind::Anti] {
        let check = |right: &[Type], fits: bool| {
            let node = Node::Join {
                kind,
                left: input(&[Int, Text]),
                right: input(right),
                on: vec![(column(0), column(0)), (column(1), column(1))],
                filter: None,
                null_equal: true,
            };
            let expect = fits.then(|| fields(&[Int, Text], true));
            assert_eq!(node.fields().ok(), expect);
        };
        check(&[Int, Text], true);
        check(&[Int, Int], false);
        check(&[Int], false);
    }
}

#[test]
fn values_fit_their_types() {
    let check = |types: &[Type], rows: Vec<Vec<Literal>>, fits: bool| {
        let node = Node::Values {
            types: types.to_vec(),
            rows,
        };
        assert_eq!(node.fields().is_ok(), fits, "{node:?}");
    };
    check(&[], vec![vec![]], true);
    check(
        &[Int],
        vec![vec![Literal::Int(1)], vec![Literal::Null(Int)]],
        true,
    );
    check(&[Int], vec![vec![Literal::Null(Text)]], false);
    check(&[Int], vec![vec![]], false);
    check(&[Int], vec![vec![Literal::Int(1), Literal::Int(1)]], false);
    check(&[], vec![vec![Literal::Int(1)]], false);
    check(&[Interval], vec![], false);
    check(&[Witness], vec![], false);
}

fn scan(data_type: Type, view: View, rows: Option<RowPolicy>) -> bool {
    let scan = Node::Scan(Scan {
        dataset: "city.citizen".parse().unwrap(),
        columns: vec![ScanColumn {
            item: "age".parse().unwrap(),
            data_type,
            view,
        }],
        rows,
    });
    let fields = scan.fields();
    assert!(fields.is_err() || fields == Ok(vec![Field::of(data_type, true)]));
    fields.is_ok()
}

#[test]
fn a_scan_shows_types_its_views_can_have() {
    let masked = |mask| View::masked(mask, None);
    for of in TYPES {
        let (plain, is_text) = (of.is_plain(), of == Text);
        let moment = matches!(of, Date | Timestamp);
        let views = [
            (View::Catalogue, plain),
            (View::Raw, plain),
            (View::Row, of == Int),
            (View::Subject, of == Int),
            (masked(Mask::Plain), plain),
            (masked(Mask::Suppress), false),
            (masked(Mask::Redact), is_text),
            (masked(Mask::Token), is_text),
            (masked(Mask::Partial { head: 1, tail: 1 }), is_text),
            (masked(Mask::Prefix(2)), is_text),
            (masked(Mask::Band(5.0)), of.is_number()),
            (masked(Mask::Year), moment),
            (masked(Mask::Month), moment),
        ];
        for (view, fits) in views {
            assert_eq!(scan(of, view.clone(), None), fits, "{of} {view:?}");
        }
    }
}

#[test]
fn a_row_policy_is_a_condition_over_its_own_items() {
    let check = |predicate, fits: bool| {
        let rows = RowPolicy {
            items: vec![("open".parse().unwrap(), Bool)],
            predicate,
        };
        assert_eq!(scan(Int, View::Raw, Some(rows)), fits);
    };
    check(column(0), true);
    check(Expr::Literal(Literal::Int(1)), false);
    check(column(1), false);
}

#[test]
fn cells_and_reports_stand_on_witnesses() {
    let check = |cells: Vec<Cell>, reports: Vec<Report>, fits: bool| {
        let node = Node::Withhold {
            input: input(&[Witness, Int, Float]),
            cells,
            reports,
        };
        assert_eq!(node.fields().is_ok(), fits, "{node:?}");
    };
    let cell = |witness, check| vec![Cell { witness, check }];
    let noised = |witness, noised: &[(u32, Statistic)]| {
        let noised = noised.iter().map(|(column, statistic)| Noised {
            column: *column,
            statistic: *statistic,
        });
        vec![Report {
            witness,
            number: 0,
            by_subject: false,
            noised: noised.collect(),
        }]
    };
    let report = |witness| noised(witness, &[]);
    check(
        vec![],
        noised(0, &[(1, Statistic::Count), (2, Statistic::Sum)]),
        true,
    );
    check(
        vec![],
        noised(0, &[(1, Statistic::Mean), (2, Statistic::Mean)]),
        true,
    );
    check(vec![], noised(0, &[(2, Statistic::Count)]), false);
    check(vec![], noised(0, &[(0, Statistic::Sum)]), false);
    check(vec![], noised(0, &[(3, Statistic::Sum)]), false);
    let dominated = Dominance {
        share_percent: 85,
        rest_percent: 10,
    };
    let stricter = [
        Check {
            dominance: Some(dominated),
            ..Check::of(5)
        },
        Check {
            once: true,
            ..Check::of(5)
        },
        Check {
            spread: true,
            ..Check::of(5)
        },
        Check {
            freedom: 1,
            ..Check::of(5)
        },
    ];
    for rule in stricter {
        check(cell(0, rule), vec![], true);
        // A count of subjects says nothing of what they hold.
        check(cell(1, rule), vec![], false);
    }
    check(cell(0, Check::of(1)), vec![], true);
    check(cell(1, Check::of(1)), vec![], true);
    check(cell(0, Check::of(0)), vec![], false);
    check(cell(1, Check::of(0)), vec![], false);
    check(cell(2, Check::of(5)), vec![], false);
    check(cell(3, Check::of(5)), vec![], false);
    check(vec![], report(0), true);
    check(vec![], report(1), false);
    check(vec![], report(3), false);
}

#[test]
fn a_plan_has_a_column_for_each_name_and_check() {
    let check = |names: usize, checks: usize, fits: bool| {
        let plan = Plan {
            root: *input(&[Int, Witness]),
            names: vec!["x".to_owned(); names],
            checks: vec![Check::of(5); checks],
        };
        assert_eq!(plan.fields().is_ok(), fits);
    };
    check(1, 1, true);
    check(2, 0, true);
    check(1, 0, false);
    check(2, 1, false);
    check(0, 0, false);
}

#[test]
fn columns_are_listed_in_order_of_appearance() {
    let expr = Expr::call(
        Function::Add,
        [
            column(3),
            Expr::call(Function::Multiply, [column(1), column(3)]),
        ],
    );
    assert_eq!(expr.columns(), [3, 1, 3]);
}
