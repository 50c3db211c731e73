use super::{
    broken,
    tally::{ABSENT, Group, Scratch},
};
use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray},
    datatypes::{Float64Type, Int64Type},
};
use datafusion::error::Result;

/// The rows of all groups, column by column, as they came; put in order by group when all are there.
/// Writing them one after another is quick where there are many groups, and so is sorting by counting.
#[derive(Default)]
pub(super) struct Rows {
    groups: Vec<u32>,
    subjects: Vec<u32>,
    /// The numbers of the rows; empty while they are their subjects'.
    rows: Vec<u32>,
    /// Whether rows have numbers of their own.
    numbered: bool,
    /// What each contributes; empty where nothing is contributed.
    values: Vec<f64>,
}

/// The same, by group.
pub(super) struct Sorted {
    rows: Rows,
    /// Where each group begins, and where the last ends.
    starts: Vec<usize>,
}

impl Rows {
    /// Enters the rows that have a subject; `group` says where each belongs.
    pub(super) fn enter(
        &mut self,
        [subjects, rows, values]: [&ArrayRef; 3],
        groups: Option<&[usize]>,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let numbered = !rows.to_data().ptr_eq(&subjects.to_data());
        let whole = |column: &ArrayRef| column.as_primitive_opt::<Int64Type>().cloned();
        let (subjects, rows) = whole(subjects).zip(whole(rows)).ok_or_else(broken)?;
        let values = values
            .as_primitive_opt::<Float64Type>()
            .ok_or_else(broken)?;
        if numbered && !self.numbered {
            self.rows.clone_from(&self.subjects);
            self.numbered = true;
        }
        let contributed = values.null_count() < values.len();
        if contributed && self.values.is_empty() {
            self.values.resize(self.subjects.len(), ABSENT);
        }
        let contributed = contributed || !self.values.is_empty();
        let number = |value: i64| u32::try_from(value).map_err(|_| broken());
        for (at, subject) in subjects.values().iter().enumerate() {
            let kept = filter.is_none_or(|f| f.is_valid(at) && f.value(at));
            if !kept || subjects.is_null(at) {
                continue;
            }
            self.subjects.push(number(*subject)?);
            if self.numbered {
                // INVARIANT (a row with a subject has a number): what has none cannot be held to it.
                if rows.is_null(at) {
                    return Err(broken());
                }
                self.rows.push(number(rows.value(at))?);
            }
            if contributed {
                let there = values.is_valid(at);
                self.values
                    .push(if there { values.value(at) } else { ABSENT });
            }
            let group = groups.map_or(Some(0), |groups| groups.get(at).copied());
            let group = group.and_then(|group| u32::try_from(group).ok());
            self.groups.push(group.ok_or_else(broken)?);
        }
        Ok(())
    }

    /// Takes the rows of the first so many groups of `groups`; the others move up.
    pub(super) fn take(&mut self, first: usize, groups: usize) -> Sorted {
        let mut sorted = std::mem::take(self).sorted(groups);
        let end = sorted.starts.get(first).copied().unwrap_or_default();
        for (group, bounds) in sorted
            .starts
            .get(first..)
            .unwrap_or_default()
            .windows(2)
            .enumerate()
        {
            let rows = bounds.iter().copied().reduce(|from, to| to - from);
            let group = u32::try_from(group).unwrap_or(u32::MAX);
            self.groups
                .extend(std::iter::repeat_n(group, rows.unwrap_or_default()));
        }
        let rest = |numbers: &Vec<u32>| numbers.get(end..).unwrap_or_default().to_vec();
        self.subjects = rest(&sorted.rows.subjects);
        self.rows = rest(&sorted.rows.rows);
        self.numbered = sorted.rows.numbered;
        self.values = sorted.rows.values.get(end..).unwrap_or_default().to_vec();
        sorted.starts.truncate(first + 1);
        sorted
    }

