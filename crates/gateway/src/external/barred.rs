use crate::{Kind, Refused, Unadministered};
use terms::{ItemName, Told};
use vault::{Arrived, Overfull, Unreceivable};

/// Why data from outside does not come in, or an authority may not let it in. Never a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Barred {
    /// Who asks may not, or asks for nothing there is.
    #[error("{}: {}", .0.code, .0.told_en)]
    Refused(Refused),
    /// The step is not taken.
    #[error(transparent)]
    Step(#[from] Unadministered),
    /// More than may come at once.
    #[error("the upload is too large")]
    TooLarge {
        /// How many bytes may come.
        bytes_max: u64,
    },
    /// It took too long to come.
    #[error("the upload took too long")]
    TooSlow,
    /// Another upload is under way.
    #[error("another upload is under way")]
    Busy,
    /// What came is no upload.
    #[error("no upload: {0}")]
    Garbled(&'static str),
    /// The file is not what the entry says.
    #[error("{code}: {what}")]
    Data {
        /// The vault's code.
        code: &'static str,
        /// By line and column.
        what: String,
    },
    /// A list of too few.
    #[error("item `{item}` has fewer than {k} distinct identifiers")]
    TooFew {
        /// Which column.
        item: ItemName,
        /// How many it needs.
        k: u32,
    },
    /// A list too near to another of the operator's.
    #[error("item `{item}` differs from other lists by fewer than {k}")]
    NearList {
        /// Which column.
        item: ItemName,
        /// By how many it may differ at least.
        k: u32,
    },
    /// The protected data knows too few of a list, or of what it has more or less than another.
    #[error("item `{item}` is padded")]
    Padded {
        /// Which column.
        item: ItemName,
        /// How many it needs.
        k: u32,
    },
    /// Values that stand for a person, in columns that do not say so.
    #[error("undeclared identifiers: {0}")]
    Undeclared(String),
    /// What an authority has to accept in words.
    #[error("findings: {0}")]
    Found(String),
    /// Something of ours failed.
    #[error("the gate's files cannot be used: {0}")]
    Unkept(String),
    /// It broke off.
    #[error("it broke off; look at the log for whether it stands")]
    Broken,
}

// === impl Barred ===

impl Barred {
    /// What is wrong with the file, told by the name it has at its sender.
    pub(crate) fn data(why: &Unreceivable, (arrived, file): (&Arrived, &str)) -> Self {
        use std::error::Error as _;
        if let Unreceivable::Unkept(_)
        | Unreceivable::Unwritable { .. }
        | Unreceivable::Unencodable { .. }
        | Unreceivable::SnapshotExists { .. } = why
        {
            let cause = why.source().map(ToString::to_string).unwrap_or_default();
            return Self::Unkept(format!("{}: {why}: {cause}", why.code()));
        }
        Self::Data {
            code: why.code(),
            what: arrived.told(&why.to_string(), file),
        }
    }
}

impl From<Refused> for Barred {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Overfull> for Barred {
    fn from(why: Overfull) -> Self {
        match why {
            Overfull::TooMany { bytes_max } => Self::TooLarge { bytes_max },
            Overfull::NoMemory(_) => Self::Unkept(why.to_string()),
        }
    }
}

impl Barred {
    /// What the caller hears; a step that the register or policy refuses is told by them.
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    pub(crate) fn told(&self) -> Result<Refused, &Unadministered> {
        let refused = |code: &str, (en, zh): (&'static str, &'static str), kind| {
            Refused::new(code, Told::new(en, zh), kind)
        };
        let of = |item: &ItemName, k: u32| {
            (
                format!("Item: {item}, k = {k}. [AO-16(3)]"),
                format!("数据项：{item}，k = {k}。〔AO-16(3)〕"),
            )
        };
        Ok(match self {
            Self::Refused(refused) => refused.clone(),
            Self::Step(why) => return Err(why),
            Self::TooLarge { bytes_max } => refused(
                "external.too-large",
                ("the file is larger than this domain takes.", "文件超过本域允许的大小。"),
                Kind::Exhausted,
            )
            .with(
                &format!("`external_bytes_max` is {bytes_max}."),
                &format!("上限为 {bytes_max} 字节。"),
            ),
            Self::TooSlow => refused(
                "external.too-slow",
                ("the upload took too long; begin again.", "上传超时，请重新开始。"),
                Kind::Exhausted,
            ),
            Self::Busy => refused(
                "external.busy",
                ("another upload is under way; try again later.", "另一上传正在进行，请稍后再试。"),
                Kind::Unavailable,
            ),
            Self::Garbled(what) => refused(
                "management.unreadable",
                ("the call cannot be read.", "无法读取该请求。"),
                Kind::Invalid,
            )
            .with(what, what),
            Self::Data { code, what } => refused(
                code,
                ("the file is not what its entry says:", "文件与目录不符："),
                Kind::Unlawful,
            )
            .with(what, what),
            Self::TooFew { item, k } => {
                let (en, zh) = of(item, *k);
                let told = (
                    "a list has at least as many distinct identifiers as the scenario's k.",
                    "名单中不同标识的数量不得少于该场景的 k。",
                );
                refused("external.too-few", told, Kind::Unlawful).with(&en, &zh)
            }
            Self::NearList { item, k } => {
                let (en, zh) = of(item, *k);
                let told = (
                    "the list has fewer than k identifiers more or less than lists you brought before; bring the same list, or one that differs by k on each side.",
                    "与贵单位此前提交的名单相比，增加或减少的标识少于 k 个；请提交相同名单，或增减均不少于 k 个。",
                );
                refused("external.near-list", told, Kind::Unlawful).with(&en, &zh)
            }
            Self::Padded { item, k } => {
                let (en, zh) = of(item, *k);
                let told = (
                    "fewer than k of the list, or of what it has more or less than another list of this operator, are known to the protected data; refuse it, and do not say why outside.",
                    "名单（或其相对该单位其他名单的增减部分）中为受保护数据所知者不足 k 人；请不予批准，且不得对外说明该原因。",
                );
                refused("external.padded", told, Kind::Unlawful).with(&en, &zh)
            }
            Self::Undeclared(columns) => refused(
                "external.undeclared",
                (
                    "columns hold identity numbers or bank cards that the entry does not declare; refuse it, the operator declares or removes them.",
                    "列中含有目录未声明的身份证号或银行卡号；请不予批准，由运营单位声明或删除。",
                ),
                Kind::Unlawful,
            )
            .with(columns, columns),
            Self::Found(columns) => refused(
                "external.found",
                (
                    "the scan found what the entry does not say; read the report, then refuse it, or accept it with a reason.",
                    "扫描发现与目录不符之处；请阅读报告后不予批准，或说明理由予以接受。",
                ),
                Kind::Unlawful,
            )
            .with(columns, columns),
            Self::Unkept(why) => {
                tracing::error!(%why, "the import gate failed");
                Refused::internal("external.unkept")
            }
            Self::Broken => Refused::internal("gateway.broken"),
        })
    }
}
