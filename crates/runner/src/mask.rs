//! Masks as vectorised functions: a raw column in, a shown column out. A null stays null, but for
//! `redact`, which hides nulls too.

use crate::Failed;
use arrow::{
    array::{
        Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
        StringArray, StringBuilder, TimestampMicrosecondArray,
    },
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit,
        TimestampMicrosecondType,
    },
};
use ring::hmac;
use std::{fmt::Write, sync::Arc};
use terms::Mask;

/// What stands for what is hidden.
const HIDDEN: &str = "***";
/// Microseconds in a day.
const DAY_US: i64 = 86_400_000_000;

/// The keyed stand-in for identifiers of one scenario.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    key: hmac::Key,
}

impl Tokens {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    /// 128 bits of HMAC-SHA-256 over the domain and the value written as text, so that a number and
    /// its digits are the same identifier; in hexadecimal.
    fn token(&self, begun: &hmac::Context, value: &str) -> [u8; 32] {
        let mut context = begun.clone();
        context.update(value.as_bytes());
        let tag = context.sign();
        let mut text = [0; 32];
        for (byte, digits) in tag.as_ref().iter().zip(text.chunks_exact_mut(2)) {
            let digit = |value: u8| {
                if value < 10 {
                    b'0' + value
                } else {
                    b'a' + value - 10
                }
            };
            digits.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        text
    }

    /// What every token of a domain begins with.
    fn begun(&self, domain: &str) -> hmac::Context {
        let mut context = hmac::Context::with_key(&self.key);
        let length = u32::try_from(domain.len()).unwrap_or(u32::MAX);
        context.update(&length.to_le_bytes());
        context.update(domain.as_bytes());
        context
    }
}

/// Shows a column through a mask.
pub(crate) fn masked(
    raw: &ArrayRef,
    mask: Mask,
    domain: Option<&str>,
    tokens: &Tokens,
) -> Result<ArrayRef, Failed> {
    match mask {
        Mask::Plain => Ok(Arc::clone(raw)),
        Mask::Suppress => Err(Failed::Job),
        Mask::Redact => Ok(Arc::new(StringArray::from_iter_values(
            (0..raw.len()).map(|_| HIDDEN),
        ))),
        Mask::Token => {
            let begun = tokens.begun(domain.ok_or(Failed::Job)?);
            written(raw, 32, |value, shown| {
                let token = tokens.token(&begun, value);
                // Hexadecimal digits are text.
                shown.append_value(std::str::from_utf8(&token).unwrap_or(HIDDEN));
            })
        }
        Mask::Partial { head, tail } => written(raw, 8, |value, shown| {
            partial(value, usize::from(head), usize::from(tail), shown);
        }),
        Mask::Prefix(length) => written(raw, 8, |value, shown| {
            prefix(value, usize::from(length), shown);
        }),
        Mask::Band(width) => band(raw, width),
        Mask::Year => dated(raw, |date| Civil {
            month: 1,
            day: 1,
            ..date
        }),
        Mask::Month => dated(raw, |date| Civil { day: 1, ..date }),
    }
}

/// Maps each value, written as text, to text of about so many bytes.
fn written(
    raw: &ArrayRef,
    bytes: usize,
    mut show: impl FnMut(&str, &mut StringBuilder),
) -> Result<ArrayRef, Failed> {
    let mut shown = StringBuilder::with_capacity(raw.len(), raw.len() * bytes);
    let mut each = |value: Option<&str>| match value {
        Some(value) => show(value, &mut shown),
        None => shown.append_null(),
    };
    if let Some(texts) = raw.as_string_opt::<i32>() {
        texts.iter().for_each(&mut each);
    } else if let Some(whole) = raw.as_primitive_opt::<Int64Type>() {
        let mut digits = String::with_capacity(20);
        for value in whole.iter() {
            digits.clear();
            // Writing into a string does not fail.
            let written = value.map(|value| write!(digits, "{value}").is_ok());
            each(written.map(|_| digits.as_str()));
        }
    } else {
        let text = arrow::compute::cast(raw, &DataType::Utf8).map_err(|_| Failed::Internal)?;
        let texts = text.as_string_opt::<i32>().ok_or(Failed::Internal)?;
        texts.iter().for_each(&mut each);
    }
    Ok(Arc::new(shown.finish()))
}

/// The first and the last characters of a text, and what is between; none if there is nothing between.
fn ends(value: &str, head: usize, tail: usize) -> Option<(&str, &str)> {
    if value.is_ascii() {
        let between = value.len().checked_sub(head + tail)?;
        let (first, rest) = value.split_at_checked(head)?;
        return (between > 0).then_some((first, rest.split_at_checked(between)?.1));
    }
    let between = value.chars().count().checked_sub(head + tail)?;
    let place = |characters: usize| {
        let mut places = value.char_indices().map(|(at, _)| at);
        places.nth(characters).unwrap_or(value.len())
    };
    let (first, _) = value.split_at_checked(place(head))?;
    let (_, last) = value.split_at_checked(place(head + between))?;
    (between > 0).then_some((first, last))
}

/// The ends of a text; one that is not longer than both shows nothing.
fn partial(value: &str, head: usize, tail: usize, shown: &mut StringBuilder) {
    let (first, last) = ends(value, head, tail).unwrap_or_default();
    for part in [first, HIDDEN, last] {
        // A builder takes all it is given.
        shown.write_str(part).ok();
    }
    shown.append_value("");
}

/// The beginning of a text; one that is not longer shows nothing.
fn prefix(value: &str, length: usize, shown: &mut StringBuilder) {
    shown.append_value(ends(value, length, 0).map_or(HIDDEN, |(first, _)| first));
}

/// The lower bound of each value's band.
fn band(raw: &ArrayRef, width: f64) -> Result<ArrayRef, Failed> {
    if let Some(values) = raw.as_primitive_opt::<Float64Type>() {
        let shown: Float64Array = values.unary(|value| (value / width).floor() * width);
        return Ok(Arc::new(shown));
    }
    if let Some(values) = raw.as_primitive_opt::<Int64Type>() {
        let width = whole_width(width, 0)?;
        let width = i64::try_from(width).map_err(|_| Failed::Job)?;
        let shown: Int64Array = values.unary(|value| value.div_euclid(width).wrapping_mul(width));
        return Ok(Arc::new(shown));
    }
    if let (DataType::Decimal128(precision, scale), Some(values)) =
        (raw.data_type(), raw.as_primitive_opt::<Decimal128Type>())
    {
        let width = whole_width(width, u32::try_from(*scale).map_err(|_| Failed::Job)?)?;
        let shown: Decimal128Array =
            values.unary(|value| value.div_euclid(width).wrapping_mul(width));
        let shown = shown.with_precision_and_scale(*precision, *scale);
        return Ok(Arc::new(shown.map_err(|_| Failed::Internal)?));
    }
    Err(Failed::Schema)
}

/// A width in units of the last digit, at least one.
fn whole_width(width: f64, scale: u32) -> Result<i128, Failed> {
    let units = (width * 10f64.powi(i32::try_from(scale).map_err(|_| Failed::Job)?)).round();
    let units = if units < 1.0 { 1.0 } else { units };
    format!("{units:.0}").parse().map_err(|_| Failed::Job)
}

/// Maps each date to the first day of its year or month.
fn dated(raw: &ArrayRef, first: impl Fn(Civil) -> Civil) -> Result<ArrayRef, Failed> {
    let shown = |day: i64| first(Civil::of(day)).days();
    if let Some(values) = raw.as_primitive_opt::<Date32Type>() {
        let shown: Date32Array =
            values.unary_opt(|value| i32::try_from(shown(i64::from(value))).ok());
        return Ok(Arc::new(shown));
    }
    let micro = DataType::Timestamp(TimeUnit::Microsecond, None);
    if let (true, Some(values)) = (
        raw.data_type() == &micro,
        raw.as_primitive_opt::<TimestampMicrosecondType>(),
    ) {
        let shown: TimestampMicrosecondArray =
            values.unary_opt(|value| shown(value.div_euclid(DAY_US)).checked_mul(DAY_US));
        return Ok(Arc::new(shown));
    }
    Err(Failed::Schema)
}

/// A day of the Gregorian calendar, continued backwards. Years begin in March within a computation, so
/// that the leap day is the last.
///
/// Source: the day-count formulas of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Civil {
    year: i64,
    /// 1 to 12.
    month: i64,
    /// 1 to 31.
    day: i64,
}

