//! Expressions, value by value; each read is judged by the labels of what is read.

use super::{
    evaluate::{Evaluation, Stop},
    value::{Datum, Kind, Raw, Value, Whence},
};
use plan::{Expr, Function, Literal};
use std::rc::Rc;
use terms::Type;

type Read = Result<Value, Stop>;

impl Evaluation<'_> {
    /// The value of an expression over one row. A bare column keeps all its labels.
    pub(super) fn value(&mut self, expr: &Expr, cells: &[Value]) -> Read {
        match expr {
            Expr::Column(at) => Ok(cells[*at as usize].clone()),
            Expr::Literal(literal) => Ok(Value::open(datum(literal)?)),
            Expr::Parameter(..) => Err(Stop::Skipped("parameter")),
            Expr::Scalar(node) => self.scalar(node),
            Expr::Cast { value, to, .. } => {
                let value = self.value(value, cells)?;
                cast(value, *to)
            }
            Expr::Call(function, arguments) => {
                let arguments: Vec<Value> = arguments
                    .iter()
                    .map(|argument| self.value(argument, cells))
                    .collect::<Result<_, _>>()?;
                call(*function, &arguments)
            }
            Expr::Case {
                branches,
                otherwise,
            } => {
                let mut found: Option<Value> = None;
                let mut read = Vec::new();
                for (condition, value) in branches {
                    let (condition, value) =
                        (self.value(condition, cells)?, self.value(value, cells)?);
                    readable(&value)?;
                    if found.is_none() && truth(&condition)? {
                        found = Some(value.clone());
                    }
                    read.extend([condition, value]);
                }
                if let Some(otherwise) = otherwise {
                    let value = self.value(otherwise, cells)?;
                    readable(&value)?;
                    found = found.or(Some(value));
                }
                let mut found = found.unwrap_or_else(|| Value::open(Datum::Null)).masked();
                read.iter().for_each(|value| found.from.add(&value.from));
                Ok(found)
            }
            Expr::InList {
                value,
                list,
                negated,
            } => {
                let value = self.value(value, cells)?;
                let mut found = Some(false);
                let mut from = Whence::default();
                for item in list {
                    let item = self.value(item, cells)?;
                    let same = call(Function::Equal, &[value.clone(), item])?;
                    from.add(&same.from);
                    found = match (found, same.shown) {
                        (Some(true), _) | (_, Datum::Bool(true)) => Some(true),
                        (_, Datum::Null) => None,
                        (found, _) => found,
                    };
                }
                let shown = found.map_or(Datum::Null, |found| Datum::Bool(found != *negated));
                Ok(Value {
                    from,
                    ..Value::open(shown)
                })
            }
        }
    }
}

/// Refuses to read what nobody may see, and raw aggregates that fall short.
pub(super) fn readable(value: &Value) -> Result<(), Stop> {
    if value.kind == Kind::Hidden {
        return Err(Stop::Denied("a raw value is read"));
    }
    if value.unheard.is_some() {
        return Err(Stop::Denied("the register has not heard of a raw cell"));
    }
    value.bad.map_or(Ok(()), |why| Err(Stop::Denied(why)))
}

/// Whether a condition holds.
pub(super) fn truth(condition: &Value) -> Result<bool, Stop> {
    readable(condition)?;
    Ok(condition.shown.is_true())
}

/// Tokens meet tokens of their domain and nothing else.
pub(super) fn comparable(left: &Value, right: &Value) -> Result<(), Stop> {
    match (left.kind, right.kind) {
        (Kind::Token { domain: one, .. }, Kind::Token { domain: other, .. }) if one == other => {
            Ok(())
        }
        (Kind::Token { .. }, Kind::Token { .. }) => Err(Stop::Denied("tokens of two domains meet")),
        (Kind::Token { .. }, _) | (_, Kind::Token { .. }) => {
            // What an outer join left out has no label.
            match left.shown.is_null() || right.shown.is_null() {
                true => Ok(()),
                false => Err(Stop::Denied("a token meets another value")),
            }
        }
        _ => Ok(()),
    }
}

fn datum(literal: &Literal) -> Result<Datum, Stop> {
    Ok(match literal {
        Literal::Null(_) => Datum::Null,
        Literal::Bool(value) => Datum::Bool(*value),
        Literal::Int(value) => Datum::Int(*value),
        Literal::Float(bits) => Datum::Float(f64::from_bits(*bits)),
        Literal::Text(text) => Datum::text(text),
        Literal::Date(day) => Datum::Date(*day),
        _ => return Err(Stop::Skipped("literal")),
    })
}

