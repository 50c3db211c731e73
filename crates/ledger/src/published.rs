//! A log read from where it is published: over a network or from files. Nothing that is fetched is
//! believed before it leads to a root that the log's key signed. Source: C2SP tlog-tiles.

use crate::bundle::{self, Places};
use crate::merkle::{Frontier, Node, leaf_hash};
use crate::proof::{self, Hashes as _};
use crate::pruning::Pruning;
use crate::rehash::Rehash;
use crate::resource::widths;
use crate::tree::{HASH_BYTES, TILE_WIDTH, TileId, TiledHashes, Tiles};
use crate::{Breach, Checkpoint, Head, NoteVerifier, Onlooker, Report, Resource, TlogProof};
use std::path::{Path, PathBuf};
use terms::Digest;

/// The longest file a log publishes: a full bundle of the longest entries.
pub const RESOURCE_BYTES_MAX: usize = 256 * (65_535 + 2);

/// Where the files of a published log are fetched.
pub trait Fetch: std::fmt::Debug {
    /// The file at a path, or none where there is no such file.
    ///
    /// # Errors
    /// [`Breach::Unreachable`] where it can't be told.
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, Breach>;

    /// What people call the place.
    fn place(&self) -> PathBuf;
}

/// A published log and the key that its checkpoints must verify with.
#[derive(Debug)]
pub struct Published<F> {
    source: F,
    verifier: NoteVerifier,
}

/// The tiles of a tree of a size, as fetched. Whoever uses them compares what comes out with a root.
struct Fetched<'a, F> {
    log: &'a Published<F>,
    size: u64,
}

/// A log in a folder of files, as [`Reader::export`](crate::Reader::export) writes it.
impl Fetch for &Path {
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, Breach> {
        let file = self.join(path);
        match std::fs::read(&file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Breach::Unreachable { file, source }),
        }
    }

    fn place(&self) -> PathBuf {
        self.to_path_buf()
    }
}

// === impl Published ===

impl<F: Fetch> Published<F> {
    /// Of this place and this key; the key has to come from elsewhere.
    pub const fn new(source: F, verifier: NoteVerifier) -> Self {
        Self { source, verifier }
    }

    /// A file as it is published, verified by nothing yet; or none.
    ///
    /// # Errors
    /// What can't be fetched.
    pub fn file(&self, resource: Resource) -> Result<Option<Vec<u8>>, Breach> {
        self.source.fetch(&resource.to_string())
    }

    /// The newest checkpoint, its signature checked, and the signed note itself.
    ///
    /// # Errors
    /// What can't be fetched or does not verify.
    pub fn head(&self) -> Result<(Checkpoint, String), Breach> {
        let note = self.needed(Resource::Checkpoint)?;
        let note = String::from_utf8(note).map_err(|_| self.wrong("its checkpoint is no text"))?;
        Ok((Checkpoint::open(&note, &self.verifier)?, note))
    }

    /// The proof that the log holds an entry, against its newest checkpoint, verified; and the
    /// entry's bytes, if they are still published.
    ///
    /// # Errors
    /// [`Breach::Absent`] if the log is not that long; what can't be fetched or does not verify.
    pub fn prove(&self, index: u64) -> Result<(TlogProof, Option<Vec<u8>>), Breach> {
        let (checkpoint, note) = self.head()?;
        let size = checkpoint.head.size;
        if index >= size {
            return Err(Breach::Absent { index });
        }
        let tiles = self.tiles(size);
        let stored = TiledHashes::of(&tiles);
        let path = proof::prove_inclusion(&stored, index, size)?;
        let hash = stored.hash(Node { level: 0, index })?;
        let proof = TlogProof {
            index,
            path,
            checkpoint: note,
        };
        proof.verify_hash(hash, &self.verifier)?;
        let (number, place) = bundle::place_of(index);
        let width = (size - number * TILE_WIDTH).min(TILE_WIDTH);
        let leaf = self.there(number, width)?.remove(&place);
        if leaf.as_ref().is_some_and(|leaf| leaf_hash(leaf) != hash) {
            return Err(self.wrong(format!("bundle {number} of entries is not the tree's")));
        }
        Ok((proof, leaf))
    }

