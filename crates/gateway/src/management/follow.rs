//! The log as it grows, for whoever governs the domain from outside. Source: AO-24.
//!
//! A follower asks for each stretch itself, so that a slow one holds up nobody but itself.

use super::{Desk, status};
use crate::{Asking, Refused, leash::cut_off};
use futures::stream::BoxStream;
use ledger::{Breach, Ledger};
use std::collections::VecDeque;
use tokio::sync::watch;
use tonic::Status;
use wire::management::Entry;

/// A stream of entries.
pub(super) type Entries = BoxStream<'static, Result<Entry, Status>>;

/// Who follows: the management platform's people and those who watch over it.
const FOLLOW: &str = "followPlatform";
/// Entries read at once.
const STRETCH_MAX: u64 = 256;

/// One who follows.
struct Follower {
    desk: Desk,
    asking: Asking,
    versions: watch::Receiver<u64>,
    next: u64,
    read: VecDeque<Entry>,
}

impl Desk {
    /// The entries from an index on, without an end.
    ///
    /// # Errors
    /// [`Refused`], if the caller may not.
    pub(super) fn follow_from(&self, asking: Asking, from: u64) -> Result<Entries, Refused> {
        let versions = self.gateway.domain.live.versions();
        self.may(&asking, FOLLOW)?;
        let follower = Follower {
            desk: self.clone(),
            asking,
            versions,
            next: from,
            read: VecDeque::new(),
        };
        Ok(Box::pin(futures::stream::unfold(
            Some(follower),
            |follower| async {
                let mut follower = follower?;
                match follower.next().await {
                    Ok(entry) => Some((Ok(entry), Some(follower))),
                    Err(refused) => Some((Err(status(&refused)), None)),
                }
            },
        )))
    }
}

impl Follower {
    async fn next(&mut self) -> Result<Entry, Refused> {
        loop {
            // Whoever is suspended is told nothing more, not even what was read for them already.
            if self.versions.has_changed().unwrap_or(true) {
                self.versions.mark_unchanged();
                self.desk.may(&self.asking, FOLLOW).map_err(|_| cut_off())?;
            }
            if let Some(entry) = self.read.pop_front() {
                return Ok(entry);
            }
            let ledger = self.desk.gateway.domain.ledger.clone();
            let from = self.next;
            if ledger.size() <= from {
                tokio::select! {
                    () = ledger.grown_past(from) => {}
                    _ = self.versions.changed() => {
                        self.desk.may(&self.asking, FOLLOW).map_err(|_| cut_off())?;
                    }
                }
                continue;
            }
            let read = tokio::task::spawn_blocking(move || stretch(&ledger, from));
            let read = read
                .await
                .map_err(|_| Refused::internal("gateway.broken"))?;
            let (entries, next) = read.map_err(|why| Refused::from(&why))?;
            self.read = entries;
            self.next = next;
        }
    }
}

/// Some entries from an index on, and where the next ones begin. Pruned ones are passed over.
fn stretch(ledger: &Ledger, from: u64) -> Result<(VecDeque<Entry>, u64), Breach> {
    let until = ledger.size().min(from.saturating_add(STRETCH_MAX));
    let mut entries = VecDeque::new();
    for index in from..until {
        let leaf = match ledger.leaf(index) {
            Ok(leaf) => leaf,
            Err(Breach::Absent { .. }) => continue,
            Err(why) => return Err(why),
        };
        let leaf = String::from_utf8(leaf).unwrap_or_default();
        let told: serde_json::Value = serde_json::from_str(&leaf).unwrap_or_default();
        let at = told.get("at").and_then(serde_json::Value::as_str);
        entries.push_back(Entry {
            index,
            at: at.unwrap_or_default().to_owned(),
            leaf,
        });
    }
    Ok((entries, until))
}
