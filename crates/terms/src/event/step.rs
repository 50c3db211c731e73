//! What may happen to a person, an operator or a dataset once it is on record.

/// What happened to a person. Source: AO-16(1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonStep {
    /// 审查: background vetting is on file.
    Vetted,
    /// Vouched for as the security authority, where nobody of it is left to vet: by one of two other
    /// roles, and with the second vetted.
    Vouched,
    /// 签订保密协议.
    AgreementSigned,
    /// Another certificate; the one before is worth nothing from here on. By the holder, who is known by
    /// the one before, or by another: then the person is not vetted any more.
    CertificateRenewed,
    /// No certificate.
    CertificateRevoked,
    /// 暂停.
    Suspended,
    /// Let in again.
    Reinstated,
    /// Left for good.
    Left,
}

/// What happened to an operator. Source: AO-7, AO-10, AO-26, AO-29.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorStep {
    /// A document came on file.
    EvidenceFiled,
    /// A data security officer was named.
    OfficerNamed,
    /// An emergency plan came on file, with the day by which it is drilled. Source: AO-26.
    PlanFiled,
    /// The plan was drilled; the next drill is due by another day.
    Drilled,
    /// 年度评估, passed. Source: AO-29.
    Assessed,
    /// 年度评估, failed: nothing is operated until another is passed. Source: AO-10(3), AO-29.
    AssessmentFailed,
}

/// What happened to a catalogue entry. Source: PD-14, CG-6.3, RA-5, AO-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatasetStep {
    /// 数据等级变更: other grades were confirmed.
    Graded,
    /// 风险评估 came on file.
    RiskAssessed,
    /// Barred from operation, with the legal basis.
    Prohibited,
    /// 暂停.
    Suspended,
    /// Open again.
    Reinstated,
    /// Out of the catalogue for good.
    Withdrawn,
}
