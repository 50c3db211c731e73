use crate::{Failure, budget::Paid};
use bytes::Bytes;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use wire::job::{Cells, Done};

/// Longer than any operation takes.
const FAR: Duration = Duration::from_hours(24);

/// What a runner said.
#[derive(Debug)]
pub(crate) enum Item {
    Cells(Cells),
    Asked(u64),
    Batch(Bytes, Paid),
    End(Result<Done, Failure>),
}

/// Where what a runner says is put. Dropped, no more comes.
#[derive(Debug)]
pub(crate) struct Giver(Arc<Queue>);

/// Where it is taken from, in order, by one at a time.
#[derive(Debug)]
pub(crate) struct Taker(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug)]
struct Waiting {
    items: VecDeque<Item>,
    /// Since when the first of them could have been taken.
    since: Instant,
    is_open: bool,
}

/// A queue with nothing in it.
pub(crate) fn queue() -> (Giver, Taker) {
    let waiting = Waiting {
        items: VecDeque::new(),
        since: Instant::now(),
        is_open: true,
    };
    let queue = Arc::new(Queue {
        waiting: Mutex::new(waiting),
        changed: Notify::new(),
    });
    (Giver(Arc::clone(&queue)), Taker(queue))
}

// === impl Giver ===

impl Giver {
    pub(crate) fn give(&self, item: Item) {
        let mut waiting = self.0.lock();
        if waiting.items.is_empty() {
            waiting.since = Instant::now();
        }
        waiting.items.push_back(item);
        drop(waiting);
        self.0.changed.notify_one();
    }

    /// Drops all that was not taken, and ends with this failure instead.
    pub(crate) fn give_up(&self, why: Failure) {
        let dropped = std::mem::take(&mut self.0.lock().items);
        // What was paid for is given back here, while nothing is locked.
        drop(dropped);
        self.give(Item::End(Err(why)));
    }

    /// Waits until something could have been taken for so long, and nothing was.
    pub(crate) async fn unread(&self, longest: Duration) {
        while let Some(due) = self.due(longest) {
            sleep_until(due).await;
        }
    }

    /// When that is, if nothing changes until then; none where it is now.
    fn due(&self, longest: Duration) -> Option<Instant> {
        let now = Instant::now();
        let waiting = self.0.lock();
        let since = match waiting.items.front() {
            Some(_) => waiting.since,
            None => now,
        };
        // What is too far away to be named does not come.
        let due = since.checked_add(longest).unwrap_or(now + FAR);
        (due > now).then_some(due)
    }
}

impl Drop for Giver {
    fn drop(&mut self) {
        self.0.lock().is_open = false;
        self.0.changed.notify_one();
    }
}

// === impl Taker ===

impl Taker {
    /// The next; none where no more comes.
    pub(crate) async fn take(&mut self) -> Option<Item> {
        self.take_if(|_| true).await
    }

    /// The next, if it is one that is wanted; else it stays.
    pub(crate) async fn take_if(&mut self, wanted: impl Fn(&Item) -> bool) -> Option<Item> {
        loop {
            {
                let mut waiting = self.0.lock();
                match waiting.items.front() {
                    Some(first) if wanted(first) => {
                        waiting.since = Instant::now();
                        return waiting.items.pop_front();
                    }
                    None if waiting.is_open => {}
                    Some(_) | None => return None,
                }
            }
            self.0.changed.notified().await;
        }
    }
}

// === impl Queue ===

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_said_comes_in_order_and_what_is_not_wanted_stays() {
        let (giver, mut taker) = queue();
        giver.give(Item::Asked(1));
        giver.give(Item::Asked(2));
        assert!(taker.take_if(|_| false).await.is_none());
        assert!(matches!(taker.take().await, Some(Item::Asked(1))));
        drop(giver);
        assert!(matches!(taker.take().await, Some(Item::Asked(2))));
        assert!(taker.take().await.is_none());
    }

    #[tokio::test]
    async fn the_time_to_take_runs_from_the_last_taking_and_not_while_nothing_is_there() {
        let (giver, mut taker) = queue();
        let long = Duration::from_mins(1);
        let since = || taker.0.lock().since;
        giver.give(Item::Asked(1));
        giver.give(Item::Asked(2));
        let first = since();
        assert_eq!(giver.due(long), Some(first + long));
        // The clock is what is tested: it must have moved on.
        while Instant::now() == first {}
        taker.take().await.unwrap();
        let second = taker.0.lock().since;
        assert!(second > first);
        assert_eq!(giver.due(long), Some(second + long));
        assert_eq!(giver.due(Duration::ZERO), None);
        taker.take().await.unwrap();
        assert!(giver.due(long).unwrap() > second + long);
    }

    #[tokio::test]
    async fn who_gives_up_says_why_and_nothing_else() {
        let (giver, mut taker) = queue();
        giver.give(Item::Asked(1));
        giver.unread(Duration::ZERO).await;
        giver.give_up(Failure::Unread);
        assert!(matches!(
            taker.take().await,
            Some(Item::End(Err(Failure::Unread)))
        ));
    }
}
