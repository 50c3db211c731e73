//! The least and the greatest value that at least k subjects share: extremes of the masked view where
//! rows may not show, since an extreme that few share would be one row's.
//!
//! Source: design, "Thresholds": every row of the result that derives from protected data owes k.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Field, FieldRef, Int64Type},
    row::{RowConverter, SortField},
};
use datafusion::{
    common::ScalarValue,
    error::{DataFusionError, Result},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

/// Which extreme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum End {
    /// `shared_min(value, subject, k)`.
    Least,
    /// `shared_max(value, subject, k)`.
    Greatest,
}

/// The aggregate as the engine calls it.
pub(crate) fn shared(end: End) -> AggregateUDF {
    let signature = Signature::any(3, Volatility::Immutable);
    AggregateUDF::from(Shared { signature, end })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Shared {
    signature: Signature,
    end: End,
}

/// The values of one group, as bytes that sort as they do, each with up to k of its subjects.
struct Values {
    end: End,
    data_type: DataType,
    converter: RowConverter,
    subjects: BTreeMap<Vec<u8>, HashSet<i64>>,
    k: usize,
}

fn broken() -> DataFusionError {
    DataFusionError::Internal("shared extreme".into())
}

impl AggregateUDFImpl for Shared {
    fn name(&self) -> &str {
        match self.end {
            End::Least => "shared_min",
            End::Greatest => "shared_max",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        arguments.first().cloned().ok_or_else(broken)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Values::new(
            self.end,
            args.return_field.data_type().clone(),
        )?))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format!("{}[values]", args.name);
        Ok(vec![Arc::new(Field::new(name, DataType::Binary, true))])
    }
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // They are personal.
        f.debug_struct("Values").finish_non_exhaustive()
    }
}

impl Values {
    fn new(end: End, data_type: DataType) -> Result<Self> {
        let converter = RowConverter::new(vec![SortField::new(data_type.clone())])?;
        Ok(Self {
            end,
            data_type,
            converter,
            subjects: BTreeMap::new(),
            k: usize::MAX,
        })
    }

    /// Notes one subject of a value; more than k need not be known.
    fn note(&mut self, value: &[u8], subject: i64) {
        let k = self.k;
        let known = match self.subjects.get_mut(value) {
            Some(known) => known,
            None => self.subjects.entry(value.to_vec()).or_default(),
        };
        if known.len() < k {
            known.insert(subject);
        }
    }

    fn told(&self) -> Result<ScalarValue> {
        let shared = |found: &(&Vec<u8>, &HashSet<i64>)| found.1.len() >= self.k.max(1);
        let found = match self.end {
            End::Least => self.subjects.iter().find(shared),
            End::Greatest => self.subjects.iter().rev().find(shared),
        };
        let Some((value, _)) = found else {
            return ScalarValue::try_from(&self.data_type);
        };
        let parser = self.converter.parser();
        let columns = self.converter.convert_rows([parser.parse(value)])?;
        ScalarValue::try_from_array(columns.first().ok_or_else(broken)?, 0)
    }
}

impl Accumulator for Values {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let [values, subjects, k] = columns else {
            return Err(broken());
        };
        let whole = |column: &ArrayRef| column.as_primitive_opt::<Int64Type>().cloned();
        let (subjects, k) = (whole(subjects).zip(whole(k))).ok_or_else(broken)?;
        if values.is_empty() {
            return Ok(());
        }
        self.k = usize::try_from(k.value(0)).map_err(|_| broken())?;
        let rows = self.converter.convert_columns(&[Arc::clone(values)])?;
        for (at, row) in rows.iter().enumerate() {
            if values.is_valid(at) && subjects.is_valid(at) {
                self.note(row.as_ref(), subjects.value(at));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.told()
    }

    fn size(&self) -> usize {
        let of_one =
            |(value, known): (&Vec<u8>, &HashSet<i64>)| value.len() + known.capacity() * 16;
        size_of_val(self) + self.subjects.iter().map(of_one).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut bytes = Vec::new();
        let word = |word: usize, bytes: &mut Vec<u8>| bytes.extend((word as u64).to_le_bytes());
        word(self.k, &mut bytes);
        for (value, known) in &self.subjects {
            word(value.len(), &mut bytes);
            bytes.extend(value);
            word(known.len(), &mut bytes);
            for subject in known {
                bytes.extend(subject.to_le_bytes());
            }
        }
        Ok(vec![ScalarValue::Binary(Some(bytes))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = states.first().and_then(|s| s.as_binary_opt::<i32>());
        for state in states.ok_or_else(broken)?.iter().flatten() {
            self.read(state).ok_or_else(broken)?;
        }
        Ok(())
    }
}

impl Values {
    /// Takes in the state of another part of the same group.
    fn read(&mut self, state: &[u8]) -> Option<()> {
        let mut rest = state;
        let word = |rest: &mut &[u8]| {
            let (found, after) = rest.split_first_chunk::<8>()?;
            *rest = after;
            Some(u64::from_le_bytes(*found))
        };
        let length = |rest: &mut &[u8]| usize::try_from(word(rest)?).ok();
        // A part that saw no rows does not know k.
        self.k = self.k.min(length(&mut rest)?);
        while !rest.is_empty() {
            let bytes = length(&mut rest)?;
            let (value, after) = rest.split_at_checked(bytes)?;
            rest = after;
            for _ in 0..length(&mut rest)? {
                let (subject, after) = rest.split_first_chunk::<8>()?;
                self.note(value, i64::from_le_bytes(*subject));
                rest = after;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};

    fn of(end: End, rows: &[(Option<&str>, Option<i64>)]) -> Values {
        let mut values = Values::new(end, DataType::Utf8).unwrap();
        values.update_batch(&columns(rows)).unwrap();
        values
    }

    fn columns(rows: &[(Option<&str>, Option<i64>)]) -> Vec<ArrayRef> {
        vec![
            Arc::new(rows.iter().map(|row| row.0).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|_| Some(2)).collect::<Int64Array>()),
        ]
    }

    fn text(value: Option<&str>) -> ScalarValue {
        ScalarValue::Utf8(value.map(str::to_owned))
    }

    const ROWS: [(Option<&str>, Option<i64>); 8] = [
        (Some("a"), Some(1)),
        (Some("a"), Some(1)),
        (Some("b"), Some(1)),
        (Some("b"), Some(2)),
        (Some("c"), Some(3)),
        (Some("c"), Some(4)),
        (Some("d"), None),
        (None, Some(9)),
    ];

    #[test]
    fn an_extreme_is_shared_by_k_subjects() {
        assert_eq!(of(End::Least, &ROWS).told().unwrap(), text(Some("b")));
        assert_eq!(of(End::Greatest, &ROWS).told().unwrap(), text(Some("c")));
        assert_eq!(of(End::Greatest, &ROWS[..3]).told().unwrap(), text(None));
        assert_eq!(of(End::Least, &[]).told().unwrap(), text(None));
    }

    #[test]
    fn parts_put_together_say_the_same() {
        for cut in 0..=ROWS.len() {
            let mut whole = Values::new(End::Least, DataType::Utf8).unwrap();
            for part in [&ROWS[..cut], &ROWS[cut..]] {
                let state = of(End::Least, part).state().unwrap();
                whole.merge_batch(&[state[0].to_array().unwrap()]).unwrap();
            }
            assert_eq!(whole.told().unwrap(), text(Some("b")), "{cut}");
        }
    }
}
