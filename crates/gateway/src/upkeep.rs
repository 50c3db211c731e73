//! What is done to the log itself, each step by who may and on record first: sealed texts are read,
//! redacted or expire; old entries are pruned.

use crate::{Asking, Domain, Gateway, Kind, Refused, Unopened, operation::now};
use chrono::{DateTime, Utc};
use ledger::{Breach, Ledger, Promises, Pruned};
use policy::Refusal;
use register::{Approval, Destructions, Redactions};
use std::sync::Arc;
use terms::{Channel, Event, Person, PersonId, ReadingPurpose, RedactionBasis};
use tokio::sync::Mutex;

/// What stands of retention and redaction, folded from the log.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pub(crate) standing: Arc<Mutex<Standing>>,
}

/// Requests, and how long is kept.
#[derive(Debug)]
pub(crate) struct Standing {
    redactions: Redactions,
    pub(crate) destructions: Destructions,
    promises: Promises,
}

// === impl Upkeep ===

impl Upkeep {
    /// Finishes what is on record and was not done: a crash came in between.
    pub(crate) async fn take_up(
        domain: &Arc<Domain>,
        (redactions, destructions, promises): (Redactions, Destructions, Promises),
        at: DateTime<Utc>,
    ) -> Result<Self, Unopened> {
        let ledger = &domain.ledger;
        let mut standing = Standing {
            redactions,
            destructions,
            promises,
        };
        ledger.carry_out()?;
        let approved: Vec<_> = standing.redactions.approved().collect();
        for (request, entry) in approved {
            standing.redact(ledger, (request, entry), at).await?;
        }
        crate::destruction::take_up(domain, &mut standing).await?;
        let retention = domain.config.retention;
        if standing.promises.in_force() != Some(&retention) {
            let event = Event::RetentionSet { retention };
            standing.record(ledger, event, at).await?;
        }
        Ok(Self {
            standing: Arc::new(Mutex::new(standing)),
        })
    }
}

// === impl Standing ===

impl Standing {
    fn apply(&mut self, index: u64, event: &Event, at: DateTime<Utc>) {
        self.redactions.apply(index, event);
        self.destructions.apply(index, event);
        self.promises.apply(event, at);
    }

    /// Puts an event on record, and lets it stand.
    pub(crate) async fn record(
        &mut self,
        ledger: &Ledger,
        event: Event,
        at: DateTime<Utc>,
    ) -> Result<u64, Breach> {
        let index = ledger.append(&event, None, at).await?.index;
        self.apply(index, &event, at);
        Ok(index)
    }

    async fn redact(
        &mut self,
        ledger: &Ledger,
        (request, entry): (u64, u64),
        at: DateTime<Utc>,
    ) -> Result<(), Breach> {
        let index = ledger.redact(request, entry, at).await?.index;
        self.apply(index, &Event::TextRedacted { request, entry }, at);
        Ok(())
    }
}

// === impl Gateway ===

