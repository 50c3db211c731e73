use crate::value::{Look, look};
use std::collections::{BTreeMap, BTreeSet};
use terms::Shape;

/// What the values of a column look like together: counts, and no value.
///
/// Units: values that are there; those that are absent count for nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// How many were looked at.
    pub(crate) of: usize,
    /// How many different ones.
    pub(crate) distinct: usize,
    /// How many are nothing but a shape.
    pub(crate) shaped: BTreeMap<Shape, usize>,
    /// How many have a shape somewhere in them, those that are nothing else too.
    pub(crate) within: BTreeMap<Shape, usize>,
    /// How many are number plates.
    pub(crate) plates: usize,
    /// How many are names of people.
    pub(crate) person_names: usize,
    /// How many are postal addresses.
    pub(crate) addresses: usize,
    /// How many are days.
    pub(crate) days: usize,
    /// How many of those are written YYYY-MM-DD.
    pub(crate) iso_days: usize,
    /// The years between which the middle nine tenths of the days lie.
    pub(crate) years: i32,
    /// How many are numbers.
    pub(crate) numbers: usize,
    /// How many are numbers with a fraction.
    pub(crate) fractions: usize,
    /// How many of those have at most two digits after the point.
    pub(crate) cents: usize,
    /// How many of those are from 0 to 1.
    pub(crate) shares: usize,
    /// How many are written as numbers of things are: eight digits and more, or six letters and digits.
    pub(crate) codes: usize,
    /// How many have blanks or punctuation in them.
    pub(crate) spaced: usize,
    /// Characters in all.
    pub(crate) chars: usize,
}

// === impl Tally ===

impl Tally {
    /// Counts.
    pub(crate) fn of<'v>(values: impl Iterator<Item = &'v str>) -> Self {
        let mut tally = Self::default();
        let (mut seen, mut years) = (BTreeSet::new(), Vec::new());
        for value in values {
            tally.add(value, &mut years);
            seen.insert(value);
        }
        tally.distinct = seen.len();
        years.sort_unstable();
        let edge = years.len() / 20;
        let middle = years
            .get(edge..years.len().saturating_sub(edge))
            .unwrap_or_default();
        if let (Some(first), Some(last)) = (middle.first(), middle.last()) {
            tally.years = last.saturating_sub(*first);
        }
        tally
    }

    fn add(&mut self, value: &str, years: &mut Vec<i32>) {
        self.of += 1;
        if let Some(shape) = Shape::within(value) {
            *self.within.entry(shape).or_default() += 1;
        }
        match look(value) {
            Look::Shaped(shape) => *self.shaped.entry(shape).or_default() += 1,
            Look::Plate => self.plates += 1,
            Look::Day { year, iso } => {
                self.days += 1;
                self.iso_days += usize::from(iso);
                years.push(year);
            }
            Look::Whole => self.numbers += 1,
            Look::Fraction { cents, share } => {
                self.numbers += 1;
                self.fractions += 1;
                self.cents += usize::from(cents);
                self.shares += usize::from(share);
            }
            Look::PersonName => self.person_names += 1,
            Look::Address => self.addresses += 1,
            Look::Text => {}
        }
        self.chars += value.chars().count();
        self.codes += usize::from(is_code(value));
        let spacing = |c: char| c.is_whitespace() || "，。；、,;.:：（）()".contains(c);
        self.spaced += usize::from(value.contains(spacing));
    }

    /// Whether so many are at least this many per cent of the values.
    pub(crate) const fn is_share(&self, hits: usize, percent: usize) -> bool {
        self.of > 0 && hits * 100 >= self.of * percent
    }

    /// The share in whole per cent, rounded down, but for some not 0.
    pub(crate) fn percent(&self, hits: usize) -> usize {
        let percent = (hits * 100).checked_div(self.of).unwrap_or(0);
        percent.max(usize::from(hits > 0))
    }
}

/// Letters, digits and hyphens with some digits among them, too long for a count.
fn is_code(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let of_code = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    value.bytes().all(of_code)
        && digits >= 3
        && value.len() >= if digits == value.len() { 8 } else { 6 }
}
