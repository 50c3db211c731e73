//! The way of one query, top to bottom:
//! prove → open → permit → plan → confine → decide → run → admit → clear → close.

mod aim; // what a result is for
mod stages; // each stage as the gateway calls it
mod prepared; // a planned statement with its parameters
mod metering; // what a running statement scans and masks
mod debit; // what statements and their failures cost a licence
mod running; // granted, running, closed
mod ended; // how an entry ends that releases nothing
mod proof; // the log's proof of an operation
mod told; // what a caller reads of it

pub use self::{
    aim::Aim,
    prepared::Prepared,
    running::{Granted, Running},
};

pub(crate) use self::running::Closed;

use self::{
    ended::{changed, fail, looked, refuse, refuse_decided},
    stages::{bound, untyped},
    told::explained,
};
use crate::{
    Administration, Domain, Peer, Refused, Unopened,
    leash::{Leash, Leashes},
    snapshot,
    unlock::Secrets,
    upkeep::Upkeep,
    witnesses::Witnesses,
};
use chrono::{DateTime, Utc};
use confine::{Confined, Table, catalogue};
use dispatch::{Planned, Pool};
use ledger::{Decided, SystemClock};
use plan::Literal;
use policy::Permit;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use terms::{Action, Channel, Event, ProductId};
use tracing::Instrument;

/// Who calls, as the connection says.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The other end of the connection.
    pub peer: Peer,
    /// The listener.
    pub channel: Channel,
    /// The scenario the header names.
    pub scenario: Option<String>,
    /// The product whose results alone are asked for: the permit is then for its plan and nothing else.
    pub product: Option<ProductId>,
}

/// A domain that is served.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) domain: Arc<Domain>,
    pub(crate) witnesses: Option<Arc<Witnesses>>,
    pub(crate) leashes: Arc<Leashes>,
    pool: Pool,
    strangers: AtomicU64,
    searches: proof::Searches,
    pub(crate) upkeep: Upkeep,
}

impl Asking {
    /// The leaf certificate, DER, as TLS verified it.
    #[must_use]
    pub fn certificate(&self) -> Option<&[u8]> {
        self.peer.certificate()
    }
}

pub(crate) fn now() -> DateTime<Utc> {
    ledger::Clock::now(&SystemClock)
}

/// Waits for the walls around the children.
async fn walled(pool: &Pool) -> Result<(), Unopened> {
    let walls = pool.walls().await.map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        Unopened::Pool(format!("{error}{}", cause.unwrap_or_default()))
    });
    walls.map(drop)
}

impl Gateway {
    /// Opens a domain and starts its children, with the program that becomes planners and runners.
    /// Needs a runtime's context.
    ///
    /// # Errors
    /// [`Unopened`].
    pub async fn open(
        dir: &Path,
        program: PathBuf,
        secrets: &Secrets,
    ) -> Result<Arc<Self>, Unopened> {
        let domain = Arc::new(Domain::open(dir, secrets)?);
        domain.judge_keystore()?;
        let pool = Pool::new(domain.config.pool(program));
        let pool = pool.map_err(|error| Unopened::Pool(error.to_string()))?;
        let witnesses = Witnesses::open(dir, &domain.config.witness, &domain.ledger).await?;
        let left = domain
            .left()
            .ok_or_else(|| Unopened::InUse(dir.to_owned()))?;
        domain.ledger.abandon(left.unfinished, now())?;
        let standing = (left.redactions, left.destructions, left.promises);
        let upkeep = Upkeep::take_up(&domain, standing, now()).await?;
        domain.take_up_certificates().await?;
        crate::external::take_up(&domain).await?;
        walled(&pool).await?;
        crate::workspace::sweep::<Unopened>(&domain).await?;
        domain.record_unlocking().await?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let started = Event::GatewayStarted {
            version,
            policies: domain.engine.digest(),
            register: Some(domain.live.read().state.digest()),
        };
        domain.ledger.append(&started, None, now()).await?;
        if let Some(why) = domain.engine.unusable() {
            tracing::error!(%why, "the policies cannot be used; everything is refused");
        }
        Ok(Arc::new(Self {
            domain,
            witnesses,
            leashes: Arc::default(),
            pool,
            strangers: AtomicU64::new(0),
            searches: proof::Searches::default(),
            upkeep,
        }))
    }

    /// The children that plan and run.
    pub(crate) const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// What the register's steps need done beside them.
    pub(crate) fn administration(&self) -> Administration {
        Administration::of(Arc::clone(&self.domain), self.pool.clone())
    }

