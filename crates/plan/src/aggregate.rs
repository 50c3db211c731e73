use crate::{Expr, SortKey};

/// The reviewed aggregate functions: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AggregateFunction {
    /// Rows, or values that are not null.
    Count,
    /// Total. Whole numbers stay whole; decimals widen.
    Sum,
    /// Arithmetic mean, as a float (decimals stay decimal).
    Avg,
    /// Sample standard deviation, as a float.
    StddevSample,
    /// Population standard deviation, as a float.
    StddevPopulation,
    /// Sample variance, as a float.
    VarianceSample,
    /// Population variance, as a float.
    VariancePopulation,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// `witness(subject, row, value)`: who contributes to a cell, and how much the largest do.
    /// Only in confined plans. Source: design, "Thresholds".
    Witness,
    /// Several witnesses as one: who contributes to a cell made of cells. Only in confined plans.
    WitnessUnion,
    /// The middle value, as a float.
    Median,
    /// `percentile(value, share)`: the value below which a literal share of all lies, as a float,
    /// interpolated.
    Percentile,
    /// `safe_quantile(value, subject, share, k, band)`: a percentile rounded down to a band, null
    /// unless at least k subjects stand on each side of it. Only in confined plans.
    SafeQuantile,
    /// `safe_min(value, subject, k, band)`: the band of the value of the k-th subject from below.
    /// Only in confined plans.
    SafeMin,
    /// `safe_max(value, subject, k, band)`: the same from above. Only in confined plans.
    SafeMax,
    /// `shared_min(value, subject, k)`: the least value that at least k subjects share. Only in
    /// confined plans.
    SharedMin,
    /// `shared_max(value, subject, k)`: the greatest value that at least k subjects share. Only in
    /// confined plans.
    SharedMax,
}

impl AggregateFunction {
    /// The whole list.
    pub const ALL: &'static [Self] = &[
        Self::Count,
        Self::Sum,
        Self::Avg,
        Self::StddevSample,
        Self::StddevPopulation,
        Self::VarianceSample,
        Self::VariancePopulation,
        Self::Min,
        Self::Max,
        Self::Witness,
        Self::WitnessUnion,
        Self::Median,
        Self::Percentile,
        Self::SafeQuantile,
        Self::SafeMin,
        Self::SafeMax,
        Self::SharedMin,
        Self::SharedMax,
    ];

    /// Whether it stands only in confined plans.
    #[must_use]
    pub const fn is_confined(self) -> bool {
        matches!(
            self,
            Self::Witness
                | Self::WitnessUnion
                | Self::SafeQuantile
                | Self::SafeMin
                | Self::SafeMax
                | Self::SharedMin
                | Self::SharedMax
        )
    }

    /// The word printed for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::StddevSample => "stddev",
            Self::StddevPopulation => "stddev_pop",
            Self::VarianceSample => "var",
            Self::VariancePopulation => "var_pop",
            Self::Min => "min",
            Self::Max => "max",
            Self::Witness => "witness",
            Self::WitnessUnion => "witness_union",
            Self::Median => "median",
            Self::Percentile => "percentile",
            Self::SafeQuantile => "safe_quantile",
            Self::SafeMin => "safe_min",
            Self::SafeMax => "safe_max",
            Self::SharedMin => "shared_min",
            Self::SharedMax => "shared_max",
        }
    }
}

/// One aggregate of a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AggregateCall {
    /// Which.
    pub function: AggregateFunction,
    /// None for `count(*)`; subject, row and value for a witness; else one.
    pub arguments: Vec<Expr>,
    /// Over distinct values.
    pub distinct: bool,
    /// Over the rows for which this is true.
    pub filter: Option<Expr>,
}

/// The reviewed window functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WindowFunction {
    /// 1, 2, 3 …
    RowNumber,
    /// Rank with gaps.
    Rank,
    /// Rank without gaps.
    DenseRank,
    /// A value of an earlier row: value, literal distance, optional literal default.
    Lag,
    /// A value of a later row: value, literal distance, optional literal default.
    Lead,
    /// The first value of the frame.
    FirstValue,
    /// The last value of the frame.
    LastValue,
    /// An aggregate over the frame; never a witness.
    Aggregate(AggregateFunction),
}

/// One window expression of a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WindowCall {
    /// Which.
    pub function: WindowFunction,
    /// Its arguments.
    pub arguments: Vec<Expr>,
    /// Rows with equal values here form one window.
    pub partition: Vec<Expr>,
    /// Order within the window, null order explicit.
    pub order: Vec<SortKey>,
    /// The rows looked at, explicit.
    pub frame: Frame,
}

/// A window frame, always explicit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frame {
    /// By rows; else by range of equal order values (bounds are then current row or unbounded).
    pub rows: bool,
    /// Where it begins.
    pub start: FrameBound,
    /// Where it ends.
    pub end: FrameBound,
}

/// One end of a frame, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameBound {
    /// The window's beginning.
    UnboundedPreceding,
    /// So many rows before.
    Preceding(u64),
    /// This row.
    CurrentRow,
    /// So many rows after.
    Following(u64),
    /// The window's end.
    UnboundedFollowing,
}
