//! Inclusion and consistency proofs: made from stored hashes, verified from nothing but a root.

use crate::Breach;
use crate::merkle::{Node, node_hash};
use terms::Digest;

/// Where a prover reads the hashes of full subtrees.
pub(crate) trait Hashes {
    /// The hash of a full subtree.
    fn hash(&self, node: Node) -> Result<Digest, Breach>;
}

/// A run of leaves, from `start` up to but without `end`, that is a subtree of some tree.
#[derive(Clone, Copy)]
struct Span {
    start: u64,
    end: u64,
}

/// The root of the tree of the first `size` leaves. Source: RFC 6962 §2.1.
pub(crate) fn root(hashes: &dyn Hashes, size: u64) -> Result<Digest, Breach> {
    if size == 0 {
        Ok(Digest::of(b""))
    } else {
        Span {
            start: 0,
            end: size,
        }
        .hash(hashes)
    }
}

/// The audit path of a leaf in the tree of `size` leaves, from the leaf up. Source: RFC 6962 §2.1.1.
pub(crate) fn prove_inclusion(
    hashes: &dyn Hashes,
    index: u64,
    size: u64,
) -> Result<Vec<Digest>, Breach> {
    if index >= size {
        return Err(Breach::Absent { index });
    }
    let mut path = Vec::new();
    let mut span = Span {
        start: 0,
        end: size,
    };
    while let Some((left, right)) = span.split() {
        let (inside, beside) = if index < right.start {
            (left, right)
        } else {
            (right, left)
        };
        path.push(beside.hash(hashes)?);
        span = inside;
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `new` leaves begins with the tree of `old`. Source: RFC 6962 §2.1.2.
pub(crate) fn prove_consistency(
    hashes: &dyn Hashes,
    old: u64,
    new: u64,
) -> Result<Vec<Digest>, Breach> {
    if old > new {
        return Err(Breach::Absent { index: old });
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Ok(path);
    }
    let mut span = Span { start: 0, end: new };
    let mut whole = true;
    while old != span.end {
        let Some((left, right)) = span.split() else {
            break;
        };
        if old <= right.start {
            path.push(right.hash(hashes)?);
            span = left;
        } else {
            path.push(left.hash(hashes)?);
            span = right;
            whole = false;
        }
    }
    if !whole {
        path.push(span.hash(hashes)?);
    }
    path.reverse();
    Ok(path)
}

/// The root that a leaf and its audit path lead to, or none if the path has the wrong length.
///
/// Source: RFC 9162 §2.1.3.2.
#[must_use]
pub fn root_of_inclusion(leaf: Digest, index: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    let mut at = index;
    let mut last = size.checked_sub(1)?;
    if at > last {
        return None;
    }
    let mut hash = leaf;
    for beside in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(beside, &hash);
            // A node without a right neighbour is carried up unchanged until it becomes one.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// A tree's size and root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Leaves.
    pub size: u64,
    /// Root hash.
    pub root: Digest,
}

/// Whether a path shows that the new tree begins with the old one. Source: RFC 9162 §2.1.4.2.
#[must_use]
pub fn is_consistent(old: Head, new: Head, path: &[Digest]) -> bool {
    if old.size > new.size {
        return false;
    }
    if old.size == new.size {
        return path.is_empty() && old.root == new.root;
    }
    if old.size == 0 {
        return path.is_empty() && old.root == Digest::of(b"");
    }
    let first = old.size.is_power_of_two().then_some(old.root);
    let mut rest = first.into_iter().chain(path.iter().copied());
    let Some(seed) = rest.next() else {
        return false;
    };
    let (mut at, mut last) = (old.size - 1, new.size - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (seed, seed);
    for beside in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_hash = node_hash(&beside, &old_hash);
            new_hash = node_hash(&beside, &new_hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, &beside);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old.root && new_hash == new.root
}

// === impl Span ===

impl Span {
    /// The two parts at the largest power of two below the length; none for a single leaf.
    fn split(self) -> Option<(Self, Self)> {
        let leaves = self.end - self.start;
        if leaves < 2 {
            return None;
        }
        let middle = self.start + (1 << (leaves - 1).ilog2());
        Some((
            Self {
                start: self.start,
                end: middle,
            },
            Self {
                start: middle,
                end: self.end,
            },
        ))
    }

    fn hash(self, hashes: &dyn Hashes) -> Result<Digest, Breach> {
        let leaves = self.end - self.start;
        match self.split() {
            Some((left, right)) if !leaves.is_power_of_two() => {
                Ok(node_hash(&left.hash(hashes)?, &right.hash(hashes)?))
            }
            Some(_) | None => {
                let level = leaves.ilog2();
                hashes.hash(Node {
                    level,
                    index: self.start >> level,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::tests::ct_leaves;
    use crate::merkle::{Frontier, leaf_hash};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    struct Memory(BTreeMap<Node, Digest>, Vec<Digest>);

    impl Hashes for Memory {
        fn hash(&self, node: Node) -> Result<Digest, Breach> {
            Ok(self.0[&node])
        }
    }

    fn memory(leaves: &[Vec<u8>]) -> Memory {
        let mut frontier = Frontier::default();
        let mut memory = Memory(BTreeMap::new(), vec![frontier.root()]);
        for leaf in leaves {
            frontier.push(leaf_hash(leaf), |node, hash| {
                memory.0.insert(node, hash);
            });
            memory.1.push(frontier.root());
        }
        memory
    }

    fn numbered(count: u64) -> Vec<Vec<u8>> {
        (0..count).map(|n| n.to_be_bytes().to_vec()).collect()
    }

    fn head(memory: &Memory, size: u64) -> Head {
        Head {
            size,
            root: memory.1[usize::try_from(size).unwrap()],
        }
    }

    #[test]
    fn the_audit_paths_are_those_of_the_ct_test_vectors() {
        let memory = memory(&ct_leaves());
        let path = |index, size| -> Vec<String> {
            let path = prove_inclusion(&memory, index, size).unwrap();
            path.iter().map(|hash| hash.to_string()).collect()
        };
        assert_eq!(path(0, 1), Vec::<String>::new());
        assert_eq!(
            path(0, 8),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        );
        assert_eq!(
            path(5, 8),
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
        assert_eq!(
            path(2, 3),
            ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]
        );
    }

    #[test]
    fn every_proof_up_to_64_leaves_verifies_and_no_other_does() {
        let memory = memory(&numbered(64));
        for size in 1..=64 {
            assert_eq!(root(&memory, size).unwrap(), head(&memory, size).root);
            for index in 0..size {
                let path = prove_inclusion(&memory, index, size).unwrap();
                let leaf = leaf_hash(&index.to_be_bytes());
                let root = Some(head(&memory, size).root);
                assert_eq!(root_of_inclusion(leaf, index, size, &path), root);
                for wrong in (0..size).filter(|wrong| *wrong != index) {
                    assert_ne!(root_of_inclusion(leaf, wrong, size, &path), root);
                }
            }
            for old in 0..=size {
                let path = prove_consistency(&memory, old, size).unwrap();
                assert!(is_consistent(
                    head(&memory, old),
                    head(&memory, size),
                    &path
                ));
                for other in (0..=size).filter(|other| *other != old) {
                    let forged = Head {
                        size: old,
                        root: head(&memory, other).root,
                    };
                    assert!(!is_consistent(forged, head(&memory, size), &path));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_changed_proof_never_verifies(
            size in 2_u64..=64, at in 0_u64..64, place in 0_usize..8, bit in 0_usize..256, drop in any::<bool>()
        ) {
            let memory = memory(&numbered(size));
            let index = at % size;
            let spoil = |mut path: Vec<Digest>| {
                let place = place.checked_rem(path.len())?;
                if drop {
                    path.remove(place);
                } else {
                    let mut bytes = *path[place].bytes();
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    path[place] = Digest::from_bytes(bytes);
                }
                Some(path)
            };
            if let Some(path) = spoil(prove_inclusion(&memory, index, size).unwrap()) {
                let leaf = leaf_hash(&index.to_be_bytes());
                prop_assert_ne!(root_of_inclusion(leaf, index, size, &path), Some(head(&memory, size).root));
            }
            if let Some(path) = spoil(prove_consistency(&memory, index, size).unwrap()) {
                prop_assert!(!is_consistent(head(&memory, index), head(&memory, size), &path));
            }
        }
    }
}
