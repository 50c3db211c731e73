//! `witness(subject, row, value)`: one aggregate that serves thresholds, dominance, single entry and
//! the disclosure register; and `witness_union`, which makes one witness of several.
//!
//! A row counts where it has a subject; without values nothing is contributed. Subjects and rows are numbers from 0. Small sets
//! of subjects are said too, for the notice.
//!
//! Source: design, "Thresholds"; shape: plan's `WITNESS_FIELDS`, then the two sets.

mod rows; // what was entered, column by column
mod subjects; // how many a witness counted
mod tally; // what one group amounts to

pub(crate) use self::subjects::subjects;

use self::{
    rows::{Rows, Sorted},
    tally::Amount,
};
use crate::arrow_type::{arrow_type, witness_fields};
use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array, StructArray,
    },
    buffer::{OffsetBuffer, ScalarBuffer},
    datatypes::{DataType, Field, FieldRef},
};
use datafusion::{
    common::ScalarValue,
    error::{DataFusionError, Result},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature,
        Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
};
use roaring::RoaringBitmap;
use std::sync::Arc;
use terms::Type;
use wire::{read_row_set, write_bitmap};

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Of {
    /// Of rows: subject, row, value.
    Rows,
    /// Of witnesses.
    Witnesses,
}

/// The aggregate as the engine calls it.
pub(crate) fn witness(of: Of) -> AggregateUDF {
    let arguments = match of {
        Of::Rows => 3,
        Of::Witnesses => 1,
    };
    let signature = Signature::any(arguments, Volatility::Immutable);
    AggregateUDF::from(Witness { signature, of })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Witness {
    signature: Signature,
    of: Of,
}

/// What was entered into all groups.
enum Tallies {
    /// Of rows.
    Rows {
        /// They, as they came.
        rows: Rows,
        /// How many groups there are.
        groups: usize,
    },
    /// Of witnesses: each group's rows and subjects.
    Witnesses(Vec<[RoaringBitmap; 2]>),
}

/// The one tally of an aggregate without keys.
#[derive(Debug)]
struct Alone(Tallies);

fn broken() -> DataFusionError {
    DataFusionError::Internal("witness".into())
}

// === impl Witness ===

impl AggregateUDFImpl for Witness {
    fn name(&self) -> &str {
        match self.of {
            Of::Rows => "witness",
            Of::Witnesses => "witness_union",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(arrow_type(Type::Witness))
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let mut tallies = Tallies::new(self.of);
        tallies.grow(1);
        Ok(Box::new(Alone(tallies)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format!("{}[tally]", args.name);
        Ok(vec![Arc::new(Field::new(name, DataType::Binary, true))])
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Tallies::new(self.of)))
    }
}

// === impl Tallies ===

impl std::fmt::Debug for Tallies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Contributions are personal values.
        f.debug_struct("Tallies").finish_non_exhaustive()
    }
}

impl Tallies {
    fn new(of: Of) -> Self {
        match of {
            Of::Rows => Self::Rows {
                rows: Rows::default(),
                groups: 0,
            },
            Of::Witnesses => Self::Witnesses(Vec::new()),
        }
    }

    fn grow(&mut self, count: usize) {
        match self {
            Self::Rows { groups, .. } => *groups = count.max(*groups),
            Self::Witnesses(groups) if groups.len() < count => {
                groups.resize_with(count, Default::default);
            }
            Self::Witnesses(_) => {}
        }
    }

    /// Enters rows; `groups` says where each belongs, the first if it says nothing.
    fn enter(
        &mut self,
        columns: &[ArrayRef],
        groups: Option<&[usize]>,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        match (self, columns) {
            (Self::Rows { rows, .. }, [subject, row, value]) => {
                rows.enter([subject, row, value], groups, filter)
            }
            (Self::Witnesses(united), [witnesses]) => {
                let whole = witnesses.as_struct_opt().ok_or_else(broken)?;
                let column = |name| whole.column_by_name(name)?.as_binary_opt::<i32>();
                let sets = column("row_set").zip(column("subject_set"));
                let (rows, subjects) = sets.ok_or_else(broken)?;
                for at in 0..whole.len() {
                    let kept = filter.is_none_or(|f| f.is_valid(at) && f.value(at));
                    if kept && whole.is_valid(at) {
                        let group = groups.map_or(Some(0), |groups| groups.get(at).copied());
                        let group = group.and_then(|group| united.get_mut(group));
                        unite(group, [rows.value(at), subjects.value(at)]).ok_or_else(broken)?;
                    }
                }
                Ok(())
            }
            _ => Err(broken()),
        }
    }

    fn merge(&mut self, columns: &[ArrayRef], groups: Option<&[usize]>) -> Result<()> {
        let states = columns.first().and_then(|s| s.as_binary_opt::<i32>());
        for (at, state) in states.ok_or_else(broken)?.iter().enumerate() {
            let group = groups.map_or(Some(0), |groups| groups.get(at).copied());
            let (Some(group), Some(state)) = (group, state) else {
                continue;
            };
            let read = match self {
                Self::Rows { rows, .. } => rows.read(state, group),
                Self::Witnesses(united) => {
                    split(state).and_then(|sets| unite(united.get_mut(group), sets))
                }
            };
            read.ok_or_else(broken)?;
        }
        Ok(())
    }

