use crate::Unreceivable;
use crate::parquet_page::{DATA, DATA_V2, DICTIONARY, INDEX, PageHeader};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Schema};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::basic::{Compression, Type as Physical};
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many rows of a Parquet file are decoded together: as many as need no more than so much memory
/// whatever their values are. It is judged before anything is decoded, by what pages say of themselves
/// and by the values of dictionaries: a few bytes of a file may stand for gigabytes.
///
/// Units: bytes. INVARIANT (memory of intake is bounded): pages and one batch, whoever wrote the file.
pub(crate) struct Bounds<'f> {
    pub(crate) path: &'f Path,
    pub(crate) file: &'f File,
    pub(crate) metadata: &'f ArrowReaderMetadata,
}

/// The longest value.
pub(crate) const VALUE_BYTES_MAX: u64 = 1 << 20;
/// The largest page, unpacked.
const PAGE_BYTES_MAX: u64 = 64 << 20;
/// The pages of all columns that are held together, dictionaries twice.
const PAGES_BYTES_MAX: u64 = 512 << 20;
/// All values of a row group that are lists, since none tells how long a row is.
const LISTS_BYTES_MAX: u64 = 256 << 20;
/// A batch, where it is not one row.
const BATCH_BYTES_MAX: u64 = 64 << 20;
/// Pages of one column in one row group.
const PAGES_MAX: usize = 1 << 20;
/// What the reader unpacks of a page before it sees that the page lied, where the packing does not stop
/// it at the length it expects.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// How much these packings make of a byte, at most. Source: RFC 1951; the LZ4 block format.
const GZIP_RATIO: u64 = 1032;
const LZ4_RATIO: u64 = 255;

/// Rows of a batch that are tried, the most first.
const ROWS: [u64; 14] = [
    8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1,
];

/// What a column of a row group needs.
#[derive(Debug, Clone, Copy, Default)]
struct Need {
    pages: u64,
    /// For as many rows as in [`ROWS`].
    batches: [u64; 14],
}

/// What is too large, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Large {
    what: &'static str,
    bytes: u64,
    bytes_max: u64,
    remedy: &'static str,
}

/// Why a column is not read.
enum Wrong {
    Large(Large),
    Broken(&'static str),
}

/// A data page whose values stand in it as they are.
struct Plain {
    values: u64,
    bytes: u64,
}

impl std::fmt::Display for Large {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            what,
            bytes,
            bytes_max,
            remedy,
        } = self;
        write!(f, "{what} of {bytes} bytes, at most {bytes_max}; {remedy}")
    }
}

// === impl Bounds ===

