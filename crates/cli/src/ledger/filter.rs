//! Which entries are asked for: by person, dataset, product and time.

use crate::{Failure, args::Tail};
use chrono::{DateTime, Days, NaiveDate, Utc};
use ledger::Leaf;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use terms::{Event, QueryId};

/// What is asked for, and what was learned of operations, whose entries name them by id alone.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    person: Option<String>,
    dataset: Option<String>,
    product: Option<String>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    operations: BTreeMap<QueryId, Known>,
    /// The operation that made the product.
    made: Option<QueryId>,
}

/// Whom and what an operation concerns.
#[derive(Debug, Default)]
struct Known {
    people: BTreeSet<String>,
    datasets: BTreeSet<String>,
}

impl Filter {
    /// Reads what the command line asks for.
    pub(crate) fn new(tail: &Tail) -> Result<Self, Failure> {
        Ok(Self {
            person: tail.person.clone(),
            dataset: tail.dataset.clone(),
            product: tail.product.clone(),
            since: tail
                .since
                .as_deref()
                .map(|text| time(text, 0))
                .transpose()?,
            until: tail
                .until
                .as_deref()
                .map(|text| time(text, 1))
                .transpose()?,
            ..Self::default()
        })
    }

    /// Learns of an entry; all must be learned of before one is asked about.
    pub(crate) fn learn(&mut self, leaf: &Leaf) {
        let Some(query) = leaf.event.query() else {
            return;
        };
        if let (Event::Exported { manifest, .. }, Some(product)) = (&leaf.event, &self.product)
            && manifest.to_string() == *product
        {
            self.made = Some(query.clone());
        }
        if self.person.is_some() || self.dataset.is_some() {
            let found = concerned(&leaf.event);
            let known = self.operations.entry(query.clone()).or_default();
            known.people.extend(found.people);
            known.datasets.extend(found.datasets);
        }
    }

    /// Whether an entry is of the time that is asked for.
    pub(crate) fn is_in_time(&self, leaf: &Leaf) -> bool {
        self.since.is_none_or(|since| since <= leaf.at)
            && self.until.is_none_or(|until| leaf.at < until)
    }

    /// Whether an entry is asked for.
    pub(crate) fn asks_for(&self, leaf: &Leaf) -> bool {
        if !self.is_in_time(leaf) {
            return false;
        }
        let query = leaf.event.query();
        if let Some(product) = &self.product {
            let named = query.is_some_and(|query| query.to_string() == *product);
            if !named && (query.is_none() || query != self.made.as_ref()) {
                return false;
            }
        }
        if self.person.is_none() && self.dataset.is_none() {
            return true;
        }
        let own;
        let known = match query.and_then(|query| self.operations.get(query)) {
            Some(known) => known,
            None => {
                own = concerned(&leaf.event);
                &own
            }
        };
        let person = self.person.as_ref();
        let dataset = self.dataset.as_ref();
        person.is_none_or(|person| known.people.contains(person))
            && dataset.is_none_or(|dataset| known.datasets.contains(dataset))
    }
}

/// Whom and what an event names. It is read off its JSON, so that an event of a later day is found too.
fn concerned(event: &Event) -> Known {
    let mut known = Known::default();
    let value = serde_json::to_value(event).unwrap_or_default();
    let text = |value: &Value, path: &str| {
        let found = value.pointer(path).and_then(Value::as_str);
        found.map(ToOwned::to_owned)
    };
    for path in ["/by", "/person", "/person/id"] {
        known.people.extend(text(&value, path));
    }
    for path in ["/dataset", "/dataset/name", "/snapshot/dataset"] {
        known.datasets.extend(text(&value, path));
    }
    let each = |path: &str| {
        let found = value.pointer(path).and_then(Value::as_array);
        found.cloned().unwrap_or_default()
    };
    for member in each("/scenario/members") {
        known.people.extend(text(&member, ""));
    }
    for dataset in each("/scenario/datasets") {
        known.datasets.extend(text(&dataset, "/name"));
    }
    for reference in each("/references") {
        known.datasets.extend(text(&reference, "/dataset"));
    }
    known
}

/// A time, or a day's beginning; with one day more, its end.
fn time(text: &str, days: u64) -> Result<DateTime<Utc>, Failure> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let day: Option<NaiveDate> = text.parse().ok();
    let day = day.and_then(|day| day.checked_add_days(Days::new(days)));
    let midnight = day.and_then(|day| day.and_hms_opt(0, 0, 0));
    midnight.map(|time| time.and_utc()).ok_or_else(|| {
        Failure::Usage(format!(
            "`{text}` is no time; write 2026-11-21 or 2026-11-21T12:00:00Z"
        ))
    })
}

#[cfg(test)]
mod tests;
