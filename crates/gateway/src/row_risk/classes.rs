use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::Int64Type,
    row::{RowConverter, SortField},
};
use terms::Digest;

/// Entries kept at a time, of 24 bytes each.
const ENTRIES_MAX: usize = 4 << 20;

/// Classes of equal rows, and the subjects in each.
///
/// Units: memory is [`ENTRIES_MAX`] entries, and three bits a subject. Data with more rows is counted in
/// parts, by the digest of what a row shows, each part by a reading of its own; and of a class with k
/// subjects only k are kept.
#[derive(Debug)]
pub(super) struct Classes {
    k: usize,
    parts: u64,
    entries_max: usize,
    /// What is shown of a row, as 16 bytes of its digest, and whose row it is.
    entries: Vec<([u64; 2], u32)>,
    all: Subjects,
    unique: Subjects,
    below_k: Subjects,
}

/// How many subjects there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Distinct subjects.
    pub subjects: u64,
    /// Subjects with a row no other subject has.
    pub unique: u64,
    /// Subjects with a row that fewer than k subjects have.
    pub below_k: u64,
}

/// A set of subjects, one bit a number.
#[derive(Debug, Default)]
struct Subjects {
    words: Vec<u64>,
}

impl Classes {
    /// Of a snapshot with so many rows.
    pub(super) fn new(rows: u64, k: u32) -> Self {
        Self::holding(ENTRIES_MAX, rows, k)
    }

    fn holding(entries_max: usize, rows: u64, k: u32) -> Self {
        let half = u64::try_from(entries_max / 2).unwrap_or(u64::MAX).max(1);
        Self {
            k: usize::try_from(k).unwrap_or(usize::MAX).max(2),
            parts: rows.div_ceil(half).max(1),
            entries_max,
            entries: Vec::new(),
            all: Subjects::default(),
            unique: Subjects::default(),
            below_k: Subjects::default(),
        }
    }

    /// How often the rows must be read.
    pub(super) const fn parts(&self) -> u64 {
        self.parts
    }

    /// Takes in the rows of one part: the first column is the subject's number, and who has none is
    /// nobody. None if that is not so.
    pub(super) fn take(&mut self, part: u64, batch: &RecordBatch) -> Option<()> {
        let (subjects, shown) = batch.columns().split_first()?;
        let subjects = subjects.as_primitive_opt::<Int64Type>()?;
        let fields = shown
            .iter()
            .map(|column| SortField::new(column.data_type().clone()));
        // Without a visible item all rows are alike.
        let converter = RowConverter::new(fields.collect()).ok();
        let rows = match shown {
            [] => None,
            shown => Some(converter?.convert_columns(shown).ok()?),
        };
        for row in 0..subjects.len() {
            if subjects.is_null(row) {
                continue;
            }
            let subject = u32::try_from(subjects.value(row)).ok()?;
            let digest = Digest::of(rows.as_ref().map_or(&[], |rows| rows.row(row).data()));
            let (high, low) = digest.bytes().split_at(8);
            let class = [word(high)?, word(low)?];
            if class[0] % self.parts == part {
                self.all.insert(subject);
                self.entries.push((class, subject));
            }
        }
        if self.entries.len() >= self.entries_max {
            self.compact();
            // Beside a great many small classes: twice as much, before it is tried again.
            self.entries_max = self.entries_max.max(self.entries.len().saturating_mul(2));
        }
        Some(())
    }

    /// Ends a part: who is alone in a class, or among few, is noted.
    pub(super) fn settle(&mut self) {
        self.compact();
        for class in self.entries.chunk_by(|one, other| one.0 == other.0) {
            for (_, subject) in class.iter().filter(|_| class.len() < self.k) {
                self.below_k.insert(*subject);
                if class.len() < 2 {
                    self.unique.insert(*subject);
                }
            }
        }
        self.entries.clear();
    }

    /// What all parts show.
    pub(super) fn counted(&self) -> Counted {
        Counted {
            subjects: self.all.count(),
            unique: self.unique.count(),
            below_k: self.below_k.count(),
        }
    }

