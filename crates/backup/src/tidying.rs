use crate::list::Listed;
use crate::{Shelf, Step, Unbacked, Watch, shelf};
use std::collections::BTreeSet;

/// Takes lists that are more than `kept_max` off a shelf, the oldest first, then every object that no
/// list names: what older backups had alone, and what an interrupted one left. How many lists went.
///
/// Only whoever takes backups of the domain may call it, since an object that is copied now is named by
/// no list yet.
///
/// # Errors
/// [`Unbacked`]; the next call does what is left.
pub fn tidy(shelf: &dyn Shelf, kept_max: Option<u64>, watch: Watch<'_>) -> Result<u64, Unbacked> {
    let mut lists = Listed::all(shelf)?;
    let kept = usize::try_from(kept_max.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let over = lists.len().saturating_sub(kept.max(1));
    let mut removed = 0;
    for listed in lists.drain(..over) {
        listed.remove(shelf)?;
        removed += 1;
    }
    watch(Step::OldRemoved)?;
    lists.extend(Listed::parts(shelf)?);
    let named = lists.iter().flat_map(|listed| listed.header.objects.keys());
    let named: BTreeSet<_> = named.copied().collect();
    for name in shelf.names("objects")? {
        if shelf::named(&name).is_none_or(|digest| !named.contains(&digest)) {
            shelf.remove(&name)?;
        }
    }
    watch(Step::Swept)?;
    Ok(removed)
}