    /// The proof that the log grew out of an older checkpoint of it, verified.
    ///
    /// # Errors
    /// [`Breach::RolledBack`] if it did not; what can't be fetched or does not verify.
    pub fn grew_from(&self, old: Head) -> Result<Vec<Digest>, Breach> {
        let new = self.head()?.0.head;
        let forked = |what: String| Breach::RolledBack {
            file: self.source.place(),
            what,
        };
        if old.size > new.size {
            let what = format!(
                "it holds {} entries, the older checkpoint {}",
                new.size, old.size
            );
            return Err(forked(what));
        }
        let tiles = self.tiles(new.size);
        let path = proof::prove_consistency(&TiledHashes::of(&tiles), old.size, new.size)?;
        if proof::is_consistent(old, new, &path) {
            Ok(path)
        } else {
            Err(forked(format!(
                "its first {} entries are not those of the older checkpoint",
                old.size
            )))
        }
    }

    /// The entries that came after a head of this log, once they were found to lead from it to the
    /// newest one; and that one.
    ///
    /// # Errors
    /// [`Breach::RolledBack`] if the log did not grow out of that head; what can't be fetched.
    pub fn since(&self, old: Head) -> Result<(Vec<Vec<u8>>, Head), Breach> {
        let new = self.head()?.0.head;
        let forked = || Breach::RolledBack {
            file: self.source.place(),
            what: format!("its first {} entries are not those seen before", old.size),
        };
        if new.size < old.size {
            return Err(forked());
        }
        let tiles = self.tiles(new.size);
        let stored = TiledHashes::of(&tiles);
        let nodes = Frontier::nodes(old.size).map(|node| stored.hash(node));
        let mut frontier = Frontier::stored(old.size, nodes.collect::<Result<_, _>>()?);
        if frontier.root() != old.root {
            return Err(forked());
        }
        let mut leaves = Vec::new();
        for (number, width) in widths(new.size) {
            let first = number * TILE_WIDTH;
            if first + width <= old.size {
                continue;
            }
            let missing = || self.wrong(format!("bundle {number} of entries is missing"));
            let entries = self.entries(number, width)?.ok_or_else(missing)?;
            let seen = usize::try_from(old.size.saturating_sub(first)).unwrap_or(usize::MAX);
            for leaf in entries.into_values().skip(seen) {
                frontier.push(leaf_hash(&leaf), |_, _| {});
                leaves.push(leaf);
            }
        }
        if frontier.root() == new.root {
            Ok((leaves, new))
        } else {
            Err(self.wrong("its entries do not lead to the signed root"))
        }
    }

    /// Fetches the whole log and hashes it again, and shows each entry on the way.
    ///
    /// # Errors
    /// The first thing that can't be fetched or does not verify.
    pub fn audit(&self, onlooker: &mut dyn Onlooker) -> Result<Report, Breach> {
        let (checkpoint, note) = self.head()?;
        let Head { size, root } = checkpoint.head;
        let mut walk = Rehash::default();
        walk.pruning = Pruning::published();
        for (number, width) in widths(size) {
            onlooker.progress(number * TILE_WIDTH, size);
            self.bundle((number, width), &mut walk, onlooker)?;
        }
        // Upper tiles are proofs' material, so they are compared like the lowest.
        for (id, hashes) in walk.take_changed() {
            let width = hashes.len() / HASH_BYTES;
            let width = u64::try_from(width).unwrap_or(TILE_WIDTH);
            if id.level > 0 && self.needed(Resource::Tile { id, width })? != hashes {
                let what = format!("tile {} of level {} is not the tree's", id.number, id.level);
                return Err(self.wrong(what));
            }
        }
        if walk.root() != root {
            return Err(self.wrong("its entries do not lead to the signed root"));
        }
        let pruned = walk.pruning.concluded().map_err(|what| self.wrong(what))?;
        onlooker.progress(size, size);
        Ok(Report {
            origin: checkpoint.origin,
            entries: size,
            root,
            checkpoints: 1,
            sealed: None,
            sealed_removed: None,
            pruned,
            anchored: None,
            checkpoint: note,
        })
    }

