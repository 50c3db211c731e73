use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use terms::LicenceId;
use tokio::sync::oneshot;

/// Whose question is judged: one at a time. Of those that wait, the licence is next that was judged
/// longest ago, then who came first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns {
    shared: Arc<Mutex<Shared>>,
}

/// The right to be judged now. Dropped, it is given to whoever is next.
#[derive(Debug)]
pub(crate) struct Turn(Turns);

#[derive(Debug, Default)]
struct Shared {
    is_taken: bool,
    turns: u64,
    last: HashMap<LicenceId, u64>,
    /// In the order in which they came.
    waiting: Vec<(LicenceId, oneshot::Sender<Turn>)>,
}

// === impl Turns ===

impl Turns {
    /// Waits for a turn.
    pub(crate) async fn take(&self, who: LicenceId) -> Option<Turn> {
        let (sender, given) = oneshot::channel();
        self.lock().waiting.push((who, sender));
        self.serve();
        given.await.ok()
    }

    fn serve(&self) {
        while let Some(waits) = self.next() {
            // Who gave up meanwhile drops the turn, and it is served again from there.
            drop(waits.send(Turn(self.clone())));
        }
    }

    fn next(&self) -> Option<oneshot::Sender<Turn>> {
        let mut shared = self.lock();
        shared.waiting.retain(|(_, waits)| !waits.is_closed());
        if shared.is_taken {
            return None;
        }
        let last = |who: &LicenceId| shared.last.get(who).copied().unwrap_or(0);
        let next = shared.waiting.iter().enumerate();
        let (at, _) = next.min_by_key(|(at, (who, _))| (last(who), *at))?;
        let (who, waits) = shared.waiting.remove(at);
        shared.is_taken = true;
        shared.turns += 1;
        let turn = shared.turns;
        shared.last.insert(who, turn);
        Some(waits)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Turn ===

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.lock().is_taken = false;
        self.0.serve();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        pin::{Pin, pin},
        task::{Context, Poll, Waker},
    };

    fn of(licence: &str) -> LicenceId {
        licence.parse().unwrap()
    }

    fn once(waits: Pin<&mut impl Future<Output = Option<Turn>>>) -> Option<Turn> {
        match waits.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => turn,
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_licence_that_asks_much_is_judged_in_turn_with_others() {
        let turns = Turns::default();
        let mut first = pin!(turns.take(of("a")));
        let turn = once(first.as_mut()).unwrap();
        let (mut second, mut third) = (pin!(turns.take(of("a"))), pin!(turns.take(of("a"))));
        let mut other = pin!(turns.take(of("b")));
        assert!(once(second.as_mut()).is_none() && once(third.as_mut()).is_none());
        assert!(once(other.as_mut()).is_none());
        drop(turn);
        assert!(once(second.as_mut()).is_none());
        let turn = once(other.as_mut()).unwrap();
        assert!(once(second.as_mut()).is_none());
        drop(turn);
        let turn = once(second.as_mut()).unwrap();
        assert!(once(third.as_mut()).is_none());
        drop(turn);
        assert!(once(third.as_mut()).is_some());
    }

    #[test]
    fn who_gives_up_keeps_nobody_waiting() {
        let turns = Turns::default();
        let turn = once(pin!(turns.take(of("a")))).unwrap();
        assert!(once(pin!(turns.take(of("b")))).is_none());
        drop(turn);
        assert!(once(pin!(turns.take(of("a")))).is_some());
        assert!(!turns.lock().is_taken);
    }
}
