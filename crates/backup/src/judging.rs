use crate::list::Listed;
use crate::{Shelf, Unbacked, Uncounted};
use ledger::NoteVerifier;
use terms::Digest;
use vault::BackupKey;

/// Whose backups go onto a shelf.
pub struct Owner<'a> {
    /// What opens their lists.
    pub key: &'a BackupKey,
    /// What the log's heads are signed with.
    pub verifier: &'a NoteVerifier,
    /// The root of the log's first entries; none where it has fewer.
    pub root: &'a dyn Fn(u64) -> Option<Digest>,
}

/// Judges whether a domain's backups may go onto a shelf; gives what stands there and does not count.
///
/// A list counts if it opens under the domain's key: what anybody else puts there neither stops a backup
/// nor makes one go.
///
/// # Errors
/// [`Unbacked::OtherHistory`] where a list of the domain is of a log that ours does not continue, since
/// that one would be taken for the newer; [`Unbacked::Foreign`] where another domain's lists are there and
/// none of ours; the shelf's.
pub fn judge(shelf: &dyn Shelf, owner: &Owner<'_>) -> Result<Vec<Uncounted>, Unbacked> {
    let (mut uncounted, mut foreign, mut is_ours) = (Vec::new(), None, false);
    let here = owner.verifier.name();
    let mut judged = |listed: Result<Listed, Uncounted>| {
        let listed = match listed {
            Ok(listed) => listed,
            Err(other) => {
                uncounted.push(other);
                return Ok(());
            }
        };
        let header = &listed.header;
        let signed = header.signed(owner.verifier);
        let (true, Some(signed)) = (listed.open(owner.key).is_ok(), signed) else {
            if header.log != here {
                foreign.get_or_insert_with(|| header.log.clone());
            }
            uncounted.push(listed.uncounted());
            return Ok(());
        };
        is_ours = true;
        if (owner.root)(header.size) == Some(signed.head.root) {
            Ok(())
        } else {
            Err(Unbacked::OtherHistory(header.size))
        }
    };
    Listed::each(shelf, &mut judged)?;
    Listed::each_part(shelf, &mut judged)?;
    match foreign {
        Some(there) if !is_ours => Err(Unbacked::Foreign {
            there,
            here: here.to_owned(),
        }),
        Some(_) | None => Ok(uncounted),
    }
}

impl std::fmt::Debug for Owner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner").finish_non_exhaustive()
    }
}
