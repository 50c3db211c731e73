//! The demo's seed directory: made-up people in real districts, the same for the same scale.
//!
//! The main table is the guide's example, 公积金个人信息表, with its nine items and their grades.
//! Source: CG-C.
//!
//! Never: holds a real person; whatever looks like one came out of a generator.

mod districts; // the open tables
mod draw; // a seeded generator
mod names; // surnames, given names, phones
mod people; // the two tables about people
mod resident; // identity numbers with their check digits
mod seed_files; // who is who, what is graded how, what is granted

use chrono::NaiveDate;
use std::path::{Path, PathBuf};

/// How much to make, and around which day licences and agreements run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// People in the main table; from 1,000 up, exactly one district is too small to show.
    pub rows: u64,
    /// The day the demo is given.
    pub today: NaiveDate,
}

/// Why the seed directory could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwritten {
    /// The file system refused.
    #[error("`{path}` could not be written")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A table could not be encoded.
    #[error("`{path}` could not be encoded")]
    Table {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// More people than identity numbers.
    #[error("{rows} rows asked for, at most {rows_max} can be made")]
    TooMany {
        /// Asked for.
        rows: u64,
        /// Possible.
        rows_max: u64,
    },
}

/// Writes a complete seed directory for `init --from`.
///
/// Shape: `domain.toml`, `people.toml`, `operators.toml`, `licences.toml`, `scenarios.toml`,
/// `datasets/*.toml` and `data/*.parquet`; `progress` hears how many people are written.
///
/// # Errors
/// [`Unwritten`].
pub(crate) fn write_seed(
    dir: &Path,
    scale: &Scale,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Unwritten> {
    let data = dir.join("data");
    for folder in [&data, &dir.join("datasets")] {
        std::fs::create_dir_all(folder).map_err(|source| Unwritten::File {
            path: folder.clone(),
            source,
        })?;
    }
    seed_files::write(dir, scale.today)?;
    districts::write(&data)?;
    people::write(&data, scale.rows, progress)
}

#[cfg(test)]
mod tests;
