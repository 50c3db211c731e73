use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder,
        Int64Builder, PrimitiveBuilder, StringBuilder, TimestampMicrosecondBuilder,
    },
    datatypes::{ArrowPrimitiveType, DataType, Float64Type, TimeUnit},
};
use std::sync::Arc;

/// A new column, filled with logical values: buffers of its own, zeros under nulls, compact offsets.
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

    /// Appends all values of a piece. Errors: false if it is of another type.
    pub(crate) fn extend(&mut self, piece: &dyn Array) -> bool {
        match self {
            Self::Bool(to) => {
                let Some(piece) = piece.as_boolean_opt() else {
                    return false;
                };
                piece.iter().for_each(|value| to.append_option(value));
                true
            }
            Self::Int(to) => numbers(to, piece),
            Self::Float(to) => floats(to, piece),
            Self::Decimal(to, ..) => numbers(to, piece),
            Self::Text(to) => texts(to, piece),
            Self::Date(to) => numbers(to, piece),
            Self::Timestamp(to) => numbers(to, piece),
        }
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

/// A null's slot holds the type's zero: builders append their default.
fn numbers<T: ArrowPrimitiveType>(to: &mut PrimitiveBuilder<T>, piece: &dyn Array) -> bool {
    let Some(piece) = piece.as_primitive_opt::<T>() else {
        return false;
    };
    if piece.null_count() == 0 {
        to.append_slice(piece.values());
    } else {
        piece.iter().for_each(|value| to.append_option(value));
    }
    true
}

/// One bit pattern for what is no number: the others could carry something.
fn floats(to: &mut Float64Builder, piece: &dyn Array) -> bool {
    let Some(floats) = piece.as_primitive_opt::<Float64Type>() else {
        return false;
    };
    if !floats.values().iter().any(|value| value.is_nan()) {
        return numbers(to, piece);
    }
    let one = |value: f64| if value.is_nan() { f64::NAN } else { value };
    floats
        .iter()
        .for_each(|value| to.append_option(value.map(one)));
    true
}

fn texts(to: &mut StringBuilder, piece: &dyn Array) -> bool {
    let Some(texts) = piece.as_string_opt::<i32>() else {
        return false;
    };
    // Where there is a null, bytes may stand under it.
    if texts.null_count() > 0 || to.append_array(texts).is_err() {
        texts.iter().for_each(|value| to.append_option(value));
    }
    true
}

/// The bytes of a column's buffers, by their length.
pub(crate) fn bytes(array: &ArrayRef) -> u64 {
    let data = array.to_data();
    let values: usize = data.buffers().iter().map(|buffer| buffer.len()).sum();
    let nulls = data.nulls().map_or(0, |nulls| nulls.buffer().len());
    u64::try_from(values.saturating_add(nulls)).unwrap_or(u64::MAX)
}
