use crate::Seals;
use std::collections::BTreeMap;
use terms::{
    Announcement, AnnouncementId, Calendar, Course, Dataset, DatasetName, Digest, Disposed,
    DomainName, External, ExternalId, GradeProposal, Licence, LicenceId, Objection, ObjectionId,
    Obligations, Operator, OperatorId, Person, PersonId, Product, ProductId, Role, RowRisk,
    Scenario, ScenarioId, Snapshot, Stage, Standing, Thresholds, Violation, ViolationId,
};

mod fold; // events, one after the other
mod workspace; // results that scenarios keep
mod overdue; // what somebody owes since when, and what only waits for the clock

pub use self::overdue::{Overdue, Owed};

/// What stands after all events so far.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    name: Option<DomainName>,
    title: String,
    default_schema: String,
    pilot: bool,
    thresholds: Thresholds,
    obligations: Option<Obligations>,
    people: BTreeMap<PersonId, (Person, Option<Digest>)>,
    certificates: BTreeMap<Digest, PersonId>,
    operators: BTreeMap<OperatorId, Operator>,
    datasets: BTreeMap<DatasetName, Dataset>,
    snapshots: BTreeMap<DatasetName, Snapshot>,
    licences: BTreeMap<LicenceId, LicenceStanding>,
    scenarios: BTreeMap<ScenarioId, ScenarioStanding>,
    /// Whose scenarios.
    by_licence: BTreeMap<LicenceId, Vec<ScenarioId>>,
    /// Whose licences.
    by_operator: BTreeMap<OperatorId, Vec<LicenceId>>,
    procedure: Procedure,
    #[serde(default, skip_serializing_if = "workspace::Workspace::is_untouched")]
    workspace: workspace::Workspace,
    version: u64,
}

/// What stands beside the permits: what is under way, and what went wrong.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
struct Procedure {
    calendar: Calendar,
    /// Entries somebody proposed, with who and until when it is answered.
    proposed: BTreeMap<DatasetName, (PersonId, Dataset, chrono::NaiveDate)>,
    regrading: BTreeMap<DatasetName, (PersonId, GradeProposal)>,
    announcements: BTreeMap<AnnouncementId, Announcement>,
    products: BTreeMap<ProductId, ProductStanding>,
    externals: BTreeMap<ExternalId, ExternalStanding>,
    objections: BTreeMap<ObjectionId, Objection>,
    violations: BTreeMap<ViolationId, Violation>,
    /// What ended and is destroyed, with the digest of the certificate.
    destroyed: BTreeMap<String, Digest>,
    #[serde(default, skip_serializing_if = "Seals::is_empty")]
    seals: Seals,
    /// Whom somebody of which role vouched for, waiting for somebody of another.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    vouched: BTreeMap<PersonId, Role>,
}

/// A product and the step it is at.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct ProductStanding {
    /// As it stands.
    pub product: Product,
    /// The last step.
    pub stage: Stage,
    /// Its course.
    pub course: Course,
    /// Who registered it.
    pub submitter: PersonId,
    /// The digest of its certificate of registration (产品登记证书), once it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Digest>,
}

impl ProductStanding {
    /// Whether both authorities approved it and nobody recalled it since: it releases results.
    #[must_use]
    pub const fn is_approved(&self) -> bool {
        matches!(self.stage, Stage::Granted | Stage::Published)
    }
}

/// Data that an operator brings in, and the step it is at.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct ExternalStanding {
    /// As it stands.
    pub external: External,
    /// The last step.
    pub stage: Stage,
    /// Its course.
    pub course: Course,
    /// Who submitted it.
    pub submitter: PersonId,
    /// The state of its dataset that it became.
    pub snapshot: Option<u32>,
}

/// A licence and the step it is at.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct LicenceStanding {
    /// As it stands.
    pub licence: Licence,
    /// The last step.
    pub stage: Stage,
    /// Its course.
    pub course: Course,
    /// Who applied.
    pub submitter: PersonId,
}

/// A scenario, the step it is at, and what its reviewers saw.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct ScenarioStanding {
    /// As it stands.
    pub scenario: Scenario,
    /// The last step.
    pub stage: Stage,
    /// Its course.
    pub course: Course,
    /// The measured risk of the rows it shows.
    pub row_risks: Vec<RowRisk>,
    /// Who applied.
    pub submitter: PersonId,
    /// The snapshot of each dataset that it sees: the newest when it was granted, or the first that
    /// came after. A refresh is seen by a scenario that is granted again, so that it cannot be
    /// subtracted from what was there before.
    pub pinned: BTreeMap<DatasetName, u32>,
}