impl Bounds<'_> {
    /// How many rows of a row group are decoded together.
    pub(crate) fn rows(&self, group: usize) -> Result<usize, Unreceivable> {
        let metadata = Arc::clone(self.metadata.metadata());
        let Some(row_group) = metadata.row_groups().get(group) else {
            return Ok(1);
        };
        let mut all = Need::default();
        for chunk in row_group.columns() {
            let column = || chunk.column_path().string();
            let need = self
                .need(chunk)
                .map_err(|wrong| self.refused(wrong, group, column()))?;
            all.pages = all.pages.saturating_add(need.pages);
            for (sum, bytes) in all.batches.iter_mut().zip(need.batches) {
                *sum = sum.saturating_add(bytes);
            }
            if all.pages > PAGES_BYTES_MAX {
                let large = Large {
                    what: "pages of this and the columns before it",
                    bytes: all.pages,
                    bytes_max: PAGES_BYTES_MAX,
                    remedy: "write it with smaller pages",
                };
                return Err(self.refused(Wrong::Large(large), group, column()));
            }
        }
        let wide = widths(self.metadata.schema());
        // What the pages need is held anyway.
        let bytes_max = BATCH_BYTES_MAX.max(all.pages.saturating_mul(2));
        let needs = ROWS.iter().zip(all.batches);
        let fits = |(rows, bytes): &(&u64, u64)| {
            bytes.saturating_add(wide.saturating_mul(**rows)) <= bytes_max
        };
        let rows = needs.clone().find(fits).map(|(rows, _)| *rows);
        let rows = rows.and_then(|rows| usize::try_from(rows).ok());
        rows.ok_or_else(|| {
            let bytes = all
                .batches
                .last()
                .map_or(0, |bytes| *bytes)
                .saturating_add(wide);
            let large = Large {
                what: "a row",
                bytes,
                bytes_max,
                remedy: "cut its values, or leave columns out",
            };
            self.refused(Wrong::Large(large), group, "*".to_owned())
        })
    }

    /// What is wrong with a value that was decoded in a row group, by its length.
    pub(crate) fn too_long(
        path: PathBuf,
        column: String,
        (group, bytes): (usize, u64),
    ) -> Unreceivable {
        refused(path, Wrong::Large(long_value(bytes)), group, column)
    }

    /// The same for all row groups together.
    pub(crate) fn rows_of_all(&self) -> Result<usize, Unreceivable> {
        let groups = 0..self.metadata.metadata().num_row_groups();
        groups
            .map(|group| self.rows(group))
            .try_fold(8192, |least, rows| Ok(least.min(rows?)))
    }

    fn refused(&self, wrong: Wrong, group: usize, column: String) -> Unreceivable {
        refused(self.path.to_owned(), wrong, group, column)
    }

    /// Walks over the pages of a column as the reader will.
    fn need(&self, chunk: &ColumnChunkMetaData) -> Result<Need, Wrong> {
        // The offsets are the file's word; the reader asserts what is not there.
        let start = chunk
            .dictionary_page_offset()
            .unwrap_or(chunk.data_page_offset());
        let (start, length) = match (u64::try_from(start), u64::try_from(chunk.compressed_size())) {
            (Ok(start), Ok(length)) => (start, length),
            _ => return Err(Wrong::Broken("its place is none")),
        };
        let width = width(chunk);
        let (mut offset, mut remaining) = (start, length);
        let (mut dictionary, mut largest, mut longest) = (0_u64, 0_u64, 0_u64);
        let (mut values, mut plain) = (0_u64, Vec::new());
        let mut is_first = true;
        while remaining > 0 {
            let page = PageHeader::read(self.file, offset, remaining);
            let page = page.ok_or(Wrong::Broken("the header of a page is broken"))?;
            let whole = page.length.saturating_add(page.packed);
            if whole > remaining || plain.len() >= PAGES_MAX {
                return Err(Wrong::Broken("its pages do not fit it"));
            }
            let bytes = page.unpacked.max(page.packed);
            if bytes > PAGE_BYTES_MAX {
                return Err(large_page(bytes));
            }
            self.unpacks(chunk, &page, offset.saturating_add(page.length))?;
            match page.kind {
                DICTIONARY if is_first => {
                    (dictionary, longest) = (bytes, self.longest(chunk, &page)?);
                }
                DATA | DATA_V2 => {
                    largest = largest.max(bytes);
                    values = values.saturating_add(page.values);
                    let bytes = match (width, page.encoding) {
                        (None, PLAIN) => bytes,
                        (Some(_), _) | (None, PLAIN_DICTIONARY | RLE_DICTIONARY) => 0,
                        (None, _) => {
                            return Err(Wrong::Broken(
                                "its texts are written as differences; write them as they are or as a \
                                 dictionary",
                            ));
                        }
                    };
                    plain.push(Plain {
                        values: page.values,
                        bytes,
                    });
                }
                INDEX => {}
                _ => return Err(Wrong::Broken("a dictionary is not where one stands")),
            }
            is_first = false;
            (offset, remaining) = (
                offset.saturating_add(whole),
                remaining.saturating_sub(whole),
            );
        }
        let each = width.unwrap_or(longest);
        let pages = largest.saturating_add(dictionary.saturating_mul(2));
        if chunk.column_descr().max_rep_level() > 0 {
            return lists(values.saturating_mul(each.max(1)), &plain, pages);
        }
        let batch = |rows: u64| rows.saturating_mul(each).saturating_add(most(&plain, rows));
        Ok(Need {
            pages,
            batches: ROWS.map(batch),
        })
    }

    /// The longest value of a dictionary; of values of one width none is longer than others.
    fn longest(&self, chunk: &ColumnChunkMetaData, header: &PageHeader) -> Result<u64, Wrong> {
        let least = width(chunk).unwrap_or(4);
        if header.values.saturating_mul(least) > header.unpacked {
            return Err(Wrong::Broken("its dictionary has more values than bytes"));
        }
        if width(chunk).is_some() {
            return Ok(0);
        }
        let broken = || Wrong::Broken("its dictionary is broken");
        let file = Arc::new(self.file.try_clone().map_err(|_| broken())?);
        let mut reader = SerializedPageReader::new(file, chunk, 0, None).map_err(|_| broken())?;
        let Ok(Some(Page::DictionaryPage { buf, .. })) = reader.get_next_page() else {
            return Err(broken());
        };
        let (mut rest, mut longest) = (buf.as_ref(), 0_u64);
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length);
            longest = longest.max(u64::from(length));
            let value = usize::try_from(length)
                .ok()
                .and_then(|length| after.get(length..));
            rest = value.ok_or_else(broken)?;
        }
        if longest > VALUE_BYTES_MAX {
            return Err(Wrong::Large(long_value(longest)));
        }
        Ok(longest)
    }

    /// Two packings are unpacked to their end by the reader, however long that is.
    fn unpacks(
        &self,
        chunk: &ColumnChunkMetaData,
        page: &PageHeader,
        offset: u64,
    ) -> Result<(), Wrong> {
        let (ratio, is_gzip) = match chunk.compression() {
            _ if page.is_plain => return Ok(()),
            Compression::GZIP(_) => (GZIP_RATIO, true),
            Compression::LZ4 => (LZ4_RATIO, false),
            Compression::UNCOMPRESSED
            | Compression::SNAPPY
            | Compression::LZO
            | Compression::BROTLI(_)
            | Compression::ZSTD(_)
            | Compression::LZ4_RAW => return Ok(()),
        };
        if page.packed.saturating_mul(ratio) <= UNPACKED_BYTES_MAX {
            return Ok(());
        }
        if !is_gzip {
            return Err(large_page(page.packed.saturating_mul(ratio)));
        }
        let packed = Packed {
            file: self.file,
            offset: offset.saturating_add(page.levels),
            remaining: page.packed.saturating_sub(page.levels),
        };
        let unpacked = page.unpacked.saturating_sub(page.levels);
        let mut unpacking =
            flate2::read::MultiGzDecoder::new(packed).take(unpacked.saturating_add(1));
        let found = std::io::copy(&mut unpacking, &mut std::io::sink());
        match found {
            Ok(found) if found == unpacked => Ok(()),
            Ok(_) | Err(_) => Err(Wrong::Broken("a page is not as long as it says")),
        }
    }
}

