use wire::write_row_set;

/// Up to so many subjects a witness says which: enough for the notice, which larger cells meet alone.
const SUBJECTS_SAID_MAX: usize = 256;

/// There is room for each subject where there are at most so many numbers a row.
const SPARSE_MAX: usize = 8;

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

/// What each subject of a group has contributed, by its number; made once for all groups.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The sum so far; [`ABSENT`] where there is none.
    sums: Vec<f64>,
    entered: Vec<bool>,
    /// Who was entered, as they came.
    subjects: Vec<u32>,
}

impl Scratch {
    /// For subjects up to a number, if they are few enough beside so many rows.
    pub(super) fn up_to(greatest: Option<u32>, rows: usize) -> Self {
        let room = greatest.and_then(|number| usize::try_from(number).ok()?.checked_add(1));
        let room = room.filter(|room| *room <= rows.saturating_mul(SPARSE_MAX));
        Self {
            sums: vec![ABSENT; room.unwrap_or_default()],
            entered: vec![false; room.unwrap_or_default()],
            subjects: Vec::new(),
        }
    }

    fn enter(&mut self, subject: u32, value: f64) -> Option<()> {
        let place = usize::try_from(subject).ok()?;
        let (sum, entered) = (self.sums.get_mut(place)?, self.entered.get_mut(place)?);
        if !*entered {
            *entered = true;
            self.subjects.push(subject);
        }
        if is_there(&value) {
            *sum = if is_there(sum) { *sum + value } else { value };
        }
        Some(())
    }

    /// Who contributed, and what; everything is as before then.
    fn leave(&mut self) -> (Vec<u32>, [f64; 5]) {
        let subjects = std::mem::take(&mut self.subjects);
        let mut of = |subject: &u32| {
            let place = usize::try_from(*subject).ok()?;
            *self.entered.get_mut(place)? = false;
            Some(std::mem::replace(self.sums.get_mut(place)?, ABSENT))
        };
        let sums = subjects.iter().filter_map(&mut of).filter(is_there);
        let contributions = amounts(sums);
        (subjects, contributions)
    }
}

impl Group<'_> {
    /// What it all amounts to; the sets of rows, and of subjects if they are few, are written out.
    pub(super) fn amount(
        &self,
        scratch: &mut Scratch,
        row_set: &mut Vec<u8>,
        subject_set: &mut Vec<u8>,
    ) -> Amount {
        let mut sorted = Vec::new();
        let (subjects, contributions) = match self.of_scratch(scratch) {
            Some((mut subjects, contributions)) => {
                if self.rows.is_none() || subjects.len() <= SUBJECTS_SAID_MAX {
                    subjects.sort_unstable();
                }
                sorted = subjects;
                (sorted.as_slice(), contributions)
            }
            None => {
                let subjects = distinct(self.subjects, &mut sorted);
                (subjects, self.contributions(subjects.len()))
            }
        };
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
            contributions,
        }
    }

    /// The same without sorting, where subjects come in no order and there is room for each.
    fn of_scratch(&self, scratch: &mut Scratch) -> Option<(Vec<u32>, [f64; 5])> {
        let ascending = self.subjects.is_sorted_by(|one, other| one < other);
        if ascending || scratch.sums.is_empty() {
            return None;
        }
        let values = self.values.iter().copied().chain(std::iter::repeat(ABSENT));
        let entered = self.subjects.iter().zip(values);
        let all = entered.map(|(subject, value)| scratch.enter(*subject, value));
        let all: Option<()> = all.collect();
        let told = scratch.leave();
        all.map(|()| told)
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
