use crate::{
    ChildConfig, Failure, Worker,
    child::{Child, Job},
    nursery::Nursery,
    places::{Place, Places, Share},
};
use jail::{Ring, Rings};
use std::path::PathBuf;
use tokio::time::{Instant, timeout_at};

/// The children of one kind, and how many may be at work.
#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) worker: Worker,
    pub(crate) config: ChildConfig,
    nursery: Nursery,
    places: Places,
}

/// A child with its job, its place among those at work, and the instant of its death.
#[derive(Debug)]
pub(crate) struct Engaged {
    pub(crate) child: Child,
    pub(crate) deadline: Instant,
    /// Given back when the child is gone.
    pub(crate) place: Place,
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
            places: Places::new(
                config.running_max,
                config.running_each_max,
                // Shorter than a job waits: nobody is refused for what they sent before.
                config.queue_max.mul_f64(0.8),
            ),
        })
    }

    /// Waits until the walls around the children stand; says which.
    pub(crate) async fn walls(&self) -> Result<Rings, Failure> {
        self.nursery.walls().await
    }

    /// Hands a job of a share to a child that is ready, which is to be killed after `wall`.
    ///
    /// Children that turn out to have ended while they waited are replaced, as many as may have waited.
    pub(crate) async fn engage(
        &self,
        job: &Job,
        share: Share,
        wall: std::time::Duration,
    ) -> Result<Engaged, Failure> {
        let queued_until = Instant::now() + self.config.queue_max;
        let place = self.places.take(share, queued_until).await;
        let mut place = place.ok_or(Failure::Busy(self.worker))?;
        let mut spare = self.config.ready.max(1);
        loop {
            let taken = timeout_at(queued_until, self.nursery.take()).await;
            let mut child = taken.map_err(|_| self.nursery.late())??;
            let deadline = Instant::now() + wall.min(self.config.wall_max);
            place.begin();
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
