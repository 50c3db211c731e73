//! Masks as vectorised functions: a raw column in, a shown column out. A null stays null, but for
//! `redact`, which hides nulls too.

use crate::Failed;
use arrow::{
    array::{
        Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
        StringArray, TimestampMicrosecondArray,
    },
    buffer::{OffsetBuffer, ScalarBuffer},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit,
        TimestampMicrosecondType,
    },
};
use ring::hmac;
use std::sync::Arc;
use terms::Mask;
use wire::Secret;

/// What stands for what is hidden.
const HIDDEN: &str = "***";
/// Microseconds in a day.
const DAY_US: i64 = 86_400_000_000;

/// The keyed stand-in for identifiers of one scenario; without a key, there are none.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    key: Option<hmac::Key>,
}

impl Tokens {
    pub(crate) fn new(key: Option<&Secret>) -> Self {
        let key = key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.bytes()));
        Self { key }
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
    fn begun(&self, domain: &str) -> Option<hmac::Context> {
        let mut context = hmac::Context::with_key(self.key.as_ref()?);
        let length = u32::try_from(domain.len()).unwrap_or(u32::MAX);
        context.update(&length.to_le_bytes());
        context.update(domain.as_bytes());
        Some(context)
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
            let begun = domain.and_then(|domain| tokens.begun(domain));
            let begun = begun.ok_or(Failed::Job)?;
            written(raw, 32, |value, shown| {
                shown.push(&[&tokens.token(&begun, value)]);
            })
        }
        Mask::Partial { head, tail } => written(raw, 8, |value, shown| {
            partial(value, usize::from(head), usize::from(tail), shown);
        }),
        Mask::Prefix(length) => written(raw, 8, |value, shown| {
            prefix(value, usize::from(length), shown);
        }),
        Mask::Band(width) => band(raw, width),
        Mask::Year => dated(raw, year_start),
        Mask::Month => dated(raw, |day| {
            let date = Civil::of(day);
            day - date.day + 1
        }),
    }
}

