//! The rules, by family: each command is judged against what stands, and becomes events or a reason.

mod people; // who is enrolled, vetted, under agreement, let in
mod operator; // who is registered, with which papers and drills
mod catalogue; // grades, attributes, subjects
mod grading; // proposed and confirmed grades, risks, what is not operated on
mod licence; // calls, scope, term, order of steps
mod scenario; // item lists, members, rows
mod seal; // 封存 and its release
mod product; // forms, fees, two authorities
mod external; // what an operator brings in, two authorities
mod workspace; // names, room, whose
mod supervision; // objections, violations, destruction

pub use self::catalogue::judge_entry;

use crate::{Command, State, Unlawful, command::About};
use chrono::{DateTime, NaiveDate, Utc};
use terms::{Course, Event, Person, PersonId, PersonStep, Standing, today};

/// Who takes steps that only waited for the clock. Nobody is enrolled by this id.
pub(crate) const CLOCK: &str = "clock";

/// Working days for an authority's answer. Source: PD-24, RA-5.
const ANSWER_DAYS: u32 = 10;
/// Working days for a change of the catalogue. Source: PD-14.
const CATALOGUE_DAYS: u32 = 15;

/// Who takes a step, and on which civil day.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    by: &'a Person,
    today: NaiveDate,
}

impl State {
    /// Judges a command of a person at a moment.
    ///
    /// # Errors
    /// [`Unlawful`], naming the rule, the place and the remedy.
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    pub fn judge(
        &self,
        by: &Person,
        command: Command,
        now: DateTime<Utc>,
    ) -> Result<Vec<Event>, Unlawful> {
        let today = today(now);
        let asked = Asked { by, today };
        let event = match command {
            Command::CreateDomain {
                name,
                title,
                default_schema,
                pilot,
                thresholds,
                obligations,
            } => {
                if self.name().is_some() {
                    let place = format!("domain `{name}`");
                    let what = "the domain exists already";
                    return Err(Unlawful::new("register.domain-exists", place, what, "–"));
                }
                Event::DomainCreated {
                    name,
                    title,
                    default_schema,
                    pilot,
                    thresholds,
                    obligations,
                }
            }
            Command::SetHolidays(holidays) => Event::HolidaysSet {
                by: by.id.clone(),
                holidays,
            },
            Command::EnrolPerson {
                person,
                certificate,
            } => self.enrol_person(asked, person, certificate)?,
            Command::VetPerson {
                person,
                certificate,
            } => {
                self.looked_at(&person, certificate)?;
                self.change(asked, &person, PersonStep::Vetted)?
            }
            Command::VouchPerson {
                person,
                certificate,
            } => {
                self.looked_at(&person, certificate)?;
                self.vouch_person(asked, &person)?
            }
            Command::SignAgreement { person, until } => {
                self.sign_agreement(asked, &person, until)?
            }
            Command::RenewOwnCertificate {
                person,
                certificate,
            } => self.renew_own_certificate(asked, &person, certificate)?,
            Command::RenewCertificate {
                person,
                certificate,
            } => self.renew_certificate(asked, &person, certificate)?,
            Command::RevokeCertificate { person, .. } => {
                self.change(asked, &person, PersonStep::CertificateRevoked)?
            }
            Command::SuspendPerson { person, .. } => {
                self.change(asked, &person, PersonStep::Suspended)?
            }
            Command::ReinstatePerson(id) => self.change(asked, &id, PersonStep::Reinstated)?,
            Command::DismissPerson(id) => self.change(asked, &id, PersonStep::Left)?,
            Command::RegisterOperator(operator) => self.register_operator(asked, operator)?,
            Command::FileEvidence { operator, evidence } => {
                self.file_evidence(asked, &operator, evidence)?
            }
            Command::NameOfficer { operator, officer } => {
                self.name_officer(asked, &operator, officer)?
            }
            Command::FilePlan {
                operator,
                plan,
                drill_until,
            } => self.file_plan(asked, &operator, (plan, drill_until))?,
            Command::RecordDrill {
                operator,
                next_until,
            } => self.record_drill(asked, &operator, next_until)?,
            Command::AssessOperator {
                operator,
                passed,
                report,
            } => self.assess_operator(asked, &operator, (passed, report))?,
            Command::LoadDataset {
                snapshot,
                row_risks,
            } => self.load_dataset(by, snapshot, row_risks)?,
            Command::ProposeDataset(dataset) => self.propose_dataset(asked, dataset)?,
            Command::CatalogueDataset(dataset) => self.catalogue_dataset(asked, dataset)?,
            Command::ProposeGrades { dataset, items } => {
                self.propose_grades(asked, dataset, items)?
            }
            Command::ConfirmGrades {
                dataset,
                grades,
                reason,
            } => self.confirm_grades(asked, &dataset, (&grades, reason.is_some()))?,
            Command::AssessRisk { dataset, risk } => self.assess_risk(asked, &dataset, risk)?,
            Command::ProhibitDataset { dataset, basis } => {
                self.prohibit_dataset(asked, &dataset, basis)?
            }
            Command::SuspendDataset { dataset, .. } => {
                self.set_standing(asked, &dataset, Standing::Suspended)?
            }
            Command::ReinstateDataset(name) => self.set_standing(asked, &name, Standing::Active)?,
            Command::WithdrawDataset { dataset, .. } => {
                self.set_standing(asked, &dataset, Standing::Ended)?
            }
            Command::AnnounceLicences(call) => self.announce(asked, call)?,
            Command::ApplyLicence(licence) => self.apply_licence(asked, licence)?,
            Command::ReviewLicence(id) => self.review_licence(asked, &id)?,
            Command::NoticeLicence { licence, until } => {
                self.notice_licence(asked, &licence, until)?
            }
            Command::GrantLicence(id) => self.grant_licence(asked, &id)?,
            Command::RefuseLicence { licence, .. } => self.refuse_licence(asked, &licence)?,
            Command::SuspendLicence {
                licence,
                cause,
                rectify_by,
                ..
            } => self.suspend_licence(asked, &licence, (cause, rectify_by))?,
            Command::AcceptRectification(id) => self.accept_rectification(asked, &id)?,
            Command::TerminateLicence { licence, cause, .. } => {
                self.terminate_licence(asked, &licence, cause)?
            }
            Command::SurrenderLicence(id) => self.surrender_licence(asked, &id)?,
            Command::ExpireLicence(id) => self.expire_licence(asked, &id)?,
            Command::ApplyScenario(scenario) => self.apply_scenario(asked, scenario)?,
            Command::ReviewScenario {
                scenario,
                aspect,
                row_risks,
            } => self.review_scenario(asked, &scenario, (aspect, row_risks))?,
            Command::ApproveScenario(id) => self.approve_scenario(asked, &id)?,
            Command::RefuseScenario { scenario, .. } => self.refuse_scenario(asked, &scenario)?,
            Command::SuspendScenario {
                scenario, cause, ..
            } => self.suspend_scenario(asked, &scenario, cause)?,
            Command::ReportRisk { scenario, .. } => self.report_risk(asked, &scenario)?,
            Command::ResumeScenario(id) => self.resume_scenario(asked, &id)?,
            Command::CloseScenario { scenario, cause } => {
                self.close_scenario(asked, &scenario, cause)?
            }
            Command::RegisterProduct(product) => self.register_product(asked, product)?,
            Command::ReviewProduct { product, aspect } => {
                self.review_product(asked, &product, aspect)?
            }
            Command::RefuseProduct { product, .. } => self.refuse_product(asked, &product)?,
            Command::PublishProduct(id) => self.publish_product(asked, &id)?,
            Command::RecallProduct { product, cause, .. } => {
                self.recall_product(asked, &product, cause)?
            }
            Command::SubmitExternal(external) => self.submit_external(asked, *external)?,
            Command::ReviewExternal {
                external,
                scrutiny,
                snapshot,
            } => self.review_external(asked, (scrutiny, &external, snapshot))?,
            Command::RefuseExternal { external, .. } => self.refuse_external(asked, &external)?,
            Command::WithdrawExternal(id) => self.withdraw_external(asked, &id)?,
            Command::ExpireExternal(id) => self.expire_external(asked, &id)?,
            Command::LodgeObjection {
                objection, against, ..
            } => self.lodge_objection(asked, objection, against)?,
            Command::AnswerObjection {
                objection, upheld, ..
            } => self.answer_objection(asked, objection, upheld)?,
            Command::RecordViolation {
                violation,
                operator,
                kind,
                measure,
                ..
            } => self.record_violation(asked, (violation, operator), (kind, measure))?,
            Command::LiftViolation(id) => self.lift_violation(asked, id)?,
            Command::KeepDerived { derived, room } => self.keep_derived(asked, *derived, room)?,
            Command::DropDerived { scenario, name } => {
                self.drop_derived(asked, &scenario, &name)?
            }
            Command::EndDerived { dataset, end } => self.end_derived(asked, &dataset, end)?,
            Command::ConfirmDestruction { of, certificate } => {
                self.confirm_destruction(asked, of, certificate)?
            }
            Command::SealData {
                unit,
                basis,
                until,
                listing,
            } => return self.seal_data(asked, unit, (basis, until, listing)),
            Command::ExtendSeal { unit, until } => self.extend_seal(asked, unit, until)?,
            Command::RequestSealRelease(unit) => self.request_seal_release(asked, unit)?,
            Command::ApproveSealRelease(unit) => self.approve_seal_release(asked, unit)?,
            Command::CheckSeal { unit, found, holds } => {
                self.check_seal(asked, unit, (found, holds))?
            }
        };
        Ok(vec![event])
    }

