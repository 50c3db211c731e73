use chrono::{DateTime, Duration, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use terms::{Event, PersonId, QueryId};

use crate::period::day_of;

/// From when something is told. Source: OD-1, early warning.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Refusals of one person within the window that are a burst.
    pub refusals_burst: usize,
    /// The window of bursts, in minutes.
    pub burst_minutes: i64,
    /// Distinct refusal codes of one person on one day that are probing.
    pub codes_probing: usize,
    /// Conflicts with earlier releases of one person on one day that are subtraction.
    pub conflicts_daily: u64,
    /// Rows of one person on one day, as a multiple of the most on any earlier day, that are unusual.
    pub rows_times: u64,
    /// Fewer rows than this on a day are never unusual.
    pub rows_min: u64,
    /// Days somebody must have worked before a day can be unusual.
    pub days_min: u64,
    /// Calls without a certificate in one minute that are a knock.
    pub strangers_calls: u64,
}

/// Something that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Anomaly {
    /// The stable code of the rule.
    pub code: &'static str,
    /// At which entry it was seen.
    pub entry: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// Whose; none of strangers.
    pub person: Option<PersonId>,
    /// How much, in the unit of the rule: refusals, codes, conflicts, rows, calls.
    pub count: u64,
}

/// What is told at most; more is counted.
const TOLD_MAX: usize = 1000;
/// What is remembered of somebody: a window, a day, and the days before in two numbers.
#[derive(Debug, Default)]
struct Watched {
    refusals: VecDeque<DateTime<Utc>>,
    day: Option<NaiveDate>,
    codes: BTreeSet<String>,
    conflicts: u64,
    rows: u64,
    rows_most: u64,
    days: u64,
    told: BTreeSet<&'static str>,
}

/// A watch under way: entries in order, from any index.
#[derive(Debug)]
pub struct Anomalies {
    limits: Limits,
    under_way: HashMap<QueryId, PersonId>,
    watched: BTreeMap<PersonId, Watched>,
    found: Vec<Anomaly>,
    more: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            refusals_burst: 20,
            burst_minutes: 10,
            codes_probing: 6,
            conflicts_daily: 5,
            rows_times: 10,
            rows_min: 10_000,
            days_min: 5,
            strangers_calls: 100,
        }
    }
}

