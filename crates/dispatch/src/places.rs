use crate::Failure;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use terms::LicenceId;
use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{Instant, sleep, timeout_at},
};

/// How many times as long as it was used a place rests.
const REST_TIMES: u32 = 8;

/// How long it rests after a refusal: three places are then refused no more than a dozen statements a second.
const REST_REFUSED: Duration = Duration::from_millis(250);

/// For whom a job is done: a licence, or the domain itself.
pub(crate) type Share = Option<LicenceId>;

/// Places at work, shared fairly between licences: of those that wait, who holds the fewest places is
/// served first, then who came first; and one licence never holds them all.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    shared: Arc<Mutex<Shared>>,
    rest_max: Duration,
}

/// A place. Dropped after use without an answer, it is given to other shares at once, and to its own the later
/// the longer it was used: who sends what comes to nothing again and again would else fill the machine with it.
///
/// A place of the domain itself does not rest.
#[derive(Debug)]
pub(crate) struct Place {
    share: Share,
    since: Instant,
    places: Places,
    after: After,
}

/// What a place is given back after.
#[derive(Debug, Clone, Copy)]
pub(crate) enum After {
    /// It rests as long as it was used, times [`REST_TIMES`].
    Nothing,
    /// It rests for [`REST_REFUSED`]: a planner looked at what has no plan.
    Refusal,
    /// It rests as long as a place ever does: what gives back much memory at once holds up the machine.
    OutOfMemory,
    /// An answer, or it was not used: its share may have it again at once.
    Answer,
}

/// A place that only its own share may not have yet. Dropped, it may.
#[derive(Debug)]
struct Resting {
    share: Share,
    places: Places,
}

#[derive(Debug)]
struct Shared {
    free: usize,
    each_max: usize,
    /// By whom so many are held, or rest.
    held: HashMap<Share, usize>,
    /// In the order in which they came.
    waiting: Vec<(Share, oneshot::Sender<Place>)>,
}

// === impl Places ===

impl Places {
    /// So many places, of which one share holds at most `each_max`; both at least one. None rests longer
    /// than `rest_max`.
    pub(crate) fn new(places: usize, each_max: usize, rest_max: Duration) -> Self {
        let shared = Shared {
            free: places.max(1),
            each_max: each_max.max(1),
            held: HashMap::new(),
            waiting: Vec::new(),
        };
        Self {
            shared: Arc::new(Mutex::new(shared)),
            rest_max,
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
        let place = Place {
            share,
            since: Instant::now(),
            places: self.clone(),
            after: After::Answer,
        };
        Some((place, waits))
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Place ===

impl Place {
    /// It is used from now on.
    pub(crate) fn begin(&mut self) {
        self.since = Instant::now();
        self.after = After::Nothing;
    }

    /// What it was used for has come to this.
    pub(crate) const fn came_to(&mut self, what: After) {
        self.after = what;
    }

    fn rest(&self) -> Duration {
        let rest_max = self.places.rest_max;
        match self.after {
            _ if self.share.is_none() => Duration::ZERO,
            After::Answer => Duration::ZERO,
            After::Refusal => REST_REFUSED.min(rest_max),
            After::Nothing => {
                let rest = self.since.elapsed().saturating_mul(REST_TIMES);
                rest.min(rest_max)
            }
            After::OutOfMemory => rest_max,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().free += 1;
        let rest = self.rest();
        let resting = Resting {
            share: self.share.take(),
            places: self.places.clone(),
        };
        match Handle::try_current() {
            Ok(runtime) if !rest.is_zero() => {
                runtime.spawn(async move {
                    sleep(rest).await;
                    drop(resting);
                });
                self.places.serve();
            }
            // Without a runtime nobody waits.
            Ok(_) | Err(_) => drop(resting),
        }
    }
}

// === impl After ===

impl After {
    pub(crate) fn of<T>(end: &Result<T, Failure>) -> Self {
        match end {
            Ok(_) => Self::Answer,
            Err(failure) if failure.is_out_of_memory() => Self::OutOfMemory,
            Err(_) => Self::Nothing,
        }
    }
}

// === impl Resting ===

impl Drop for Resting {
    fn drop(&mut self) {
        {
            let mut shared = self.places.lock();
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

    const REST_MAX: Duration = Duration::from_secs(20);

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
        let places = Places::new(3, 2, REST_MAX);
        let _one = now(&places, of("a")).await.unwrap();
        let _two = now(&places, of("a")).await.unwrap();
        assert!(now(&places, of("a")).await.is_none());
        let _other = now(&places, of("b")).await.unwrap();
        assert!(now(&places, of("c")).await.is_none());
    }

    #[tokio::test]
    async fn who_holds_the_fewest_is_next_whoever_came_first() {
        let places = Places::new(2, 2, REST_MAX);
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
        let places = Places::new(1, 1, REST_MAX);
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

    /// A place that was used for a second and came to this: when its own share has it again.
    async fn rest_after(share: Share, what: After) -> Duration {
        let places = Places::new(2, 1, REST_MAX);
        let mut place = now(&places, share.clone()).await.unwrap();
        tokio::time::advance(Duration::from_secs(5)).await;
        place.begin();
        tokio::time::advance(Duration::from_secs(1)).await;
        place.came_to(what);
        drop(place);
        let free = places.lock().free;
        assert_eq!(free, 2, "others have it at once");
        let began = Instant::now();
        places.take(share, long()).await.unwrap();
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_to_nothing_rests_for_its_own_share_alone() {
        // The clock of tokio has whole milliseconds.
        let about = |rest: u64| Duration::from_millis(rest)..Duration::from_millis(rest + 5);
        for (what, rest) in [
            (After::Answer, 0),
            (After::Refusal, 250),
            (After::Nothing, 8_000),
            (After::OutOfMemory, 20_000),
        ] {
            let rested = rest_after(of("a"), what).await;
            assert!(about(rest).contains(&rested), "{what:?}: {rested:?}");
            let domain = rest_after(None, what).await;
            assert!(about(0).contains(&domain), "the domain's own: {domain:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_is_no_longer_than_the_longest() {
        let places = Places::new(2, 1, REST_MAX);
        let mut place = now(&places, of("a")).await.unwrap();
        place.begin();
        tokio::time::advance(Duration::from_secs(30)).await;
        drop(place);
        let early = Instant::now() + REST_MAX - Duration::from_millis(5);
        assert!(places.take(of("a"), early).await.is_none());
        assert!(now(&places, of("b")).await.is_some());
        let late = Instant::now() + Duration::from_millis(10);
        assert!(places.take(of("a"), late).await.is_some());
    }

    proptest! {
        /// However places are taken and given back, none is lost or made, and nobody has more than a share.
        #[test]
        fn places_are_neither_lost_nor_made(steps in prop::collection::vec((0usize..4, any::<bool>()), 1..80)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(async {
                let places = Places::new(5, 2, REST_MAX);
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
