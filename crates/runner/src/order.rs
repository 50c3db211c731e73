//! In what order the rows of a file come where something of it is hidden: a secret one, and another in
//! every scenario and of every snapshot. The order in which a source was brought would say which row of
//! another scenario is the same one, and undo its tokens.
//!
//! It follows from the key and the file's row groups alone, so that every statement of a scenario meets
//! the same: not from the columns that are read, nor from the memory there is.

use crate::Failed;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use wire::Secret;

/// Rows that are mixed at least, where the file has as many.
const SECTION_ROWS: u64 = 1 << 19;
/// Bytes in all stored columns with which fewer rows are enough: who reads them holds what it can, and
/// decodes the section again for each part that it can't.
const SECTION_BYTES: u64 = 512 << 20;

/// The order of one file's rows.
pub(crate) struct Order {
    key: [u8; 32],
}

/// How much is in a row group, or in several.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extent {
    pub rows: u64,
    /// Of all stored columns, unpacked.
    pub bytes: u64,
}

// === impl Order ===

impl Order {
    pub(crate) fn new(key: &Secret) -> Result<Self, Failed> {
        let key = key.bytes().try_into().map_err(|_| Failed::Job)?;
        Ok(Self { key })
    }

    /// The file's row groups by section: all rows of a section are mixed, and sections come one after
    /// another. Each has enough rows or bytes, unless the whole file has not.
    pub(crate) fn sections(&self, groups: &[Extent]) -> Vec<Vec<usize>> {
        let mut drawn: Vec<(usize, Extent)> = groups.iter().copied().enumerate().collect();
        self.shuffle(0, &mut drawn);
        let mut sections = Vec::new();
        let (mut section, mut held) = (Vec::new(), Extent::default());
        let mut left = groups.iter().copied().fold(Extent::default(), Extent::and);
        for (group, extent) in drawn {
            // What is left stays with the last, where it would not be enough by itself.
            if held.is_enough() && left.is_enough() {
                sections.push(std::mem::take(&mut section));
                held = Extent::default();
            }
            section.push(group);
            held = held.and(extent);
            left = left.without(extent);
        }
        sections.push(section);
        sections
    }

    /// The place that each row of a section has in it.
    pub(crate) fn ranks(&self, section: usize, rows: u64) -> Result<Vec<u32>, Failed> {
        let rows = u32::try_from(rows).map_err(|_| Failed::Data)?;
        let mut ranks: Vec<u32> = (0..rows).collect();
        let section = u64::try_from(section).map_err(|_| Failed::Internal)?;
        self.shuffle(section.saturating_add(1), &mut ranks);
        Ok(ranks)
    }

    /// Fisher and Yates, with a stream of numbers for each purpose. Written here, so that no release of
    /// another's code changes an order.
    fn shuffle<T>(&self, stream: u64, items: &mut [T]) {
        let mut numbers = ChaCha20Rng::from_seed(self.key);
        numbers.set_stream(stream);
        for last in (1..items.len()).rev() {
            // Multiplied, not divided: of fewer than 2^32 items none is drawn 1 in 2^32 too often.
            let places = u128::from(last as u64) + 1;
            let drawn = (u128::from(numbers.next_u64()) * places) >> 64;
            items.swap(last, usize::try_from(drawn).unwrap_or(last));
        }
    }
}

// === impl Extent ===

impl Extent {
    fn and(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_add(other.rows),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    fn without(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_sub(other.rows),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    fn is_enough(self) -> bool {
        self.rows >= SECTION_ROWS || self.bytes >= SECTION_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(key: u8) -> Order {
        Order::new(&vec![key; 32].into()).unwrap()
    }

    fn of(rows: u64) -> Extent {
        Extent {
            rows,
            bytes: rows * 100,
        }
    }

    proptest! {
        #[test]
        fn each_row_has_one_place(key: u8, section in 0usize..9, rows in 0u32..3_000) {
            let mut ranks = order(key).ranks(section, rows.into()).unwrap();
            prop_assert_eq!(&ranks, &order(key).ranks(section, rows.into()).unwrap());
            ranks.sort_unstable();
            prop_assert_eq!(ranks, (0..rows).collect::<Vec<_>>());
        }

        /// The last row groups of a file may hold few rows: they stand among others.
        #[test]
        fn each_group_is_in_one_section_and_none_is_small(
            key: u8,
            groups in prop::collection::vec((1u64..=131_072, 1u64..64 << 20), 0..40),
        ) {
            let groups: Vec<_> = groups.into_iter().map(|(rows, bytes)| Extent { rows, bytes }).collect();
            let sections = order(key).sections(&groups);
            let mut all = sections.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..groups.len()).collect::<Vec<_>>());
            for section in &sections {
                let held = section.iter().map(|group| groups[*group]).fold(Extent::default(), Extent::and);
                prop_assert!(sections.len() == 1 || held.is_enough());
                prop_assert!(held.rows < 2 * SECTION_ROWS + 2 * 131_072);
            }
        }
    }

    #[test]
    fn another_key_or_section_is_another_order() {
        let ranks = |key, section| order(key).ranks(section, 4_000).unwrap();
        let one = ranks(1, 0);
        for other in [ranks(2, 0), ranks(1, 1), (0..4_000).collect()] {
            let same = one.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!(same < 20, "{same} of 4000 rows stand where they stood");
        }
        let groups = vec![of(131_072); 40];
        assert_ne!(order(1).sections(&groups), order(2).sections(&groups));
        assert_eq!(order(1).sections(&groups).len(), 10);
    }

    /// Every order of four rows is drawn as often as any other.
    #[test]
    fn no_order_is_likelier_than_another() {
        let mut drawn = std::collections::HashMap::new();
        for key in 0..6_000u32 {
            let mut bytes = vec![0; 32];
            bytes[..4].copy_from_slice(&key.to_le_bytes());
            let ranks = Order::new(&bytes.into()).unwrap().ranks(0, 4).unwrap();
            *drawn.entry(ranks).or_insert(0u32) += 1;
        }
        assert_eq!(drawn.len(), 24);
        // 250 expected, standard deviation 15.5.
        assert!(
            drawn.values().all(|count| (170..330).contains(count)),
            "{drawn:?}"
        );
    }

    /// Computed independently (Python, RFC 8439 with 64 bits each of counter and stream): an order outlives
    /// releases, as digests of results that rest on it do.
    #[test]
    fn an_order_stays_what_it_is() {
        assert_eq!(order(7).ranks(0, 8).unwrap(), [6, 5, 0, 2, 3, 1, 4, 7]);
    }
}
