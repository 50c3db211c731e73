use serde::Deserialize;
use terms::Grade;

/// What a cell owes beside its threshold, and how repeated releases are guarded.
///
/// Source: `policies/disclosure.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// The two largest contributors hold less than this of the total, in percent.
    pub share_percent: u8,
    /// What is left without them is at least this of the largest, in percent.
    pub rest_percent: u8,
    /// Whether contributions must not all be equal.
    pub spread: bool,
    /// The fewest degrees of freedom of deviations and variances.
    pub freedom: u32,
    /// How cells are released.
    pub release: Release,
    /// The largest share of one subject's value that all released sums together may explain, in
    /// percent: the leverage of linear regression.
    pub explained_percent: u8,
}

/// How thresholded cells are released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Release {
    /// Exactly, or where that conflicts with earlier releases not at all.
    Audit,
    /// With noise.
    Perturb,
    /// Exactly, or where that conflicts with earlier releases with noise.
    Both,
}

/// The noise of perturbed cells.
///
/// Source: the cell-key method of official statistics; `policies/disclosure.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perturbation {
    /// The most that is added to a count, or taken from it.
    pub count_max: u8,
    /// Its standard deviation.
    pub count_deviation: f64,
    /// The standard deviation for a sum, in largest contributions of one subject.
    pub sum_deviation: f64,
}

/// What a licence has spent, or may at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// Statements.
    pub queries: u64,
    /// New cells released.
    pub cells: u64,
    /// Refusals by the disclosure register: statements, and cells withheld from results.
    pub refusals: u64,
    /// New cells released with noise.
    pub perturbed: u64,
}

/// What a licence may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// On one day.
    pub per_day: Allowance,
    /// Since it began.
    pub per_term: Allowance,
}

/// The rules by grade.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisclosureTable {
    grade_2: Disclosure,
    grade_3: Disclosure,
    noise: Perturbation,
    per_day: Allowance,
    per_term: Allowance,
}

impl DisclosureTable {
    /// Reads the baseline and tightens it by what the domain adds.
    pub(crate) fn read(texts: &[&str]) -> Result<Self, String> {
        let mut tables = texts.iter().map(|text| {
            let table: Self = toml::from_str(text).map_err(|e| e.message().to_owned())?;
            let checked = |rules: &Disclosure| {
                let percentages = [
                    rules.share_percent,
                    rules.rest_percent,
                    rules.explained_percent,
                ];
                percentages.iter().all(|percent| *percent <= 100)
            };
            if !(checked(&table.grade_2) && checked(&table.grade_3)) {
                return Err("a percentage past 100".to_owned());
            }
            table.noise.is_noise().then_some(table).ok_or_else(|| {
                "noise that is none: every figure of [noise] is above 0, and the deviation of counts at most their bound".to_owned()
            })
        });
        let first = tables.next().ok_or("disclosure.toml is missing")??;
        tables.try_fold(first, |table, other| {
            let other = other?;
            Ok(Self {
                grade_2: table.grade_2.tightened(other.grade_2),
                grade_3: table.grade_3.tightened(other.grade_3),
                noise: table.noise.tightened(other.noise),
                per_day: table.per_day.tightened(other.per_day),
                per_term: table.per_term.tightened(other.per_term),
            })
        })
    }

    /// The rules of a dataset whose highest permitted grade is this.
    pub(crate) const fn of(&self, highest: Grade) -> Disclosure {
        match highest {
            Grade::One | Grade::Two => self.grade_2,
            Grade::Three | Grade::Four => self.grade_3,
        }
    }
}

impl DisclosureTable {
    /// The noise of perturbed cells.
    pub(crate) const fn noise(&self) -> Perturbation {
        self.noise
    }

    /// What a licence may spend.
    pub(crate) const fn budget(&self) -> Budget {
        Budget {
            per_day: self.per_day,
            per_term: self.per_term,
        }
    }
}

impl Allowance {
    /// The smaller of two in every point.
    fn tightened(self, other: Self) -> Self {
        Self {
            queries: self.queries.min(other.queries),
            cells: self.cells.min(other.cells),
            refusals: self.refusals.min(other.refusals),
            perturbed: self.perturbed.min(other.perturbed),
        }
    }
}

impl Perturbation {
    fn is_noise(self) -> bool {
        let bound = f64::from(self.count_max);
        self.count_deviation > 0.0
            && self.count_deviation <= bound
            && self.sum_deviation > 0.0
            && self.sum_deviation.is_finite()
    }

    /// The larger of two in every point.
    fn tightened(self, other: Self) -> Self {
        Self {
            count_max: self.count_max.max(other.count_max),
            count_deviation: self.count_deviation.max(other.count_deviation),
            sum_deviation: self.sum_deviation.max(other.sum_deviation),
        }
    }
}

