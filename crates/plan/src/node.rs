use crate::{AggregateCall, Check, Expr, Literal, WindowCall};
use terms::{DatasetName, IdentifierDomain, ItemName, Mask, Type};

/// A relational node. Every node's output is a list of typed, nullable columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Node {
    /// The rows of a dataset.
    Scan(Scan),
    /// Rows written out. One row without columns stands for a statement without FROM.
    Values {
        /// The columns' types.
        types: Vec<Type>,
        /// Rows, each as long as `types`.
        rows: Vec<Vec<Literal>>,
    },
    /// New columns from old.
    Project {
        /// From.
        input: Box<Node>,
        /// One expression a column.
        exprs: Vec<Expr>,
    },
    /// The rows for which a condition is true.
    Filter {
        /// From.
        input: Box<Node>,
        /// The condition.
        predicate: Expr,
    },
    /// Rows of two inputs put together. Output: left then right columns; for semi and anti the left
    /// ones; for mark the left ones and one boolean.
    Join {
        /// In which way.
        kind: JoinKind,
        /// Left input.
        left: Box<Node>,
        /// Right input.
        right: Box<Node>,
        /// Pairs that must be equal: over left columns, over right columns.
        on: Vec<(Expr, Expr)>,
        /// A further condition over left then right columns.
        filter: Option<Expr>,
        /// Whether nulls equal each other in `on` (INTERSECT, EXCEPT).
        null_equal: bool,
    },
    /// Groups. Output: keys, then aggregates. Without keys, exactly one row.
    Aggregate {
        /// From.
        input: Box<Node>,
        /// What makes a group.
        keys: Vec<Expr>,
        /// What is computed of it.
        aggregates: Vec<AggregateCall>,
    },
    /// Input columns, then one column per window expression.
    Window {
        /// From.
        input: Box<Node>,
        /// The window expressions.
        calls: Vec<WindowCall>,
    },
    /// Ordered rows, optionally only the first.
    Sort {
        /// From.
        input: Box<Node>,
        /// By what, most significant first.
        keys: Vec<SortKey>,
        /// How many rows at most.
        fetch: Option<u64>,
    },
    /// Some rows.
    Limit {
        /// From.
        input: Box<Node>,
        /// Left out at the beginning.
        skip: u64,
        /// How many at most after that.
        fetch: Option<u64>,
    },
    /// Each row once.
    Distinct {
        /// From.
        input: Box<Node>,
    },
    /// The rows of all inputs, of equal types.
    Union {
        /// From; at least one.
        inputs: Vec<Node>,
    },
    /// Rows whose witnesses fall short are dropped and counted. Only in confined plans.
    Withhold {
        /// From.
        input: Box<Node>,
        /// What each row must meet.
        cells: Vec<Cell>,
        /// What is reported of the rows that are kept.
        reports: Vec<Report>,
    },
}

/// The rows of a dataset, each item viewed in a stated way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scan {
    /// Which dataset.
    pub dataset: DatasetName,
    /// The output columns.
    pub columns: Vec<ScanColumn>,
    /// Only rows for which this holds. None in a draft.
    pub rows: Option<RowPolicy>,
}

/// One output column of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ScanColumn {
    /// The item; the item of a [`View::Row`] or [`View::Subject`] is the dataset's subject, which is not read.
    pub item: ItemName,
    /// The type it has in this view.
    pub data_type: Type,
    /// In which way it is viewed.
    pub view: View,
}

/// In which way a scan shows an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum View {
    /// As the caller's catalogue shows it. In drafts only.
    Catalogue,
    /// Through a mask; the domain is set for tokens. In confined plans only, like the rest.
    Masked(MaskBits, Option<IdentifierDomain>),
    /// Raw: for approved aggregates and witnesses.
    Raw,
    /// The row's number in its dataset, an [`Type::Int`]; for witnesses.
    Row,
    /// The subject's number in its dataset, an [`Type::Int`], null where the row has no subject; for
    /// witnesses. It says who is the same, not who it is.
    Subject,
}

