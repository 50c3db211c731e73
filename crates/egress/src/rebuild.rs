use crate::value::Value;
use arrow::{
    array::{
        Array, ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder,
        Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
    },
    datatypes::{DataType, TimeUnit},
};
use std::sync::Arc;

/// A new column, filled value by value: buffers of its own, zeros under nulls, compact offsets.
#[derive(Debug)]
pub(crate) enum Rebuilt {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Decimal(Decimal128Builder, u8, i8),
    Text(StringBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl Rebuilt {
    /// An empty column; none for what is no plain type.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "Arrow has dozens of types; only these leave"
    )]
    pub(crate) fn new(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Int64 => Self::Int(Int64Builder::new()),
            DataType::Float64 => Self::Float(Float64Builder::new()),
            DataType::Decimal128(precision, scale) => {
                Self::Decimal(Decimal128Builder::new(), *precision, *scale)
            }
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                Self::Timestamp(TimestampMicrosecondBuilder::new())
            }
            _ => return None,
        })
    }

    /// Appends a value. Errors: false if it is of another type.
    pub(crate) fn push(&mut self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Bool(to), Value::Null) => to.append_null(),
            (Self::Bool(to), Value::Bool(value)) => to.append_value(value),
            // A null's slot holds the type's zero: primitive builders append their default.
            (Self::Int(to), Value::Null) => to.append_null(),
            (Self::Int(to), Value::Int(value)) => to.append_value(value),
            (Self::Float(to), Value::Null) => to.append_null(),
            (Self::Float(to), Value::Float(value)) => to.append_value(value),
            (Self::Decimal(to, ..), Value::Null) => to.append_null(),
            (Self::Decimal(to, ..), Value::Decimal(value)) => to.append_value(value),
            (Self::Text(to), Value::Null) => to.append_null(),
            (Self::Text(to), Value::Text(value)) => to.append_value(value),
            (Self::Date(to), Value::Null) => to.append_null(),
            (Self::Date(to), Value::Date(value)) => to.append_value(value),
            (Self::Timestamp(to), Value::Null) => to.append_null(),
            (Self::Timestamp(to), Value::Timestamp(value)) => to.append_value(value),
            _ => return false,
        }
        true
    }

    /// Gives the column and begins a new one. None if a decimal's digits do not fit its type.
    pub(crate) fn take(&mut self) -> Option<ArrayRef> {
        Some(match self {
            Self::Bool(from) => Arc::new(from.finish()),
            Self::Int(from) => Arc::new(from.finish()),
            Self::Float(from) => Arc::new(from.finish()),
            Self::Decimal(from, precision, scale) => {
                let values = from
                    .finish()
                    .with_precision_and_scale(*precision, *scale)
                    .ok()?;
                values.validate_decimal_precision(*precision).ok()?;
                Arc::new(values)
            }
            Self::Text(from) => Arc::new(from.finish()),
            Self::Date(from) => Arc::new(from.finish()),
            Self::Timestamp(from) => Arc::new(from.finish()),
        })
    }
}

/// The bytes of a column's buffers, by their length.
pub(crate) fn bytes(array: &ArrayRef) -> u64 {
    let data = array.to_data();
    let values: usize = data.buffers().iter().map(|buffer| buffer.len()).sum();
    let nulls = data.nulls().map_or(0, |nulls| nulls.buffer().len());
    u64::try_from(values.saturating_add(nulls)).unwrap_or(u64::MAX)
}