    /// Who submitted what a command decides on, for the policies: nobody decides on their own.
    #[must_use]
    pub fn submitter(&self, command: &Command) -> Option<&PersonId> {
        match command.about() {
            About::Nothing => None,
            About::Licence(id) => self.licence(id).map(|standing| &standing.submitter),
            About::Scenario(id) => self.scenario(id).map(|standing| &standing.submitter),
            About::Product(id) => self.product(id).map(|standing| &standing.submitter),
            About::External(id) => self.external(id).map(|standing| &standing.submitter),
            About::Objection(id) => self.objection(id).map(|objection| &objection.lodged_by),
            About::Seal(unit) => {
                let release = self.seals().of(unit).and_then(|seal| seal.release.as_ref());
                release.map(|release| &release.by)
            }
            About::Holder(id) => self.person(id).map(|person| &person.id),
            About::Dataset(name) => {
                let entry = self.proposed(name).map(|(by, ..)| by);
                entry.or_else(|| self.regrading(name).map(|(by, _)| by))
            }
        }
    }

    /// The person in whose name the clock takes its steps. No policy permits it anything.
    ///
    /// # Errors
    /// Never; the id is a lawful one.
    pub fn clock() -> Result<Person, terms::Unreadable> {
        Ok(Person {
            id: CLOCK.parse()?,
            role: terms::Role::DomainAdmin,
            organisation: CLOCK.to_owned(),
            vetted: false,
            nda_until: None,
            standing: Standing::Active,
        })
    }

    /// The course of an application of today, with the day by which it is answered. Source: PD-24.
    fn applied(&self, today: NaiveDate) -> Course {
        Course {
            since: Some(today),
            due: Some(self.calendar().after(today, ANSWER_DAYS)),
            ..Course::default()
        }
    }
}

#[cfg(test)]
mod tests;
