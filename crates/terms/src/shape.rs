//! What a text looks like, whatever its column says: numbers that stand for a person.

use crate::{Grade, Kind};

/// A form by which a sensitive value is known. Source: CG-B 汇聚 L2-8, CG-C.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// 居民身份证号: 17 digits and a check digit, with a day that was. Source: GB 11643.
    ResidentId,
    /// 银行卡号: 16 to 19 digits of the national network with a check digit. Source: ISO/IEC 7812, Luhn.
    BankCard,
    /// 手机号: eleven digits.
    Phone,
    /// An e-mail address.
    Email,
}

/// How many digits a bank card has.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 16..=19;

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

    /// The most sensitive shape in a text: numbers that stand by themselves, full-width or grouped by
    /// single blanks and hyphens too.
    #[must_use]
    pub fn within(text: &str) -> Option<Self> {
        // Most texts are short and hold no number.
        let mut found = None;
        let mut run = Run::default();
        for letter in text.chars().map(narrow).chain(['\u{0}']) {
            let ended = run.push(letter);
            found = best(found, ended);
        }
        let mail = || has_mail(text).then_some(Self::Email);
        found.or_else(mail)
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

/// The more sensitive of two; the order of [`Shape`] is that.
fn best(one: Option<Shape>, other: Option<Shape>) -> Option<Shape> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
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

/// A number that is being read.
#[derive(Default)]
struct Run {
    digits: Vec<u8>,
    /// Where the group of digits after the last blank or hyphen begins.
    group: usize,
    /// What a group was by itself.
    found: Option<Shape>,
    /// It ends with the check digit X.
    ten: bool,
    /// A blank or hyphen after a digit: the number may go on.
    gap: bool,
    /// A letter stands before it, so that it stands for nothing by itself.
    tied: bool,
}

impl Run {
    /// Takes the next letter; where it ends a number, says what that was.
    fn push(&mut self, letter: char) -> Option<Shape> {
        if let Some(digit) = letter.to_digit(10).and_then(|d| u8::try_from(d).ok())
            && !self.ten
        {
            if std::mem::take(&mut self.gap) {
                self.found = best(self.found, self.group());
                self.group = self.digits.len();
            }
            self.digits.push(digit);
            return None;
        }
        let begun = !self.digits.is_empty();
        if begun && !self.gap && !self.ten && matches!(letter, ' ' | '-') {
            self.gap = true;
            return None;
        }
        if [self.digits.len(), self.digits.len() - self.group].contains(&17)
            && !self.gap
            && !self.ten
            && matches!(letter, 'X' | 'x')
        {
            self.ten = true;
            return None;
        }
        let joined = !self.gap && (letter.is_ascii_alphanumeric() || letter == '_');
        let shape = match begun && !self.tied {
            true if joined => self.found,
            true => best(
                self.found,
                best(self.group(), shape(&self.digits, self.ten)),
            ),
            false => None,
        };
        let tied = letter.is_ascii_alphanumeric() || letter == '_';
        *self = Self {
            tied,
            ..Self::default()
        };
        shape
    }

    /// What the last group is by itself.
    fn group(&self) -> Option<Shape> {
        shape(self.digits.get(self.group..).unwrap_or_default(), self.ten)
    }
}

/// What these digits are, with an X after them or not.
fn shape(digits: &[u8], ten: bool) -> Option<Shape> {
    if is_resident_id(digits, ten) {
        return Some(Shape::ResidentId);
    }
    let card = (CARD_DIGITS.contains(&digits.len()) && luhn(digits), digits);
    let without = digits.strip_prefix(&[8, 6]).unwrap_or(digits);
    match (ten, card, without) {
        (false, (true, [6, 2, ..]), _) => Some(Shape::BankCard),
        (false, _, [1, 3..=9, ..]) if without.len() == 11 => Some(Shape::Phone),
        _ => None,
    }
}

/// 17 digits whose last eight but three are a day, and the check digit of ISO 7064, MOD 11-2.
fn is_resident_id(digits: &[u8], ten: bool) -> bool {
    let check = match (digits, ten) {
        ([.., last], false) if digits.len() == 18 => u32::from(*last),
        (_, true) if digits.len() == 17 => 10,
        _ => return false,
    };
    let number = |range: std::ops::Range<usize>| {
        let digits = digits.get(range).unwrap_or_default();
        digits
            .iter()
            .fold(0, |sum, digit| sum * 10 + u32::from(*digit))
    };
    let (year, month, day) = (number(6..10), number(10..12), number(12..14));
    let year = i32::try_from(year).unwrap_or_default();
    let was = chrono::NaiveDate::from_ymd_opt(year, month, day).is_some();
    let (region, century) = (number(0..2), (1850..2150).contains(&year));
    // Weights are the powers of two modulo 11, the largest first.
    let first = digits.iter().take(17);
    let sum = first.fold(0, |sum, digit| (sum * 2 + u32::from(*digit)) % 11);
    // 2 × Σ + check ≡ 1 (mod 11): the weight of the check digit is one.
    was && century && (11..=91).contains(&region) && (sum * 2 + check) % 11 == 1
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

/// Something, an at sign, and a name with a dot in it.
fn has_mail(text: &str) -> bool {
    let mut parts = text.split('@');
    let Some(mut before) = parts.next() else {
        return false;
    };
    for after in parts {
        let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        let has_user = before.chars().next_back().is_some_and(of_name);
        let host: String = after.chars().take_while(|c| of_name(*c)).collect();
        let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
        let is_host = labels.len() >= 2 && labels.iter().all(|label| !label.is_empty());
        let last = labels.last().copied().unwrap_or_default();
        if has_user && is_host && last.len() >= 2 && last.chars().all(|c| c.is_ascii_alphabetic()) {
            return true;
        }
        before = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: impl Into<Option<Shape>>) {
        assert_eq!(Shape::within(text), expect.into(), "{text}");
    }

    #[test]
    fn an_identity_number_has_its_check_digit_and_a_day() {
        // The example of the standard itself.
        check("11010519491231002X", Shape::ResidentId);
        check("号码11010519491231002x。", Shape::ResidentId);
        check("440524188001010014", Shape::ResidentId);
        check("１１０１０５１９４９１２３１００２Ｘ", Shape::ResidentId);
        check("110105 19491231 002X", Shape::ResidentId);
        check("110105194912310021", None);
        check("11010519491331002X", None);
        check("110105194912310020", None);
        check("A11010519491231002X", None);
        check("11010519491231002X7", None);
    }

    #[test]
    fn a_bank_card_has_its_check_digit_and_network() {
        let with = |body: &str| {
            let digit = (0..10).find(|digit| {
                let all = format!("{body}{digit}");
                let digits: Vec<u8> = all.bytes().map(|b| b - b'0').collect();
                luhn(&digits)
            });
            format!("{body}{}", digit.unwrap())
        };
        check(&with("622202123456789"), Shape::BankCard);
        check(&with("622202123456789012"), Shape::BankCard);
        check(&with("522202123456789"), None);
        let wrong = with("622202123456789").replace("6222", "6223");
        check(&wrong, None);
        let card = with("622202123456789");
        let groups = card.as_bytes().chunks(4);
        let grouped: Vec<String> = groups
            .map(|four| String::from_utf8_lossy(four).into())
            .collect();
        check(&grouped.join(" "), Shape::BankCard);
        check(&grouped.join("-"), Shape::BankCard);
        check(&grouped.join("  "), None);
    }

    #[test]
    fn a_phone_number_stands_by_itself() {
        check("电话13812345678", Shape::Phone);
        check("+86 13812345678", Shape::Phone);
        check("138-1234-5678", Shape::Phone);
        check("138****5678", None);
        check("23812345678", None);
        check("138123456789", None);
        check("order_13812345678", None);
        check("13812345678a", None);
    }

    #[test]
    fn an_address_has_a_name_and_a_host() {
        check("写信到 li.lei+a@example.com。", Shape::Email);
        check("a@b.cn", Shape::Email);
        check("a@b", None);
        check("@example.com", None);
        check("价格@100.5", None);
    }

    #[test]
    fn a_whole_text_is_nothing_beside_its_shape() {
        for (text, expect) in [
            (" 11010519491231002X ", Some(Shape::ResidentId)),
            ("+86 138-1234-5678", Some(Shape::Phone)),
            ("li.lei+a@example.com", Some(Shape::Email)),
            ("电话13812345678", None),
            ("write to a@b.cn", None),
            ("", None),
        ] {
            assert_eq!(Shape::whole(text), expect, "{text}");
        }
    }

    #[test]
    fn of_several_the_most_sensitive_is_told() {
        check("a@b.cn 13812345678 11010519491231002X", Shape::ResidentId);
        check("a@b.cn 13812345678", Shape::Phone);
        check("", None);
        check("0f3c1138123456781101051949123100", None);
    }

    /// Random digits are seldom taken for a person's: one in hundreds, not one in ten.
    #[test]
    fn other_numbers_are_seldom_taken_for_these() {
        let mut number = 0x9e37_79b9_7f4a_7c15_u64;
        let mut found = 0;
        for _ in 0..10_000 {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let text = format!("{:018}", number % 1_000_000_000_000_000_000);
            found += usize::from(Shape::within(&text).is_some());
        }
        assert!(found < 60, "{found}");
    }
}
