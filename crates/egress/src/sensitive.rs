use crate::Withheld;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type};
use confine::{Confined, OutputColumn};
use std::collections::BTreeMap;
use terms::{Flow, Grade, Shape, Sighted, Sightings, Sights, Type};

mod together; // one value in several columns

use together::Together;

/// Looks values over for what stands for a person whatever their column says: an item may be graded
/// wrongly, and a runner may lie.
///
/// A column of texts or numbers is of the highest grade of the items its values come from, and a value at
/// least of the grade its shape has by nature: of grade 2 staff are told, from grade 3 on nothing more
/// leaves, unless it may be chance. What comes from no item is the caller's own. Source: CG-B 汇聚 L2-8.
#[derive(Debug, Default)]
pub(crate) struct Sensitive {
    /// By column; none where its values are not looked at.
    columns: Vec<Option<Column>>,
    /// Columns that show parts of one item, which may be parts of one value.
    together: Vec<Together>,
}

/// A column that is looked at.
#[derive(Debug)]
struct Column {
    /// Of the items its values come from.
    grade: Grade,
    /// Whether a number is what an item says, and no sum that is as long as a phone number by chance.
    is_value: bool,
    seen: Sightings,
}

// === impl Sensitive ===

impl Sensitive {
    pub(crate) fn of(confined: &Confined) -> Self {
        Self {
            columns: confined.columns().iter().map(Column::of).collect(),
            together: Together::of(confined.columns()),
        }
    }

    /// Lets the values of a column pass, counted where they are such; or holds the result.
    pub(crate) fn pass(&mut self, column: usize, values: &dyn Array) -> Result<(), Withheld> {
        match self.columns.get_mut(column) {
            Some(Some(column)) => column.pass(values),
            Some(None) | None => Ok(()),
        }
    }

    /// Lets rows pass, each looked at across its columns; or holds the result.
    pub(crate) fn pass_rows(&mut self, columns: &[ArrayRef]) -> Result<(), Withheld> {
        let mut together = self.together.iter_mut();
        together.try_for_each(|together| together.pass(columns))
    }

    pub(crate) fn found(&self) -> Vec<Sighted> {
        let mut found: BTreeMap<(usize, Shape), u64> = BTreeMap::new();
        let columns = self.columns.iter().enumerate();
        let columns = columns.filter_map(|(at, column)| Some((at, &column.as_ref()?.seen)));
        let together = self.together.iter();
        let together = together.filter_map(|group| Some((group.first()?, group.seen())));
        for (column, seen) in columns.chain(together) {
            for (shape, values) in seen.told() {
                let sum = found.entry((column, shape)).or_default();
                *sum = sum.saturating_add(values);
            }
        }
        let sighted = |((column, shape), values)| Sighted {
            column: u32::try_from(column).unwrap_or(u32::MAX),
            shape,
            values,
        };
        found.into_iter().map(sighted).collect()
    }
}

/// Holds what is of grade 3 by its column or by its nature.
fn judge(sure: Option<Shape>, grade: Grade) -> Result<(), Withheld> {
    match sure.map(|shape| (shape, grade.max(shape.grade()))) {
        Some((shape, Grade::Three | Grade::Four)) => Err(Withheld::Sensitive { shape }),
        Some((_, Grade::One | Grade::Two)) | None => Ok(()),
    }
}

// === impl Column ===

impl Column {
    fn of(column: &OutputColumn) -> Option<Self> {
        let seen = match column.data_type {
            Type::Text => Sightings::default(),
            Type::Int | Type::Decimal { .. } | Type::Float => Sightings::of_numbers(),
            Type::Bool | Type::Date | Type::Timestamp | Type::Interval | Type::Witness => {
                return None;
            }
        };
        let of_values = |flow: Flow| match flow {
            Flow::Identity
            | Flow::Transformation
            | Flow::Aggregation
            | Flow::Conditional
            | Flow::Window => true,
            Flow::Join | Flow::GroupBy | Flow::Filter | Flow::Sort => false,
        };
        let sources = column
            .sources
            .iter()
            .filter(|origin| of_values(origin.flow));
        Some(Self {
            grade: sources.map(|origin| origin.grade).max()?,
            is_value: column.sources.iter().any(|origin| shows(origin.flow)),
            seen,
        })
    }

    fn pass(&mut self, values: &dyn Array) -> Result<(), Withheld> {
        if let Some(texts) = values.as_string_opt::<i32>() {
            return self.each(texts.iter().flatten().map(Shape::sights));
        }
        let is_value = self.is_value;
        let number = |sights: Sights| match is_value {
            true => sights,
            false => sights.without(Shape::Phone),
        };
        if let Some(numbers) = values.as_primitive_opt::<Int64Type>() {
            if !may_be(numbers.values()) {
                self.seen.pass(u64::try_from(numbers.len()).unwrap_or(0));
                return Ok(());
            }
            let sights = |value: i64| number(Shape::sights_of_number(i128::from(value), 0));
            return self.each(numbers.iter().flatten().map(sights));
        }
        if let Some(numbers) = values.as_primitive_opt::<Decimal128Type>() {
            let scale = u8::try_from(numbers.scale()).unwrap_or(0);
            let sights = |value: i128| number(Shape::sights_of_number(value, scale));
            return self.each(numbers.iter().flatten().map(sights));
        }
        if let Some(numbers) = values.as_primitive_opt::<Float64Type>() {
            let sights = |value: f64| number(Shape::sights_of_float(value));
            return self.each(numbers.iter().flatten().map(sights));
        }
        Ok(())
    }

    fn each(&mut self, mut values: impl Iterator<Item = Sights>) -> Result<(), Withheld> {
        values.try_for_each(|sights| judge(self.seen.look(sights), self.grade))
    }
}

