use crate::Grade;

/// The smallest cell that may be released, by grade, in distinct subjects.
///
/// Source: design, "Grades": 5 for grade 2, 10 for grade 3 unless the domain says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Thresholds {
    /// k where the highest grade among the permitted items is 1 or 2.
    pub grade_two: u32,
    /// k where it is 3 or 4.
    pub grade_three: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            grade_two: 5,
            grade_three: 10,
        }
    }
}

impl Thresholds {
    /// The k of a protected dataset whose highest permitted grade is this, at least grade 2's.
    #[must_use]
    pub fn of(&self, highest: Grade) -> u32 {
        match highest {
            Grade::One | Grade::Two => self.grade_two,
            Grade::Three | Grade::Four => self.grade_three.max(self.grade_two),
        }
    }
}

/// What a permit asks of a result beside masks and thresholds. All that apply bind; the strictest wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Obligations {
    /// The most rows one result may have.
    pub rows_max: u64,
    /// The most bytes one result may have, counted as Arrow buffers.
    pub result_bytes_max: u64,
}

impl Obligations {
    /// Both, the stricter of each.
    #[must_use]
    pub fn strictest(self, other: Self) -> Self {
        Self {
            rows_max: self.rows_max.min(other.rows_max),
            result_bytes_max: self.result_bytes_max.min(other.result_bytes_max),
        }
    }
}

#[cfg(test)]
mod tests;
