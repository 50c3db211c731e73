//! How long each entry is promised to stay readable, out of the log's own record of settings.

use chrono::{DateTime, NaiveDate, Utc};
use terms::{Event, EventClass, Retention};

/// The settings of retention in the order in which they were put on record.
///
/// A setting raises what is on record already and never lowers it: an entry is kept for the longest
/// time that was in force when it was made or after it.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Promises {
    settings: Vec<(DateTime<Utc>, Retention)>,
}

impl Promises {
    /// Folds one event in.
    pub fn apply(&mut self, event: &Event, at: DateTime<Utc>) {
        if let Event::RetentionSet { retention } = event {
            self.settings.push((at, *retention));
        }
    }

    /// The setting in force, if one is on record.
    #[must_use]
    pub fn in_force(&self) -> Option<&Retention> {
        self.settings.last().map(|(_, retention)| retention)
    }

    /// The days for which an entry of this class and time is kept.
    #[must_use]
    pub fn days(&self, class: EventClass, made: DateTime<Utc>) -> u32 {
        // Before the first setting the default was in force.
        let first = [(DateTime::<Utc>::MIN_UTC, Retention::default())];
        let settings = || first.iter().chain(&self.settings);
        let until = settings().skip(1).map(|(from, _)| Some(*from));
        let in_force = settings()
            .zip(until.chain([None]))
            .filter(|(_, until)| until.is_none_or(|until| made <= until));
        let days = in_force.map(|((_, retention), _)| retention.days(class));
        days.max().unwrap_or(Retention::DEFAULT_DAYS)
    }

    /// Whether the time of an entry is over.
    #[must_use]
    pub fn is_over(&self, class: EventClass, made: DateTime<Utc>, today: NaiveDate) -> bool {
        let days = (today - made.date_naive()).num_days();
        days > self.days(class, made).into()
    }

    /// Whether the time of all entries of a class and day is over: what was in force when the day
    /// began holds for all of it.
    #[must_use]
    pub fn is_day_over(&self, class: EventClass, day: NaiveDate, today: NaiveDate) -> bool {
        let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc();
        self.is_over(class, midnight, today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: EventClass = EventClass::Operation;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn promises(settings: &[(&str, u32)]) -> Promises {
        let mut promises = Promises::default();
        for (at, days) in settings {
            let retention = serde_json::from_str(&format!(r#"{{"operation_days": {days}}}"#));
            let retention = retention.unwrap();
            let at = day(at).and_hms_opt(9, 0, 0).unwrap().and_utc();
            promises.apply(&Event::RetentionSet { retention }, at);
        }
        promises
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_setting_raises_what_is_on_record_and_never_lowers_it() {
        let kept = promises(&[
            ("2026-01-10", 200),
            ("2026-02-10", 400),
            ("2026-03-10", 184),
        ]);
        for (made, days) in [
            ("2026-01-01T00:00:00Z", 1830),
            ("2026-01-10T09:00:00Z", 1830),
            ("2026-01-10T09:00:01Z", 400),
            ("2026-02-11T00:00:00Z", 400),
            ("2026-03-10T08:59:59Z", 400),
            ("2026-03-10T09:00:01Z", 184),
        ] {
            assert_eq!(kept.days(CLASS, at(made)), days, "{made}");
        }
        let later = at("2026-04-01T00:00:00Z");
        assert_eq!(kept.days(EventClass::Export, later), 1830);
        assert_eq!(Promises::default().days(CLASS, later), 1830);
    }

    #[test]
    fn an_entry_is_over_when_all_its_days_are() {
        let kept = promises(&[("2026-01-01", 184)]);
        let over = |today| kept.is_over(CLASS, at("2026-01-01T09:00:01Z"), day(today));
        assert!(!over("2026-01-02") && !over("2026-07-04"));
        assert!(over("2026-07-05"));
        // Of that day something was made before the setting, under the longer promise.
        let day_over = |which, today| kept.is_day_over(CLASS, day(which), day(today));
        assert!(!day_over("2026-01-01", "2026-07-05"));
        assert!(day_over("2026-01-02", "2026-07-06"));
    }
}