/// Texts put together from parts, one after another in one buffer.
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl Texts {
    fn with_capacity(count: usize, bytes: usize) -> Self {
        let mut ends = Vec::with_capacity(count + 1);
        ends.push(0);
        Self {
            bytes: Vec::with_capacity(count * bytes),
            ends,
        }
    }

    /// Adds one text.
    fn push(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        // Past what offsets can say, the ends no longer ascend and the array is refused.
        self.ends
            .push(i32::try_from(self.bytes.len()).unwrap_or(-1));
    }

    /// Null where the column they were made of is.
    fn finish(self, raw: &ArrayRef) -> Result<ArrayRef, Failed> {
        let failed = |_| Failed::Internal;
        if self.ends.last().is_none_or(|end| *end < 0) {
            return Err(Failed::Internal);
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let shown = StringArray::try_new(offsets, self.bytes.into(), raw.nulls().cloned());
        Ok(Arc::new(shown.map_err(failed)?))
    }
}

/// Maps each value, written as text, to text of about so many bytes.
fn written(
    raw: &ArrayRef,
    bytes: usize,
    mut show: impl FnMut(&str, &mut Texts),
) -> Result<ArrayRef, Failed> {
    let mut shown = Texts::with_capacity(raw.len(), bytes);
    let mut each = |value: Option<&str>| match value {
        Some(value) => show(value, &mut shown),
        None => shown.push(&[]),
    };
    if let Some(texts) = raw.as_string_opt::<i32>() {
        texts.iter().for_each(&mut each);
    } else if let Some(whole) = raw.as_primitive_opt::<Int64Type>() {
        let mut digits = itoa::Buffer::new();
        whole
            .iter()
            .for_each(|value| each(value.map(|value| digits.format(value))));
    } else {
        let text = arrow::compute::cast(raw, &DataType::Utf8).map_err(|_| Failed::Internal)?;
        let texts = text.as_string_opt::<i32>().ok_or(Failed::Internal)?;
        texts.iter().for_each(&mut each);
    }
    shown.finish(raw)
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
fn partial(value: &str, head: usize, tail: usize, shown: &mut Texts) {
    let (first, last) = ends(value, head, tail).unwrap_or_default();
    shown.push(&[first.as_bytes(), HIDDEN.as_bytes(), last.as_bytes()]);
}

/// The beginning of a text; one that is not longer shows nothing.
fn prefix(value: &str, length: usize, shown: &mut Texts) {
    let first = ends(value, length, 0).map_or(HIDDEN, |(first, _)| first);
    shown.push(&[first.as_bytes()]);
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
        #[expect(clippy::cast_precision_loss, reason = "corrected where it matters")]
        let inverse = 1.0 / width as f64;
        let shown: Int64Array = values.unary(|value| lower(value, width, inverse));
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

/// The lower bound of a whole number's band. Multiplying floats is quicker than dividing whole numbers, and
/// up to 2^50 it is at most one off.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "numbers of this size are floats exactly"
)]
fn lower(value: i64, width: i64, inverse: f64) -> i64 {
    const EXACT: u64 = 1 << 50;
    if value.unsigned_abs() >= EXACT || width.unsigned_abs() >= EXACT {
        return value.div_euclid(width).wrapping_mul(width);
    }
    let bound = (value as f64 * inverse).floor() as i64 * width;
    let off = i64::from(bound + width <= value) - i64::from(bound > value);
    bound + off * width
}

/// A width in units of the last digit, at least one.
fn whole_width(width: f64, scale: u32) -> Result<i128, Failed> {
    let units = (width * 10f64.powi(i32::try_from(scale).map_err(|_| Failed::Job)?)).round();
    let units = if units < 1.0 { 1.0 } else { units };
    format!("{units:.0}").parse().map_err(|_| Failed::Job)
}

/// Maps each date to the first day of its year or month.
fn dated(raw: &ArrayRef, shown: impl Fn(i64) -> i64) -> Result<ArrayRef, Failed> {
    if let Some(values) = raw.as_primitive_opt::<Date32Type>() {
        // A day's year begins at most 366 days before it: where that is no date, none is shown.
        if values.values().iter().any(|value| *value < i32::MIN + 366) {
            return Err(Failed::Data);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most 366 less than a date"
        )]
        let shown: Date32Array = values.unary(|value| shown(i64::from(value)) as i32);
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

/// The first day of a day's year.
const fn year_start(day: i64) -> i64 {
    const fn start(year: i64) -> i64 {
        let before = year - 1;
        365 * before + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400)
            - START_DAYS
    }
    // The mean length of a year gives the year or one beside it.
    let year = ((day + START_DAYS) * 400).div_euclid(CYCLE_DAYS) + 1;
    let (this, next) = (start(year), start(year + 1));
    if day < this {
        start(year - 1)
    } else if day >= next {
        next
    } else {
        this
    }
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
/// Days from 0001-01-01 to 1970-01-01.
const START_DAYS: i64 = 719_162;
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Datelike};
    use proptest::prelude::Strategy as _;

    /// The vault's suite has the same, of what the import gate stores.
    #[test]
    fn a_token_is_the_vaults() {
        let tokens = Tokens::new(Some(&vec![7; 32].into()));
        let token = tokens.token(&tokens.begun("person").unwrap(), "4201");
        assert_eq!(&token, b"12afe7d7a74246414498deb9b5d6f401");
    }

    proptest::proptest! {
        /// Days come and go as a calendar library has them.
        #[test]
        fn days_are_those_of_the_calendar(days in -700_000i64..2_000_000) {
            let civil = Civil::of(days);
            let date = DateTime::from_timestamp(days * 86_400, 0).unwrap().date_naive();
            let (month, day) = (i64::from(date.month()), i64::from(date.day()));
            proptest::prop_assert_eq!((civil.year, civil.month, civil.day), (i64::from(date.year()), month, day));
            let january = date.with_ordinal(1).unwrap().signed_duration_since(DateTime::UNIX_EPOCH.date_naive());
            proptest::prop_assert_eq!(year_start(days), january.num_days());
        }

        /// Bands are those of whole division, near the edges of bands and of exact floats too.
        #[test]
        fn bands_are_those_of_whole_division(
            value in proptest::prop_oneof![
                proptest::prelude::any::<i64>(), -1000i64..1000,
                (1i64 << 50) - 500..(1i64 << 50) + 500,
            ],
            near in -2i64..3,
            width in proptest::prop_oneof![1i64..5000, proptest::prelude::any::<i64>().prop_map(|w| w.saturating_abs().max(1))],
        ) {
            for value in [value, value.div_euclid(width).saturating_mul(width).saturating_add(near)] {
                proptest::prop_assert_eq!(lower(value, width, 1.0 / width as f64), value.div_euclid(width).wrapping_mul(width));
            }
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
