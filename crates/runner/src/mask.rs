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
use chrono::{DateTime, Datelike, NaiveDate};
use ring::hmac;
use std::{collections::HashMap, sync::Arc};
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
    /// its digits are the same identifier.
    fn token(&self, domain: &str, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(
            &u32::try_from(domain.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        context.update(domain.as_bytes());
        context.update(value.as_bytes());
        let tag = context.sign();
        tag.as_ref()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
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
            let domain = domain.ok_or(Failed::Job)?;
            let mut known: HashMap<String, String> = HashMap::new();
            written(raw, |value| {
                let made = || tokens.token(domain, value);
                known.entry(value.to_owned()).or_insert_with(made).clone()
            })
        }
        Mask::Partial { head, tail } => written(raw, |value| {
            partial(value, usize::from(head), usize::from(tail))
        }),
        Mask::Prefix(length) => written(raw, |value| prefix(value, usize::from(length))),
        Mask::Band(width) => band(raw, width),
        Mask::Year => dated(raw, |day| NaiveDate::from_ymd_opt(day.year(), 1, 1)),
        Mask::Month => dated(raw, |day| {
            NaiveDate::from_ymd_opt(day.year(), day.month(), 1)
        }),
    }
}

/// Maps each value, written as text, to text.
fn written(raw: &ArrayRef, mut show: impl FnMut(&str) -> String) -> Result<ArrayRef, Failed> {
    let mut shown = StringBuilder::new();
    if let Some(texts) = raw.as_string_opt::<i32>() {
        texts
            .iter()
            .for_each(|value| shown.append_option(value.map(&mut show)));
    } else if let Some(whole) = raw.as_primitive_opt::<Int64Type>() {
        whole
            .iter()
            .for_each(|value| shown.append_option(value.map(|v| show(&v.to_string()))));
    } else {
        let text = arrow::compute::cast(raw, &DataType::Utf8).map_err(|_| Failed::Internal)?;
        let texts = text.as_string_opt::<i32>().ok_or(Failed::Internal)?;
        texts
            .iter()
            .for_each(|value| shown.append_option(value.map(&mut show)));
    }
    Ok(Arc::new(shown.finish()))
}

/// The ends of a text; one that is not longer than both shows nothing.
fn partial(value: &str, head: usize, tail: usize) -> String {
    let length = value.chars().count();
    if length <= head + tail {
        return HIDDEN.to_owned();
    }
    let first: String = value.chars().take(head).collect();
    let last: String = value.chars().skip(length - tail).collect();
    format!("{first}{HIDDEN}{last}")
}

/// The beginning of a text; one that is not longer shows nothing.
fn prefix(value: &str, length: usize) -> String {
    if value.chars().count() <= length {
        return HIDDEN.to_owned();
    }
    value.chars().take(length).collect()
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

/// Maps each date to another of its kind.
fn dated(
    raw: &ArrayRef,
    first: impl Fn(NaiveDate) -> Option<NaiveDate>,
) -> Result<ArrayRef, Failed> {
    let epoch = DateTime::UNIX_EPOCH.date_naive();
    let days = |day: NaiveDate| first(day).map(|first| (first - epoch).num_days());
    if let Some(values) = raw.as_primitive_opt::<Date32Type>() {
        let shown: Date32Array = values.unary_opt(|value| {
            let day = epoch.checked_add_signed(chrono::Duration::days(i64::from(value)))?;
            i32::try_from(days(day)?).ok()
        });
        return Ok(Arc::new(shown));
    }
    let micro = DataType::Timestamp(TimeUnit::Microsecond, None);
    if let (true, Some(values)) = (
        raw.data_type() == &micro,
        raw.as_primitive_opt::<TimestampMicrosecondType>(),
    ) {
        let shown: TimestampMicrosecondArray = values.unary_opt(|value| {
            days(DateTime::from_timestamp_micros(value)?.date_naive())?.checked_mul(DAY_US)
        });
        return Ok(Arc::new(shown));
    }
    Err(Failed::Schema)
}
