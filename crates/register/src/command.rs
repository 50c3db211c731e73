use crate::Reason;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use terms::{
    Announcement, Aspect, Cause, Dataset, DatasetName, DatasetRisk, Derived, DerivedEnd,
    DerivedName, Digest, Disposed, DomainName, Evidence, External, ExternalId, Grade, Holidays,
    Impact, ItemName, Licence, LicenceId, Measure, ObjectionId, Obligations, Operator, OperatorId,
    Person, PersonId, Product, ProductId, RowRisk, Scenario, ScenarioId, Scrutiny, SealBasis,
    SealedFile, SealedUnit, Snapshot, Thresholds, Violated, ViolationId,
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
    /// A year's public holidays.
    SetHolidays(Holidays),

    // --- people ---
    /// A person is enrolled with a certificate. Source: AO-16(1).
    EnrolPerson {
        /// Who.
        person: Person,
        /// SHA-256 of the certificate.
        certificate: Digest,
    },
    /// 审查: background vetting is on file. Source: AO-16(1).
    VetPerson {
        /// Who.
        person: PersonId,
        /// SHA-256 of the certificate that was looked at, where one was.
        certificate: Option<Digest>,
    },
    /// Vouched for as the security authority by one of two others of different roles, where nobody of it
    /// is left to vet; with the second they are vetted. Source: AO-6, AO-16(1).
    VouchPerson {
        /// Who.
        person: PersonId,
        /// SHA-256 of the certificate that was looked at, where one was.
        certificate: Option<Digest>,
    },
    /// 签订保密协议, with its term. Source: AO-16(1).
    SignAgreement {
        /// Who.
        person: PersonId,
        /// The last day, inclusive.
        until: NaiveDate,
    },
    /// Another certificate in place of one's own, asked for with the one before.
    RenewOwnCertificate {
        /// Whose.
        person: PersonId,
        /// SHA-256 of the certificate.
        certificate: Digest,
    },
    /// Another certificate for somebody who lost theirs. Whoever asks for it could have its key, so the
    /// person is vetted again.
    RenewCertificate {
        /// Whose.
        person: PersonId,
        /// SHA-256 of the certificate.
        certificate: Digest,
    },
    /// No certificate holds from here on.
    RevokeCertificate {
        /// Whose.
        person: PersonId,
        /// Why.
        reason: Reason,
    },
    /// Not let in for now.
    SuspendPerson {
        /// Who.
        person: PersonId,
        /// Why.
        reason: Reason,
    },
    /// Let in again.
    ReinstatePerson(PersonId),
    /// Left for good.
    DismissPerson(PersonId),

    // --- operators ---
    /// An operator is registered. Source: AO-7.
    RegisterOperator(Operator),
    /// A document for the file. Source: AO-7.
    FileEvidence {
        /// Whose.
        operator: OperatorId,
        /// What.
        evidence: Evidence,
    },
    /// Another data security officer. Source: AO-7.
    NameOfficer {
        /// Whose.
        operator: OperatorId,
        /// Who.
        officer: PersonId,
    },
    /// An emergency plan. Source: AO-26.
    FilePlan {
        /// Whose.
        operator: OperatorId,
        /// The document.
        plan: Evidence,
        /// The last day by which it is drilled, inclusive.
        drill_until: NaiveDate,
    },
    /// The plan was drilled. Source: AO-26.
    RecordDrill {
        /// Whose.
        operator: OperatorId,
        /// The last day by which it is drilled again, inclusive.
        next_until: NaiveDate,
    },
    /// 年度评估. Source: AO-29.
    AssessOperator {
        /// Whose.
        operator: OperatorId,
        /// Whether it was passed.
        passed: bool,
        /// The third party's report.
        report: Evidence,
    },

    // --- catalogue ---
    /// A dataset is proposed for the catalogue. Source: CG-6.3.
    ProposeDataset(Dataset),
    /// A dataset enters the catalogue with its grades confirmed. Source: PD-13, CG-6.3.
    CatalogueDataset(Dataset),
    /// Other grades are proposed. Source: CG-6.3.
    ProposeGrades {
        /// Of which dataset.
        dataset: DatasetName,
        /// What was found of each item.
        items: Vec<(ItemName, Impact)>,
    },
    /// The proposed items' grades are confirmed. Source: CG-6.3.
    ConfirmGrades {
        /// Of which dataset.
        dataset: DatasetName,
        /// Each proposed item's grade.
        grades: Vec<(ItemName, Grade)>,
        /// Why one is lower than proposed, if one is.
        reason: Option<Reason>,
    },
    /// A risk assessment. Source: RA-3..5.
    AssessRisk {
        /// Of which dataset.
        dataset: DatasetName,
        /// What was found.
        risk: DatasetRisk,
    },
    /// Barred from operation. Source: AO-2.
    ProhibitDataset {
        /// Which.
        dataset: DatasetName,
        /// The legal basis.
        basis: String,
    },
    /// Not operated on for now.
    SuspendDataset {
        /// Which.
        dataset: DatasetName,
        /// Why.
        reason: Reason,
    },
    /// Operated on again.
    ReinstateDataset(DatasetName),
    /// Out of the catalogue for good.
    WithdrawDataset {
        /// Which.
        dataset: DatasetName,
        /// Why.
        reason: Reason,
    },
    /// Data came in, with the measured risk of its rows for each scenario that would show them.
    /// Source: PD-14, RA-3.
    LoadDataset {
        /// What state the dataset is in now.
        snapshot: Snapshot,
        /// What was measured.
        row_risks: BTreeMap<ScenarioId, RowRisk>,
    },

    // --- licences ---
    /// 通告. Source: AO-9.
    AnnounceLicences(Announcement),
    /// 申请. Source: AO-9.
    ApplyLicence(Licence),
    /// 审核. Source: AO-9.
    ReviewLicence(LicenceId),
    /// 公示. Source: AO-9.
    NoticeLicence {
        /// Which.
        licence: LicenceId,
        /// The last day of the notice.
        until: NaiveDate,
    },
    /// 审定. Source: AO-9.
    GrantLicence(LicenceId),
    /// 不予批准. Source: PD-24.
    RefuseLicence {
        /// Which.
        licence: LicenceId,
        /// Why.
        reason: Reason,
    },
    /// 暂停并责令限期整改. Source: AO-10.
    SuspendLicence {
        /// Which.
        licence: LicenceId,
        /// On which ground.
        cause: Cause,
        /// The last day for rectification.
        rectify_by: NaiveDate,
        /// Why.
        reason: Reason,
    },
    /// 整改完成. Source: AO-10.
    AcceptRectification(LicenceId),
    /// 终止. Source: AO-10.
    TerminateLicence {
        /// Which.
        licence: LicenceId,
        /// On which ground.
        cause: Cause,
        /// Why.
        reason: Reason,
    },
    /// The operator gives it back.
    SurrenderLicence(LicenceId),
    /// Its term is over. Asked by the clock alone. Source: AO-11.
    ExpireLicence(LicenceId),

    // --- scenarios ---
    /// 申请. Source: AO-12.
    ApplyScenario(Scenario),
    /// 审核 in one respect, with the measured risk of the rows in front of the reviewer.
    /// Source: AO-12, RA-3.
    ReviewScenario {
        /// Which.
        scenario: ScenarioId,
        /// In which respect.
        aspect: Aspect,
        /// What was measured.
        row_risks: Vec<RowRisk>,
    },
    /// 审定. Source: AO-12.
    ApproveScenario(ScenarioId),
    /// 不予批准. Source: PD-24.
    RefuseScenario {
        /// Which.
        scenario: ScenarioId,
        /// Why.
        reason: Reason,
    },
    /// 暂停.
    SuspendScenario {
        /// Which.
        scenario: ScenarioId,
        /// On which ground.
        cause: Cause,
        /// Why.
        reason: Reason,
    },
    /// The operator stops at once and tells the authorities. Source: AO-15.
    ReportRisk {
        /// Of which scenario.
        scenario: ScenarioId,
        /// What came to light.
        reason: Reason,
    },
    /// Open again; sees the newest data.
    ResumeScenario(ScenarioId),
    /// Its purpose is met, or cannot be any more. Source: AO-19.
    CloseScenario {
        /// Which.
        scenario: ScenarioId,
        /// On which ground.
        cause: Cause,
    },

    // --- products ---
    /// 产品登记. Source: AO-17, AO-24.
    RegisterProduct(Product),
    /// 审核 by one of the two authorities; with the second it is certified. Source: AO-17.
    ReviewProduct {
        /// Which.
        product: ProductId,
        /// In which respect.
        aspect: Aspect,
    },
    /// 不予批准. Source: PD-24.
    RefuseProduct {
        /// Which.
        product: ProductId,
        /// Why.
        reason: Reason,
    },
    /// 产品发布. Source: AO-21, AO-24.
    PublishProduct(ProductId),
    /// 下架.
    RecallProduct {
        /// Which.
        product: ProductId,
        /// On which ground.
        cause: Cause,
        /// Why.
        reason: Reason,
    },

    // --- data from outside ---
    /// Data of an operator goes into quarantine. Source: AO-16(3).
    SubmitExternal(Box<External>),
    /// 审核 by one of the two authorities; with the second it comes in. Source: AO-16(3).
    ReviewExternal {
        /// Which.
        external: ExternalId,
        /// In which respect.
        scrutiny: Scrutiny,
        /// What was made of it, where this is the second.
        snapshot: Option<Snapshot>,
    },
    /// 不予批准. Source: PD-24.
    RefuseExternal {
        /// Which.
        external: ExternalId,
        /// Why.
        reason: Reason,
    },
    /// The operator takes it back.
    WithdrawExternal(ExternalId),
    /// Nobody decided in time. Asked by the clock alone.
    ExpireExternal(ExternalId),

    // --- objections, violations, destruction ---
    /// 异议. The days in it are set here. Source: AO-9, AO-13, PD-26.
    LodgeObjection {
        /// Which, against what.
        objection: ObjectionId,
        /// Against what.
        against: terms::Against,
        /// What is wrong.
        reason: Reason,
    },
    /// Its answer.
    AnswerObjection {
        /// Which.
        objection: ObjectionId,
        /// Whether it was right.
        upheld: bool,
        /// Why.
        reason: Reason,
    },
    /// 违规. Source: OD-1.
    RecordViolation {
        /// Which.
        violation: ViolationId,
        /// Whose.
        operator: OperatorId,
        /// Of which kind.
        kind: Violated,
        /// What is done about it.
        measure: Measure,
        /// What happened.
        reason: Reason,
    },
    /// What was done about it ends.
    LiftViolation(ViolationId),
    // --- workspace ---
    /// A result is kept inside, its file being there. Source: AO-14.
    KeepDerived {
        /// What.
        derived: Box<Derived>,
        /// The room there is.
        room: Room,
    },
    /// A kept result is dropped by a member of its scenario.
    DropDerived {
        /// Whose.
        scenario: ScenarioId,
        /// What they call it.
        name: DerivedName,
    },
    /// A kept result is there no longer. Asked by the clock and by a destruction alone. Source: AO-19.
    EndDerived {
        /// What the domain calls it.
        dataset: DatasetName,
        /// Why.
        end: DerivedEnd,
    },
    /// The data of what ended is destroyed. Source: AO-19.
    ConfirmDestruction {
        /// Whose.
        of: Disposed,
        /// The digest of the certificate.
        certificate: Digest,
    },

    // --- seals ---
    /// 封存, with what is stored. Source: AO-3, AO-19.
    SealData {
        /// What.
        unit: SealedUnit,
        /// Why.
        basis: SealBasis,
        /// The last day on which nobody may release it.
        until: NaiveDate,
        /// The files it has.
        listing: Listing,
    },
    /// A later day.
    ExtendSeal {
        /// Of what.
        unit: SealedUnit,
        /// Until when.
        until: NaiveDate,
    },
    /// That a seal be released, once its day is over.
    RequestSealRelease(SealedUnit),
    /// By one of two others of different roles; with the second it is released.
    ApproveSealRelease(SealedUnit),
    /// What was found of it when it was looked at again.
    CheckSeal {
        /// Of what.
        unit: SealedUnit,
        /// The digest of the list that its files make now.
        found: Digest,
        /// Whether they are those that were sealed.
        holds: bool,
    },
}

