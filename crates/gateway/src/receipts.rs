//! What became of each operation, by who asked: folded from the log as it grows, for the caller alone.

use confine::ReceiptRow;
use ledger::{Breach, Ledger, Stored};
use std::collections::{BTreeMap, HashMap, VecDeque};
use terms::{Event, PersonId, QueryId};

/// The newest receipts kept of each person.
pub(crate) const RECEIPTS_MAX: usize = 1_000;

/// The receipts of everybody; each is shown their own.
#[derive(Debug, Default)]
pub(crate) struct Receipts {
    /// The first entry not yet folded.
    next: u64,
    /// Whose the operations are that can still go on.
    running: HashMap<QueryId, PersonId>,
    of: BTreeMap<PersonId, VecDeque<ReceiptRow>>,
}

impl Receipts {
    /// Folds one entry in.
    pub(crate) fn apply(&mut self, stored: &Stored) {
        self.next = stored.index.saturating_add(1);
        let Some(query) = stored.event.query() else {
            return;
        };
        if let Some((person, row)) = opened(stored) {
            let rows = self.of.entry(person.clone()).or_default();
            rows.push_back(row);
            self.running.insert(query.clone(), person);
            if rows.len() > RECEIPTS_MAX
                && let Some(Ok(oldest)) = rows.pop_front().map(|row| row.query.parse())
            {
                self.running.remove(&oldest);
            }
            return;
        }
        let Some(person) = self.running.get(query) else {
            return;
        };
        let rows = self.of.get_mut(person).into_iter().flatten().rev();
        let found = rows.into_iter().find(|row| row.query == query.as_str());
        let over = match found {
            Some(row) => {
                became(row, stored);
                let leaves = row.action == "export";
                row.ended.is_some()
                    && !(leaves && ["released", "exported"].contains(&row.outcome.as_str()))
            }
            None => true,
        };
        if over {
            self.running.remove(query);
        }
    }

    /// A person's own, oldest first, after what the log has gained meanwhile.
    ///
    /// # Errors
    /// The ledger's.
    pub(crate) fn own(
        &mut self,
        ledger: &Ledger,
        person: &PersonId,
    ) -> Result<Vec<ReceiptRow>, Breach> {
        for stored in ledger.events(self.next)? {
            self.apply(&stored?);
        }
        let checkpoint = number(self.next);
        let own = self.of.get(person).into_iter().flatten();
        let covered = own.map(|row| ReceiptRow {
            checkpoint,
            ..row.clone()
        });
        Ok(covered.collect())
    }
}

/// An operation that begins, and who asks.
pub(crate) fn opened(stored: &Stored) -> Option<(PersonId, ReceiptRow)> {
    let Event::OperationOpened {
        query,
        action,
        person,
        scenario,
        ..
    } = &stored.event
    else {
        return None;
    };
    let row = ReceiptRow {
        query: query.to_string(),
        opened: stored.at.timestamp_micros(),
        action: word(action),
        scenario: scenario.as_ref().map(ToString::to_string),
        outcome: "open".to_owned(),
        index: number(stored.index),
        ..ReceiptRow::default()
    };
    Some((person.clone(), row))
}

