use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use std::collections::{HashMap, HashSet};
use terms::{Digest, Type};

/// What a unique column has shown so far.
///
/// Shape: 16 bytes a row: numbers as they are, text by the first half of its SHA-256, in which two
/// values that are not equal do not meet.
#[derive(Debug, Default)]
pub(crate) struct Seen(HashSet<u128>);

/// Why a column is not unique, and at which index of the batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotUnique {
    /// A value is absent.
    Null(usize),
    /// A value occurred before.
    Again(usize),
}

impl Seen {
    /// Adds a batch of stored values.
    pub(crate) fn add(&mut self, array: &dyn Array, plain: Type) -> Result<(), NotUnique> {
        for index in 0..array.len() {
            let value = value(array, plain, index).ok_or(NotUnique::Null(index))?;
            if !self.0.insert(value) {
                return Err(NotUnique::Again(index));
            }
        }
        Ok(())
    }
}

/// The numbers of a dataset's subjects, from 0 in the order in which they come.
///
/// Shape: 24 bytes a subject.
#[derive(Debug, Default)]
pub(crate) struct Subjects(HashMap<u128, i64>);

impl Subjects {
    /// The number of each row's subject, null where it has none.
    pub(crate) fn number(&mut self, array: &dyn Array, plain: Type) -> Int64Array {
        let number = |index| {
            let next = i64::try_from(self.0.len()).unwrap_or(i64::MAX);
            Some(*self.0.entry(value(array, plain, index)?).or_insert(next))
        };
        (0..array.len()).map(number).collect()
    }
}

/// A number that stands for the value among those of its column, or none where it is null.
fn value(array: &dyn Array, plain: Type, index: usize) -> Option<u128> {
    if array.is_null(index) {
        return None;
    }
    let whole = |value: i64| u128::from(value.cast_unsigned());
    Some(match plain {
        Type::Bool => u128::from(array.as_boolean_opt()?.value(index)),
        Type::Int => whole(array.as_primitive_opt::<Int64Type>()?.value(index)),
        Type::Float => u128::from(
            array
                .as_primitive_opt::<Float64Type>()?
                .value(index)
                .to_bits(),
        ),
        Type::Decimal { .. } => array
            .as_primitive_opt::<Decimal128Type>()?
            .value(index)
            .cast_unsigned(),
        Type::Text => {
            let digest = Digest::of(array.as_string_opt::<i32>()?.value(index).as_bytes());
            digest
                .bytes()
                .iter()
                .take(16)
                .fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
        }
        Type::Date => whole(i64::from(
            array.as_primitive_opt::<Date32Type>()?.value(index),
        )),
        Type::Timestamp => whole(
            array
                .as_primitive_opt::<TimestampMicrosecondType>()?
                .value(index),
        ),
        Type::Interval | Type::Witness => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};

    #[test]
    fn a_value_seen_in_an_earlier_batch_is_a_duplicate() {
        let mut seen = Seen::default();
        assert_eq!(
            seen.add(&StringArray::from(vec!["a", "b"]), Type::Text),
            Ok(())
        );
        let again = seen.add(&StringArray::from(vec!["c", "a"]), Type::Text);
        assert_eq!(again, Err(NotUnique::Again(1)));
    }

    #[test]
    fn a_null_is_not_unique() {
        let absent = Int64Array::from(vec![Some(1), None]);
        assert_eq!(
            Seen::default().add(&absent, Type::Int),
            Err(NotUnique::Null(1))
        );
    }
}
