use super::{Field, IllTyped, expect, same};
use crate::{Expr, Function, Literal};
use terms::Type;

/// Parts of a date that `date_part` and `date_trunc` take.
const PARTS: [&str; 13] = [
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "dow",
    "doy",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "isodow",
];
/// Parts a date can be cut to.
const CUTS: [&str; 8] = [
    "year", "quarter", "month", "week", "day", "hour", "minute", "second",
];

/// The type of a call, given the types of its arguments.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each case: a table reads best in one place"
)]
pub(super) fn field(
    function: Function,
    arguments: &[Expr],
    fields: &[Field],
) -> Result<Field, IllTyped> {
    let nullable = fields.iter().any(|field| field.nullable);
    let gives = |data_type| Ok(Field::of(data_type, nullable));
    match function {
        Function::Add | Function::Subtract => {
            let (left, right) = two(function, fields)?;
            match (left.data_type, right.data_type) {
                (moment @ (Type::Date | Type::Timestamp), Type::Interval) => gives(moment),
                _ => gives(arithmetic(function, left, right)?),
            }
        }
        Function::Multiply | Function::Divide | Function::Modulo => {
            let (left, right) = two(function, fields)?;
            gives(arithmetic(function, left, right)?)
        }
        Function::DivideOrNull | Function::ModuloOrNull => {
            let (left, right) = two(function, fields)?;
            Ok(Field::of(arithmetic(function, left, right)?, true))
        }
        Function::Negate | Function::Abs => gives(number(function, one(function, fields)?)?),
        Function::Equal
        | Function::NotEqual
        | Function::Less
        | Function::LessEqual
        | Function::Greater
        | Function::GreaterEqual => {
            let (left, right) = two(function, fields)?;
            comparable(function, left, right)?;
            gives(Type::Bool)
        }
        Function::IsDistinctFrom | Function::IsNotDistinctFrom => {
            let (left, right) = two(function, fields)?;
            comparable(function, left, right)?;
            Ok(Field::of(Type::Bool, false))
        }
        Function::And | Function::Or => {
            let (left, right) = two(function, fields)?;
            expect(left, Type::Bool, function.word())?;
            expect(right, Type::Bool, function.word())?;
            gives(Type::Bool)
        }
        Function::Not => {
            expect(one(function, fields)?, Type::Bool, "not")?;
            gives(Type::Bool)
        }
        Function::IsNull | Function::IsNotNull => {
            one(function, fields)?;
            Ok(Field::of(Type::Bool, false))
        }
        Function::IsTrue | Function::IsFalse | Function::IsUnknown => {
            expect(one(function, fields)?, Type::Bool, function.word())?;
            Ok(Field::of(Type::Bool, false))
        }
        Function::Like | Function::ILike | Function::StartsWith | Function::EndsWith => {
            texts(function, fields, 2)?;
            gives(Type::Bool)
        }
        Function::Position => {
            texts(function, fields, 2)?;
            gives(Type::Int)
        }
        Function::Concat => {
            if fields.is_empty() {
                return Err(IllTyped::new("concat of nothing"));
            }
            texts(function, fields, fields.len())?;
            gives(Type::Text)
        }
        Function::Lower
        | Function::Upper
        | Function::Trim
        | Function::TrimLeft
        | Function::TrimRight
        | Function::Reverse => {
            texts(function, fields, 1)?;
            gives(Type::Text)
        }
        Function::Length => {
            texts(function, fields, 1)?;
            gives(Type::Int)
        }
        Function::Substring => text_and_whole(function, fields, 1..=2).and_then(gives),
        Function::Left | Function::Right => text_and_whole(function, fields, 1..=1).and_then(gives),
        Function::Round => round(fields).and_then(gives),
        Function::Ceil
        | Function::Floor
        | Function::Sqrt
        | Function::Ln
        | Function::Log10
        | Function::Exp
        | Function::Signum => {
            expect(one(function, fields)?, Type::Float, function.word())?;
            gives(Type::Float)
        }
        Function::Power => {
            let (left, right) = two(function, fields)?;
            expect(left, Type::Float, "power")?;
            expect(right, Type::Float, "power")?;
            gives(Type::Float)
        }
        Function::Coalesce => {
            let data_type = alike(function, fields)?;
            Ok(Field::of(
                data_type,
                fields.iter().all(|field| field.nullable),
            ))
        }
        Function::Greatest | Function::Least => {
            let data_type = alike(function, fields)?;
            Ok(Field::of(
                data_type,
                fields.iter().all(|field| field.nullable),
            ))
        }
        Function::NullIf => {
            let (left, right) = two(function, fields)?;
            comparable(function, left, right)?;
            Ok(Field::of(left.data_type, true))
        }
        Function::DatePart => part(function, arguments, fields, &PARTS)
            .map(|()| Type::Int)
            .and_then(gives),
        Function::DateTrunc => part(function, arguments, fields, &CUTS)
            .map(|()| Type::Timestamp)
            .and_then(gives),
        Function::OrNull => match arguments {
            [Expr::Call(..)] => Ok(Field::of(one(function, fields)?.data_type, true)),
            _ => Err(IllTyped::new("or_null of what is no call")),
        },
        Function::WitnessSubjects => {
            expect(one(function, fields)?, Type::Witness, function.word())?;
            Ok(Field::of(Type::Int, true))
        }
    }
}

