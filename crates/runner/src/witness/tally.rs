use roaring::RoaringBitmap;
use std::collections::HashMap;

/// What is known of one group.
#[derive(Debug, Default, Clone)]
pub(super) struct Tally {
    rows: i64,
    /// Whether rows are numbered; else each entered once by proof.
    numbered: bool,
    row_set: RoaringBitmap,
    subject_set: RoaringBitmap,
    /// Per subject that has values: their sum.
    sums: HashMap<u32, f64>,
}

impl Tally {
    /// Enters one row.
    pub(super) fn enter(&mut self, subject: u32, row: Option<u32>, value: Option<f64>) {
        self.rows += 1;
        self.subject_set.insert(subject);
        if let Some(row) = row {
            self.numbered = true;
            self.row_set.insert(row);
        }
        if let Some(value) = value {
            *self.sums.entry(subject).or_insert(0.0) += value;
        }
    }

    /// Takes in another witness's sets; what each contributed is not added up.
    pub(super) fn unite(&mut self, rows: &[u8], subjects: &[u8]) -> Option<()> {
        self.row_set |= RoaringBitmap::deserialize_from(rows).ok()?;
        self.subject_set |= RoaringBitmap::deserialize_from(subjects).ok()?;
        self.numbered = true;
        self.rows = i64::try_from(self.row_set.len()).ok()?;
        Some(())
    }

    pub(super) fn subjects(&self) -> i64 {
        i64::try_from(self.subject_set.len()).unwrap_or(i64::MAX)
    }

    pub(super) const fn rows(&self) -> i64 {
        self.rows
    }

    pub(super) fn rows_distinct(&self) -> i64 {
        if self.numbered {
            i64::try_from(self.row_set.len()).unwrap_or(i64::MAX)
        } else {
            self.rows
        }
    }

    /// The two largest absolute contributions, the sum of all, the least and the greatest. Sums are
    /// taken in order of size, so that the order in which rows come does not show.
    pub(super) fn contributions(&self) -> [f64; 5] {
        let mut all: Vec<f64> = self.sums.values().copied().collect();
        all.sort_by(f64::total_cmp);
        let low = all.first().copied().unwrap_or(0.0);
        let high = all.last().copied().unwrap_or(0.0);
        all.iter_mut().for_each(|value| *value = value.abs());
        all.sort_by(f64::total_cmp);
        let total = all.iter().sum();
        let mut largest = all.iter().rev().copied();
        let x1 = largest.next().unwrap_or(0.0);
        let x2 = largest.next().unwrap_or(0.0);
        [x1, x2, total, low, high]
    }

    pub(super) fn row_set(&self) -> Vec<u8> {
        serialized(&self.row_set)
    }

    pub(super) fn subject_set(&self) -> Vec<u8> {
        serialized(&self.subject_set)
    }

    pub(super) fn size(&self) -> usize {
        let sets = self.row_set.serialized_size() + self.subject_set.serialized_size();
        size_of::<Self>() + sets * 2 + self.sums.capacity() * 24
    }

    /// A state for another process of the same aggregate.
    pub(super) fn written(&self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.numbered)];
        bytes.extend(self.rows.to_le_bytes());
        for set in [self.row_set(), self.subject_set()] {
            bytes.extend((set.len() as u64).to_le_bytes());
            bytes.extend(set);
        }
        for (subject, sum) in &self.sums {
            bytes.extend(subject.to_le_bytes());
            bytes.extend(sum.to_le_bytes());
        }
        bytes
    }

    /// Takes in such a state.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<()> {
        let (numbered, rest) = bytes.split_first()?;
        self.numbered |= *numbered == 1;
        let (rows, mut rest) = rest.split_first_chunk::<8>()?;
        self.rows += i64::from_le_bytes(*rows);
        for set in [&mut self.row_set, &mut self.subject_set] {
            let (length, after) = rest.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (bytes, after) = after.split_at_checked(length)?;
            *set |= RoaringBitmap::deserialize_from(bytes).ok()?;
            rest = after;
        }
        while !rest.is_empty() {
            let (subject, after) = rest.split_first_chunk::<4>()?;
            let (sum, after) = after.split_first_chunk::<8>()?;
            let subject = u32::from_le_bytes(*subject);
            *self.sums.entry(subject).or_insert(0.0) += f64::from_le_bytes(*sum);
            rest = after;
        }
        Some(())
    }
}

fn serialized(set: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(set.serialized_size());
    // A vector grows, so that there is always room.
    set.serialize_into(&mut bytes).ok();
    bytes
}
