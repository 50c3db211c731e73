use super::Barred;
use policy::MaskTable;
use std::collections::BTreeMap;
use terms::{Dataset, Grade, Item, ItemName, Kind, Shape};
use vault::{DataFile, Quarantined, Unreceivable};

/// Rows that are looked at for what a column is about; for what stands for a person, all are.
const ROWS_LOOKED_AT: usize = 1_000;

/// What the scan found that the entry does not say: by column, never by value.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Findings {
    /// Values that stand for a person in columns that do not say so.
    pub undeclared: Vec<Undeclared>,
    /// Columns that look more sensitive than they are graded.
    pub graded_low: Vec<GradedLow>,
}

/// Values of one shape in one column.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Undeclared {
    pub column: ItemName,
    pub shape: Shape,
    /// How many, roughly.
    pub values: String,
    /// Whether the column is stored as tokens, so that no value of it is kept.
    pub tokenised: bool,
}

/// A column that looks more sensitive than it is graded.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct GradedLow {
    pub column: ItemName,
    pub looks: Kind,
    pub looks_grade: Grade,
    pub declared: Kind,
    pub declared_grade: Grade,
}

/// What a sample of the file looks like, column by column.
pub(super) fn described(
    dataset: &Dataset,
    file: DataFile<'_>,
    masks: &MaskTable,
) -> Result<Vec<GradedLow>, Unreceivable> {
    let sample = vault::sample_of(file, ROWS_LOOKED_AT, &mut |_| {})?;
    // Columns whose names are none are refused when they come in, by the vault.
    let Ok(looked) = survey::describe(&sample, masks) else {
        return Ok(Vec::new());
    };
    let low = looked.items.iter().filter_map(|seen| {
        let item = dataset.item(&seen.name)?;
        let looks_grade = seen.grade.filter(|grade| *grade > item.grade)?;
        // No guess is of grade 1, so that of the same kind only what is serious is told.
        let is_told = seen.kind != item.kind || looks_grade >= Grade::Three;
        is_told.then_some(())?;
        Some(GradedLow {
            column: item.name.clone(),
            looks: seen.kind,
            looks_grade,
            declared: item.kind,
            declared_grade: item.grade,
        })
    });
    Ok(low.collect())
}

// === impl Findings ===

impl Findings {
    pub(super) fn of(
        dataset: &Dataset,
        quarantined: &Quarantined,
        graded_low: Vec<GradedLow>,
    ) -> Self {
        let undeclared = undeclared(dataset, &quarantined.shapes, quarantined.rows);
        Self {
            undeclared,
            graded_low,
        }
    }

    /// Whether an authority may find it safe. What stands for a person is never accepted in the clear;
    /// the rest with words that go on record, sealed.
    pub(super) fn judge(&self, accepted: bool) -> Result<(), Barred> {
        let in_the_clear =
            |found: &&Undeclared| !found.tokenised && found.shape.grade() >= Grade::Three;
        let told = |found: &Undeclared| {
            format!(
                "`{}`: {}, {}",
                found.column,
                found.shape.word(),
                found.values
            )
        };
        let hard: Vec<String> = self
            .undeclared
            .iter()
            .filter(in_the_clear)
            .map(told)
            .collect();
        if !hard.is_empty() {
            return Err(Barred::Undeclared(hard.join("; ")));
        }
        let low = self.graded_low.iter().map(|low| {
            let GradedLow {
                column,
                looks,
                looks_grade,
                declared,
                declared_grade,
            } = low;
            format!(
                "`{column}`: looks like {looks} of grade {looks_grade}, declared {declared} of grade {declared_grade}"
            )
        });
        let all: Vec<String> = self.undeclared.iter().map(told).chain(low).collect();
        if all.is_empty() || accepted {
            return Ok(());
        }
        Err(Barred::Found(all.join("; ")))
    }
}

fn undeclared(
    dataset: &Dataset,
    shapes: &BTreeMap<(ItemName, Shape), u64>,
    rows: u64,
) -> Vec<Undeclared> {
    let found = shapes.iter().filter_map(|((name, shape), count)| {
        let item = dataset.item(name)?;
        // Among identifiers that are stored as tokens some look like others by chance.
        let told = |item: &Item| !item.is_key() || count.saturating_mul(2) > rows;
        (item.kind != shape.kind() && told(item)).then(|| Undeclared {
            column: name.clone(),
            shape: *shape,
            values: bucket(*count).to_owned(),
            tokenised: item.is_key(),
        })
    });
    found.collect()
}

/// How many, roughly: what a count of few would say of somebody.
pub(super) const fn bucket(count: u64) -> &'static str {
    match count {
        0 => "none",
        1..=9 => "1 to 9",
        10..=99 => "10 to 99",
        100..=999 => "100 to 999",
        1_000..=9_999 => "1,000 to 9,999",
        _ => "10,000 or more",
    }
}
