use terms::{PersonId, Told};

/// Why a caller is nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproved {
    /// No certificate came with the call.
    #[error("no client certificate")]
    NoCertificate,
    /// The certificate cannot be read.
    #[error("unreadable client certificate")]
    Unreadable,
    /// The certificate is not valid at this time.
    #[error("client certificate outside its validity")]
    OutsideValidity,
    /// Nobody is enrolled with the certificate.
    #[error("nobody is enrolled with this certificate")]
    Unknown,
    /// The person is suspended, or left. Source: AO-16(1).
    #[error("person `{0}` is suspended")]
    Suspended(PersonId),
    /// The person has not been vetted. Source: AO-16(1).
    #[error("person `{0}` has not been vetted")]
    NotVetted(PersonId),
    /// The person's non-disclosure agreement is missing or over. Source: AO-16(1).
    #[error("the non-disclosure agreement of person `{0}` is missing or over")]
    NdaLapsed(PersonId),
}

impl Unproved {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoCertificate => "identity.no-certificate",
            Self::Unreadable => "identity.unreadable-certificate",
            Self::OutsideValidity => "identity.certificate-not-valid",
            Self::Unknown => "identity.unknown-certificate",
            Self::Suspended(_) => "identity.suspended",
            Self::NotVetted(_) => "identity.not-vetted",
            Self::NdaLapsed(_) => "identity.nda-lapsed",
        }
    }

    /// What the caller hears.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::NoCertificate => Told::new("a client certificate is needed.", "需要客户端证书。"),
            Self::Unreadable => Told::new(
                "the client certificate cannot be read.",
                "无法读取客户端证书。",
            ),
            Self::OutsideValidity => Told::new(
                "the client certificate is not valid now; have it renewed.",
                "客户端证书不在有效期内，请续期。",
            ),
            Self::Unknown => Told::new(
                "nobody is enrolled with this certificate.",
                "没有人员以该证书备案。",
            ),
            Self::Suspended(_) => Told::new(
                "you are suspended in this domain; ask its authorities (AO-16(1)).",
                "您在本域的权限已暂停，请联系主管部门（办法第十六条第一项）。",
            ),
            Self::NotVetted(_) => Told::new(
                "vetting is not on file (AO-16(1)).",
                "尚无背景审查备案（办法第十六条第一项）。",
            ),
            Self::NdaLapsed(_) => Told::new(
                "the non-disclosure agreement is missing or over; sign a new one (AO-16(1)).",
                "保密协议缺失或已到期，请重新签订（办法第十六条第一项）。",
            ),
        }
    }

    /// The enrolled person, where it is known who asks.
    #[must_use]
    pub const fn person(&self) -> Option<&PersonId> {
        match self {
            Self::Suspended(person) | Self::NotVetted(person) | Self::NdaLapsed(person) => {
                Some(person)
            }
            Self::NoCertificate | Self::Unreadable | Self::OutsideValidity | Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests;
