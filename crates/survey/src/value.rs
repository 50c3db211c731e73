//! What one value looks like.

mod chinese; // names, addresses and number plates as they are written here
mod day; // calendar days as people write them

use terms::Shape;

/// What a value is, as far as it can be told by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Look {
    /// An identity number, a bank card, a phone number or an address, and nothing else.
    Shaped(Shape),
    /// A number plate.
    Plate,
    /// A calendar day, or an instant.
    Day {
        /// Its year.
        year: i32,
        /// Whether it is written as data comes in: YYYY-MM-DD.
        iso: bool,
    },
    /// A whole number.
    Whole,
    /// A number with a fraction.
    Fraction {
        /// At most two digits after the point, as money has them.
        cents: bool,
        /// From 0 to 1.
        share: bool,
    },
    /// A Chinese name: a surname and one or two characters.
    PersonName,
    /// A postal address.
    Address,
    /// Any other text.
    Text,
}

/// The first of these that a value is; the more sensitive come first.
pub(crate) fn look(text: &str) -> Look {
    if let Some(shape) = Shape::whole(text) {
        return Look::Shaped(shape);
    }
    if chinese::is_plate(text) {
        return Look::Plate;
    }
    if let Some((year, iso)) = day::day(text) {
        return Look::Day { year, iso };
    }
    if let Some(number) = number(text) {
        return number;
    }
    if chinese::is_address(text) || is_street(text) {
        return Look::Address;
    }
    if chinese::is_person_name(text) {
        return Look::PersonName;
    }
    Look::Text
}

fn number(text: &str) -> Option<Look> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Look::Whole);
    }
    let of_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let value: f64 = text.bytes().all(of_number).then(|| text.parse().ok())??;
    let after = text.split_once('.').map_or("", |(_, after)| after);
    // As floats are printed: 12.0 is whole.
    if after.bytes().all(|byte| byte == b'0') && !text.contains(['e', 'E']) {
        return Some(Look::Whole);
    }
    Some(Look::Fraction {
        cents: after.len() <= 2,
        share: (0.0..=1.0).contains(&value),
    })
}

/// A number, a name and what streets are called: `12 High Street`.
fn is_street(text: &str) -> bool {
    const STREETS: [&str; 14] = [
        "street",
        "st",
        "road",
        "rd",
        "avenue",
        "ave",
        "lane",
        "ln",
        "drive",
        "dr",
        "boulevard",
        "blvd",
        "court",
        "square",
    ];
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let numbered = words
        .next()
        .is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let is_street = |word: &str| {
        let word = word.trim_end_matches('.').to_ascii_lowercase();
        STREETS.contains(&word.as_str())
    };
    numbered && words.skip(1).any(is_street)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expect: Look, texts: &[&str]) {
        for text in texts {
            assert_eq!(look(text), expect, "{text}");
        }
    }

    #[test]
    fn a_value_is_the_most_sensitive_of_what_it_looks_like() {
        check(Look::Shaped(Shape::ResidentId), &["11010519491231002X"]);
        check(
            Look::Shaped(Shape::Phone),
            &["13812345678", "+86 138-1234-5678"],
        );
        check(Look::Plate, &["苏B12345", "苏B·D12345", "粤Z1234港"]);
        check(Look::Whole, &["7", "-12", "110105194912310021", "12.0"]);
        check(
            Look::PersonName,
            &["王芳", "欧阳修文", "李小龙", "买买提·艾力"],
        );
        check(
            Look::Address,
            &[
                "江苏省无锡市滨湖区太湖大道1号",
                "人民路12号3栋402室",
                "12 High Street, Wuxi",
            ],
        );
        check(
            Look::Text,
            &[
                "滨湖区",
                "高中",
                "江阴市",
                "苏B",
                "Married",
                "",
                "王",
                "方案",
                "电话13812345678",
            ],
        );
        let fraction = |cents, share| Look::Fraction { cents, share };
        check(fraction(true, false), &["12.50", "-3.1"]);
        check(fraction(true, true), &["0.05"]);
        check(fraction(false, true), &["0.0512"]);
    }

    #[test]
    fn a_day_is_one_that_was() {
        let day = |year, iso| Look::Day { year, iso };
        check(day(1990, true), &["1990-02-28"]);
        check(
            day(1990, false),
            &[
                "19900228",
                "1990/2/28",
                "1990.02.28",
                "1990年2月28日",
                "1990-02-28 10:00:00",
                "1990-02-28T10:00:00Z",
            ],
        );
        check(Look::Whole, &["19901301", "12345678", "1990"]);
        check(Look::Text, &["1990-02-30", "1990-02"]);
    }
}
