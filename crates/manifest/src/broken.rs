use std::path::PathBuf;
use terms::Told;

/// What a verification looks at, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The package holds the files of a package and no others.
    Files,
    /// The manifest is signed by the given key.
    Signature,
    /// The files are those the manifest was signed over.
    Digests,
    /// The log's key is the one to be trusted.
    Log,
    /// The log signed the checkpoint.
    Checkpoint,
    /// The witnesses that are asked for cosigned the checkpoint.
    Witnesses,
    /// The log holds the release, and that this manifest was handed over.
    Inclusion,
    /// The log has this very manifest on record.
    Record,
    /// The release on record is the one the manifest tells of.
    Release,
}

impl Check {
    /// All checks, in order.
    pub const ALL: [Self; 9] = [
        Self::Files,
        Self::Signature,
        Self::Digests,
        Self::Log,
        Self::Checkpoint,
        Self::Witnesses,
        Self::Inclusion,
        Self::Record,
        Self::Release,
    ];

    /// What holds once the check passed.
    #[must_use]
    pub const fn told(self) -> Told {
        match self {
            Self::Files => Told::new(
                "The package holds its files and no others.",
                "数据包文件齐全，且没有多余文件。",
            ),
            Self::Signature => Told::new(
                "The manifest is signed by the domain's key.",
                "清单由授权运营域的密钥签名。",
            ),
            Self::Digests => Told::new(
                "Every file is the one that was signed.",
                "每个文件均与签名时一致。",
            ),
            Self::Log => Told::new("The log's key is trusted.", "账本公钥可信。"),
            Self::Checkpoint => Told::new("The log signed its checkpoint.", "账本检查点签名有效。"),
            Self::Witnesses => Told::new(
                "The witnesses that are asked for cosigned it.",
                "所要求的见证方均已联署。",
            ),
            Self::Inclusion => Told::new(
                "The log holds the release and the handing over.",
                "账本中有该次放行与交付的记录。",
            ),
            Self::Record => Told::new(
                "The log has this very manifest on record.",
                "账本所记即为此份清单。",
            ),
            Self::Release => Told::new(
                "The release on record is the one in the manifest.",
                "账本记录与清单所述一致。",
            ),
        }
    }
}

/// Why a package does not hold, or can't be made.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A check failed.
    #[error("{what}")]
    Fails {
        /// Which.
        check: Check,
        /// What it found.
        what: String,
    },
    /// A file of the package can't be read or written.
    #[error("`{}` can't be read or written", file.display())]
    Unreachable {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key is none, or none of the kind that is needed.
    #[error("{what}")]
    Key {
        /// What is wrong with it.
        what: String,
    },
    /// A trust policy can't be used.
    #[error("the trust policy can't be used: {0}")]
    Policy(#[source] witness::Unwitnessed),
}

impl Broken {
    pub(crate) fn fails(check: Check, what: impl Into<String>) -> Self {
        Self::Fails {
            check,
            what: what.into(),
        }
    }

    /// The stable code of the cause.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Fails { check, .. } => match check {
                Check::Files => "manifest.files",
                Check::Signature => "manifest.signature",
                Check::Digests => "manifest.digests",
                Check::Log => "manifest.log",
                Check::Checkpoint => "manifest.checkpoint",
                Check::Witnesses => "manifest.witnesses",
                Check::Inclusion => "manifest.inclusion",
                Check::Record => "manifest.record",
                Check::Release => "manifest.release",
            },
            Self::Unreachable { .. } => "manifest.unreachable",
            Self::Key { .. } => "manifest.key",
            Self::Policy(_) => "manifest.policy",
        }
    }

    /// What a caller hears.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::Fails { check, .. } => match check {
                Check::Files => Told::new(
                    "The package lacks a file or holds one that is none of its own.",
                    "数据包缺少文件或含有多余文件。",
                ),
                Check::Signature => Told::new(
                    "The manifest is not signed by the given key.",
                    "清单不是由所给密钥签名的。",
                ),
                Check::Digests => Told::new(
                    "A file is not the one that was signed.",
                    "有文件与签名时不一致。",
                ),
                Check::Log => Told::new(
                    "The package names a log that is not to be trusted.",
                    "数据包所指账本不可信。",
                ),
                Check::Checkpoint => Told::new(
                    "The log's checkpoint does not verify.",
                    "账本检查点未通过验证。",
                ),
                Check::Witnesses => Told::new(
                    "Too few of the witnesses that are asked for cosigned the log.",
                    "联署的见证方少于所要求的数量。",
                ),
                Check::Inclusion => Told::new(
                    "The log does not hold the release.",
                    "账本中没有该次放行的记录。",
                ),
                Check::Record => Told::new(
                    "The log has another manifest on record than this one.",
                    "账本所记清单与此份不同。",
                ),
                Check::Release => Told::new(
                    "The release on record is another than the manifest tells.",
                    "账本记录与清单所述不一致。",
                ),
            },
            Self::Unreachable { .. } => Told::new(
                "A file can't be read or written; check the folder.",
                "文件无法读写；请检查目录。",
            ),
            Self::Key { .. } => Told::new(
                "The key can't be used; a P-256 or Ed25519 public key in PEM is needed.",
                "密钥不可用；需要 PEM 格式的 P-256 或 Ed25519 公钥。",
            ),
            Self::Policy(_) => Told::new("The trust policy can't be used.", "信任策略不可用。"),
        }
    }
}
