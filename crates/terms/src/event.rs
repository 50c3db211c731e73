//! Everything the ledger can say: a closed list. What is not here does not happen.
//!
//! An event holds no real name, SQL text or literal; those stand in the sealed part beside it.

use crate::{
    Announcement, Answer, Channel, Course, Dataset, DatasetName, Derived, DerivedEnd,
    DestructionBasis, Digest, DomainName, External, GradeProposal, Holidays, ItemName, KeyName,
    KeystoreKind, Licence, LicenceId, Notice, Objection, ObjectionId, Obligations, Operator,
    Person, PersonId, Product, ProductId, QueryId, ReadingPurpose, RedactionBasis, Retention, Role,
    Rotation, RowRisk, Scenario, ScenarioId, SealBasis, SealedFile, SealedUnit, Shape, Snapshot,
    Stage, Thresholds, Usage, Violation, ViolationId,
};
use chrono::NaiveDate;
use std::collections::BTreeMap;

mod step; // what may happen to people, operators and datasets

pub use self::step::{DatasetStep, OperatorStep, PersonStep};

/// One thing that happened. Written as canonical JSON into a leaf of the log.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The domain began to exist.
    DomainCreated {
        /// Its name.
        name: DomainName,
        /// What people call it.
        title: String,
        /// The schema that unqualified table names mean.
        default_schema: String,
        /// Made from a seed; irrevocable, on every receipt and manifest.
        pilot: bool,
        /// k by grade.
        thresholds: Thresholds,
        /// Caps that bind every result.
        obligations: Obligations,
    },
    /// A person was enrolled. The real name is in the sealed part. Source: AO-16(1).
    PersonEnrolled {
        /// By whom.
        by: PersonId,
        /// Who, without the name.
        person: Person,
        /// SHA-256 of the certificate's DER bytes.
        certificate: Digest,
    },
    /// Something happened to an enrolled person. Source: AO-16(1).
    PersonChanged {
        /// By whom.
        by: PersonId,
        /// What.
        step: PersonStep,
        /// As the person stands after it.
        person: Person,
        /// SHA-256 of the certificate that holds from here on, if any.
        certificate: Option<Digest>,
    },
    /// Something happened to a registered operator. Source: AO-7, AO-26, AO-29.
    OperatorChanged {
        /// By whom.
        by: PersonId,
        /// What.
        step: OperatorStep,
        /// As it stands after it.
        operator: Operator,
    },
    /// A dataset was proposed for the catalogue. Source: CG-6.3.
    DatasetProposed {
        /// By whom.
        by: PersonId,
        /// The entry, with what was found of each item.
        dataset: Dataset,
        /// The last day for the authority's answer. Source: PD-14.
        due: NaiveDate,
    },
    /// Other grades were proposed for items in the catalogue. Source: CG-6.3.
    GradesProposed {
        /// By whom.
        by: PersonId,
        /// What.
        proposal: GradeProposal,
    },
    /// Something happened to a catalogue entry. Source: PD-14, CG-6.3, RA-5, AO-2.
    DatasetChanged {
        /// By whom.
        by: PersonId,
        /// What.
        step: DatasetStep,
        /// As it stands after it.
        dataset: Dataset,
    },
    /// Applications for licences were called for (通告). Source: AO-9.
    LicencesAnnounced {
        /// By whom.
        by: PersonId,
        /// The call.
        announcement: Announcement,
    },
    /// A step in the life of a product. Source: AO-17, AO-24.
    ProductStep {
        /// By whom.
        by: PersonId,
        /// Which step.
        stage: Stage,
        /// As it stands after the step.
        product: Product,
        /// Its course.
        course: Course,
    },
    /// A certificate of registration (产品登记证书) was signed for a product that both authorities approved.
    /// Source: AO-17, AO-21.
    ProductCertified {
        /// Which product.
        product: ProductId,
        /// The digest of the certificate.
        certificate: Digest,
    },
    /// A step of data that an operator brings in. Source: AO-16(3).
    ExternalStep {
        /// By whom.
        by: PersonId,
        /// Which step.
        stage: Stage,
        /// As it stands.
        external: Box<External>,
        /// Its course.
        course: Course,
        /// What it became, with the second approval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snapshot: Option<Snapshot>,
    },
    /// An objection came on record. Source: AO-9, AO-13, PD-26.
    ObjectionLodged {
        /// The objection.
        objection: Objection,
    },
    /// An objection was answered.
    ObjectionAnswered {
        /// Which.
        objection: ObjectionId,
        /// How.
        answer: Answer,
    },
    /// A violation came on record. Source: OD-1.
    ViolationRecorded {
        /// The violation.
        violation: Violation,
    },
    /// What was done about a violation was lifted.
    ViolationLifted {
        /// By whom.
        by: PersonId,
        /// Which.
        violation: ViolationId,
        /// When.
        on: NaiveDate,
    },
    /// The data of a licence or scenario that ended is destroyed. Source: AO-19.
    DestructionConfirmed {
        /// By whom.
        by: PersonId,
        /// Whose.
        of: Disposed,
        /// The digest of the certificate that says what was destroyed.
        certificate: Digest,
    },
    /// A year's public holidays were set: terms run in working days.
    HolidaysSet {
        /// By whom.
        by: PersonId,
        /// Which.
        holidays: Holidays,
    },
    /// An operator was registered with its evidence. Source: AO-7.
    OperatorRegistered {
        /// By whom.
        by: PersonId,
        /// Who.
        operator: Operator,
    },
    /// A dataset entered the catalogue with its grades confirmed. Source: PD-13, CG-6.3.
    DatasetCatalogued {
        /// By whom.
        by: PersonId,
        /// The entry.
        dataset: Dataset,
    },
    /// Data came in, sealed.
    DatasetLoaded {
        /// By whom.
        by: PersonId,
        /// What state the dataset is in now.
        snapshot: Snapshot,
        /// The measured risk of its rows, for each scenario that would show them.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        row_risks: BTreeMap<ScenarioId, RowRisk>,
    },
    /// A step in the life of a licence. Source: AO-9.
    LicenceStep {
        /// By whom.
        by: PersonId,
        /// Which step.
        stage: Stage,
        /// As it stands after the step.
        licence: Licence,
        /// Its course.
        #[serde(default)]
        course: Course,
    },
    /// A step in the life of a scenario. Source: AO-12.
    ScenarioStep {
        /// By whom.
        by: PersonId,
        /// Which step.
        stage: Stage,
        /// As it stands after the step.
        scenario: Scenario,
        /// The measured risk of the rows it would show, in front of the reviewers.
        row_risks: Vec<RowRisk>,
        /// Its course.
        #[serde(default)]
        course: Course,
    },
    /// A gateway took the domain up.
    GatewayStarted {
        /// The product's version.
        version: String,
        /// The digest of the policies it decides by.
        policies: Digest,
        /// The digest of what stood when it began, so that who folds the events again can compare.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        register: Option<Digest>,
    },
    /// A statement or export was asked for. Durable before anything else happens.
    OperationOpened {
        /// Which operation.
        query: QueryId,
        /// What was asked.
        action: Action,
        /// By whom.
        person: PersonId,
        /// For which scenario, if the caller named a readable one.
        scenario: Option<ScenarioId>,
        /// For which product's results, where the permit is for these alone. Source: CG-B 汇聚 L2-7.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<ProductId>,
        /// By which listener.
        channel: Channel,
        /// Salted digest of the SQL text; the text is in the sealed part.
        statement: Digest,
    },
    /// What will run was granted. Durable before a key or a byte moves.
    OperationDecided {
        /// Which operation.
        query: QueryId,
        /// The digest of the confined plan: this and nothing else runs.
        plan: Digest,
        /// The digest of the policies that decided.
        policies: Digest,
        /// How many events the register had folded.
        register_version: u64,
        /// The items the plan reads, and how.
        references: Vec<Reference>,
        /// The caps on its result.
        obligations: Obligations,
    },
    /// It was refused.
    OperationRefused {
        /// Which operation.
        query: QueryId,
        /// The stable code.
        code: String,
    },
    /// Its result conflicts with what was released before; the refusal follows. Who would have been
    /// named, and how many, stands nowhere.
    ReleaseConflicted {
        /// Which operation.
        query: QueryId,
        /// Of which dataset's rows.
        dataset: DatasetName,
        /// In which state of the data.
        snapshot: u32,
        /// The item whose values are combined; none where rows are counted.
        measure: Option<ItemName>,
    },
    /// Texts of its result look like numbers that stand for a person; staff are to look. Held, nothing
    /// more of it left. Source: CG-B 汇聚 L2-8.
    SensitiveFound {
        /// Which operation.
        query: QueryId,
        /// What, in which columns.
        found: Vec<Sighted>,
        /// Whether the result was held.
        held: bool,
    },
    /// It ended with a released result. How many groups were withheld is in the sealed part, since
    /// this leaf goes out with an export.
    OperationReleased {
        /// Which operation.
        query: QueryId,
        /// Rows released.
        rows: u64,
        /// Bytes released, counted as Arrow buffers.
        bytes: u64,
        /// SHA-256 over the released logical values.
        result: Digest,
        /// What was told of withheld groups.
        notice: Notice,
        /// What held the result against earlier ones: `audited`, or `none` where nothing owes that.
        register: String,
        /// What it used; none where nothing ran. Source: AO-16.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        used: Option<Usage>,
    },
    /// It ended without a result.
    OperationFailed {
        /// Which operation.
        query: QueryId,
        /// The stable code.
        code: String,
    },
    /// It was dropped before it ended: the client went away or the gateway stopped.
    OperationAbandoned {
        /// Which operation.
        query: QueryId,
        /// Rows that had been released by then; none where the gateway stopped and nobody counted.
        rows: Option<u64>,
    },
    /// A manifest was signed and the package handed over.
    Exported {
        /// By which operation.
        query: QueryId,
        /// SHA-256 of the signed statement's bytes.
        manifest: Digest,
        /// The approved product of which it is a release; none in a pilot without one. Source: AO-17.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<ProductId>,
    },
    /// A signed package was not handed over: what it needs beside the signature did not come.
    ExportWithheld {
        /// By which operation.
        query: QueryId,
        /// The stable code.
        code: String,
    },
    /// A witness has not cosigned for longer than it may, while the log grew.
    WitnessLagged {
        /// Its name in the domain's policy.
        witness: String,
        /// The last size it cosigned.
        size: u64,
    },
    /// Calls without a valid client certificate within one minute.
    StrangersCounted {
        /// How many.
        calls: u64,
    },
    /// A sealed text was opened for somebody. Durable before the text is handed over.
    SealedRead {
        /// Who reads.
        by: PersonId,
        /// Which entry's text.
        entry: u64,
        /// What for.
        purpose: ReadingPurpose,
    },
    /// How long events are kept from here on; what is on record already keeps the longer promise.
    RetentionSet {
        /// Days by class.
        retention: Retention,
    },
    /// The destruction of one entry's sealed text was asked for.
    RedactionRequested {
        /// By whom.
        by: PersonId,
        /// Of which entry.
        entry: u64,
        /// On which ground.
        basis: RedactionBasis,
    },
    /// A redaction was approved by one of the two who must.
    RedactionApproved {
        /// By whom.
        by: PersonId,
        /// The entry of the request.
        request: u64,
    },
    /// A sealed text is destroyed, and its key with it. The leaf and every proof stay as they were.
    TextRedacted {
        /// The entry of the request.
        request: u64,
        /// Whose text.
        entry: u64,
    },
    /// The sealed texts of a class and of these days are destroyed, their time being over.
    TextsExpired {
        /// Of which class.
        class: crate::EventClass,
        /// The first day, in UTC.
        from: NaiveDate,
        /// The last day.
        through: NaiveDate,
        /// How many texts there were.
        texts: u64,
    },
    /// The entries below an index are no longer published; their hashes stay in the tree.
    /// Source: C2SP tlog-tiles, "Pruning".
    LogPruned {
        /// By whom.
        by: PersonId,
        /// The minimum index: the first entry that is still published.
        minimum: u64,
        /// The root of the tree below the minimum index.
        root: Digest,
        /// Which entries below it the domain keeps for itself, since what stands rests on them.
        kept: Digest,
        /// How many entries were removed.
        removed: u64,
    },
    /// The keystore was opened: from here on the domain's keys are in memory.
    KeysUnlocked {
        /// Which kind.
        keystore: KeystoreKind,
        /// The version of the storage key.
        storage: u32,
        /// Which storage key it is, without saying it.
        check: Digest,
        /// How many keys it wraps.
        keys: u64,
    },
    /// A key came to be.
    KeyCreated {
        /// Which.
        key: KeyName,
        /// Derived from it: says which it was, without saying it.
        check: Digest,
    },
    /// A key was made anew and what it had wrapped wrapped again; the old one is destroyed.
    KeysRotated {
        /// What.
        rotation: Rotation,
        /// Where the root is kept now.
        keystore: KeystoreKind,
        /// The version of the storage key now.
        storage: u32,
        /// Which storage key it is, without saying it.
        check: Digest,
        /// How many keys it wraps.
        keys: u64,
    },
    /// The destruction of a snapshot was asked for. Source: AO-19.
    DestructionRequested {
        /// By whom.
        by: PersonId,
        /// Of which dataset.
        dataset: DatasetName,
        /// Which snapshot.
        snapshot: u32,
        /// Why.
        basis: DestructionBasis,
    },
    /// A destruction was approved by one of the two who must.
    DestructionApproved {
        /// By whom.
        by: PersonId,
        /// The entry of the request.
        request: u64,
    },
    /// A snapshot is destroyed: its key, then its file.
    DestructionCertified {
        /// The entry of the request.
        request: u64,
        /// The digest of the certificate that says so.
        certificate: Digest,
    },
    /// A backup of the data was taken. Source: CG-B 汇聚 L3-2, PD-31.
    BackupMade {
        /// By whom; none where it was taken of a domain that was not served.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<PersonId>,
        /// How many entries of the log it holds.
        size: u64,
        /// The root of their tree.
        root: Digest,
        /// The digest of its list.
        backup: Digest,
        /// How many objects it has.
        objects: u64,
        /// Their bytes.
        bytes: u64,
        /// The bytes that no backup before had.
        bytes_new: u64,
    },
    /// The keys were copied; the entry's index is the copy's number. Written before the copy is.
    KeysCopied {
        /// What opens the copy.
        keystore: KeystoreKind,
        /// The version of the storage key.
        storage: u32,
        /// Which storage key it is, without saying it.
        check: Digest,
        /// How many keys it wraps.
        keys: u64,
    },
    /// The domain was put back out of a backup: what came after in the log before is not in this one.
    DomainRestored {
        /// How many entries the backup held.
        size: u64,
        /// The root of their tree.
        root: Digest,
        /// The digest of the backup's list.
        backup: Digest,
        /// How long the log is known to have been, where that is longer and was accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rolled_back_from: Option<u64>,
        /// Snapshots on record that no key opens: destroyed, or newer than the keys.
        unopened: u64,
    },
    /// A result is kept inside, as a dataset of its scenario. Its file is there before this is.
    DerivedKept {
        /// By whom.
        by: PersonId,
        /// What.
        derived: Derived,
    },
    /// A kept result is there no longer: its key is destroyed, then its file.
    DerivedDropped {
        /// By whom.
        by: PersonId,
        /// What the domain calls it.
        dataset: DatasetName,
        /// Why.
        end: DerivedEnd,
    },
    /// Part of the list of the stored files of what is about to be sealed. It means nothing before the seal
    /// that names the list.
    SealListed {
        /// The digest of the whole list: its lines, one after the other.
        list: Digest,
        /// The files of this part, in order.
        files: Vec<SealedFile>,
    },
    /// 封存: nothing of it is operated on, comes in or is destroyed. Source: AO-3, AO-19.
    DataSealed {
        /// By whom.
        by: PersonId,
        /// What.
        unit: SealedUnit,
        /// Why.
        basis: SealBasis,
        /// The last day on which nobody may release it.
        until: NaiveDate,
        /// The digest of the list of its files.
        list: Digest,
        /// The root of the tree of the lines of that list. Source: RFC 6962, 2.1.
        root: Digest,
    },
    /// A seal has a later day.
    SealExtended {
        /// By whom.
        by: PersonId,
        /// Of what.
        unit: SealedUnit,
        /// The last day from here on.
        until: NaiveDate,
    },
    /// The release of a seal whose day is over was asked for.
    SealReleaseRequested {
        /// By whom.
        by: PersonId,
        /// Of what.
        unit: SealedUnit,
    },
    /// It was approved by the first of the two who must.
    SealReleaseApproved {
        /// By whom.
        by: PersonId,
        /// In which role.
        role: Role,
        /// Of what.
        unit: SealedUnit,
    },
    /// 解封: approved by the second, of another role.
    SealReleased {
        /// By whom.
        by: PersonId,
        /// In which role.
        role: Role,
        /// Of what.
        unit: SealedUnit,
    },
    /// The files of what is sealed were hashed again and held against the list.
    SealChecked {
        /// For whom.
        by: PersonId,
        /// Of what.
        unit: SealedUnit,
        /// The digest of the list that the files make now.
        found: Digest,
        /// Whether they are those that were sealed.
        holds: bool,
    },
    /// A key is destroyed, and all that was stored under it with it. Source: NIST SP 800-88r2.
    KeyDestroyed {
        /// Which.
        key: KeyName,
        /// Which it was.
        check: Digest,
    },
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A statement whose result stays in the domain.
    Query,
    /// The decision alone, without touching data.
    Explain,
    /// A result that leaves the domain with a manifest.
    Export,
    /// A result that is kept inside, as a dataset of its scenario.
    Materialise,
}