fn one(function: Function, fields: &[Field]) -> Result<Field, IllTyped> {
    match fields {
        [only] => Ok(*only),
        _ => Err(IllTyped::new(format!(
            "{} takes one argument",
            function.word()
        ))),
    }
}

fn two(function: Function, fields: &[Field]) -> Result<(Field, Field), IllTyped> {
    match fields {
        [left, right] => Ok((*left, *right)),
        _ => Err(IllTyped::new(format!(
            "{} takes two arguments",
            function.word()
        ))),
    }
}

fn number(function: Function, field: Field) -> Result<Type, IllTyped> {
    if field.data_type.is_number() {
        Ok(field.data_type)
    } else {
        Err(IllTyped::new(format!(
            "{} takes a number, not {}",
            function.word(),
            field.data_type
        )))
    }
}

fn comparable(function: Function, left: Field, right: Field) -> Result<(), IllTyped> {
    if !left.data_type.is_plain() {
        return Err(IllTyped::new(format!(
            "{} does not compare {}",
            function.word(),
            left.data_type
        )));
    }
    same(left, right, function.word())
}

fn alike(function: Function, fields: &[Field]) -> Result<Type, IllTyped> {
    let first = fields
        .first()
        .ok_or_else(|| IllTyped::new("a call without arguments"))?;
    for field in fields {
        comparable(function, *first, *field)?;
    }
    Ok(first.data_type)
}

fn texts(function: Function, fields: &[Field], count: usize) -> Result<(), IllTyped> {
    if fields.len() != count {
        return Err(IllTyped::new(format!(
            "{} takes {count} texts",
            function.word()
        )));
    }
    fields
        .iter()
        .try_for_each(|field| expect(*field, Type::Text, function.word()))
}

fn text_and_whole(
    function: Function,
    fields: &[Field],
    count: std::ops::RangeInclusive<usize>,
) -> Result<Type, IllTyped> {
    let wrong = || {
        IllTyped::new(format!(
            "{} takes a text and whole numbers",
            function.word()
        ))
    };
    let (text, rest) = fields.split_first().ok_or_else(wrong)?;
    expect(*text, Type::Text, function.word())?;
    if !count.contains(&rest.len()) {
        return Err(wrong());
    }
    rest.iter()
        .try_for_each(|field| expect(*field, Type::Int, function.word()))?;
    Ok(Type::Text)
}

/// Rounds floats; whole numbers and decimals are the planner's to cast first.
fn round(fields: &[Field]) -> Result<Type, IllTyped> {
    let wrong = || IllTyped::new("round takes a float and optional digits");
    let (value, digits) = fields.split_first().ok_or_else(wrong)?;
    expect(*value, Type::Float, "round")?;
    match digits {
        [] => Ok(Type::Float),
        [digits] => expect(*digits, Type::Int, "round").map(|()| Type::Float),
        _ => Err(wrong()),
    }
}

/// Source: arrow-arith, decimal arithmetic; precision and scale capped at 38.
fn arithmetic(function: Function, left: Field, right: Field) -> Result<Type, IllTyped> {
    let decimal = match (left.data_type, right.data_type) {
        (Type::Int, Type::Int) => return Ok(Type::Int),
        (Type::Float, Type::Float) => return Ok(Type::Float),
        (
            Type::Decimal {
                precision: p1,
                scale: s1,
            },
            Type::Decimal {
                precision: p2,
                scale: s2,
            },
        ) => (p1, s1, p2, s2),
        (left, right) => {
            return Err(IllTyped::new(format!(
                "{} over {left} and {right}",
                function.word()
            )));
        }
    };
    let (p1, s1, p2, s2) = decimal;
    let capped = |precision: u8, scale: u8| {
        let precision = precision.min(38);
        if scale <= precision {
            Ok(Type::Decimal { precision, scale })
        } else {
            Err(IllTyped::new(
                "a decimal with more digits after the point than in all",
            ))
        }
    };
    let whole = (p1 - s1).max(p2 - s2);
    match function {
        Function::Add | Function::Subtract => {
            let scale = s1.max(s2);
            capped(scale.saturating_add(whole).saturating_add(1), scale)
        }
        Function::Multiply => capped(
            p1.saturating_add(p2).saturating_add(1),
            s1.saturating_add(s2),
        ),
        _ => Err(IllTyped::new(format!(
            "{} over decimals; cast to float",
            function.word()
        ))),
    }
}

fn part(
    function: Function,
    arguments: &[Expr],
    fields: &[Field],
    known: &[&str],
) -> Result<(), IllTyped> {
    let (_, moment) = two(function, fields)?;
    let named = match arguments.first() {
        Some(Expr::Literal(Literal::Text(part))) => known.contains(&part.as_str()),
        _ => false,
    };
    if named && matches!(moment.data_type, Type::Date | Type::Timestamp) {
        Ok(())
    } else {
        Err(IllTyped::new(format!(
            "{} takes a known part and a date or timestamp",
            function.word()
        )))
    }
}
