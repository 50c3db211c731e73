use crate::{Asking, Gateway, Kind, Refused, line::Peer};
use chrono::{DateTime, Utc};
use ledger::CutOff;
use policy::Permit;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use terms::{Action, Told};
use tokio_util::sync::CancellationToken;

/// How long a cut operation may take to let go of its stream before its connection is severed.
const LET_GO_MAX: Duration = Duration::from_millis(300);

/// The code of an operation that was cut off.
pub(crate) const CUT_OFF: &str = "policy.cut-off";

/// The operations under way.
#[derive(Debug, Default)]
pub(crate) struct Leashes {
    held: Mutex<HashMap<u64, Weak<Leash>>>,
    next: AtomicU64,
}

/// What an operation under way hangs by: the permit it began with. When that no longer stands, the leash
/// is cut, and whatever the operation is doing ends. Source: AO-10.
#[derive(Debug)]
pub(crate) struct Leash {
    number: u64,
    leashes: Weak<Leashes>,
    asking: Asking,
    action: Action,
    permit: Arc<Permit>,
    cut: CancellationToken,
    on_record: CutOff,
}

/// What carries an operation on and can be asked for its leash.
pub(crate) trait Leashed {
    /// Its leash.
    fn leash(&self) -> &Arc<Leash>;
}

/// What a caller hears whose operation was cut off.
pub(crate) fn cut_off() -> Refused {
    let told = Told::new(
        "what this operation was granted by no longer stands, so it was ended (AO-10).",
        "该操作所依据的许可已失效，操作已被终止（办法第十条）。",
    );
    Refused::new(CUT_OFF, told, Kind::Denied)
}

// === impl Leash ===

impl Leash {
    /// The permit the operation began with.
    pub(crate) const fn permit(&self) -> &Arc<Permit> {
        &self.permit
    }

    /// What the permit is for.
    pub(crate) const fn action(&self) -> Action {
        self.action
    }

    /// Whether it is cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.is_cancelled()
    }

    /// What tells the ledger how an operation ended that is dropped after it was cut.
    pub(crate) fn on_record(&self) -> CutOff {
        self.on_record.clone()
    }

    /// Does some work of the operation, dropping it the moment the leash is cut.
    ///
    /// # Errors
    /// [`cut_off`].
    pub(crate) async fn hold<F: Future>(&self, work: F) -> Result<F::Output, Refused> {
        tokio::select! {
            biased;
            () = self.cut.cancelled() => Err(cut_off()),
            done = work => Ok(done),
        }
    }

    /// On record first: whoever is dropped by the cut finds it there.
    fn cut(&self) {
        self.on_record.set(CUT_OFF);
        self.cut.cancel();
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        if let Some(leashes) = self.leashes.upgrade() {
            leashes.lock().remove(&self.number);
        }
    }
}

// === impl Leashes ===

impl Leashes {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Weak<Leash>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The leashes that are held. Collected first: the last hold on one may be let go meanwhile, which
    /// takes it off the list.
    fn held(&self) -> Vec<Arc<Leash>> {
        self.lock().values().filter_map(Weak::upgrade).collect()
    }
}

// === impl Gateway ===

impl Gateway {
    /// Begins to hold an operation by the permit of its caller.
    ///
    /// # Errors
    /// [`Refused`], where there is no permit.
    pub(crate) fn leash(&self, asking: &Asking, action: Action) -> Result<Arc<Leash>, Refused> {
        let permit = self.permit(asking, action)?;
        let leash = Arc::new(Leash {
            number: self.leashes.next.fetch_add(1, Ordering::Relaxed),
            leashes: Arc::downgrade(&self.leashes),
            asking: asking.clone(),
            action,
            permit,
            cut: CancellationToken::new(),
            on_record: CutOff::default(),
        });
        self.leashes
            .lock()
            .insert(leash.number, Arc::downgrade(&leash));
        // A change that was announced before the leash was on the list was not held against it.
        let version = self.domain.live.read().state.version();
        if version != leash.permit.register_version() && !self.stands(&leash) {
            return Err(cut_off());
        }
        Ok(leash)
    }

    /// Whether what an operation began with is what its caller would be permitted now.
    pub(crate) fn stands(&self, leash: &Leash) -> bool {
        let permit = self.permit(&leash.asking, leash.action);
        permit.is_ok_and(|permit| permit.stands_as(&leash.permit))
    }

    /// Cuts off every operation whose permit no longer stands.
    pub(crate) fn cut_off(&self) {
        self.cut_those(|leash| !self.stands(leash));
    }

    /// Cuts off every operation whose permit is over.
    pub(crate) fn cut_off_expired(&self, at: DateTime<Utc>) {
        self.cut_those(|leash| leash.permit.expires() <= at);
    }

    fn cut_those(&self, falls: impl Fn(&Leash) -> bool) {
        let mut cut: Vec<(Weak<Leash>, Peer)> = Vec::new();
        for leash in self.leashes.held() {
            if !leash.is_cut() && falls(&leash) {
                leash.cut();
                cut.push((Arc::downgrade(&leash), leash.asking.peer.clone()));
            }
        }
        if cut.is_empty() {
            return;
        }
        tracing::warn!(operations = cut.len(), "operations were cut off");
        tokio::spawn(async move {
            tokio::time::sleep(LET_GO_MAX).await;
            for (leash, peer) in cut {
                // Its stream waits for a slow reader, or its last bytes do.
                if leash.strong_count() > 0 || peer.is_backed_up() {
                    peer.sever();
                }
            }
        });
    }

    /// Cuts off whatever no longer stands, each time something else stands. Never ends by itself.
    pub(crate) async fn keep_cutting_off(&self, after: impl Fn()) {
        let mut versions = self.domain.live.versions();
        // The sender lives as long as the domain.
        while versions.changed().await.is_ok() {
            self.cut_off();
            after();
        }
    }
}

#[cfg(test)]
mod tests;
