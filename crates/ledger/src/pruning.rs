//! What a pruned log no longer has, and whether the log says so. Source: C2SP tlog-tiles, "Pruning".
//!
//! A pruned entry leaves its hash in the tree, so every root and proof stays as it was. That an entry
//! may be missing is not taken on trust: an event of the log names the minimum index and the entries
//! kept below it, and what is there is held against that.

use crate::merkle::Node;
use crate::proof::Hashes as _;
use crate::tree::{TiledHashes, Tiles};
use crate::{Breach, Leaf};
use std::collections::BTreeMap;
use terms::{Digest, Event, EventClass};

/// How an event of pruning shows in a leaf's bytes. A quotation mark within a text is escaped there,
/// so nothing but the event's own tag reads like this.
const TAG: &[u8] = b"\"event\":\"log-pruned\"";
/// How any event's name begins there; nothing within an event is called the same.
const NAME: &[u8] = b"\"event\":\"";

/// Entries there and missing, and the prunings that the log has on record.
#[derive(Debug, Default)]
pub(crate) struct Pruning {
    /// Entries that are there, as runs: first, and one past the last.
    runs: Vec<(u64, u64)>,
    missing: u64,
    missing_last: u64,
    /// The newest pruning and the one before: what a crash leaves while a pruning is carried out.
    newest: Option<Pruned>,
    before: Option<Pruned>,
    /// The first entry that was looked for; what is kept can only be told from the very first on.
    from: u64,
    /// Of a published log the names of events seen, and whether entries of such events are kept. Only
    /// kept entries stand in the runs there: a cache may go on serving a bundle that was pruned.
    published: Option<BTreeMap<Vec<u8>, bool>>,
}

#[derive(Debug, Clone, Copy)]
struct Pruned {
    minimum: u64,
    kept: Digest,
}

impl Pruning {
    /// Of a reading that begins at an entry.
    pub(crate) fn from(from: u64) -> Self {
        Self {
            from,
            ..Self::default()
        }
    }

    /// Of a published log.
    pub(crate) fn published() -> Self {
        Self {
            published: Some(BTreeMap::new()),
            ..Self::default()
        }
    }

    /// The hash of an entry that is not there.
    pub(crate) fn hash(tiles: &dyn Tiles, index: u64) -> Result<Digest, Breach> {
        TiledHashes::of(tiles).hash(Node { level: 0, index })
    }

    /// Takes note of an entry that is there; entries come in order.
    pub(crate) fn there(&mut self, index: u64, leaf: &[u8]) -> Result<(), String> {
        let wrong = |breach: Breach| format!("entry {index}: {breach}");
        let counts = match &mut self.published {
            None => true,
            Some(names) => is_kept_of(names, leaf).map_err(wrong)?,
        };
        if counts {
            match self.runs.last_mut() {
                Some((_, end)) if *end == index => *end += 1,
                Some(_) | None => self.runs.push((index, index + 1)),
            }
        }
        if memchr::memmem::find(leaf, TAG).is_some()
            && let Event::LogPruned { minimum, kept, .. } = Leaf::decode(leaf).map_err(wrong)?.event
        {
            self.before = self.newest.replace(Pruned { minimum, kept });
        }
        Ok(())
    }

    /// Takes note of an entry of which the hash alone is there.
    pub(crate) const fn missing(&mut self, index: u64) {
        self.missing += 1;
        self.missing_last = index;
    }

    /// How many entries are missing, if the log has it on record that they were pruned.
    pub(crate) fn concluded(&self) -> Result<u64, String> {
        if self.missing == 0 {
            return Ok(0);
        }
        let explains = |pruned: &Pruned| {
            let kept = || kept(&self.runs, pruned.minimum) == pruned.kept;
            self.missing_last < pruned.minimum && (self.from > 0 || kept())
        };
        let mut records = self.newest.iter().chain(&self.before);
        if records.any(explains) {
            Ok(self.missing)
        } else {
            let (missing, last) = (self.missing, self.missing_last);
            let also = match &self.published {
                None => "",
                Some(_) => "; a copy of a pruned log needs its folder `kept` too",
            };
            Err(format!(
                "entry {last} is missing ({missing} in all), and no pruning on record explains \
                 it{also}"
            ))
        }
    }
}

/// Whether an entry outlives a pruning: what stands in the domain is folded from such entries.
pub(crate) const fn is_kept(event: &Event) -> bool {
    match event.class() {
        EventClass::Procedure => true,
        EventClass::Operation | EventClass::Export | EventClass::Reading | EventClass::Running => {
            false
        }
    }
}

