/// What an operation that released its result used: what is metered and may be paid for. Source: AO-16.
///
/// It stands in the clear in the closing entry, which goes out with an export; so it says nothing of values,
/// and time in whole milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Processor time of the planner, in milliseconds; none where a prepared statement was planned before.
    #[serde(default)]
    pub planner_cpu_ms: u64,
    /// Processor time of the runner, in milliseconds.
    pub runner_cpu_ms: u64,
    /// Bytes scanned: as stored (compressed and sealed), whole columns, of each dataset's snapshot that
    /// the plan reads; each column once, however often the plan scans it.
    pub scanned_bytes: u64,
    /// Values masked: the items read under a mask, times the rows of their dataset's snapshot.
    pub values_masked: u64,
    /// Cells released: rows times columns.
    pub cells: u64,
    /// Parts that the disclosure register held when the result left: it never holds fewer again.
    #[serde(default, skip_serializing_if = "is_none")]
    pub register_parts: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
const fn is_none(parts: &u64) -> bool {
    *parts == 0
}

impl Usage {
    /// Whether a reference's way counts as a mask applied: neither plain nor raw nor absent.
    #[must_use]
    pub fn is_masking(way: &str) -> bool {
        ![
            "plain",
            "suppress",
            "raw-aggregate",
            "subject",
            "row-policy",
        ]
        .contains(&way)
    }

    /// Processor time, of the planner and the runner together, in milliseconds.
    #[must_use]
    pub const fn cpu_ms(self) -> u64 {
        self.planner_cpu_ms.saturating_add(self.runner_cpu_ms)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            planner_cpu_ms: self.planner_cpu_ms.saturating_add(other.planner_cpu_ms),
            runner_cpu_ms: self.runner_cpu_ms.saturating_add(other.runner_cpu_ms),
            scanned_bytes: self.scanned_bytes.saturating_add(other.scanned_bytes),
            values_masked: self.values_masked.saturating_add(other.values_masked),
            cells: self.cells.saturating_add(other.cells),
            // A state, not a use.
            register_parts: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_hides_a_value_in_part_or_whole_is_a_mask_applied() {
        for way in [
            "token",
            "redact",
            "partial(3,0)",
            "prefix(2)",
            "band(10)",
            "year",
            "month",
        ] {
            assert!(Usage::is_masking(way), "{way}");
        }
        for way in [
            "plain",
            "suppress",
            "raw-aggregate",
            "subject",
            "row-policy",
        ] {
            assert!(!Usage::is_masking(way), "{way}");
        }
    }
}
