use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use terms::Type;

/// The engine's type of a plan type. A witness has one more field here: some of its subjects, hashed.
pub(crate) fn arrow_type(data_type: Type) -> DataType {
    match data_type {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Decimal { precision, scale } => {
            DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(0))
        }
        Type::Text => DataType::Utf8,
        Type::Date => DataType::Date32,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
        Type::Witness => DataType::Struct(witness_fields(true)),
    }
}

/// The fields of a witness; `inside` with the hashed subjects that never leave the process.
pub(crate) fn witness_fields(inside: bool) -> Fields {
    let mut fields: Vec<Field> = plan::WITNESS_FIELDS
        .iter()
        .map(|name| {
            let float = matches!(*name, "x1" | "x2" | "total");
            Field::new(
                *name,
                if float {
                    DataType::Float64
                } else {
                    DataType::Int64
                },
                true,
            )
        })
        .collect();
    if inside {
        fields.push(Field::new("ids", DataType::Binary, true));
    }
    Fields::from(fields)
}
