use crate::{Unreceivable, open_plain};
use csv::ByteRecord;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The rows of a CSV file after its header, each with the line it begins at.
///
/// Source: RFC 4180, with `\n` also ending a line, and a byte order mark tolerated. Stricter than
/// most readers in one thing: a quote that is not closed is an error, not a very long field.
pub(crate) struct CsvRows {
    path: PathBuf,
    reader: csv::Reader<Window<File>>,
    header: Vec<String>,
    record: ByteRecord,
    /// Where the last record ended, in bytes.
    end: u64,
    /// The line at that place, from 1.
    line: u64,
    /// Whether that place is in the middle of a `\r\n`.
    cut_crlf: bool,
}

/// Keeps the bytes of the row being read, to count lines and quotes in them.
struct Window<R> {
    inner: R,
    kept: VecDeque<u8>,
}

/// The longest row; longer ones come from a quote that is not closed.
const ROW_BYTES_MAX: usize = 16 << 20;

// === impl CsvRows ===

impl CsvRows {
    /// Opens the file and reads its header.
    pub(crate) fn open(path: &Path) -> Result<Self, Unreceivable> {
        let file = open_plain(path).map_err(|source| Unreceivable::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(Window {
                inner: file,
                kept: VecDeque::new(),
            });
        let mut rows = Self {
            path: path.to_owned(),
            reader,
            header: Vec::new(),
            record: ByteRecord::new(),
            end: 0,
            line: 1,
            cut_crlf: false,
        };
        let Some((line, names)) = rows.advance()? else {
            return Err(Unreceivable::NoHeader {
                path: path.to_owned(),
            });
        };
        let names: Result<Vec<_>, _> = names
            .iter()
            .map(|name| std::str::from_utf8(name).map(str::to_owned))
            .collect();
        let misfit = |_| Unreceivable::Misfit {
            path: path.to_owned(),
            place: crate::Place::Line(line),
            column: "header".to_owned(),
            expected: crate::csv_columns::UTF_8,
        };
        rows.header = names.map_err(misfit)?;
        Ok(rows)
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Bytes read so far.
    pub(crate) fn bytes_done(&self) -> u64 {
        self.end
    }

    /// The next row, with as many fields as the header, and its line.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, &ByteRecord)>, Unreceivable> {
        let expected = self.header.len();
        let path = self.path.clone();
        let Some((line, record)) = self.advance()? else {
            return Ok(None);
        };
        if record.len() == expected {
            return Ok(Some((line, record)));
        }
        let count = |fields: usize| u64::try_from(fields).unwrap_or(u64::MAX);
        let (expected, found) = (count(expected), count(record.len()));
        Err(Unreceivable::BrokenRow {
            path,
            line,
            expected,
            found,
        })
    }

    fn advance(&mut self) -> Result<Option<(u64, &ByteRecord)>, Unreceivable> {
        let more = match self.reader.read_byte_record(&mut self.record) {
            Ok(more) => more,
            Err(cause) => return Err(self.unreadable(cause)),
        };
        let end = self.reader.position().byte();
        let length = usize::try_from(end.saturating_sub(self.end)).unwrap_or(usize::MAX);
        self.end = end;
        let kept = &mut self.reader.get_mut().kept;
        let length = length.min(kept.len());
        let raw: Vec<u8> = kept.drain(..length).collect();
        let blank = raw.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
        let skipped = count_of(b'\n', blank);
        let line = self.line.saturating_add(skipped);
        let empty_lines = skipped.saturating_sub(u64::from(self.cut_crlf));
        self.cut_crlf = raw.last() == Some(&b'\r');
        self.line = self.line.saturating_add(count_of(b'\n', raw.iter()));
        if count_of(b'"', raw.iter()) % 2 == 1 {
            return Err(Unreceivable::OpenQuote {
                path: self.path.clone(),
                line,
            });
        }
        // In a table of one column an empty line would be a null; elsewhere it is no row.
        if more && empty_lines > 0 && self.header.len() == 1 {
            let (path, line) = (self.path.clone(), line.saturating_sub(1));
            return Err(Unreceivable::BrokenRow {
                path,
                line,
                expected: 1,
                found: 0,
            });
        }
        Ok(more.then_some((line, &self.record)))
    }

    fn unreadable(&self, cause: csv::Error) -> Unreceivable {
        let path = self.path.clone();
        let said = cause.to_string();
        if let csv::ErrorKind::Io(source) = cause.into_kind() {
            return if source.kind() == std::io::ErrorKind::FileTooLarge {
                Unreceivable::OpenQuote {
                    path,
                    line: self.line,
                }
            } else {
                Unreceivable::Unreadable { path, source }
            };
        }
        Unreceivable::Unreadable {
            path,
            source: std::io::Error::other(said),
        }
    }
}

fn count_of<'a>(wanted: u8, bytes: impl Iterator<Item = &'a u8>) -> u64 {
    bytes.fold(0, |sum, byte| {
        sum.saturating_add(u64::from(*byte == wanted))
    })
}

