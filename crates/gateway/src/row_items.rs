//! What the row policy of an application may read: items that the scenario lists, none of grade 4, and of
//! grade 3 no value.

use crate::{Kind, Refused};
use confine::{as_catalogued, enforced};
use plan::RowPolicy;
use terms::{Dataset, Grade, Item, ItemName, Mask, ScenarioDataset, Told};

/// An item that the row policy of an application may not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{}: row policy of dataset `{dataset}`, item `{item}`, grade {grade}: {}", bar.code(), bar.told().en
)]
pub struct BarredItem {
    /// Of which dataset.
    pub dataset: String,
    /// Which.
    pub item: ItemName,
    /// Its grade.
    pub grade: Grade,
    /// Why.
    pub bar: Bar,
}

/// Why a row policy may not read an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// Its grade is 4.
    GradeFour,
    /// Its grade is 3, and more of it is read than its mask shows.
    GradeThree,
    /// The scenario does not list it.
    NotListed,
}

impl BarredItem {
    /// The first item that the row policy may not read, if there is one.
    pub(crate) fn of(
        policy: &RowPolicy,
        (dataset, wanted): (&Dataset, &ScenarioDataset),
        mask: impl Fn(&Item) -> Mask,
    ) -> Option<Self> {
        let seen = as_catalogued(dataset, mask);
        let barred = |item: &ItemName, grade, bar| Self {
            dataset: dataset.name.to_string(),
            item: item.clone(),
            grade,
            bar,
        };
        if let Err(why) = enforced(policy.clone(), &seen) {
            let bar = match why.grade {
                Grade::Four => Bar::GradeFour,
                Grade::One | Grade::Two | Grade::Three => Bar::GradeThree,
            };
            return Some(barred(&why.item, why.grade, bar));
        }
        let mut read = policy.items.iter().map(|(item, _)| item);
        let unlisted = read.find(|item| !wanted.items.includes(item));
        unlisted.map(|item| barred(item, seen(item).0, Bar::NotListed))
    }

    /// What the applicant hears.
    pub(crate) fn refused(&self) -> Refused {
        let Self {
            dataset,
            item,
            grade,
            bar,
        } = self;
        let refused = Refused::new(bar.code(), bar.told(), Kind::Unlawful);
        refused.with(
            &format!("(`{dataset}`.`{item}`, grade {grade})"),
            &format!("（`{dataset}`.`{item}`，{grade}级）"),
        )
    }
}

impl Bar {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::GradeFour => "management.row-policy-grade-four",
            Self::GradeThree => "management.row-policy-grade-three",
            Self::NotListed => "management.row-policy-not-listed",
        }
    }

    /// What the applicant hears.
    #[must_use]
    pub const fn told(self) -> Told {
        match self {
            Self::GradeFour => Told::new(
                "a row policy never reads an item of grade 4; leave the item out of the condition. [AO-2]",
                "行策略不得读取四级数据项，请从条件中删除该数据项。〔AO-2〕",
            ),
            Self::GradeThree => Told::new(
                "of an item of grade 3 a row policy reads the year or month that its mask shows, or whether \
                 a shown item has a value (IS NULL); put other conditions into the statements. [CG-B 汇聚 L2-4]",
                "对三级数据项，行策略只能读取脱敏后可见的年份或月份，或可见数据项是否有值（IS NULL）；其他条件请写入查询语句。〔CG-B 汇聚 L2-4〕",
            ),
            Self::NotListed => Told::new(
                "a row policy reads items that the scenario lists; list the item, or leave it out of the \
                 condition. [AO-12]",
                "行策略只能读取场景所列的数据项，请将该数据项列入清单，或从条件中删除。〔AO-12〕",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::{Expr, Function};
    use serde_json::{Value, json};
    use terms::Type;

    fn dataset() -> Dataset {
        let item = |name: &str, grade: u8| {
            json!({"name": name, "kind": "code", "grade": grade, "mask": null, "domain": null,
                "data_type": "text", "sharing": "conditional", "opening": "conditional"})
        };
        let items = [
            item("gender", 1),
            item("name", 2),
            item("income", 3),
            item("diag", 4),
        ];
        let dataset = json!({"name": "city.people", "title": "x", "provider": "p", "source": "x",
            "sector": "medical", "update": "daily", "subject": null, "risk": null,
            "external": false, "prohibited": null, "items": items});
        serde_json::from_value(dataset).unwrap()
    }

    /// What a policy over these items is told where the scenario lists what it lists.
    fn check(read: &[&str], listed: Value, expect: Option<(&str, &str)>) {
        let wanted = json!({"name": "city.people", "items": listed, "rows": null});
        let wanted = serde_json::from_value(wanted).unwrap();
        let items = read.iter().map(|name| (name.parse().unwrap(), Type::Text));
        let alike = |at: usize| {
            let column = Expr::Column(u32::try_from(at).unwrap());
            Expr::call(Function::Equal, [column.clone(), column])
        };
        let conditions = (0..read.len()).map(alike);
        let policy = RowPolicy {
            items: items.collect(),
            predicate: conditions
                .reduce(|one, other| Expr::call(Function::And, [one, other]))
                .unwrap(),
        };
        let dataset = dataset();
        let mask = |item: &Item| match item.grade {
            Grade::One => Mask::Plain,
            Grade::Two | Grade::Three | Grade::Four => Mask::Suppress,
        };
        let barred = BarredItem::of(&policy, (&dataset, &wanted), mask);
        let told = barred.map(|barred| (barred.bar.code().to_owned(), barred.item.to_string()));
        let expect = expect.map(|(code, item)| (code.to_owned(), item.to_owned()));
        assert_eq!(told, expect, "{read:?}");
    }

    #[test]
    fn an_application_reads_listed_items_below_grade_four_and_no_value_of_grade_three() {
        let all = || json!("all");
        check(&["gender", "name"], all(), None);
        let four = "management.row-policy-grade-four";
        check(&["diag"], all(), Some((four, "diag")));
        check(
            &["gender", "diag"],
            json!({"named": ["gender"]}),
            Some((four, "diag")),
        );
        let three = "management.row-policy-grade-three";
        check(&["income"], all(), Some((three, "income")));
        let unlisted = "management.row-policy-not-listed";
        check(
            &["name"],
            json!({"named": ["gender"]}),
            Some((unlisted, "name")),
        );
        check(&["gender"], json!({"named": ["gender"]}), None);
    }

    #[test]
    fn a_refusal_names_place_item_and_remedy_in_both_languages() {
        let barred = BarredItem {
            dataset: "city.people".to_owned(),
            item: "diag".parse().unwrap(),
            grade: Grade::Four,
            bar: Bar::GradeFour,
        };
        let refused = barred.refused();
        assert_eq!(refused.code, "management.row-policy-grade-four");
        for told in [&refused.told_en, &refused.told_zh] {
            assert!(told.contains("`city.people`.`diag`"), "{told}");
        }
        assert!(refused.told_en.contains("leave the item out"));
        assert!(refused.told_zh.contains("请从条件中删除"));
        let whole = barred.to_string();
        assert!(
            whole.contains("city.people") && whole.contains("leave the item out"),
            "{whole}"
        );
    }
}
