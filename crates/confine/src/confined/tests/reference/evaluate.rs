//! Brute force: nested loops over tiny tables, every row and value labelled. It runs drafts, reading
//! them by the design's rules and withholding what falls short itself; and confined plans, where
//! it trusts no witness and judges every read by whom it truly depends on.

use super::{
    fold::{heard, meets},
    scalar::{readable, truth},
    value::{Datum, Kind, Origin, Raw, Row, Value, Whence},
    world::{TABLES, World, item_of, table_of},
};
use plan::{Expr, Node, Plan, RowPolicy, Scan, ScanColumn, SortKey, View};
use policy::{PermittedDataset, PermittedItem};
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
    rc::Rc,
};
use terms::Mask;

pub(super) const ROWS_MAX: usize = 1500;

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// What the design forbids.
    Denied(&'static str),
    /// What this reference does not know, or what is too big for it.
    Skipped(&'static str),
}

/// One run.
#[derive(Debug)]
pub(super) struct Evaluation<'a> {
    pub world: &'a World,
    /// Whether the plan is a confined one.
    pub confined: bool,
    pub scans: usize,
    scalars: HashMap<*const Node, Value>,
    /// The items whose raw values aggregates read.
    pub read: BTreeSet<(usize, usize)>,
    /// Whether a cell was withheld by the reference itself.
    pub withheld: bool,
    /// Whether operator-supplied data is touched.
    external: bool,
}

/// Rows, and the scans they may come from.
#[derive(Debug)]
pub(super) struct Relation {
    pub rows: Vec<Row>,
    pub live: Vec<Origin>,
}

pub(super) type Evaluated = Result<Relation, Stop>;

impl<'a> Evaluation<'a> {
    pub(super) fn of(world: &'a World, plan: &Plan, confined: bool) -> Self {
        Self {
            world,
            confined,
            scans: 0,
            scalars: HashMap::new(),
            read: BTreeSet::new(),
            withheld: false,
            external: plan.print().contains(TABLES[3]),
        }
    }

