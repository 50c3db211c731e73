use wire::write_row_set;

/// Up to so many subjects a witness says which: enough for the notice, which larger cells meet alone.
const SUBJECTS_SAID_MAX: usize = 256;

/// What stands in the place of a missing value: no number, of bits that no computation makes.
pub(super) const ABSENT: f64 = f64::from_bits(0x7ff8_6162_7365_6e74);

fn is_there(value: &f64) -> bool {
    value.to_bits() != ABSENT.to_bits()
}

/// The rows of one group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group<'a> {
    /// Whose each row is.
    pub subjects: &'a [u32],
    /// The number of each row; none where it is the subject's.
    pub rows: Option<&'a [u32]>,
    /// What each row contributes; empty where nothing is contributed.
    pub values: &'a [f64],
}

/// What a group amounts to.
#[derive(Debug, Default, Clone)]
pub(super) struct Amount {
    pub subjects: i64,
    pub rows: i64,
    pub rows_distinct: i64,
    /// The two largest absolute contributions, the sum of all, the least and the greatest.
    pub contributions: [f64; 5],
}

impl Group<'_> {
    /// What it all amounts to; the sets of rows, and of subjects if they are few, are written out.
    pub(super) fn amount(&self, row_set: &mut Vec<u8>, subject_set: &mut Vec<u8>) -> Amount {
        let mut subjects_sorted = Vec::new();
        let subjects = distinct(self.subjects, &mut subjects_sorted);
        let mut rows_sorted = Vec::new();
        let rows = match self.rows {
            Some(rows) => distinct(rows, &mut rows_sorted),
            None => subjects,
        };
        write_row_set(rows, row_set);
        let said = subjects.len() <= SUBJECTS_SAID_MAX;
        write_row_set(if said { subjects } else { &[] }, subject_set);
        Amount {
            subjects: count(subjects.len()),
            rows: count(self.subjects.len()),
            rows_distinct: count(rows.len()),
            contributions: self.contributions(subjects.len()),
        }
    }

    /// What its so many subjects contribute.
    fn contributions(&self, subjects: usize) -> [f64; 5] {
        if subjects == self.subjects.len() {
            return amounts(self.values.iter().copied().filter(is_there));
        }
        if self.values.is_empty() {
            return [0.0; 5];
        }
        let mut pairs: Vec<(u32, f64)> = self
            .subjects
            .iter()
            .copied()
            .zip(self.values.iter().copied())
            .collect();
        // Sorted by value too: a sum in another order would be another float.
        pairs.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        let of_one = pairs.chunk_by(|one, other| one.0 == other.0);
        let sums = of_one.filter_map(|rows| {
            let values = rows.iter().map(|(_, value)| *value).filter(is_there);
            values.reduce(|sum, value| sum + value)
        });
        amounts(sums)
    }
}

/// The distinct numbers, ascending; as they are where they came so.
fn distinct<'n>(numbers: &'n [u32], sorted: &'n mut Vec<u32>) -> &'n [u32] {
    if numbers.is_sorted_by(|one, other| one < other) {
        return numbers;
    }
    sorted.extend_from_slice(numbers);
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}

/// The two largest absolute values, the sum of all, the least and the greatest.
fn amounts(values: impl Iterator<Item = f64>) -> [f64; 5] {
    let (mut x1, mut x2, mut total) = (0.0f64, 0.0f64, 0.0f64);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        let size = value.abs();
        total += size;
        if size >= x1 {
            (x1, x2) = (size, x1);
        } else if size > x2 {
            x2 = size;
        }
        // What is no number makes the total none, and a cell without a total is withheld.
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        (low, high) = (0.0, 0.0);
    }
    [x1, x2, total, low, high]
}

pub(super) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
