use crate::{Function, Literal, Node};
use terms::Type;

/// A typed expression. Columns are ordinals into the node's input (left, then right, for joins).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// A column of the input.
    Column(u32),
    /// A value.
    Literal(Literal),
    /// The i-th parameter, counted from 0; bound before confinement.
    Parameter(u32, Type),
    /// A function of the reviewed list.
    Call(Function, Vec<Expr>),
    /// An explicit change of type.
    Cast {
        /// What.
        value: Box<Expr>,
        /// Into what.
        to: Type,
        /// Null where the value does not fit, instead of ending the statement.
        lenient: bool,
    },
    /// The value of the first branch whose condition is true.
    Case {
        /// Condition and value.
        branches: Vec<(Expr, Expr)>,
        /// Where no condition is true; null if absent.
        otherwise: Option<Box<Expr>>,
    },
    /// Whether a value is one of a list of literals or expressions.
    InList {
        /// What.
        value: Box<Expr>,
        /// Of these.
        list: Vec<Expr>,
        /// Whether it is none of them instead.
        negated: bool,
    },
    /// The one value of an uncorrelated subquery of one column and at most one row.
    Scalar(Box<Node>),
}

impl Expr {
    /// A call.
    #[must_use]
    pub fn call(function: Function, arguments: impl Into<Vec<Self>>) -> Self {
        Self::Call(function, arguments.into())
    }

    /// The expressions directly inside, subqueries aside.
    pub fn children(&self) -> impl DoubleEndedIterator<Item = &Self> {
        let mut inside: Vec<&Self> = Vec::new();
        match self {
            Self::Column(_) | Self::Literal(_) | Self::Parameter(..) | Self::Scalar(_) => {}
            Self::Call(_, arguments) => inside.extend(arguments),
            Self::Cast { value, .. } => inside.push(value),
            Self::Case {
                branches,
                otherwise,
            } => {
                for (condition, value) in branches {
                    inside.push(condition);
                    inside.push(value);
                }
                inside.extend(otherwise.as_deref());
            }
            Self::InList { value, list, .. } => {
                inside.push(value);
                inside.extend(list);
            }
        }
        inside.into_iter()
    }

    /// The expressions directly inside, to change them.
    pub fn children_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        let mut inside: Vec<&mut Self> = Vec::new();
        match self {
            Self::Column(_) | Self::Literal(_) | Self::Parameter(..) | Self::Scalar(_) => {}
            Self::Call(_, arguments) => inside.extend(arguments),
            Self::Cast { value, .. } => inside.push(value),
            Self::Case {
                branches,
                otherwise,
            } => {
                for (condition, value) in branches {
                    inside.push(condition);
                    inside.push(value);
                }
                inside.extend(otherwise.as_deref_mut());
            }
            Self::InList { value, list, .. } => {
                inside.push(value);
                inside.extend(list);
            }
        }
        inside.into_iter()
    }

    /// Every column ordinal read, in order of appearance, repeated as often as read.
    /// The planner numbers a row policy's items in this order, so it stands in the policy's bytes.
    #[must_use]
    pub fn columns(&self) -> Vec<u32> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(expr) = open.pop() {
            if let Self::Column(ordinal) = expr {
                found.push(*ordinal);
            }
            open.extend(expr.children().rev());
        }
        found
    }

    /// Replaces every column ordinal.
    pub fn shift_columns(&mut self, change: &mut impl FnMut(u32) -> u32) {
        if let Self::Column(ordinal) = self {
            *ordinal = change(*ordinal);
        }
        for inside in self.children_mut() {
            inside.shift_columns(change);
        }
    }
}
