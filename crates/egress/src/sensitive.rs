use crate::Withheld;
use arrow::array::{Array, AsArray};
use confine::Confined;
use std::collections::BTreeMap;
use terms::{Flow, Grade, Shape, Sighted, Type};

/// Looks texts over for what stands for a person whatever its column says: an item may be graded
/// wrongly, and a runner may lie.
///
/// A text column is of the highest grade of the items its values come from, and a value at least of the
/// grade its shape has by nature: of grade 2 staff are told, from grade 3 on nothing more leaves. What
/// comes from no item is the caller's own. Source: CG-B 汇聚 L2-8.
#[derive(Debug, Default)]
pub(crate) struct Sensitive {
    /// By column: the grade of the items its values come from; none where they are not looked at.
    grades: Vec<Option<Grade>>,
    found: BTreeMap<(usize, Shape), u64>,
}

impl Sensitive {
    pub(crate) fn of(confined: &Confined) -> Self {
        let grade = |column: &confine::OutputColumn| {
            if column.data_type != Type::Text {
                return None;
            }
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
            sources.map(|origin| origin.grade).max()
        };
        Self {
            grades: confined.columns().iter().map(grade).collect(),
            found: BTreeMap::new(),
        }
    }

    /// Lets the values of a column pass, counted where they are such; or holds the result.
    pub(crate) fn pass(&mut self, column: usize, values: &dyn Array) -> Result<(), Withheld> {
        let Some(grade) = self.grades.get(column).copied().flatten() else {
            return Ok(());
        };
        let texts = values.as_string_opt::<i32>().into_iter().flatten();
        for shape in texts.flatten().filter_map(Shape::within) {
            let values = self.found.entry((column, shape)).or_default();
            *values = values.saturating_add(1);
            match grade.max(shape.grade()) {
                Grade::One | Grade::Two => {}
                Grade::Three | Grade::Four => return Err(Withheld::Sensitive { shape }),
            }
        }
        Ok(())
    }

    pub(crate) fn found(&self) -> Vec<Sighted> {
        let found = self.found.iter().map(|((column, shape), values)| Sighted {
            column: u32::try_from(*column).unwrap_or(u32::MAX),
            shape: *shape,
            values: *values,
        });
        found.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};

    const NUMBER: &str = "11010519491231002X";

    fn looking(grade: impl Into<Option<Grade>>) -> Sensitive {
        Sensitive {
            grades: vec![grade.into()],
            found: BTreeMap::new(),
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
    fn the_callers_own_texts_and_what_is_no_text_are_not_looked_at() {
        check(None, NUMBER, false, 0);
        let mut sensitive = looking(Grade::Three);
        let number = Int64Array::from(vec![13_812_345_678]);
        assert!(sensitive.pass(0, &number).is_ok());
        let text = StringArray::from(vec![NUMBER]);
        assert!(sensitive.pass(7, &text).is_ok());
    }
}