/// The stored files of what is sealed. Made by [`Listing::of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The digest of their lines, one after the other.
    pub list: Digest,
    /// The root of the tree of these lines.
    pub root: Digest,
    /// The files, sorted by their lines.
    pub files: Vec<SealedFile>,
    /// What was looked for and has no file: destroyed while a scenario still names it.
    pub absent: Vec<(DatasetName, u32)>,
}

/// How much the scenarios of one licence may keep, all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Results.
    pub datasets_max: u64,
    /// Rows that they are charged with.
    pub rows_max: u64,
}

/// Who submitted what a command decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About<'a> {
    /// A command of its own.
    Nothing,
    Licence(&'a LicenceId),
    Scenario(&'a ScenarioId),
    Product(&'a ProductId),
    External(&'a ExternalId),
    Objection(&'a ObjectionId),
    /// A dataset somebody proposed, or whose grades somebody proposed.
    Dataset(&'a DatasetName),
    /// What is sealed, and whose release somebody asked for.
    Seal(&'a SealedUnit),
    /// A certificate, which is its holder's.
    Holder(&'a PersonId),
}

impl Command {
    /// The action as policies name it.
    #[must_use]
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::CreateDomain { .. } => "createDomain",
            Self::SetHolidays(_) => "setHolidays",
            Self::EnrolPerson { .. } => "enrolPerson",
            Self::VetPerson { .. } => "vetPerson",
            Self::VouchPerson { .. } => "vouchPerson",
            Self::SignAgreement { .. } => "signAgreement",
            Self::RenewOwnCertificate { .. } => "renewOwnCertificate",
            Self::RenewCertificate { .. } => "renewCertificate",
            Self::RevokeCertificate { .. } => "revokeCertificate",
            Self::SuspendPerson { .. } => "suspendPerson",
            Self::ReinstatePerson(_) => "reinstatePerson",
            Self::DismissPerson(_) => "dismissPerson",
            Self::RegisterOperator(_) => "registerOperator",
            Self::FileEvidence { .. } => "fileEvidence",
            Self::NameOfficer { .. } => "nameOfficer",
            Self::FilePlan { .. } => "filePlan",
            Self::RecordDrill { .. } => "recordDrill",
            Self::AssessOperator { .. } => "assessOperator",
            Self::ProposeDataset(_) => "proposeDataset",
            Self::CatalogueDataset(_) => "catalogueDataset",
            Self::ProposeGrades { .. } => "proposeGrades",
            Self::ConfirmGrades { .. } => "confirmGrades",
            Self::AssessRisk { .. } => "assessRisk",
            Self::ProhibitDataset { .. } => "prohibitDataset",
            Self::SuspendDataset { .. } => "suspendDataset",
            Self::ReinstateDataset(_) => "reinstateDataset",
            Self::WithdrawDataset { .. } => "withdrawDataset",
            Self::LoadDataset { .. } => "loadDataset",
            Self::AnnounceLicences(_) => "announceLicences",
            Self::ApplyLicence(_) => "applyLicence",
            Self::ReviewLicence(_) => "reviewLicence",
            Self::NoticeLicence { .. } => "noticeLicence",
            Self::GrantLicence(_) => "grantLicence",
            Self::RefuseLicence { .. } => "refuseLicence",
            Self::SuspendLicence { .. } => "suspendLicence",
            Self::AcceptRectification(_) => "acceptRectification",
            Self::TerminateLicence { .. } => "terminateLicence",
            Self::SurrenderLicence(_) => "surrenderLicence",
            Self::ExpireLicence(_) => "expireLicence",
            Self::ApplyScenario(_) => "applyScenario",
            Self::ReviewScenario { aspect, .. } => match aspect {
                Aspect::Reasonableness => "reviewScenarioReasonableness",
                Aspect::Compliance => "reviewScenarioCompliance",
                Aspect::Security => "reviewScenarioSecurity",
            },
            Self::ApproveScenario(_) => "approveScenario",
            Self::RefuseScenario { .. } => "refuseScenario",
            Self::SuspendScenario { .. } => "suspendScenario",
            Self::ReportRisk { .. } => "reportRisk",
            Self::ResumeScenario(_) => "resumeScenario",
            Self::CloseScenario { .. } => "closeScenario",
            Self::RegisterProduct(_) => "registerProduct",
            Self::ReviewProduct { aspect, .. } => match aspect {
                Aspect::Reasonableness => "reviewProductReasonableness",
                Aspect::Compliance => "reviewProductCompliance",
                Aspect::Security => "reviewProductSecurity",
            },
            Self::RefuseProduct { .. } => "refuseProduct",
            Self::PublishProduct(_) => "publishProduct",
            Self::RecallProduct { .. } => "recallProduct",
            Self::SubmitExternal(_) => "submitExternal",
            Self::ReviewExternal { scrutiny, .. } => match scrutiny {
                Scrutiny::Lawfulness => "reviewExternalLawfulness",
                Scrutiny::Security => "reviewExternalSecurity",
            },
            Self::RefuseExternal { .. } => "refuseExternal",
            Self::WithdrawExternal(_) => "withdrawExternal",
            Self::ExpireExternal(_) => "expireExternal",
            Self::LodgeObjection { .. } => "lodgeObjection",
            Self::AnswerObjection { .. } => "answerObjection",
            Self::RecordViolation { .. } => "recordViolation",
            Self::LiftViolation(_) => "liftViolation",
            Self::KeepDerived { .. } => "keepDerived",
            Self::DropDerived { .. } => "dropDerived",
            Self::EndDerived { .. } => "endDerived",
            Self::ConfirmDestruction { .. } => "confirmDestruction",
            Self::SealData { .. } => "sealData",
            Self::ExtendSeal { .. } => "extendSeal",
            Self::RequestSealRelease(_) => "requestSealRelease",
            Self::ApproveSealRelease(_) => "approveSealRelease",
            Self::CheckSeal { .. } => "checkSeal",
        }
    }

    /// The words that go into the sealed part of its entry.
    #[must_use]
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::RevokeCertificate { reason, .. }
            | Self::SuspendPerson { reason, .. }
            | Self::SuspendDataset { reason, .. }
            | Self::WithdrawDataset { reason, .. }
            | Self::RefuseLicence { reason, .. }
            | Self::SuspendLicence { reason, .. }
            | Self::TerminateLicence { reason, .. }
            | Self::RefuseScenario { reason, .. }
            | Self::SuspendScenario { reason, .. }
            | Self::ReportRisk { reason, .. }
            | Self::RefuseProduct { reason, .. }
            | Self::RecallProduct { reason, .. }
            | Self::RefuseExternal { reason, .. }
            | Self::LodgeObjection { reason, .. }
            | Self::AnswerObjection { reason, .. }
            | Self::RecordViolation { reason, .. } => Some(reason),
            Self::ConfirmGrades { reason, .. } => reason.as_ref(),
            Self::CreateDomain { .. }
            | Self::SetHolidays(_)
            | Self::EnrolPerson { .. }
            | Self::VetPerson { .. }
            | Self::VouchPerson { .. }
            | Self::SignAgreement { .. }
            | Self::RenewOwnCertificate { .. }
            | Self::RenewCertificate { .. }
            | Self::ReinstatePerson(_)
            | Self::DismissPerson(_)
            | Self::RegisterOperator(_)
            | Self::FileEvidence { .. }
            | Self::NameOfficer { .. }
            | Self::FilePlan { .. }
            | Self::RecordDrill { .. }
            | Self::AssessOperator { .. }
            | Self::ProposeDataset(_)
            | Self::CatalogueDataset(_)
            | Self::ProposeGrades { .. }
            | Self::AssessRisk { .. }
            | Self::ProhibitDataset { .. }
            | Self::ReinstateDataset(_)
            | Self::LoadDataset { .. }
            | Self::AnnounceLicences(_)
            | Self::ApplyLicence(_)
            | Self::ReviewLicence(_)
            | Self::NoticeLicence { .. }
            | Self::GrantLicence(_)
            | Self::AcceptRectification(_)
            | Self::SurrenderLicence(_)
            | Self::ExpireLicence(_)
            | Self::ApplyScenario(_)
            | Self::ReviewScenario { .. }
            | Self::ApproveScenario(_)
            | Self::ResumeScenario(_)
            | Self::CloseScenario { .. }
            | Self::RegisterProduct(_)
            | Self::ReviewProduct { .. }
            | Self::PublishProduct(_)
            | Self::SubmitExternal(_)
            | Self::ReviewExternal { .. }
            | Self::WithdrawExternal(_)
            | Self::ExpireExternal(_)
            | Self::LiftViolation(_)
            | Self::KeepDerived { .. }
            | Self::DropDerived { .. }
            | Self::EndDerived { .. }
            | Self::ConfirmDestruction { .. }
            | Self::SealData { .. }
            | Self::ExtendSeal { .. }
            | Self::RequestSealRelease(_)
            | Self::ApproveSealRelease(_)
            | Self::CheckSeal { .. } => None,
        }
    }

    /// What of somebody's it decides on; steps the holder takes decide on nothing.
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    pub(crate) const fn about(&self) -> About<'_> {
        match self {
            Self::ReviewLicence(id)
            | Self::GrantLicence(id)
            | Self::AcceptRectification(id)
            | Self::NoticeLicence { licence: id, .. }
            | Self::RefuseLicence { licence: id, .. }
            | Self::SuspendLicence { licence: id, .. }
            | Self::TerminateLicence { licence: id, .. } => About::Licence(id),
            Self::ApproveScenario(id)
            | Self::ResumeScenario(id)
            | Self::ReviewScenario { scenario: id, .. }
            | Self::RefuseScenario { scenario: id, .. }
            | Self::SuspendScenario { scenario: id, .. } => About::Scenario(id),
            Self::ReviewProduct { product: id, .. } | Self::RefuseProduct { product: id, .. } => {
                About::Product(id)
            }
            Self::ReviewExternal { external, .. } | Self::RefuseExternal { external, .. } => {
                About::External(external)
            }
            Self::AnswerObjection { objection, .. } => About::Objection(objection),
            Self::ApproveSealRelease(unit) => About::Seal(unit),
            Self::RenewOwnCertificate { person, .. } => About::Holder(person),
            Self::CatalogueDataset(dataset) => About::Dataset(&dataset.name),
            Self::ConfirmGrades { dataset, .. } => About::Dataset(dataset),
            Self::CreateDomain { .. }
            | Self::SetHolidays(_)
            | Self::EnrolPerson { .. }
            | Self::VetPerson { .. }
            | Self::VouchPerson { .. }
            | Self::SignAgreement { .. }
            | Self::RenewCertificate { .. }
            | Self::RevokeCertificate { .. }
            | Self::SuspendPerson { .. }
            | Self::ReinstatePerson(_)
            | Self::DismissPerson(_)
            | Self::RegisterOperator(_)
            | Self::FileEvidence { .. }
            | Self::NameOfficer { .. }
            | Self::FilePlan { .. }
            | Self::RecordDrill { .. }
            | Self::AssessOperator { .. }
            | Self::ProposeDataset(_)
            | Self::ProposeGrades { .. }
            | Self::AssessRisk { .. }
            | Self::ProhibitDataset { .. }
            | Self::SuspendDataset { .. }
            | Self::ReinstateDataset(_)
            | Self::WithdrawDataset { .. }
            | Self::LoadDataset { .. }
            | Self::AnnounceLicences(_)
            | Self::ApplyLicence(_)
            | Self::SurrenderLicence(_)
            | Self::ExpireLicence(_)
            | Self::ApplyScenario(_)
            | Self::ReportRisk { .. }
            | Self::CloseScenario { .. }
            | Self::RegisterProduct(_)
            | Self::PublishProduct(_)
            | Self::RecallProduct { .. }
            | Self::SubmitExternal(_)
            | Self::WithdrawExternal(_)
            | Self::ExpireExternal(_)
            | Self::LodgeObjection { .. }
            | Self::RecordViolation { .. }
            | Self::LiftViolation(_)
            | Self::KeepDerived { .. }
            | Self::DropDerived { .. }
            | Self::EndDerived { .. }
            | Self::ConfirmDestruction { .. }
            | Self::SealData { .. }
            | Self::ExtendSeal { .. }
            | Self::RequestSealRelease(_)
            | Self::CheckSeal { .. } => About::Nothing,
        }
    }
}
