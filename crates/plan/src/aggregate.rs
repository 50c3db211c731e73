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
    ];

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