    /// In order by group, and within a group as they came.
    fn sorted(self, groups: usize) -> Sorted {
        let mut starts = vec![0usize; groups + 1];
        for group in &self.groups {
            let next = usize::try_from(*group)
                .ok()
                .and_then(|at| starts.get_mut(at + 1));
            if let Some(count) = next {
                *count += 1;
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        if self.groups.is_sorted() {
            return Sorted { rows: self, starts };
        }
        let mut next = starts.clone();
        let mut places = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let place = usize::try_from(*group).ok().and_then(|at| next.get_mut(at));
            places.push(place.map_or(0, |place| {
                *place += 1;
                *place - 1
            }));
        }
        let rows = Self {
            groups: Vec::new(),
            subjects: placed(&self.subjects, &places, 0),
            rows: placed(&self.rows, &places, 0),
            numbered: self.numbered,
            values: placed(&self.values, &places, ABSENT),
        };
        Sorted { rows, starts }
    }

    pub(super) fn size(&self) -> usize {
        let numbers = self.groups.capacity() + self.subjects.capacity() + self.rows.capacity();
        // Sorted, they stand there twice for a moment.
        2 * (numbers * 4 + self.values.capacity() * 8)
    }

    /// Enters the rows of a written state into a group.
    pub(super) fn read(&mut self, bytes: &[u8], group: usize) -> Option<()> {
        let (head, mut rest) = bytes.split_at_checked(16)?;
        let length = |at: usize| {
            let word = head.get(at..at + 8)?.try_into().ok()?;
            usize::try_from(u64::from_le_bytes(word)).ok()
        };
        let (rows, flags) = (length(0)?, length(8)?);
        let mut column = |width: usize| {
            let (part, after) = rest.split_at_checked(rows.checked_mul(width)?)?;
            rest = after;
            Some(part)
        };
        let numbers = |part: &[u8]| -> Vec<u32> {
            let words = part.chunks_exact(4).filter_map(|word| word.try_into().ok());
            words.map(u32::from_le_bytes).collect()
        };
        let subjects = numbers(column(4)?);
        let (numbered, contributed) = (flags & 1 != 0, flags & 2 != 0);
        if numbered && !self.numbered {
            self.rows.clone_from(&self.subjects);
            self.numbered = true;
        }
        if numbered {
            self.rows.extend(numbers(column(4)?));
        } else if self.numbered {
            self.rows.extend(&subjects);
        }
        if contributed {
            self.values.resize(self.subjects.len(), ABSENT);
            let words = column(8)?
                .chunks_exact(8)
                .filter_map(|word| word.try_into().ok());
            self.values.extend(words.map(f64::from_le_bytes));
        } else if !self.values.is_empty() {
            self.values.resize(self.subjects.len() + rows, ABSENT);
        }
        self.subjects.extend(subjects);
        let group = u32::try_from(group).ok()?;
        self.groups.resize(self.subjects.len(), group);
        Some(())
    }
}

/// Each value at its place.
fn placed<T: Copy>(values: &[T], places: &[usize], nothing: T) -> Vec<T> {
    let mut out = vec![nothing; values.len()];
    for (value, place) in values.iter().zip(places) {
        if let Some(slot) = out.get_mut(*place) {
            *slot = *value;
        }
    }
    out
}

impl Sorted {
    /// Room for what each subject contributes to a group.
    pub(super) fn scratch(&self) -> Scratch {
        let subjects = &self.rows.subjects;
        Scratch::up_to(subjects.iter().copied().max(), subjects.len())
    }

    /// The groups, one after another.
    pub(super) fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        self.starts.windows(2).map(|bounds| {
            let range = match bounds {
                [from, to] => *from..*to,
                _ => 0..0,
            };
            Group {
                subjects: self.rows.subjects.get(range.clone()).unwrap_or_default(),
                rows: match self.rows.numbered {
                    true => self.rows.rows.get(range.clone()),
                    false => None,
                },
                values: self.rows.values.get(range).unwrap_or_default(),
            }
        })
    }

    /// Each group as a state for another part of the same aggregate.
    pub(super) fn written(&self) -> impl Iterator<Item = Vec<u8>> {
        self.groups().map(|group| {
            let flags = u64::from(group.rows.is_some()) | u64::from(!group.values.is_empty()) << 1;
            let mut bytes = Vec::with_capacity(16 + group.subjects.len() * 16);
            bytes.extend((group.subjects.len() as u64).to_le_bytes());
            bytes.extend(flags.to_le_bytes());
            let rows = group.rows.unwrap_or_default();
            for number in group.subjects.iter().chain(rows) {
                bytes.extend(number.to_le_bytes());
            }
            for value in group.values {
                bytes.extend(value.to_le_bytes());
            }
            bytes
        })
    }
}
