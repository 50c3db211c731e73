use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// How long the log is, told to whoever waits for more of it.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    size: AtomicU64,
    waiting: Mutex<VecDeque<Waker>>,
}

/// Ready once the log has an entry of an index.
#[derive(Debug)]
pub(crate) struct Grown<'a> {
    growth: &'a Growth,
    index: u64,
}

impl Growth {
    /// The log has so many entries.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Wakes everybody. INVARIANT (nobody misses an entry): the size is told before anybody is woken.
    pub(crate) fn reached(&self, size: u64) {
        self.size.store(size, Ordering::Release);
        let waiting = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(crate) const fn past(&self, index: u64) -> Grown<'_> {
        Grown {
            growth: self,
            index,
        }
    }
}

impl Future for Grown<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let growth = self.growth;
        let mut waiting = growth
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if growth.size() > self.index {
            return Poll::Ready(());
        }
        if !waiting.iter().any(|known| known.will_wake(cx.waker())) {
            waiting.push_back(cx.waker().clone());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::task::Wake;

    #[derive(Default)]
    struct Woken(AtomicU64);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_waits_for_an_entry_is_woken_when_it_is_there_and_not_before() {
        let (growth, woken) = (Growth::default(), Arc::new(Woken::default()));
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let mut waits = growth.past(1);
        assert!(Pin::new(&mut waits).poll(&mut cx).is_pending());
        assert!(Pin::new(&mut waits).poll(&mut cx).is_pending());
        growth.reached(1);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(Pin::new(&mut waits).poll(&mut cx).is_pending());
        growth.reached(2);
        assert_eq!(woken.0.load(Ordering::Relaxed), 2);
        assert!(Pin::new(&mut waits).poll(&mut cx).is_ready());
        assert!(Pin::new(&mut growth.past(0)).poll(&mut cx).is_ready());
    }
}
