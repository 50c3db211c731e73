use super::{judge, shows};
use crate::Withheld;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Decimal128Type, Int64Type};
use confine::OutputColumn;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use terms::{DatasetName, Grade, ItemName, Origin, Shape, Sightings, Sights, Type};

/// Columns that show parts of one item, read row by row as one value: what was cut apart.
#[derive(Debug)]
pub(super) struct Together {
    /// In the order of the result.
    columns: Vec<usize>,
    /// Other orders in which they are read.
    orders: Vec<Vec<usize>>,
    grade: Grade,
    seen: Sightings,
}

/// Of so many columns all orders are tried.
const ALL_ORDERS_MAX: usize = 4;
/// The letters of an identity number: fewer digits in a row are none.
const LETTERS: usize = 18;

impl Together {
    pub(super) fn of(columns: &[OutputColumn]) -> Vec<Self> {
        let mut of_items: BTreeMap<(&DatasetName, &ItemName), (Vec<usize>, Grade)> =
            BTreeMap::new();
        for (at, column) in columns.iter().enumerate() {
            let is_part = match column.data_type {
                Type::Text | Type::Int | Type::Decimal { scale: 0, .. } => true,
                Type::Bool
                | Type::Decimal { .. }
                | Type::Float
                | Type::Date
                | Type::Timestamp
                | Type::Interval
                | Type::Witness => false,
            };
            let shown = |origin: &&Origin| is_part && shows(origin.flow);
            for origin in column.sources.iter().filter(shown) {
                let item = (&origin.dataset, &origin.item);
                let (parts, _) = of_items
                    .entry(item)
                    .or_insert_with(|| (Vec::new(), origin.grade));
                if parts.last() != Some(&at) {
                    parts.push(at);
                }
            }
        }
        // Columns that show the same items are read once.
        let mut known = BTreeSet::new();
        let several = of_items.into_values().filter(|(parts, _)| parts.len() > 1);
        let new = several.filter(|(parts, _)| known.insert(parts.clone()));
        new.map(|(parts, grade)| Self::new(parts, grade)).collect()
    }

    pub(super) fn new(columns: Vec<usize>, grade: Grade) -> Self {
        let places: Vec<usize> = (0..columns.len()).collect();
        let mut orders = match columns.len() <= ALL_ORDERS_MAX {
            true => orders(&places),
            false => vec![places.iter().rev().copied().collect()],
        };
        orders.retain(|order| *order != places);
        Self {
            columns,
            orders,
            grade,
            seen: Sightings::default(),
        }
    }

    /// Where what is found is told.
    pub(super) fn first(&self) -> Option<usize> {
        self.columns.first().copied()
    }

    pub(super) const fn seen(&self) -> &Sightings {
        &self.seen
    }

    /// Lets rows pass, counted where their parts make one; or holds the result.
    pub(super) fn pass(&mut self, columns: &[ArrayRef]) -> Result<(), Withheld> {
        let parts: Vec<&ArrayRef> = self
            .columns
            .iter()
            .filter_map(|at| columns.get(*at))
            .collect();
        let rows = parts.first().map_or(0, |column| column.len());
        for row in 0..rows {
            let texts: Vec<Cow<'_, str>> = parts.iter().map(|part| text(part, row)).collect();
            let sights = self.sights(&texts);
            judge(self.seen.look(sights), self.grade)?;
        }
        Ok(())
    }

    /// What the parts are together; what one is by itself is told where it stands.
    fn sights(&self, texts: &[Cow<'_, str>]) -> Sights {
        let id = |seen: Option<Shape>| seen.filter(|shape| *shape == Shape::ResidentId);
        let is_told = |text: &Cow<'_, str>| {
            let sights = Shape::sights(text);
            id(sights.plain).or(id(sights.inside)).is_some()
        };
        let is_short = texts.iter().map(|text| text.len()).sum::<usize>() < LETTERS;
        if is_short || texts.iter().any(is_told) {
            return Sights::default();
        }
        let whole = Shape::sights(&texts.concat());
        let found = Sights {
            plain: id(whole.plain),
            inside: id(whole.inside),
            maybe: whole.plain.filter(|shape| *shape != Shape::ResidentId),
        };
        if found.plain.is_some()
            || texts.iter().map(|t| t.chars().count()).sum::<usize>() != LETTERS
        {
            return found;
        }
        let in_order = |order: &Vec<usize>| -> String {
            let parts = order.iter().filter_map(|at| texts.get(*at));
            parts.map(AsRef::as_ref).collect()
        };
        let other = self.orders.iter().map(in_order);
        let other = other
            .filter_map(|text| id(Shape::sights(&text).plain))
            .next();
        Sights {
            inside: found.inside.or(other),
            ..found
        }
    }
}

