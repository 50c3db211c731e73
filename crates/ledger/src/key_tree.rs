//! A key that can forget: every sealed part has a key of its own out of one tree of keys, and what is
//! destroyed is cut out of the tree for good.
//!
//! Shape: a node is the SHA-256 of its parent and its place among sixteen children; a part's path of
//! 18 steps is its class, its day and six random bytes. To forget a part, the nodes above it give way
//! to their other children. A copy of the log made before holds the ciphertext, and nothing that the
//! tree can still derive opens it. Source: puncturable pseudorandom functions (GGM).

use ring::digest::{Context, SHA256};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Steps from the root to a part's node.
pub(crate) const STEPS: usize = 18;
/// Steps from the root to the node of a class and day.
pub(crate) const STEPS_TO_DAY: usize = 6;
/// Children of a node.
const CHILDREN: u8 = 16;
/// Makes the derivation's only use of SHA-256 this one; 55 bytes are hashed at a time, one block.
const CONTEXT: &[u8] = b"bonded sealing tree v2";
/// The first line of the file.
const HEADER: &str = "bonded sealing key v2";

/// A node's place: one byte a step, each below 16.
pub(crate) type Path = [u8];

/// The nodes that are left; every key that is not forgotten lies under exactly one.
pub(crate) struct KeyTree {
    nodes: BTreeMap<Vec<u8>, Zeroizing<[u8; 32]>>,
}

impl KeyTree {
    /// A tree that has forgotten nothing.
    pub(crate) fn new(root: [u8; 32]) -> Self {
        Self {
            nodes: [(Vec::new(), Zeroizing::new(root))].into(),
        }
    }

    /// The node at a path; none once it was forgotten.
    pub(crate) fn derive(&self, path: &Path) -> Option<Zeroizing<[u8; 32]>> {
        let (above, key) = self.covering(path)?;
        let steps = path.get(above.len()..)?;
        Some(
            steps
                .iter()
                .fold(key.clone(), |key, step| child(&key, *step)),
        )
    }

    fn covering(&self, path: &Path) -> Option<(&Vec<u8>, &Zeroizing<[u8; 32]>)> {
        (0..=path.len()).find_map(|steps| self.nodes.get_key_value(path.get(..steps)?))
    }

    /// Forgets all keys at and under a path, and tells whether there was anything to forget.
    pub(crate) fn forget(&mut self, path: &Path) -> bool {
        let before = self.nodes.len();
        self.nodes.retain(|node, _| !node.starts_with(path));
        let Some(mut above) = self.covering(path).map(|(above, _)| above.clone()) else {
            return self.nodes.len() < before;
        };
        let Some(mut key) = self.nodes.remove(&above) else {
            return false;
        };
        for step in path.get(above.len()..).unwrap_or_default() {
            for other in (0..CHILDREN).filter(|other| other != step) {
                let mut place = above.clone();
                place.push(other);
                self.nodes.insert(place, child(&key, other));
            }
            above.push(*step);
            key = child(&key, *step);
        }
        true
    }

    /// The tree as a file: a line for each node, its path in hexadecimal digits and its key.
    pub(crate) fn encode(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(format!("{HEADER}\n"));
        for (path, key) in &self.nodes {
            let steps = path
                .iter()
                .filter_map(|step| char::from_digit((*step).into(), 16));
            text.extend(steps);
            text.push(' ');
            text.push_str(&Zeroizing::new(hex::encode(**key)));
            text.push('\n');
        }
        text
    }

    /// Reads the file again; none if it is anything else.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let mut nodes = BTreeMap::new();
        for line in text.strip_prefix(HEADER)?.strip_prefix('\n')?.lines() {
            let (path, key) = line.split_once(' ')?;
            let digits = path.chars().map(|c| c.to_digit(16)?.try_into().ok());
            let path = digits.collect::<Option<Vec<u8>>>()?;
            let mut bytes = Zeroizing::new([0; 32]);
            hex::decode_to_slice(key, &mut *bytes).ok()?;
            if path.len() > STEPS || nodes.insert(path, bytes).is_some() {
                return None;
            }
        }
        Some(Self { nodes })
    }
}

impl std::fmt::Debug for KeyTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyTree({} nodes)", self.nodes.len())
    }
}

fn child(parent: &[u8; 32], step: u8) -> Zeroizing<[u8; 32]> {
    let mut hash = Context::new(&SHA256);
    hash.update(CONTEXT);
    hash.update(&[step]);
    hash.update(parent);
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(hash.finish().as_ref());
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(0_u8..3, STEPS)
    }

    proptest! {
        #[test]
        fn what_is_forgotten_is_gone_and_nothing_else(
            paths in proptest::collection::vec(path(), 1..12),
            cuts in proptest::collection::vec((0_usize..12, prop_oneof![Just(STEPS), Just(STEPS_TO_DAY), 0..STEPS]), 0..6),
        ) {
            let whole = KeyTree::new([7; 32]);
            let mut tree = KeyTree::new([7; 32]);
            let mut gone: Vec<Vec<u8>> = Vec::new();
            for (which, steps) in cuts {
                let path = paths[which % paths.len()][..steps].to_vec();
                let again = gone.iter().any(|gone| path.starts_with(gone));
                prop_assert_eq!(tree.forget(&path), !again);
                gone.push(path);
            }
            let tree = KeyTree::decode(&tree.encode()).unwrap();
            for path in &paths {
                let forgotten = gone.iter().any(|gone| path.starts_with(gone));
                let expected = if forgotten { None } else { whole.derive(path) };
                prop_assert_eq!(tree.derive(path), expected);
            }
            // No node that is left leads to one that is gone.
            for node in tree.nodes.keys() {
                prop_assert!(gone.iter().all(|gone| !gone.starts_with(node)));
            }
        }
    }

    #[test]
    fn the_derivation_is_the_known_answer() {
        // printf 'bonded sealing tree v2\x03' and 32 bytes of 07, through sha256sum.
        let known = "362169debcdecd650a1cf9da6b2852d278e546071cab3785fbd2bfd3ab9f82d6";
        let key = KeyTree::new([7; 32]).derive(&[3]).unwrap();
        assert_eq!(hex::encode(*key), known);
    }

    #[test]
    fn a_file_of_another_form_is_no_key() {
        let good = KeyTree::new([7; 32]).encode();
        for bad in [
            "",
            "bonded sealing key v1\n",
            good.trim_end_matches('\n').get(..60).unwrap(),
            &good.replace(" 07", " 7"),
            &good.replace(" 07", "g 07"),
            &format!("{}{}", *good, good.lines().nth(1).unwrap()),
            &good.replace(" 07", "0000000000000000000 07"),
        ] {
            assert!(KeyTree::decode(bad).is_none(), "{bad}");
        }
    }
}
