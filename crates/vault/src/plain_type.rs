use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use std::sync::Arc;
use terms::Type;

/// The type of our own that values of a stored type become, or none where the type is not plain.
pub(crate) fn plain_type(stored: &DataType) -> Option<Type> {
    match stored {
        DataType::Boolean => Some(Type::Bool),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => Some(Type::Int),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Some(Type::Float),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            let scale = u8::try_from(*scale).ok()?;
            let fits = (1..=38).contains(precision) && scale <= *precision;
            fits.then_some(Type::Decimal {
                precision: *precision,
                scale,
            })
        }
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Some(Type::Text)
        }
        DataType::Date32 | DataType::Date64 => Some(Type::Date),
        DataType::Timestamp(_, _) => Some(Type::Timestamp),
        DataType::Dictionary(_, values) => plain_type(values),
        DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_)
        | DataType::Binary
        | DataType::FixedSizeBinary(_)
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::List(_)
        | DataType::ListView(_)
        | DataType::FixedSizeList(_, _)
        | DataType::LargeList(_)
        | DataType::LargeListView(_)
        | DataType::Struct(_)
        | DataType::Union(_, _)
        | DataType::Map(_, _)
        | DataType::RunEndEncoded(_, _) => None,
    }
}

/// The Arrow type in which values of a type are stored.
pub(crate) fn stored_type(plain: Type) -> Option<DataType> {
    match plain {
        Type::Bool => Some(DataType::Boolean),
        Type::Int => Some(DataType::Int64),
        Type::Float => Some(DataType::Float64),
        Type::Decimal { precision, scale } => {
            Some(DataType::Decimal128(precision, i8::try_from(scale).ok()?))
        }
        Type::Text => Some(DataType::Utf8),
        Type::Date => Some(DataType::Date32),
        Type::Timestamp => Some(DataType::Timestamp(TimeUnit::Microsecond, None)),
        Type::Interval | Type::Witness => None,
    }
}

/// What a value must be to fit, for the person whose file does not.
pub(crate) const fn expected(plain: Type) -> &'static str {
    match plain {
        Type::Bool => "true or false",
        Type::Int => "a whole number of 64 bits (at most 9223372036854775807)",
        Type::Float => "a number",
        Type::Decimal { .. } => "a decimal number of the column's precision",
        Type::Text => "text in UTF-8",
        Type::Date => "a date written YYYY-MM-DD",
        Type::Timestamp => "an instant within the range of microseconds",
        Type::Interval | Type::Witness => "a plain value",
    }
}

/// Brings an array to the stored form of a type, or says at which index a value does not fit.
pub(crate) fn normalise(array: &ArrayRef, plain: Type) -> Result<ArrayRef, usize> {
    let Some(stored) = stored_type(plain) else {
        return Err(0);
    };
    if array.data_type() == &stored {
        return Ok(array.clone());
    }
    // An instant is stored in UTC: the zone of its column only says how it would be displayed.
    let step = if let DataType::Timestamp(_, Some(zone)) = array.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone.clone()))
    } else {
        stored
    };
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let cast = |array: &ArrayRef| cast_with_options(array, &step, &strict);
    let Ok(done) = cast(array) else {
        let misfit = |index: &usize| cast(&array.slice(*index, 1)).is_err();
        return Err((0..array.len()).find(misfit).unwrap_or(0));
    };
    Ok(match done.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(instants) => Arc::new(instants.clone().with_timezone_opt(None::<Arc<str>>)),
        None => done,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        Date64Array, DictionaryArray, Int8Array, Int64Array, StringArray,
        TimestampMicrosecondArray, TimestampSecondArray, UInt64Array,
    };
    use arrow::datatypes::Int32Type;

    fn check(array: ArrayRef, expect: Result<ArrayRef, usize>) {
        let plain = plain_type(array.data_type()).unwrap();
        let done = normalise(&array, plain);
        if let Ok(done) = &done {
            assert_eq!(Some(done.data_type().clone()), stored_type(plain));
        }
        assert_eq!(done, expect);
    }

    #[test]
    fn every_whole_number_becomes_64_bits_or_is_named() {
        check(
            Arc::new(Int8Array::from(vec![1, -2])),
            Ok(Arc::new(Int64Array::from(vec![1, -2]))),
        );
        check(Arc::new(UInt64Array::from(vec![Some(7), None])), {
            Ok(Arc::new(Int64Array::from(vec![Some(7), None])))
        });
        check(Arc::new(UInt64Array::from(vec![7, 8, u64::MAX])), Err(2));
    }

    #[test]
    fn instants_keep_their_moment_and_lose_their_zone() {
        let zoned = TimestampSecondArray::from(vec![Some(0), None, Some(86_400)])
            .with_timezone("Asia/Shanghai");
        let plain = TimestampMicrosecondArray::from(vec![Some(0), None, Some(86_400_000_000)]);
        check(Arc::new(zoned), Ok(Arc::new(plain)));
        check(
            Arc::new(TimestampSecondArray::from(vec![1, i64::MAX])),
            Err(1),
        );
    }

    #[test]
    fn encodings_do_not_show() {
        let dictionary: DictionaryArray<Int32Type> = vec!["a", "b", "a"].into_iter().collect();
        check(
            Arc::new(dictionary),
            Ok(Arc::new(StringArray::from(vec!["a", "b", "a"]))),
        );
        let days = Arc::new(arrow::array::Date32Array::from(vec![1]));
        check(Arc::new(Date64Array::from(vec![86_400_000])), Ok(days));
    }

    #[test]
    fn binary_and_nested_types_are_not_plain() {
        assert_eq!(plain_type(&DataType::Binary), None);
        assert_eq!(plain_type(&DataType::Decimal256(60, 2)), None);
        assert_eq!(plain_type(&DataType::Time64(TimeUnit::Nanosecond)), None);
    }
}
