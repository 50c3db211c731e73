use super::{Inputs, Translated};
use crate::Unplannable;
use datafusion::arrow::datatypes::DataType;
use plan::{Expr, Literal};
use terms::Type;

/// The type of a translated expression.
pub(super) fn data_type(expr: &Expr, inputs: &Inputs<'_>) -> Translated<Type> {
    expr.data_type(&inputs.fields)
        .map_err(|_| Unplannable::IllTyped)
}

/// The type two values agree on: numbers on float, days and instants on instants.
pub(super) fn common(left: Type, right: Type) -> Translated<Type> {
    match (left, right) {
        (left, right) if left == right => Ok(left),
        (
            Type::Decimal {
                precision: p1,
                scale: s1,
            },
            Type::Decimal {
                precision: p2,
                scale: s2,
            },
        ) => {
            let scale = s1.max(s2);
            let precision = (p1 - s1).max(p2 - s2).saturating_add(scale).min(38);
            Ok(Type::Decimal { precision, scale })
        }
        (left, right) if left.is_number() && right.is_number() => Ok(Type::Float),
        (Type::Date, Type::Timestamp) | (Type::Timestamp, Type::Date) => Ok(Type::Timestamp),
        _ => Err(Unplannable::IllTyped),
    }
}

/// A cast where one is needed; a literal null just takes the type.
pub(super) fn cast(expr: Expr, from: Type, to: Type) -> Expr {
    match expr {
        Expr::Literal(Literal::Null(_)) => Expr::Literal(Literal::Null(to)),
        expr if from == to => expr,
        expr => Expr::Cast {
            value: Box::new(expr),
            to,
            lenient: false,
        },
    }
}

/// Casts all to the type they agree on. A null says nothing of its type.
pub(super) fn all(exprs: Vec<Expr>, inputs: &Inputs<'_>) -> Translated<Vec<Expr>> {
    let mut wanted: Option<Type> = None;
    let mut types = Vec::with_capacity(exprs.len());
    for expr in &exprs {
        let found = data_type(expr, inputs)?;
        types.push(found);
        if matches!(expr, Expr::Literal(Literal::Null(_))) {
            continue;
        }
        wanted = Some(match wanted {
            None => found,
            Some(wanted) => common(wanted, found)?,
        });
    }
    let Some(wanted) = wanted else {
        return Ok(exprs);
    };
    Ok(exprs
        .into_iter()
        .zip(types)
        .map(|(expr, from)| cast(expr, from, wanted))
        .collect())
}

/// The plan type of an engine type; none where the language has none.
pub(super) fn plan_type(data_type: &DataType) -> Translated<Type> {
    Ok(match data_type {
        DataType::Boolean => Type::Bool,
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => Type::Int,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Type::Float,
        DataType::Decimal128(precision, scale) => {
            let scale = u8::try_from(*scale).map_err(|_| Unplannable::IllTyped)?;
            Type::Decimal {
                precision: *precision,
                scale,
            }
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Type::Text,
        DataType::Date32 | DataType::Date64 => Type::Date,
        DataType::Timestamp(_, None) => Type::Timestamp,
        DataType::Timestamp(_, Some(zone)) if matches!(&**zone, "+00:00" | "UTC") => {
            Type::Timestamp
        }
        DataType::Interval(_) => Type::Interval,
        _ => return Err(Unplannable::Unsupported("this data type")),
    })
}