fn refused(path: PathBuf, wrong: Wrong, group: usize, column: String) -> Unreceivable {
    let group = u64::try_from(group).unwrap_or(u64::MAX);
    match wrong {
        Wrong::Large(large) => Unreceivable::TooLarge {
            path,
            column,
            group,
            large,
        },
        Wrong::Broken(why) => Unreceivable::PageUnread {
            path,
            column,
            group,
            why,
        },
    }
}

/// A part of a file.
struct Packed<'f> {
    file: &'f File,
    offset: u64,
    remaining: u64,
}

impl Read for Packed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = usize::try_from(self.remaining)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let part = buffer.get_mut(..length).unwrap_or_default();
        let read = self.file.read_at(part, self.offset)?;
        let done = u64::try_from(read).unwrap_or(0);
        self.offset = self.offset.saturating_add(done);
        self.remaining = self.remaining.saturating_sub(done);
        Ok(read)
    }
}

/// Source: parquet.thrift, `Encoding`.
const PLAIN: i64 = 0;
const PLAIN_DICTIONARY: i64 = 2;
const RLE_DICTIONARY: i64 = 8;

/// The bytes of a value where all have as many.
fn width(chunk: &ColumnChunkMetaData) -> Option<u64> {
    match chunk.column_type() {
        Physical::BOOLEAN => Some(0),
        Physical::INT32 | Physical::FLOAT => Some(4),
        Physical::INT64 | Physical::DOUBLE => Some(8),
        Physical::INT96 => Some(12),
        Physical::FIXED_LEN_BYTE_ARRAY => u64::try_from(chunk.column_descr().type_length()).ok(),
        Physical::BYTE_ARRAY => None,
    }
}

