use chrono::{Datelike, NaiveDate};

/// The years that days in data are of.
const YEARS: std::ops::RangeInclusive<i32> = 1850..=2150;
/// Other ways to write a day than as data comes in.
const FORMS: [&str; 5] = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d"];

/// The year of a day or an instant, and whether it is written YYYY-MM-DD and nothing else.
pub(super) fn day(text: &str) -> Option<(i32, bool)> {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let digits = day.bytes().filter(u8::is_ascii_digit).count();
    if !(6..=8).contains(&digits) {
        return None;
    }
    // Eight digits and nothing else; seven could be read in more ways than one.
    let bare = day.bytes().all(|byte| byte.is_ascii_digit());
    if bare && (digits != 8 || day.len() != text.len()) {
        return None;
    }
    let read = |form: &str| NaiveDate::parse_from_str(day, form).ok();
    let date = FORMS.iter().find_map(|form| read(form))?;
    let year = date.year();
    let iso = text.len() == 10 && text == date.format("%Y-%m-%d").to_string();
    YEARS.contains(&year).then_some((year, iso))
}
