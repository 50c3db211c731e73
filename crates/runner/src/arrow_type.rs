use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use plan::{WITNESS_COUNTS, WITNESS_FIELDS};
use terms::Type;

/// The engine's type of a plan type. A witness has two more fields here: which rows and subjects.
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

/// The fields of a witness; `inside` with the sets of rows and subjects, in the Roaring format.
pub(crate) fn witness_fields(inside: bool) -> Fields {
    let mut fields: Vec<Field> = Vec::with_capacity(WITNESS_FIELDS.len() + 2);
    for (at, name) in WITNESS_FIELDS.iter().enumerate() {
        let whole = at < WITNESS_COUNTS;
        let data_type = if whole {
            DataType::Int64
        } else {
            DataType::Float64
        };
        fields.push(Field::new(*name, data_type, true));
    }
    if inside {
        fields.push(Field::new("row_set", DataType::Binary, true));
        fields.push(Field::new("subject_set", DataType::Binary, true));
    }
    Fields::from(fields)
}
