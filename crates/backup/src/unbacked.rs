use std::path::PathBuf;
use terms::{Digest, Told};

/// Why a backup could not be made, verified or put back.
#[derive(Debug, thiserror::Error)]
pub enum Unbacked {
    /// A file of the domain, or of a shelf in a folder, could not be read or written.
    #[error("`{}` could not be read or written", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A link, or what is neither a plain file nor a folder: it is not followed, and nothing waits for it.
    #[error("`{}` is a link, or no plain file or folder, and is not followed: remove it", path.display())]
    NotPlain {
        /// Which.
        path: PathBuf,
    },
    /// The store did not do what was asked.
    #[error("the store failed on `{name}`")]
    Store {
        /// On which object.
        name: String,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The shelf's address is none that is known, or not one to be trusted.
    #[error("`{address}` is no place for backups: {what}")]
    NoShelf {
        /// As it was given.
        address: String,
        /// What is wrong.
        what: String,
    },
    /// There is no such backup on the shelf.
    #[error("there is no backup {0}")]
    Absent(u64),
    /// There is none at all.
    #[error("there is no backup on the shelf")]
    Empty,
    /// The shelf is another domain's.
    #[error("the shelf holds backups of `{there}`, not of `{here}`: give each domain its own")]
    Foreign {
        /// Whose backups are there.
        there: String,
        /// Whose was to be put there.
        here: String,
    },
    /// The shelf holds a backup of another history of this log: what came after was given up for ours.
    #[error(
        "the shelf holds backup {0} of this log as it went on before it was put back, or as it goes on \
         elsewhere: choose a new place"
    )]
    OtherHistory(u64),
    /// A list is longer than any that is written.
    #[error("the list `{name}` is longer than {bytes_max} bytes")]
    TooLong {
        /// Which.
        name: String,
        /// How long it may be.
        bytes_max: u64,
    },
    /// A list is not what was written, or does not open under the domain's key.
    #[error("the list `{0}` is not what was written, or of another domain's key")]
    ListBroken(String),
    /// An object is missing from the shelf.
    #[error("object {0} is missing: the next backup writes it again where the domain still has it")]
    Missing(Digest),
    /// An object's bytes are not those of its name.
    #[error(
        "object {0} is not what was written: remove it from the place, and the next backup writes it again \
         where the domain still has it"
    )]
    Changed(Digest),
    /// A stored file of the domain is not the one on record, so it is not backed up as such.
    #[error("`{path}` is not the file on record")]
    NotOnRecord {
        /// Which.
        path: String,
    },
    /// What was put back is not what the list says.
    #[error("`{path}` was put back and is not what the list says")]
    NotAsListed {
        /// Which.
        path: String,
    },
    /// A path that would leave the folder.
    #[error("`{0}` is no path within a domain")]
    Path(String),
    /// The log.
    #[error(transparent)]
    Ledger(#[from] ledger::Breach),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] vault::Unkept),
}

impl Unbacked {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "backup.file",
            Self::NotPlain { .. } => "backup.not-plain",
            Self::Store { .. } => "backup.store",
            Self::NoShelf { .. } => "backup.no-place",
            Self::Absent(_) => "backup.absent",
            Self::Empty => "backup.empty",
            Self::Foreign { .. } => "backup.foreign",
            Self::OtherHistory(_) => "backup.other-history",
            Self::TooLong { .. } => "backup.too-long",
            Self::ListBroken(_) => "backup.list-broken",
            Self::Missing(_) => "backup.missing",
            Self::Changed(_) => "backup.changed",
            Self::NotOnRecord { .. } => "backup.not-on-record",
            Self::NotAsListed { .. } => "backup.not-as-listed",
            Self::Path(_) => "backup.path",
            Self::Ledger(breach) => breach.code(),
            Self::Keys(unkept) => unkept.code(),
        }
    }

    /// What the caller hears.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::NoShelf { .. } => Told::new(
                "No place for backups is set: [backup] to in bonded.toml.",
                "未配置备份位置：bonded.toml 中的 [backup] to。",
            ),
            Self::Foreign { .. } => Told::new(
                "The place holds backups of another domain.",
                "该位置存有其他授权运营域的备份。",
            ),
            Self::OtherHistory(_) => Told::new(
                "The place holds backups of another history of this log; choose a new place.",
                "该位置存有本账本另一历史的备份，请另选新位置。",
            ),
            Self::NotPlain { .. } => Told::new(
                "A link, or no plain file, is where a file should be, so no backup was made.",
                "文件位置上是链接或非普通文件，未做备份。",
            ),
            Self::NotOnRecord { .. } => Told::new(
                "A stored file is not the one on record, so no backup was made.",
                "存储文件与账本记录不符，未做备份。",
            ),
            Self::File { .. }
            | Self::Store { .. }
            | Self::Absent(_)
            | Self::Empty
            | Self::TooLong { .. }
            | Self::ListBroken(_)
            | Self::Missing(_)
            | Self::Changed(_)
            | Self::NotAsListed { .. }
            | Self::Path(_)
            | Self::Ledger(_)
            | Self::Keys(_) => Told::new(
                "The backup failed; none was made.",
                "备份失败，未生成备份。",
            ),
        }
    }
}
