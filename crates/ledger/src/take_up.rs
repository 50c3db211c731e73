//! Taking a log up where it was left: what stands in the database is compared with the signature over
//! it and with the anchor beside it, as far as its right edge shows.

use crate::anchor::Anchor;
use crate::merkle::leaf_hash;
use crate::note::NoteSigner;
use crate::place::Place;
use crate::proof;
use crate::storage::Store;
use crate::tree::{Edge, TiledHashes};
use crate::{Breach, Checkpoint};

/// Takes up the right edge of the stored tree, compared with the signature, the entries that stand
/// under it and the anchor.
pub(crate) fn take_up(
    place: &Place,
    store: &dyn Store,
    signer: &NoteSigner,
) -> Result<Edge, Breach> {
    let (size, note) = store.newest_checkpoint()?;
    let signed = Checkpoint::open(&note, signer.verifier())
        .map_err(|breach| store.damaged(format!("its newest checkpoint: {breach}")))?;
    let next = store.next_index()?;
    if signed.head.size != size || next != size {
        let what = format!("{next} entries stand under a checkpoint of {size}");
        return Err(store.damaged(what));
    }
    let edge = Edge::load(store, size)?;
    if edge.head().root != signed.head.root {
        return Err(store.damaged("its tree does not lead to the signed root".to_owned()));
    }
    compare_tail(store, size)?;
    let anchored = Anchor::read(&place.anchor())?;
    if anchored.size > size {
        let what = format!("it holds {size} entries, the anchor {}", anchored.size);
        return Err(Breach::RolledBack {
            file: place.database(),
            what,
        });
    }
    if proof::root(&TiledHashes::of(store), anchored.size)? != anchored.root {
        let what = format!(
            "its first {} entries are not those of the anchor",
            anchored.size
        );
        return Err(Breach::RolledBack {
            file: place.database(),
            what,
        });
    }
    Ok(edge)
}

/// Hashes the last entries again, where a write that went wrong would show.
fn compare_tail(store: &dyn Store, size: u64) -> Result<(), Breach> {
    let Some(last) = size.checked_sub(1) else {
        return Ok(());
    };
    let stored = TiledHashes::of(store);
    for row in store.rows(last - last % crate::tree::TILE_WIDTH, 256)? {
        let node = crate::merkle::Node {
            level: 0,
            index: row.index,
        };
        if proof::Hashes::hash(&stored, node)? != leaf_hash(&row.leaf) {
            return Err(store.damaged(format!("entry {} is not the one hashed", row.index)));
        }
    }
    Ok(())
}
