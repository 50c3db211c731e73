use dispatch::Failure;
use terms::{Shape, Told};

/// Why nothing more leaves.
#[derive(Debug, thiserror::Error)]
pub enum Withheld {
    /// The runner gave no sound result.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// A row does not prove the threshold it owes, though the runner should have dropped it.
    #[error("a row does not prove its threshold")]
    Unproved,
    /// The columns that arrived are not those that were pinned.
    #[error("the columns are not those that were pinned")]
    Misshapen,
    /// There are more rows than the permit lets out.
    #[error("more than {rows_max} rows")]
    TooManyRows {
        /// The cap.
        rows_max: u64,
    },
    /// There are more bytes than the permit lets out.
    #[error("more than {bytes_max} bytes")]
    TooManyBytes {
        /// The cap, counted as Arrow buffers.
        bytes_max: u64,
    },
    /// A text holds what stands for a person, and is of grade 3 by its column or by its nature.
    #[error("a text looks like a {}", .shape.word())]
    Sensitive {
        /// What it looks like.
        shape: Shape,
    },
    /// The result was asked to close before its end was seen.
    #[error("the result was not read to its end")]
    Unfinished,
}

impl Withheld {
    /// The stable code, for machines and the ledger.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.code(),
            Self::Unproved => "egress.unproved",
            Self::Misshapen => "egress.misshapen",
            Self::TooManyRows { .. } => "egress.too-many-rows",
            Self::TooManyBytes { .. } => "egress.too-many-bytes",
            Self::Sensitive { .. } => "egress.sensitive-data",
            Self::Unfinished => "egress.unfinished",
        }
    }

    /// What the caller hears.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::Failed(failure) => failure.told(),
            Self::TooManyRows { .. } => Told::new(
                "the result has more rows than this scenario may take; aggregate it or add a LIMIT.",
                "结果行数超出本场景上限，请聚合或使用 LIMIT。",
            ),
            Self::TooManyBytes { .. } => Told::new(
                "the result is larger than this scenario may take; aggregate it or select fewer columns.",
                "结果大小超出本场景上限，请聚合或减少字段。",
            ),
            Self::Unproved | Self::Misshapen | Self::Sensitive { .. } | Self::Unfinished => {
                Told::new(
                    "the result was withheld; the domain's staff have been told.",
                    "结果已被拦截，已通知运维人员。",
                )
            }
        }
    }

    /// Whether the cause lies in the statement; otherwise it is ours, and staff must hear of it.
    #[must_use]
    pub const fn is_callers(&self) -> bool {
        match self {
            Self::Failed(failure) => failure.is_callers(),
            Self::TooManyRows { .. } | Self::TooManyBytes { .. } | Self::Unfinished => true,
            Self::Unproved | Self::Misshapen | Self::Sensitive { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dispatch::Worker;

    #[test]
    fn every_cause_has_its_code_and_is_laid_to_whom_it_is_owed() {
        use Withheld::{Failed, Misshapen, TooManyBytes, TooManyRows, Unfinished, Unproved};
        let cases = [
            (
                Failed(Failure::Timeout(Worker::Runner)),
                "dispatch.runner-timeout",
                true,
            ),
            (Failed(Failure::NotDecided), "dispatch.not-decided", false),
            (Unproved, "egress.unproved", false),
            (Misshapen, "egress.misshapen", false),
            (TooManyRows { rows_max: 1 }, "egress.too-many-rows", true),
            (TooManyBytes { bytes_max: 1 }, "egress.too-many-bytes", true),
            (Unfinished, "egress.unfinished", true),
        ];
        for (withheld, code, callers) in cases {
            assert_eq!(withheld.code(), code);
            assert_eq!(withheld.is_callers(), callers, "{code}");
        }
    }

    #[test]
    fn a_caller_hears_of_the_cap_and_nothing_of_a_fault_of_ours() {
        let en = |withheld: Withheld| withheld.told().en;
        assert!(en(Withheld::TooManyRows { rows_max: 1 }).contains("more rows"));
        assert!(en(Withheld::TooManyBytes { bytes_max: 1 }).contains("larger"));
        let failed = Failure::NotDecided.told().en;
        assert_eq!(en(Withheld::Failed(Failure::NotDecided)), failed);
        assert_eq!(en(Withheld::Unproved), en(Withheld::Misshapen));
        assert!(en(Withheld::Unproved).contains("withheld"));
    }
}
