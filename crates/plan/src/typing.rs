//! Types and nullability, derived bottom up: the one place where the language's rules stand.
//!
//! | construct | takes | gives |
//! |---|---|---|
//! | `+ - * / %` | two of one of Int, Float; two Decimals | the same; Decimals as arrow widens them |
//! | `+ -` | Date or Timestamp, and Interval | the first |
//! | comparison, IN | all of one plain type | Bool |
//! | `and or not`, truth tests | Bool | Bool |
//! | `coalesce nullif greatest least`, CASE | all of one type | that type |
//! | text functions | Text (and Int lengths) | Text, Int or Bool |
//! | `abs round neg` | Int, Float, Decimal | the same |
//! | `ceil floor sqrt power ln log10 exp signum` | Float | Float |
//! | `date_part` | literal part, Date or Timestamp | Int |
//! | `date_trunc` | literal part, Date or Timestamp | Timestamp |

mod function; // scalar functions
mod relation; // nodes, aggregates, windows

use crate::{Expr, Node};
use terms::Type;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its type.
    pub data_type: Type,
    /// Whether it may have no value.
    pub nullable: bool,
}

/// An expression or node that has no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ill-typed plan: {0}")]
pub struct IllTyped(String);

impl IllTyped {
    /// Says what does not fit.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl Field {
    pub(crate) const fn of(data_type: Type, nullable: bool) -> Self {
        Self {
            data_type,
            nullable,
        }
    }
}

impl Expr {
    /// The type over these input columns.
    ///
    /// # Errors
    /// The first part that has no type.
    pub fn data_type(&self, input: &[Field]) -> Result<Type, IllTyped> {
        Ok(self.field(input)?.data_type)
    }

    /// The type and nullability over these input columns.
    ///
    /// # Errors
    /// The first part that has no type.
    pub fn field(&self, input: &[Field]) -> Result<Field, IllTyped> {
        match self {
            Self::Column(ordinal) => {
                let index = usize::try_from(*ordinal).ok();
                let field = index.and_then(|index| input.get(index)).copied();
                field.ok_or_else(|| IllTyped::new(format!("there is no column {ordinal}")))
            }
            Self::Literal(literal) => Ok(Field::of(literal.data_type(), literal.is_null())),
            Self::Parameter(_, data_type) => Ok(Field::of(*data_type, true)),
            Self::Call(function, arguments) => {
                let mut fields = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    fields.push(argument.field(input)?);
                }
                function::field(*function, arguments, &fields)
            }
            Self::Cast { value, to, lenient } => {
                let from = value.field(input)?;
                if castable(from.data_type, *to) {
                    Ok(Field::of(*to, from.nullable || *lenient))
                } else {
                    Err(IllTyped::new(format!(
                        "{} does not cast to {to}",
                        from.data_type
                    )))
                }
            }
            Self::Case {
                branches,
                otherwise,
            } => case(branches, otherwise.as_deref(), input),
            Self::InList { value, list, .. } => {
                let value = value.field(input)?;
                if !value.data_type.is_plain() {
                    return Err(IllTyped::new(format!("in over {}", value.data_type)));
                }
                let mut nullable = value.nullable;
                for item in list {
                    let item = item.field(input)?;
                    same(value, item, "in")?;
                    nullable |= item.nullable;
                }
                Ok(Field::of(Type::Bool, nullable))
            }
            Self::Scalar(node) => scalar(node),
        }
    }
}

/// A subquery's one column; no row is no value.
fn scalar(node: &Node) -> Result<Field, IllTyped> {
    match node.fields()?.as_slice() {
        [field] if field.data_type.is_plain() => Ok(Field::of(field.data_type, true)),
        _ => Err(IllTyped::new("a scalar subquery has one plain column")),
    }
}

fn case(
    branches: &[(Expr, Expr)],
    otherwise: Option<&Expr>,
    input: &[Field],
) -> Result<Field, IllTyped> {
    let mut found: Option<Field> = None;
    let mut nullable = otherwise.is_none();
    let values = branches.iter().map(|(_, value)| value).chain(otherwise);
    for value in values {
        let value = value.field(input)?;
        nullable |= value.nullable;
        same(found.unwrap_or(value), value, "case")?;
        found = Some(value);
    }
    for (condition, _) in branches {
        expect(condition.field(input)?, Type::Bool, "case")?;
    }
    let found = found.ok_or_else(|| IllTyped::new("a case without branches"))?;
    Ok(Field::of(found.data_type, nullable))
}

pub(crate) fn expect(field: Field, wanted: Type, whose: &str) -> Result<(), IllTyped> {
    if field.data_type == wanted {
        Ok(())
    } else {
        Err(IllTyped::new(format!(
            "{whose} takes {wanted}, not {}",
            field.data_type
        )))
    }
}

pub(crate) fn same(left: Field, right: Field, whose: &str) -> Result<(), IllTyped> {
    expect(right, left.data_type, whose)
}

/// The casts that exist. Witnesses and intervals are neither made nor changed by casts.
fn castable(from: Type, to: Type) -> bool {
    let number = |data_type: Type| data_type.is_number();
    match (from, to) {
        (from, to) if from == to => from.is_plain(),
        (Type::Text, to) => to.is_plain(),
        (from, Type::Text) => from.is_plain(),
        (from, to) if number(from) && number(to) => true,
        (Type::Bool, Type::Int) | (Type::Int, Type::Bool) => true,
        (Type::Date, Type::Timestamp) | (Type::Timestamp, Type::Date) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