/// A value as text; null and what has none is empty.
fn text(column: &ArrayRef, row: usize) -> Cow<'_, str> {
    if column.is_null(row) {
        return Cow::Borrowed("");
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return Cow::Borrowed(texts.value(row));
    }
    let whole = column
        .as_primitive_opt::<Int64Type>()
        .map(|numbers| numbers.value(row).to_string());
    let decimal = || {
        let numbers = column.as_primitive_opt::<Decimal128Type>();
        numbers.map(|numbers| numbers.value(row).to_string())
    };
    whole.or_else(decimal).map_or(Cow::Borrowed(""), Cow::Owned)
}

/// All orders of these.
fn orders(places: &[usize]) -> Vec<Vec<usize>> {
    if places.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for place in places {
        let others: Vec<usize> = places
            .iter()
            .copied()
            .filter(|other| other != place)
            .collect();
        for mut order in orders(&others) {
            order.insert(0, *place);
            all.push(order);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};
    use std::sync::Arc;
    use terms::Flow;

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    fn check(columns: &[ArrayRef], held: bool, told: u64) {
        let mut together = Together::new((0..columns.len()).collect(), Grade::One);
        assert_eq!(together.pass(columns).is_err(), held, "{columns:?}");
        let seen = together.seen().told().get(&Shape::ResidentId).copied();
        assert_eq!(seen.unwrap_or(0), told, "{columns:?}");
    }

    #[test]
    fn what_was_cut_apart_is_read_as_one() {
        check(
            &[texts(&["110105"]), texts(&["19491231"]), texts(&["002X"])],
            true,
            1,
        );
        check(
            &[texts(&["11010519491231"]), texts(&["", "002X"][1..])],
            true,
            1,
        );
        let number: ArrayRef = Arc::new(Int64Array::from(vec![110_105]));
        check(&[number, texts(&["19491231002X"])], true, 1);
        check(
            &[texts(&["110105"]), texts(&["19491231"]), texts(&["0021"])],
            false,
            0,
        );
        check(
            &[texts(&["11010519491231002X"]), texts(&["1101"])],
            false,
            0,
        );
    }

    #[test]
    fn in_another_order_staff_are_told_and_several_are_held() {
        let (head, tail) = (["110105"; 3], ["19491231002X"; 3]);
        check(&[texts(&tail[..1]), texts(&head[..1])], false, 1);
        check(&[texts(&tail), texts(&head)], true, 3);
        check(
            &[texts(&["002X"]), texts(&["19491231"]), texts(&["110105"])],
            false,
            1,
        );
    }

    #[test]
    fn only_columns_that_show_one_item_are_read_together() {
        let column = |item: &str, flow: Flow, data_type| OutputColumn {
            name: "x".to_owned(),
            data_type,
            sources: vec![Origin {
                dataset: "city.citizen".parse().unwrap(),
                item: item.parse().unwrap(),
                grade: Grade::Two,
                way: "plain".to_owned(),
                flow,
            }],
        };
        let columns = [
            column("pid", Flow::Transformation, Type::Text),
            column("name", Flow::Identity, Type::Text),
            column("pid", Flow::Transformation, Type::Int),
            column("pid", Flow::Aggregation, Type::Int),
            column("pid", Flow::Transformation, Type::Date),
        ];
        let found: Vec<_> = Together::of(&columns)
            .into_iter()
            .map(|t| t.columns)
            .collect();
        assert_eq!(found, [[0, 2]]);
    }
}
