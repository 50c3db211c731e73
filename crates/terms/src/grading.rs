use crate::{DatasetName, Grade, ItemName};
use chrono::NaiveDate;

/// What would happen if an item leaked, changed, were lost or misused. Source: CG-6.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Impact {
    /// 影响程度.
    pub degree: Degree,
    /// 影响范围.
    pub scope: Scope,
}

/// 影响程度. Source: CG-6.3.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Degree {
    /// 无影响.
    None,
    /// 轻微影响.
    Slight,
    /// 严重影响.
    Serious,
    /// 特别严重影响.
    VerySerious,
}

/// 影响范围. Source: CG-6.3.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// 较小范围.
    Narrow,
    /// 较大范围.
    Wide,
}

/// Grades proposed for items of a catalogued dataset, until the data authority confirms them.
/// Source: CG-6.3.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GradeProposal {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// What was found of each item.
    pub items: Vec<(ItemName, Impact)>,
    /// When.
    pub on: NaiveDate,
    /// The last day for the confirmation. Source: PD-14.
    pub due: NaiveDate,
}

impl Impact {
    /// The grade the rules propose: by the degree, one higher where a wide scope bears more than no
    /// effect; the authority decides. Source: CG-6.2 table 1, CG-6.3, CG-C.
    #[must_use]
    pub const fn proposed(self) -> Grade {
        match (self.degree, self.scope) {
            (Degree::None, _) => Grade::One,
            (Degree::Slight, Scope::Narrow) => Grade::Two,
            (Degree::Slight, Scope::Wide) | (Degree::Serious, Scope::Narrow) => Grade::Three,
            (Degree::Serious, Scope::Wide) | (Degree::VerySerious, _) => Grade::Four,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appendix C: an account number is serious, a phone number slight, both of one person.
    #[test]
    fn the_worked_example_comes_out_as_graded() {
        let proposed = |degree| {
            Impact {
                degree,
                scope: Scope::Narrow,
            }
            .proposed()
        };
        assert_eq!(proposed(Degree::Slight), Grade::Two);
        assert_eq!(proposed(Degree::Serious), Grade::Three);
    }

    #[test]
    fn more_harm_or_more_harmed_never_means_a_lower_grade() {
        let degrees = [
            Degree::None,
            Degree::Slight,
            Degree::Serious,
            Degree::VerySerious,
        ];
        for pair in degrees.windows(2) {
            for scope in [Scope::Narrow, Scope::Wide] {
                let of = |degree| Impact { degree, scope }.proposed();
                assert!(of(pair[0]) < of(pair[1]) || of(pair[1]) == Grade::Four);
            }
        }
        for degree in degrees {
            let of = |scope| Impact { degree, scope }.proposed();
            assert!(of(Scope::Narrow) <= of(Scope::Wide));
        }
    }
}
