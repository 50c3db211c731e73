//! The procedure, each step as the right person, through the commands a person would use.

use super::{Seed, SeedDataset};
use crate::{Failure, profile};
use chrono::{DateTime, Utc};
use gateway::{
    Administration, By, Domain, Founding, KeystoreConfig, Secrets, Unadministered, Unopened,
};
use identity::Authority;
use indicatif::{ProgressBar, ProgressStyle};
use manifest::Algorithm;
use register::Command;
use std::path::Path;
use terms::{
    Aspect, KeystoreKind, LicenceId, OperatorId, Person, PersonId, Role, Scenario, Standing,
};

/// Where a profile points until a gateway says otherwise.
pub(crate) const ENDPOINT: &str = "https://127.0.0.1:50051";
/// Where its management services are.
pub(crate) const ADMIN: &str = "https://127.0.0.1:50052";

/// Why a seed could not be played. The half-made folder is removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlayError {
    /// The domain's folder cannot be made.
    #[error(transparent)]
    Unopened(#[from] Unopened),
    /// A step was refused.
    #[error("{step}: {source}")]
    Step {
        /// Which step.
        step: String,
        /// Why.
        source: Box<Unadministered>,
    },
    /// Nobody in the seed has the role a step needs.
    #[error("{step}: the seed has nobody with role `{role}`; add one to people.toml")]
    Nobody {
        /// Which step.
        step: String,
        /// Which role.
        role: &'static str,
    },
    /// A file cannot be written.
    #[error("{0}")]
    File(String),
}

impl From<PlayError> for Failure {
    fn from(error: PlayError) -> Self {
        match error {
            PlayError::File(text) => Self::Other(text),
            other => Self::Usage(other.to_string()),
        }
    }
}

struct Player<'a> {
    seed: &'a Seed,
    administration: Administration,
    now: DateTime<Utc>,
}

/// Where a new domain's ledger and root key are kept, and with what its manifests are signed.
#[derive(Debug)]
pub(crate) struct Keeping<'a> {
    /// A PostgreSQL database, if not its folder.
    pub ledger_postgres: Option<&'a str>,
    pub manifest_algorithm: Algorithm,
    pub keystore: KeystoreKind,
    /// What opens that.
    pub keystore_config: KeystoreConfig,
    pub secrets: Secrets,
}

impl Default for Keeping<'_> {
    fn default() -> Self {
        Self {
            ledger_postgres: None,
            manifest_algorithm: Algorithm::P256,
            keystore: KeystoreKind::Unprotected,
            keystore_config: KeystoreConfig::default(),
            secrets: Secrets::default(),
        }
    }
}

/// Makes a domain from a seed. On any error nothing is left.
///
/// # Errors
/// [`PlayError`].
pub(crate) async fn play(dir: &Path, seed: &Seed, keeping: &Keeping<'_>) -> Result<(), PlayError> {
    let existed = dir.exists();
    let now = Utc::now();
    let founding = Founding {
        name: &seed.name,
        policies: seed.policies.as_deref(),
        manifest_algorithm: keeping.manifest_algorithm,
        ledger_postgres: keeping.ledger_postgres,
        keystore: keeping.keystore,
        keystore_config: &keeping.keystore_config,
        secrets: &keeping.secrets,
        now,
    };
    let domain = Domain::create(dir, &founding)?;
    let played = play_in(domain, seed, now).await;
    if played.is_err() {
        let removed = if existed {
            emptied(dir)
        } else {
            std::fs::remove_dir_all(dir)
        };
        removed.map_err(|error| PlayError::File(format!("{}: {error}", dir.display())))?;
    }
    played
}

