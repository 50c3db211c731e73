use ledger::Stored;
use manifest::Approvals;
use register::State;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::{RwLockWriteGuard, watch};

/// What stands, while the gateway runs: many readers, one writer at a time.
///
/// INVARIANT (ledger first, then it stands): what is taken in here is durable already.
#[derive(Debug)]
pub struct Live {
    stands: RwLock<Stands>,
    version: watch::Sender<u64>,
    /// Held by the writer from judging until what was judged stands.
    order: tokio::sync::RwLock<()>,
}

/// All that is folded from the log for deciding and telling.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Stands {
    /// People, operators, catalogue, licences, scenarios.
    pub state: State,
    /// Who brought licences and scenarios to stand.
    pub approvals: Approvals,
}

/// The right to change what stands: one command at a time.
#[derive(Debug)]
pub(crate) struct Turn<'a>(
    #[expect(dead_code, reason = "held, not read")] RwLockWriteGuard<'a, ()>,
);

/// Leaves nothing standing if folding panics half-way: then nobody is known, and all is refused.
struct Folding<'a> {
    stands: &'a mut Stands,
    is_whole: bool,
}

// === impl Live ===

impl Live {
    pub(crate) fn new(stands: Stands) -> Self {
        let (version, _) = watch::channel(stands.state.version());
        Self {
            stands: RwLock::new(stands),
            version,
            order: tokio::sync::RwLock::default(),
        }
    }

    /// What stands now. Not to be held while something else is waited for, nor asked for twice at once.
    pub fn read(&self) -> RwLockReadGuard<'_, Stands> {
        self.stands.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells each new version of the register.
    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Waits for the right to change what stands.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        Turn(self.order.write().await)
    }

    /// Waits until whatever was on its way to the log when this was called stands, or was refused: what
    /// is decided after an entry is then decided by all that stands before it.
    pub(crate) async fn settled(&self) {
        drop(self.order.read().await);
    }

    /// Takes in an entry that is durable. It is announced when the turn ends.
    pub(crate) fn apply(&self, _turn: &Turn<'_>, stored: &Stored) {
        let mut stands = self.stands.write().unwrap_or_else(PoisonError::into_inner);
        let mut folding = Folding {
            stands: &mut stands,
            is_whole: false,
        };
        folding.stands.apply(stored);
        folding.is_whole = true;
    }

    /// Tells everybody who waits that something else stands now.
    pub(crate) fn announce(&self) {
        let version = self.read().state.version();
        self.version.send_if_modified(|known| {
            let is_new = *known != version;
            *known = version;
            is_new
        });
    }
}

// === impl Stands ===

impl Stands {
    pub(crate) fn apply(&mut self, stored: &Stored) {
        self.state.apply(&stored.event);
        self.approvals.apply(stored);
    }
}

// === impl Folding ===

impl Drop for Folding<'_> {
    fn drop(&mut self) {
        if !self.is_whole {
            *self.stands = Stands::default();
        }
    }
}
