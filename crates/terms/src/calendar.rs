use crate::Unreadable;
use chrono::{Datelike, Days, NaiveDate, Weekday};
use std::collections::BTreeSet;

/// The longest term that is counted, in working days.
const TERM_MAX: u32 = 1_000;

/// One year's public holidays, as the State Council announces them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Holidays {
    year: i32,
    off: BTreeSet<NaiveDate>,
    worked: BTreeSet<NaiveDate>,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    /// The year.
    year: i32,
    /// Days off, weekends within them or not (放假).
    off: BTreeSet<NaiveDate>,
    /// Weekend days that are worked instead (调休).
    #[serde(default)]
    worked: BTreeSet<NaiveDate>,
}

/// Which days are worked (工作日). Terms of the procedure run in working days.
///
/// Of a year whose holidays nobody loaded only the weekends are off, so that no clock runs slower than
/// the law's. Source: PD-14, PD-24, RA-5.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Calendar {
    years: BTreeSet<i32>,
    off: BTreeSet<NaiveDate>,
    worked: BTreeSet<NaiveDate>,
}

// === impl Holidays ===

impl Holidays {
    /// Of which year.
    #[must_use]
    pub const fn year(&self) -> i32 {
        self.year
    }
}

impl TryFrom<Raw> for Holidays {
    type Error = Unreadable;

    fn try_from(Raw { year, off, worked }: Raw) -> Result<Self, Unreadable> {
        let wrong = |day: &NaiveDate, remedy: &str| {
            Err(Unreadable::new("holidays", &day.to_string(), remedy))
        };
        if let Some(day) = off.iter().chain(&worked).find(|day| day.year() != year) {
            return wrong(day, "list the days of one year");
        }
        if let Some(day) = worked.iter().find(|day| !is_weekend(**day)) {
            return wrong(day, "only days of a weekend are worked instead");
        }
        if let Some(day) = off.intersection(&worked).next() {
            return wrong(day, "a day is off or worked");
        }
        Ok(Self { year, off, worked })
    }
}

impl From<Holidays> for Raw {
    fn from(Holidays { year, off, worked }: Holidays) -> Self {
        Self { year, off, worked }
    }
}

// === impl Calendar ===

impl Calendar {
    /// Takes a year's holidays in; they replace what was known of that year.
    pub fn load(&mut self, holidays: &Holidays) {
        let year = holidays.year;
        self.off.retain(|day| day.year() != year);
        self.worked.retain(|day| day.year() != year);
        self.years.insert(year);
        self.off.extend(&holidays.off);
        self.worked.extend(&holidays.worked);
    }

    /// Whether a year's holidays are known.
    #[must_use]
    pub fn knows(&self, year: i32) -> bool {
        self.years.contains(&year)
    }

    /// Whether a day is worked.
    #[must_use]
    pub fn is_working(&self, day: NaiveDate) -> bool {
        self.worked.contains(&day) || !(is_weekend(day) || self.off.contains(&day))
    }

    /// The last day of a term of so many working days that begins the day after `day`.
    ///
    /// Units: working days; more than a thousand count as a thousand.
    #[must_use]
    pub fn after(&self, day: NaiveDate, working_days: u32) -> NaiveDate {
        let mut last = day;
        let mut left = working_days.min(TERM_MAX);
        while left > 0 {
            let Some(next) = last.checked_add_days(Days::new(1)) else {
                break;
            };
            last = next;
            left -= u32::from(self.is_working(last));
        }
        last
    }
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// National Day 2026 as announced: seven days off, two Sundays or Saturdays worked instead.
    fn autumn() -> Calendar {
        let mut calendar = Calendar::default();
        let off: Vec<String> = (1..=7).map(|day| format!("2026-10-0{day}")).collect();
        let worked = ["2026-09-20", "2026-10-10"];
        let holidays = json!({"year": 2026, "off": off, "worked": worked});
        calendar.load(&serde_json::from_value(holidays).unwrap());
        calendar
    }

    #[test]
    fn ten_working_days_are_two_weeks_but_holidays() {
        let plain = Calendar::default();
        assert_eq!(plain.after(day("2026-09-25"), 10), day("2026-10-09"));
        // The 1st to the 7th are off; Saturday the 10th is worked.
        assert_eq!(autumn().after(day("2026-09-25"), 10), day("2026-10-15"));
        assert_eq!(autumn().after(day("2026-09-25"), 0), day("2026-09-25"));
    }

    #[test]
    fn a_year_is_replaced_as_a_whole() {
        let mut calendar = autumn();
        assert!(!calendar.is_working(day("2026-10-01")));
        calendar.load(&serde_json::from_value(json!({"year": 2026, "off": []})).unwrap());
        assert!(calendar.is_working(day("2026-10-01")));
        assert!(!calendar.is_working(day("2026-10-10")));
        assert!(calendar.knows(2026) && !calendar.knows(2027));
    }

    #[test]
    fn days_that_make_no_sense_are_refused() {
        for (wrong, why) in [
            (json!({"year": 2026, "off": ["2025-10-01"]}), "of one year"),
            (
                json!({"year": 2026, "off": [], "worked": ["2026-10-09"]}),
                "weekend",
            ),
            (
                json!({"year": 2026, "off": ["2026-10-10"], "worked": ["2026-10-10"]}),
                "off or worked",
            ),
        ] {
            let told = serde_json::from_value::<Holidays>(wrong).unwrap_err();
            assert!(told.to_string().contains(why), "{told}");
        }
    }

    #[test]
    fn no_term_runs_for_ever() {
        let last = Calendar::default().after(day("2026-01-01"), u32::MAX);
        assert!(last > day("2029-01-01") && last < day("2030-12-31"));
    }
}
