//! Destruction of a snapshot: asked for by one, approved by two others, done by destroying its key, and
//! certified. Each step is on record before the next; what a crash cut off is done at the next start.

mod evidence; // what the log says of a key and of what was derived

use crate::{Asking, Domain, Gateway, Refused, operation::now, upkeep::Standing};
use chrono::{DateTime, Utc};
use ledger::Breach;
use manifest::{Broken, CERTIFICATE_FILE, Certificate, DestroyedKey, Method, Object};
use manifest::{Disposition, SealedCertificate, Taken};
use register::DestructionRequest;
use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};
use terms::{DatasetName, DestructionBasis, Digest, Event, KeyName, KeystoreKind, PersonId};

/// Where certificates are, in a domain's folder: one folder each, named by the entry of its request.
pub(crate) const FOLDER: &str = "certificates";

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
    /// The certificate could not be signed.
    #[error("the certificate: {0}")]
    Certificate(#[from] Broken),
    /// The certificate could not be written.
    #[error("`{}` could not be written: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The disclosure register could not be read.
    #[error(transparent)]
    Disclosure(#[from] disclosure::Unstored),
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
        if !status.keys.iter().any(|(known, _)| *known == name) {
            return Err(Refused::invalid(
                "vault.unit-absent",
                "there is no such snapshot.",
                "没有该数据快照。",
            ));
        }
        let mut standing = self.upkeep.standing.lock().await;
        let judged = standing.destructions.judge_request(&dataset, snapshot);
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
}

/// Does what was approved or certified and not finished: a crash came in between.
pub(crate) async fn take_up(domain: &Domain, standing: &mut Standing) -> Result<(), Undestroyed> {
    let approved: Vec<u64> = standing.destructions.approved().collect();
    for request in approved {
        destroy(domain, standing, request).await?;
    }
    let certified: Vec<(u64, u64)> = standing.destructions.certified().collect();
    for (request, index) in certified {
        let part = part(&domain.dir, request);
        if !folder(&domain.dir, request).exists() && part.exists() {
            finish(domain, request, index)?;
        }
    }
    Ok(())
}

async fn destroy(
    domain: &Domain,
    standing: &mut Standing,
    request: u64,
) -> Result<Digest, Undestroyed> {
    let of = standing.destructions.request(request).cloned();
    let of = of.ok_or(Undestroyed::Unrecorded("the request"))?;
    let name = snapshot_key(&of.dataset, of.snapshot);
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
    let policy = policy(domain);
    let sealed = certificate.seal(&policy, &domain.manifest_key)?;
    let part = part(&domain.dir, request);
    write(&part, &[(CERTIFICATE_FILE, sealed.bytes().to_vec())])?;
    let event = Event::DestructionCertified {
        request,
        certificate: sealed.digest(),
    };
    let index = standing.record(&domain.ledger, event, now()).await?;
    finish(domain, request, index)?;
    Ok(sealed.digest())
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
        is: "opens a backup of the data if its root key is a file; the product makes none".to_owned(),
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

/// Writes the proof beside a certificate that is on record, and gives its folder its name.
fn finish(domain: &Domain, request: u64, index: u64) -> Result<(), Undestroyed> {
    let part = part(&domain.dir, request);
    let file = part.join(CERTIFICATE_FILE);
    let bytes = std::fs::read(&file).map_err(|source| Undestroyed::File { path: file, source })?;
    let sealed = SealedCertificate::from_bytes(bytes);
    let (leaf, proof) = (domain.ledger.leaf(index)?, domain.ledger.prove(index)?);
    let files = sealed.recorded(&policy(domain), (&leaf, &proof))?;
    write(&part, &files)?;
    let whole = folder(&domain.dir, request);
    let renamed = std::fs::rename(&part, &whole);
    renamed.map_err(|source| Undestroyed::File {
        path: whole,
        source,
    })
}

/// Writes files into a folder of their own, durable before it returns.
fn write(folder: &Path, files: &[(&'static str, Vec<u8>)]) -> Result<(), Undestroyed> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| Undestroyed::File { path, source }
    };
    std::fs::create_dir_all(folder).map_err(file(folder))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(file(&path))?;
    }
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(file(folder))
}

fn policy(domain: &Domain) -> String {
    format!("log {}\nquorum none\n", domain.ledger.reader().verifier())
}

fn folder(dir: &Path, request: u64) -> PathBuf {
    dir.join(FOLDER).join(request.to_string())
}

fn part(dir: &Path, request: u64) -> PathBuf {
    dir.join(FOLDER).join(format!("{request}.part"))
}

fn snapshot_key(dataset: &DatasetName, number: u32) -> KeyName {
    KeyName::Snapshot {
        dataset: dataset.clone(),
        number,
    }
}

#[cfg(test)]
mod tests;