// === impl Window ===

impl<R: Read> Read for Window<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.kept.len() > ROW_BYTES_MAX {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        let length = self.inner.read(buffer)?;
        self.kept.extend(buffer.iter().take(length));
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[u64]) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data.csv");
        std::fs::write(&path, text).unwrap();
        let mut rows = CsvRows::open(&path).unwrap();
        assert_eq!(rows.header(), ["a", "b"], "{text:?}");
        let mut lines = Vec::new();
        while let Some((line, _)) = rows.next().unwrap() {
            lines.push(line);
        }
        assert_eq!(lines, expect, "{text:?}");
        assert_eq!(
            rows.bytes_done(),
            u64::try_from(text.len()).unwrap(),
            "{text:?}"
        );
    }

    #[test]
    fn a_row_knows_its_line() {
        check("a,b\n1,2\n3,4\n", &[2, 3]);
        check("a,b\r\n1,2\r\n3,4", &[2, 3]);
        check("a,b\n\n\n1,2\n\n3,4\n\n", &[4, 6]);
        check("a,b\r\n\r\n1,2\r\n\r\n3,4\r\n", &[3, 5]);
        check(
            "\u{feff}a,b\n1,\"two\nlines \"\"quoted\"\"\"\n3,4\n",
            &[2, 4],
        );
        check("a,b\n", &[]);
    }

    #[test]
    fn an_empty_line_is_refused_where_it_could_be_a_null() {
        for (text, at) in [("a\n1\n\n2\n", 3), ("a\r\n1\r\n\r\n2\r\n", 3)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("data.csv");
            std::fs::write(&path, text).unwrap();
            let mut rows = CsvRows::open(&path).unwrap();
            assert!(rows.next().unwrap().is_some());
            let cause = rows.next().unwrap_err();
            let Unreceivable::BrokenRow { line, .. } = cause else {
                panic!("{cause}")
            };
            assert_eq!(line, at, "{text:?}");
        }
    }

    #[test]
    fn an_open_quote_is_refused_at_its_row() {
        for (text, at) in [
            ("a,b\n1,2\n3,\"4\n5,6\n", 3),
            ("a,b\n1,2\"\n3,4\n", 2),
            ("a,b\n1,2\n3,4\n5,\"", 4),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("data.csv");
            std::fs::write(&path, text).unwrap();
            let mut rows = CsvRows::open(&path).unwrap();
            let cause = loop {
                match rows.next() {
                    Ok(row) => assert!(row.is_some(), "{text:?} passed"),
                    Err(cause) => break cause,
                }
            };
            let Unreceivable::OpenQuote { line, .. } = cause else {
                panic!("{cause}")
            };
            assert_eq!(line, at, "{text:?}");
        }
    }

    #[test]
    fn a_row_without_end_is_refused_before_it_fills_the_memory() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data.csv");
        std::fs::write(&path, format!("a,b\n1,\"{}", "x\n".repeat(ROW_BYTES_MAX))).unwrap();
        let mut rows = CsvRows::open(&path).unwrap();
        assert_eq!(rows.next().unwrap_err().code(), "vault.open-quote");
    }
}
