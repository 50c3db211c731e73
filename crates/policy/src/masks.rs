use std::collections::BTreeMap;
use terms::{Grade, Item, Kind, Mask};

/// How items are shown by kind and grade, and the most a mask may reveal.
#[derive(Debug, Clone, Default)]
pub struct MaskTable {
    rows: BTreeMap<(Kind, Grade), (Mask, Mask)>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    mask: Vec<Row>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    kind: Kind,
    grade: Grade,
    mask: Mask,
    most: Mask,
}

/// An item whose own mask reveals more than its kind and grade allow.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "item `{item}`: mask `{mask}` reveals more than `{most}`, the most a {kind} of grade {grade} may"
)]
pub struct TooLoose {
    item: String,
    mask: Mask,
    most: Mask,
    kind: Kind,
    grade: Grade,
}

impl MaskTable {
    /// Reads a table; later rows replace earlier ones of the same kind and grade. From grade 3 up none may
    /// show a value or a part of it. Source: design, "Grades".
    pub(crate) fn read(texts: &[&str]) -> Result<Self, String> {
        let mut table = Self::default();
        for text in texts {
            let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
            for row in file.mask {
                let written = row.most.is_partial() || row.most == Mask::Plain;
                if !within(row.mask, row.most) || (row.grade >= Grade::Three && written) {
                    return Err(format!(
                        "masks: {} of grade {} reveals too much",
                        row.kind, row.grade
                    ));
                }
                table
                    .rows
                    .insert((row.kind, row.grade), (row.mask, row.most));
            }
        }
        Ok(table)
    }

    /// The mask of an item: its own where its kind and grade allow that much, which a later grade or a
    /// tighter table may not; else the table's; and of what the table does not know nothing shows.
    #[must_use]
    pub fn of(&self, item: &Item) -> Mask {
        let (mask, most) = self.row(item);
        item.mask.filter(|own| within(*own, most)).unwrap_or(mask)
    }

    /// What shows of an item that says nothing itself, and the most that may.
    fn row(&self, item: &Item) -> (Mask, Mask) {
        match item.grade {
            Grade::One => (Mask::Plain, Mask::Plain),
            Grade::Two | Grade::Three => {
                let known = self.rows.get(&(item.kind, item.grade)).copied();
                known.unwrap_or((Mask::Suppress, Mask::Suppress))
            }
            Grade::Four => (Mask::Suppress, Mask::Suppress),
        }
    }

    /// Judges an item's own mask against the most its kind and grade may reveal.
    ///
    /// # Errors
    /// [`TooLoose`], naming the item and the cap.
    pub fn judge(&self, item: &Item) -> Result<(), TooLoose> {
        let Some(mask) = item.mask else {
            return Ok(());
        };
        let (_, most) = self.row(item);
        if within(mask, most) {
            return Ok(());
        }
        let (kind, grade) = (item.kind, item.grade);
        Err(TooLoose {
            item: item.name.to_string(),
            mask,
            most,
            kind,
            grade,
        })
    }
}

/// Whether a mask reveals at most what another does. Masks that cannot be compared are not within.
fn within(mask: Mask, most: Mask) -> bool {
    match (mask, most) {
        (_, Mask::Plain) | (Mask::Suppress | Mask::Redact, _) => true,
        (Mask::Token, most) => !matches!(most, Mask::Suppress | Mask::Redact),
        (
            Mask::Partial { head, tail },
            Mask::Partial {
                head: most_head,
                tail: most_tail,
            },
        ) => head <= most_head && tail <= most_tail,
        (Mask::Prefix(length), Mask::Partial { head, .. }) => length <= head,
        (Mask::Prefix(length), Mask::Prefix(most)) => length <= most,
        (Mask::Band(width), Mask::Band(most)) => width >= most,
        (Mask::Year, Mask::Year | Mask::Month) | (Mask::Month, Mask::Month) => true,
        (
            Mask::Plain
            | Mask::Partial { .. }
            | Mask::Prefix(_)
            | Mask::Band(_)
            | Mask::Year
            | Mask::Month,
            _,
        ) => false,
    }
}

#[cfg(test)]
mod tests;
