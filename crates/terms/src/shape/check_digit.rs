//! The numbers whose last digit is reckoned from the others.

use chrono::NaiveDate;

/// How many digits an identity number has, the last of which may be X.
pub(super) const RESIDENT_DIGITS: usize = 18;
/// How many digits a bank card has.
pub(super) const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=CARD_DIGITS_MAX;
pub(super) const CARD_DIGITS_MAX: usize = 19;
/// The check digit X.
pub(super) const TEN: u8 = 10;

/// Years of birth of who may be alive: a number of fewer is seldom taken for a person's.
const YEARS: std::ops::RangeInclusive<u32> = 1900..=2030;

/// Whose cards begin so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Issuer {
    /// The national network.
    National,
    /// Another.
    Other,
}

/// 17 digits, of which the first two are a province and eight are a day, and the check digit of ISO
/// 7064, MOD 11-2. The digits are given by their place. Source: GB 11643.
pub(super) fn is_resident_id(at: impl Fn(usize) -> Option<u8>) -> bool {
    is_person_and_day(&at) && {
        let digits = (0..RESIDENT_DIGITS).map(&at);
        // Weights are the powers of two modulo 11, the largest first; the check digit's is one.
        let sum = digits.enumerate().try_fold(0_u32, |sum, (place, digit)| {
            let digit = digit.filter(|digit| *digit < TEN || place + 1 == RESIDENT_DIGITS)?;
            Some((sum * 2 + u32::from(digit)) % 11)
        });
        sum == Some(1)
    }
}

/// The same without the last digits: a number of which they were lost.
pub(super) fn is_person_and_day(at: impl Fn(usize) -> Option<u8>) -> bool {
    let number = |places: std::ops::Range<usize>| {
        let mut digits = places.map(&at);
        digits.try_fold(0_u32, |number, digit| {
            let digit = digit.filter(|digit| *digit < TEN)?;
            Some(number * 10 + u32::from(digit))
        })
    };
    let is_year = || number(6..10).filter(|year| YEARS.contains(year));
    // Foreigners who live here have a 9 before the province.
    let is_province = match at(0) {
        Some(9) => number(1..3),
        _ => number(0..2),
    }
    .is_some_and(is_province);
    let was = || {
        let year = i32::try_from(is_year()?).ok()?;
        NaiveDate::from_ymd_opt(year, number(10..12)?, number(12..14)?)
    };
    is_province && was().is_some()
}

/// Source: GB/T 2260.
const fn is_province(code: u32) -> bool {
    matches!(code, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)
}

/// Whose card these digits may be. Source: ISO/IEC 7812.
pub(super) fn issuer(digits: &[u8]) -> Option<Issuer> {
    let first = digits.iter().take(4);
    let first = first.fold(0_u32, |sum, digit| sum * 10 + u32::from(*digit));
    match (first, digits.len()) {
        (6200..=6299, 16 | 19) => Some(Issuer::National),
        (4000..=4999, 13 | 16 | 19)
        | (5100..=5599 | 2221..=2720, 16)
        | (3528..=3589 | 6011 | 6200..=6299 | 6500..=6599 | 9558, 16..=19)
        | (3400..=3499 | 3700..=3799, 15)
        | (3600..=3699 | 3800..=3899 | 3000..=3059, 14) => Some(Issuer::Other),
        _ => None,
    }
    .filter(|_| luhn(digits))
}

/// Whether the last digit is the check digit of the others.
fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => u32::from(*digit),
            _ => doubled(u32::from(*digit)),
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether eleven digits are a mobile phone's.
pub(super) fn is_phone(digits: &[u8]) -> bool {
    let local = digits
        .strip_prefix(&[0, 0, 8, 6])
        .or_else(|| digits.strip_prefix(&[8, 6]))
        .unwrap_or(digits);
    matches!(local, [1, 3..=9, ..]) && local.len() == 11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_number_has_a_province_a_day_and_its_check_digit() {
        for (number, expect) in [
            ("11010519491231002X", true),
            ("110105194912310020", false),
            ("11010519491331002X", false),
            // The check digit is right in these; the year, then the province is not.
            ("440524188001010014", false),
            ("160105194912310025", false),
        ] {
            let digit = |byte: u8| if byte == b'X' { TEN } else { byte - b'0' };
            let digits: Vec<u8> = number.bytes().map(digit).collect();
            let sum = digits
                .iter()
                .fold(0, |sum, d| (sum * 2 + u32::from(*d)) % 11);
            assert!(!number.starts_with("44") || sum == 1, "{number}");
            assert_eq!(
                is_resident_id(|at| digits.get(at).copied()),
                expect,
                "{number}"
            );
        }
        assert!(!is_resident_id(|_| None));
    }

    #[test]
    fn a_card_is_of_an_issuer_and_has_its_check_digit() {
        for (card, expect) in [
            ("6222021234567890128", Some(Issuer::National)),
            ("6222021234567890129", None),
            ("4111111111111111", Some(Issuer::Other)),
            ("4111111111111112", None),
            ("378282246310005", Some(Issuer::Other)),
            ("1111111111111117", None),
        ] {
            let digits: Vec<u8> = card.bytes().map(|byte| byte - b'0').collect();
            assert_eq!(issuer(&digits), expect, "{card}");
        }
    }
}