/// A mask with its width as bits, so that views can be compared and hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaskBits {
    tag: MaskTag,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum MaskTag {
    Plain,
    Suppress,
    Redact,
    Partial(u8, u8),
    Prefix(u8),
    Token,
    Band(u64),
    Year,
    Month,
}

impl From<Mask> for MaskBits {
    fn from(mask: Mask) -> Self {
        let tag = match mask {
            Mask::Plain => MaskTag::Plain,
            Mask::Suppress => MaskTag::Suppress,
            Mask::Redact => MaskTag::Redact,
            Mask::Partial { head, tail } => MaskTag::Partial(head, tail),
            Mask::Prefix(length) => MaskTag::Prefix(length),
            Mask::Token => MaskTag::Token,
            Mask::Band(width) => MaskTag::Band(width.to_bits()),
            Mask::Year => MaskTag::Year,
            Mask::Month => MaskTag::Month,
        };
        Self { tag }
    }
}

impl From<MaskBits> for Mask {
    fn from(bits: MaskBits) -> Self {
        match bits.tag {
            MaskTag::Plain => Self::Plain,
            MaskTag::Suppress => Self::Suppress,
            MaskTag::Redact => Self::Redact,
            MaskTag::Partial(head, tail) => Self::Partial { head, tail },
            MaskTag::Prefix(length) => Self::Prefix(length),
            MaskTag::Token => Self::Token,
            MaskTag::Band(width) => Self::Band(f64::from_bits(width)),
            MaskTag::Year => Self::Year,
            MaskTag::Month => Self::Month,
        }
    }
}

impl View {
    /// A view through a mask.
    #[must_use]
    pub fn masked(mask: Mask, domain: Option<IdentifierDomain>) -> Self {
        Self::Masked(mask.into(), domain)
    }
}

/// Which rows of a dataset a scenario may use. The predicate meets raw values; nothing of the caller's
/// is evaluated before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowPolicy {
    /// The items the predicate reads, raw, with their types; its columns are ordinals into this list.
    pub items: Vec<(ItemName, Type)>,
    /// The condition.
    pub predicate: Expr,
}

/// How two inputs are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JoinKind {
    /// Rows that match.
    Inner,
    /// And left rows without a match.
    Left,
    /// And right rows without a match.
    Right,
    /// And both.
    Full,
    /// Left rows with a match.
    Semi,
    /// Left rows without a match.
    Anti,
    /// Left rows, and whether they have a match.
    Mark,
}

/// One sort key; the place of nulls is always said.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SortKey {
    /// By what.
    pub expr: Expr,
    /// From high to low.
    pub descending: bool,
    /// Nulls before all else.
    pub nulls_first: bool,
}

/// What a row must meet at a [`Node::Withhold`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cell {
    /// The column that holds the witness ([`Type::Witness`]), or a count of subjects ([`Type::Int`]).
    pub witness: u32,
    /// What it must say.
    pub check: Check,
}

/// A column whose contributing rows are reported for the disclosure register, for every row of a
/// [`Node::Withhold`] that is kept. A null column reports nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Report {
    /// The column that holds the witness, [`Type::Witness`].
    pub witness: u32,
    /// Under which number it is reported.
    pub number: u32,
    /// Whether subjects are reported, not rows: where rows are gone, being grouped by their subject.
    pub by_subject: bool,
    /// The columns that take this report's noise, in rows that may leave only perturbed.
    pub noised: Vec<Noised>,
}

/// A column that takes noise, a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Noised {
    /// Which.
    pub column: u32,
    /// What it is of the rows reported.
    pub statistic: Statistic,
}

/// What a column that takes noise is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Statistic {
    /// How many.
    Count,
    /// Their sum.
    Sum,
    /// Their mean: the perturbed sum by the perturbed count.
    Mean,
}

/// The fields of [`Type::Witness`], in order: distinct subjects; rows with a subject and a value;
/// distinct ones among those; the largest and second-largest absolute contribution of one subject;
/// the sum of all absolute contributions; the least and greatest contribution of one subject. The
/// first three are whole numbers, the rest floats.
pub const WITNESS_FIELDS: [&str; 8] = [
    "subjects",
    "rows",
    "rows_distinct",
    "x1",
    "x2",
    "total",
    "low",
    "high",
];
/// How many of [`WITNESS_FIELDS`] are whole numbers.
pub const WITNESS_COUNTS: usize = 3;

