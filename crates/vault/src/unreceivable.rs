use crate::{Large, Unkept};
use std::path::PathBuf;
use terms::{DatasetName, Grade, ItemName, Told};

/// Why data could not come in. Names file, place and column, never a value.
#[derive(Debug, thiserror::Error)]
pub enum Unreceivable {
    /// There is no such file.
    #[error("data file `{path}` does not exist")]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// Reading failed.
    #[error("data file `{path}` could not be read")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Neither CSV nor Parquet by its name.
    #[error("data file `{path}` is neither `.csv` nor `.parquet`")]
    UnknownFormat {
        /// Which.
        path: PathBuf,
    },
    /// The file is not Parquet inside, or broken.
    #[error("data file `{path}` is not readable as Parquet")]
    NotParquet {
        /// Which.
        path: PathBuf,
        /// What the reader says.
        source: parquet::errors::ParquetError,
    },
    /// A batch of the Parquet file is broken.
    #[error("data file `{path}` breaks off or is damaged after row {row}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// The last good row, counted from 1.
        row: u64,
        /// What the reader says.
        source: arrow::error::ArrowError,
    },
    /// A part of the Parquet file would take more memory than data that comes in may.
    #[error("`{path}`, column `{column}`, row group {group}: {large}")]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// In which column; `*` where it is all of them.
        column: String,
        /// In which row group, from 0.
        group: u64,
        /// What, and what to do.
        large: Large,
    },
    /// The pages of a column are not what they say, or written in a way that is not read.
    #[error("`{path}`, column `{column}`, row group {group}: {why}")]
    PageUnread {
        /// Which file.
        path: PathBuf,
        /// Which column.
        column: String,
        /// In which row group, from 0.
        group: u64,
        /// Why.
        why: &'static str,
    },
    /// An empty CSV file.
    #[error("data file `{path}` has no header line")]
    NoHeader {
        /// Which.
        path: PathBuf,
    },
    /// Catalogue items that no column has.
    #[error("data file `{path}` lacks the columns {names} that the catalogue entry lists")]
    ItemsMissing {
        /// Which file.
        path: PathBuf,
        /// Their names, in `backticks`, comma-separated.
        names: String,
    },
    /// Columns that are no item.
    #[error(
        "data file `{path}` has the columns {names} that the catalogue entry does not list; \
         catalogue them with a grade or take them out"
    )]
    ColumnsUnknown {
        /// Which file.
        path: PathBuf,
        /// Their names, in `backticks`, comma-separated.
        names: String,
    },
    /// Two columns of one name.
    #[error("data file `{path}` has two columns `{column}`")]
    ColumnTwice {
        /// Which file.
        path: PathBuf,
        /// The name.
        column: String,
    },
    /// A CSV row with too few or too many fields.
    #[error("`{path}` line {line}: {found} fields where the header has {expected}")]
    BrokenRow {
        /// Which file.
        path: PathBuf,
        /// Where the row begins, counted from 1 with the header.
        line: u64,
        /// Fields in the header.
        expected: u64,
        /// Fields in the row.
        found: u64,
    },
    /// A quote that is never closed, or stands inside an unquoted field.
    #[error("`{path}` line {line}: a quote is not closed")]
    OpenQuote {
        /// Which file.
        path: PathBuf,
        /// Where the row begins.
        line: u64,
    },
    /// A value that is not what its item's kind says.
    #[error("`{path}` {place}, column `{column}`: expected {expected}")]
    Misfit {
        /// Which file.
        path: PathBuf,
        /// Where.
        place: Place,
        /// In which column.
        column: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// A unique item has a value twice.
    #[error(
        "`{path}` {place}, column `{column}`: the value occurred before, yet the item is unique"
    )]
    Duplicate {
        /// Which file.
        path: PathBuf,
        /// The second occurrence.
        place: Place,
        /// In which column.
        column: String,
    },
    /// A column of a type that no statement can use.
    #[error(
        "`{path}`, column `{item}`: values of type {found} may be stored at grade 4 only, \
         the item has grade {grade}"
    )]
    NotPlain {
        /// Which file.
        path: PathBuf,
        /// Which item.
        item: ItemName,
        /// Its grade.
        grade: Grade,
        /// The stored type.
        found: String,
    },
    /// An item is declared to be derived in a way it cannot be.
    #[error("data file `{path}` cannot be completed")]
    Underivable {
        /// For which file.
        path: PathBuf,
        /// Which item, why, and what to do.
        source: terms::Underivable,
    },
    /// What an item is derived of is no number in the data.
    #[error(
        "`{path}`, column `{part}`: item `{item}` is derived of it, and its values are {found}; \
         bring numbers, or derive the item of others"
    )]
    PartNoNumber {
        /// Which file.
        path: PathBuf,
        /// The derived item.
        item: ItemName,
        /// What it is derived of.
        part: ItemName,
        /// What it is.
        found: String,
    },
    /// A column of identifiers is of a type that no identifier has.
    #[error("`{path}`, column `{item}`: identifiers are text or whole numbers; bring them as such")]
    NoIdentifier {
        /// Which file.
        path: PathBuf,
        /// Which item.
        item: ItemName,
    },
    /// The snapshot is there already: one number, one state.
    #[error("snapshot {number} of `{dataset}` exists already")]
    SnapshotExists {
        /// Of which dataset.
        dataset: DatasetName,
        /// Which.
        number: u32,
    },
    /// The store could not write.
    #[error("the store could not write `{path}`")]
    Unwritable {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The store could not encode.
    #[error("the store could not encode `{path}`")]
    Unencodable {
        /// Where.
        path: PathBuf,
        /// Why.
        source: parquet::errors::ParquetError,
    },
    /// No key for the snapshot.
    #[error("the key of the snapshot could not be made")]
    Unkept(#[from] Unkept),
}

/// Where in a data file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line of text, counted from 1 with the header.
    Line(u64),
    /// A row of a table, counted from 1.
    Row(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

// === impl Unreceivable ===

impl Unreceivable {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "vault.data-missing",
            Self::Unreadable { .. } => "vault.data-unreadable",
            Self::UnknownFormat { .. } => "vault.data-format",
            Self::NotParquet { .. } => "vault.not-parquet",
            Self::Damaged { .. } => "vault.data-damaged",
            Self::TooLarge { .. } => "vault.too-large",
            Self::PageUnread { .. } => "vault.page-unread",
            Self::NoHeader { .. } => "vault.no-header",
            Self::ItemsMissing { .. } => "vault.items-missing",
            Self::ColumnsUnknown { .. } => "vault.columns-unknown",
            Self::ColumnTwice { .. } => "vault.column-twice",
            Self::BrokenRow { .. } => "vault.broken-row",
            Self::OpenQuote { .. } => "vault.open-quote",
            Self::Misfit { .. } => "vault.value-misfit",
            Self::Duplicate { .. } => "vault.duplicate",
            Self::NotPlain { .. } => "vault.not-plain",
            Self::Underivable { .. } => "vault.underivable",
            Self::PartNoNumber { .. } => "vault.part-no-number",
            Self::NoIdentifier { .. } => "vault.no-identifier",
            Self::SnapshotExists { .. } => "vault.snapshot-exists",
            Self::Unwritable { .. } => "vault.unwritable",
            Self::Unencodable { .. } => "vault.unencodable",
            Self::Unkept(cause) => cause.code(),
        }
    }

    /// What the caller hears. Whoever brings data also sees the log line with file and place.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::Missing { .. } | Self::Unreadable { .. } => Told::new(
                "The data file is missing or cannot be read.",
                "数据文件不存在或无法读取。",
            ),
            Self::UnknownFormat { .. }
            | Self::NotParquet { .. }
            | Self::Damaged { .. }
            | Self::PageUnread { .. } => Told::new(
                "The data file is not a whole CSV or Parquet file.",
                "数据文件不是完整的 CSV 或 Parquet 文件。",
            ),
            Self::TooLarge { .. } => Told::new(
                "A value, page or row group of the data is too large; cut it, or write the file in smaller parts.",
                "数据中有过大的值、页或行组，请截短或以更小的分块写出文件。",
            ),
            Self::NoHeader { .. }
            | Self::ItemsMissing { .. }
            | Self::ColumnsUnknown { .. }
            | Self::ColumnTwice { .. } => Told::new(
                "The columns of the data are not the items of the catalogue entry.",
                "数据的列与目录数据项不一致。",
            ),
            Self::BrokenRow { .. } | Self::OpenQuote { .. } | Self::Misfit { .. } => Told::new(
                "A row of the data is broken; nothing was loaded.",
                "数据中有一行格式错误，未导入任何数据。",
            ),
            Self::Duplicate { .. } => Told::new(
                "An item declared unique has a value twice; nothing was loaded.",
                "声明唯一的数据项存在重复值，未导入任何数据。",
            ),
            Self::NotPlain { .. } => Told::new(
                "A column has a nested or binary type, which only grade 4 may have.",
                "嵌套或二进制类型的列只允许四级数据项。",
            ),
            Self::Underivable { .. } | Self::PartNoNumber { .. } => Told::new(
                "An item cannot be derived of the others as the catalogue declares it.",
                "目录中声明的派生数据项无法由其他数据项计算得出。",
            ),
            Self::NoIdentifier { .. } => Told::new(
                "A column of identifiers is neither text nor whole numbers.",
                "标识列既非文本也非整数。",
            ),
            Self::SnapshotExists { .. } => Told::new(
                "This state of the dataset is loaded already.",
                "该数据集版本已导入。",
            ),
            Self::Unwritable { .. } | Self::Unencodable { .. } => {
                Told::new("The store could not write.", "存储写入失败。")
            }
            Self::Unkept(cause) => cause.told(),
        }
    }
}
