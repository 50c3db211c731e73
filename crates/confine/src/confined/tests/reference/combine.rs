//! Several relations as one: joins, sets, and sides that decide.

use super::{
    evaluate::{Evaluated, Evaluation, ROWS_MAX, Relation, Stop},
    scalar::{comparable, readable, truth},
    value::{Datum, Kind, Origin, Row, Value, Whence},
};
use plan::{JoinKind, Node};
use std::collections::BTreeMap;

impl Evaluation<'_> {
    pub(super) fn join(&mut self, node: &Node) -> Evaluated {
        let Node::Join {
            kind, left, right, ..
        } = node
        else {
            return Err(Stop::Skipped("join"));
        };
        let width = right.fields().map_err(|_| Stop::Skipped("type"))?.len();
        let wide = left.fields().map_err(|_| Stop::Skipped("type"))?.len();
        let (left, right) = (self.relation(left)?, self.relation(right)?);
        let (no_left, no_right) = (nothing(&left, wide), nothing(&right, width));
        let mut met = vec![false; right.rows.len()];
        let mut rows = Vec::new();
        for ours in &left.rows {
            let mut matched = Vec::new();
            for (theirs, met) in right.rows.iter().zip(&mut met) {
                if let Some(row) = self.matched(node, ours, theirs)? {
                    *met = true;
                    matched.push(row);
                }
            }
            if rows.len() > ROWS_MAX {
                return Err(Stop::Skipped("too many rows"));
            }
            match kind {
                JoinKind::Semi | JoinKind::Anti | JoinKind::Mark => {
                    let found = !matched.is_empty();
                    let mut row = ours.clone();
                    let mut deciding = Whence::default();
                    for (origin, people) in matched.iter().flat_map(|row| &row.from.0) {
                        decide(&mut deciding, &ours.from, (*origin, *people));
                    }
                    if *kind == JoinKind::Mark {
                        // Who decided matters to those who read the mark.
                        let from = deciding;
                        let shown = Datum::Bool(found);
                        row.cells.push(Value {
                            from,
                            ..Value::open(shown)
                        });
                        rows.push(row);
                    } else if found == (*kind == JoinKind::Semi) {
                        row.from.add(&deciding);
                        rows.push(row);
                    }
                }
                _ if matched.is_empty() && matches!(kind, JoinKind::Left | JoinKind::Full) => {
                    let cells = [ours.cells.clone(), no_right.clone()].concat();
                    let from = ours.from.clone();
                    rows.push(Row { cells, from });
                }
                _ => rows.append(&mut matched),
            }
        }
        if matches!(kind, JoinKind::Right | JoinKind::Full) {
            for (_, theirs) in met.iter().zip(&right.rows).filter(|(met, _)| !**met) {
                let cells = [no_left.clone(), theirs.cells.clone()].concat();
                let from = theirs.from.clone();
                rows.push(Row { cells, from });
            }
        }
        let live = [left.live, right.live].concat();
        Ok(Relation { rows, live })
    }

    /// Both rows as one, if they match.
    fn matched(&mut self, node: &Node, ours: &Row, theirs: &Row) -> Result<Option<Row>, Stop> {
        let Node::Join {
            on,
            filter,
            null_equal,
            ..
        } = node
        else {
            return Err(Stop::Skipped("join"));
        };
        let mut from = ours.from.with(&theirs.from);
        let mut equal = true;
        for (one, other) in on {
            let (one, other) = (
                self.value(one, &ours.cells)?,
                self.value(other, &theirs.cells)?,
            );
            readable(&one)?;
            readable(&other)?;
            comparable(&one, &other)?;
            from.add(&one.from.with(&other.from));
            equal &= one.shown == other.shown && (*null_equal || !one.shown.is_null());
        }
        let cells = [ours.cells.clone(), theirs.cells.clone()].concat();
        if let (true, Some(filter)) = (equal, filter.as_ref()) {
            let condition = self.value(filter, &cells)?;
            equal &= truth(&condition)?;
            from.add(&condition.from);
        }
        Ok(equal.then_some(Row { cells, from }))
    }

    pub(super) fn distinct(&self, rows: Vec<Row>) -> Result<Vec<Row>, Stop> {
        let mut places: BTreeMap<Vec<Datum>, usize> = BTreeMap::new();
        let mut kept: Vec<Row> = Vec::new();
        for mut row in rows {
            for cell in &mut row.cells {
                readable(cell)?;
                self.not_join_only(cell)?;
                (cell.raw, cell.held) = (None, None);
            }
            row.from.feed();
            let key = row.cells.iter().map(|cell| cell.shown.clone()).collect();
            match places.get(&key) {
                Some(at) => {
                    let first = &mut kept[*at];
                    first.from.add(&row.from);
                    for (ours, theirs) in first.cells.iter_mut().zip(&row.cells) {
                        ours.from.add(&theirs.from);
                    }
                }
                None => {
                    places.insert(key, kept.len());
                    kept.push(row);
                }
            }
        }
        Ok(kept)
    }

    /// The i-th scan of a dataset in one input stands for the i-th in the others.
    pub(super) fn union(&mut self, inputs: &[Node]) -> Evaluated {
        let (mut live, mut rows): (Vec<Origin>, Vec<Row>) = (Vec::new(), Vec::new());
        for input in inputs {
            let relation = self.relation(input)?;
            let mut renamed: Vec<(Origin, Origin)> = Vec::new();
            for origin in relation.live {
                let before = renamed.iter().filter(|(_, to)| to.0 == origin.0).count();
                let found = live.iter().filter(|o| o.0 == origin.0).nth(before).copied();
                let to = found.unwrap_or((origin.0, self.scans));
                if found.is_none() {
                    self.scans += 1;
                    live.push(to);
                }
                renamed.push((origin, to));
            }
            for mut row in relation.rows {
                for cell in &mut row.cells {
                    // Numbers and witnesses of a confined plan pass on.
                    if !self.confined || cell.kind == Kind::Hidden {
                        readable(cell)?;
                    }
                    (cell.raw, cell.held) = (None, None);
                    cell.from.rename(&renamed);
                }
                row.from.rename(&renamed);
                rows.push(row);
            }
        }
        Ok(Relation { rows, live })
    }
}

/// What an outer join puts where there is no row: no values, of the kinds there would be.
fn nothing(side: &Relation, width: usize) -> Vec<Value> {
    let of = |value: &Value| Value {
        kind: value.kind,
        ..Value::open(Datum::Null)
    };
    match side.rows.first() {
        Some(row) => row.cells.iter().map(of).collect(),
        None => vec![Value::open(Datum::Null); width],
    }
}

/// A side that decides whether a row is there: who is there counts, but for the row's own person.
fn decide(row: &mut Whence, ours: &Whence, (origin, people): (Origin, u64)) {
    if ours.0.iter().any(|(own, _)| *own == origin) {
        return;
    }
    let own = |bits: u64| bits.count_ones() <= 1 && people & !bits == 0;
    // Bits of the operator's rows are rows and no people.
    let tied = ours
        .0
        .iter()
        .any(|((table, _), bits)| *table < 2 && own(*bits));
    if !tied {
        let mut deciding = Whence(vec![(origin, people)]);
        deciding.feed();
        row.add(&deciding);
    }
}
