//! Destruction of a snapshot: asked for by one, approved by two others, done by destroying its key, and
//! certified. Each step is on record before the next; what a crash cut off is done at the next start.

mod evidence; // what the log says of a key and of what was derived

use crate::{
    Asking, By, Domain, Gateway, Order, Refused,
    certificates::{Place, Uncertified},
    operation::now,
    upkeep::Standing,
    workspace::sweep,
};
use chrono::{DateTime, Utc};
use ledger::Breach;
use manifest::{Certificate, DestroyedKey, Disposition, Method, Object, Taken};
use register::{Command, DestructionRequest, Unlawful};
use std::sync::Arc;
use terms::{
    DatasetName, DerivedEnd, DestructionBasis, Digest, Event, KeyName, KeystoreKind, PersonId,
};

/// How far a request to destroy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destroyed {
    /// How many have approved.
    pub approvals: usize,
    /// The certificate's digest, once it is done.
    pub certificate: Option<Digest>,
}

/// Why a destruction could not be finished. It is taken up again at the next start.
#[derive(Debug, thiserror::Error)]
pub enum Undestroyed {
    /// The ledger did not take it.
    #[error(transparent)]
    Ledger(#[from] Breach),
    /// The keys or the file could not be destroyed.
    #[error("{}: {}", .0.code(), .0)]
    Keys(#[from] vault::Unkept),
    /// It could not be certified.
    #[error(transparent)]
    Certificate(#[from] Uncertified),
    /// The disclosure register could not be read.
    #[error(transparent)]
    Disclosure(#[from] disclosure::Unstored),
    /// What was made of it could not be ended.
    #[error("what was made of it: {0}")]
    Derived(String),
    /// The log does not say what it must.
    #[error("the log does not have {0} on record")]
    Unrecorded(&'static str),
}

impl From<&Undestroyed> for Refused {
    fn from(why: &Undestroyed) -> Self {
        match why {
            Undestroyed::Ledger(why) => Self::from(why),
            _ => {
                tracing::error!(%why, "a destruction was approved and could not be finished");
                Self::internal("gateway.undestroyed")
            }
        }
    }
}

// === impl Gateway ===

impl Gateway {
    /// Puts on record that a snapshot should be destroyed; gives the request's entry.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn request_destruction(
        &self,
        asking: &Asking,
        (dataset, snapshot): (DatasetName, u32),
        basis: DestructionBasis,
    ) -> Result<u64, Refused> {
        let by = self.may(asking, "requestDestruction", None)?;
        let name = snapshot_key(&dataset, snapshot);
        let status = self.domain.keyring.status();
        // What is kept is dropped, not destroyed by itself.
        let is_kept = dataset.schema() == DatasetName::WORKSPACE;
        if is_kept || !status.keys.iter().any(|(known, _)| *known == name) {
            return Err(Refused::invalid(
                "vault.unit-absent",
                "there is no such snapshot.",
                "没有该数据快照。",
            ));
        }
        let mut standing = self.upkeep.standing.lock().await;
        let judged = standing.destructions.judge_request(&dataset, snapshot);
        let judged = judged.and_then(|()| self.destructible(&dataset, snapshot));
        judged.map_err(|why| Refused::from(&why))?;
        let event = Event::DestructionRequested {
            by: by.id,
            dataset,
            snapshot,
            basis,
        };
        let recorded = standing.record(&self.domain.ledger, event, now()).await;
        recorded.map_err(|why| Refused::from(&why))
    }

    /// Approves a request; with the second approval the snapshot is destroyed and certified.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn approve_destruction(
        &self,
        asking: &Asking,
        request: u64,
    ) -> Result<Destroyed, Refused> {
        // Held over judging, recording and destroying, so that two who approve at once are two.
        let mut standing = self.upkeep.standing.lock().await;
        let of = standing.destructions.request(request);
        let requester: Option<PersonId> = of.map(|of| of.by.clone());
        let by = self.may(asking, "approveDestruction", requester.as_ref())?;
        let judged = standing.destructions.judge(request, Some(&by.id));
        let (approvals, is_complete) = judged.map_err(|why| Refused::from(&why))?;
        // Held with the requests, so that nothing is sealed between the approval and its destruction.
        if let Some(of) = standing.destructions.request(request) {
            let judged = self.destructible(&of.dataset, of.snapshot);
            judged.map_err(|why| Refused::from(&why))?;
        }
        let event = Event::DestructionApproved { by: by.id, request };
        let recorded = standing.record(&self.domain.ledger, event, now()).await;
        recorded.map_err(|why| Refused::from(&why))?;
        let certificate = if is_complete {
            let done = destroy(&self.domain, &mut standing, request).await;
            Some(done.map_err(|why| Refused::from(&why))?)
        } else {
            None
        };
        Ok(Destroyed {
            approvals,
            certificate,
        })
    }

    /// That a snapshot is not sealed, nor anything that is kept of it: that would have to go first.
    fn destructible(&self, dataset: &DatasetName, snapshot: u32) -> Result<(), Unlawful> {
        let stands = self.domain.live.read();
        let state = &stands.state;
        state.judge_destructible(dataset, snapshot)?;
        let mut kept = state.kept().filter(|kept| kept.is_of(dataset, snapshot));
        kept.try_for_each(|kept| state.judge_destructible(&kept.stored_as(), kept.number))
    }
}

/// Does what was approved or certified and not finished: a crash came in between. What cannot be finished
/// for what the log says, or for what stands, keeps nobody from the rest of the domain: it is told, and
/// taken up at the next start.
pub(crate) async fn take_up(
    domain: &Arc<Domain>,
    standing: &mut Standing,
) -> Result<(), Undestroyed> {
    let approved: Vec<u64> = standing.destructions.approved().collect();
    for request in approved {
        match destroy(domain, standing, request).await {
            Err(why @ (Undestroyed::Derived(_) | Undestroyed::Unrecorded(_))) => {
                tracing::error!(%why, request, "a destruction is approved and is not done");
            }
            done => drop(done?),
        }
    }
    let certified: Vec<(u64, u64)> = standing.destructions.certified().collect();
    for (request, index) in certified {
        let place = place(domain, request);
        if place.is_unfinished() {
            place.finish::<Certificate>(domain, index)?;
        }
    }
    Ok(())
}

async fn destroy(
    domain: &Arc<Domain>,
    standing: &mut Standing,
    request: u64,
) -> Result<Digest, Undestroyed> {
    let of = standing.destructions.request(request).cloned();
    let of = of.ok_or(Undestroyed::Unrecorded("the request"))?;
    let name = snapshot_key(&of.dataset, of.snapshot);
    // Before anything goes: what is not on record cannot be certified.
    evidence::came_in(domain, &of)?;
    // None comes to stand until the snapshot is gone.
    let _settling = domain.workspace.settling.lock().await;
    end_derived(domain, &of).await?;
    let (store, dataset, number) = (domain.store.clone(), of.dataset.clone(), of.snapshot);
    let erased = tokio::task::spawn_blocking(move || store.destroy(&dataset, number)).await;
    let erased = erased.map_err(|_| Undestroyed::Unrecorded("the end of the erasure"))??;
    domain.record_keys::<Undestroyed>().await?;
    let evidence = evidence::gathered(domain, (request, &of), &name)?;
    let objects = vec![Object {
        name: erased.name,
        sha256: erased.digest.map_or(evidence.loaded, |(digest, _)| digest),
        bytes: erased.digest.map(|(_, bytes)| bytes),
        disposition: "removed after its key was destroyed".to_owned(),
    }];
    let validation = evidence::validated(domain, &of, &name);
    let certificate = certificate(domain, &of, (evidence, objects, validation))?;
    let place = place(domain, request);
    let sealed = place.sign(domain, certificate)?;
    let event = Event::DestructionCertified {
        request,
        certificate: sealed.digest(),
    };
    let index = standing.record(&domain.ledger, event, now()).await?;
    place.finish::<Certificate>(domain, index)?;
    Ok(sealed.digest())
}

/// Destroys every kept result that the snapshot went into, on record first.
async fn end_derived(domain: &Arc<Domain>, of: &DestructionRequest) -> Result<(), Undestroyed> {
    let made_of: Vec<DatasetName> = {
        let stands = domain.live.read();
        let kept = stands.state.kept();
        let made_of = kept.filter(|derived| derived.is_of(&of.dataset, of.snapshot));
        made_of.map(terms::Derived::stored_as).collect()
    };
    for dataset in made_of {
        let order = Order {
            by: By::Clock,
            command: Command::EndDerived {
                dataset,
                end: DerivedEnd::SourceDestroyed,
            },
            sealed: None,
        };
        let ended = domain.carry_out(order).await;
        ended.map_err(|why| Undestroyed::Derived(why.to_string()))?;
    }
    sweep::<Undestroyed>(domain).await
}

fn certificate(
    domain: &Domain,
    of: &DestructionRequest,
    (evidence, objects, validation): (evidence::Evidence, Vec<Object>, Vec<Disposition>),
) -> Result<Certificate, Undestroyed> {
    let stands = domain.live.read();
    let is_token = evidence.key.keystore == KeystoreKind::Pkcs11;
    let degree = if is_token { "purge" } else { "clear" };
    let name = stands.state.name().cloned();
    Ok(Certificate {
        domain: name.ok_or(Undestroyed::Unrecorded("the domain"))?,
        pilot: stands.state.pilot(),
        dataset: of.dataset.clone(),
        snapshot: of.snapshot,
        basis: of.basis,
        steps: evidence.steps,
        method: Method {
            name: "cryptographic-erase".to_owned(),
            degree: degree.to_owned(),
            algorithm: "Parquet AES_GCM_V1, AES-256, footer and every column".to_owned(),
            strength_bits: 256,
        },
        key: evidence.key,
        objects,
        derived: evidence.derived,
        copies: copies(&evidence.copies),
        validation,
        not_covered: NOT_COVERED.map(str::to_owned).to_vec(),
        product: env!("CARGO_PKG_VERSION").to_owned(),
        at: now(),
    })
}

/// Which copies of the key there could be, and what each is worth.
fn copies(on_record: &[(u64, DateTime<Utc>, KeystoreKind)]) -> Vec<Disposition> {
    let worth = |keystore: KeystoreKind| match keystore {
        KeystoreKind::Pkcs11 => "opens nothing: the root key was destroyed in the token",
        KeystoreKind::Unprotected | KeystoreKind::Passphrase => {
            "opens a backup of the data until it is destroyed too: its root key is a file"
        }
    };
    let recorded = on_record.iter().map(|(index, at, keystore)| Disposition {
        of: format!("copy {index} of the keys, made {}", at.format("%Y-%m-%d")),
        is: worth(*keystore).to_owned(),
    });
    let other = Disposition {
        of: "a copy of the folder `keys` that is not on record".to_owned(),
        is: "opens a backup of the data if its root key is a file; the product makes none"
            .to_owned(),
    };
    let backups = Disposition {
        of: "backups of the data".to_owned(),
        is: "hold what was stored as ciphertext, and no key".to_owned(),
    };
    recorded.chain([other, backups]).collect()
}

/// What a certificate cannot say.
const NOT_COVERED: [&str; 4] = [
    "Packages and results that left before are outside the domain's control. / 已离域的数据包和结果不受本域控制。",
    "The file as it was brought in, and its source at the provider. / 原始导入文件及提供方的源数据。",
    "Whether somebody copied plaintext while the data could be read. / 可读期间是否有人复制明文。",
    "Blocks that a disk may keep of what was overwritten or removed. / 磁盘可能保留的旧数据块。",
];

/// Certificates of destruction are named by the entry of the request.
fn place(domain: &Domain, request: u64) -> Place {
    Place::of(domain, &request.to_string())
}

fn snapshot_key(dataset: &DatasetName, number: u32) -> KeyName {
    KeyName::Snapshot {
        dataset: dataset.clone(),
        number,
    }
}

#[cfg(test)]
mod tests;