    /// Each subject once a class, and no more than k of them: a class that is large enough stays so.
    fn compact(&mut self) {
        self.entries.sort_unstable();
        self.entries.dedup();
        let (mut class, mut held, k) = (None, 0, self.k);
        self.entries.retain(|(of, _)| {
            held = if class == Some(*of) { held + 1 } else { 1 };
            class = Some(*of);
            held <= k
        });
    }
}

impl Subjects {
    fn insert(&mut self, subject: u32) {
        let at = usize::try_from(subject / 64).unwrap_or(usize::MAX);
        if self.words.len() <= at {
            self.words.resize(at + 1, 0);
        }
        if let Some(word) = self.words.get_mut(at) {
            *word |= 1 << (subject % 64);
        }
    }

    fn count(&self) -> u64 {
        self.words
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum()
    }
}

fn word(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.first_chunk::<8>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::{
        array::{ArrayRef, Int64Array, StringArray},
        datatypes::{DataType, Field, Schema},
    };
    use std::{
        collections::{BTreeMap, BTreeSet},
        sync::Arc,
    };

    fn batch(rows: &[(Option<i64>, Option<&str>, Option<i64>)]) -> RecordBatch {
        let field = |name, data_type| Field::new(name, data_type, true);
        let schema = Schema::new(vec![
            field("s", DataType::Int64),
            field("a", DataType::Utf8),
            field("b", DataType::Int64),
        ]);
        let columns: [ArrayRef; 3] = [
            Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.1).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
        ];
        RecordBatch::try_new(Arc::new(schema), columns.to_vec()).unwrap()
    }

    fn counted(classes: &mut Classes, batches: &[RecordBatch]) -> Counted {
        for part in 0..classes.parts() {
            for batch in batches {
                classes.take(part, batch).unwrap();
            }
            classes.settle();
        }
        classes.counted()
    }

    #[test]
    fn a_missing_value_is_another_than_an_empty_one_and_nobodys_rows_count_for_nobody() {
        let rows = [
            (Some(0), Some("x"), Some(1)),
            (Some(1), Some("x"), Some(1)),
            (Some(1), Some("x"), Some(1)),
            (Some(2), Some("x"), Some(1)),
            (Some(3), Some(""), None),
            (Some(4), None, None),
            (None, Some("y"), Some(2)),
            (Some(5), Some("y"), Some(2)),
            (Some(0), Some("z"), Some(0)),
            (Some(1), Some("z"), Some(0)),
        ];
        let seen = counted(&mut Classes::new(10, 3), &[batch(&rows)]);
        let expect = Counted {
            subjects: 6,
            unique: 3,
            below_k: 5,
        };
        assert_eq!(seen, expect);
    }

    #[test]
    fn where_nothing_is_visible_all_rows_are_alike() {
        let subjects = batch(&[(Some(0), None, None), (Some(1), None, None)]).project(&[0]);
        let seen = counted(&mut Classes::new(2, 2), &[subjects.unwrap()]);
        assert_eq!((seen.subjects, seen.unique, seen.below_k), (2, 0, 0));
    }

    #[test]
    fn parts_and_room_for_few_entries_change_nothing() {
        let mut state = 7u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        let rows: Vec<(i64, u64)> = (0..20_000)
            .map(|_| (i64::try_from(random(900)).unwrap(), random(40) * random(60)))
            .collect();
        let mut classes: BTreeMap<u64, BTreeSet<i64>> = BTreeMap::new();
        for (subject, class) in &rows {
            classes.entry(*class).or_default().insert(*subject);
        }
        let few = |below: usize| {
            let rare = classes
                .values()
                .filter(|people| people.len() < below)
                .flatten();
            rare.collect::<BTreeSet<_>>().len() as u64
        };
        let batches: Vec<RecordBatch> = rows
            .chunks(512)
            .map(|rows| {
                let rows: Vec<_> = rows
                    .iter()
                    .map(|(subject, class)| (Some(*subject), None, i64::try_from(*class).ok()))
                    .collect();
                batch(&rows)
            })
            .collect();
        for entries_max in [600, 5_000, ENTRIES_MAX] {
            let mut classes = Classes::holding(entries_max, 20_000, 10);
            let seen = counted(&mut classes, &batches);
            assert_eq!((seen.unique, seen.below_k), (few(2), few(10)));
            assert!(
                seen.subjects >= 890 && classes.entries.capacity() < 4 * entries_max.max(2_048)
            );
        }
    }
}
