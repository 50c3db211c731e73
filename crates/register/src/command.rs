use terms::{
    Dataset, Digest, DomainName, Licence, LicenceId, Obligations, Operator, Person, RowRisk,
    Scenario, ScenarioId, Snapshot, Thresholds,
};

/// What can be asked of the register. Each has its action word for the policies.
#[derive(Debug, Clone)]
pub enum Command {
    /// The domain begins to exist.
    CreateDomain {
        /// Its name.
        name: DomainName,
        /// What people call it.
        title: String,
        /// What unqualified table names mean.
        default_schema: String,
        /// Made from a seed.
        pilot: bool,
        /// k by grade.
        thresholds: Thresholds,
        /// Caps on every result.
        obligations: Obligations,
    },
    /// A person is enrolled with a certificate. Source: AO-16(1).
    EnrolPerson {
        /// Who.
        person: Person,
        /// SHA-256 of the certificate.
        certificate: Digest,
    },
    /// An operator is registered. Source: AO-7.
    RegisterOperator(Operator),
    /// A dataset enters the catalogue with its grades confirmed. Source: PD-13, CG-6.3.
    CatalogueDataset(Dataset),
    /// Data came in.
    LoadDataset(Snapshot),
    /// 申请. Source: AO-9.
    ApplyLicence(Licence),
    /// 审核. Source: AO-9.
    ReviewLicence(LicenceId),
    /// 公示. Source: AO-9.
    NoticeLicence(LicenceId),
    /// 审定. Source: AO-9.
    GrantLicence(LicenceId),
    /// 申请. Source: AO-12.
    ApplyScenario(Scenario),
    /// 审核, with the measured risk of the rows in front of the reviewer. Source: AO-12, RA-3.
    ReviewScenario {
        /// Which.
        scenario: ScenarioId,
        /// What was measured.
        row_risks: Vec<RowRisk>,
    },
    /// 审定. Source: AO-12.
    ApproveScenario(ScenarioId),
}

impl Command {
    /// The action as policies name it.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::CreateDomain { .. } => "createDomain",
            Self::EnrolPerson { .. } => "enrolPerson",
            Self::RegisterOperator(_) => "registerOperator",
            Self::CatalogueDataset(_) => "catalogueDataset",
            Self::LoadDataset(_) => "loadDataset",
            Self::ApplyLicence(_) => "applyLicence",
            Self::ReviewLicence(_) => "reviewLicence",
            Self::NoticeLicence(_) => "noticeLicence",
            Self::GrantLicence(_) => "grantLicence",
            Self::ApplyScenario(_) => "applyScenario",
            Self::ReviewScenario { .. } => "reviewScenario",
            Self::ApproveScenario(_) => "approveScenario",
        }
    }
}
