use crate::{
    Withheld,
    fingerprint::Fingerprint,
    rebuild::{self, Rebuilt},
    sensitive::Sensitive,
    witness,
};
use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray},
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
        let mut from = 0;
        while from < batch.num_rows() {
            from += self.piece(shown, from, batch.num_rows())?;
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

    /// Takes in rows up to where a batch ends, and says how many.
    fn piece(&mut self, shown: &[ArrayRef], from: usize, end: usize) -> Result<usize, Withheld> {
        let (rows, text) = self.room(shown, (from, end));
        let pieces: Vec<ArrayRef> = shown.iter().map(|all| all.slice(from, rows)).collect();
        self.sensitive.pass_rows(&pieces)?;
        for (column, (piece, to)) in pieces.iter().zip(&mut self.columns).enumerate() {
            self.sensitive.pass(column, piece)?;
            if !to.extend(piece) {
                return Err(Withheld::Misshapen);
            }
        }
        self.filled.0 = self.filled.0.saturating_add(rows);
        self.filled.1 = self.filled.1.saturating_add(text);
        if self.filled.0 >= BATCH_ROWS || self.filled.1 >= BATCH_TEXT_BYTES {
            self.cut()?;
        }
        Ok(rows)
    }

    /// How many of these rows, one at least, stand in the batch that is being filled, and the bytes of
    /// their texts. Where a batch ends follows from the values that leave, not from how they arrived.
    fn room(&self, shown: &[ArrayRef], (from, end): (usize, usize)) -> (usize, usize) {
        let most = (end - from).min(BATCH_ROWS.saturating_sub(self.filled.0));
        let texts = shown.iter().filter_map(|column| column.as_string_opt());
        let texts: Vec<&StringArray> = texts.collect();
        let length = |of: &&StringArray, row| match of.is_null(row) {
            true => 0,
            false => usize::try_from(of.value_length(row)).unwrap_or(0),
        };
        let mut bytes = 0_usize;
        if texts.is_empty() {
            return (most, bytes);
        }
        for rows in 0..most {
            let of_row = texts.iter().map(|of| length(of, from + rows));
            bytes = of_row.fold(bytes, usize::saturating_add);
            if self.filled.1.saturating_add(bytes) >= BATCH_TEXT_BYTES {
                return (rows + 1, bytes);
            }
        }
        (most, bytes)
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
        let batch = batch.map_err(|_| Withheld::Misshapen)?;
        self.fingerprint.push(&batch);
        self.ready.push_back(batch);
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
