use crate::Unreceivable;
use std::path::Path;

/// A data file and what is in it.
#[derive(Debug, Clone, Copy)]
pub struct DataFile<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// In which format.
    pub format: Format,
}

/// What a data file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma, header, UTF-8.
    Csv,
    /// Parquet.
    Parquet,
}

// === impl DataFile ===

impl<'a> DataFile<'a> {
    /// A file whose name says its format.
    ///
    /// # Errors
    /// [`Unreceivable::Missing`], [`Unreceivable::UnknownFormat`].
    pub fn named(path: &'a Path) -> Result<Self, Unreceivable> {
        if !path.is_file() {
            return Err(Unreceivable::Missing {
                path: path.to_owned(),
            });
        }
        let format = Format::named(path).ok_or_else(|| Unreceivable::UnknownFormat {
            path: path.to_owned(),
        })?;
        Ok(Self { path, format })
    }
}

// === impl Format ===

impl Format {
    /// The format that a file's name says.
    #[must_use]
    pub fn named(path: &Path) -> Option<Self> {
        let ending = path
            .extension()
            .map(|text| text.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("csv") => Some(Self::Csv),
            Some("parquet") => Some(Self::Parquet),
            _ => None,
        }
    }
}