    /// Takes one bundle into the tree and compares the tile of its hashes; of what was pruned the hash
    /// is taken.
    fn bundle(
        &self,
        (number, width): (u64, u64),
        walk: &mut Rehash,
        onlooker: &mut dyn Onlooker,
    ) -> Result<(), Breach> {
        let id = TileId { level: 0, number };
        let hashes = self.needed(Resource::Tile { id, width })?;
        let mut there = self.there(number, width)?;
        let others = || self.wrong(format!("bundle {number} of entries is not the tree's"));
        for (place, hash) in (0..).zip(hashes.chunks_exact(HASH_BYTES)) {
            let cut = |_| self.wrong("a tile is cut");
            let hash = Digest::from_bytes(hash.try_into().map_err(cut)?);
            let Some(leaf) = there.remove(&place) else {
                walk.take_hash(hash);
                continue;
            };
            if leaf_hash(&leaf) != hash {
                return Err(others());
            }
            let index = walk.size();
            walk.take(&leaf).map_err(|what| self.wrong(what))?;
            onlooker.entry(index, &leaf)?;
        }
        if there.is_empty() {
            Ok(())
        } else {
            Err(others())
        }
    }

    /// The entries of a bundle that are published: all, or of a pruned one those that are kept.
    fn there(&self, number: u64, width: u64) -> Result<Places, Breach> {
        if let Some(entries) = self.entries(number, width)? {
            return Ok(entries);
        }
        let full = Resource::Entries { number, width };
        let Some(bytes) = full
            .instead()
            .map(|kept| self.file(kept))
            .transpose()?
            .flatten()
        else {
            return Ok(Places::new());
        };
        let cut = || self.wrong(format!("what is kept of bundle {number} is cut"));
        bundle::decode_kept(&bytes).ok_or_else(cut)
    }

    /// The entries of a bundle, or none where it is not published.
    fn entries(&self, number: u64, width: u64) -> Result<Option<Places>, Breach> {
        let Some(bytes) = self.either(|width| Resource::Entries { number, width }, width)? else {
            return Ok(None);
        };
        let cut = || self.wrong(format!("bundle {number} of entries is cut"));
        bundle::decode(&bytes, width).map(Some).ok_or_else(cut)
    }

    fn tiles(&self, size: u64) -> Fetched<'_, F> {
        Fetched { log: self, size }
    }

    fn needed(&self, resource: Resource) -> Result<Vec<u8>, Breach> {
        let found = match resource {
            Resource::Checkpoint => self.source.fetch(&resource.to_string())?,
            Resource::Tile { id, width } => {
                let bytes = self.either(|width| Resource::Tile { id, width }, width)?;
                let length = usize::try_from(width).unwrap_or(usize::MAX) * HASH_BYTES;
                // A full tile begins with every partial one.
                bytes.and_then(|bytes| bytes.get(..length).map(<[u8]>::to_vec))
            }
            Resource::Entries { .. } | Resource::Kept { .. } => None,
        };
        found.ok_or_else(|| self.wrong(format!("`{resource}` is missing")))
    }

    /// A partial file, or the full one that may have taken its place since.
    /// Source: C2SP tlog-tiles, "Partial Tiles".
    fn either(
        &self,
        resource: impl Fn(u64) -> Resource,
        width: u64,
    ) -> Result<Option<Vec<u8>>, Breach> {
        match self.source.fetch(&resource(width).to_string())? {
            None if width < TILE_WIDTH => self.source.fetch(&resource(TILE_WIDTH).to_string()),
            found => Ok(found),
        }
    }

    fn wrong(&self, what: impl Into<String>) -> Breach {
        let place = self.source.place();
        let what = what.into();
        Breach::Unproved {
            what: format!("the log at `{}` does not hold: {what}", place.display()),
        }
    }
}

impl<F: Fetch> Tiles for Fetched<'_, F> {
    fn tile(&self, id: TileId) -> Result<Vec<u8>, Breach> {
        let hashes = self.size.checked_shr(8 * id.level).unwrap_or(0);
        let first = id.number.saturating_mul(TILE_WIDTH);
        let width = hashes.saturating_sub(first).min(TILE_WIDTH);
        self.log.needed(Resource::Tile { id, width })
    }

    fn damaged(&self, what: String) -> Breach {
        self.log.wrong(what)
    }
}
