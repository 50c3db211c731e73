use crate::{ChildConfig, Failure, Worker, child::Child};
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Handle, sync::mpsc};

/// The first and the longest pause after a child could not be started or ended at once.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// Children started ahead by a thread of their own.
///
/// A child dies with the thread that started it, so that this one lasts as long as the nursery.
#[derive(Debug)]
pub(crate) struct Nursery {
    worker: Worker,
    ready_max: usize,
    ready: tokio::sync::Mutex<mpsc::Receiver<Child>>,
    trouble: Arc<Trouble>,
}

/// Why there may be no child.
#[derive(Debug, Default)]
struct Trouble {
    /// What the system said when the last child was to be started.
    unstartable: Mutex<Option<io::Error>>,
    /// Children that ended before they got a job, since the thread last looked.
    stillborn: AtomicU32,
}

impl Nursery {
    /// Begins to start children. Needs a runtime's context.
    pub(crate) fn open(
        worker: Worker,
        program: PathBuf,
        config: &ChildConfig,
    ) -> Result<Self, Failure> {
        let ready_max = config.ready.max(1);
        let (sender, receiver) = mpsc::channel(ready_max);
        let trouble = Arc::new(Trouble::default());
        let (limits, runtime, told) = (config.limits, Handle::current(), Arc::clone(&trouble));
        let start = move || {
            let _context = runtime.enter();
            Child::start(worker, &program, &limits)
        };
        let runtime = Handle::current();
        std::thread::Builder::new()
            .name(format!("{worker}-nursery"))
            .spawn(move || raise(&runtime, &sender, &told, start))
            .map_err(|error| Failure::Unstartable {
                worker,
                source: Some(error),
            })?;
        let ready = tokio::sync::Mutex::new(receiver);
        Ok(Self {
            worker,
            ready_max,
            ready,
            trouble,
        })
    }

    /// Takes a child that is alive; another is started in its place.
    pub(crate) async fn take(&self) -> Result<Child, Failure> {
        // Those that wait may all have ended, and so may the first that is started after them.
        for _ in 0..=self.ready_max {
            let taken = self.ready.lock().await.recv().await;
            let mut child = taken.ok_or_else(|| self.unstartable())?;
            if child.is_alive() {
                return Ok(child);
            }
            self.trouble.stillborn.fetch_add(1, Ordering::Relaxed);
        }
        Err(self.unstartable())
    }

    /// Why no child came in time.
    pub(crate) fn late(&self) -> Failure {
        match self.refused() {
            Some(source) => Failure::Unstartable {
                worker: self.worker,
                source: Some(source),
            },
            None => Failure::Busy(self.worker),
        }
    }

    fn unstartable(&self) -> Failure {
        Failure::Unstartable {
            worker: self.worker,
            source: self.refused(),
        }
    }

    /// What the system said when the last child was to be started, if it refused.
    fn refused(&self) -> Option<io::Error> {
        let refused = self
            .trouble
            .unstartable
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // An error can't be copied; its kind can.
        refused.as_ref().map(|error| io::Error::from(error.kind()))
    }
}

/// Starts a child whenever there is room for one, until nobody wants any more.
fn raise(
    runtime: &Handle,
    sender: &mpsc::Sender<Child>,
    trouble: &Trouble,
    start: impl Fn() -> io::Result<Child>,
) {
    let mut pause = PAUSES.0;
    while let Ok(place) = runtime.block_on(sender.reserve()) {
        if trouble.stillborn.swap(0, Ordering::Relaxed) > 0 {
            tracing::error!("children end before they get a job");
            std::thread::sleep(pause);
            pause = pause.saturating_mul(2).min(PAUSES.1);
        }
        let started = start();
        let mut unstartable = trouble
            .unstartable
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match started {
            Ok(child) => {
                *unstartable = None;
                place.send(child);
            }
            Err(error) => {
                tracing::error!(%error, "a child could not be started");
                *unstartable = Some(error);
                drop(unstartable);
                drop(place);
                std::thread::sleep(pause);
                pause = pause.saturating_mul(2).min(PAUSES.1);
                continue;
            }
        }
        if trouble.stillborn.load(Ordering::Relaxed) == 0 {
            pause = PAUSES.0;
        }
    }
}
