use crate::{
    Withheld,
    fingerprint::Fingerprint,
    rebuild::{self, Rebuilt},
    sensitive::Sensitive,
    value::{Arrived, Value},
    witness,
};
use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::SchemaRef,
};
use plan::Check;
use std::collections::VecDeque;
use terms::{Digest, Obligations, Sighted};

/// Rows of one batch that leaves.
const BATCH_ROWS: usize = 8192;
/// Bytes of text after which a batch leaves before it is full.
const BATCH_TEXT_BYTES: usize = 1 << 20;

/// What every batch of one result passes.
#[derive(Debug)]
pub(crate) struct Gate {
    schema: SchemaRef,
    checks: Vec<Check>,
    caps: Obligations,
    sensitive: Sensitive,
    columns: Vec<Rebuilt>,
    /// Rows and bytes of text in `columns`.
    filled: (usize, usize),
    ready: VecDeque<RecordBatch>,
    passed: Passed,
    fingerprint: Fingerprint,
}

/// What has passed so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Passed {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl Gate {
    pub(crate) fn new(
        schema: SchemaRef,
        (checks, sensitive): (Vec<Check>, Sensitive),
        caps: Obligations,
    ) -> Result<Self, Withheld> {
        let rebuilt = |field: &std::sync::Arc<arrow::datatypes::Field>| {
            Rebuilt::new(field.data_type()).ok_or(Withheld::Misshapen)
        };
        Ok(Self {
            columns: schema
                .fields()
                .iter()
                .map(rebuilt)
                .collect::<Result<_, _>>()?,
            fingerprint: Fingerprint::of(&schema),
            schema,
            checks,
            caps,
            sensitive,
            filled: (0, 0),
            ready: VecDeque::new(),
            passed: Passed::default(),
        })
    }

    /// Takes in what arrived: first every witness, then the values.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<(), Withheld> {
        let width = self.columns.len();
        let (shown, owed) = batch
            .columns()
            .split_at_checked(width)
            .ok_or(Withheld::Misshapen)?;
        if owed.len() != self.checks.len() {
            return Err(Withheld::Misshapen);
        }
        let types = shown.iter().map(|column| column.data_type());
        if !types.eq(self.schema.fields().iter().map(|field| field.data_type())) {
            return Err(Withheld::Misshapen);
        }
        // INVARIANT (a threshold is kept twice): no value of a batch is looked at before all its
        // witnesses hold.
        if !self
            .checks
            .iter()
            .zip(owed)
            .all(|(check, column)| witness::proves(check, column))
        {
            return Err(Withheld::Unproved);
        }
        self.count(batch.num_rows())?;
        let arrived = shown.iter().map(Arrived::of).collect::<Option<Vec<_>>>();
        let arrived = arrived.ok_or(Withheld::Misshapen)?;
        for row in 0..batch.num_rows() {
            self.row(&arrived, row)?;
        }
        Ok(())
    }

    /// Gives a batch that may leave, if there is one.
    pub(crate) fn take(&mut self) -> Option<RecordBatch> {
        self.ready.pop_front()
    }

    /// After the last push: what is left makes the last batch.
    pub(crate) fn close(&mut self) -> Result<(), Withheld> {
        if self.filled.0 > 0 {
            self.cut()
        } else {
            Ok(())
        }
    }

    /// Rows and bytes of all batches that were made.
    pub(crate) const fn passed(&self) -> Passed {
        self.passed
    }

    /// What looked like a person's number among what was looked at.
    pub(crate) fn found(&self) -> Vec<Sighted> {
        self.sensitive.found()
    }

    pub(crate) fn digest(&self) -> Digest {
        self.fingerprint.digest()
    }

    pub(crate) const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn row(&mut self, arrived: &[Arrived<'_>], row: usize) -> Result<(), Withheld> {
        for (column, (from, to)) in arrived.iter().zip(&mut self.columns).enumerate() {
            let value = from.value(row);
            self.sensitive.pass(column, &value)?;
            if !to.push(value) {
                return Err(Withheld::Misshapen);
            }
            if let Value::Text(text) = value {
                self.filled.1 = self.filled.1.saturating_add(text.len());
            }
            self.fingerprint.push(&value);
        }
        self.filled.0 = self.filled.0.saturating_add(1);
        // Where a batch ends follows from the values that leave, not from how they arrived.
        if self.filled.0 >= BATCH_ROWS || self.filled.1 >= BATCH_TEXT_BYTES {
            self.cut()
        } else {
            Ok(())
        }
    }

    fn cut(&mut self) -> Result<(), Withheld> {
        let columns: Option<Vec<ArrayRef>> = self.columns.iter_mut().map(Rebuilt::take).collect();
        let columns = columns.ok_or(Withheld::Misshapen)?;
        let bytes = columns
            .iter()
            .map(rebuild::bytes)
            .fold(self.passed.bytes, u64::saturating_add);
        let bytes_max = self.caps.result_bytes_max;
        if bytes > bytes_max {
            return Err(Withheld::TooManyBytes { bytes_max });
        }
        self.passed.bytes = bytes;
        self.filled = (0, 0);
        let batch = RecordBatch::try_new(SchemaRef::clone(&self.schema), columns);
        self.ready
            .push_back(batch.map_err(|_| Withheld::Misshapen)?);
        Ok(())
    }

    fn count(&mut self, rows: usize) -> Result<(), Withheld> {
        let rows_max = self.caps.rows_max;
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        self.passed.rows = self.passed.rows.saturating_add(rows);
        if self.passed.rows > rows_max {
            Err(Withheld::TooManyRows { rows_max })
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
