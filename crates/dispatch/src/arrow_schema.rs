//! The Arrow form of the plan language's types: what a runner must send, written here once more than
//! in the runner, so that the two check each other.

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use plan::{WITNESS_COUNTS, WITNESS_FIELDS};
use terms::Type;

/// Columns `c0` … of these types, all nullable, without metadata. None for a type that never crosses.
pub(crate) fn expected(types: &[Type]) -> Option<Schema> {
    let field = |(ordinal, data_type): (usize, &Type)| {
        Some(Field::new(
            format!("c{ordinal}"),
            arrow_type(*data_type)?,
            true,
        ))
    };
    let fields = types
        .iter()
        .enumerate()
        .map(field)
        .collect::<Option<Fields>>()?;
    Some(Schema::new(fields))
}

fn arrow_type(data_type: Type) -> Option<DataType> {
    Some(match data_type {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Decimal { precision, scale } => {
            DataType::Decimal128(precision, i8::try_from(scale).ok()?)
        }
        Type::Text => DataType::Utf8,
        Type::Date => DataType::Date32,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::Interval => return None,
        Type::Witness => {
            let field = |(at, name): (usize, &&str)| {
                let whole = at < WITNESS_COUNTS;
                let data_type = if whole {
                    DataType::Int64
                } else {
                    DataType::Float64
                };
                Field::new(*name, data_type, true)
            };
            DataType::Struct(WITNESS_FIELDS.iter().enumerate().map(field).collect())
        }
    })
}
