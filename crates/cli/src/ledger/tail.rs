//! `bonded ledger tail`: entries, oldest first, filtered, and further ones as they come.

use super::{filter::Filter, say, source::Source};
use crate::{Failure, args::Tail};
use chrono::SecondsFormat;
use ledger::{Breach, Head, Leaf, Onlooker};
use serde_json::{Value, json};
use std::{collections::VecDeque, time::Duration};
use terms::legible;

/// How long to wait before looking for further entries.
const PAUSE: Duration = Duration::from_millis(500);
/// What a line shows of an event beside its name and whose it is, in this order.
const SHOWN: [&str; 20] = [
    "query", "action", "scenario", "stage", "code", "rows", "notice", "entry", "request",
    "purpose", "basis", "dataset", "snapshot", "licence", "operator", "manifest", "calls",
    "minimum", "texts", "version",
];

/// The entries of a log that are asked for, of which all or the last few are kept.
#[derive(Debug)]
struct Kept {
    filter: Filter,
    leaves: VecDeque<(u64, Leaf)>,
}

pub(crate) fn tail(tail: &Tail, json: bool) -> Result<(), Failure> {
    let source = Source::open(&tail.place)?;
    let mut kept = Kept {
        filter: Filter::new(tail)?,
        leaves: VecDeque::new(),
    };
    let report = source.audit(&mut kept)?;
    let Kept { mut filter, leaves } = kept;
    let asked: Vec<_> = leaves
        .iter()
        .filter(|(_, leaf)| filter.asks_for(leaf))
        .collect();
    let skipped = tail
        .lines
        .map_or(0, |lines| asked.len().saturating_sub(lines));
    for (index, leaf) in asked.into_iter().skip(skipped) {
        if !say(&line(*index, leaf, json))? {
            return Ok(());
        }
    }
    let mut head = Head {
        size: report.entries,
        root: report.root,
    };
    if !tail.follow {
        return Ok(());
    }
    loop {
        std::thread::sleep(PAUSE);
        let (fresh, newest) = source.since(head)?;
        let fresh: Result<Vec<_>, Breach> = fresh.iter().map(|leaf| Leaf::decode(leaf)).collect();
        let fresh = fresh.map_err(|error| super::broken(&error))?;
        fresh.iter().for_each(|leaf| filter.learn(leaf));
        for (index, leaf) in (head.size..).zip(&fresh) {
            if filter.asks_for(leaf) && !say(&line(index, leaf, json))? {
                return Ok(());
            }
        }
        head = newest;
    }
}

impl Onlooker for Kept {
    fn progress(&mut self, _done: u64, _of: u64) {}

    fn entry(&mut self, index: u64, leaf: &[u8]) -> Result<(), Breach> {
        let leaf = Leaf::decode(leaf)?;
        self.filter.learn(&leaf);
        // What the times rule out need not be kept.
        if self.filter.is_in_time(&leaf) {
            self.leaves.push_back((index, leaf));
        }
        Ok(())
    }
}

/// One entry as a line.
fn line(index: u64, leaf: &Leaf, json: bool) -> String {
    let event = serde_json::to_value(&leaf.event).unwrap_or_default();
    let at = leaf.at.to_rfc3339_opts(SecondsFormat::Millis, true);
    if json {
        json!({"index": index, "at": at, "event": event, "sealed": leaf.sealed}).to_string()
    } else {
        let name = leaf.event.name();
        let who = ["/by", "/person/id", "/person"]
            .iter()
            .find_map(|path| event.pointer(path).and_then(Value::as_str));
        format!(
            "{index:>8}  {at}  {name:<20}  {:<14}  {}",
            who.unwrap_or("-"),
            shown(&event)
        )
    }
}

fn shown(event: &Value) -> String {
    let part = |name: &&str| {
        let value = event.get(name)?;
        let text = match value {
            Value::String(text) => legible(text).chars().take(40).collect(),
            Value::Number(number) => number.to_string(),
            Value::Object(object) => ["id", "name", "dataset"]
                .iter()
                .find_map(|key| object.get(*key)?.as_str())?
                .to_owned(),
            Value::Null | Value::Bool(_) | Value::Array(_) => return None,
        };
        Some(format!("{name}={text}"))
    };
    let parts: Vec<String> = SHOWN.iter().filter_map(part).collect();
    parts.join(" ")
}
