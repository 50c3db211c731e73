use crate::{
    Failed,
    arrow_type::arrow_type,
    or_null::or_null,
    total::{Of, total},
    witness::subjects,
};
use datafusion::{
    arrow::datatypes::{DataType, IntervalMonthDayNano, TimeUnit},
    common::{Column, ScalarValue},
    functions::expr_fn as f,
    logical_expr::{self as engine, Expr as E, Operator, cast, try_cast},
};
use plan::{Expr, Function, Literal};
use std::collections::HashMap;
use terms::Type;

/// What an expression may read: columns by ordinal, and subqueries finished before it.
pub(crate) struct Scope<'a> {
    pub names: &'a [String],
    pub scalars: &'a HashMap<usize, ScalarValue>,
}

/// A row policy's predicate over its items, by name.
pub(crate) fn row_predicate(predicate: &Expr, names: &[String]) -> Result<E, Failed> {
    translate(
        predicate,
        &Scope {
            names,
            scalars: &HashMap::new(),
        },
    )
}

/// A column by name, whatever its relation.
pub(crate) fn named(name: &str) -> E {
    E::Column(Column::new_unqualified(name))
}

/// Which subquery an expression is, while both live.
pub(crate) fn identity(expr: &Expr) -> usize {
    std::ptr::from_ref(expr).addr()
}

/// Translates one expression.
pub(crate) fn translate(expr: &Expr, scope: &Scope<'_>) -> Result<E, Failed> {
    let inside = |expr: &Expr| translate(expr, scope);
    match expr {
        Expr::Column(ordinal) => {
            let name = usize::try_from(*ordinal)
                .ok()
                .and_then(|at| scope.names.get(at));
            name.map(|name| named(name)).ok_or(Failed::Job)
        }
        Expr::Literal(value) => Ok(E::Literal(scalar(value)?, None)),
        Expr::Parameter(..) => Err(Failed::Job),
        Expr::Call(Function::OrNull, arguments) => match arguments.as_slice() {
            [Expr::Call(function, arguments)] => {
                let arguments = arguments.iter().map(inside).collect::<Result<_, _>>()?;
                or_null(arguments, |arguments| call(*function, arguments))
            }
            _ => Err(Failed::Job),
        },
        Expr::Call(function, arguments) => {
            let arguments = arguments
                .iter()
                .map(inside)
                .collect::<Result<Vec<_>, _>>()?;
            call(*function, arguments)
        }
        Expr::Cast {
            value,
            to,
            lenient: false,
        } => Ok(cast(inside(value)?, arrow_type(*to))),
        Expr::Cast {
            value,
            to,
            lenient: true,
        } => Ok(try_cast(inside(value)?, arrow_type(*to))),
        Expr::Case {
            branches,
            otherwise,
        } => {
            let mut cases = Vec::with_capacity(branches.len());
            for (condition, value) in branches {
                cases.push((Box::new(inside(condition)?), Box::new(inside(value)?)));
            }
            let otherwise = otherwise.as_deref().map(inside).transpose()?.map(Box::new);
            Ok(E::Case(engine::Case::new(None, cases, otherwise)))
        }
        Expr::InList {
            value,
            list,
            negated,
        } => {
            let list = list.iter().map(inside).collect::<Result<Vec<_>, _>>()?;
            Ok(inside(value)?.in_list(list, *negated))
        }
        Expr::Scalar(_) => {
            let value = scope
                .scalars
                .get(&identity(expr))
                .cloned()
                .ok_or(Failed::Internal)?;
            Ok(E::Literal(value, None))
        }
    }
}

/// A value in the engine.
pub(crate) fn scalar(value: &Literal) -> Result<ScalarValue, Failed> {
    Ok(match value {
        Literal::Null(data_type) => {
            ScalarValue::try_from(&arrow_type(*data_type)).map_err(|_| Failed::Job)?
        }
        Literal::Bool(value) => ScalarValue::Boolean(Some(*value)),
        Literal::Int(value) => ScalarValue::Int64(Some(*value)),
        Literal::Float(bits) => ScalarValue::Float64(Some(f64::from_bits(*bits))),
        Literal::Decimal {
            unscaled,
            precision,
            scale,
        } => {
            let scale = i8::try_from(*scale).map_err(|_| Failed::Job)?;
            ScalarValue::Decimal128(Some(*unscaled), *precision, scale)
        }
        Literal::Text(text) => ScalarValue::Utf8(Some(text.clone())),
        Literal::Date(days) => ScalarValue::Date32(Some(*days)),
        Literal::Timestamp(at) => ScalarValue::TimestampMicrosecond(Some(*at), None),
        Literal::Interval {
            months,
            days,
            nanoseconds,
        } => ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(
            *months,
            *days,
            *nanoseconds,
        ))),
    })
}

