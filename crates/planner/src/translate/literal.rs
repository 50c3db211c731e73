use super::Translated;
use crate::Unplannable;
use datafusion::{arrow::datatypes::IntervalMonthDayNanoType, common::ScalarValue};
use plan::Literal;

/// A value of the front end. An untyped null is a text null until something gives it a type.
pub(super) fn literal(value: &ScalarValue) -> Translated<Literal> {
    if value.is_null() {
        let data_type = super::agree::plan_type(&value.data_type());
        return Ok(Literal::Null(data_type.unwrap_or(terms::Type::Text)));
    }
    let text = |text: &String| Literal::Text(text.clone());
    Ok(match value {
        ScalarValue::Boolean(Some(value)) => Literal::Bool(*value),
        ScalarValue::Int8(Some(value)) => Literal::Int(i64::from(*value)),
        ScalarValue::Int16(Some(value)) => Literal::Int(i64::from(*value)),
        ScalarValue::Int32(Some(value)) => Literal::Int(i64::from(*value)),
        ScalarValue::Int64(Some(value)) => Literal::Int(*value),
        ScalarValue::UInt8(Some(value)) => Literal::Int(i64::from(*value)),
        ScalarValue::UInt16(Some(value)) => Literal::Int(i64::from(*value)),
        ScalarValue::UInt32(Some(value)) => Literal::Int(i64::from(*value)),
        ScalarValue::UInt64(Some(value)) => {
            Literal::Int(i64::try_from(*value).map_err(|_| Unplannable::IllTyped)?)
        }
        ScalarValue::Float32(Some(value)) => Literal::Float(f64::from(*value).to_bits()),
        ScalarValue::Float64(Some(value)) => Literal::Float(value.to_bits()),
        ScalarValue::Decimal128(Some(value), precision, scale) => Literal::Decimal {
            unscaled: *value,
            precision: *precision,
            scale: u8::try_from(*scale).map_err(|_| Unplannable::IllTyped)?,
        },
        ScalarValue::Utf8(Some(value))
        | ScalarValue::LargeUtf8(Some(value))
        | ScalarValue::Utf8View(Some(value)) => text(value),
        ScalarValue::Date32(Some(days)) => Literal::Date(*days),
        ScalarValue::TimestampSecond(Some(at), None) => {
            Literal::Timestamp(at.saturating_mul(1_000_000))
        }
        ScalarValue::TimestampMillisecond(Some(at), None) => {
            Literal::Timestamp(at.saturating_mul(1_000))
        }
        ScalarValue::TimestampMicrosecond(Some(at), None) => Literal::Timestamp(*at),
        ScalarValue::TimestampNanosecond(Some(at), None) => {
            Literal::Timestamp(at.div_euclid(1_000))
        }
        ScalarValue::IntervalMonthDayNano(Some(value)) => {
            let (months, days, nanoseconds) = IntervalMonthDayNanoType::to_parts(*value);
            Literal::Interval {
                months,
                days,
                nanoseconds,
            }
        }
        ScalarValue::IntervalYearMonth(Some(months)) => Literal::Interval {
            months: *months,
            days: 0,
            nanoseconds: 0,
        },
        ScalarValue::IntervalDayTime(Some(value)) => Literal::Interval {
            months: 0,
            days: value.days,
            nanoseconds: i64::from(value.milliseconds).saturating_mul(1_000_000),
        },
        _ => return Err(Unplannable::Unsupported("this kind of literal")),
    })
}
