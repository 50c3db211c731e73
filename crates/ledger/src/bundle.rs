//! Entries as they are published: in bundles, and what is kept of a bundle that was pruned.
//! Source: C2SP tlog-tiles, "Log Entries". The file of kept entries is ours and stands beside its files.

use crate::Breach;
use crate::tree::TILE_WIDTH;
use std::collections::BTreeMap;

/// Entries of one bundle, by their place in it from 0.
pub(crate) type Places = BTreeMap<u64, Vec<u8>>;

/// A bundle: each entry after its length in two bytes, big-endian.
///
/// Errors: [`Breach::TooLong`].
pub(crate) fn encode<'a>(leaves: impl Iterator<Item = &'a [u8]>) -> Result<Vec<u8>, Breach> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        put(leaf, &mut bytes)?;
    }
    Ok(bytes)
}

/// Reads so many entries; none where the bytes are cut. A longer bundle begins with every shorter one.
pub(crate) fn decode(mut bytes: &[u8], width: u64) -> Option<Places> {
    let mut take = |place| Some((place, take(&mut bytes)?));
    (0..width).map(&mut take).collect()
}

/// What is kept of a bundle: each entry after its place in one byte and its length in two.
///
/// Errors: [`Breach::TooLong`].
pub(crate) fn encode_kept(kept: &Places) -> Result<Vec<u8>, Breach> {
    let mut bytes = Vec::new();
    for (place, leaf) in kept {
        bytes.push(u8::try_from(*place).unwrap_or(u8::MAX));
        put(leaf, &mut bytes)?;
    }
    Ok(bytes)
}

/// Reads what is kept of a bundle; none where the bytes are cut or out of order.
pub(crate) fn decode_kept(mut bytes: &[u8]) -> Option<Places> {
    let mut kept = Places::new();
    while let Some((place, rest)) = bytes.split_first() {
        let place = u64::from(*place);
        if kept
            .last_key_value()
            .is_some_and(|(last, _)| *last >= place)
        {
            return None;
        }
        bytes = rest;
        kept.insert(place, take(&mut bytes)?);
    }
    Some(kept)
}

/// The number of the bundle that an entry stands in, and its place there.
pub(crate) const fn place_of(index: u64) -> (u64, u64) {
    (index / TILE_WIDTH, index % TILE_WIDTH)
}

fn put(leaf: &[u8], bytes: &mut Vec<u8>) -> Result<(), Breach> {
    let length = u16::try_from(leaf.len()).map_err(|_| Breach::TooLong { bytes: leaf.len() })?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(leaf);
    Ok(())
}

fn take(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *bytes = rest;
    Some(leaf.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(of: &[(u64, &str)]) -> Places {
        of.iter()
            .map(|(place, leaf)| (*place, leaf.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn a_bundle_is_read_as_it_was_written_or_not_at_all() {
        let leaves = ["one", "", "three"];
        let bytes = encode(leaves.iter().map(|leaf| leaf.as_bytes())).unwrap();
        assert_eq!(bytes, b"\0\x03one\0\0\0\x05three");
        let all = places(&[(0, "one"), (1, ""), (2, "three")]);
        assert_eq!(decode(&bytes, 3).unwrap(), all);
        assert_eq!(decode(&bytes, 1).unwrap(), places(&[(0, "one")]));
        assert_eq!(decode(&bytes, 4), None);
        assert_eq!(decode(&bytes[..bytes.len() - 1], 3), None);
        let long = vec![b'x'; 65_536];
        assert!(encode([long.as_slice()].into_iter()).is_err());
    }

    #[test]
    fn what_is_kept_is_read_as_it_was_written_or_not_at_all() {
        let kept = places(&[(0, "first"), (7, "x"), (255, "last")]);
        let bytes = encode_kept(&kept).unwrap();
        assert_eq!(bytes, b"\0\0\x05first\x07\0\x01x\xff\0\x04last");
        assert_eq!(decode_kept(&bytes).unwrap(), kept);
        assert_eq!(decode_kept(b"").unwrap(), Places::new());
        for wrong in [
            &bytes[..bytes.len() - 1],
            b"\x07\0\x01x\x07\0\x01x",
            b"\x07\0\x01x\x03\0\x01y",
            b"\0",
        ] {
            assert_eq!(decode_kept(wrong), None, "{wrong:?}");
        }
    }
}
