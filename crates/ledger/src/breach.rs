use std::path::PathBuf;
use terms::Told;

/// Why the log is not to be trusted, or can't be written. The answer to most is: stop.
///
/// Source: style, "Errors": a breach stops the ledger; nothing is repaired in place.
#[derive(Debug, thiserror::Error)]
pub enum Breach {
    /// There is a ledger where a new one was to be made.
    #[error("`{}` exists already: choose an empty directory", file.display())]
    Exists {
        /// What stands there.
        file: PathBuf,
    },
    /// A file of the ledger can't be read or written.
    #[error("`{}` can't be read or written: check that it exists, its owner and the disk", file.display())]
    Unreachable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database engine failed on the file.
    #[error("`{}` can't be used as a ledger: put back the newest backup, then `bonded ledger verify`", file.display())]
    Database {
        /// Which file.
        file: PathBuf,
        /// What the engine said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk has no room. Nothing of what was refused was written; it goes on once there is room.
    #[error("`{}` can't grow: make room on its disk; recording goes on by itself then", file.display())]
    Full {
        /// Which file or database.
        file: PathBuf,
        /// What the engine said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database server does not answer. What waited may or may not be on record.
    #[error("`{}` does not answer: see that the server runs and can be reached", file.display())]
    Severed {
        /// Which database.
        file: PathBuf,
        /// What the connection said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another gateway writes this log now.
    #[error("`{}` is written by another gateway: stop that one first", file.display())]
    Held {
        /// Which database.
        file: PathBuf,
    },
    /// Another gateway took the log over, so this one writes no more.
    #[error("`{}` was taken over by another gateway: restart this one once that has stopped", file.display())]
    Deposed {
        /// Which database.
        file: PathBuf,
    },
    /// The database is not set up so that what it acknowledges lasts, or stays private.
    #[error("`{}` can't hold a ledger: {what}", file.display())]
    Unfit {
        /// Which database.
        file: PathBuf,
        /// What is to be set otherwise.
        what: String,
    },
    /// The contents contradict themselves or the signature over them.
    #[error("`{}` is damaged: {what}; keep a copy, put back the newest backup, then `bonded ledger verify`", file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// The database is older than the anchor beside it, or another history.
    #[error("`{}` was rolled back: {what}; put back a backup that reaches the anchor", file.display())]
    RolledBack {
        /// Which file.
        file: PathBuf,
        /// What the two say.
        what: String,
    },
    /// A key file does not hold the key it should.
    #[error("`{}` holds no usable key: put the key file of this domain back", file.display())]
    Key {
        /// Which file.
        file: PathBuf,
    },
    /// A receipt, proof, note or verifier key is malformed or does not verify.
    #[error("{what}")]
    Unproved {
        /// What does not hold.
        what: String,
    },
    /// An entry is longer than the log format allows, 65535 bytes.
    #[error("an entry of {bytes} bytes exceeds the log's 65535: split what it describes")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// The log has no entry of this index.
    #[error("the ledger has no entry {index}")]
    Absent {
        /// Which index.
        index: u64,
    },
    /// Too many entries wait to be written.
    #[error("{waiting} entries wait to be written: try again in a moment")]
    Busy {
        /// How many wait.
        waiting: usize,
    },
    /// The sequencer stopped after a commit failed; what was waiting is not recorded.
    #[error("the ledger stopped after a failed write: {why}; restart once the cause is gone")]
    Stopped {
        /// The failure that stopped it, as the log tells it.
        why: String,
    },
}

impl Breach {
    /// The stable code of the cause, for machines and records.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "ledger.exists",
            Self::Unreachable { .. } => "ledger.unreachable",
            Self::Database { .. } => "ledger.database",
            Self::Damaged { .. } => "ledger.damaged",
            Self::RolledBack { .. } => "ledger.rolled-back",
            Self::Key { .. } => "ledger.key",
            Self::Unproved { .. } => "ledger.unproved",
            Self::TooLong { .. } => "ledger.too-long",
            Self::Absent { .. } => "ledger.absent",
            Self::Full { .. } => "ledger.full",
            Self::Severed { .. } => "ledger.severed",
            Self::Held { .. } => "ledger.held",
            Self::Deposed { .. } => "ledger.deposed",
            Self::Unfit { .. } => "ledger.unfit",
            Self::Busy { .. } => "ledger.busy",
            Self::Stopped { .. } => "ledger.stopped",
        }
    }

    /// What a caller hears.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::Busy { .. } => Told::new(
                "The ledger is busy, so nothing was run; try again in a moment.",
                "账本繁忙，操作未执行；请稍后重试。",
            ),
            Self::Full { .. } => Told::new(
                "The ledger's disk is full, so nothing was run; the domain's administrator has to make room, then try again.",
                "账本所在磁盘已满，操作未执行；请联系域管理员腾出空间后重试。",
            ),
            Self::Severed { .. } | Self::Held { .. } | Self::Deposed { .. } => Told::new(
                "The ledger can't be reached from this gateway, so nothing was run; try again in a moment.",
                "本网关暂时无法访问账本，操作未执行；请稍后重试。",
            ),
            Self::Absent { .. } => {
                Told::new("The ledger has no such entry.", "账本中没有这条记录。")
            }
            Self::TooLong { .. } => Told::new(
                "The request is too long to be recorded, so it was not run; shorten it.",
                "请求过长，无法入账，操作未执行；请缩短后重试。",
            ),
            Self::Unproved { .. } => Told::new("The proof does not verify.", "证明未通过验证。"),
            Self::Exists { .. }
            | Self::Unreachable { .. }
            | Self::Database { .. }
            | Self::Damaged { .. }
            | Self::RolledBack { .. }
            | Self::Key { .. }
            | Self::Unfit { .. }
            | Self::Stopped { .. } => Told::new(
                "The ledger can't record, so nothing is run; the domain's administrator has to act.",
                "账本无法记录，操作一律不执行；请联系域管理员处理。",
            ),
        }
    }

    /// Whether the log may go on by itself once the cause is gone.
    pub(crate) const fn is_passing(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Severed { .. })
    }

    /// The same once more, for the next of those who waited for one commit.
    pub(crate) fn again(&self) -> Self {
        if let Self::Full { file, source } = self {
            let (file, source) = (file.clone(), source.to_string().into());
            return Self::Full { file, source };
        }
        if let Self::Severed { file, source } = self {
            let (file, source) = (file.clone(), source.to_string().into());
            return Self::Severed { file, source };
        }
        if let Self::Deposed { file } = self {
            return Self::Deposed { file: file.clone() };
        }
        Self::Stopped {
            why: self.in_full(),
        }
    }

    /// This and its cause, for a log line.
    pub(crate) fn in_full(&self) -> String {
        std::error::Error::source(self)
            .map_or_else(|| self.to_string(), |source| format!("{self}: {source}"))
    }
}
