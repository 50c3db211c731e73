use super::{ExternalStanding, LicenceStanding, ProductStanding, ScenarioStanding, State};
use std::collections::BTreeMap;
use terms::{
    Dataset, DatasetName, DatasetStep, Digest, Event, External, Person, PersonId, PersonStep,
    RowRisk, Scenario, ScenarioDataset, ScenarioId, Snapshot, Stage, Wanted,
};

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
            } => self.enrol(person, Some(*certificate)),
            Event::PersonChanged {
                by,
                step,
                person,
                certificate,
            } => {
                self.vouch(by, *step, person);
                self.enrol(person, *certificate);
            }
            Event::OperatorRegistered { operator, .. }
            | Event::OperatorChanged { operator, .. } => {
                self.operators.insert(operator.id.clone(), operator.clone());
            }
            Event::DatasetProposed { by, dataset, due } => {
                let proposal = (by.clone(), dataset.clone(), *due);
                let proposed = &mut self.procedure.proposed;
                proposed.insert(dataset.name.clone(), proposal);
            }
            Event::DatasetCatalogued { dataset, .. } => {
                self.procedure.proposed.remove(&dataset.name);
                self.datasets.insert(dataset.name.clone(), dataset.clone());
            }
            Event::GradesProposed { by, proposal } => {
                let regrading = &mut self.procedure.regrading;
                regrading.insert(proposal.dataset.clone(), (by.clone(), proposal.clone()));
            }
            Event::DatasetChanged { step, dataset, .. } => {
                if *step == DatasetStep::Graded {
                    self.procedure.regrading.remove(&dataset.name);
                }
                self.datasets.insert(dataset.name.clone(), dataset.clone());
            }
            Event::DatasetLoaded {
                snapshot,
                row_risks,
                ..
            } => self.load(snapshot, row_risks),
            Event::LicencesAnnounced { announcement, .. } => {
                let announcements = &mut self.procedure.announcements;
                announcements.insert(announcement.id.clone(), announcement.clone());
            }
            Event::LicenceStep {
                by,
                stage,
                licence,
                course,
            } => {
                let before = self.licences.get(&licence.id).map(|s| s.submitter.clone());
                if before.is_none() {
                    let licences = self.by_operator.entry(licence.operator.clone());
                    licences.or_default().push(licence.id.clone());
                }
                let standing = LicenceStanding {
                    licence: licence.clone(),
                    stage: *stage,
                    course: course.clone(),
                    submitter: before.unwrap_or_else(|| by.clone()),
                };
                self.licences.insert(standing.licence.id.clone(), standing);
            }
            Event::ScenarioStep {
                by,
                stage,
                scenario,
                row_risks,
                course,
            } => {
                let before = self.scenarios.get(&scenario.id);
                if before.is_none() {
                    let scenarios = self.by_licence.entry(scenario.licence.clone());
                    scenarios.or_default().push(scenario.id.clone());
                }
                let submitter = before.map_or_else(|| by.clone(), |s| s.submitter.clone());
                let pinned = match (stage, before) {
                    (Stage::Granted, _) | (_, None) => self.newest(scenario),
                    (_, Some(before)) => before.pinned.clone(),
                };
                let standing = ScenarioStanding {
                    scenario: scenario.clone(),
                    stage: *stage,
                    course: course.clone(),
                    row_risks: row_risks.clone(),
                    submitter,
                    pinned,
                };
                self.scenarios
                    .insert(standing.scenario.id.clone(), standing);
            }
            Event::ProductStep {
                by,
                stage,
                product,
                course,
            } => {
                let products = &mut self.procedure.products;
                let before = products.get(&product.id);
                let standing = ProductStanding {
                    product: product.clone(),
                    stage: *stage,
                    course: course.clone(),
                    submitter: before.map_or_else(|| by.clone(), |s| s.submitter.clone()),
                    certificate: before.and_then(|s| s.certificate),
                };
                products.insert(product.id.clone(), standing);
            }
            Event::ProductCertified {
                product,
                certificate,
            } => {
                if let Some(standing) = self.procedure.products.get_mut(product) {
                    standing.certificate = Some(*certificate);
                }
            }
            Event::ExternalStep {
                by,
                stage,
                external,
                course,
                snapshot,
            } => {
                let externals = &mut self.procedure.externals;
                let before = externals.get(&external.id).map(|s| s.submitter.clone());
                let standing = ExternalStanding {
                    external: (**external).clone(),
                    stage: *stage,
                    course: course.clone(),
                    submitter: before.unwrap_or_else(|| by.clone()),
                    snapshot: snapshot.as_ref().map(|snapshot| snapshot.number),
                };
                externals.insert(external.id.clone(), standing);
                if let Some(snapshot) = snapshot {
                    self.let_in(external, snapshot);
                }
            }
            Event::ObjectionLodged { objection } => {
                let objections = &mut self.procedure.objections;
                objections.insert(objection.id.clone(), objection.clone());
            }
            Event::ObjectionAnswered { objection, answer } => {
                if let Some(objection) = self.procedure.objections.get_mut(objection) {
                    objection.answer = Some(answer.clone());
                }
            }
            Event::ViolationRecorded { violation } => {
                let violations = &mut self.procedure.violations;
                violations.insert(violation.id.clone(), violation.clone());
            }
            Event::ViolationLifted { violation, on, .. } => {
                if let Some(violation) = self.procedure.violations.get_mut(violation) {
                    violation.lifted = Some(*on);
                }
            }
            Event::DestructionConfirmed {
                of, certificate, ..
            } => {
                let destroyed = &mut self.procedure.destroyed;
                destroyed.insert(super::disposed(of), *certificate);
            }
            Event::HolidaysSet { holidays, .. } => self.procedure.calendar.load(holidays),
            Event::DerivedKept { derived, .. } => self.workspace.keep(derived),
            Event::DerivedDropped { dataset, .. } => self.workspace.drop(dataset),
            Event::SealListed { .. }
            | Event::DataSealed { .. }
            | Event::SealExtended { .. }
            | Event::SealReleaseRequested { .. }
            | Event::SealReleaseApproved { .. }
            | Event::SealReleased { .. } => self.procedure.seals.apply(event),
            Event::GatewayStarted { .. }
            | Event::OperationOpened { .. }
            | Event::OperationDecided { .. }
            | Event::OperationRefused { .. }
            | Event::ReleaseConflicted { .. }
            | Event::SensitiveFound { .. }
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
            | Event::LogPruned { .. }
            | Event::KeysUnlocked { .. }
            | Event::KeyCreated { .. }
            | Event::KeysRotated { .. }
            | Event::KeyDestroyed { .. }
            | Event::DestructionRequested { .. }
            | Event::DestructionApproved { .. }
            | Event::DestructionCertified { .. }
            | Event::BackupMade { .. }
            | Event::KeysCopied { .. }
            | Event::DomainRestored { .. }
            | Event::SealChecked { .. } => return,
        }
        self.version += 1;
    }

    /// The first word for somebody waits for the second. It is about the certificate they hold: with
    /// another one it counts no more.
    fn vouch(&mut self, by: &PersonId, step: PersonStep, person: &Person) {
        let role = self.person(by).map(|by| by.role);
        let vouched = &mut self.procedure.vouched;
        match step {
            PersonStep::Vouched if !person.vetted => {
                vouched.extend(role.map(|role| (person.id.clone(), role)));
            }
            PersonStep::Vouched
            | PersonStep::Vetted
            | PersonStep::CertificateRenewed
            | PersonStep::CertificateRevoked
            | PersonStep::Left => {
                vouched.remove(&person.id);
            }
            PersonStep::AgreementSigned | PersonStep::Suspended | PersonStep::Reinstated => {}
        }
    }

    /// A certificate that held before and does not hold now is nobody's.
    fn enrol(&mut self, person: &Person, certificate: Option<Digest>) {
        let standing = (person.clone(), certificate);
        if let Some((_, Some(old))) = self.people.insert(person.id.clone(), standing) {
            self.certificates.remove(&old);
        }
        if let Some(certificate) = certificate {
            self.certificates.insert(certificate, person.id.clone());
        }
    }

    /// What both authorities approved at the gate: it is in the catalogue, bound to its scenario, listed
    /// there, and seen there in the state that was approved.
    fn let_in(&mut self, external: &External, snapshot: &Snapshot) {
        let name = &external.dataset.name;
        let entry = self.datasets.entry(name.clone());
        let dataset = entry.or_insert_with(|| external.dataset.clone());
        dataset.bound = Some(external.scenario.clone());
        self.load(snapshot, &BTreeMap::new());
        if let Some(standing) = self.scenarios.get_mut(&external.scenario) {
            let listed = &mut standing.scenario.datasets;
            if !listed.iter().any(|wanted| wanted.name == *name) {
                listed.push(ScenarioDataset {
                    name: name.clone(),
                    items: Wanted::All,
                    aggregate: Vec::new(),
                    rows: None,
                    rows_plan: None,
                    show_rows: false,
                });
            }
            standing.pinned.insert(name.clone(), snapshot.number);
        }
    }

    fn load(&mut self, snapshot: &Snapshot, row_risks: &BTreeMap<ScenarioId, RowRisk>) {
        if let Some(dataset) = self.datasets.get_mut(&snapshot.dataset) {
            for (item, data_type) in dataset.items.iter_mut().zip(&snapshot.types) {
                item.data_type = *data_type;
            }
        }
        for (id, standing) in &mut self.scenarios {
            let mut datasets = standing.scenario.datasets.iter();
            if datasets.any(|dataset| dataset.name == snapshot.dataset) {
                let pinned = &mut standing.pinned;
                let pinned = *pinned
                    .entry(snapshot.dataset.clone())
                    .or_insert(snapshot.number);
                // What it sees now, and what it would see if it were granted again.
                let kept =
                    |risk: &RowRisk| risk.dataset != snapshot.dataset || risk.snapshot == pinned;
                standing.row_risks.retain(kept);
                standing.row_risks.extend(row_risks.get(id).cloned());
            }
        }
        self.snapshots
            .insert(snapshot.dataset.clone(), snapshot.clone());
    }

    /// The scenarios that show rows of a protected dataset, or would.
    pub fn showing_rows<'s>(
        &'s self,
        dataset: &'s DatasetName,
    ) -> impl Iterator<Item = &'s ScenarioId> {
        let protected = self.dataset(dataset).is_some_and(Dataset::is_protected);
        let ended = |stage| {
            let over = [
                Stage::Refused,
                Stage::Closed,
                Stage::Terminated,
                Stage::Expired,
            ];
            over.contains(&stage)
        };
        let shows = move |standing: &ScenarioStanding| {
            let mut wanted = standing.scenario.datasets.iter();
            protected && !ended(standing.stage) && wanted.any(|w| &w.name == dataset && w.show_rows)
        };
        let scenarios = self.scenarios.iter();
        scenarios.filter_map(move |(id, standing)| shows(standing).then_some(id))
    }

    /// The newest snapshot of each dataset of a scenario that has data.
    fn newest(&self, scenario: &Scenario) -> BTreeMap<DatasetName, u32> {
        let datasets = scenario.datasets.iter().map(|dataset| &dataset.name);
        let newest = |name: &DatasetName| Some((name.clone(), self.snapshots.get(name)?.number));
        datasets.filter_map(newest).collect()
    }
}
