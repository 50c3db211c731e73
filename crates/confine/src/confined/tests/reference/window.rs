//! Windows: a value that depends on other rows carries whom they depend on.

use super::{
    evaluate::{Evaluation, Stop},
    fold::folded,
    scalar::readable,
    value::{Datum, Row, Value},
};
use plan::{FrameBound as B, WindowCall, WindowFunction as W};
use std::collections::BTreeMap;

impl Evaluation<'_> {
    pub(super) fn window(&mut self, call: &WindowCall, rows: &mut Vec<Row>) -> Result<(), Stop> {
        let mut windows: BTreeMap<Vec<Datum>, Vec<Row>> = BTreeMap::new();
        for (number, mut row) in std::mem::take(rows).into_iter().enumerate() {
            let keys = self.each(&call.partition, &row.cells)?;
            for key in &keys {
                readable(key)?;
                self.not_join_only(key)?;
            }
            // The row's old place stands at its end until all are back in order.
            row.cells.push(Value::open(Datum::Int(number as i64)));
            let key = keys.into_iter().map(|key| key.shown).collect();
            windows.entry(key).or_default().push(row);
        }
        for window in windows.into_values() {
            let mut window = self.sorted(window, &call.order)?;
            let told: Vec<Value> = (0..window.len())
                .map(|at| self.told(call, &window, at))
                .collect::<Result<_, _>>()?;
            for (row, told) in window.iter_mut().zip(told) {
                let last = row.cells.len() - 1;
                row.cells.insert(last, told);
            }
            rows.append(&mut window);
        }
        rows.sort_by(|one, other| {
            let place = |row: &Row| row.cells.last().map(|cell| cell.shown.clone());
            place(one).cmp(&place(other))
        });
        rows.iter_mut().for_each(|row| drop(row.cells.pop()));
        Ok(())
    }

    fn told(&mut self, call: &WindowCall, window: &[Row], at: usize) -> Result<Value, Stop> {
        let rows = match call.function {
            W::RowNumber => return Ok(Value::open(Datum::Int(at as i64 + 1))),
            W::Lag if at == 0 => return Ok(Value::open(Datum::Null)),
            W::Lag => &window[at - 1..at],
            W::Aggregate(_) => {
                let frame = call.frame;
                let end = match (frame.end, frame.rows) {
                    (B::UnboundedFollowing, _) => window.len(),
                    (B::CurrentRow, true) => at + 1,
                    _ => return Err(Stop::Skipped("frame")),
                };
                match frame.start {
                    B::UnboundedPreceding => &window[..end],
                    _ => return Err(Stop::Skipped("frame")),
                }
            }
            _ => return Err(Stop::Skipped("window")),
        };
        let mut told = Value::open(Datum::Null);
        let mut data = Vec::new();
        for row in rows {
            told.from.add(&row.from);
            let values = self.each(&call.arguments, &row.cells)?;
            let Some(value) = values.into_iter().next() else {
                data.push(Datum::Bool(true));
                continue;
            };
            readable(&value)?;
            self.not_join_only(&value)?;
            told.from.add(&value.from);
            told.kind = value.kind;
            data.push(value.shown);
        }
        match call.function {
            W::Aggregate(function) => {
                if matches!(told.kind, super::value::Kind::Token { .. })
                    && function != plan::AggregateFunction::Count
                {
                    return Err(Stop::Denied("a token is computed with"));
                }
                data.retain(|datum| !datum.is_null());
                data.sort();
                told.kind = super::value::Kind::Open;
                told.shown = folded(function, &data)?;
            }
            _ => told.shown = data.swap_remove(0),
        }
        Ok(told)
    }
}
