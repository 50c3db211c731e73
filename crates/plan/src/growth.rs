//! How large a value may become: texts put together again and again grow by powers of two, in a plan
//! that is small. Every function is judged here by name, so that a new one must be.

use crate::{
    AggregateCall, AggregateFunction, Bounds, Expr, Function, JoinKind, Literal, Node, Undecodable,
    WindowCall, WindowFunction,
};
use terms::Type;

/// The most bytes that a number, date or truth value has as text.
const FIXED_BYTES: u64 = 64;
/// The most bytes that one byte becomes in another letter case.
const CASE_FACTOR: u64 = 3;

/// The most that one value takes: so many of the longest text that is scanned, and so many bytes of the
/// plan's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Growth {
    texts: u64,
    bytes: u64,
}

impl Growth {
    const FIXED: Self = Self {
        texts: 0,
        bytes: FIXED_BYTES,
    };
    const SCANNED: Self = Self { texts: 1, bytes: 0 };

    const fn put_together(self, other: Self) -> Self {
        Self {
            texts: self.texts.saturating_add(other.texts),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    fn either(self, other: Self) -> Self {
        Self {
            texts: self.texts.max(other.texts),
            bytes: self.bytes.max(other.bytes),
        }
    }

    const fn times(self, factor: u64) -> Self {
        Self {
            texts: self.texts.saturating_mul(factor),
            bytes: self.bytes.saturating_mul(factor),
        }
    }
}

type Bounded<T> = Result<T, Undecodable>;

impl Bounds {
    /// Refuses a plan in which a value may become larger than is allowed.
    pub(crate) fn growth(&self, root: &Node) -> Bounded<()> {
        self.node(root).map(|_| ())
    }

    fn node(&self, node: &Node) -> Bounded<Vec<Growth>> {
        match node {
            Node::Scan(scan) => {
                if let Some(rows) = &scan.rows {
                    let items = rows.items.iter().map(|(_, data_type)| of_type(*data_type));
                    self.expr(&rows.predicate, &items.collect::<Vec<_>>())?;
                }
                let columns = scan.columns.iter();
                Ok(columns.map(|column| of_type(column.data_type)).collect())
            }
            Node::Values { types, rows } => {
                let mut columns = vec![Growth::FIXED; types.len()];
                for row in rows {
                    for (column, value) in columns.iter_mut().zip(row) {
                        *column = column.either(of_literal(value));
                    }
                }
                Ok(columns)
            }
            Node::Project { input, exprs } => {
                let input = self.node(input)?;
                exprs.iter().map(|expr| self.expr(expr, &input)).collect()
            }
            Node::Filter { input, .. } | Node::Sort { input, .. } => {
                let input = self.node(input)?;
                self.all(node.exprs(), &input)?;
                Ok(input)
            }
            Node::Limit { input, .. } | Node::Distinct { input } | Node::Withhold { input, .. } => {
                self.node(input)
            }
            Node::Join { .. } => self.join(node),
            Node::Aggregate {
                input,
                keys,
                aggregates,
            } => {
                let input = self.node(input)?;
                self.all(node.exprs(), &input)?;
                let mut columns = Vec::with_capacity(keys.len() + aggregates.len());
                for key in keys {
                    columns.push(self.expr(key, &input)?);
                }
                for call in aggregates {
                    columns.push(self.aggregate(call, &input)?);
                }
                Ok(columns)
            }
            Node::Window { input, calls } => {
                let input = self.node(input)?;
                self.all(node.exprs(), &input)?;
                let mut columns = input.clone();
                for call in calls {
                    columns.push(self.window(call, &input)?);
                }
                Ok(columns)
            }
            Node::Union { inputs } => {
                let mut all: Vec<Growth> = Vec::new();
                for input in inputs {
                    let columns = self.node(input)?;
                    all.resize(all.len().max(columns.len()), Growth::FIXED);
                    for (column, found) in all.iter_mut().zip(columns) {
                        *column = column.either(found);
                    }
                }
                Ok(all)
            }
        }
    }

    fn join(&self, node: &Node) -> Bounded<Vec<Growth>> {
        let Node::Join {
            kind,
            left,
            right,
            on,
            filter,
            ..
        } = node
        else {
            return Ok(Vec::new());
        };
        let (left, right) = (self.node(left)?, self.node(right)?);
        self.all(on.iter().map(|(ours, _)| ours), &left)?;
        self.all(on.iter().map(|(_, theirs)| theirs), &right)?;
        let both = [left.clone(), right].concat();
        self.all(filter.iter(), &both)?;
        Ok(match kind {
            JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full => both,
            JoinKind::Semi | JoinKind::Anti => left,
            JoinKind::Mark => [left, vec![Growth::FIXED]].concat(),
        })
    }

    fn all<'e>(&self, mut exprs: impl Iterator<Item = &'e Expr>, input: &[Growth]) -> Bounded<()> {
        exprs.try_for_each(|expr| self.expr(expr, input).map(|_| ()))
    }

    fn expr(&self, expr: &Expr, input: &[Growth]) -> Bounded<Growth> {
        let mut inside = Vec::new();
        for child in expr.children() {
            inside.push(self.expr(child, input)?);
        }
        let largest = || inside.iter().copied().fold(Growth::FIXED, Growth::either);
        Ok(match expr {
            Expr::Column(ordinal) => {
                let at = usize::try_from(*ordinal).ok();
                let found = at.and_then(|at| input.get(at)).copied();
                found.unwrap_or(Growth::FIXED)
            }
            Expr::Literal(value) => of_literal(value),
            Expr::Parameter(_, data_type) => of_type(*data_type),
            Expr::Call(function, _) => self.call(*function, &inside)?,
            Expr::Cast { .. } | Expr::Case { .. } => largest(),
            Expr::InList { .. } => Growth::FIXED,
            Expr::Scalar(node) => {
                let columns = self.node(node)?;
                columns.first().copied().unwrap_or(Growth::FIXED)
            }
        })
    }

    fn call(&self, function: Function, inside: &[Growth]) -> Bounded<Growth> {
        let largest = || inside.iter().copied().fold(Growth::FIXED, Growth::either);
        let first = || inside.first().copied().unwrap_or(Growth::FIXED);
        match function {
            Function::Concat => {
                let nothing = Growth { texts: 0, bytes: 0 };
                let all = inside.iter().copied().fold(nothing, Growth::put_together);
                self.allowed(all)
            }
            Function::Lower | Function::Upper => self.allowed(first().times(CASE_FACTOR)),
            Function::Trim
            | Function::TrimLeft
            | Function::TrimRight
            | Function::Substring
            | Function::Left
            | Function::Right
            | Function::Reverse
            | Function::OrNull
            | Function::NullIf => Ok(first()),
            Function::Coalesce | Function::Greatest | Function::Least => Ok(largest()),
            Function::Like | Function::ILike => match inside {
                [_, pattern] if pattern.bytes > self.pattern_bytes_max => {
                    Err(Undecodable("a pattern too long"))
                }
                _ => Ok(Growth::FIXED),
            },
            Function::Add
            | Function::Subtract
            | Function::Multiply
            | Function::Divide
            | Function::Modulo
            | Function::DivideOrNull
            | Function::ModuloOrNull
            | Function::Negate
            | Function::Equal
            | Function::NotEqual
            | Function::Less
            | Function::LessEqual
            | Function::Greater
            | Function::GreaterEqual
            | Function::IsDistinctFrom
            | Function::IsNotDistinctFrom
            | Function::And
            | Function::Or
            | Function::Not
            | Function::IsNull
            | Function::IsNotNull
            | Function::IsTrue
            | Function::IsFalse
            | Function::IsUnknown
            | Function::Length
            | Function::Position
            | Function::StartsWith
            | Function::EndsWith
            | Function::Abs
            | Function::Round
            | Function::Ceil
            | Function::Floor
            | Function::Sqrt
            | Function::Power
            | Function::Ln
            | Function::Log10
            | Function::Exp
            | Function::Signum
            | Function::DatePart
            | Function::DateTrunc
            | Function::WitnessSubjects => Ok(Growth::FIXED),
        }
    }

    fn allowed(&self, growth: Growth) -> Bounded<Growth> {
        if growth.texts > self.texts_max || growth.bytes > self.text_bytes_max {
            Err(Undecodable("a text put together of too much"))
        } else {
            Ok(growth)
        }
    }

    /// The least or greatest value is one of the values; all else is a number or a witness.
    fn aggregate(&self, call: &AggregateCall, input: &[Growth]) -> Bounded<Growth> {
        match (call.function, call.arguments.first()) {
            (AggregateFunction::Min | AggregateFunction::Max, Some(value)) => {
                self.expr(value, input)
            }
            _ => Ok(Growth::FIXED),
        }
    }

    fn window(&self, call: &WindowCall, input: &[Growth]) -> Bounded<Growth> {
        match call.function {
            WindowFunction::RowNumber | WindowFunction::Rank | WindowFunction::DenseRank => {
                Ok(Growth::FIXED)
            }
            WindowFunction::Lag
            | WindowFunction::Lead
            | WindowFunction::FirstValue
            | WindowFunction::LastValue
            | WindowFunction::Aggregate(AggregateFunction::Min | AggregateFunction::Max) => {
                let mut largest = Growth::FIXED;
                for argument in &call.arguments {
                    largest = largest.either(self.expr(argument, input)?);
                }
                Ok(largest)
            }
            WindowFunction::Aggregate(_) => Ok(Growth::FIXED),
        }
    }
}

const fn of_type(data_type: Type) -> Growth {
    match data_type {
        Type::Text => Growth::SCANNED,
        Type::Bool
        | Type::Int
        | Type::Float
        | Type::Decimal { .. }
        | Type::Date
        | Type::Timestamp
        | Type::Interval
        | Type::Witness => Growth::FIXED,
    }
}

const fn of_literal(value: &Literal) -> Growth {
    match value {
        Literal::Text(text) => Growth {
            texts: 0,
            bytes: text.len() as u64,
        },
        Literal::Null(_)
        | Literal::Bool(_)
        | Literal::Int(_)
        | Literal::Float(_)
        | Literal::Decimal { .. }
        | Literal::Date(_)
        | Literal::Timestamp(_)
        | Literal::Interval { .. } => Growth::FIXED,
    }
}

#[cfg(test)]
mod tests;
