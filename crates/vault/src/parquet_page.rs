use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// What the header of a page says of it, before anything of it is decoded.
///
/// The reader's own parser is private to it; where the two could differ, in what a header says twice or
/// in another type, this one refuses. Source: parquet.thrift, Thrift compact protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PageHeader {
    pub(crate) kind: i64,
    /// In bytes.
    pub(crate) unpacked: u64,
    /// In bytes.
    pub(crate) packed: u64,
    /// Values with the nulls among them; of a dictionary its entries.
    pub(crate) values: u64,
    pub(crate) encoding: i64,
    /// Bytes before what is packed, in pages of the second version.
    pub(crate) levels: u64,
    pub(crate) is_plain: bool,
    /// Of the header itself, in bytes.
    pub(crate) length: u64,
}

/// The kinds of pages. Source: parquet.thrift, `PageType`.
pub(crate) const DATA: i64 = 0;
pub(crate) const INDEX: i64 = 1;
pub(crate) const DICTIONARY: i64 = 2;
pub(crate) const DATA_V2: i64 = 3;

/// Extremes stand in a header, and are as long as values are.
const HEADER_BYTES_MAX: u64 = 4 << 20;
/// How deep structures stand in a header.
const DEPTH_MAX: usize = 8;

/// Bytes of a header that are being read.
struct Bytes<'b> {
    bytes: &'b [u8],
    at: usize,
}

/// A value of a field that matters here.
#[derive(Debug, Clone, Copy)]
enum Value {
    Whole(i64),
    Truth(bool),
    Other,
}

/// Why a header could not be read.
enum Unread {
    /// It goes on.
    Short,
    Broken,
}

impl PageHeader {
    /// Reads the header at a place of a file; none where it is broken.
    pub(crate) fn read(file: &File, offset: u64, remaining: u64) -> Option<Self> {
        let mut length = 1024.min(remaining);
        loop {
            let mut bytes = vec![0; usize::try_from(length).ok()?];
            file.read_exact_at(&mut bytes, offset).ok()?;
            match Self::parse(&bytes) {
                Ok(header) => return Some(header),
                Err(Unread::Broken) => return None,
                Err(Unread::Short) if length >= remaining.min(HEADER_BYTES_MAX) => return None,
                Err(Unread::Short) => {
                    length = length
                        .saturating_mul(16)
                        .min(remaining)
                        .min(HEADER_BYTES_MAX);
                }
            }
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, Unread> {
        let mut bytes = Bytes { bytes, at: 0 };
        let mut header = Self::default();
        let mut of_kind = None;
        let (mut seen, mut inner) = (0_u64, [None; 9]);
        bytes.fields(&mut |field, bytes, kind| {
            once(&mut seen, field)?;
            match field {
                1..=3 => {
                    let value = bytes.whole(kind)?;
                    match field {
                        1 => of_kind = Some(value),
                        2 => header.unpacked = natural(value)?,
                        _ => header.packed = natural(value)?,
                    }
                    Ok(())
                }
                5 | 7 | 8 if kind == STRUCT => {
                    let mut found = [None; 9];
                    let mut seen = 0;
                    bytes.fields(&mut |field, bytes, kind| {
                        once(&mut seen, field)?;
                        let value = bytes.value(kind, 0)?;
                        let place = usize::try_from(field).ok().and_then(|at| found.get_mut(at));
                        if let Some(place) = place {
                            *place = Some(value);
                        }
                        Ok(())
                    })?;
                    // Of two kinds of pages one header tells one.
                    if inner.iter().any(Option::is_some) {
                        return Err(Unread::Broken);
                    }
                    inner = found;
                    Ok(())
                }
                5 | 7 | 8 => Err(Unread::Broken),
                _ => bytes.value(kind, 0).map(|_| ()),
            }
        })?;
        header.kind = of_kind.ok_or(Unread::Broken)?;
        header.length = u64::try_from(bytes.at).map_err(|_| Unread::Broken)?;
        let whole = |at: usize| match inner.get(at).copied().flatten() {
            Some(Value::Whole(value)) => natural(value),
            Some(Value::Truth(_) | Value::Other) | None => Err(Unread::Broken),
        };
        let encoding = match header.kind {
            INDEX => return Ok(header),
            DATA | DICTIONARY => 2,
            DATA_V2 => {
                header.levels = whole(5)?.saturating_add(whole(6)?);
                header.is_plain = matches!(inner.get(7), Some(Some(Value::Truth(false))));
                4
            }
            _ => return Err(Unread::Broken),
        };
        header.values = whole(1)?;
        header.encoding = i64::try_from(whole(encoding)?).map_err(|_| Unread::Broken)?;
        Ok(header)
    }
}

fn once(seen: &mut u64, field: i64) -> Result<(), Unread> {
    let bit = u32::try_from(field)
        .ok()
        .and_then(|at| 1_u64.checked_shl(at));
    let bit = bit.filter(|bit| *seen & bit == 0).ok_or(Unread::Broken)?;
    *seen |= bit;
    Ok(())
}

fn natural(value: i64) -> Result<u64, Unread> {
    i32::try_from(value)
        .ok()
        .and_then(|value| u64::try_from(value).ok())
        .ok_or(Unread::Broken)
}

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCT: u8 = 12;

// === impl Bytes ===

impl Bytes<'_> {
    fn byte(&mut self) -> Result<u8, Unread> {
        let byte = self.bytes.get(self.at).copied().ok_or(Unread::Short)?;
        self.at += 1;
        Ok(byte)
    }

    fn skip(&mut self, length: u64) -> Result<(), Unread> {
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| self.at.checked_add(length));
        let end = end.ok_or(Unread::Broken)?;
        if end > self.bytes.len() {
            return Err(Unread::Short);
        }
        self.at = end;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, Unread> {
        let mut value = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Unread::Broken)
    }