/// The most bytes of so many values that follow each other.
fn most(pages: &[Plain], rows: u64) -> u64 {
    let (mut most, mut bytes, mut inner) = (0_u64, 0_u64, 0_u64);
    let mut end = 0;
    for (at, first) in pages.iter().enumerate() {
        // One row stands in the first page at least: which pages do the others reach?
        while let Some(page) = pages.get(end) {
            if end > at && inner.saturating_add(1) >= rows {
                break;
            }
            bytes = bytes.saturating_add(page.bytes);
            inner = inner.saturating_add(if end > at { page.values } else { 0 });
            end += 1;
        }
        most = most.max(bytes);
        bytes = bytes.saturating_sub(first.bytes);
        let next = pages.get(at + 1).filter(|_| end > at + 1);
        inner = inner.saturating_sub(next.map_or(0, |page| page.values));
    }
    most
}

fn lists(values: u64, plain: &[Plain], pages: u64) -> Result<Need, Wrong> {
    let bytes = plain
        .iter()
        .map(|page| page.bytes)
        .fold(values, u64::saturating_add);
    if bytes > LISTS_BYTES_MAX {
        return Err(Wrong::Large(Large {
            what: "values in lists",
            bytes,
            bytes_max: LISTS_BYTES_MAX,
            remedy: "write it with smaller row groups",
        }));
    }
    let pages = pages.saturating_add(bytes);
    Ok(Need {
        pages,
        batches: [0; 14],
    })
}

/// What a row needs by its types alone: nulls are as wide as values there.
fn widths(schema: &Schema) -> u64 {
    let fields = schema.fields().iter();
    fields.fold(0, |sum, field| sum.saturating_add(wide(field.data_type())))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has dozens of types; only these have a width of their own choice"
)]
fn wide(data_type: &DataType) -> u64 {
    match data_type {
        DataType::FixedSizeBinary(bytes) => u64::try_from(*bytes).unwrap_or(u64::MAX),
        DataType::FixedSizeList(field, values) => {
            let values = u64::try_from(*values).unwrap_or(u64::MAX);
            values.saturating_mul(wide(field.data_type()))
        }
        DataType::Struct(fields) => {
            let fields = fields.iter();
            fields.fold(0, |sum, field| sum.saturating_add(wide(field.data_type())))
        }
        DataType::List(field) | DataType::LargeList(field) => wide(field.data_type()),
        DataType::Map(field, _) => wide(field.data_type()),
        _ => 16,
    }
}

const fn large_page(bytes: u64) -> Wrong {
    Wrong::Large(Large {
        what: "a page",
        bytes,
        bytes_max: PAGE_BYTES_MAX,
        remedy: "write it with smaller pages, unpacked or packed with zstd or snappy",
    })
}

const fn long_value(bytes: u64) -> Large {
    Large {
        what: "a value",
        bytes,
        bytes_max: VALUE_BYTES_MAX,
        remedy: "cut it, or leave the column out",
    }
}

/// The length of the longest text of a decoded column.
pub(crate) fn longest(array: &dyn Array) -> u64 {
    fn most<O: Copy + Into<i64>>(offsets: &[O]) -> u64 {
        let ends = offsets.iter().zip(offsets.iter().skip(1));
        let length = |(from, to): (&O, &O)| (*to).into().saturating_sub((*from).into());
        ends.map(length)
            .max()
            .and_then(|most| u64::try_from(most).ok())
            .unwrap_or(0)
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        return most(texts.value_offsets());
    }
    if let Some(texts) = array.as_string_opt::<i64>() {
        return most(texts.value_offsets());
    }
    if let Some(bytes) = array.as_binary_opt::<i32>() {
        return most(bytes.value_offsets());
    }
    if let Some(bytes) = array.as_binary_opt::<i64>() {
        return most(bytes.value_offsets());
    }
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        return longest(dictionary.values());
    }
    let views = array.as_string_view_opt().map(|texts| texts.views());
    let views = views.or_else(|| array.as_binary_view_opt().map(|bytes| bytes.views()));
    // Source: Arrow columnar format, view layout: the length is the first four bytes.
    let length = |view: &u128| u64::try_from(*view & 0xffff_ffff).unwrap_or(u64::MAX);
    views
        .and_then(|views| views.iter().map(length).max())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