    /// What the first groups amount to; the others move up.
    fn amounts(&mut self, emit_to: EmitTo) -> Result<StructArray> {
        let mut told = Told::default();
        match self {
            Self::Rows { rows, groups } => {
                let sorted = taken(rows, groups, emit_to);
                let mut scratch = sorted.scratch();
                for group in sorted.groups() {
                    told.add(|row_set, subject_set| {
                        group.amount(&mut scratch, row_set, subject_set)
                    });
                }
            }
            Self::Witnesses(united) => {
                for [rows, subjects] in emit_to.take_needed(united) {
                    told.add(|row_set, subject_set| {
                        write_bitmap(&rows, row_set);
                        write_bitmap(&subjects, subject_set);
                        let count =
                            |set: &RoaringBitmap| i64::try_from(set.len()).unwrap_or(i64::MAX);
                        Amount {
                            subjects: count(&subjects),
                            rows: count(&rows),
                            rows_distinct: count(&rows),
                            contributions: [0.0; 5],
                        }
                    });
                }
            }
        }
        told.finish()
    }

    fn written(&mut self, emit_to: EmitTo) -> ArrayRef {
        let states: Vec<Vec<u8>> = match self {
            Self::Rows { rows, groups } => taken(rows, groups, emit_to).written().collect(),
            Self::Witnesses(united) => {
                let sets = emit_to.take_needed(united);
                sets.iter().map(joined).collect()
            }
        };
        Arc::new(states.iter().map(Some).collect::<BinaryArray>())
    }
}

fn taken(rows: &mut Rows, groups: &mut usize, emit_to: EmitTo) -> Sorted {
    let first = match emit_to {
        EmitTo::All => *groups,
        EmitTo::First(first) => first.min(*groups),
    };
    let sorted = rows.take(first, *groups);
    *groups -= first;
    sorted
}

/// Takes a witness's sets into a group; what each contributed is not added up.
fn unite(group: Option<&mut [RoaringBitmap; 2]>, sets: [&[u8]; 2]) -> Option<()> {
    for (whole, set) in group?.iter_mut().zip(sets) {
        *whole |= read_row_set(set).ok()?;
    }
    Some(())
}

/// Two sets as one state.
fn joined([rows, subjects]: &[RoaringBitmap; 2]) -> Vec<u8> {
    let (mut bytes, mut second) = (vec![0; 8], Vec::new());
    write_bitmap(rows, &mut bytes);
    let length = (bytes.len() as u64).to_le_bytes();
    write_bitmap(subjects, &mut second);
    bytes.splice(..8, length);
    bytes.extend(second);
    bytes
}

fn split(state: &[u8]) -> Option<[&[u8]; 2]> {
    let (length, _) = state.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (rows, subjects) = state.split_at_checked(length)?;
    Some([rows.get(8..)?, subjects])
}

/// The columns of a witness, group by group.
#[derive(Default)]
struct Told {
    counts: [Vec<i64>; 3],
    contributions: [Vec<f64>; 5],
    sets: [(Vec<u8>, Vec<i32>); 2],
}

impl Told {
    fn add(&mut self, amount: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>) -> Amount) {
        let [(row_set, row_ends), (subject_set, subject_ends)] = &mut self.sets;
        let amount = amount(row_set, subject_set);
        for (ends, set) in [(row_ends, row_set), (subject_ends, subject_set)] {
            // Past what offsets can say, the array is refused when it is made.
            ends.push(i32::try_from(set.len()).unwrap_or(-1));
        }
        let counts = [amount.subjects, amount.rows, amount.rows_distinct];
        self.counts
            .iter_mut()
            .zip(counts)
            .for_each(|(all, one)| all.push(one));
        let contributions = self.contributions.iter_mut().zip(amount.contributions);
        contributions.for_each(|(all, one)| all.push(one));
    }

    fn finish(self) -> Result<StructArray> {
        let counts = self
            .counts
            .map(|all| Arc::new(Int64Array::from(all)) as ArrayRef);
        let sums = self
            .contributions
            .map(|all| Arc::new(Float64Array::from(all)) as ArrayRef);
        let mut columns: Vec<ArrayRef> = counts.into_iter().chain(sums).collect();
        for (bytes, mut ends) in self.sets {
            if ends.contains(&-1) {
                return Err(DataFusionError::ResourcesExhausted("witness".into()));
            }
            ends.insert(0, 0);
            let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
            columns.push(Arc::new(BinaryArray::try_new(offsets, bytes.into(), None)?));
        }
        Ok(StructArray::try_new(witness_fields(true), columns, None)?)
    }
}

impl GroupsAccumulator for Tallies {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        self.enter(values, Some(group_indices), opt_filter)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(self.amounts(emit_to)?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.written(emit_to)])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        self.merge(values, Some(group_indices))
    }

    fn convert_to_state(&self, _: &[ArrayRef], _: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        // Never asked: partial groups are always tallied.
        Err(broken())
    }

    fn size(&self) -> usize {
        match self {
            Self::Rows { rows, .. } => rows.size(),
            Self::Witnesses(united) => {
                let sets = united.iter().flatten();
                sets.map(|set| set.serialized_size() * 2 + 64).sum()
            }
        }
    }
}

// === impl Alone ===

impl Accumulator for Alone {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.enter(values, None, None)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let whole = self.0.amounts(EmitTo::All)?;
        Ok(ScalarValue::Struct(Arc::new(whole)))
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let state = self.0.written(EmitTo::All);
        Ok(vec![ScalarValue::try_from_array(&state, 0)?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, None)
    }
}

#[cfg(test)]
mod tests;