    pub(super) fn dataset(&self, table: usize) -> &'a PermittedDataset {
        let datasets = self.world.permit.datasets();
        let found = datasets
            .iter()
            .find(|d| table_of(d.name.as_str()) == Some(table));
        found.unwrap()
    }

    /// Whether rows of a protected table may not show.
    pub(super) fn rows_off(&self, table: usize) -> bool {
        !self.dataset(table).show_rows || self.external
    }

    /// The item as it is permitted; none if it is not.
    pub(super) fn item(&self, table: usize, item: usize) -> Option<&'a PermittedItem> {
        let items = &self.dataset(table).items;
        items
            .iter()
            .find(|i| item_of(table, i.name.as_str()) == Some(item))
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    pub(super) fn relation(&mut self, node: &Node) -> Evaluated {
        let relation = match node {
            Node::Scan(scan) => self.scan(scan)?,
            Node::Values { rows, .. } => self.values(rows)?,
            Node::Project { input, exprs } => {
                let mut relation = self.relation(input)?;
                for row in &mut relation.rows {
                    row.cells = self.each(exprs, &row.cells)?;
                }
                relation
            }
            Node::Filter { input, predicate } => {
                let mut relation = self.relation(input)?;
                let mut kept = Vec::new();
                for mut row in relation.rows {
                    let condition = self.value(predicate, &row.cells)?;
                    if truth(&condition)? {
                        row.from.add(&condition.from);
                        kept.push(row);
                    }
                }
                relation.rows = kept;
                relation
            }
            Node::Join { .. } => self.join(node)?,
            Node::Aggregate {
                input,
                keys,
                aggregates,
            } => {
                let input = self.relation(input)?;
                let rows = self.grouped(input.rows, keys, aggregates)?;
                Relation { rows, ..input }
            }
            Node::Window { input, calls } => {
                let mut relation = self.relation(input)?;
                for call in calls {
                    self.window(call, &mut relation.rows)?;
                }
                relation
            }
            Node::Sort { input, keys, fetch } => {
                let mut relation = self.relation(input)?;
                relation.rows = self.sorted(relation.rows, keys)?;
                relation.rows.truncate(count(*fetch));
                relation
            }
            Node::Limit { input, skip, fetch } => {
                let mut relation = self.relation(input)?;
                let rows = relation.rows.into_iter();
                relation.rows = rows.skip(count(Some(*skip))).take(count(*fetch)).collect();
                relation
            }
            Node::Distinct { input } => {
                let input = self.relation(input)?;
                let rows = self.distinct(input.rows)?;
                Relation { rows, ..input }
            }
            Node::Union { inputs } => self.union(inputs)?,
            Node::Withhold {
                input,
                cells,
                reports,
            } => {
                let mut relation = self.relation(input)?;
                relation.rows.retain(|row| meets_all(row, cells));
                heard(&mut relation.rows, reports)?;
                relation
            }
        };
        if relation.rows.len() > ROWS_MAX {
            return Err(Stop::Skipped("too many rows"));
        }
        Ok(relation)
    }

    pub(super) fn each(&mut self, exprs: &[Expr], cells: &[Value]) -> Result<Vec<Value>, Stop> {
        exprs.iter().map(|expr| self.value(expr, cells)).collect()
    }

    fn values(&mut self, rows: &[Vec<plan::Literal>]) -> Evaluated {
        let row = |literals: &Vec<plan::Literal>| {
            let exprs: Vec<Expr> = literals.iter().cloned().map(Expr::Literal).collect();
            let cells = self.each(&exprs, &[])?;
            Ok(Row {
                cells,
                from: Whence::default(),
            })
        };
        let rows = rows.iter().map(row).collect::<Result<_, _>>()?;
        Ok(Relation { rows, live: vec![] })
    }

    fn scan(&mut self, scan: &Scan) -> Evaluated {
        let unknown = Stop::Denied("a name that is not permitted");
        let table = table_of(scan.dataset.as_str()).ok_or(unknown)?;
        let dataset = self.dataset(table);
        let origin = (table, self.scans);
        self.scans += 1;
        let policy = match self.confined {
            true => scan.rows.clone(),
            false => (dataset.rows_plan.as_ref())
                .map(|bytes| RowPolicy::decode(bytes, &plan::Bounds::default()).unwrap()),
        };
        let mut rows = Vec::new();
        let world = self.world;
        for (number, raw) in world.tables[table].rows.iter().enumerate() {
            let person = world.tables[table].persons[number];
            if let Some(policy) = &policy {
                let read = |(item, _): &(terms::ItemName, _)| {
                    Value::open(raw[item_of(table, item.as_str()).unwrap()].clone())
                };
                let cells: Vec<Value> = policy.items.iter().map(read).collect();
                if !truth(&self.value(&policy.predicate, &cells)?)? {
                    continue;
                }
            }
            let one = |column: &ScanColumn| self.column(column, table, number);
            let cells = scan.columns.iter().map(one).collect::<Result<_, _>>()?;
            let bits = match (dataset.external, person) {
                (true, _) => 1 << number,
                (false, person) => person.map_or(0, |person| 1 << person),
            };
            let labelled = dataset.external || dataset.protected;
            let from = Whence(labelled.then_some((origin, bits)).into_iter().collect());
            rows.push(Row { cells, from });
        }
        let live = vec![origin];
        Ok(Relation { rows, live })
    }

    fn column(&self, column: &ScanColumn, table: usize, row: usize) -> Result<Value, Stop> {
        let whole = &self.world.tables[table];
        let (raw, person) = (&whole.rows[row], whole.persons[row]);
        let unknown = Stop::Denied("a name that is not permitted");
        let item = item_of(table, column.item.as_str()).ok_or(unknown)?;
        let number = |number: Option<usize>| {
            let shown = number.map_or(Datum::Null, |n| Datum::Int(n as i64));
            Ok(Value {
                kind: Kind::Number,
                ..Value::open(shown)
            })
        };
        match column.view {
            View::Row => return number(Some(row)),
            View::Subject => return number(person.map(|p| p as usize)),
            _ => {}
        }
        let permitted = self.item(table, item).ok_or(unknown)?;
        let behind = || {
            Some(Rc::new(Raw {
                datum: raw[item].clone(),
                dataset: table,
                item,
                row,
                person,
            }))
        };
        let (mask, behind) = match (&column.view, self.confined) {
            (View::Catalogue, false) => {
                let seen =
                    permitted.aggregate && !matches!(permitted.mask, Mask::Plain | Mask::Token);
                (permitted.mask, seen.then(behind).flatten())
            }
            (View::Masked(mask, _), true) if Mask::from(*mask) == permitted.mask => {
                (permitted.mask, None)
            }
            (View::Raw, true) if permitted.aggregate => (Mask::Suppress, behind()),
            _ => return Err(Stop::Denied("a view that is not permitted")),
        };
        if mask == Mask::Suppress {
            return match behind {
                Some(behind) => Ok(Value {
                    kind: Kind::Hidden,
                    raw: Some(Rc::clone(&behind)),
                    ..Value::open(behind.datum.clone())
                }),
                None => Err(unknown),
            };
        }
        let domain = match permitted.domain.as_ref().map(|d| d.as_str()) {
            Some("visit") => "visit",
            _ => "person",
        };
        let kind = match mask {
            Mask::Token => Kind::Token {
                domain,
                join_only: self.dataset(table).external,
            },
            _ => Kind::Open,
        };
        let shown = self.world.masked(mask, domain, &raw[item]);
        Ok(Value {
            kind,
            raw: behind,
            ..Value::open(shown.ok_or(Stop::Skipped("mask"))?)
        })
    }

    pub(super) fn sorted(&mut self, rows: Vec<Row>, keys: &[SortKey]) -> Result<Vec<Row>, Stop> {
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows {
            let mut by = Vec::with_capacity(keys.len());
            for key in keys {
                let value = self.value(&key.expr, &row.cells)?;
                readable(&value)?;
                by.push(value.shown);
            }
            keyed.push((by, row));
        }
        keyed.sort_by(|(one, _), (other, _)| ordered(one, other, keys));
        Ok(keyed.into_iter().map(|(_, row)| row).collect())
    }

    pub(super) fn scalar(&mut self, node: &Node) -> Result<Value, Stop> {
        let at: *const Node = node;
        if let Some(known) = self.scalars.get(&at) {
            return Ok(known.clone());
        }
        let rows = self.relation(node)?.rows;
        let value = match rows.as_slice() {
            [] => Value::open(Datum::Null),
            [row] => {
                let mut value = row.cells[0].clone().masked();
                readable(&value)?;
                value.from.add(&row.from);
                value
            }
            _ => return Err(Stop::Skipped("a subquery of many rows")),
        };
        self.scalars.insert(at, value.clone());
        Ok(value)
    }

    /// Tokens the operator supplied are for joins alone.
    pub(super) fn not_join_only(&self, value: &Value) -> Result<(), Stop> {
        match value.kind {
            Kind::Token {
                join_only: true, ..
            } => Err(Stop::Denied("a token of the operator's own is used")),
            _ => Ok(()),
        }
    }
}

fn meets_all(row: &Row, cells: &[plan::Cell]) -> bool {
    let witness = |cell: &plan::Cell| &row.cells[cell.witness as usize].shown;
    cells.iter().all(|cell| meets(witness(cell), &cell.check))
}

fn ordered(one: &[Datum], other: &[Datum], keys: &[SortKey]) -> Ordering {
    for ((one, other), key) in one.iter().zip(other).zip(keys) {
        let order = match (one.is_null(), other.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if key.nulls_first => Ordering::Less,
            (false, true) if !key.nulls_first => Ordering::Less,
            (true, false) | (false, true) => Ordering::Greater,
            (false, false) if key.descending => other.cmp(one),
            (false, false) => one.cmp(other),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn count(rows: Option<u64>) -> usize {
    rows.map_or(usize::MAX, |rows| {
        usize::try_from(rows).unwrap_or(usize::MAX)
    })
}