/// Whether values of an item, however changed, stand in a column of their own.
const fn shows(flow: Flow) -> bool {
    matches!(flow, Flow::Identity | Flow::Transformation)
}

/// Whether any of these may be as long as a phone number: most columns of numbers are done with that.
///
/// All bits that any of them has make a number at least as long as the longest, and are put together
/// several at a time.
fn may_be(numbers: &[i64]) -> bool {
    let bits = |all: u64, number: &i64| all | number.unsigned_abs();
    numbers.iter().fold(0, bits) >= 13_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, Decimal128Array, Int64Array, StringArray};
    use std::sync::Arc;

    const NUMBER: &str = "11010519491231002X";
    const ID: i64 = 110_105_194_912_310_505;

    fn looking(grade: impl Into<Option<Grade>>) -> Sensitive {
        over(grade, Sightings::default())
    }

    fn over(grade: impl Into<Option<Grade>>, seen: Sightings) -> Sensitive {
        let column = |grade| Column {
            grade,
            is_value: true,
            seen,
        };
        Sensitive {
            columns: vec![grade.into().map(column)],
            together: Vec::new(),
        }
    }

    fn check(grade: impl Into<Option<Grade>>, text: &str, held: bool, seen: u64) {
        let mut sensitive = looking(grade);
        let passed = sensitive.pass(0, &StringArray::from(vec![text]));
        assert_eq!(passed.is_err(), held, "{text}");
        let values: u64 = sensitive.found().iter().map(|found| found.values).sum();
        assert_eq!(values, seen, "{text}");
    }

    #[test]
    fn an_identity_number_is_held_whatever_its_column_says() {
        for grade in [Grade::One, Grade::Two, Grade::Three] {
            check(grade, NUMBER, true, 1);
            check(grade, &format!("电话不详，号码{NUMBER}"), true, 1);
        }
    }

    #[test]
    fn of_a_phone_number_staff_are_told_and_from_grade_3_it_is_held() {
        check(Grade::One, "13812345678", false, 1);
        check(Grade::Two, "13812345678", false, 1);
        check(Grade::Three, "13812345678", true, 1);
        check(Grade::Two, "138****5678", false, 0);
    }

    #[test]
    fn the_callers_own_texts_and_what_has_no_digits_are_not_looked_at() {
        check(None, NUMBER, false, 0);
        let mut sensitive = looking(Grade::Three);
        let days = Date32Array::from(vec![20_000]);
        assert!(sensitive.pass(0, &days).is_ok());
        let text = StringArray::from(vec![NUMBER]);
        assert!(sensitive.pass(7, &text).is_ok());
    }

    #[test]
    fn a_number_is_held_in_whatever_type_it_leaves() {
        let decimal = |values: Vec<i128>, scale| {
            let values = Decimal128Array::from(values);
            values.with_precision_and_scale(38, scale).unwrap()
        };
        let columns: [ArrayRef; 5] = [
            Arc::new(Int64Array::from(vec![1, ID])),
            Arc::new(Int64Array::from(vec![-ID])),
            Arc::new(decimal(vec![i128::from(ID)], 0)),
            Arc::new(decimal(vec![i128::from(ID) * 100], 2)),
            Arc::new(decimal(vec![i128::from(ID)], 6)),
        ];
        for column in columns {
            let mut sensitive = over(Grade::One, Sightings::of_numbers());
            assert!(sensitive.pass(0, &column).is_err(), "{column:?}");
            let held = Sighted {
                column: 0,
                shape: Shape::ResidentId,
                values: 1,
            };
            assert_eq!(sensitive.found(), [held], "{column:?}");
        }
    }

    #[test]
    fn one_among_thousands_of_numbers_may_be_chance_and_staff_are_told() {
        let mut sensitive = over(Grade::One, Sightings::of_numbers());
        let others = Int64Array::from((0..1000).map(|at| 13_000_000_000 * at).collect::<Vec<_>>());
        let small = Int64Array::from(vec![7; 9000]);
        assert!(sensitive.pass(0, &small).is_ok());
        assert!(sensitive.pass(0, &others).is_ok());
        let number = Int64Array::from(vec![ID; 10]);
        assert!(sensitive.pass(0, &number).is_ok());
        assert!(sensitive.found().iter().any(|found| found.values == 10));
        assert!(
            sensitive.pass(0, &number).is_err(),
            "one in a thousand is none"
        );
    }

    #[test]
    fn what_hides_in_other_digits_is_told_at_once_and_held_where_it_is_no_chance() {
        let hidden = format!("7{ID}7");
        let backwards: String = ID.to_string().chars().rev().collect();
        for text in [hidden.as_str(), &backwards] {
            check(Grade::One, text, false, 1);
            let mut sensitive = looking(Grade::One);
            let passed = sensitive.pass(0, &StringArray::from(vec![text; 3]));
            assert!(passed.is_err(), "{text}");
            let mut sensitive = looking(Grade::One);
            assert!(
                sensitive
                    .pass(0, &StringArray::from(vec!["x"; 298]))
                    .is_ok()
            );
            let passed = sensitive.pass(0, &StringArray::from(vec![text; 3]));
            assert!(passed.is_ok(), "{text}");
        }
    }

    #[test]
    fn a_sum_as_long_as_a_phone_number_is_none() {
        let sums = Int64Array::from(vec![13_812_345_678; 9]);
        let mut sensitive = over(Grade::Three, Sightings::of_numbers());
        assert!(sensitive.pass(0, &sums).is_err());
        let mut sensitive = over(Grade::Three, Sightings::of_numbers());
        for column in sensitive.columns.iter_mut().flatten() {
            column.is_value = false;
        }
        assert!(sensitive.pass(0, &sums).is_ok());
        assert!(sensitive.found().is_empty());
    }
}
