use crate::Unreceivable;
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use std::path::Path;
use std::sync::Arc;
use terms::{Arithmetic, Dataset, Derivation, Formula, ItemName, Type};

/// What a derived value that does not fit should have been.
pub(crate) const FINITE: &str =
    "values whose derived item is a number of its type (it is too large, or not finite)";

/// An item computed of others of its row. Whole where all its parts are and nothing is divided, else a
/// float; null where a part is, or a divisor is 0.
pub(crate) struct Derived {
    /// Its place among the items.
    pub(crate) at: usize,
    derivation: Derivation,
    /// The places of its parts among the items.
    parts: Vec<(ItemName, usize)>,
    whole: bool,
}

/// The columns of a derivation's parts.
enum Parts<'a> {
    Whole(Vec<(&'a ItemName, Int64Array)>),
    Float(Vec<(&'a ItemName, Float64Array)>),
}

// === impl Derived ===

impl Derived {
    /// The derived items of a dataset whose others have these types, in the order of the catalogue.
    pub(crate) fn of(
        dataset: &Dataset,
        path: &Path,
        types: &[Option<Type>],
    ) -> Result<Vec<Self>, Unreceivable> {
        let mut found = Vec::new();
        for (at, item) in dataset.items.iter().enumerate() {
            let Some(derivation) = &item.derived else {
                continue;
            };
            let (mut parts, mut whole) = (Vec::new(), derivation.formula().is_whole());
            for part in derivation.parts() {
                let place = dataset.items.iter().position(|item| &item.name == part);
                let plain = place.and_then(|place| types.get(place).copied().flatten());
                let (Some(place), Some(plain)) = (place, plain.filter(|plain| plain.is_number()))
                else {
                    return Err(Unreceivable::PartNoNumber {
                        path: path.to_owned(),
                        item: item.name.clone(),
                        part: part.clone(),
                        found: plain.map_or("of no plain type".to_owned(), |plain| {
                            format!("of type {plain}")
                        }),
                    });
                };
                whole &= plain == Type::Int;
                parts.push((part.clone(), place));
            }
            found.push(Self {
                at,
                derivation: derivation.clone(),
                parts,
                whole,
            });
        }
        Ok(found)
    }

    /// The type of its values.
    pub(crate) const fn plain(&self) -> Type {
        if self.whole { Type::Int } else { Type::Float }
    }

    /// Its values, of the stored columns of all items; or the index of a row whose value does not fit.
    pub(crate) fn compute(&self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef, usize> {
        let formula = self.derivation.formula();
        match self.parts(columns).ok_or(0_usize)? {
            Parts::Whole(parts) => {
                let mut values = Vec::with_capacity(rows);
                for row in 0..rows {
                    let part = |name: &ItemName| {
                        let (_, column) = parts.iter().find(|(part, _)| *part == name)?;
                        column.is_valid(row).then(|| column.value(row))
                    };
                    let there = parts.iter().all(|(_, column)| column.is_valid(row));
                    values.push(match there {
                        true => Some(whole(formula, &part).ok_or(row)?),
                        false => None,
                    });
                }
                Ok(Arc::new(Int64Array::from(values)))
            }
            Parts::Float(parts) => {
                let mut values = Vec::with_capacity(rows);
                for row in 0..rows {
                    let part = |name: &ItemName| {
                        let (_, column) = parts.iter().find(|(part, _)| *part == name)?;
                        column.is_valid(row).then(|| column.value(row))
                    };
                    let value = float(formula, &part);
                    if value.is_some_and(|value| !value.is_finite()) {
                        return Err(row);
                    }
                    values.push(value);
                }
                Ok(Arc::new(Float64Array::from(values)))
            }
        }
    }

    /// The columns it is computed of, all in one type.
    fn parts<'a>(&'a self, columns: &[ArrayRef]) -> Option<Parts<'a>> {
        let of = |to: &DataType| {
            let cast = |(name, place): &'a (ItemName, usize)| {
                let column = cast(columns.get(*place)?, to).ok()?;
                Some((name, column))
            };
            self.parts.iter().map(cast).collect::<Option<Vec<_>>>()
        };
        if self.whole {
            let parts = of(&DataType::Int64)?.into_iter();
            let parts = parts.map(|(name, column)| {
                Some((name, column.as_primitive_opt::<Int64Type>()?.clone()))
            });
            return Some(Parts::Whole(parts.collect::<Option<_>>()?));
        }
        let parts = of(&DataType::Float64)?.into_iter();
        let parts = parts
            .map(|(name, column)| Some((name, column.as_primitive_opt::<Float64Type>()?.clone())));
        Some(Parts::Float(parts.collect::<Option<_>>()?))
    }
}

/// A whole value; none where it is too large.
fn whole(formula: &Formula, part: &impl Fn(&ItemName) -> Option<i64>) -> Option<i64> {
    match formula {
        Formula::Item(name) => part(name),
        Formula::Whole(value) => Some(*value),
        Formula::Number(_) => None,
        Formula::Computed(left, operator, right) => {
            let (left, right) = (whole(left, part)?, whole(right, part)?);
            match operator {
                Arithmetic::Add => left.checked_add(right),
                Arithmetic::Subtract => left.checked_sub(right),
                Arithmetic::Multiply => left.checked_mul(right),
                Arithmetic::Divide => None,
            }
        }
    }
}

/// A value; none where a part is null or a divisor 0.
fn float(formula: &Formula, part: &impl Fn(&ItemName) -> Option<f64>) -> Option<f64> {
    match formula {
        Formula::Item(name) => part(name),
        #[expect(clippy::cast_precision_loss, reason = "a constant among floats is one")]
        Formula::Whole(value) => Some(*value as f64),
        Formula::Number(value) => Some(*value),
        Formula::Computed(left, operator, right) => {
            let (left, right) = (float(left, part)?, float(right, part)?);
            match operator {
                Arithmetic::Add => Some(left + right),
                Arithmetic::Subtract => Some(left - right),
                Arithmetic::Multiply => Some(left * right),
                Arithmetic::Divide => (right != 0.0).then(|| left / right),
            }
        }
    }
}
