//! Commands, each as the right person: policy says whether, the register says whether it is lawful,
//! the ledger records it, and only then it stands.

use crate::{Domain, row_risk};
use chrono::{DateTime, Utc};
use dispatch::{Failure, Pool, Statement};
use policy::Refusal;
use register::{Command, Unlawful};
use std::path::{Path, PathBuf};
use terms::{Dataset, Person, RowRisk, Scenario, Snapshot};
use vault::{Progress, Unreceivable};

/// A domain under administration.
#[derive(Debug)]
pub struct Administration {
    domain: Domain,
    pool: Pool,
}

/// Why a command was not carried out. Nothing of it stands.
#[derive(Debug, thiserror::Error)]
pub enum Unadministered {
    /// The role may not.
    #[error("{}: {}", .0.code(), .0)]
    Refused(#[from] Refusal),
    /// The rules do not allow it.
    #[error(transparent)]
    Unlawful(#[from] Unlawful),
    /// An item's mask reveals too much.
    #[error("policy.mask-too-loose: dataset `{dataset}`, {why} (CG-B 汇聚 L2-4)")]
    TooLoose {
        /// Which dataset.
        dataset: String,
        /// What and how much.
        why: policy::TooLoose,
    },
    /// A row policy cannot be translated.
    #[error("row policy of dataset `{dataset}`: {code}{name}; write a condition over its items")]
    RowPolicy {
        /// Which dataset.
        dataset: String,
        /// The planner's code.
        code: &'static str,
        /// The name it stumbled over, in brackets, where there is one.
        name: String,
    },
    /// Data cannot be taken in.
    #[error(transparent)]
    Data(#[from] Unreceivable),
    /// A stored file cannot be read.
    #[error("{0}")]
    Stored(String),
    /// The ledger did not take it.
    #[error(transparent)]
    Ledger(#[from] ledger::Breach),
}

impl Administration {
    /// Takes a domain under administration. Needs a runtime's context.
    ///
    /// # Errors
    /// [`Failure`], if children cannot be started.
    pub fn new(domain: Domain, program: PathBuf) -> Result<Self, Failure> {
        let pool = Pool::new(domain.config.pool(program))?;
        Ok(Self { domain, pool })
    }

    /// The domain as it stands.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Carries a command out as a person; what is sealed stands encrypted beside its entry.
    ///
    /// # Errors
    /// [`Unadministered`]; nothing is recorded then.
    pub async fn carry_out(
        &mut self,
        by: &Person,
        command: Command,
        sealed: Option<&[u8]>,
        now: DateTime<Utc>,
    ) -> Result<(), Unadministered> {
        let submitter = match &command {
            Command::ReviewLicence(id) | Command::NoticeLicence(id) | Command::GrantLicence(id) => {
                self.domain
                    .state
                    .licence(id)
                    .map(|standing| standing.submitter.clone())
            }
            Command::ReviewScenario { scenario: id, .. } | Command::ApproveScenario(id) => self
                .domain
                .state
                .scenario(id)
                .map(|standing| standing.submitter.clone()),
            Command::CreateDomain { .. }
            | Command::EnrolPerson { .. }
            | Command::RegisterOperator(_)
            | Command::CatalogueDataset(_)
            | Command::LoadDataset(_)
            | Command::ApplyLicence(_)
            | Command::ApplyScenario(_) => None,
        };
        self.domain
            .engine
            .manage(by, command.action(), submitter.as_ref())?;
        if let Command::CatalogueDataset(dataset) = &command {
            self.judge_masks(dataset)?;
        }
        for event in self.domain.state.judge(by, command)? {
            self.domain.ledger.append(&event, sealed, now).await?;
            self.domain.state.apply(&event);
        }
        Ok(())
    }

    fn judge_masks(&self, dataset: &Dataset) -> Result<(), Unadministered> {
        let masks = self.domain.engine.masks()?;
        for item in &dataset.items {
            masks.judge(item).map_err(|why| Unadministered::TooLoose {
                dataset: dataset.name.to_string(),
                why,
            })?;
        }
        Ok(())
    }

    /// Takes data in: sealed, numbered, recorded.
    ///
    /// # Errors
    /// [`Unadministered`]; nothing half-done is left.
    pub async fn load(
        &mut self,
        by: &Person,
        (dataset, data): (&Dataset, &Path),
        progress: &mut (dyn FnMut(Progress) + Send),
        now: DateTime<Utc>,
    ) -> Result<Snapshot, Unadministered> {
        let number = self
            .domain
            .state
            .snapshot(&dataset.name)
            .map_or(1, |last| last.number + 1);
        let snapshot = self
            .domain
            .store
            .ingest(dataset, data, number, &mut |p| progress(p))?;
        let command = Command::LoadDataset(snapshot.clone());
        if let Err(error) = self.carry_out(by, command, None, now).await {
            let discarded = self.domain.store.discard(&dataset.name, number);
            discarded.map_err(|error| Unadministered::Stored(error.to_string()))?;
            return Err(error);
        }
        Ok(snapshot)
    }

    /// Translates the row policies of an application, so that the reviewers approve what is enforced.
    ///
    /// # Errors
    /// [`Unadministered::RowPolicy`].
    pub async fn translate_rows(
        &self,
        mut scenario: Scenario,
        now: DateTime<Utc>,
    ) -> Result<Scenario, Unadministered> {
        for wanted in &mut scenario.datasets {
            let (Some(rows), Some(dataset)) =
                (&wanted.rows, self.domain.state.dataset(&wanted.name))
            else {
                continue;
            };
            let columns = dataset
                .items
                .iter()
                .filter_map(|i| Some((i.name.clone(), i.data_type?)));
            let table = wire::job::Table {
                dataset: dataset.name.clone(),
                columns: columns.collect(),
            };
            let default_schema = self.domain.state.default_schema();
            let statement = Statement {
                sql: rows,
                default_schema,
                now,
            };
            let translated = self.pool.row_policy(table, statement).await;
            let translated = translated.map_err(|why| Unadministered::RowPolicy {
                dataset: wanted.name.to_string(),
                code: why.code(),
                name: match why.name() {
                    "" => String::new(),
                    name => format!(" (`{name}`)"),
                },
            })?;
            wanted.rows_plan = Some(hex::encode(translated.encode()));
        }
        Ok(scenario)
    }

    /// Measures how identifying the rows are that a scenario would show. Source: RA-3.
    ///
    /// # Errors
    /// [`Unadministered::Stored`].
    pub fn measure(&self, scenario: &Scenario) -> Result<Vec<RowRisk>, Unadministered> {
        let mut risks = Vec::new();
        for wanted in scenario.datasets.iter().filter(|wanted| wanted.show_rows) {
            let Some(dataset) = self.domain.state.dataset(&wanted.name) else {
                continue;
            };
            if dataset.is_protected() {
                let measured = row_risk::measure(&self.domain, dataset, wanted);
                risks.push(measured.map_err(Unadministered::Stored)?);
            }
        }
        Ok(risks)
    }
}
