use crate::{ChildConfig, Failure, Worker, child::Child, zygote::Zygote};
use jail::{Ring, Rings};
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
    time::Instant,
};

/// The first and the longest pause after a zygote or a child ended at once.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// Children forked ahead from a zygote, by a thread of their own.
///
/// A zygote dies with the thread that started it, so that this one lasts as long as the nursery; and no
/// longer, since it works with the runtime, which may end next.
#[derive(Debug)]
pub(crate) struct Nursery {
    thread: Option<JoinHandle<()>>,
    worker: Worker,
    ready_max: usize,
    ready: tokio::sync::Mutex<mpsc::Receiver<Child>>,
    walls: watch::Receiver<Walls>,
    trouble: Arc<Trouble>,
}

/// What is known of the walls around the children.
#[derive(Debug, Clone)]
enum Walls {
    /// Nothing yet.
    Unknown,
    Standing(Rings),
    /// There is no zygote.
    None,
}

/// Why there may be no child.
#[derive(Debug, Default)]
struct Trouble {
    /// Why there is no zygote, or none that children can be forked from.
    unstartable: Mutex<Option<io::Error>>,
    /// Children that ended before they got a job, since the thread last looked.
    stillborn: AtomicU32,
}

impl Nursery {
    /// Begins to have children forked. Needs a runtime's context.
    pub(crate) fn open(
        worker: Worker,
        program: PathBuf,
        config: &ChildConfig,
        demanded: Vec<Ring>,
    ) -> Result<Self, Failure> {
        let ready_max = config.ready.max(1);
        let (sender, receiver) = mpsc::channel(ready_max);
        let (built, walls) = watch::channel(Walls::Unknown);
        let trouble = Arc::new(Trouble::default());
        let (limits, told) = (config.limits, Arc::clone(&trouble));
        let start = move || Zygote::start(worker, &program, &limits, &demanded);
        let runtime = Handle::current();
        let thread = std::thread::Builder::new()
            .name(format!("{worker}-nursery"))
            .spawn(move || runtime.block_on(raise(&sender, &built, &told, start)))
            .map_err(|error| Failure::Unstartable {
                worker,
                source: Some(error),
            })?;
        let ready = tokio::sync::Mutex::new(receiver);
        Ok(Self {
            thread: Some(thread),
            worker,
            ready_max,
            ready,
            walls,
            trouble,
        })
    }

    /// Waits until the walls stand; says which.
    ///
    /// # Errors
    /// [`Failure::Unstartable`], with what the first zygote said.
    pub(crate) async fn walls(&self) -> Result<Rings, Failure> {
        let mut walls = self.walls.clone();
        let known = walls.wait_for(|walls| !matches!(walls, Walls::Unknown));
        match known.await.as_deref() {
            Ok(Walls::Standing(rings)) => Ok(rings.clone()),
            Ok(Walls::None | Walls::Unknown) | Err(_) => Err(self.unstartable()),
        }
    }

    /// Takes a child that is alive; another is forked in its place.
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
        let refused = self.trouble.lock();
        // An error can't be copied; its kind and its words can.
        let copied = |error: &io::Error| io::Error::new(error.kind(), error.to_string());
        refused.as_ref().map(copied)
    }
}

impl Drop for Nursery {
    fn drop(&mut self) {
        self.ready.get_mut().close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that children are forked by broke off");
        }
    }
}

/// Keeps a zygote and has a child forked whenever there is room for one, until nobody wants any more.
///
/// A zygote that ends is replaced, after a pause that grows while they do not last.
async fn raise(
    sender: &mpsc::Sender<Child>,
    walls: &watch::Sender<Walls>,
    trouble: &Trouble,
    start: impl Fn() -> io::Result<Zygote>,
) {
    let mut pause = PAUSES.0;
    loop {
        let began = Instant::now();
        let ended = match start() {
            Ok(mut zygote) => tend(&mut zygote, sender, (walls, trouble)).await,
            Err(error) => Err(error),
        };
        let Err(error) = ended else { return };
        tracing::error!(%error, "the process that children are forked from could not go on");
        trouble.set(Some(error));
        walls.send_replace(Walls::None);
        if began.elapsed() > PAUSES.1 {
            pause = PAUSES.0;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = sender.closed() => return,
        }
        pause = pause.saturating_mul(2).min(PAUSES.1);
    }
}

/// One zygote's life. It ends soundly when nobody wants children any more.
async fn tend(
    zygote: &mut Zygote,
    sender: &mpsc::Sender<Child>,
    (walls, trouble): (&watch::Sender<Walls>, &Trouble),
) -> io::Result<()> {
    while zygote.rings().is_none() {
        tokio::select! {
            heeded = zygote.heed() => heeded?,
            () = sender.closed() => return Ok(()),
        }
    }
    if let Some(rings) = zygote.rings() {
        walls.send_replace(Walls::Standing(rings.clone()));
    }
    let mut pause = PAUSES.0;
    let mut not_before = Instant::now();
    loop {
        let place = async {
            tokio::time::sleep_until(not_before).await;
            sender.reserve().await
        };
        tokio::select! {
            biased;
            heeded = zygote.heed() => heeded?,
            () = sender.closed() => return Ok(()),
            place = place => {
                let Ok(place) = place else { return Ok(()) };
                // Who waits for this thread may be who drives what the child's birth waits for.
                let child = tokio::select! {
                    child = zygote.bear() => child?,
                    () = sender.closed() => return Ok(()),
                };
                trouble.set(None);
                place.send(child);
                if trouble.stillborn.swap(0, Ordering::Relaxed) > 0 {
                    tracing::error!("children end before they get a job");
                    not_before = Instant::now() + pause;
                    pause = pause.saturating_mul(2).min(PAUSES.1);
                } else {
                    pause = PAUSES.0;
                }
            }
        }
    }
}

// === impl Trouble ===

impl Trouble {
    fn set(&self, error: Option<io::Error>) {
        let mut unstartable = self.lock();
        *unstartable = error;
    }

    fn lock(&self) -> MutexGuard<'_, Option<io::Error>> {
        self.unstartable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread that outlived it would work with a runtime that ends.
    #[tokio::test]
    async fn with_a_nursery_ends_its_thread() {
        let folder = tempfile::tempdir().unwrap();
        let stand_in = jail::program(folder.path(), "dispatch_stand_in", "cat").unwrap();
        let config = crate::PoolConfig::new(stand_in.clone()).planner;
        for program in [stand_in, folder.path().join("nothing")] {
            let nursery = Nursery::open(Worker::Planner, program, &config, vec![]).unwrap();
            let trouble = Arc::clone(&nursery.trouble);
            assert_eq!(Arc::strong_count(&trouble), 3);
            drop(nursery);
            assert_eq!(Arc::strong_count(&trouble), 1);
        }
    }
}
