//! The TOML files of the seed: who is who, what is graded how, what is granted.

use super::Unwritten;
use chrono::{Days, Months, NaiveDate};
use std::path::Path;

/// The parts that do not depend on the day.
const FILES: [(&str, &str); 3] = [
    ("domain.toml", include_str!("seed/domain.toml")),
    ("datasets/district.toml", include_str!("seed/district.toml")),
    ("datasets/branch.toml", include_str!("seed/branch.toml")),
];

/// The parts with `{from}`, `{until}`, `{assessed}` and `{lapsed}` in them.
const DATED: [(&str, &str); 6] = [
    ("datasets/account.toml", include_str!("seed/account.toml")),
    ("datasets/insured.toml", include_str!("seed/insured.toml")),
    ("people.toml", include_str!("seed/people.toml")),
    ("operators.toml", include_str!("seed/operators.toml")),
    ("licences.toml", include_str!("seed/licences.toml")),
    ("scenarios.toml", include_str!("seed/scenarios.toml")),
];

/// Writes every file but the data; terms run from a month ago for not quite two years.
pub(super) fn write(dir: &Path, today: NaiveDate) -> Result<(), Unwritten> {
    let from = today.checked_sub_months(Months::new(1)).unwrap_or(today);
    let until = from.checked_add_months(Months::new(23)).unwrap_or(today);
    // Assessments hold a year. Source: RA-5.
    let assessed = today.checked_add_months(Months::new(11)).unwrap_or(today);
    let lapsed = today.checked_sub_days(Days::new(30)).unwrap_or(today);
    let dated = DATED.iter().map(|(name, text)| {
        let text = text
            .replace("{from}", &from.to_string())
            .replace("{until}", &until.to_string())
            .replace("{assessed}", &assessed.to_string())
            .replace("{lapsed}", &lapsed.to_string());
        (*name, text)
    });
    let files = FILES.iter().map(|(name, text)| (*name, (*text).to_owned()));
    for (name, text) in files.chain(dated) {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(|source| Unwritten::File { path, source })?;
    }
    Ok(())
}
