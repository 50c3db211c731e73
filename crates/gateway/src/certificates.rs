//! What the domain certifies, laid into a folder: signed first, put on record, then given its proof and its
//! name. A folder that has its name holds a whole certificate.

use crate::Domain;
use backup::{Unbacked, open_plain};
use ledger::Breach;
use manifest::{Broken, Certifies, SealedCertificate};
use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

/// Where certificates are, in a domain's folder: one folder each.
pub(crate) const FOLDER: &str = "certificates";

/// Why something could not be certified. It is taken up again at the next start.
#[derive(Debug, thiserror::Error)]
pub enum Uncertified {
    /// The ledger did not take it.
    #[error(transparent)]
    Ledger(#[from] Breach),
    /// The certificate could not be signed.
    #[error("the certificate: {0}")]
    Signature(#[from] Broken),
    /// The certificate could not be written.
    #[error("`{}` could not be written: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The log does not say what it must.
    #[error("the log does not have {0} on record")]
    Unrecorded(&'static str),
}

/// A certificate's folder, while it is made and when it is whole.
#[derive(Debug)]
pub(crate) struct Place {
    part: PathBuf,
    whole: PathBuf,
}

// === impl Place ===

impl Place {
    /// The place of the certificate of this name.
    pub(crate) fn of(domain: &Domain, name: &str) -> Self {
        let all = domain.dir.join(FOLDER);
        Self {
            part: all.join(format!("{name}.part")),
            whole: all.join(name),
        }
    }

    /// The folder, once it is whole.
    #[cfg(test)]
    pub(crate) fn whole(&self) -> &Path {
        &self.whole
    }

    /// The files of a whole certificate: plain ones of its own folder, whatever a link says.
    pub(crate) fn files(&self, dir: &Path) -> Result<Vec<(String, Vec<u8>)>, Unbacked> {
        let failed = |source| Unbacked::File {
            path: self.whole.clone(),
            source,
        };
        let folder = self.whole.file_name().unwrap_or_default().to_string_lossy();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.whole).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_string_lossy().into_owned();
            let path = format!("{FOLDER}/{folder}/{name}");
            if let Some(mut file) = open_plain(dir, &path)? {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).map_err(failed)?;
                files.push((name, bytes));
            }
        }
        files.sort();
        Ok(files)
    }

    /// Whether a crash left it without its name.
    pub(crate) fn is_unfinished(&self) -> bool {
        !self.whole.exists() && self.part.exists()
    }

    /// Signs a certificate and lays it down, durable, so that it can be put on record.
    pub(crate) fn sign<C: Certifies>(
        &self,
        domain: &Domain,
        certificate: C,
    ) -> Result<SealedCertificate<C>, Uncertified> {
        let sealed = SealedCertificate::seal(certificate, &policy(domain), &domain.manifest_key)?;
        write(&self.part, &[(C::FILE, sealed.bytes().to_vec())])?;
        Ok(sealed)
    }

    /// Writes the proof beside a certificate that is on record, and gives its folder its name.
    pub(crate) fn finish<C: Certifies>(
        &self,
        domain: &Domain,
        index: u64,
    ) -> Result<(), Uncertified> {
        let file = self.part.join(C::FILE);
        let bytes =
            std::fs::read(&file).map_err(|source| Uncertified::File { path: file, source })?;
        let sealed = SealedCertificate::<C>::from_bytes(bytes);
        let (leaf, proof) = (domain.ledger.leaf(index)?, domain.ledger.prove(index)?);
        let files = sealed.recorded(&policy(domain), (&leaf, &proof))?;
        write(&self.part, &files)?;
        let renamed = std::fs::rename(&self.part, &self.whole);
        renamed.map_err(|source| Uncertified::File {
            path: self.whole.clone(),
            source,
        })
    }
}

/// Writes files into a folder of their own, durable before it returns.
fn write(folder: &Path, files: &[(&'static str, Vec<u8>)]) -> Result<(), Uncertified> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| Uncertified::File { path, source }
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

/// The policy that names the domain's log.
pub(crate) fn policy(domain: &Domain) -> String {
    format!("log {}\nquorum none\n", domain.ledger.reader().verifier())
}
