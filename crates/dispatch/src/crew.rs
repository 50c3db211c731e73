use crate::{
    ChildConfig, Failure, Worker,
    child::{Child, Job},
    nursery::Nursery,
};
use jail::{Ring, Rings};
use std::{path::PathBuf, sync::Arc};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

/// The children of one kind, and how many may be at work.
#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) worker: Worker,
    pub(crate) config: ChildConfig,
    nursery: Nursery,
    places: Arc<Semaphore>,
}

/// A child with its job, its place among those at work, and the instant of its death.
#[derive(Debug)]
pub(crate) struct Engaged {
    pub(crate) child: Child,
    pub(crate) deadline: Instant,
    /// Given back when the child is gone.
    pub(crate) place: OwnedSemaphorePermit,
}

impl Crew {
    pub(crate) fn open(
        worker: Worker,
        program: PathBuf,
        config: ChildConfig,
        demanded: Vec<Ring>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            worker,
            config,
            nursery: Nursery::open(worker, program, &config, demanded)?,
            places: Arc::new(Semaphore::new(config.running_max.max(1))),
        })
    }

    /// Waits until the walls around the children stand; says which.
    pub(crate) async fn walls(&self) -> Result<Rings, Failure> {
        self.nursery.walls().await
    }

    /// Hands a job to a child that is ready, which is to be killed after `wall`.
    ///
    /// Children that turn out to have ended while they waited are replaced, as many as may have waited.
    pub(crate) async fn engage(
        &self,
        job: &Job,
        wall: std::time::Duration,
    ) -> Result<Engaged, Failure> {
        let queued_until = Instant::now() + self.config.queue_max;
        let place = timeout_at(queued_until, Arc::clone(&self.places).acquire_owned());
        let place = place
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(Failure::Busy(self.worker))?;
        let mut spare = self.config.ready.max(1);
        loop {
            let taken = timeout_at(queued_until, self.nursery.take()).await;
            let mut child = taken.map_err(|_| self.nursery.late())??;
            let deadline = Instant::now() + wall.min(self.config.wall_max);
            match timeout_at(deadline, child.give(job)).await {
                Ok(Ok(())) => {
                    return Ok(Engaged {
                        child,
                        deadline,
                        place,
                    });
                }
                Ok(Err(_)) if spare > 0 => spare -= 1,
                Ok(Err(_)) => return Err(child.autopsy().await),
                Err(_) => return Err(Failure::Timeout(self.worker)),
            }
        }
    }
}
