use crate::csv_rows::CsvRows;
use crate::plain_type::expected;
use crate::{Place, Progress, Unreceivable};
use chrono::NaiveDate;
use std::path::Path;
use terms::{Item, Kind, Type};

/// What a field must be where its bytes are no text.
pub(crate) const UTF_8: &str = "text in UTF-8 (a GBK file must be converted first)";

/// What a CSV column may turn out to be, narrowed by each of its values.
///
/// Empty fields are nulls and say nothing.
#[derive(Debug, Clone, Copy)]
struct Candidates {
    int: bool,
    float: bool,
    date: bool,
    text: bool,
    any_value: bool,
}

/// Reads the file once and settles the type of each item's column, in the order of the items.
///
/// Shape: identifiers, codes, addresses and free text are text whatever they look like; dates are
/// dates; amounts, counts and ratios are whole numbers if every value is, else floats; the rest is
/// what all its values can be read as.
pub(crate) fn settle(
    path: &Path,
    items: &[(Item, usize)],
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<Type>, Unreceivable> {
    let mut rows = CsvRows::open(path)?;
    let mut found: Vec<_> = items
        .iter()
        .map(|(item, _)| Candidates::of(item.kind))
        .collect();
    let mut count = 0_u64;
    while let Some((line, record)) = rows.next()? {
        for ((item, column), candidates) in items.iter().zip(&mut found) {
            let field = record.get(*column).unwrap_or_default();
            let misfit = |expected| Unreceivable::Misfit {
                path: path.to_owned(),
                place: Place::Line(line),
                column: item.name.to_string(),
                expected,
            };
            let field = std::str::from_utf8(field).map_err(|_| misfit(UTF_8))?;
            let before = *candidates;
            candidates.narrow(field);
            if candidates.none() {
                return Err(misfit(before.wanted(field)));
            }
        }
        count = count.saturating_add(1);
        if count.is_multiple_of(65_536) {
            progress(rows.bytes_done());
        }
    }
    Ok(found.into_iter().map(Candidates::settled).collect())
}

/// Tells [`Progress`] of the first pass: bytes, no rows yet.
pub(crate) fn told_as(bytes: u64, size: u64) -> Progress {
    Progress {
        rows: 0,
        bytes_done: bytes,
        bytes_total: size.saturating_mul(2),
    }
}

/// Reads a date written YYYY-MM-DD and nothing shorter or longer.
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if shaped {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
    } else {
        None
    }
}

/// Reads a finite decimal number; `inf` and `nan` are none.
pub(crate) fn number(text: &str) -> Option<f64> {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if plain {
        text.parse().ok().filter(|value: &f64| value.is_finite())
    } else {
        None
    }
}

/// Whether a text is written as a whole number, of whatever length.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

// === impl Candidates ===

impl Candidates {
    fn of(kind: Kind) -> Self {
        let none = Self {
            int: false,
            float: false,
            date: false,
            text: false,
            any_value: false,
        };
        match kind {
            Kind::SubjectId
            | Kind::ResidentId
            | Kind::PersonName
            | Kind::Phone
            | Kind::BankAccount
            | Kind::SocialAccount
            | Kind::Email
            | Kind::Address
            | Kind::Plate
            | Kind::Code
            | Kind::FreeText => Self { text: true, ..none },
            Kind::Date => Self { date: true, ..none },
            Kind::Amount | Kind::Count | Kind::Ratio => Self {
                int: true,
                float: true,
                ..none
            },
            Kind::Other => Self {
                int: true,
                float: true,
                date: true,
                text: true,
                any_value: false,
            },
        }
    }

    fn narrow(&mut self, field: &str) {
        if field.is_empty() {
            return;
        }
        self.any_value = true;
        // As text, `007` is not 7; as an amount it is.
        let padded = field.len() > 1 && field.starts_with('0') && is_whole(field);
        let numeric = !(self.text && padded);
        self.int = self.int && numeric && field.parse::<i64>().is_ok();
        // A whole number beyond 64 bits would lose digits as a float.
        let fits = !is_whole(field) || field.parse::<i64>().is_ok();
        self.float = self.float && numeric && fits && number(field).is_some();
        self.date = self.date && date(field).is_some();
    }

    fn none(self) -> bool {
        !(self.int || self.float || self.date || self.text)
    }

    /// What would have fitted, where a value left no candidate.
    fn wanted(self, field: &str) -> &'static str {
        match (self.date, is_whole(field)) {
            (true, _) => expected(Type::Date),
            (false, true) => expected(Type::Int),
            (false, false) => expected(Type::Float),
        }
    }

    /// The narrowest type left; a column without values is what it was meant to be, or text.
    fn settled(self) -> Type {
        if self.text && !self.any_value {
            Type::Text
        } else if self.int {
            Type::Int
        } else if self.float {
            Type::Float
        } else if self.date {
            Type::Date
        } else {
            Type::Text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, fields: &[&str], expect: Option<Type>) {
        let mut candidates = Candidates::of(kind);
        fields.iter().for_each(|field| candidates.narrow(field));
        let settled = if candidates.none() {
            None
        } else {
            Some(candidates.settled())
        };
        assert_eq!(settled, expect, "{kind} {fields:?}");
    }

    #[test]
    fn an_identifier_is_text_whatever_it_looks_like() {
        check(Kind::ResidentId, &["320213199001011234"], Some(Type::Text));
        check(Kind::Code, &["1", "2"], Some(Type::Text));
    }

    #[test]
    fn an_amount_is_whole_only_if_every_value_is() {
        check(Kind::Amount, &["1", "", "-2"], Some(Type::Int));
        check(Kind::Amount, &["1", "2.5"], Some(Type::Float));
        check(Kind::Amount, &["1e3"], Some(Type::Float));
        check(Kind::Amount, &[""], Some(Type::Int));
        check(Kind::Amount, &["nan"], None);
        check(Kind::Amount, &["1,000"], None);
        check(Kind::Amount, &["12345678901234567890"], None);
    }

    #[test]
    fn a_date_is_a_real_day_in_one_form() {
        check(Kind::Date, &["2024-02-29"], Some(Type::Date));
        for wrong in [
            "2023-02-29",
            "2024-2-9",
            "2024/02/09",
            "20240209",
            "2024-02-09 10:00",
        ] {
            check(Kind::Date, &[wrong], None);
        }
    }

    #[test]
    fn other_columns_are_what_all_their_values_can_be() {
        check(Kind::Other, &["1", "2"], Some(Type::Int));
        check(Kind::Other, &["1", "2.5"], Some(Type::Float));
        check(Kind::Other, &["2024-01-01", ""], Some(Type::Date));
        check(Kind::Other, &["2024-01-01", "1"], Some(Type::Text));
        check(Kind::Other, &["007"], Some(Type::Text));
        check(Kind::Other, &["0", "0.5"], Some(Type::Float));
        check(Kind::Other, &["12345678901234567890"], Some(Type::Text));
        check(Kind::Other, &[""], Some(Type::Text));
    }
}