/// The same of a leaf's bytes, which are read in full once for each name of an event.
fn is_kept_of(names: &mut BTreeMap<Vec<u8>, bool>, leaf: &[u8]) -> Result<bool, Breach> {
    let (_, rest) = split_at(leaf, NAME).unwrap_or_default();
    let (name, _) = split_at(rest, b"\"").unwrap_or_default();
    if let Some(kept) = names.get(name) {
        return Ok(*kept);
    }
    let kept = is_kept(&Leaf::decode(leaf)?.event);
    names.insert(name.to_owned(), kept);
    Ok(kept)
}

fn split_at<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = memchr::memmem::find(bytes, mark)?;
    let (before, rest) = bytes.split_at_checked(place)?;
    Some((before, rest.strip_prefix(mark)?))
}

/// The digest of which entries below a minimum index are there, given as runs.
pub(crate) fn kept(runs: &[(u64, u64)], minimum: u64) -> Digest {
    let mut text = String::from("bonded kept entries v1\n");
    for (first, end) in runs.iter().filter(|(first, _)| *first < minimum) {
        text.push_str(&format!("{first} {}\n", end.min(&minimum)));
    }
    Digest::of(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(there: &[u64], records: &[(u64, Digest)], size: u64) -> Result<u64, String> {
        let mut pruning = Pruning::default();
        for index in 0..size {
            if there.contains(&index) {
                pruning.there(index, b"{}").unwrap();
            } else {
                pruning.missing(index);
            }
        }
        for (minimum, kept) in records {
            let (minimum, kept) = (*minimum, *kept);
            pruning.before = pruning.newest.replace(Pruned { minimum, kept });
        }
        pruning.concluded()
    }

    #[test]
    fn what_is_missing_is_what_was_pruned_or_the_log_is_damaged() {
        let record = |minimum, runs: &[(u64, u64)]| (minimum, kept(runs, minimum));
        let one = record(4, &[(0, 2), (4, 8)]);
        let two = record(6, &[(0, 1), (6, 8)]);
        let check = looked;
        assert_eq!(check(&[0, 1, 2, 3, 4, 5, 6, 7], &[], 8), Ok(0));
        assert_eq!(check(&[0, 1, 4, 5, 6, 7], &[one], 8), Ok(2));
        // A crash after the second was put on record and before it was carried out.
        assert_eq!(check(&[0, 1, 4, 5, 6, 7], &[one, two], 8), Ok(2));
        assert_eq!(check(&[0, 6, 7], &[one, two], 8), Ok(5));
        assert!(check(&[0, 1, 4, 5, 6, 7], &[], 8).is_err());
        assert!(check(&[0, 4, 5, 6, 7], &[one], 8).is_err(), "one more");
        assert!(check(&[0, 1, 2, 4, 5, 6, 7], &[one], 8).is_err());
        assert!(check(&[0, 1, 4, 5, 7], &[one], 8).is_err(), "past minimum");
        assert!(check(&[1, 6, 7], &[one, two], 8).is_err(), "another kept");
    }

    fn leaf(event: Event) -> Vec<u8> {
        let leaf = Leaf {
            at: "2026-11-21T12:00:00Z".parse().unwrap(),
            event,
            sealed: None,
        };
        leaf.encode().unwrap()
    }

    #[test]
    fn of_a_published_log_what_is_kept_is_there_and_a_stale_bundle_does_no_harm() {
        let gone = leaf(Event::StrangersCounted { calls: 1 });
        let stays = leaf(Event::TextRedacted {
            request: 1,
            entry: 1,
        });
        let looked = |there: &[u64], minimum: Option<u64>| {
            let mut pruning = Pruning::published();
            for index in 0..8 {
                if there.contains(&index) {
                    let leaf = if index < 2 { &stays } else { &gone };
                    pruning.there(index, leaf).unwrap();
                } else {
                    pruning.missing(index);
                }
            }
            let kept = kept(&[(0, 2)], 4);
            pruning.newest = minimum.map(|minimum| Pruned { minimum, kept });
            pruning.concluded()
        };
        assert_eq!(looked(&[0, 1, 4, 5, 6, 7], Some(4)), Ok(2));
        assert_eq!(looked(&[0, 1, 2, 4, 5, 6, 7], Some(4)), Ok(1), "a cache");
        assert!(looked(&[0, 1, 4, 5, 6, 7], None).is_err(), "not on record");
        assert!(
            looked(&[0, 1, 4, 5, 7], Some(4)).is_err(),
            "past the minimum"
        );
        assert!(
            looked(&[0, 4, 5, 6, 7], Some(4)).is_err(),
            "one more is gone"
        );
        assert!(looked(&[4, 5, 6, 7], Some(4)).is_err(), "none is kept");
    }
}
