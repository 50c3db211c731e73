//! Identity numbers (公民身份号码). Source: GB 11643-1999.

use chrono::{Days, NaiveDate};

/// Area codes that numbers begin with: the seven of Wuxi, and five from where people move in.
const AREAS: [u32; 12] = [
    320_213, 320_211, 320_205, 320_206, 320_214, 320_281, 320_282, 320_102, 320_505, 321_002,
    340_102, 410_102,
];
/// Days of birth from 1966-01-01 on: forty years.
const DAYS: u64 = 14_610;
/// Sequence numbers within a day and area, 001 to 999; odd ones are men's.
const SEQUENCES: u64 = 999;

/// How many different numbers there are.
pub(super) const NUMBERS: u64 = 12 * DAYS * SEQUENCES;

/// A prime that does not divide [`NUMBERS`], so that steps of it visit every number once.
const STEP: u64 = 2_654_435_761;

/// An identity number and the day of birth in it.
#[derive(Debug)]
pub(super) struct Resident {
    pub(super) number: String,
    pub(super) born: NaiveDate,
    pub(super) is_male: bool,
}

/// The identity of the person with this index; two indices below [`NUMBERS`] never share one.
pub(super) fn resident(index: u64) -> Resident {
    let place = (index % NUMBERS) * STEP % NUMBERS;
    let (rest, sequence) = (place / SEQUENCES, place % SEQUENCES + 1);
    let (area, day) = (rest / DAYS, rest % DAYS);
    let area = usize::try_from(area)
        .ok()
        .and_then(|at| AREAS.get(at))
        .copied()
        .unwrap_or(320_200);
    let born = NaiveDate::from_ymd_opt(1966, 1, 1)
        .and_then(|first| first.checked_add_days(Days::new(day)))
        .unwrap_or_default();
    let body = format!("{area}{}{sequence:03}", born.format("%Y%m%d"));
    let number = format!("{body}{}", check_digit(&body));
    Resident {
        number,
        born,
        is_male: sequence % 2 == 1,
    }
}

/// The last character of an identity number, from its first 17. Source: ISO 7064 MOD 11-2.
pub(super) fn check_digit(body: &str) -> char {
    let sum = body
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .fold(0, |sum, digit| (sum + digit) * 2 % 11);
    match (12 - sum) % 11 {
        10 => 'X',
        digit => char::from_digit(digit, 10).unwrap_or('X'),
    }
}
