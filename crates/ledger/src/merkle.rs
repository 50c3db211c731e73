//! The tree: leaf and node hashes, and the right edge that appending needs.

use ring::digest::{Context, SHA256};
use terms::Digest;

/// The hash of a leaf's bytes. Source: RFC 6962 §2.1, prefix 0x00.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    let mut hash = Context::new(&SHA256);
    hash.update(&[0]);
    hash.update(leaf);
    Digest::finished(hash)
}

/// The hash of two subtrees. Source: RFC 6962 §2.1, prefix 0x01.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut hash = Context::new(&SHA256);
    hash.update(&[1]);
    hash.update(left.bytes());
    hash.update(right.bytes());
    Digest::finished(hash)
}

/// A node of the tree whose subtree is full: the `index`-th of those over 2^`level` leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node {
    pub(crate) level: u32,
    pub(crate) index: u64,
}

/// The hashes of the full subtrees that make up a tree of any size, largest first.
///
/// Shape: one hash per set bit of the size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    size: u64,
    hashes: Vec<Digest>,
}

impl Frontier {
    /// The full subtrees that make up a tree of this size, largest first.
    pub(crate) fn nodes(size: u64) -> impl Iterator<Item = Node> {
        (0..u64::BITS)
            .rev()
            .filter(move |level| size >> level & 1 == 1)
            .map(move |level| Node {
                level,
                // All full subtrees of this level stand before the one that the lowest bit stands for.
                index: (size >> level) - 1,
            })
    }

    /// Takes hashes read from storage, in the order of [`nodes`](Self::nodes).
    pub(crate) const fn stored(size: u64, hashes: Vec<Digest>) -> Self {
        Self { size, hashes }
    }

    /// How many leaves the tree has.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf's hash and reports every subtree that it fills, from the leaf up.
    pub(crate) fn push(&mut self, leaf: Digest, mut filled: impl FnMut(Node, Digest)) {
        let mut node = Node {
            level: 0,
            index: self.size,
        };
        let mut hash = leaf;
        filled(node, hash);
        while node.index & 1 == 1 {
            let Some(left) = self.hashes.pop() else { break };
            hash = node_hash(&left, &hash);
            node = Node {
                level: node.level + 1,
                index: node.index >> 1,
            };
            filled(node, hash);
        }
        self.hashes.push(hash);
        self.size += 1;
    }

    /// The root. Source: RFC 6962 §2.1; the hash of nothing for the empty tree.
    pub(crate) fn root(&self) -> Digest {
        let mut hashes = self.hashes.iter().rev();
        let Some(smallest) = hashes.next() else {
            return Digest::of(b"");
        };
        hashes.fold(*smallest, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The eight leaves of the Certificate Transparency test vectors.
    pub(crate) fn ct_leaves() -> Vec<Vec<u8>> {
        [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ]
        .iter()
        .map(|text| hex::decode(text).unwrap())
        .collect()
    }

    #[test]
    fn the_roots_are_those_of_the_ct_test_vectors() {
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root().to_string(), roots[0]);
        for (leaf, root) in ct_leaves().iter().zip(&roots[1..]) {
            frontier.push(leaf_hash(leaf), |_, _| {});
            assert_eq!(&frontier.root().to_string(), root);
        }
    }

    #[test]
    fn the_frontier_can_be_taken_up_from_its_nodes() {
        let mut all = std::collections::BTreeMap::new();
        let mut frontier = Frontier::default();
        for size in 0..300_u64 {
            let hashes = Frontier::nodes(size).map(|node| all[&node]).collect();
            assert_eq!(Frontier::stored(size, hashes), frontier);
            frontier.push(leaf_hash(&size.to_be_bytes()), |node, hash| {
                assert_eq!(all.insert(node, hash), None);
            });
        }
    }
}