/// Empties a folder.
pub(crate) fn emptied(dir: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            std::fs::remove_dir_all(path)?;
        } else {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

async fn play_in(domain: Domain, seed: &Seed, now: DateTime<Utc>) -> Result<(), PlayError> {
    let program = std::env::current_exe().map_err(|error| PlayError::File(error.to_string()))?;
    let administration = Administration::new(domain, program);
    let administration = administration.map_err(|error| PlayError::File(error.to_string()))?;
    let mut player = Player {
        seed,
        administration,
        now,
    };
    player.found().await?;
    player.people().await?;
    player.operators().await?;
    player.datasets().await?;
    player.licences().await?;
    player.scenarios().await
}

impl Player<'_> {
    async fn step(
        &mut self,
        step: &str,
        by: &Person,
        command: Command,
        sealed: Option<&[u8]>,
    ) -> Result<(), PlayError> {
        let by = By::Known(Box::new(by.clone()), self.now);
        let done = self.administration.carry_out(&by, command, sealed).await;
        done.map(|_| ()).map_err(|source| PlayError::Step {
            step: step.to_owned(),
            source: Box::new(source),
        })
    }

    /// Somebody of a role; a domain without an administrator of its own is founded by an unnamed one.
    fn of_role(&self, step: &str, role: Role) -> Result<Person, PlayError> {
        let found = self
            .seed
            .people
            .iter()
            .map(|p| &p.person)
            .find(|person| person.role == role);
        match found {
            Some(person) => Ok(person.clone()),
            None if role == Role::DomainAdmin => founder(),
            None => Err(PlayError::Nobody {
                step: step.to_owned(),
                role: role.word(),
            }),
        }
    }

    async fn found(&mut self) -> Result<(), PlayError> {
        let admin = self.of_role("founding", Role::DomainAdmin)?;
        let command = Command::CreateDomain {
            name: self.seed.name.clone(),
            title: self.seed.title.clone(),
            default_schema: self.seed.default_schema.clone(),
            pilot: true,
            thresholds: self.seed.thresholds,
            obligations: self.seed.obligations,
        };
        self.step("founding", &admin, command, None).await
    }

    /// Each person gets a certificate, a key and a profile: only a pilot keeps people's keys.
    async fn people(&mut self) -> Result<(), PlayError> {
        let dir = self.administration.domain().dir.clone();
        let failed = |error: &dyn std::fmt::Display| PlayError::File(error.to_string());
        let authority = Authority::open(&dir.join("ca")).map_err(|error| failed(&error))?;
        let admin = self.of_role("enrolment", Role::DomainAdmin)?;
        for known in &self.seed.people {
            let person = &known.person;
            let issued = authority
                .issue(person, self.now)
                .map_err(|error| failed(&error))?;
            let folder = dir.join("people").join(person.id.as_str());
            let files = [
                ("cert.pem", issued.certificate_pem.as_str()),
                ("key.pem", issued.key_pem.as_str()),
                ("ca.pem", authority.ca_pem()),
            ];
            write_all(&folder, &files).map_err(|error| failed(&error))?;
            let scenarios = &self.seed.scenarios;
            let scenario = scenarios.iter().find(|s| s.members.contains(&person.id));
            profile::write(
                &folder,
                (ENDPOINT, ADMIN),
                scenario.map(|scenario| &scenario.id),
            )
            .map_err(|error| failed(&error))?;
            let step = format!("person `{}`", person.id);
            let command = Command::EnrolPerson {
                person: person.clone(),
                certificate: issued.digest,
            };
            self.step(&step, &admin, command, Some(known.name.as_bytes()))
                .await?;
        }
        Ok(())
    }

    async fn operators(&mut self) -> Result<(), PlayError> {
        for operator in &self.seed.operators {
            let step = format!("operator `{}`", operator.id);
            let by = self.of_role(&step, Role::DataAuthority)?;
            let command = Command::RegisterOperator(operator.clone());
            self.step(&step, &by, command, None).await?;
        }
        Ok(())
    }

    async fn datasets(&mut self) -> Result<(), PlayError> {
        for known in &self.seed.datasets {
            let SeedDataset {
                dataset,
                data,
                file,
            } = known;
            let step = format!("{}", file.display());
            let by = self.of_role(&step, Role::DataAuthority)?;
            self.step(&step, &by, Command::CatalogueDataset(dataset.clone()), None)
                .await?;
            let admin = self.of_role(&step, Role::DomainAdmin)?;
            let bar = bar(dataset.name.as_str());
            let told = bar.clone();
            let progress = move |progress: vault::Progress| {
                told.set_length(progress.bytes_total);
                told.set_position(progress.bytes_done);
            };
            let by = By::Known(Box::new(admin), self.now);
            let loaded = self
                .administration
                .load(&by, (dataset, data), progress)
                .await;
            bar.finish_and_clear();
            loaded.map_err(|source| PlayError::Step {
                step,
                source: Box::new(source),
            })?;
        }
        Ok(())
    }

    /// Somebody of the operator, who asks.
    fn member(&self, step: &str, operator: &OperatorId) -> Result<Person, PlayError> {
        let people = self.seed.people.iter().map(|known| &known.person);
        let mut of_operator = people.filter(|person| person.operator().as_ref() == Some(operator));
        let nobody = || PlayError::Nobody {
            step: step.to_owned(),
            role: "operator-member",
        };
        of_operator.next().cloned().ok_or_else(nobody)
    }

    async fn licences(&mut self) -> Result<(), PlayError> {
        for licence in &self.seed.licences {
            let step = format!("licence `{}`", licence.id);
            let asks = self.member(&step, &licence.operator)?;
            let reviews = self.of_role(&step, Role::SecurityAuthority)?;
            let grants = self.of_role(&step, Role::DataAuthority)?;
            let id = licence.id.clone();
            self.step(&step, &asks, Command::ApplyLicence(licence.clone()), None)
                .await?;
            self.step(&step, &reviews, Command::ReviewLicence(id.clone()), None)
                .await?;
            // In a pilot the notice may end on the day it begins.
            let notice = Command::NoticeLicence {
                licence: id.clone(),
                until: terms::today(self.now),
            };
            self.step(&step, &grants, notice, None).await?;
            self.step(&step, &grants, Command::GrantLicence(id), None)
                .await?;
        }
        Ok(())
    }

    async fn scenarios(&mut self) -> Result<(), PlayError> {
        for scenario in &self.seed.scenarios {
            let step = format!("scenario `{}`", scenario.id);
            let asks = self.applicant(&step, scenario)?;
            let reviews = self.of_role(&step, Role::SecurityAuthority)?;
            let approves = self.of_role(&step, Role::DataAuthority)?;
            let failed = |source| PlayError::Step {
                step: step.clone(),
                source: Box::new(source),
            };
            let application = self
                .administration
                .translate_rows(scenario.clone(), self.now)
                .await;
            let application = application.map_err(failed)?;
            let row_risks = self
                .administration
                .measure(&application)
                .await
                .map_err(failed)?;
            let id = scenario.id.clone();
            self.step(&step, &asks, Command::ApplyScenario(application), None)
                .await?;
            let respects = [
                (&approves, Aspect::Reasonableness),
                (&approves, Aspect::Compliance),
                (&reviews, Aspect::Security),
            ];
            for (by, aspect) in respects {
                let review = Command::ReviewScenario {
                    scenario: id.clone(),
                    aspect,
                    row_risks: row_risks.clone(),
                };
                self.step(&step, by, review, None).await?;
            }
            self.step(&step, &approves, Command::ApproveScenario(id), None)
                .await?;
        }
        Ok(())
    }

    fn applicant(&self, step: &str, scenario: &Scenario) -> Result<Person, PlayError> {
        let licence: &LicenceId = &scenario.licence;
        let licence = self.seed.licences.iter().find(|known| &known.id == licence);
        match licence {
            Some(licence) => self.member(step, &licence.operator),
            None => Err(PlayError::File(format!(
                "{step}: its licence is not in the seed"
            ))),
        }
    }
}

fn founder() -> Result<Person, PlayError> {
    let id: Result<PersonId, _> = "founder".parse();
    Ok(Person {
        id: id.map_err(|error| PlayError::File(error.to_string()))?,
        role: Role::DomainAdmin,
        organisation: "domain".to_owned(),
        vetted: true,
        nda_until: None,
        standing: Standing::Active,
    })
}

pub(crate) fn write_all(folder: &Path, files: &[(&str, &str)]) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    std::fs::create_dir_all(folder)?;
    for (name, text) in files {
        let mut options = std::fs::File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        options
            .open(folder.join(name))?
            .write_all(text.as_bytes())?;
    }
    Ok(())
}

/// Progress on a terminal, nothing in a pipe.
fn bar(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:30} {bytes}/{total_bytes}");
    let bar = ProgressBar::new(0).with_prefix(name.to_owned());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