fn cast(value: Value, to: Type) -> Read {
    let casted = |datum: &Datum| {
        Ok(match (datum, to) {
            (Datum::Null, _) => Datum::Null,
            (Datum::Int(_), Type::Int)
            | (Datum::Float(_), Type::Float)
            | (Datum::Text(_), Type::Text) => datum.clone(),
            (Datum::Int(whole), Type::Float) => Datum::Float(*whole as f64),
            (Datum::Int(whole), Type::Text) => Datum::text(&whole.to_string()),
            (Datum::Bool(truth), Type::Int) => Datum::Int(i64::from(*truth)),
            _ => return Err(Stop::Skipped("cast")),
        })
    };
    if matches!(value.kind, Kind::Token { .. }) {
        return Err(Stop::Denied("a token is computed with"));
    }
    if value.kind != Kind::Hidden {
        readable(&value)?;
    } else if to != Type::Float {
        return Err(Stop::Denied("a raw value is read"));
    }
    let shown = casted(&value.shown)?;
    // Only the widening that aggregates imply keeps a bare item bare.
    let raw = match &value.raw {
        Some(raw) if to == Type::Float => Some(Rc::new(Raw {
            datum: casted(&raw.datum)?,
            ..(**raw).clone()
        })),
        _ => None,
    };
    Ok(Value {
        shown,
        raw,
        ..value
    })
}

fn call(function: Function, arguments: &[Value]) -> Read {
    use Function as F;
    let tokens = |value: &&Value| matches!(value.kind, Kind::Token { .. });
    let mut from = Whence::default();
    for argument in arguments {
        readable(argument)?;
        from.add(&argument.from);
    }
    match (function, arguments) {
        (F::Equal | F::NotEqual | F::IsDistinctFrom | F::IsNotDistinctFrom, [left, right]) => {
            comparable(left, right)?;
        }
        (F::IsNull | F::IsNotNull, _) => {}
        _ if arguments.iter().any(|value| tokens(&value)) => {
            return Err(Stop::Denied("a token is computed with"));
        }
        _ => {}
    }
    let numbers = arguments.iter().any(|value| value.kind == Kind::Number);
    let data: Vec<&Datum> = arguments.iter().map(|value| &value.shown).collect();
    Ok(Value {
        kind: if numbers || function == F::WitnessSubjects {
            Kind::Number
        } else {
            Kind::Open
        },
        from,
        ..Value::open(applied(function, &data)?)
    })
}

fn applied(function: Function, data: &[&Datum]) -> Result<Datum, Stop> {
    use Function as F;
    let bool3 = |datum: &Datum| match datum {
        Datum::Bool(truth) => Some(*truth),
        _ => None,
    };
    let of3 = |truth: Option<bool>| truth.map_or(Datum::Null, Datum::Bool);
    Ok(match (function, data) {
        (F::IsNull, [value]) => Datum::Bool(value.is_null()),
        (F::IsNotNull, [value]) => Datum::Bool(!value.is_null()),
        (F::IsTrue, [value]) => Datum::Bool(value.is_true()),
        (F::IsNotDistinctFrom, [left, right]) => Datum::Bool(left == right),
        (F::IsDistinctFrom, [left, right]) => Datum::Bool(left != right),
        (F::And, [left, right]) => match (bool3(left), bool3(right)) {
            (Some(false), _) | (_, Some(false)) => Datum::Bool(false),
            (Some(true), Some(true)) => Datum::Bool(true),
            _ => Datum::Null,
        },
        (F::Or, [left, right]) => match (bool3(left), bool3(right)) {
            (Some(true), _) | (_, Some(true)) => Datum::Bool(true),
            (Some(false), Some(false)) => Datum::Bool(false),
            _ => Datum::Null,
        },
        (F::Not, [value]) => of3(bool3(value).map(|truth| !truth)),
        (F::Coalesce, values) => (values.iter().find(|value| !value.is_null()))
            .map_or(Datum::Null, |value| (*value).clone()),
        (F::NullIf, [left, right]) if left == right => Datum::Null,
        (F::NullIf, [left, _]) => (*left).clone(),
        (F::Greatest, values) => (values.iter().max()).map_or(Datum::Null, |v| (*v).clone()),
        (F::WitnessSubjects, [Datum::Tally(tally)]) => Datum::Int(tally.subjects()),
        (_, values) if values.iter().any(|value| value.is_null()) => Datum::Null,
        (F::Equal, [left, right]) => Datum::Bool(left == right),
        (F::NotEqual, [left, right]) => Datum::Bool(left != right),
        (F::Less, [left, right]) => Datum::Bool(left < right),
        (F::LessEqual, [left, right]) => Datum::Bool(left <= right),
        (F::Greater, [left, right]) => Datum::Bool(left > right),
        (F::GreaterEqual, [left, right]) => Datum::Bool(left >= right),
        (F::Concat, [Datum::Text(left), Datum::Text(right)]) => {
            Datum::text(&format!("{left}{right}"))
        }
        (F::Left, [Datum::Text(text), Datum::Int(1)]) => {
            Datum::text(&text.chars().take(1).collect::<String>())
        }
        (F::Add, [Datum::Float(left), Datum::Float(right)]) => Datum::Float(left + right),
        (F::Multiply, [Datum::Float(left), Datum::Float(right)]) => Datum::Float(left * right),
        (F::Add, [Datum::Int(left), Datum::Int(right)]) => whole(left.checked_add(*right))?,
        (F::Multiply, [Datum::Int(left), Datum::Int(right)]) => whole(left.checked_mul(*right))?,
        _ => return Err(Stop::Skipped("function")),
    })
}

fn whole(number: Option<i64>) -> Result<Datum, Stop> {
    number.map(Datum::Int).ok_or(Stop::Skipped("overflow"))
}
