use roaring::RoaringBitmap;

/// Up to so many subjects a witness says which: enough for the notice, which larger cells meet alone.
const SUBJECTS_SAID_MAX: usize = 256;

/// What stands in the place of a missing value: no number, of bits that no computation makes.
const ABSENT: f64 = f64::from_bits(0x7ff8_6162_7365_6e74);

fn is_there(value: &f64) -> bool {
    value.to_bits() != ABSENT.to_bits()
}

/// What is known of one group: its rows one after another, as they came. What they amount to is worked
/// out once, when the group is whole; rows mostly come in order, so that there is little to sort.
#[derive(Debug, Default, Clone)]
pub(super) struct Tally {
    subjects: Vec<u32>,
    /// One a row; empty where rows are not numbered, each having entered once by proof.
    rows: Vec<u32>,
    /// One a row; empty where nothing is contributed.
    values: Vec<f64>,
    /// Rows that came only as sets, from other witnesses.
    united: RoaringBitmap,
}

/// What a group amounts to.
#[derive(Debug, Default, Clone)]
pub(super) struct Amount {
    pub subjects: i64,
    pub rows: i64,
    pub rows_distinct: i64,
    /// The two largest absolute contributions, the sum of all, the least and the greatest.
    pub contributions: [f64; 5],
    pub row_set: Vec<u8>,
    pub subject_set: Vec<u8>,
}

impl Tally {
    /// Enters one row.
    pub(super) fn enter(&mut self, subject: u32, row: Option<u32>, value: Option<f64>) {
        if value.is_some() {
            self.values.resize(self.subjects.len(), ABSENT);
        }
        if value.is_some() || !self.values.is_empty() {
            self.values.push(value.unwrap_or(ABSENT));
        }
        self.subjects.push(subject);
        self.rows.extend(row);
    }

    /// Takes in another witness's sets; what each contributed is not added up.
    pub(super) fn unite(&mut self, rows: &[u8], subjects: &[u8]) -> Option<()> {
        self.united |= RoaringBitmap::deserialize_from(rows).ok()?;
        let subjects = RoaringBitmap::deserialize_from(subjects).ok()?;
        self.subjects.extend(subjects);
        self.values.clear();
        Some(())
    }

    /// What it all amounts to.
    pub(super) fn amount(&self) -> Amount {
        let mut row_set = set_of(&self.rows);
        row_set |= &self.united;
        let distinct = count(row_set.len());
        let numbered = !self.rows.is_empty() || !self.united.is_empty();
        let rows = match self.united.is_empty() {
            true => count(self.subjects.len() as u64),
            false => distinct,
        };
        let (subjects, contributions) = self.contributions();
        let said = subjects <= SUBJECTS_SAID_MAX as u64;
        Amount {
            subjects: count(subjects),
            rows,
            rows_distinct: if numbered { distinct } else { rows },
            contributions,
            row_set: serialized(&row_set),
            subject_set: if said {
                serialized(&set_of(&self.subjects))
            } else {
                serialized(&RoaringBitmap::new())
            },
        }
    }

    /// How many subjects there are, and what they contribute.
    fn contributions(&self) -> (u64, [f64; 5]) {
        let ascending = self
            .subjects
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a < b));
        if ascending {
            let values = self.values.iter().copied().filter(is_there);
            return (self.subjects.len() as u64, amounts(values));
        }
        if self.values.is_empty() {
            return (set_of(&self.subjects).len(), [0.0; 5]);
        }
        let mut pairs: Vec<(u32, f64)> = self
            .subjects
            .iter()
            .copied()
            .zip(self.values.iter().copied())
            .collect();
        pairs.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        let of_one = pairs.chunk_by(|one, other| one.0 == other.0);
        let subjects = of_one.clone().count() as u64;
        let sums = of_one.filter_map(|rows| {
            let values = rows.iter().map(|(_, value)| *value).filter(is_there);
            values.reduce(|sum, value| sum + value)
        });
        (subjects, amounts(sums))
    }

    pub(super) fn size(&self) -> usize {
        let rows = (self.subjects.capacity() + self.rows.capacity()) * 4;
        size_of::<Self>() + rows + self.values.capacity() * 8 + self.united.serialized_size() * 2
    }

    /// A state for another process of the same aggregate.
    pub(super) fn written(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let united = serialized(&self.united);
        for length in [
            self.subjects.len(),
            self.rows.len(),
            self.values.len(),
            united.len(),
        ] {
            bytes.extend((length as u64).to_le_bytes());
        }
        for number in self.subjects.iter().chain(&self.rows) {
            bytes.extend(number.to_le_bytes());
        }
        for value in &self.values {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(united);
        bytes
    }

    /// Takes in such a state.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<()> {
        let mut lengths = [0usize; 4];
        let mut rest = bytes;
        for length in &mut lengths {
            let (found, after) = rest.split_first_chunk::<8>()?;
            *length = usize::try_from(u64::from_le_bytes(*found)).ok()?;
            rest = after;
        }
        let [subjects, rows, values, united] = lengths;
        let before = self.subjects.len();
        for (numbers, length) in [(&mut self.subjects, subjects), (&mut self.rows, rows)] {
            let (part, after) = rest.split_at_checked(length.checked_mul(4)?)?;
            let words = part.chunks_exact(4).filter_map(|word| word.try_into().ok());
            numbers.extend(words.map(u32::from_le_bytes));
            rest = after;
        }
        let (part, after) = rest.split_at_checked(values.checked_mul(8)?)?;
        let words = part.chunks_exact(8).filter_map(|word| word.try_into().ok());
        if values > 0 {
            self.values.resize(before, ABSENT);
        }
        self.values.extend(words.map(f64::from_le_bytes));
        if !self.values.is_empty() {
            self.values.resize(self.subjects.len(), ABSENT);
        }
        let united = after.get(..united)?;
        self.united |= RoaringBitmap::deserialize_from(united).ok()?;
        Some(())
    }
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

/// The set of some numbers; quick where they come in order.
fn set_of(numbers: &[u32]) -> RoaringBitmap {
    match RoaringBitmap::from_sorted_iter(numbers.iter().copied()) {
        Ok(set) => set,
        Err(_) => {
            let mut sorted = numbers.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            RoaringBitmap::from_sorted_iter(sorted).unwrap_or_default()
        }
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn serialized(set: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(set.serialized_size());
    // A vector grows, so that there is always room.
    set.serialize_into(&mut bytes).ok();
    bytes
}
