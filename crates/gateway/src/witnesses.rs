//! A domain's witnesses: who is asked, how often, and what waits for them.

use crate::{Gateway, config::WitnessConfig};
use chrono::Utc;
use ledger::Ledger;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use terms::Event;
use tokio::{sync::Notify, time::Instant};
use witness::{Cosigned, Policy, Publisher, Submitter, Unwitnessed};

/// How often an export looks for the quorum that it waits for.
const LOOK: Duration = Duration::from_millis(50);
/// How long after one round another may begin that an export asked for.
const ROUND_MIN: Duration = Duration::from_millis(200);

/// How long to wait before publishing is tried again after the log or the disk failed.
const RETRY: Duration = Duration::from_secs(5);

/// The witnesses of a served domain.
#[derive(Debug)]
pub(crate) struct Witnesses {
    publisher: Publisher,
    /// The policy's text, which goes into packages.
    text: String,
    settings: WitnessConfig,
    wanted: Notify,
    lag: RwLock<BTreeMap<String, Lag>>,
}

/// How far a witness is behind.
#[derive(Debug)]
struct Lag {
    size: u64,
    since: Instant,
    told: bool,
}

// === impl Gateway ===

impl Gateway {
    /// Publishes checkpoints to the domain's witnesses; ends only if one of them shows that our key
    /// signed another history.
    pub(crate) async fn publish(&self) -> Unwitnessed {
        let Some(witnesses) = &self.witnesses else {
            return std::future::pending().await;
        };
        loop {
            match witnesses.publish(&self.domain.ledger).await {
                Err(why @ Unwitnessed::RolledBack { .. }) => return why,
                Err(error) => tracing::error!(%error, "checkpoints could not be published"),
                Ok(()) => {}
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

// === impl Witnesses ===

impl Witnesses {
    /// Reads the domain's policy, and compares what its witnesses saw with the log: what is held here,
    /// and what they answer now. A witness that is away says nothing against the domain.
    ///
    /// # Errors
    /// [`Unwitnessed::RolledBack`] if the log is behind, or beside, what its key signed before.
    pub(crate) async fn open(
        dir: &Path,
        settings: &WitnessConfig,
        ledger: &Ledger,
    ) -> Result<Option<Arc<Self>>, Unwitnessed> {
        let Some(file) = &settings.policy else {
            return Ok(None);
        };
        let file = dir.join(file);
        let unreachable = |source| Unwitnessed::Unreachable {
            file: file.clone(),
            source,
        };
        let text = std::fs::read_to_string(&file).map_err(unreachable)?;
        let policy: Policy = text.parse()?;
        if policy.witnesses().is_empty() {
            return Ok(None);
        }
        let log = ledger.reader().verifier().clone();
        let text = if policy.logs().is_empty() {
            format!("log {log}\n{text}")
        } else {
            text
        };
        let authorities = settings.authorities.as_ref().map(|file| dir.join(file));
        let submitter = Submitter::new(authorities.as_deref(), settings.answer_max)?;
        let cosigned = Arc::new(Cosigned::open(dir, log, policy)?);
        let publisher = Publisher::new(Arc::clone(ledger.reader()), cosigned, submitter);
        publisher.stands()?;
        let witnesses = Arc::new(Self {
            publisher,
            text,
            settings: settings.clone(),
            wanted: Notify::new(),
            lag: RwLock::new(BTreeMap::new()),
        });
        witnesses.round().await?;
        Ok(Some(witnesses))
    }

    /// The policy's text, with the log in it.
    pub(crate) fn policy(&self) -> &str {
        &self.text
    }

    /// Publishes until the future is dropped.
    ///
    /// # Errors
    /// [`Unwitnessed::RolledBack`]: our key signed a history that the log does not continue.
    pub(crate) async fn publish(&self, ledger: &Ledger) -> Result<(), Unwitnessed> {
        loop {
            let wanted = self.wanted.notified();
            if tokio::time::timeout(self.settings.interval, wanted)
                .await
                .is_ok()
            {
                tokio::time::sleep(ROUND_MIN).await;
            }
            self.round().await?;
            self.tell_lag(ledger).await?;
        }
    }

    async fn round(&self) -> Result<(), Unwitnessed> {
        for outcome in self.publisher.round().await? {
            match outcome.seen {
                Ok(size) => self.seen(outcome.witness, size),
                Err(why @ Unwitnessed::RolledBack { .. }) => return Err(why),
                Err(why) => {
                    tracing::warn!(witness = outcome.witness, %why, "a witness did not cosign");
                    self.behind(outcome.witness);
                }
            }
        }
        Ok(())
    }

    fn seen(&self, witness: String, size: u64) {
        let lag = Lag {
            size,
            since: Instant::now(),
            told: false,
        };
        let mut lags = self.lag.write().unwrap_or_else(PoisonError::into_inner);
        lags.insert(witness, lag);
    }

    fn behind(&self, witness: String) {
        let mut lags = self.lag.write().unwrap_or_else(PoisonError::into_inner);
        lags.entry(witness).or_insert_with(|| Lag {
            size: 0,
            since: Instant::now(),
            told: false,
        });
    }

    /// Puts on record, once until it cosigns again, that a witness is too far behind.
    async fn tell_lag(&self, ledger: &Ledger) -> Result<(), Unwitnessed> {
        let mut lagging = Vec::new();
        {
            let mut lags = self.lag.write().unwrap_or_else(PoisonError::into_inner);
            for (witness, lag) in lags.iter_mut().filter(|(_, lag)| !lag.told) {
                if lag.since.elapsed() > self.settings.lag_max {
                    lag.told = true;
                    lagging.push((witness.clone(), lag.size));
                }
            }
        }
        for (witness, size) in lagging {
            tracing::error!(witness, size, "a witness lags");
            let event = Event::WitnessLagged { witness, size };
            ledger.append(&event, None, Utc::now()).await?;
        }
        Ok(())
    }

    /// The newest cosigned checkpoint above an entry that is here already, one with the quorum first.
    ///
    /// # Errors
    /// What is held can't be read.
    pub(crate) fn held_above(&self, index: u64) -> Result<Option<String>, Unwitnessed> {
        let cosigned = self.publisher.cosigned();
        let quorum = cosigned.quorum()?;
        if let Some(found) = quorum.filter(|found| found.head.size > index) {
            return Ok(Some(found.note));
        }
        let mut all = cosigned.all()?.into_iter();
        let found = all.find(|one| one.head.size > index);
        Ok(found.map(|one| one.note))
    }

    /// A checkpoint above an entry with the policy's quorum under it, asked for now; none where the
    /// policy wants no witnesses.
    ///
    /// # Errors
    /// [`Unwitnessed::NoQuorum`] if it does not come in time.
    pub(crate) async fn covering(&self, index: u64) -> Result<Option<String>, Unwitnessed> {
        let cosigned = self.publisher.cosigned();
        if !cosigned.policy().demands_witnesses() {
            return Ok(None);
        }
        let until = Instant::now() + self.settings.export_wait_max;
        self.wanted.notify_one();
        loop {
            let quorum = cosigned.quorum()?;
            if let Some(found) = quorum.filter(|found| found.head.size > index) {
                return Ok(Some(found.note));
            }
            if Instant::now() >= until {
                let all = cosigned.all()?;
                let newest = all.into_iter().find(|one| one.head.size > index);
                let by = newest.map(|one| one.by).unwrap_or_default();
                return Err(Unwitnessed::NoQuorum { by });
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
