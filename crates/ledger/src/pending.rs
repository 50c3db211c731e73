use crate::Breach;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// An entry that is durable, in the tree, and covered by a signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Its place in the log, from 0.
    pub index: u64,
    /// A signed checkpoint of a tree that holds it. Source: C2SP tlog-checkpoint.
    pub checkpoint: String,
}

/// An append under way: await it, or [`wait`](Self::wait) where there is no executor.
///
/// Dropping it does not take the append back.
#[derive(Debug)]
#[must_use = "an entry counts once this has been awaited"]
pub struct Pending(Arc<Slot>);

/// The sequencer's end of a [`Pending`].
#[derive(Debug)]
pub(crate) struct Completion(Option<Arc<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Result<Appended, Breach>>,
    waker: Option<Waker>,
}

// === impl Pending ===

impl Pending {
    /// Makes both ends.
    pub(crate) fn new() -> (Self, Completion) {
        let slot = Arc::new(Slot::default());
        (Self(Arc::clone(&slot)), Completion(Some(slot)))
    }

    /// An append that failed before it began.
    pub(crate) fn failed(breach: Breach) -> Self {
        let (pending, completion) = Self::new();
        completion.complete(Err(breach));
        pending
    }

    /// Blocks until the entry is on record.
    ///
    /// # Errors
    /// The [`Breach`] that kept it from being recorded.
    pub fn wait(self) -> Result<Appended, Breach> {
        let mut state = self.0.lock();
        loop {
            if let Some(outcome) = state.outcome.take() {
                return outcome;
            }
            state = self
                .0
                .done
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for Pending {
    type Output = Result<Appended, Breach>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        match state.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

// === impl Completion ===

impl Completion {
    /// Answers.
    pub(crate) fn complete(mut self, outcome: Result<Appended, Breach>) {
        self.answer(outcome);
    }

    fn answer(&mut self, outcome: Result<Appended, Breach>) {
        if let Some(slot) = self.0.take() {
            let waker = {
                let mut state = slot.lock();
                state.outcome = Some(outcome);
                state.waker.take()
            };
            slot.done.notify_all();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl Drop for Completion {
    // INVARIANT (every append is answered): a request that is thrown away says so.
    fn drop(&mut self) {
        self.answer(Err(Breach::Stopped {
            why: "it shut down first".to_owned(),
        }));
    }
}

// === impl Slot ===

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