impl Gateway {
    /// Opens the sealed text of an entry for somebody who may read it. That they did is durable
    /// before the text is handed over; with it comes the entry that says so.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn read_sealed(
        &self,
        asking: &Asking,
        entry: u64,
        purpose: ReadingPurpose,
    ) -> Result<(Vec<u8>, u64), Refused> {
        let by = self.may(asking, "readSealed", None)?;
        let text = self.text(entry)?;
        let event = Event::SealedRead {
            by: by.id,
            entry,
            purpose,
        };
        let mut standing = self.upkeep.standing.lock().await;
        let recorded = standing.record(&self.domain.ledger, event, now()).await;
        Ok((text, recorded.map_err(|why| Refused::from(&why))?))
    }

    /// Puts on record that the sealed text of an entry should be destroyed; gives the request's entry.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn request_redaction(
        &self,
        asking: &Asking,
        entry: u64,
        basis: RedactionBasis,
    ) -> Result<u64, Refused> {
        let by = self.may(asking, "requestRedaction", None)?;
        drop(self.text(entry)?);
        let event = Event::RedactionRequested {
            by: by.id,
            entry,
            basis,
        };
        let mut standing = self.upkeep.standing.lock().await;
        let recorded = standing.record(&self.domain.ledger, event, now()).await;
        recorded.map_err(|why| Refused::from(&why))
    }

    /// Approves a request; with the second approval the text is destroyed.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn approve_redaction(
        &self,
        asking: &Asking,
        request: u64,
    ) -> Result<Approval, Refused> {
        // Held over judging, recording and destroying, so that two who approve at once are two.
        let mut standing = self.upkeep.standing.lock().await;
        let requester = standing.redactions.requester(request).cloned();
        let by = self.may(asking, "approveRedaction", requester.as_ref())?;
        let approval = standing.redactions.judge(request, Some(&by.id));
        let approval = approval.map_err(|why| Refused::from(&why))?;
        let prunable = self.domain.live.read().state.judge_prunable();
        prunable.map_err(|why| Refused::from(&why))?;
        let event = Event::RedactionApproved { by: by.id, request };
        let ledger = &self.domain.ledger;
        let done = async {
            standing.record(ledger, event, now()).await?;
            if approval.is_complete {
                let which = (request, approval.entry);
                standing.redact(ledger, which, now()).await?;
            }
            Ok(approval)
        };
        done.await.map_err(|why: Breach| Refused::from(&why))
    }

    /// Prunes the entries whose time is over.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn prune(&self, asking: &Asking) -> Result<Pruned, Refused> {
        let by = self.may(asking, "pruneLog", None)?;
        let standing = self.upkeep.standing.lock().await;
        let prunable = self.domain.live.read().state.judge_prunable();
        prunable.map_err(|why| Refused::from(&why))?;
        let ledger = &self.domain.ledger;
        // What has expired goes first, keys and all.
        let done = async {
            ledger.expire(&standing.promises, now()).await?;
            ledger.prune(&by.id, &standing.promises, now()).await
        };
        done.await.map_err(|why: Breach| Refused::from(&why))
    }

    /// Destroys the sealed texts whose time is over.
    pub(crate) async fn expire(&self) {
        let standing = self.upkeep.standing.lock().await;
        // What is on record of sealed data is kept, and no text says by itself what it is about.
        if self.domain.live.read().state.seals().stand() {
            return;
        }
        let expired = self.domain.ledger.expire(&standing.promises, now()).await;
        match expired {
            Ok(0) => {}
            Ok(texts) => tracing::info!(texts, "sealed texts expired"),
            Err(error) => tracing::error!(code = error.code(), %error, "texts could not expire"),
        }
    }

    /// Proves a caller and asks the policies, for a step that is taken inside the domain alone.
    pub(crate) fn may(
        &self,
        asking: &Asking,
        action: &'static str,
        submitter: Option<&PersonId>,
    ) -> Result<Person, Refused> {
        let caller = self.prove(asking)?;
        if caller.channel() != Channel::Domain {
            return Err(Refused::from(&Refusal::ActionNotPermitted(action)));
        }
        let managed = self
            .domain
            .engine
            .manage(caller.person(), action, submitter);
        managed.map_err(|why| Refused::from(&why))?;
        Ok(caller.person().clone())
    }

    /// The sealed text of an entry.
    fn text(&self, entry: u64) -> Result<Vec<u8>, Refused> {
        let none = || {
            let told = terms::Told::new(
                "the entry has no sealed text, or it was destroyed.",
                "该条目没有密封内容，或其内容已销毁。",
            );
            Refused::new("ledger.no-text", told, Kind::Invalid)
        };
        match self.domain.ledger.reader().sealed(entry) {
            Ok(text) => text.ok_or_else(none),
            Err(Breach::Absent { .. }) => Err(none()),
            Err(why) => Err(Refused::from(&why)),
        }
    }
}