fn operator(function: Function) -> Option<Operator> {
    Some(match function {
        Function::Add => Operator::Plus,
        Function::Subtract => Operator::Minus,
        Function::Multiply => Operator::Multiply,
        Function::Divide => Operator::Divide,
        Function::Modulo => Operator::Modulo,
        Function::Equal => Operator::Eq,
        Function::NotEqual => Operator::NotEq,
        Function::Less => Operator::Lt,
        Function::LessEqual => Operator::LtEq,
        Function::Greater => Operator::Gt,
        Function::GreaterEqual => Operator::GtEq,
        Function::IsDistinctFrom => Operator::IsDistinctFrom,
        Function::IsNotDistinctFrom => Operator::IsNotDistinctFrom,
        Function::And => Operator::And,
        Function::Or => Operator::Or,
        _ => return None,
    })
}

/// A call. A function whose type in the engine is narrower is widened as part of it.
fn call(function: Function, arguments: Vec<E>) -> Result<E, Failed> {
    if function == Function::Concat {
        return Ok(f::concat(arguments));
    }
    if function == Function::Coalesce {
        return Ok(f::coalesce(arguments));
    }
    if function == Function::Greatest {
        return Ok(f::greatest(arguments));
    }
    if function == Function::Least {
        return Ok(f::least(arguments));
    }
    match <[E; 1]>::try_from(arguments) {
        Ok([one]) => unary(function, one),
        Err(arguments) => match <[E; 2]>::try_from(arguments) {
            Ok([left, right]) => binary(function, left, right),
            Err(arguments) => match <[E; 3]>::try_from(arguments) {
                Ok([text, from, length]) if function == Function::Substring => {
                    Ok(f::substring(text, from, length))
                }
                Ok(_) | Err(_) => Err(Failed::Job),
            },
        },
    }
}

fn unary(function: Function, value: E) -> Result<E, Failed> {
    let whole = |expr| cast(expr, DataType::Int64);
    Ok(match function {
        Function::Negate => E::Negative(Box::new(value)),
        Function::Not => E::Not(Box::new(value)),
        Function::IsNull => value.is_null(),
        Function::IsNotNull => value.is_not_null(),
        Function::IsTrue => value.is_true(),
        Function::IsFalse => value.is_false(),
        Function::IsUnknown => value.is_unknown(),
        Function::Lower => f::lower(value),
        Function::Upper => f::upper(value),
        Function::Trim => f::btrim(vec![value]),
        Function::TrimLeft => f::ltrim(vec![value]),
        Function::TrimRight => f::rtrim(vec![value]),
        Function::Reverse => f::reverse(value),
        Function::Length => whole(f::character_length(value)),
        Function::Abs => f::abs(value),
        Function::Round => f::round(vec![value]),
        Function::Ceil => f::ceil(value),
        Function::Floor => f::floor(value),
        Function::Sqrt => f::sqrt(value),
        Function::Ln => f::ln(value),
        Function::Log10 => f::log10(value),
        Function::Exp => f::exp(value),
        Function::Signum => f::signum(value),
        Function::WitnessSubjects => subjects().call(vec![value]),
        _ => return Err(Failed::Job),
    })
}

fn binary(function: Function, left: E, right: E) -> Result<E, Failed> {
    if let Some(operator) = operator(function) {
        return Ok(engine::binary_expr(left, operator, right));
    }
    let micro = DataType::Timestamp(TimeUnit::Microsecond, None);
    Ok(match function {
        Function::Like => left.like(right),
        Function::ILike => left.ilike(right),
        Function::Substring => f::substr(left, right),
        Function::Left => f::left(left, right),
        Function::Right => f::right(left, right),
        Function::Position => cast(f::strpos(left, right), DataType::Int64),
        Function::StartsWith => f::starts_with(left, right),
        Function::EndsWith => f::ends_with(left, right),
        Function::Round => f::round(vec![left, cast(right, DataType::Int32)]),
        Function::Power => f::power(left, right),
        Function::DivideOrNull => total(Of::Quotient).call(vec![left, right]),
        Function::ModuloOrNull => total(Of::Remainder).call(vec![left, right]),
        Function::NullIf => f::nullif(left, right),
        Function::DatePart => cast(f::date_part(left, right), DataType::Int64),
        Function::DateTrunc => cast(f::date_trunc(left, cast(right, micro.clone())), micro),
        _ => return Err(Failed::Job),
    })
}

/// The engine's type a plan type must have.
pub(crate) fn fits(engine: &DataType, wanted: Type) -> bool {
    engine == &arrow_type(wanted)
}
