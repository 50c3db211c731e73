use terms::Told;

/// What a caller hears instead of a result: a stable code and one sentence in each language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The stable code.
    pub code: String,
    /// The sentence in English, with the smallest change that would allow it where there is one.
    pub told_en: String,
    /// The same in Chinese.
    pub told_zh: String,
    /// Whose fault it is, and what to do.
    pub kind: Kind,
}

/// What a refusal means for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nobody we know.
    Unauthenticated,
    /// Policy or confinement says no.
    Denied,
    /// The rules of the register do not allow it.
    Unlawful,
    /// It is no query.
    Invalid,
    /// A limit is reached.
    Exhausted,
    /// Try again later.
    Unavailable,
    /// Ours.
    Internal,
}

impl Refused {
    /// A refusal of something that is no query or no call of this service.
    #[must_use]
    pub fn invalid(code: &'static str, en: &'static str, zh: &'static str) -> Self {
        Self::new(code, Told::new(en, zh), Kind::Invalid)
    }

    pub(crate) fn new(code: &str, told: Told, kind: Kind) -> Self {
        let (told_en, told_zh) = (told.en.to_owned(), told.zh.to_owned());
        Self {
            code: code.to_owned(),
            told_en,
            told_zh,
            kind,
        }
    }

    /// Adds where and how to change it.
    pub(crate) fn with(mut self, en: &str, zh: &str) -> Self {
        self.told_en = format!("{} {en}", self.told_en);
        self.told_zh = format!("{}{zh}", self.told_zh);
        self
    }

    /// Ours: the log has the cause, the caller the code.
    pub(crate) fn internal(code: &str) -> Self {
        let told = Told::new(
            "the gateway could not do this; the incident is on record.",
            "网关未能完成操作，事件已记录。",
        );
        Self::new(code, told, Kind::Internal)
    }

    /// The gRPC status. Source: interface, "Over the wire".
    #[must_use]
    pub fn status(&self) -> tonic::Status {
        let code = match self.kind {
            Kind::Unauthenticated => tonic::Code::Unauthenticated,
            Kind::Denied => tonic::Code::PermissionDenied,
            Kind::Unlawful => tonic::Code::FailedPrecondition,
            Kind::Invalid => tonic::Code::InvalidArgument,
            Kind::Exhausted => tonic::Code::ResourceExhausted,
            Kind::Unavailable => tonic::Code::Unavailable,
            Kind::Internal => tonic::Code::Internal,
        };
        tonic::Status::new(
            code,
            format!("{}: {} {}", self.code, self.told_en, self.told_zh),
        )
    }
}

impl From<&identity::Unproved> for Refused {
    fn from(why: &identity::Unproved) -> Self {
        let kind = if why.person().is_some() {
            Kind::Denied
        } else {
            Kind::Unauthenticated
        };
        Self::new(why.code(), why.told(), kind)
    }
}

impl From<&policy::Refusal> for Refused {
    fn from(why: &policy::Refusal) -> Self {
        Self::new(why.code(), why.told(), Kind::Denied)
    }
}

impl From<&confine::Unconfinable> for Refused {
    fn from(why: &confine::Unconfinable) -> Self {
        let kind = match why.cause {
            confine::Cause::UnknownName | confine::Cause::IllTyped => Kind::Invalid,
            _ => Kind::Denied,
        };
        let (clause, remedy) = (why.cause.clause(), why.cause.remedy());
        let refused = Self::new(why.code(), why.told(), kind);
        let refused = match &why.item {
            None => refused,
            Some((dataset, item, grade)) => refused.with(
                &format!("Item: {dataset}.{item}, grade {grade}."),
                &format!("数据项：{dataset}.{item}（{grade} 级）。"),
            ),
        };
        refused.with(
            &format!("{} [{clause}]", remedy.en),
            &format!("{}〔{clause}〕", remedy.zh),
        )
    }
}

impl From<&dispatch::Failure> for Refused {
    fn from(why: &dispatch::Failure) -> Self {
        let code = why.code();
        let kind = if code.starts_with("planner.") {
            Kind::Invalid
        } else if code == "dispatch.busy" {
            Kind::Unavailable
        } else if why.is_callers() {
            Kind::Exhausted
        } else {
            Kind::Internal
        };
        let refused = Self::new(code, why.told(), kind);
        match why {
            dispatch::Failure::Refused { name, .. } if !name.is_empty() => {
                refused.with(&format!("({name})"), &format!("（{name}）"))
            }
            _ => refused,
        }
    }
}

impl From<&disclosure::Cause> for Refused {
    fn from(why: &disclosure::Cause) -> Self {
        use disclosure::{Cause, Conflict, Denied};
        match why {
            Cause::Failed(failure) => Self::from(failure),
            Cause::Denied(Denied::Conflict {
                conflict: Conflict::Isolates { .. } | Conflict::Explains { .. },
                ..
            }) => Self::new(
                "disclosure.conflict",
                Told::new(
                    "together with an earlier release, this result would name a small group. Ask for what was asked before, or for coarser groups. [CG-B 汇聚 L3-4]",
                    "该结果与以前放行的结果合并后会指向人数过少的群体。请使用以前的分组或更粗的分组。〔CG-B 汇聚 L3-4〕",
                ),
                Kind::Denied,
            ),
            Cause::Denied(Denied::Conflict {
                conflict: Conflict::TooLarge,
                ..
            }) => Self::new(
                "disclosure.too-many-cells",
                Told::new(
                    "so much of this dataset was released that more cannot be checked.",
                    "该数据集放行的结果已达到可核查的上限。",
                ),
                Kind::Exhausted,
            ),
            Cause::Denied(Denied::Spent { what }) => Self::new(
                "disclosure.budget-spent",
                Told::new("the licence's budget is spent", "许可的使用额度已用完"),
                Kind::Exhausted,
            )
            .with(&format!("({what})."), &format!("（{what}）。")),
            Cause::Denied(Denied::Unstored(why)) => {
                tracing::error!(%why, "the disclosure register cannot be used");
                Self::internal("disclosure.unstored")
            }
            Cause::Unreadable | Cause::Denied(Denied::Unreadable) => {
                Self::internal("disclosure.unreadable")
            }
        }
    }
}

impl From<&egress::Withheld> for Refused {
    fn from(why: &egress::Withheld) -> Self {
        let kind = if why.is_callers() {
            Kind::Exhausted
        } else {
            Kind::Internal
        };
        Self::new(why.code(), why.told(), kind)
    }
}

impl From<&ledger::Breach> for Refused {
    fn from(why: &ledger::Breach) -> Self {
        tracing::error!(code = why.code(), "the ledger did not take an entry");
        Self::new(why.code(), why.told(), Kind::Unavailable)
    }
}

impl From<&register::Unlawful> for Refused {
    fn from(why: &register::Unlawful) -> Self {
        let refused = Self::new(why.code(), why.told(), Kind::Denied);
        let told = format!("({}: {} [{}])", why.place, why.what, why.clause);
        refused.with(&told, &told)
    }
}
