//! Retention and redaction: what is destroyed, always on record first.
//!
//! Each step is put on record, then its keys are forgotten, then its rows are removed. A crash in
//! between leaves a record that [`Ledger::carry_out`] takes up again: every step can be done twice.

use crate::proof;
use crate::pruning;
use crate::sealed::{class_and_day, day_prefix};
use crate::storage::Store;
use crate::tree::{TILE_WIDTH, TiledHashes};
use crate::{Appended, Breach, Ledger, Promises};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet};
use terms::{Event, EventClass, PersonId};

/// Entries that one pruning looks at, at most: removing them holds up whoever appends.
const PRUNED_MAX: u64 = 65_536;

/// A run of days of a class whose sealed texts are over.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expired {
    class: EventClass,
    from: NaiveDate,
    through: NaiveDate,
    texts: u64,
}

/// What a pruning did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Pruned {
    /// The first entry that is still published.
    pub minimum: u64,
    /// How many entries were removed.
    pub removed: u64,
    /// The index of the event that records it; none where there was nothing to prune.
    pub recorded: Option<u64>,
}

// === impl Ledger ===

impl Ledger {
    /// Destroys the sealed text of an entry, as a request on record was approved.
    ///
    /// # Errors
    /// [`Breach::Absent`] if there is no such entry; otherwise what kept it from being recorded or done.
    pub async fn redact(
        &self,
        request: u64,
        entry: u64,
        at: DateTime<Utc>,
    ) -> Result<Appended, Breach> {
        drop(self.reader().leaf(entry)?);
        let event = Event::TextRedacted { request, entry };
        let appended = self.append(&event, None, at).await?;
        self.destroy_part(entry)?;
        Ok(appended)
    }

    /// Destroys the sealed texts whose time is over, and says how many there were.
    ///
    /// # Errors
    /// What kept it from being recorded or done.
    pub async fn expire(&self, promises: &Promises, at: DateTime<Utc>) -> Result<u64, Breach> {
        let counted = self.reader().store().parts_by_prefix()?;
        let mut texts = 0;
        for expired in expired(&counted, promises, at.date_naive()) {
            let event = Event::TextsExpired {
                class: expired.class,
                from: expired.from,
                through: expired.through,
                texts: expired.texts,
            };
            self.append(&event, None, at).await?;
            self.destroy_days(expired.class, (expired.from, expired.through))?;
            texts += expired.texts;
        }
        Ok(texts)
    }

    /// Prunes the entries at the log's beginning whose time is over, up to a multiple of 256. What
    /// stands in the domain rests on some entries; those are kept, and published by themselves.
    ///
    /// # Errors
    /// What kept it from being recorded or done.
    pub async fn prune(
        &self,
        by: &PersonId,
        promises: &Promises,
        at: DateTime<Utc>,
    ) -> Result<Pruned, Breach> {
        let Found {
            minimum,
            kept,
            gone,
        } = self.prunable(promises, at.date_naive())?;
        let removed = gone.iter().map(|(first, end)| end - first).sum();
        let mut pruned = Pruned {
            minimum,
            removed,
            recorded: None,
        };
        if removed == 0 {
            return Ok(pruned);
        }
        let root = {
            let store = self.reader().store();
            proof::root(&TiledHashes::of(&**store), minimum)?
        };
        let event = Event::LogPruned {
            by: by.clone(),
            minimum,
            root,
            kept: pruning::kept(&kept, minimum),
            removed,
        };
        pruned.recorded = Some(self.append(&event, None, at).await?.index);
        self.writing(|store| store.remove_entries(&gone))?;
        Ok(pruned)
    }

