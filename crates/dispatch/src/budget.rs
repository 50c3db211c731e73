use crate::places::Share;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// What a frame costs beside its own bytes, so that many small ones cost something too.
const OVERHEAD_BYTES: u64 = 1024;
/// The first frame of a licence leaves this part of all bytes, or as much as it takes.
const RESERVED_PART: u64 = 8;

/// The bytes of results that wait for clients, over all jobs, shared fairly between licences.
///
/// A licence never holds more than it leaves free, so that the next one finds something, however many
/// hold what they may; a job that goes on stays a quarter below that, so that others of its licence find
/// something too. Who holds the fewest is served first; a frame for which there is no room keeps nobody
/// waiting who holds nothing, or no more than its licence.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    shared: Arc<Mutex<Shared>>,
    frame_bytes_max: u32,
}

/// What one job pays from.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    budget: Budget,
    owner: Owner,
}

/// Bytes that are held. Dropped, they are free for whoever is next.
#[derive(Debug)]
pub(crate) struct Paid {
    account: Account,
    bytes: u64,
}

#[derive(Debug, Clone)]
struct Owner {
    share: Share,
    job: u64,
}

#[derive(Debug)]
struct Shared {
    free: u64,
    reserved: u64,
    by_share: HashMap<Share, u64>,
    by_job: HashMap<u64, u64>,
    jobs: u64,
    /// In the order in which they came.
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    account: Account,
    price: u64,
    given: oneshot::Sender<Paid>,
}

/// Serves others when one gives up that they may have waited for.
struct Leaving<'a>(&'a Budget);

// === impl Budget ===

impl Budget {
    pub(crate) fn new(bytes_max: u32, frame_bytes_max: u32) -> Self {
        let bytes = u64::from(bytes_max);
        let reserved = bytes / RESERVED_PART;
        let payable = bytes.saturating_sub(reserved + OVERHEAD_BYTES);
        let payable = u32::try_from(payable).unwrap_or(u32::MAX);
        let shared = Shared {
            free: bytes,
            reserved,
            by_share: HashMap::new(),
            by_job: HashMap::new(),
            jobs: 0,
            waiting: Vec::new(),
        };
        Self {
            shared: Arc::new(Mutex::new(shared)),
            // A frame that could never be paid for would only wait for its deadline.
            frame_bytes_max: frame_bytes_max.min(payable),
        }
    }

    /// An account for one more job.
    pub(crate) fn account(&self, share: Share) -> Account {
        let mut shared = self.lock();
        shared.jobs += 1;
        let owner = Owner {
            share,
            job: shared.jobs,
        };
        let budget = self.clone();
        Account { budget, owner }
    }

    /// Gives what is free to those who are next.
    fn serve(&self) {
        while let Some((paid, given)) = self.next() {
            // Who gave up meanwhile drops it, and it is served again from there.
            drop(given.send(paid));
        }
    }

    fn next(&self) -> Option<(Paid, oneshot::Sender<Paid>)> {
        let Waiting {
            account,
            price,
            given,
        } = self.lock().next()?;
        let bytes = price;
        Some((Paid { account, bytes }, given))
    }

    /// How many frames wait for room.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    #[cfg(test)]
    pub(crate) fn free(&self) -> u64 {
        self.lock().free
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Account ===

impl Account {
    /// Bytes of the longest frame.
    pub(crate) const fn frame_bytes_max(&self) -> u32 {
        self.budget.frame_bytes_max
    }

    /// Waits until there is room for a frame of this length.
    pub(crate) async fn pay(&self, length: u32) -> Option<Paid> {
        let _leaving = Leaving(&self.budget);
        let (given, paid) = oneshot::channel();
        self.budget.lock().waiting.push(Waiting {
            account: self.clone(),
            price: u64::from(length).saturating_add(OVERHEAD_BYTES),
            given,
        });
        self.budget.serve();
        paid.await.ok()
    }
}

// === impl Shared ===

impl Shared {
    /// The one who is next, with what it asked for.
    fn next(&mut self) -> Option<Waiting> {
        // Those who gave up are in nobody's way.
        self.waiting.retain(|waits| !waits.given.is_closed());
        let asked = self.waiting.iter().enumerate();
        let asked = asked.map(|(at, waits)| (self.held(&waits.account), at, self.fits(waits)));
        let mut asked: Vec<_> = asked.collect();
        asked.sort_unstable();
        let unserved = asked.iter().find(|(_, _, fits)| !fits);
        let least = unserved.map_or(u64::MAX, |((of_share, _), _, _)| *of_share);
        let (_, at, _) = asked
            .into_iter()
            .find(|((of_share, of_job), _, fits)| *fits && (*of_job == 0 || *of_share <= least))?;
        let next = self.waiting.remove(at);
        self.free = self.free.saturating_sub(next.price);
        let Owner { share, job } = next.account.owner.clone();
        *self.by_share.entry(share).or_default() += next.price;
        *self.by_job.entry(job).or_default() += next.price;
        Some(next)
    }

    /// What the licence holds, and the job.
    fn held(&self, account: &Account) -> (u64, u64) {
        let Owner { share, job } = &account.owner;
        let of_share = self.by_share.get(share).copied().unwrap_or(0);
        (of_share, self.by_job.get(job).copied().unwrap_or(0))
    }

    fn fits(&self, waits: &Waiting) -> bool {
        let Some(left) = self.free.checked_sub(waits.price) else {
            return false;
        };
        let (of_share, of_job) = self.held(&waits.account);
        let after = of_share.saturating_add(waits.price);
        // INVARIANT (nobody holds everything): what a licence has afterwards is no more than what is left;
        // but for a first frame, which may be a large one.
        match (of_share, of_job) {
            (0, _) => after.min(self.reserved) <= left,
            (_, 0) => after <= left,
            _ => after.saturating_add(after / 3) <= left,
        }
    }

    fn give_back(&mut self, owner: &Owner, bytes: u64) {
        self.free = self.free.saturating_add(bytes);
        less(&mut self.by_share, &owner.share, bytes);
        less(&mut self.by_job, &owner.job, bytes);
    }
}

fn less<K: Eq + Hash>(held: &mut HashMap<K, u64>, by: &K, bytes: u64) {
    if let Some(all) = held.get_mut(by) {
        *all = all.saturating_sub(bytes);
        if *all == 0 {
            held.remove(by);
        }
    }
}

// === impl Paid ===

impl Drop for Paid {
    fn drop(&mut self) {
        let Account { budget, owner } = &self.account;
        budget.lock().give_back(owner, self.bytes);
        budget.serve();
    }
}

// === impl Leaving ===

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.serve();
    }
}

#[cfg(test)]
mod tests;