/// What became of it.
pub(crate) fn became(row: &mut ReceiptRow, stored: &Stored) {
    let mut code_of = None;
    let outcome = match &stored.event {
        Event::OperationReleased {
            rows,
            bytes,
            notice,
            register,
            ..
        } => {
            row.rows = Some(number(*rows));
            row.bytes = Some(number(*bytes));
            row.notice = Some(word(notice));
            row.register = Some(register.clone());
            "released"
        }
        Event::OperationRefused { code, .. } => {
            code_of = Some(code);
            "refused"
        }
        Event::OperationFailed { code, .. } => {
            code_of = Some(code);
            "failed"
        }
        Event::ExportWithheld { code, .. } => {
            code_of = Some(code);
            "withheld"
        }
        Event::OperationAbandoned { rows, .. } => {
            row.rows = rows.map(number);
            "abandoned"
        }
        Event::Exported { .. } => "exported",
        // Decided, or on its way.
        _ => {
            row.index = number(stored.index);
            return;
        }
    };
    row.outcome = outcome.to_owned();
    row.code = code_of.cloned().or_else(|| row.code.take());
    row.ended = Some(stored.at.timestamp_micros());
    row.index = number(stored.index);
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A word of a closed list, as events spell it.
fn word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).ok();
    let word = word.as_ref().and_then(serde_json::Value::as_str);
    word.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use serde_json::{Value, json};

    fn stored(index: u64, event: Value) -> Stored {
        Stored {
            index,
            at: DateTime::from_timestamp(i64::try_from(index).unwrap(), 0).unwrap(),
            event: serde_json::from_value(event).unwrap(),
            sealed: None,
        }
    }

    fn query(number: u64) -> String {
        format!("{number:032x}")
    }

    fn begins(number: u64, person: &str, action: &str) -> Value {
        json!({"event": "operation-opened", "query": query(number), "action": action,
            "person": person, "scenario": "s", "channel": "domain", "statement": "ab".repeat(32)})
    }

    fn released(number: u64) -> Value {
        json!({"event": "operation-released", "query": query(number), "rows": 3, "bytes": 24,
            "result": "ab".repeat(32), "notice": "standing", "register": "audited"})
    }

    fn of<'r>(receipts: &'r Receipts, person: &str) -> Vec<&'r ReceiptRow> {
        receipts
            .of
            .get(&person.parse().unwrap())
            .into_iter()
            .flatten()
            .collect()
    }

    #[test]
    fn each_operation_is_told_to_who_asked_for_it_as_it_ended() {
        let mut receipts = Receipts::default();
        let events = [
            begins(1, "ann", "query"),
            begins(2, "bob", "query"),
            released(1),
            json!({"event": "operation-refused", "query": query(2), "code": "confine.rows-off"}),
            begins(3, "ann", "export"),
            released(3),
            json!({"event": "exported", "query": query(3), "manifest": "ab".repeat(32)}),
            begins(4, "ann", "query"),
        ];
        for (index, event) in (10u64..).zip(events) {
            receipts.apply(&stored(index, event));
        }
        assert_eq!(receipts.next, 18);
        let told: Vec<_> = of(&receipts, "ann")
            .into_iter()
            .map(|row| {
                (
                    row.outcome.as_str(),
                    row.rows,
                    row.notice.as_deref(),
                    row.index,
                )
            })
            .collect();
        let expect = [
            ("released", Some(3), Some("standing"), 12),
            ("exported", Some(3), Some("standing"), 16),
            ("open", None, None, 17),
        ];
        assert_eq!(told, expect);
        let [refused] = of(&receipts, "bob")[..] else {
            panic!("one")
        };
        assert_eq!((refused.outcome.as_str(), refused.rows), ("refused", None));
        assert_eq!(refused.code.as_deref(), Some("confine.rows-off"));
        assert_eq!(refused.ended, Some(13_000_000));
        // What is still open, and an export that was handed over and may yet be withheld by nobody.
        assert_eq!(receipts.running.len(), 2);
        assert!(of(&receipts, "eve").is_empty());
    }

    #[test]
    fn only_the_newest_are_kept_and_nothing_of_what_is_over() {
        let mut receipts = Receipts::default();
        let many = u64::try_from(RECEIPTS_MAX).unwrap() + 5;
        for at in 0..many {
            receipts.apply(&stored(2 * at, begins(at, "ann", "query")));
            receipts.apply(&stored(2 * at + 1, released(at)));
        }
        let kept = of(&receipts, "ann");
        assert_eq!(
            (kept.len(), kept[0].query.clone()),
            (RECEIPTS_MAX, query(5))
        );
        assert!(receipts.running.is_empty());
    }
}