/// Values of one shape in one column of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Sighted {
    /// Which column, from 0.
    pub column: u32,
    /// What they look like.
    pub shape: Shape,
    /// How many.
    pub values: u64,
}

/// Whose data is destroyed. Source: AO-19.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Disposed {
    /// What was obtained under a licence that ended.
    Licence(LicenceId),
    /// What a scenario held whose purpose is met.
    Scenario(ScenarioId),
}

/// An item a plan reads, and in which way: `masked`, `raw-aggregate`, `row-policy`, `subject`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Reference {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// Which item.
    pub item: ItemName,
    /// Its grade.
    pub grade: crate::Grade,
    /// In which way.
    pub way: String,
}

impl Event {
    /// The event's name, as it stands in the leaf.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::DomainCreated { .. } => "domain-created",
            Self::PersonEnrolled { .. } => "person-enrolled",
            Self::PersonChanged { .. } => "person-changed",
            Self::OperatorRegistered { .. } => "operator-registered",
            Self::OperatorChanged { .. } => "operator-changed",
            Self::DatasetProposed { .. } => "dataset-proposed",
            Self::GradesProposed { .. } => "grades-proposed",
            Self::DatasetChanged { .. } => "dataset-changed",
            Self::LicencesAnnounced { .. } => "licences-announced",
            Self::ProductStep { .. } => "product-step",
            Self::ProductCertified { .. } => "product-certified",
            Self::ExternalStep { .. } => "external-step",
            Self::ObjectionLodged { .. } => "objection-lodged",
            Self::ObjectionAnswered { .. } => "objection-answered",
            Self::ViolationRecorded { .. } => "violation-recorded",
            Self::ViolationLifted { .. } => "violation-lifted",
            Self::DestructionConfirmed { .. } => "destruction-confirmed",
            Self::HolidaysSet { .. } => "holidays-set",
            Self::DatasetCatalogued { .. } => "dataset-catalogued",
            Self::DatasetLoaded { .. } => "dataset-loaded",
            Self::LicenceStep { .. } => "licence-step",
            Self::ScenarioStep { .. } => "scenario-step",
            Self::GatewayStarted { .. } => "gateway-started",
            Self::OperationOpened { .. } => "operation-opened",
            Self::OperationDecided { .. } => "operation-decided",
            Self::OperationRefused { .. } => "operation-refused",
            Self::ReleaseConflicted { .. } => "release-conflicted",
            Self::SensitiveFound { .. } => "sensitive-found",
            Self::OperationReleased { .. } => "operation-released",
            Self::OperationFailed { .. } => "operation-failed",
            Self::OperationAbandoned { .. } => "operation-abandoned",
            Self::Exported { .. } => "exported",
            Self::ExportWithheld { .. } => "export-withheld",
            Self::WitnessLagged { .. } => "witness-lagged",
            Self::StrangersCounted { .. } => "strangers-counted",
            Self::SealedRead { .. } => "sealed-read",
            Self::RetentionSet { .. } => "retention-set",
            Self::RedactionRequested { .. } => "redaction-requested",
            Self::RedactionApproved { .. } => "redaction-approved",
            Self::TextRedacted { .. } => "text-redacted",
            Self::TextsExpired { .. } => "texts-expired",
            Self::LogPruned { .. } => "log-pruned",
            Self::KeysUnlocked { .. } => "keys-unlocked",
            Self::KeyCreated { .. } => "key-created",
            Self::KeysRotated { .. } => "keys-rotated",
            Self::KeyDestroyed { .. } => "key-destroyed",
            Self::DestructionRequested { .. } => "destruction-requested",
            Self::DestructionApproved { .. } => "destruction-approved",
            Self::DestructionCertified { .. } => "destruction-certified",
            Self::BackupMade { .. } => "backup-made",
            Self::KeysCopied { .. } => "keys-copied",
            Self::DomainRestored { .. } => "domain-restored",
            Self::DerivedKept { .. } => "derived-kept",
            Self::DerivedDropped { .. } => "derived-dropped",
            Self::SealListed { .. } => "seal-listed",
            Self::DataSealed { .. } => "data-sealed",
            Self::SealExtended { .. } => "seal-extended",
            Self::SealReleaseRequested { .. } => "seal-release-requested",
            Self::SealReleaseApproved { .. } => "seal-release-approved",
            Self::SealReleased { .. } => "seal-released",
            Self::SealChecked { .. } => "seal-checked",
        }
    }

    /// The licence a step concerns.
    #[must_use]
    pub fn licence(&self) -> Option<&LicenceId> {
        match self {
            Self::LicenceStep { licence, .. } => Some(&licence.id),
            Self::ScenarioStep { scenario, .. } => Some(&scenario.licence),
            Self::DomainCreated { .. }
            | Self::PersonEnrolled { .. }
            | Self::PersonChanged { .. }
            | Self::OperatorRegistered { .. }
            | Self::OperatorChanged { .. }
            | Self::DatasetProposed { .. }
            | Self::GradesProposed { .. }
            | Self::DatasetChanged { .. }
            | Self::LicencesAnnounced { .. }
            | Self::ProductStep { .. }
            | Self::ProductCertified { .. }
            | Self::ExternalStep { .. }
            | Self::ObjectionLodged { .. }
            | Self::ObjectionAnswered { .. }
            | Self::ViolationRecorded { .. }
            | Self::ViolationLifted { .. }
            | Self::DestructionConfirmed { .. }
            | Self::HolidaysSet { .. }
            | Self::DatasetCatalogued { .. }
            | Self::DatasetLoaded { .. }
            | Self::GatewayStarted { .. }
            | Self::OperationOpened { .. }
            | Self::OperationDecided { .. }
            | Self::OperationRefused { .. }
            | Self::ReleaseConflicted { .. }
            | Self::SensitiveFound { .. }
            | Self::OperationReleased { .. }
            | Self::OperationFailed { .. }
            | Self::OperationAbandoned { .. }
            | Self::Exported { .. }
            | Self::ExportWithheld { .. }
            | Self::WitnessLagged { .. }
            | Self::StrangersCounted { .. }
            | Self::SealedRead { .. }
            | Self::RetentionSet { .. }
            | Self::RedactionRequested { .. }
            | Self::RedactionApproved { .. }
            | Self::TextRedacted { .. }
            | Self::TextsExpired { .. }
            | Self::LogPruned { .. }
            | Self::KeysUnlocked { .. }
            | Self::KeyCreated { .. }
            | Self::KeysRotated { .. }
            | Self::KeyDestroyed { .. }
            | Self::DestructionRequested { .. }
            | Self::DestructionApproved { .. }
            | Self::BackupMade { .. }
            | Self::KeysCopied { .. }
            | Self::DomainRestored { .. }
            | Self::DerivedKept { .. }
            | Self::DerivedDropped { .. }
            | Self::SealListed { .. }
            | Self::DataSealed { .. }
            | Self::SealExtended { .. }
            | Self::SealReleaseRequested { .. }
            | Self::SealReleaseApproved { .. }
            | Self::SealReleased { .. }
            | Self::SealChecked { .. }
            | Self::DestructionCertified { .. } => None,
        }
    }

    /// The operation an event belongs to.
    #[must_use]
    pub fn query(&self) -> Option<&QueryId> {
        match self {
            Self::OperationOpened { query, .. }
            | Self::OperationDecided { query, .. }
            | Self::OperationRefused { query, .. }
            | Self::ReleaseConflicted { query, .. }
            | Self::SensitiveFound { query, .. }
            | Self::OperationReleased { query, .. }
            | Self::OperationFailed { query, .. }
            | Self::OperationAbandoned { query, .. }
            | Self::Exported { query, .. }
            | Self::ExportWithheld { query, .. } => Some(query),
            Self::DomainCreated { .. }
            | Self::PersonEnrolled { .. }
            | Self::PersonChanged { .. }
            | Self::OperatorRegistered { .. }
            | Self::OperatorChanged { .. }
            | Self::DatasetProposed { .. }
            | Self::GradesProposed { .. }
            | Self::DatasetChanged { .. }
            | Self::LicencesAnnounced { .. }
            | Self::ProductStep { .. }
            | Self::ProductCertified { .. }
            | Self::ExternalStep { .. }
            | Self::ObjectionLodged { .. }
            | Self::ObjectionAnswered { .. }
            | Self::ViolationRecorded { .. }
            | Self::ViolationLifted { .. }
            | Self::DestructionConfirmed { .. }
            | Self::HolidaysSet { .. }
            | Self::DatasetCatalogued { .. }
            | Self::DatasetLoaded { .. }
            | Self::LicenceStep { .. }
            | Self::ScenarioStep { .. }
            | Self::GatewayStarted { .. }
            | Self::WitnessLagged { .. }
            | Self::StrangersCounted { .. }
            | Self::SealedRead { .. }
            | Self::RetentionSet { .. }
            | Self::RedactionRequested { .. }
            | Self::RedactionApproved { .. }
            | Self::TextRedacted { .. }
            | Self::TextsExpired { .. }
            | Self::LogPruned { .. }
            | Self::KeysUnlocked { .. }
            | Self::KeyCreated { .. }
            | Self::KeysRotated { .. }
            | Self::KeyDestroyed { .. }
            | Self::DestructionRequested { .. }
            | Self::DestructionApproved { .. }
            | Self::BackupMade { .. }
            | Self::KeysCopied { .. }
            | Self::DomainRestored { .. }
            | Self::DerivedKept { .. }
            | Self::DerivedDropped { .. }
            | Self::SealListed { .. }
            | Self::DataSealed { .. }
            | Self::SealExtended { .. }
            | Self::SealReleaseRequested { .. }
            | Self::SealReleaseApproved { .. }
            | Self::SealReleased { .. }
            | Self::SealChecked { .. }
            | Self::DestructionCertified { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
