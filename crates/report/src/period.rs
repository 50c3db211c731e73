use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Utc};

/// Civil time in the domain: China Standard Time, eight hours east.
const EAST_SECONDS: i32 = 8 * 3600;

/// The civil day of a moment in the domain.
pub(crate) fn day_of(at: DateTime<Utc>) -> NaiveDate {
    FixedOffset::east_opt(EAST_SECONDS)
        .map_or(at.date_naive(), |east| at.with_timezone(&east).date_naive())
}

/// A month of the domain's civil calendar, written `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(into = "String")]
pub struct Month {
    /// The year.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
}

/// The days of a report, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Period {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub until: NaiveDate,
}

impl Month {
    pub(crate) fn of(day: NaiveDate) -> Self {
        Self {
            year: day.year(),
            month: day.month(),
        }
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:02}", self.year, self.month)
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl Period {
    /// A civil year; none where the calendar has no such year.
    #[must_use]
    pub fn year(year: i32) -> Option<Self> {
        Some(Self {
            from: NaiveDate::from_ymd_opt(year, 1, 1)?,
            until: NaiveDate::from_ymd_opt(year, 12, 31)?,
        })
    }

    /// Whether a moment is in it.
    #[must_use]
    pub fn holds(&self, at: DateTime<Utc>) -> bool {
        (self.from..=self.until).contains(&day_of(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_the_domain() {
        let period = Period::year(2026).unwrap();
        let holds = |at: &str| period.holds(at.parse().unwrap());
        assert!(holds("2025-12-31T16:00:00Z") && holds("2026-12-31T15:59:59.999999Z"));
        assert!(!holds("2025-12-31T15:59:59.999999Z") && !holds("2026-12-31T16:00:00Z"));
        let month = Month::of(day_of("2026-10-31T16:00:00Z".parse().unwrap()));
        assert_eq!(month.to_string(), "2026-11");
    }
}
