//! `witness(subject, row, value)`: one aggregate that serves thresholds, dominance and single entry.
//!
//! Source: design, "Thresholds"; shape: plan's `WITNESS_FIELDS`, and some subjects hashed for the notice.

use crate::arrow_type::{arrow_type, witness_fields};
use arrow::{
    array::{Array, ArrayRef, AsArray, StructArray},
    datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type},
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
    collections::{HashMap, HashSet},
    sync::Arc,
};
use terms::Type;

/// Below so many subjects a witness says which, hashed: enough for any k to be told from.
const IDS_MAX: usize = 256;

/// The aggregate as the engine calls it.
pub(crate) fn witness() -> AggregateUDF {
    AggregateUDF::from(Witness {
        signature: Signature::any(3, Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Witness {
    signature: Signature,
}

impl AggregateUDFImpl for Witness {
    fn name(&self) -> &str {
        "witness"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(arrow_type(Type::Witness))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let subject = args
            .expr_fields
            .first()
            .map(|field| field.data_type().clone());
        let subject = subject.ok_or_else(|| DataFusionError::Internal("witness".into()))?;
        Ok(Box::new(Tally::new(&subject)?))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(
            format!("{}[tally]", args.name),
            DataType::Binary,
            true,
        ))])
    }
}

/// What is known of one group.
#[derive(Debug)]
struct Tally {
    converter: RowConverter,
    /// Per subject: the sum of its values.
    subjects: HashMap<Box<[u8]>, f64>,
    rows: i64,
    rows_seen: HashSet<i64>,
    /// Whether rows are numbered; else each entered once by proof.
    numbered: bool,
}

impl Tally {
    fn new(subject: &DataType) -> Result<Self> {
        let converter = RowConverter::new(vec![SortField::new(subject.clone())])?;
        let (subjects, rows_seen) = (HashMap::new(), HashSet::new());
        Ok(Self {
            converter,
            subjects,
            rows: 0,
            rows_seen,
            numbered: false,
        })
    }

    fn written(&self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.numbered)];
        bytes.extend(self.rows.to_le_bytes());
        bytes.extend((self.rows_seen.len() as u64).to_le_bytes());
        for row in &self.rows_seen {
            bytes.extend(row.to_le_bytes());
        }
        for (subject, value) in &self.subjects {
            bytes.extend((subject.len() as u64).to_le_bytes());
            bytes.extend(&**subject);
            bytes.extend(value.to_le_bytes());
        }
        bytes
    }

    fn read(&mut self, bytes: &[u8]) -> Option<()> {
        let (numbered, rest) = bytes.split_first()?;
        self.numbered |= *numbered == 1;
        let (rows, rest) = rest.split_first_chunk::<8>()?;
        self.rows += i64::from_le_bytes(*rows);
        let (seen, mut rest) = rest.split_first_chunk::<8>()?;
        for _ in 0..u64::from_le_bytes(*seen) {
            let (row, after) = rest.split_first_chunk::<8>()?;
            self.rows_seen.insert(i64::from_le_bytes(*row));
            rest = after;
        }
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
            let (subject, after) = after.split_at_checked(length)?;
            let (value, after) = after.split_first_chunk::<8>()?;
            *self.subjects.entry(subject.into()).or_insert(0.0) += f64::from_le_bytes(*value);
            rest = after;
        }
        Some(())
    }

    /// The two largest contributions and the sum of all.
    fn contributions(&self) -> (f64, f64, f64) {
        let (mut first, mut second, mut total) = (0.0f64, 0.0f64, 0.0f64);
        let mut all: Vec<f64> = self.subjects.values().map(|value| value.abs()).collect();
        all.sort_by(f64::total_cmp);
        for value in all {
            total += value;
            if value >= first {
                second = first;
                first = value;
            } else if value > second {
                second = value;
            }
        }
        (first, second, total)
    }

    fn ids(&self) -> Vec<u8> {
        if self.subjects.len() >= IDS_MAX {
            return Vec::new();
        }
        let hash = |subject: &[u8]| terms::Digest::of(subject).bytes().to_vec();
        let mut ids: Vec<Vec<u8>> = self.subjects.keys().map(|subject| hash(subject)).collect();
        ids.sort();
        ids.concat()
    }
}

impl Accumulator for Tally {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [subjects, rows, values] = values else {
            return Err(DataFusionError::Internal("witness".into()));
        };
        let keys = self
            .converter
            .convert_columns(std::slice::from_ref(subjects))?;
        let numbers = rows.as_primitive_opt::<Int64Type>();
        let amounts = values.as_primitive_opt::<Float64Type>();
        for (at, key) in keys.iter().enumerate() {
            if subjects.is_null(at) {
                continue;
            }
            self.rows += 1;
            if let Some(numbers) = numbers.filter(|numbers| numbers.is_valid(at)) {
                self.numbered = true;
                self.rows_seen.insert(numbers.value(at));
            }
            let amount = amounts
                .filter(|a| a.is_valid(at))
                .map_or(0.0, |a| a.value(at));
            match self.subjects.get_mut(key.data()) {
                Some(sum) => *sum += amount,
                None => {
                    self.subjects.insert(key.data().into(), amount);
                }
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (x1, x2, total) = self.contributions();
        let distinct = if self.numbered {
            self.rows_seen.len() as i64
        } else {
            self.rows
        };
        let whole = |value: i64| ScalarValue::Int64(Some(value)).to_array();
        let float = |value: f64| ScalarValue::Float64(Some(value)).to_array();
        let columns = vec![
            whole(self.subjects.len() as i64)?,
            whole(self.rows)?,
            whole(distinct)?,
            float(x1)?,
            float(x2)?,
            float(total)?,
            ScalarValue::Binary(Some(self.ids())).to_array()?,
        ];
        let tally = StructArray::try_new(witness_fields(true), columns, None)?;
        Ok(ScalarValue::Struct(Arc::new(tally)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.subjects.len() * 64 + self.rows_seen.len() * 16
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.written()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = states
            .first()
            .and_then(|states| states.as_binary_opt::<i32>());
        let states = states.ok_or_else(|| DataFusionError::Internal("witness".into()))?;
        for state in states.iter().flatten() {
            self.read(state)
                .ok_or_else(|| DataFusionError::Internal("witness".into()))?;
        }
        Ok(())
    }
}