    fn zigzag(&mut self) -> Result<i64, Unread> {
        let value = self.varint()?;
        let half = i64::try_from(value >> 1).map_err(|_| Unread::Broken)?;
        Ok(if value & 1 == 0 { half } else { !half })
    }

    fn whole(&mut self, kind: u8) -> Result<i64, Unread> {
        match kind {
            I32 => self.zigzag(),
            _ => Err(Unread::Broken),
        }
    }

    /// Each field of a structure: its number and type.
    fn fields(
        &mut self,
        take: &mut dyn FnMut(i64, &mut Self, u8) -> Result<(), Unread>,
    ) -> Result<(), Unread> {
        let mut field = 0_i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            field = match head >> 4 {
                0 => self.zigzag()?,
                step => field.saturating_add(i64::from(step)),
            };
            take(field, self, head & 0x0f)?;
        }
    }

    /// Passes a value by.
    fn value(&mut self, kind: u8, depth: usize) -> Result<Value, Unread> {
        if depth > DEPTH_MAX {
            return Err(Unread::Broken);
        }
        match kind {
            TRUE => return Ok(Value::Truth(true)),
            FALSE => return Ok(Value::Truth(false)),
            I32 => return self.zigzag().map(Value::Whole),
            BYTE => self.skip(1)?,
            I16 | I64 => {
                self.zigzag()?;
            }
            DOUBLE => self.skip(8)?,
            BINARY => {
                let length = self.varint()?;
                self.skip(length)?;
            }
            LIST | SET => {
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => self.varint()?,
                    count => u64::from(count),
                };
                for _ in 0..count {
                    match head & 0x0f {
                        TRUE | FALSE => self.skip(1)?,
                        kind => {
                            self.value(kind, depth + 1)?;
                        }
                    }
                }
            }
            STRUCT => {
                self.fields(&mut |_, bytes, kind| bytes.value(kind, depth + 1).map(|_| ()))?
            }
            _ => return Err(Unread::Broken),
        }
        Ok(Value::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expect: Option<(i64, u64, u64, u64)>) {
        let found = PageHeader::parse(bytes).ok();
        let found = found.map(|page| (page.kind, page.unpacked, page.packed, page.values));
        assert_eq!(found, expect, "{bytes:02x?}");
    }

    #[test]
    fn a_header_is_read_once_and_as_one_kind() {
        // type, sizes, then the header of a dictionary: values and encoding.
        let dictionary = [
            0x15, 4, 0x15, 200, 1, 0x15, 60, 0x4c, 0x15, 2, 0x15, 0, 0, 0,
        ];
        check(&dictionary, Some((DICTIONARY, 100, 30, 1)));
        check(&dictionary[..13], None);
        let twice = [
            0x15, 4, 0x15, 200, 1, 0x05, 4, 2, 0x15, 60, 0x4c, 0x15, 2, 0x15, 0, 0, 0,
        ];
        check(&twice, None);
        let two = [
            0x15, 4, 0x15, 200, 1, 0x15, 60, 0x2c, 0x15, 2, 0x15, 0, 0, 0x2c, 0x15, 2, 0x15, 0, 0,
            0,
        ];
        check(&two, None);
        let negative = [
            0x15, 4, 0x15, 199, 1, 0x15, 60, 0x4c, 0x15, 2, 0x15, 0, 0, 0,
        ];
        check(&negative, None);
        let long = [
            0x16, 4, 0x15, 200, 1, 0x15, 60, 0x4c, 0x15, 2, 0x15, 0, 0, 0,
        ];
        check(&long, None);
        check(&[], None);
        check(&[0xff; 64], None);
    }
}
