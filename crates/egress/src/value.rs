use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array,
        Int64Array, StringArray, TimestampMicrosecondArray,
    },
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit,
        TimestampMicrosecondType,
    },
};

/// A column that arrived, as its plain type.
#[derive(Debug)]
pub(crate) enum Arrived<'a> {
    Bool(&'a BooleanArray),
    Int(&'a Int64Array),
    Float(&'a Float64Array),
    Decimal(&'a Decimal128Array),
    Text(&'a StringArray),
    Date(&'a Date32Array),
    Timestamp(&'a TimestampMicrosecondArray),
}

/// One logical value: all there is to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(i128),
    Text(&'a str),
    Date(i32),
    Timestamp(i64),
}

impl<'a> Arrived<'a> {
    /// Takes a column for what its type says; none if that is no plain type.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "Arrow has dozens of types; only these leave"
    )]
    pub(crate) fn of(array: &'a ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Boolean => Self::Bool(array.as_boolean_opt()?),
            DataType::Int64 => Self::Int(array.as_primitive_opt::<Int64Type>()?),
            DataType::Float64 => Self::Float(array.as_primitive_opt::<Float64Type>()?),
            DataType::Decimal128(..) => Self::Decimal(array.as_primitive_opt::<Decimal128Type>()?),
            DataType::Utf8 => Self::Text(array.as_string_opt::<i32>()?),
            DataType::Date32 => Self::Date(array.as_primitive_opt::<Date32Type>()?),
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                Self::Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>()?)
            }
            _ => return None,
        })
    }

    /// The value of a row that there is.
    pub(crate) fn value(&self, row: usize) -> Value<'a> {
        if self.array().is_null(row) {
            return Value::Null;
        }
        match self {
            Self::Bool(array) => Value::Bool(array.value(row)),
            Self::Int(array) => Value::Int(array.value(row)),
            // One bit pattern for what is no number: the others could carry something.
            Self::Float(array) if array.value(row).is_nan() => Value::Float(f64::NAN),
            Self::Float(array) => Value::Float(array.value(row)),
            Self::Decimal(array) => Value::Decimal(array.value(row)),
            Self::Text(array) => Value::Text(array.value(row)),
            Self::Date(array) => Value::Date(array.value(row)),
            Self::Timestamp(array) => Value::Timestamp(array.value(row)),
        }
    }

    const fn array(&self) -> &dyn Array {
        match self {
            Self::Bool(array) => *array,
            Self::Int(array) => *array,
            Self::Float(array) => *array,
            Self::Decimal(array) => *array,
            Self::Text(array) => *array,
            Self::Date(array) => *array,
            Self::Timestamp(array) => *array,
        }
    }
}