    /// Tells staff which walls stand around the children, and why others do not.
    pub(crate) async fn tell_walls(&self) {
        let walls = self.pool.walls().await;
        for (worker, rings) in walls.into_iter().flatten() {
            if rings.up().len() == dispatch::Ring::ALL.len() {
                tracing::info!(%worker, %rings, "all walls stand");
            } else {
                tracing::warn!(%worker, %rings, "not all walls stand; `jail_required` makes them a condition");
            }
        }
    }

    /// Plans and decides a statement; what is granted is on record when this returns.
    ///
    /// # Errors
    /// [`Refused`], on record too where the caller is somebody.
    pub async fn grant(&self, asking: &Asking, sql: &str, aim: Aim) -> Result<Granted, Refused> {
        let planning = async |permit: &Permit| self.plan(permit, sql).await;
        self.granted(asking, sql, aim, planning).await
    }

    /// Decides a prepared statement with its parameters bound.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn grant_prepared(
        &self,
        asking: &Asking,
        prepared: &Prepared,
        values: Vec<Literal>,
    ) -> Result<Granted, Refused> {
        let binding = async |_: &Permit| {
            let draft = bound(&prepared.draft, &values)?;
            Ok(Planned { draft, cpu_us: 0 })
        };
        self.granted(asking, &prepared.sql, Aim::Query, binding)
            .await
    }

    async fn granted(
        &self,
        asking: &Asking,
        sql: &str,
        aim: Aim,
        drafting: impl AsyncFnOnce(&Permit) -> Result<Planned, Refused>,
    ) -> Result<Granted, Refused> {
        let (entry, opened) = self.open_entry(asking, sql, aim.recorded()).await?;
        let (entry, leash) = self.leashed(entry, asking, aim.permitted()).await?;
        let granting = async {
            let permit = Arc::clone(leash.permit());
            let confined = async {
                let Planned { draft, cpu_us } = drafting(&permit).await?;
                Ok((self.confined_for(permit, draft, aim)?, cpu_us))
            };
            match confined.await {
                Ok((confined, cpu_us)) => {
                    let since = (opened, cpu_us);
                    self.decide(entry, confined, &leash, since).await
                }
                Err(refused) => Err(refuse(entry, refused).await),
            }
        };
        leash.hold(granting).await?
    }

    /// Plans a statement for a prepared handle; its schema is that of the confined plan with its
    /// parameters absent.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn draft(&self, asking: &Asking, sql: &str) -> Result<Prepared, Refused> {
        let (entry, _) = self.open_entry(asking, sql, Action::Explain).await?;
        let (entry, leash) = self.leashed(entry, asking, Action::Query).await?;
        let preparing = async {
            match self.prepared(&leash, sql).await {
                Ok((confined, prepared)) => {
                    let decided = self.decided(entry, &confined).await?;
                    looked(decided).await?;
                    Ok(prepared)
                }
                Err(refused) => Err(refuse(entry, refused).await),
            }
        };
        leash.hold(preparing).await?
    }

    async fn prepared(
        &self,
        leash: &Arc<Leash>,
        sql: &str,
    ) -> Result<(Confined, Prepared), Refused> {
        let permit = Arc::clone(leash.permit());
        let Planned { draft, .. } = self.plan(&permit, sql).await?;
        let parameters = draft.parameters().map_err(|_| untyped())?;
        let absent: Vec<Literal> = parameters.iter().map(|t| Literal::Null(*t)).collect();
        let confined = self.confined(permit, bound(&draft, &absent)?)?;
        let schema = egress::schema(&confined).map_err(|why| Refused::from(&why))?;
        let prepared = Prepared {
            draft,
            sql: sql.to_owned(),
            parameters,
            values: Vec::new(),
            schema,
            leash: Arc::clone(leash),
        };
        Ok((confined, prepared))
    }

    /// Runs what was granted. The caller is proved again, and the grant must still stand.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn run(&self, asking: &Asking, granted: Granted) -> Result<Running, Refused> {
        let leash = Arc::clone(&granted.leash);
        leash.hold(self.running(asking, granted)).await?
    }

    async fn running(&self, asking: &Asking, granted: Granted) -> Result<Running, Refused> {
        let Granted {
            confined,
            decided,
            leash,
            planner_us,
            ..
        } = granted;
        let permit = Arc::clone(confined.permit());
        let stands = self.permit(asking, leash.action()).and_then(|now_permit| {
            if now_permit.stands_as(&permit) {
                Ok(())
            } else {
                Err(changed())
            }
        });
        if let Err(refused) = stands {
            return Err(refuse_decided(decided, refused).await);
        }
        if let Err(refused) = self.domain.debit_query(&permit).await {
            return Err(refuse_decided(decided, refused).await);
        }
        let (keys, scanned) = match self.sources(&confined, planner_us) {
            Ok(sources) => sources,
            Err(refused) => return Err(fail(decided, refused).await),
        };
        let Ok(lease) = (permit.expires() - now()).to_std() else {
            return Err(refuse_decided(decided, changed()).await);
        };
        let span = tracing::info_span!("dispatch.run", query = %decided.query());
        let outcome = self
            .pool
            .run(confined, decided, keys, lease)
            .instrument(span)
            .await;
        let admitted = match outcome {
            Ok(outcome) => {
                let span = tracing::info_span!("disclosure.admit");
                let register = Arc::clone(&self.domain.disclosure);
                register.admitted(outcome).instrument(span).await
            }
            Err(stopped) => {
                self.domain.debit_stopped(&permit, &stopped.failure).await?;
                return Err(fail(stopped.decided, Refused::from(&stopped.failure)).await);
            }
        };
        match admitted {
            Ok(admitted) => match self.cleared(admitted).await? {
                Ok(clearing) => {
                    let domain = Arc::clone(&self.domain);
                    Ok(Running::new((clearing, scanned), leash, domain))
                }
                Err(stopped) => {
                    let (withheld, decided) = *stopped;
                    Err(fail(decided, Refused::from(&withheld)).await)
                }
            },
            Err(stopped) => {
                let disclosure::Stopped { cause, decided } = *stopped;
                if let disclosure::Cause::Denied(denied) = &cause {
                    if let disclosure::Denied::Conflict { pool, .. } = denied {
                        self.conflicted(pool, &decided).await?;
                    }
                    return Err(refuse_decided(decided, Refused::from(&cause)).await);
                }
                self.domain.debit_failure(&permit).await?;
                Err(fail(decided, Refused::from(&cause)).await)
            }
        }
    }

    /// Begins to clear what was admitted; where not all of it may leave exactly, that is on record first.
    async fn cleared(
        &self,
        admitted: disclosure::Admitted,
    ) -> Result<Result<egress::Clearing, Box<(egress::Withheld, Decided)>>, Refused> {
        if let Some(pool) = admitted.conflict() {
            self.conflicted(pool, admitted.decided()).await?;
        }
        Ok(match admitted.confined().kept() {
            None => egress::clear(admitted),
            Some(_) => egress::keep(admitted, self.domain.config.workspace.bytes_max),
        })
    }

    /// Puts on record with what a release conflicts, for security staff.
    async fn conflicted(&self, pool: &disclosure::Pool, decided: &Decided) -> Result<(), Refused> {
        let event = Event::ReleaseConflicted {
            query: decided.query().clone(),
            dataset: pool.dataset.clone(),
            snapshot: pool.snapshot,
            measure: pool.measure.as_ref().map(|(_, item)| item.clone()),
        };
        let recorded = self.domain.ledger.append(&event, None, now()).await;
        recorded.map(|_| ()).map_err(|why| Refused::from(&why))
    }

    /// The tables and columns the caller sees.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn tables(&self, asking: &Asking) -> Result<Vec<Table>, Refused> {
        Ok(catalogue(&*self.permit(asking, Action::Query)?))
    }

    /// The decision alone, in words and figures, without touching data.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn explain(&self, asking: &Asking, sql: &str) -> Result<serde_json::Value, Refused> {
        let granted = self.grant(asking, sql, Aim::Explain).await?;
        let told = explained(&granted.confined);
        looked(granted.decided).await?;
        Ok(told)
    }

    /// Counts a connection without a valid certificate.
    pub fn stranger(&self) {
        self.strangers.fetch_add(1, Ordering::Relaxed);
    }

    /// Records the strangers counted since the last time, if any.
    pub(crate) async fn count_strangers(&self) {
        let calls = self.strangers.swap(0, Ordering::Relaxed);
        if calls > 0 {
            let event = Event::StrangersCounted { calls };
            if let Err(error) = self.domain.ledger.append(&event, None, now()).await {
                tracing::error!(code = error.code(), "strangers could not be recorded");
            }
        }
    }

    /// Ends in order.
    pub async fn shutdown(&self) {
        self.count_strangers().await;
        snapshot::keep_aside(&self.domain).await;
    }
}

#[cfg(test)]
mod tests;