    /// Takes up again what is on record as destroyed and still there, as after a crash.
    ///
    /// # Errors
    /// What does not fit or can't be done.
    pub fn carry_out(&self) -> Result<(), Breach> {
        let mut redacted = BTreeSet::new();
        let mut expired = Vec::new();
        let mut minimum = 0;
        for stored in self.events(0)? {
            let stored = stored?;
            if let Event::TextRedacted { entry, .. } = &stored.event {
                redacted.insert(*entry);
            } else if let Event::TextsExpired {
                class,
                from,
                through,
                ..
            } = &stored.event
            {
                expired.push((*class, (*from, *through)));
            } else if let Event::LogPruned { minimum: to, .. } = &stored.event {
                minimum = minimum.max(*to);
            }
        }
        for entry in redacted {
            self.destroy_part(entry)?;
        }
        let counted = self.reader().store().parts_by_prefix()?;
        let there = |class, days: (NaiveDate, NaiveDate)| {
            let mut prefixes = counted.keys().filter_map(|prefix| class_and_day(prefix));
            prefixes.any(|(of, day)| of == class && days.0 <= day && day <= days.1)
        };
        for (class, days) in expired {
            if there(class, days) {
                self.destroy_days(class, days)?;
            }
        }
        let gone = self.found_below(minimum)?.gone;
        if gone.is_empty() {
            Ok(())
        } else {
            self.writing(|store| store.remove_entries(&gone))
        }
    }

    fn destroy_part(&self, entry: u64) -> Result<(), Breach> {
        let row = self.reader().store().rows(entry, 1)?.pop();
        let part = row.filter(|row| row.index == entry);
        let Some(part) = part.and_then(|row| row.sealed) else {
            return Ok(());
        };
        self.sealing().forget_part(&part)?;
        self.writing(|store| store.remove_part(entry))
    }

    fn destroy_days(
        &self,
        class: EventClass,
        (from, through): (NaiveDate, NaiveDate),
    ) -> Result<(), Breach> {
        let days = || from.iter_days().take_while(move |day| *day <= through);
        self.sealing().forget_days(class, days())?;
        self.writing(|store| days().try_for_each(|day| store.remove_parts(&day_prefix(class, day))))
    }

    /// Removes rows on a connection of its own, then sees that nothing of them stays beside the file.
    fn writing(
        &self,
        work: impl FnOnce(&mut dyn Store) -> Result<(), Breach>,
    ) -> Result<(), Breach> {
        let mut store = self.place().upkeep_store()?;
        work(&mut *store)?;
        store.settle();
        Ok(())
    }
}

/// What a pruning finds below its minimum index, as runs.
#[derive(Debug)]
struct Found {
    minimum: u64,
    /// What what stands rests on.
    kept: Vec<(u64, u64)>,
    /// What is removed.
    gone: Vec<(u64, u64)>,
}

impl Ledger {
    /// How far the log may be pruned today.
    fn prunable(&self, promises: &Promises, today: NaiveDate) -> Result<Found, Breach> {
        let mut reached = 0;
        let mut begun = None;
        for stored in self.events(0)? {
            let stored = stored?;
            let class = stored.event.class();
            let over = promises.is_over(class, stored.at, today);
            if class != EventClass::Procedure {
                // Pruned ones before were looked at before.
                let begun = begun.get_or_insert(stored.index);
                if !over || stored.index - *begun >= PRUNED_MAX {
                    break;
                }
            }
            reached = stored.index + 1;
        }
        self.found_below(reached - reached % TILE_WIDTH)
    }

    fn found_below(&self, minimum: u64) -> Result<Found, Breach> {
        let (mut kept, mut gone) = (Vec::new(), Vec::new());
        for stored in self.events(0)? {
            let stored = stored?;
            if stored.index >= minimum {
                break;
            }
            let runs: &mut Vec<(u64, u64)> = if pruning::is_kept(&stored.event) {
                &mut kept
            } else {
                &mut gone
            };
            match runs.last_mut() {
                Some((_, end)) if *end == stored.index => *end += 1,
                Some(_) | None => runs.push((stored.index, stored.index + 1)),
            }
        }
        Ok(Found {
            minimum,
            kept,
            gone,
        })
    }
}

/// The days whose texts are over, as runs by class.
fn expired(
    counted: &BTreeMap<Vec<u8>, u64>,
    promises: &Promises,
    today: NaiveDate,
) -> Vec<Expired> {
    let mut runs: Vec<Expired> = Vec::new();
    for (prefix, texts) in counted {
        let Some((class, day)) = class_and_day(prefix) else {
            continue;
        };
        if !promises.is_day_over(class, day, today) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.class == class && run.through.succ_opt() == Some(day) => {
                run.through = day;
                run.texts += texts;
            }
            Some(_) | None => runs.push(Expired {
                class,
                from: day,
                through: day,
                texts: *texts,
            }),
        }
    }
    runs
}
