use crate::Domain;
use ledger::Breach;
use std::sync::Arc;

/// Destroys every kept result that does not stand and is not being made: dropped, expired, or left by a
/// crash before it was on record.
///
/// # Errors
/// The keys', the files', or the ledger's; what is left is found again.
pub(crate) async fn sweep<E>(domain: &Domain) -> Result<(), E>
where
    E: From<Breach> + From<vault::Unkept>,
{
    // INVARIANT (nothing that stands is swept): what is here is listed first, then what is being made,
    // then what stands. A result that was here and is not being made any more stands by then, or never will.
    let mut here = domain.store.kept()?;
    let making = domain.workspace.under_way();
    {
        let stands = domain.live.read();
        here.retain(|result| {
            !making.contains(result) && stands.state.kept_under(&result.0).is_none()
        });
    }
    if here.is_empty() {
        return Ok(());
    }
    tracing::info!(results = here.len(), "kept results are destroyed");
    let store = domain.store.clone();
    let destroyed = tokio::task::spawn_blocking(move || store.destroy_kept(&here)).await;
    destroyed.unwrap_or_else(|broken| {
        let path = domain.dir.join("data");
        let source = std::io::Error::other(broken);
        Err(vault::Unkept::File { path, source })
    })?;
    domain.record_keys::<E>().await
}

/// Why what is kept no longer could not be destroyed yet.
#[derive(Debug, thiserror::Error)]
enum Unswept {
    #[error(transparent)]
    Ledger(#[from] Breach),
    #[error(transparent)]
    Keys(#[from] vault::Unkept),
}

impl Domain {
    /// Destroys what is kept no longer; what cannot be now is at the next start.
    pub(crate) async fn sweep_kept(self: &Arc<Self>) {
        if let Err(error) = sweep::<Unswept>(self).await {
            tracing::error!(%error, "kept results could not be destroyed; they are at the next start");
        }
    }
}
