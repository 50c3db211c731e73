use std::path::PathBuf;
use terms::Told;

/// Why there is no cosignature, or none that counts.
#[derive(Debug, thiserror::Error)]
pub enum Unwitnessed {
    /// A key, request, note or policy is not in its form.
    #[error("{what}")]
    Malformed {
        /// What is wrong.
        what: String,
    },
    /// A line of a trust policy says something that is not allowed.
    #[error("line {line} of the policy: {what}")]
    Policy {
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A file can't be read or written.
    #[error("`{}` can't be read or written", file.display())]
    Unreachable {
        /// Which.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A witness's own record contradicts itself.
    #[error("`{}` is damaged: {what}; put back the newest copy", file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// Another process has the witness's folder.
    #[error("`{}` is in use by another process; stop that one first", folder.display())]
    InUse {
        /// Which.
        folder: PathBuf,
    },
    /// The witness did not cosign, and says why.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A witness can't be asked, or its answer can't be used.
    #[error("witness `{witness}`: {what}")]
    Away {
        /// Which.
        witness: String,
        /// What went wrong.
        what: String,
    },
    /// A witness holds a checkpoint that our key signed and our log does not continue.
    #[error(
        "the log was rolled back or forked: it stands at {ours} entries, and witness `{witness}` holds our signature over {theirs}"
    )]
    RolledBack {
        /// Who holds it.
        witness: String,
        /// Entries the log has.
        ours: u64,
        /// Entries that were signed.
        theirs: u64,
    },
    /// Too few of the trusted witnesses cosigned.
    #[error("the policy's quorum is not reached: cosigned by {}", told_names(by))]
    NoQuorum {
        /// Who did.
        by: Vec<String>,
    },
    /// What the ledger says against it.
    #[error(transparent)]
    Ledger(#[from] ledger::Breach),
}

/// Why a witness does not cosign. Source: C2SP tlog-witness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request is not in its form, or its old size is past the checkpoint's.
    #[error("the request is malformed: {0}")]
    Malformed(String),
    /// The log is none that this witness watches.
    #[error("the log `{0}` is not watched here")]
    UnknownLog(String),
    /// The checkpoint has no valid signature by the log's key.
    #[error("the log's key did not sign the checkpoint")]
    Unsigned,
    /// The request starts from another size than the last one cosigned.
    #[error("the last size cosigned is {size}")]
    OtherSize {
        /// That size.
        size: u64,
    },
    /// Same size, other root: two histories under one signature.
    #[error("a checkpoint of size {size} with another root was cosigned before")]
    Forked {
        /// That size.
        size: u64,
    },
    /// The proof does not show that the checkpoint continues the last one.
    #[error("the checkpoint does not continue the one of size {size}")]
    Inconsistent {
        /// The last size cosigned.
        size: u64,
    },
    /// The witness can't make its record durable.
    #[error("the witness could not keep its record")]
    NotKept,
}

fn told_names(by: &[String]) -> String {
    if by.is_empty() {
        "nobody".to_owned()
    } else {
        by.join(", ")
    }
}

pub(crate) fn malformed(what: impl Into<String>) -> Unwitnessed {
    Unwitnessed::Malformed { what: what.into() }
}

// === impl Refusal ===

impl Refusal {
    /// The HTTP status it is told with.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unsigned => 403,
            Self::UnknownLog(_) => 404,
            Self::OtherSize { .. } | Self::Forked { .. } => 409,
            Self::Inconsistent { .. } => 422,
            Self::NotKept => 500,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "witness.malformed",
            Self::Unsigned => "witness.unsigned",
            Self::UnknownLog(_) => "witness.unknown-log",
            Self::OtherSize { .. } => "witness.other-size",
            Self::Forked { .. } => "witness.forked",
            Self::Inconsistent { .. } => "witness.inconsistent",
            Self::NotKept => "witness.not-kept",
        }
    }
}

// === impl Unwitnessed ===

impl Unwitnessed {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "witness.malformed",
            Self::Policy { .. } => "witness.policy",
            Self::Unreachable { .. } => "witness.unreachable",
            Self::Damaged { .. } => "witness.damaged",
            Self::InUse { .. } => "witness.in-use",
            Self::Refused(refusal) => refusal.code(),
            Self::Away { .. } => "witness.away",
            Self::RolledBack { .. } => "witness.rolled-back",
            Self::NoQuorum { .. } => "witness.no-quorum",
            Self::Ledger(breach) => breach.code(),
        }
    }

    /// What a caller hears.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::Malformed { .. } => Told::new(
                "A key, request or checkpoint is not in its form.",
                "密钥、请求或检查点格式不符。",
            ),
            Self::Policy { .. } => Told::new("The trust policy can't be used.", "信任策略不可用。"),
            Self::Unreachable { .. } => Told::new(
                "A file can't be read or written; check the folder.",
                "文件无法读写；请检查目录。",
            ),
            Self::Damaged { .. } => Told::new(
                "The witness's record contradicts itself.",
                "见证方的记录自相矛盾。",
            ),
            Self::InUse { .. } => Told::new(
                "The folder is in use by another process.",
                "目录正被另一进程使用。",
            ),
            Self::Refused(_) => Told::new("The witness did not cosign.", "见证方未予联署。"),
            Self::Away { .. } => Told::new("The witness can't be asked.", "无法联系见证方。"),
            Self::RolledBack { .. } => Told::new(
                "The log was rolled back or forked: a witness holds our signature over more.",
                "账本被回滚或分叉：见证方持有我方对更多条目的签名。",
            ),
            Self::NoQuorum { .. } => Told::new(
                "Too few witnesses cosigned the log; ask again later.",
                "联署的见证方数量不足；请稍后再试。",
            ),
            Self::Ledger(_) => Told::new("The ledger can't be used.", "账本不可用。"),
        }
    }
}
