//! What a text looks like, whatever its column says: numbers that stand for a person.

mod symbol; // a letter → a digit, a sign, a letter
mod check_digit; // digits → whose number
mod mail; // addresses
mod scan; // symbols → numbers
mod sights; // how sure that is

use self::{scan::Scan, symbol::Symbol};
use crate::{Grade, Kind};

pub use self::sights::{Sightings, Sights};

/// A form by which a sensitive value is known. Source: CG-B 汇聚 L2-8, CG-C.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// 居民身份证号: 17 digits and a check digit, with a day that was. Source: GB 11643.
    ResidentId,
    /// 银行卡号: 13 to 19 digits of an issuer with a check digit. Source: ISO/IEC 7812, Luhn.
    BankCard,
    /// 手机号: eleven digits.
    Phone,
    /// An e-mail address.
    Email,
}

/// The fewest digits of any of them.
const DIGITS_MIN: usize = 11;
/// The least number that is one.
const NUMBER_MIN: u128 = 13_000_000_000;
/// Up to here a floating-point number is exact.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 4] = [Self::ResidentId, Self::BankCard, Self::Phone, Self::Email];

    /// The grade such a value has by its nature. Source: CG-C: 证件号码 and accounts are serious,
    /// 手机号 is slight.
    #[must_use]
    pub const fn grade(self) -> Grade {
        match self {
            Self::ResidentId | Self::BankCard => Grade::Three,
            Self::Phone | Self::Email => Grade::Two,
        }
    }

    /// The kind of item whose values look like this.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::ResidentId => Kind::ResidentId,
            Self::BankCard => Kind::BankAccount,
            Self::Phone => Kind::Phone,
            Self::Email => Kind::Email,
        }
    }

    /// The shape as events write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ResidentId => "resident-id",
            Self::BankCard => "bank-card",
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }

    /// The most sensitive shape in a text that is written as people write it: by itself, tied to
    /// letters, or grouped by up to three signs, in any script.
    #[must_use]
    pub fn within(text: &str) -> Option<Self> {
        Self::sights(text).plain
    }

    /// All that is in a text, also what stands within other digits or backwards.
    #[must_use]
    pub fn sights(text: &str) -> Sights {
        sights(text).0
    }

    /// What is in a decimal number, all digits of which are given as one whole number.
    #[must_use]
    pub fn sights_of_number(unscaled: i128, scale: u8) -> Sights {
        if unscaled.unsigned_abs() < NUMBER_MIN {
            return Sights::default();
        }
        let digits = unscaled.unsigned_abs().to_string();
        let whole = digits.len().saturating_sub(usize::from(scale));
        let (whole, fraction) = digits.split_at_checked(whole).unwrap_or((&digits, ""));
        let mut scan = Scan::default();
        symbol::each(whole, |symbol| scan.take(symbol));
        let fraction = fraction.trim_end_matches('0');
        if !fraction.is_empty() {
            scan.take(Symbol::Point);
            symbol::each(fraction, |symbol| scan.take(symbol));
        }
        let found = scan.finish();
        if fraction.is_empty() {
            return found;
        }
        symbol::each(&digits, |symbol| scan.take(symbol));
        let across = scan.finish().doubted();
        found.with(across.without(Self::Phone).without(Self::BankCard))
    }

    /// What is in a floating-point number. An identity number has lost its last digits in one, and with
    /// them what checks it.
    #[must_use]
    pub fn sights_of_float(number: f64) -> Sights {
        // Not a number compares as false.
        let is_looked_at = number.abs() >= 13e9 && number.abs() < 1e19 && number.fract() == 0.0;
        let digits = if is_looked_at {
            format!("{:.0}", number.abs())
        } else {
            String::new()
        };
        if number.abs() <= EXACT_MAX {
            return Self::sights_of_number(digits.parse().unwrap_or(0), 0);
        }
        let at = |place: usize| {
            digits
                .as_bytes()
                .get(place)
                .map(|byte| byte.wrapping_sub(b'0'))
        };
        let is_id =
            digits.len() == check_digit::RESIDENT_DIGITS && check_digit::is_person_and_day(at);
        Sights {
            inside: is_id.then_some(Self::ResidentId),
            ..Sights::default()
        }
    }

    /// The shape of a text that is nothing else: a cell of a column of these.
    #[must_use]
    pub fn whole(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::within(text).filter(|shape| text.chars().map(narrow).all(|c| is_of(*shape, c)))
    }
}

/// Whether a letter may stand in one of these without being something else: grouping, check digit, address.
fn is_of(shape: Shape, letter: char) -> bool {
    match shape {
        Shape::ResidentId | Shape::BankCard | Shape::Phone => {
            letter.is_ascii_digit() || matches!(letter, ' ' | '-' | '+' | 'X' | 'x')
        }
        Shape::Email => letter.is_ascii_alphanumeric() || "@.-_+".contains(letter),
    }
}

/// Full-width digits and letters as plain ones.
fn narrow(letter: char) -> char {
    match letter {
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => {
            char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter)
        }
        other => other,
    }
}

/// What is in a text, and how many places of it were looked at more than once.
fn sights(text: &str) -> (Sights, u64) {
    let mut found = Sights::default();
    let mut steps = 0;
    if !is_harmless(text) {
        let mut scan = Scan::default();
        symbol::each(text, |symbol| scan.take(symbol));
        (found, steps) = (scan.finish(), scan.steps);
    }
    if mail::has_mail(text) {
        found = found.with(Sights {
            plain: Some(Shape::Email),
            ..Sights::default()
        });
    }
    (found, steps)
}

/// Most texts have too few digits for any number: told by one pass over their bytes.
fn is_harmless(text: &str) -> bool {
    let (digits, others) = text
        .bytes()
        .fold((0_usize, 0_u8), |(digits, others), byte| {
            (digits + usize::from(byte.is_ascii_digit()), others | byte)
        });
    others < 0x80 && digits < DIGITS_MIN
}

#[cfg(test)]
mod tests;
