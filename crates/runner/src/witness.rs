//! `witness(subject, row, value)`: one aggregate that serves thresholds, dominance, single entry and
//! the disclosure register; and `witness_union`, which makes one witness of several.
//!
//! A row counts where it has a subject. Without row numbers each row is taken to have entered once, as
//! was proved; without values nothing is contributed. Subjects and rows are numbers from 0, so that
//! sets of them are bitmaps. Small sets of subjects are said too, for the notice.
//!
//! Source: design, "Thresholds"; shape: plan's `WITNESS_FIELDS`, then the two sets.

mod subjects; // how many a witness counted
mod tally; // what is known of one group

pub(crate) use self::subjects::subjects;

use self::tally::{Amount, Tally};
use crate::arrow_type::{arrow_type, witness_fields};
use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array, StructArray,
    },
    datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type},
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
use std::sync::Arc;
use terms::Type;

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

/// The tallies of all groups.
struct Tallies {
    of: Of,
    groups: Vec<Tally>,
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
        let groups = vec![Tally::default()];
        Ok(Box::new(Alone(Tallies {
            of: self.of,
            groups,
        })))
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
        let groups = Vec::new();
        Ok(Box::new(Tallies {
            of: self.of,
            groups,
        }))
    }
}

// === impl Tallies ===

impl std::fmt::Debug for Tallies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Contributions are personal values.
        f.debug_struct("Tallies")
            .field("groups", &self.groups.len())
            .finish_non_exhaustive()
    }
}

impl Tallies {
    fn grow(&mut self, groups: usize) {
        if self.groups.len() < groups {
            self.groups.resize_with(groups, Tally::default);
        }
    }

    fn tally(&mut self, group: Option<usize>) -> Result<&mut Tally> {
        group
            .and_then(|group| self.groups.get_mut(group))
            .ok_or_else(broken)
    }

    /// Enters rows; `group` says where each belongs.
    fn enter(
        &mut self,
        columns: &[ArrayRef],
        group: impl Fn(usize) -> Option<usize>,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let kept = |at: usize| filter.is_none_or(|f| f.is_valid(at) && f.value(at));
        match (self.of, columns) {
            (Of::Rows, [subjects, rows, values]) => {
                let subjects = subjects
                    .as_primitive_opt::<Int64Type>()
                    .ok_or_else(broken)?;
                let rows = rows.as_primitive_opt::<Int64Type>().ok_or_else(broken)?;
                let values = values
                    .as_primitive_opt::<Float64Type>()
                    .ok_or_else(broken)?;
                let number = |column: &Int64Array, at: usize| {
                    let value = column.is_valid(at).then(|| u32::try_from(column.value(at)));
                    value.transpose().map_err(|_| broken())
                };
                for at in (0..subjects.len()).filter(|at| kept(*at)) {
                    let Some(subject) = number(subjects, at)? else {
                        continue;
                    };
                    let row = number(rows, at)?;
                    let value = values.is_valid(at).then(|| values.value(at));
                    self.tally(group(at))?.enter(subject, row, value);
                }
                Ok(())
            }
            (Of::Witnesses, [witnesses]) => {
                let whole = witnesses.as_struct_opt().ok_or_else(broken)?;
                let set = |name| {
                    let column = whole.column_by_name(name)?;
                    column.as_binary_opt::<i32>()
                };
                let rows = set("row_set").ok_or_else(broken)?;
                let subjects = set("subject_set").ok_or_else(broken)?;
                for at in (0..whole.len()).filter(|at| kept(*at) && whole.is_valid(*at)) {
                    let tally = self.tally(group(at))?;
                    tally
                        .unite(rows.value(at), subjects.value(at))
                        .ok_or_else(broken)?;
                }
                Ok(())
            }
            _ => Err(broken()),
        }
    }

    fn merge(
        &mut self,
        columns: &[ArrayRef],
        group: impl Fn(usize) -> Option<usize>,
    ) -> Result<()> {
        let states = columns.first().and_then(|s| s.as_binary_opt::<i32>());
        for (at, state) in states.ok_or_else(broken)?.iter().enumerate() {
            let tally = self.tally(group(at))?;
            if let Some(state) = state {
                tally.read(state).ok_or_else(broken)?;
            }
        }
        Ok(())
    }
}

fn written(tallies: &[Tally]) -> ArrayRef {
    let states = tallies.iter().map(|tally| Some(tally.written()));
    Arc::new(states.collect::<BinaryArray>())
}

fn struct_of(tallies: &[Tally]) -> Result<StructArray> {
    let amounts: Vec<Amount> = tallies.iter().map(Tally::amount).collect();
    let whole = |count: &dyn Fn(&Amount) -> i64| -> ArrayRef {
        let counts = amounts.iter().map(|amount| Some(count(amount)));
        Arc::new(counts.collect::<Int64Array>())
    };
    let float = |part: &dyn Fn(&[f64; 5]) -> f64| -> ArrayRef {
        let sums = amounts
            .iter()
            .map(|amount| Some(part(&amount.contributions)));
        Arc::new(sums.collect::<Float64Array>())
    };
    let set = |part: &dyn Fn(&Amount) -> &[u8]| -> ArrayRef {
        let sets = amounts.iter().map(|amount| Some(part(amount)));
        Arc::new(sets.collect::<BinaryArray>())
    };
    let columns = vec![
        whole(&|amount| amount.subjects),
        whole(&|amount| amount.rows),
        whole(&|amount| amount.rows_distinct),
        float(&|[x1, ..]| *x1),
        float(&|[_, x2, ..]| *x2),
        float(&|[_, _, total, ..]| *total),
        float(&|[_, _, _, low, _]| *low),
        float(&|[_, _, _, _, high]| *high),
        set(&|amount| &amount.row_set),
        set(&|amount| &amount.subject_set),
    ];
    Ok(StructArray::try_new(witness_fields(true), columns, None)?)
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
        self.enter(values, |at| group_indices.get(at).copied(), opt_filter)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let tallies = emit_to.take_needed(&mut self.groups);
        Ok(Arc::new(struct_of(&tallies)?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let tallies = emit_to.take_needed(&mut self.groups);
        Ok(vec![written(&tallies)])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        self.merge(values, |at| group_indices.get(at).copied())
    }

    fn convert_to_state(&self, _: &[ArrayRef], _: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        // Never asked: partial groups are always tallied.
        Err(broken())
    }

    fn size(&self) -> usize {
        self.groups.iter().map(Tally::size).sum()
    }
}

// === impl Alone ===

impl Accumulator for Alone {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.enter(values, |_| Some(0), None)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let whole = struct_of(&self.0.groups)?;
        Ok(ScalarValue::Struct(Arc::new(whole)))
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::try_from_array(
            &written(&self.0.groups),
            0,
        )?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, |_| Some(0))
    }
}

#[cfg(test)]
mod tests;