impl State {
    /// The domain's name, once it is created.
    #[must_use]
    pub const fn name(&self) -> Option<&DomainName> {
        self.name.as_ref()
    }

    /// What people call the domain.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The schema that unqualified table names mean.
    #[must_use]
    pub fn default_schema(&self) -> &str {
        &self.default_schema
    }

    /// Whether the domain was made from a seed.
    #[must_use]
    pub const fn pilot(&self) -> bool {
        self.pilot
    }

    /// k by grade.
    #[must_use]
    pub const fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// The caps on every result; nothing may leave before they are set.
    #[must_use]
    pub fn obligations(&self) -> Obligations {
        self.obligations.unwrap_or(Obligations {
            rows_max: 0,
            result_bytes_max: 0,
        })
    }

    /// The person of this id.
    #[must_use]
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.people.get(id).map(|(person, _)| person)
    }

    /// The person this certificate (SHA-256 of its DER bytes) belongs to.
    #[must_use]
    pub fn person_by_certificate(&self, certificate: &Digest) -> Option<&Person> {
        self.person(self.certificates.get(certificate)?)
    }

    /// Everybody enrolled, by id.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values().map(|(person, _)| person)
    }

    /// Who can vet: the security authority's, vetted themselves, let in, and with a certificate.
    /// Source: AO-6, AO-16(1).
    pub fn vetters(&self) -> impl Iterator<Item = &Person> {
        let held = self.people.values().filter(|(_, held)| held.is_some());
        held.map(|(person, _)| person).filter(|person| {
            person.role == Role::SecurityAuthority
                && person.vetted
                && person.standing == Standing::Active
        })
    }

    /// Of which role the one is who vouched for somebody already, where another has to. Source: AO-6.
    #[must_use]
    pub fn vouched(&self, id: &PersonId) -> Option<Role> {
        self.procedure.vouched.get(id).copied()
    }

    /// The operator of this id.
    #[must_use]
    pub fn operator(&self, id: &OperatorId) -> Option<&Operator> {
        self.operators.get(id)
    }

    /// The catalogue entry of this name, with the types of its data once loaded.
    #[must_use]
    pub fn dataset(&self, name: &DatasetName) -> Option<&Dataset> {
        self.datasets.get(name)
    }

    /// The catalogue.
    pub fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        self.datasets.values()
    }

    /// The newest state of a dataset's data.
    #[must_use]
    pub fn snapshot(&self, name: &DatasetName) -> Option<&Snapshot> {
        self.snapshots.get(name)
    }

    /// The licence of this id.
    #[must_use]
    pub fn licence(&self, id: &LicenceId) -> Option<&LicenceStanding> {
        self.licences.get(id)
    }

    /// The scenario of this id.
    #[must_use]
    pub fn scenario(&self, id: &ScenarioId) -> Option<&ScenarioStanding> {
        self.scenarios.get(id)
    }

    /// Every licence.
    pub fn licences(&self) -> impl Iterator<Item = &LicenceStanding> {
        self.licences.values()
    }

    /// The licences of an operator, in the order of their applications.
    pub fn licences_of(&self, operator: &OperatorId) -> impl Iterator<Item = &LicenceStanding> {
        let ids = self.by_operator.get(operator).into_iter().flatten();
        ids.filter_map(|id| self.licences.get(id))
    }

    /// The scenarios of a licence, in the order of their applications.
    pub fn scenarios_of(&self, licence: &LicenceId) -> impl Iterator<Item = &ScenarioStanding> {
        let ids = self.by_licence.get(licence).into_iter().flatten();
        ids.filter_map(|id| self.scenarios.get(id))
    }

    /// Every operator.
    pub fn operators(&self) -> impl Iterator<Item = &Operator> {
        self.operators.values()
    }

    /// The certificate that holds for a person.
    #[must_use]
    pub fn certificate(&self, id: &PersonId) -> Option<&Digest> {
        self.people
            .get(id)
            .and_then(|(_, certificate)| certificate.as_ref())
    }

    /// Which days are worked.
    #[must_use]
    pub const fn calendar(&self) -> &Calendar {
        &self.procedure.calendar
    }

    /// The call for applications of this id.
    #[must_use]
    pub fn announcement(&self, id: &AnnouncementId) -> Option<&Announcement> {
        self.procedure.announcements.get(id)
    }

    /// Every call for applications.
    pub fn announcements(&self) -> impl Iterator<Item = &Announcement> {
        self.procedure.announcements.values()
    }

    /// Every proposed catalogue entry, who proposed it, and the last day for the answer.
    pub fn proposals(&self) -> impl Iterator<Item = &(PersonId, Dataset, chrono::NaiveDate)> {
        self.procedure.proposed.values()
    }

    /// A proposed catalogue entry, who proposed it, and the last day for the answer.
    #[must_use]
    pub fn proposed(&self, name: &DatasetName) -> Option<&(PersonId, Dataset, chrono::NaiveDate)> {
        self.procedure.proposed.get(name)
    }

    /// Grades proposed for a catalogued dataset, and who did.
    #[must_use]
    pub fn regrading(&self, name: &DatasetName) -> Option<&(PersonId, GradeProposal)> {
        self.procedure.regrading.get(name)
    }

    /// The product of this id.
    #[must_use]
    pub fn product(&self, id: &ProductId) -> Option<&ProductStanding> {
        self.procedure.products.get(id)
    }

    /// The product of a scenario that is certified to release the results of this plan. Source: AO-17.
    #[must_use]
    pub fn product_releasing(
        &self,
        scenario: &ScenarioId,
        plan: Digest,
    ) -> Option<&ProductStanding> {
        self.products().find(|standing| {
            &standing.product.scenario == scenario
                && standing.product.plan == Some(plan)
                && standing.is_approved()
        })
    }

    /// The products that both authorities approved and that have no certificate of registration yet: a
    /// crash came in between.
    #[must_use]
    pub fn uncertified(&self) -> Vec<ProductId> {
        let owed = self
            .products()
            .filter(|standing| standing.certificate.is_none() && standing.is_approved());
        owed.map(|standing| standing.product.id.clone()).collect()
    }

    /// Every product.
    pub fn products(&self) -> impl Iterator<Item = &ProductStanding> {
        self.procedure.products.values()
    }

    /// What was submitted at the gate under this id.
    #[must_use]
    pub fn external(&self, id: &ExternalId) -> Option<&ExternalStanding> {
        self.procedure.externals.get(id)
    }

    /// Everything that was submitted at the gate.
    pub fn externals(&self) -> impl Iterator<Item = &ExternalStanding> {
        self.procedure.externals.values()
    }

    /// The objection of this id.
    #[must_use]
    pub fn objection(&self, id: &ObjectionId) -> Option<&Objection> {
        self.procedure.objections.get(id)
    }

    /// Every objection.
    pub fn objections(&self) -> impl Iterator<Item = &Objection> {
        self.procedure.objections.values()
    }

    /// The violation of this id.
    #[must_use]
    pub fn violation(&self, id: &ViolationId) -> Option<&Violation> {
        self.procedure.violations.get(id)
    }

    /// Every violation.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        self.procedure.violations.values()
    }

    /// What is in force against an operator for its violations. Source: OD-1.
    pub fn measures(&self, operator: &OperatorId) -> impl Iterator<Item = terms::Measure> {
        let violations = self.violations();
        let in_force = violations.filter(move |v| &v.operator == operator && v.lifted.is_none());
        in_force.map(|violation| violation.measure)
    }

    /// The digest of the certificate by which the data of what ended is destroyed.
    #[must_use]
    pub fn destroyed(&self, of: &Disposed) -> Option<&Digest> {
        self.procedure.destroyed.get(&disposed(of))
    }

    /// What is sealed.
    #[must_use]
    pub const fn seals(&self) -> &Seals {
        &self.procedure.seals
    }

    /// Every scenario.
    pub fn scenarios(&self) -> impl Iterator<Item = &ScenarioStanding> {
        self.scenarios.values()
    }

    /// The digest of all that stands: whoever folds the same events has the same.
    #[must_use]
    pub fn digest(&self) -> Digest {
        // What stands was read from JSON, so it can be written as JSON; if it could not, the digest
        // would equal that of no state.
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// How many events have changed what stands. A permit is of one version.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }
}

/// One name for what is disposed of, whichever it is.
fn disposed(of: &Disposed) -> String {
    match of {
        Disposed::Licence(id) => format!("licence/{id}"),
        Disposed::Scenario(id) => format!("scenario/{id}"),
    }
}

#[cfg(test)]
mod tests;