impl Node {
    /// The nodes directly below, subqueries in expressions aside.
    pub fn inputs(&self) -> impl Iterator<Item = &Self> {
        let mut below: Vec<&Self> = Vec::new();
        match self {
            Self::Scan(_) | Self::Values { .. } => {}
            Self::Project { input, .. }
            | Self::Filter { input, .. }
            | Self::Aggregate { input, .. }
            | Self::Window { input, .. }
            | Self::Sort { input, .. }
            | Self::Limit { input, .. }
            | Self::Distinct { input }
            | Self::Withhold { input, .. } => below.push(input),
            Self::Join { left, right, .. } => below.extend([&**left, &**right]),
            Self::Union { inputs } => below.extend(inputs),
        }
        below.into_iter()
    }

    /// The expressions of this node itself.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        let mut own: Vec<&Expr> = Vec::new();
        match self {
            Self::Scan(scan) => own.extend(scan.rows.iter().map(|rows| &rows.predicate)),
            Self::Values { .. }
            | Self::Limit { .. }
            | Self::Distinct { .. }
            | Self::Union { .. }
            | Self::Withhold { .. } => {}
            Self::Project { exprs, .. } => own.extend(exprs),
            Self::Filter { predicate, .. } => own.push(predicate),
            Self::Join { on, filter, .. } => {
                own.extend(on.iter().flat_map(|(left, right)| [left, right]));
                own.extend(filter);
            }
            Self::Aggregate {
                keys, aggregates, ..
            } => {
                own.extend(keys);
                for call in aggregates {
                    own.extend(&call.arguments);
                    own.extend(&call.filter);
                }
            }
            Self::Window { calls, .. } => {
                for call in calls {
                    own.extend(&call.arguments);
                    own.extend(&call.partition);
                    own.extend(call.order.iter().map(|key| &key.expr));
                }
            }
            Self::Sort { keys, .. } => own.extend(keys.iter().map(|key| &key.expr)),
        }
        own.into_iter()
    }

    /// The expressions of this node itself, to change them.
    pub fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let mut own: Vec<&mut Expr> = Vec::new();
        match self {
            Self::Scan(scan) => own.extend(scan.rows.iter_mut().map(|rows| &mut rows.predicate)),
            Self::Values { .. }
            | Self::Limit { .. }
            | Self::Distinct { .. }
            | Self::Union { .. }
            | Self::Withhold { .. } => {}
            Self::Project { exprs, .. } => own.extend(exprs),
            Self::Filter { predicate, .. } => own.push(predicate),
            Self::Join { on, filter, .. } => {
                own.extend(on.iter_mut().flat_map(|(left, right)| [left, right]));
                own.extend(filter);
            }
            Self::Aggregate {
                keys, aggregates, ..
            } => {
                own.extend(keys);
                for call in aggregates {
                    own.extend(&mut call.arguments);
                    own.extend(&mut call.filter);
                }
            }
            Self::Window { calls, .. } => {
                for call in calls {
                    own.extend(&mut call.arguments);
                    own.extend(&mut call.partition);
                    own.extend(call.order.iter_mut().map(|key| &mut key.expr));
                }
            }
            Self::Sort { keys, .. } => own.extend(keys.iter_mut().map(|key| &mut key.expr)),
        }
        own.into_iter()
    }

    /// The nodes directly below, to change them.
    pub fn inputs_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        let mut below: Vec<&mut Self> = Vec::new();
        match self {
            Self::Scan(_) | Self::Values { .. } => {}
            Self::Project { input, .. }
            | Self::Filter { input, .. }
            | Self::Aggregate { input, .. }
            | Self::Window { input, .. }
            | Self::Sort { input, .. }
            | Self::Limit { input, .. }
            | Self::Distinct { input }
            | Self::Withhold { input, .. } => below.push(input),
            Self::Join { left, right, .. } => below.extend([&mut **left, &mut **right]),
            Self::Union { inputs } => below.extend(inputs),
        }
        below.into_iter()
    }
}
