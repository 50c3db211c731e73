use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use terms::LicenceId;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

/// For whom a job is done: a licence, or the domain itself.
pub(crate) type Share = Option<LicenceId>;

/// Places at work, shared fairly between licences: of those that wait, who holds the fewest places is
/// served first, then who came first; and one licence never holds them all.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    shared: Arc<Mutex<Shared>>,
}

/// A place. Dropped, it is given to whoever is next.
#[derive(Debug)]
pub(crate) struct Place {
    share: Share,
    places: Places,
}

#[derive(Debug)]
struct Shared {
    free: usize,
    each_max: usize,
    held: HashMap<Share, usize>,
    /// In the order in which they came.
    waiting: Vec<(Share, oneshot::Sender<Place>)>,
}

// === impl Places ===

impl Places {
    /// So many places, of which one share holds at most `each_max`; both at least one.
    pub(crate) fn new(places: usize, each_max: usize) -> Self {
        let shared = Shared {
            free: places.max(1),
            each_max: each_max.max(1),
            held: HashMap::new(),
            waiting: Vec::new(),
        };
        Self {
            shared: Arc::new(Mutex::new(shared)),
        }
    }

    /// Waits for a place; none where there is none in time.
    pub(crate) async fn take(&self, share: Share, until: Instant) -> Option<Place> {
        let (sender, given) = oneshot::channel();
        {
            let mut shared = self.lock();
            // Those who gave up are in nobody's way.
            shared.waiting.retain(|(_, waits)| !waits.is_closed());
            shared.waiting.push((share, sender));
        }
        self.serve();
        timeout_at(until, given).await.ok()?.ok()
    }

    /// Gives free places to those who are next.
    fn serve(&self) {
        while let Some((place, waits)) = self.next() {
            // Who gave up meanwhile drops the place, and it is served again from there.
            drop(waits.send(place));
        }
    }

    fn next(&self) -> Option<(Place, oneshot::Sender<Place>)> {
        let mut shared = self.lock();
        let (free, each_max) = (shared.free, shared.each_max);
        let held = |share: &Share| shared.held.get(share).copied().unwrap_or(0);
        let next = shared.waiting.iter().enumerate();
        let next = next.filter(|(_, (share, _))| free > 0 && held(share) < each_max);
        let (at, _) = next.min_by_key(|(at, (share, _))| (held(share), *at))?;
        let (share, waits) = shared.waiting.remove(at);
        shared.free -= 1;
        *shared.held.entry(share.clone()).or_default() += 1;
        let places = self.clone();
        Some((Place { share, places }, waits))
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Place ===

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut shared = self.places.lock();
            shared.free += 1;
            if let Some(held) = shared.held.get_mut(&self.share) {
                *held = held.saturating_sub(1);
                if *held == 0 {
                    shared.held.remove(&self.share);
                }
            }
        }
        self.places.serve();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{future::Future, pin::pin, task::Poll, time::Duration};

    fn of(licence: &str) -> Share {
        Some(licence.parse().unwrap())
    }

    fn long() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    /// What is there at once.
    async fn now(places: &Places, share: Share) -> Option<Place> {
        places.take(share, Instant::now()).await
    }

    #[tokio::test]
    async fn one_licence_never_holds_every_place() {
        let places = Places::new(3, 2);
        let _one = now(&places, of("a")).await.unwrap();
        let _two = now(&places, of("a")).await.unwrap();
        assert!(now(&places, of("a")).await.is_none());
        let _other = now(&places, of("b")).await.unwrap();
        assert!(now(&places, of("c")).await.is_none());
    }

    #[tokio::test]
    async fn who_holds_the_fewest_is_next_whoever_came_first() {
        let places = Places::new(2, 2);
        let (one, two) = (
            now(&places, of("a")).await.unwrap(),
            now(&places, of("a")).await.unwrap(),
        );
        let mut third = pin!(places.take(of("a"), long()));
        let mut other = pin!(places.take(None, long()));
        let both = std::future::poll_fn(|context| {
            let (third, other) = (third.as_mut().poll(context), other.as_mut().poll(context));
            Poll::Ready(third.is_pending() && other.is_pending())
        });
        assert!(both.await);
        drop(one);
        let _other = other.await.unwrap();
        drop(two);
        assert!(third.await.is_some());
    }

    #[tokio::test]
    async fn who_gives_up_holds_nothing_and_is_in_nobodys_way() {
        let places = Places::new(1, 1);
        let held = now(&places, of("a")).await.unwrap();
        for _ in 0..100 {
            assert!(now(&places, of("b")).await.is_none());
        }
        assert!(places.lock().waiting.len() <= 1);
        drop(held);
        assert!(now(&places, of("c")).await.is_some());
        let shared = places.lock();
        assert_eq!((shared.free, shared.held.len()), (1, 0));
    }

    proptest! {
        /// However places are taken and given back, none is lost or made, and nobody has more than a share.
        #[test]
        fn places_are_neither_lost_nor_made(steps in prop::collection::vec((0usize..4, any::<bool>()), 1..80)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(async {
                let places = Places::new(5, 2);
                let mut held: Vec<(usize, Place)> = Vec::new();
                for (who, takes) in steps {
                    if takes {
                        let taken = now(&places, of(&format!("l{who}"))).await;
                        let own = held.iter().filter(|(holder, _)| *holder == who).count();
                        prop_assert_eq!(taken.is_some(), held.len() < 5 && own < 2);
                        held.extend(taken.map(|place| (who, place)));
                    } else if !held.is_empty() {
                        let at = who % held.len();
                        drop(held.swap_remove(at));
                    }
                    prop_assert_eq!(places.lock().free, 5 - held.len());
                }
                Ok(())
            })?;
        }
    }
}