impl Anomalies {
    /// Begins to watch.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            under_way: HashMap::new(),
            watched: BTreeMap::new(),
            found: Vec::new(),
            more: 0,
        }
    }

    /// Takes the next entry.
    pub fn entry(&mut self, index: u64, at: DateTime<Utc>, event: &Event) {
        if let Event::StrangersCounted { calls } = event
            && *calls >= self.limits.strangers_calls
        {
            self.find("anomaly.strangers", (index, at), None, *calls);
        }
        if let Event::OperationOpened { query, person, .. } = event {
            self.under_way.insert(query.clone(), person.clone());
        }
        let Some(query) = event.query() else { return };
        let Some(person) = self.under_way.get(query).cloned() else {
            return;
        };
        if let Event::OperationReleased { rows, .. } = event {
            self.under_way.remove(query);
            self.released((index, at), person, *rows);
        } else if let Event::OperationRefused { code, .. } | Event::OperationFailed { code, .. } =
            event
        {
            self.under_way.remove(query);
            if matches!(event, Event::OperationRefused { .. }) {
                self.refused((index, at), person, code);
            }
        } else if let Event::OperationAbandoned { .. } = event {
            self.under_way.remove(query);
        } else if let Event::ReleaseConflicted { .. } = event {
            let limit = self.limits.conflicts_daily;
            let watched = self.watched(&person, at);
            watched.conflicts += 1;
            let count = watched.conflicts;
            if count >= limit {
                self.once("anomaly.subtraction", (index, at), person, count);
            }
        }
    }

    fn refused(&mut self, seen: (u64, DateTime<Utc>), person: PersonId, code: &str) {
        let Limits {
            refusals_burst,
            burst_minutes,
            codes_probing,
            ..
        } = self.limits;
        let (_, at) = seen;
        let watched = self.watched(&person, at);
        let since = at - Duration::minutes(burst_minutes);
        watched.refusals.push_back(at);
        while watched.refusals.front().is_some_and(|first| *first < since)
            || watched.refusals.len() > refusals_burst
        {
            watched.refusals.pop_front();
        }
        watched.codes.insert(code.to_owned());
        let (burst, codes) = (watched.refusals.len(), watched.codes.len());
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        if burst >= refusals_burst {
            let count = number(burst);
            self.once("anomaly.refusal-burst", seen, person.clone(), count);
        }
        if codes >= codes_probing {
            self.once("anomaly.probing", seen, person, number(codes));
        }
    }

    fn released(&mut self, seen: (u64, DateTime<Utc>), person: PersonId, rows: u64) {
        let Limits {
            rows_times,
            rows_min,
            days_min,
            ..
        } = self.limits;
        let watched = self.watched(&person, seen.1);
        watched.rows = watched.rows.saturating_add(rows);
        let usual = watched.rows_most.saturating_mul(rows_times).max(rows_min);
        let (rows, days) = (watched.rows, watched.days);
        if days >= days_min && rows > usual {
            self.once("anomaly.volume", seen, person, rows);
        }
    }

    /// What is remembered of somebody, on a new day begun anew.
    fn watched(&mut self, person: &PersonId, at: DateTime<Utc>) -> &mut Watched {
        let watched = self.watched.entry(person.clone()).or_default();
        let day = Some(day_of(at));
        if watched.day != day {
            *watched = Watched {
                refusals: std::mem::take(&mut watched.refusals),
                rows_most: watched.rows_most.max(watched.rows),
                days: watched.days + u64::from(watched.day.is_some()),
                day,
                ..Watched::default()
            };
        }
        watched
    }

    /// Told once a day for each person and rule.
    fn once(
        &mut self,
        code: &'static str,
        seen: (u64, DateTime<Utc>),
        person: PersonId,
        count: u64,
    ) {
        if self.watched(&person, seen.1).told.insert(code) {
            self.find(code, seen, Some(person), count);
        }
    }

    fn find(
        &mut self,
        code: &'static str,
        (entry, at): (u64, DateTime<Utc>),
        person: Option<PersonId>,
        count: u64,
    ) {
        if self.found.len() < TOLD_MAX {
            self.found.push(Anomaly {
                code,
                entry,
                at,
                person,
                count,
            });
        } else {
            self.more += 1;
        }
    }

    /// What was found so far, in order, and how many beyond what is told.
    #[must_use]
    pub fn found(&self) -> (&[Anomaly], u64) {
        (&self.found, self.more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Takes events at minutes from the first, and gives the codes and counts that were told.
    fn check(events: impl IntoIterator<Item = (i64, Value)>) -> Vec<(&'static str, u64)> {
        let mut anomalies = Anomalies::new(Limits::default());
        let start: DateTime<Utc> = "2026-06-01T02:00:00Z".parse().unwrap();
        for (index, (minutes, event)) in (0..).zip(events) {
            let event: Event = serde_json::from_value(event).unwrap();
            anomalies.entry(index, start + Duration::minutes(minutes), &event);
        }
        anomalies
            .found()
            .0
            .iter()
            .map(|found| (found.code, found.count))
            .collect()
    }

    fn digest() -> String {
        "0".repeat(64)
    }

    fn operation(number: u32, minutes: i64, mut end: Value) -> [(i64, Value); 2] {
        let query = format!("{number:032x}");
        let opened = json!({"event": "operation-opened", "query": query, "action": "query",
            "person": "ann", "scenario": null, "channel": "domain", "statement": digest()});
        end["query"] = json!(query);
        [(minutes, opened), (minutes, end)]
    }

    fn refused(code: &str) -> Value {
        json!({"event": "operation-refused", "code": code})
    }

    fn released(rows: u64) -> Value {
        json!({"event": "operation-released", "rows": rows, "bytes": 1, "result": digest(),
            "notice": "standing", "register": "none"})
    }

    #[test]
    fn twenty_refusals_in_ten_minutes_are_a_burst_told_once_a_day() {
        let each = |step: i64| {
            let refusal = move |n: u32| operation(n, i64::from(n) * step, refused("confine.x"));
            check((0..60).flat_map(refusal))
        };
        assert_eq!(each(1), [], "one a minute is none");
        assert_eq!(each(0), [("anomaly.refusal-burst", 20)]);
    }

    #[test]
    fn six_different_refusals_on_a_day_are_probing() {
        let refusal = |n: u32| operation(n, i64::from(n) * 30, refused(&format!("code.{n}")));
        assert_eq!(check((0..5).flat_map(refusal)), []);
        assert_eq!(check((0..6).flat_map(refusal)), [("anomaly.probing", 6)]);
    }

    #[test]
    fn ten_times_the_most_of_five_days_is_unusual() {
        let day = 24 * 60;
        let usual = |n: u32| operation(n, i64::from(n) * day, released(2_000));
        let last = |rows| {
            (0..5)
                .flat_map(usual)
                .chain(operation(9, 5 * day, released(rows)))
        };
        assert_eq!(check(last(20_000)), []);
        assert_eq!(check(last(20_001)), [("anomaly.volume", 20_001)]);
        assert_eq!(
            check(
                (0..4)
                    .flat_map(usual)
                    .chain(operation(9, 4 * day, released(99_999)))
            ),
            []
        );
    }

    #[test]
    fn conflicts_and_strangers_are_told() {
        let conflict = |n: u32| {
            let query = format!("{n:032x}");
            let [opened, ended] = operation(n, 0, refused("disclosure.conflict"));
            let conflicted = json!({"event": "release-conflicted", "query": query,
                "dataset": "city.people", "snapshot": 1, "measure": null});
            [opened, (0, conflicted), ended]
        };
        assert_eq!(check((0..4).flat_map(conflict)), []);
        assert_eq!(
            check((0..6).flat_map(conflict)),
            [("anomaly.subtraction", 5)]
        );
        let strangers = |calls| json!({"event": "strangers-counted", "calls": calls});
        let found = check([(0, strangers(99)), (1, strangers(100))]);
        assert_eq!(found, [("anomaly.strangers", 100)]);
    }
}