/// Days in 400 years.
const CYCLE_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

impl Civil {
    /// The day so many days after 1970-01-01.
    const fn of(days: i64) -> Self {
        let shifted = days + EPOCH_DAYS;
        let cycle = shifted.div_euclid(CYCLE_DAYS);
        let day = shifted.rem_euclid(CYCLE_DAYS);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let of_year = day - (365 * year + year / 4 - year / 100);
        let march = (5 * of_year + 2) / 153;
        let month = if march < 10 { march + 3 } else { march - 9 };
        Self {
            year: year + cycle * 400 + (month <= 2) as i64,
            month,
            day: of_year - (153 * march + 2) / 5 + 1,
        }
    }

    /// Days after 1970-01-01.
    const fn days(self) -> i64 {
        let year = self.year - (self.month <= 2) as i64;
        let cycle = year.div_euclid(400);
        let of_cycle = year.rem_euclid(400);
        let march = (self.month + 9) % 12;
        let of_year = (153 * march + 2) / 5 + self.day - 1;
        let day = of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year;
        cycle * CYCLE_DAYS + day - EPOCH_DAYS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Datelike};

    proptest::proptest! {
        /// Days come and go as a calendar library has them.
        #[test]
        fn days_are_those_of_the_calendar(days in -700_000i64..2_000_000) {
            let civil = Civil::of(days);
            let date = DateTime::from_timestamp(days * 86_400, 0).unwrap().date_naive();
            let (month, day) = (i64::from(date.month()), i64::from(date.day()));
            proptest::prop_assert_eq!((civil.year, civil.month, civil.day), (i64::from(date.year()), month, day));
            proptest::prop_assert_eq!(civil.days(), days);
        }

        /// What shows of a text is its ends and nothing between.
        #[test]
        fn ends_are_the_first_and_last_characters(text in ".{0,12}", head in 0usize..4, tail in 0usize..4) {
            let characters: Vec<char> = text.chars().collect();
            let wanted = (characters.len() > head + tail).then(|| {
                let last = characters.len() - tail;
                (characters[..head].iter().collect::<String>(), characters[last..].iter().collect::<String>())
            });
            let got = ends(&text, head, tail).map(|(a, b)| (a.to_owned(), b.to_owned()));
            proptest::prop_assert_eq!(got, wanted);
        }
    }
}
