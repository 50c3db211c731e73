use std::collections::BTreeMap;
use terms::{
    Dataset, DatasetName, Digest, DomainName, Event, Licence, LicenceId, Obligations, Operator,
    OperatorId, Person, PersonId, RowRisk, Scenario, ScenarioId, Snapshot, Stage, Thresholds,
};

/// What stands after all events so far.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct State {
    name: Option<DomainName>,
    title: String,
    default_schema: String,
    pilot: bool,
    thresholds: Thresholds,
    obligations: Option<Obligations>,
    people: BTreeMap<PersonId, (Person, Digest)>,
    certificates: BTreeMap<Digest, PersonId>,
    operators: BTreeMap<OperatorId, Operator>,
    datasets: BTreeMap<DatasetName, Dataset>,
    snapshots: BTreeMap<DatasetName, Snapshot>,
    licences: BTreeMap<LicenceId, LicenceStanding>,
    scenarios: BTreeMap<ScenarioId, ScenarioStanding>,
    version: u64,
}

/// A licence and the step it is at.
#[derive(Debug, Clone, serde::Serialize)]
pub struct LicenceStanding {
    /// As it stands.
    pub licence: Licence,
    /// The last step.
    pub stage: Stage,
    /// Who applied.
    pub submitter: PersonId,
}

/// A scenario, the step it is at, and what its reviewers saw.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ScenarioStanding {
    /// As it stands.
    pub scenario: Scenario,
    /// The last step.
    pub stage: Stage,
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
    /// Folds one event in. Operations change nothing that stands, so they leave the version alone.
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::DomainCreated {
                name,
                title,
                default_schema,
                pilot,
                thresholds,
                obligations,
            } => {
                self.name = Some(name.clone());
                self.title.clone_from(title);
                self.default_schema.clone_from(default_schema);
                self.pilot = *pilot;
                self.thresholds = *thresholds;
                self.obligations = Some(*obligations);
            }
            Event::PersonEnrolled {
                person,
                certificate,
                ..
            } => self.enrol(person, *certificate),
            Event::OperatorRegistered { operator, .. } => {
                self.operators.insert(operator.id.clone(), operator.clone());
            }
            Event::DatasetCatalogued { dataset, .. } => {
                self.datasets.insert(dataset.name.clone(), dataset.clone());
            }
            Event::DatasetLoaded { snapshot, .. } => self.load(snapshot),
            Event::LicenceStep { by, stage, licence } => {
                let before = self.licences.get(&licence.id).map(|s| s.submitter.clone());
                let submitter = before.unwrap_or_else(|| by.clone());
                let (licence, stage) = (licence.clone(), *stage);
                let standing = LicenceStanding {
                    licence,
                    stage,
                    submitter,
                };
                self.licences.insert(standing.licence.id.clone(), standing);
            }
            Event::ScenarioStep {
                by,
                stage,
                scenario,
                row_risks,
            } => {
                let before = self.scenarios.get(&scenario.id);
                let submitter = before.map_or_else(|| by.clone(), |s| s.submitter.clone());
                let pinned = match (stage, before) {
                    (Stage::Granted, _) | (_, None) => self.newest(scenario),
                    (_, Some(before)) => before.pinned.clone(),
                };
                let (scenario, stage, row_risks) = (scenario.clone(), *stage, row_risks.clone());
                let standing = ScenarioStanding {
                    scenario,
                    stage,
                    row_risks,
                    submitter,
                    pinned,
                };
                self.scenarios
                    .insert(standing.scenario.id.clone(), standing);
            }
            Event::GatewayStarted { .. }
            | Event::OperationOpened { .. }
            | Event::OperationDecided { .. }
            | Event::OperationRefused { .. }
            | Event::ReleaseConflicted { .. }
            | Event::OperationReleased { .. }
            | Event::OperationFailed { .. }
            | Event::OperationAbandoned { .. }
            | Event::Exported { .. }
            | Event::ExportWithheld { .. }
            | Event::WitnessLagged { .. }
            | Event::StrangersCounted { .. }
            | Event::SealedRead { .. }
            | Event::RetentionSet { .. }
            | Event::RedactionRequested { .. }
            | Event::RedactionApproved { .. }
            | Event::TextRedacted { .. }
            | Event::TextsExpired { .. }
            | Event::LogPruned { .. } => return,
        }
        self.version += 1;
    }

    fn enrol(&mut self, person: &Person, certificate: Digest) {
        if let Some((_, old)) = self
            .people
            .insert(person.id.clone(), (person.clone(), certificate))
        {
            self.certificates.remove(&old);
        }
        self.certificates.insert(certificate, person.id.clone());
    }

    fn load(&mut self, snapshot: &Snapshot) {
        if let Some(dataset) = self.datasets.get_mut(&snapshot.dataset) {
            for (item, data_type) in dataset.items.iter_mut().zip(&snapshot.types) {
                item.data_type = *data_type;
            }
        }
        for standing in self.scenarios.values_mut() {
            let mut datasets = standing.scenario.datasets.iter();
            if datasets.any(|dataset| dataset.name == snapshot.dataset) {
                let pinned = &mut standing.pinned;
                pinned
                    .entry(snapshot.dataset.clone())
                    .or_insert(snapshot.number);
            }
        }
        self.snapshots
            .insert(snapshot.dataset.clone(), snapshot.clone());
    }

    /// The newest snapshot of each dataset of a scenario that has data.
    fn newest(&self, scenario: &Scenario) -> BTreeMap<DatasetName, u32> {
        let datasets = scenario.datasets.iter().map(|dataset| &dataset.name);
        let newest = |name: &DatasetName| Some((name.clone(), self.snapshots.get(name)?.number));
        datasets.filter_map(newest).collect()
    }

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

#[cfg(test)]
mod tests;
