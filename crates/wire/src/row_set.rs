use crate::Garbled;
use roaring::RoaringBitmap;

/// Up to so many numbers, a list is smaller and quicker than a bitmap.
const LIST_MAX: usize = 4_096;
/// A list of numbers, four bytes each, ascending.
const LIST: u8 = 0;
/// A bitmap in the format of Roaring.
const BITMAP: u8 = 1;

/// A set of row or subject numbers as it crosses a process and is kept: the same set has the same bytes.
///
/// Bytes: [`LIST`] then each number in little-endian order, or [`BITMAP`] then the Roaring format.
/// Source: RoaringFormatSpec.
pub fn write_row_set(ascending: &[u32], bytes: &mut Vec<u8>) {
    if ascending.len() <= LIST_MAX {
        bytes.push(LIST);
        bytes.extend(ascending.iter().flat_map(|number| number.to_le_bytes()));
        return;
    }
    let set = RoaringBitmap::from_sorted_iter(ascending.iter().copied());
    let set = set.unwrap_or_else(|_| ascending.iter().copied().collect());
    bytes.push(BITMAP);
    // A vector grows, so that there is always room.
    set.serialize_into(bytes).ok();
}

/// The same set, given as a bitmap.
pub fn write_bitmap(set: &RoaringBitmap, bytes: &mut Vec<u8>) {
    write_row_set(&set.iter().collect::<Vec<_>>(), bytes);
}

/// The set that was written.
///
/// # Errors
/// [`Garbled`] if the bytes are not what [`write_row_set`] writes.
pub fn read_row_set(bytes: &[u8]) -> Result<RoaringBitmap, Garbled> {
    let garbled = || Garbled::Missing("set of rows");
    match bytes.split_first() {
        Some((&LIST, list)) => {
            let words = list.chunks_exact(4);
            if !words.remainder().is_empty() || list.len() > LIST_MAX * 4 {
                return Err(garbled());
            }
            let numbers = words.filter_map(|word| word.try_into().ok());
            let numbers = numbers.map(u32::from_le_bytes);
            RoaringBitmap::from_sorted_iter(numbers).map_err(|_| garbled())
        }
        Some((&BITMAP, bitmap)) => {
            let set = RoaringBitmap::deserialize_from(bitmap).map_err(|_| garbled())?;
            // One set, one writing: else the same cell could count as two.
            let mut again = vec![BITMAP];
            set.serialize_into(&mut again).map_err(|_| garbled())?;
            match again == bytes && set.len() > LIST_MAX as u64 {
                true => Ok(set),
                false => Err(garbled()),
            }
        }
        _ => Err(garbled()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(numbers: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_row_set(numbers, &mut bytes);
        bytes
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(
            numbers in proptest::collection::btree_set(0u32..200_000, 0..6_000),
        ) {
            let numbers: Vec<u32> = numbers.into_iter().collect();
            let read = read_row_set(&written(&numbers)).unwrap();
            proptest::prop_assert_eq!(read.iter().collect::<Vec<_>>(), numbers);
        }

        #[test]
        fn what_is_no_set_is_refused_or_read_as_it_would_be_written(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
            tag in 0u8..3,
        ) {
            let bytes = [&[tag], bytes.as_slice()].concat();
            if let Ok(set) = read_row_set(&bytes) {
                proptest::prop_assert_eq!(written(&set.iter().collect::<Vec<_>>()), bytes);
            }
        }
    }

    #[test]
    fn a_small_set_is_a_list_and_a_large_one_a_bitmap() {
        let numbers: Vec<u32> = (0..5000).collect();
        assert_eq!(written(&numbers[..4096])[0], LIST);
        assert_eq!(written(&numbers)[0], BITMAP);
        assert_eq!(written(&[]), [LIST]);
        assert!(read_row_set(&[]).is_err());
        assert!(
            read_row_set(&[LIST, 5, 0, 0, 0, 4, 0, 0, 0]).is_err(),
            "not ascending"
        );
    }
}