impl Release {
    /// The stricter of two: one that never releases exact values is stricter than one that may.
    const fn tightened(self, other: Self) -> Self {
        match (self, other) {
            (Self::Perturb, _) | (_, Self::Perturb) => Self::Perturb,
            (Self::Audit, _) | (_, Self::Audit) => Self::Audit,
            (Self::Both, Self::Both) => Self::Both,
        }
    }
}

impl Disclosure {
    /// The stricter of two in every point.
    fn tightened(self, other: Self) -> Self {
        Self {
            share_percent: self.share_percent.min(other.share_percent),
            rest_percent: self.rest_percent.max(other.rest_percent),
            spread: self.spread || other.spread,
            freedom: self.freedom.max(other.freedom),
            release: self.release.tightened(other.release),
            explained_percent: self.explained_percent.min(other.explained_percent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASELINE: &str = include_str!("../../../policies/disclosure.toml");

    #[test]
    fn a_domain_can_only_tighten() {
        let loose = BASELINE
            .replace("share_percent = 90", "share_percent = 100")
            .replace("rest_percent = 10", "rest_percent = 0")
            .replace("release = \"audit\"", "release = \"both\"")
            .replace("count_max = 8", "count_max = 2")
            .replace("count_deviation = 4.0", "count_deviation = 1.0")
            .replace("sum_deviation = 1.5", "sum_deviation = 0.1")
            .replace("explained_percent = 50", "explained_percent = 100")
            .replace("freedom = 10", "freedom = 0")
            .replace("spread = true", "spread = false");
        let baseline = DisclosureTable::read(&[BASELINE]).unwrap();
        assert_eq!(
            DisclosureTable::read(&[BASELINE, &loose]).unwrap(),
            baseline
        );
        let strict = BASELINE.replace("freedom = 0", "freedom = 20");
        let both = DisclosureTable::read(&[BASELINE, &strict]).unwrap();
        assert_eq!(both.of(Grade::Two).freedom, 20);
        assert_eq!(both.of(Grade::Three).freedom, 10);
        let noisy = BASELINE.replace("release = \"both\"", "release = \"perturb\"");
        let both = DisclosureTable::read(&[BASELINE, &noisy]).unwrap();
        assert_eq!(both.of(Grade::Two).release, Release::Audit);
        assert_eq!(both.of(Grade::Three).release, Release::Perturb);
    }

    #[test]
    fn noise_that_is_none_is_refused() {
        for (from, to) in [
            ("count_max = 8", "count_max = 3"),
            ("count_deviation = 4.0", "count_deviation = 0.0"),
            ("sum_deviation = 1.5", "sum_deviation = 0.0"),
            ("sum_deviation = 1.5", "sum_deviation = inf"),
        ] {
            let wrong = BASELINE.replace(from, to);
            assert_ne!(wrong, BASELINE);
            assert!(DisclosureTable::read(&[&wrong]).is_err(), "{to}");
        }
    }

    #[test]
    fn what_is_no_percentage_is_refused() {
        let wrong = BASELINE.replace("rest_percent = 10", "rest_percent = 101");
        assert!(DisclosureTable::read(&[&wrong]).is_err());
        assert!(DisclosureTable::read(&[]).is_err());
    }

    #[test]
    fn every_percentage_of_every_grade_is_one() {
        let read = |at: usize, key: &str, percent: u8| {
            let mut tables: toml::Table = BASELINE.parse().unwrap();
            let grade = tables[["grade_2", "grade_3"][at]].as_table_mut().unwrap();
            grade.insert(key.to_owned(), i64::from(percent).into());
            DisclosureTable::read(&[&toml::to_string(&tables).unwrap()])
        };
        for at in [0, 1] {
            for key in ["share_percent", "rest_percent"] {
                assert!(read(at, key, 100).is_ok(), "{key} of grade {}", at + 2);
                assert!(read(at, key, 101).is_err(), "{key} of grade {}", at + 2);
            }
        }
    }

    #[test]
    fn a_domains_budget_is_the_smaller_of_two_in_every_point() {
        let budget = |texts: &[&str]| DisclosureTable::read(texts).unwrap().budget();
        let baseline = budget(&[BASELINE]);
        assert_eq!(baseline.per_day.queries, 500_000);
        assert_eq!(baseline.per_term.cells, 200_000_000);
        let own = BASELINE
            .replace("queries = 500000\n", "queries = 7\n")
            .replace("refusals = 500 ", "refusals = 501 ")
            .replace("cells = 200000000\n", "cells = 8\n")
            .replace("refusals = 20000\n", "refusals = 9\n")
            .replace("perturbed = 5000 ", "perturbed = 6 ");
        let mut wanted = baseline;
        wanted.per_day.queries = 7;
        wanted.per_term.cells = 8;
        wanted.per_term.refusals = 9;
        wanted.per_day.perturbed = 6;
        assert_eq!(budget(&[BASELINE, &own]), wanted);
    }
}
