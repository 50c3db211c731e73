//! The rules, by family: each command is judged against what stands, and becomes events or a reason.

mod catalogue; // grades, attributes, subjects
mod licence; // scope, term, order of steps
mod people; // who is enrolled, which operator is registered
mod scenario; // item lists, members, rows

use crate::{Command, State, Unlawful};
use terms::{Event, Person};

impl State {
    /// Judges a command of a person.
    ///
    /// # Errors
    /// [`Unlawful`], naming the rule, the place and the remedy.
    pub fn judge(&self, by: &Person, command: Command) -> Result<Vec<Event>, Unlawful> {
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
            Command::EnrolPerson {
                person,
                certificate,
            } => {
                self.judge_person(&person, &certificate)?;
                Event::PersonEnrolled {
                    by: by.id.clone(),
                    person,
                    certificate,
                }
            }
            Command::RegisterOperator(operator) => {
                self.judge_operator(&operator)?;
                Event::OperatorRegistered {
                    by: by.id.clone(),
                    operator,
                }
            }
            Command::CatalogueDataset(dataset) => {
                self.judge_dataset(&dataset)?;
                Event::DatasetCatalogued {
                    by: by.id.clone(),
                    dataset,
                }
            }
            Command::LoadDataset(snapshot) => {
                self.judge_snapshot(&snapshot)?;
                Event::DatasetLoaded {
                    by: by.id.clone(),
                    snapshot,
                }
            }
            Command::ApplyLicence(licence) => self.apply_licence(by, licence)?,
            Command::ReviewLicence(id) => self.step_licence(by, &id, terms::Stage::Reviewed)?,
            Command::NoticeLicence(id) => self.step_licence(by, &id, terms::Stage::Noticed)?,
            Command::GrantLicence(id) => self.step_licence(by, &id, terms::Stage::Granted)?,
            Command::ApplyScenario(scenario) => self.apply_scenario(by, scenario)?,
            Command::ReviewScenario {
                scenario,
                row_risks,
            } => self.review_scenario(by, &scenario, row_risks)?,
            Command::ApproveScenario(id) => self.approve_scenario(by, &id)?,
        };
        Ok(vec![event])
    }
}

#[cfg(test)]
mod tests;
