use crate::list::Listed;
use crate::{Shelf, Step, Unbacked, Uncounted, Watch, shelf};
use std::collections::{BTreeMap, BTreeSet};
use terms::Digest;
use vault::BackupKey;

/// The lists that are the domain's.
#[derive(Default)]
struct Counted {
    /// The objects of each, by its name.
    lists: BTreeMap<String, BTreeSet<Digest>>,
    /// Whether there are others.
    is_beside_others: bool,
}

/// Takes lists that are more than `kept_max` off a shelf, the oldest first, then every object that no
/// list names: what older backups had alone, and what an interrupted one left. How many lists went.
///
/// Only lists that open under the domain's key are counted, and only they go; `held`, which was just
/// taken, never does. While there is another, no object goes: it may be of a backup that cannot be read
/// now, or another domain's.
///
/// Only whoever takes backups of the domain may call it, since an object that is copied now is named by
/// no list yet.
///
/// # Errors
/// [`Unbacked`]; the next call does what is left.
pub fn tidy(
    (shelf, key): (&dyn Shelf, &BackupKey),
    (kept_max, held): (Option<u64>, Option<&Listed>),
    watch: Watch<'_>,
) -> Result<u64, Unbacked> {
    let mut counted = Counted::default();
    Listed::each(shelf, &mut |listed| counted.take(listed, key))?;
    let kept = usize::try_from(kept_max.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let over = counted.lists.len().saturating_sub(kept.max(1));
    let is_old = |name: &&String| held.is_none_or(|held| held.name_held() != **name);
    let old = counted.lists.keys().filter(is_old).take(over);
    let old: Vec<String> = old.cloned().collect();
    for name in &old {
        shelf.remove(name)?;
        counted.lists.remove(name);
    }
    watch(Step::OldRemoved)?;
    Listed::each_part(shelf, &mut |listed| counted.take(listed, key))?;
    if !counted.is_beside_others {
        let named: BTreeSet<&Digest> = counted.lists.values().flatten().collect();
        for name in shelf.names("objects")? {
            // What has no object's name is none of ours.
            if shelf::named(&name).is_some_and(|digest| !named.contains(&digest)) {
                shelf.remove(&name)?;
            }
        }
    }
    shelf.sweep()?;
    watch(Step::Swept)?;
    Ok(u64::try_from(old.len()).unwrap_or(u64::MAX))
}

// === impl Counted ===

impl Counted {
    fn take(&mut self, listed: Result<Listed, Uncounted>, key: &BackupKey) -> Result<(), Unbacked> {
        match listed {
            Ok(listed) if listed.open(key).is_ok() => {
                let objects = listed.header.objects.into_keys().collect();
                self.lists.insert(listed.name, objects);
            }
            Ok(_) | Err(_) => self.is_beside_others = true,
        }
        Ok(())
    }
}
