//! What the commands need done beside them: data taken in, row policies translated, risks measured.

use crate::{BarredItem, By, Carried, Domain, Order, row_risk};
use chrono::{DateTime, Utc};
use dispatch::{Failure, Pool, Statement};
use policy::Refusal;
use register::{Command, Unlawful};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use terms::{Dataset, DatasetName, RowRisk, Scenario, ScenarioDataset, ScenarioId, Snapshot};
use vault::{Progress, Unreceivable};

/// A domain under administration. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Administration {
    domain: Arc<Domain>,
    pool: Pool,
}

/// Why a command was not carried out. Nothing of it stands.
#[derive(Debug, thiserror::Error)]
pub enum Unadministered {
    /// Nobody who may ask anything.
    #[error("{}: {}", .0.code(), .0)]
    Unproved(#[from] identity::Unproved),
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
    /// A row policy reads what it may not.
    #[error(transparent)]
    RowItem(#[from] BarredItem),
    /// Data cannot be taken in.
    #[error(transparent)]
    Data(#[from] Unreceivable),
    /// A stored file cannot be read.
    #[error("{0}")]
    Stored(String),
    /// The ledger did not take it.
    #[error(transparent)]
    Ledger(#[from] ledger::Breach),
    /// The keys cannot be used.
    #[error("{}: {}", .0.code(), .0)]
    Keys(#[from] vault::Unkept),
    /// Carrying it out broke off.
    #[error("gateway.broken: the command broke off; look at the log for whether it stands")]
    Broken,
}

impl Administration {
    /// Takes a domain under administration. Needs a runtime's context.
    ///
    /// # Errors
    /// [`Failure`], if children cannot be started.
    pub fn new(domain: Domain, program: PathBuf) -> Result<Self, Failure> {
        let pool = Pool::new(domain.config.pool(program))?;
        Ok(Self::of(Arc::new(domain), pool))
    }

    /// The administration of a served domain.
    pub(crate) const fn of(domain: Arc<Domain>, pool: Pool) -> Self {
        Self { domain, pool }
    }

    /// The domain as it stands.
    #[must_use]
    pub const fn domain(&self) -> &Arc<Domain> {
        &self.domain
    }

    /// Carries a command out as a person; what is sealed stands encrypted beside its entry.
    ///
    /// # Errors
    /// [`Unadministered`]; nothing is recorded then.
    pub async fn carry_out(
        &self,
        by: &By,
        command: Command,
        sealed: Option<&[u8]>,
    ) -> Result<Carried, Unadministered> {
        let order = Order {
            by: by.clone(),
            command,
            sealed: sealed.map(<[u8]>::to_vec),
        };
        self.domain.carry_out(order).await
    }

    /// Takes data in: sealed, numbered, recorded.
    ///
    /// # Errors
    /// [`Unadministered`]; nothing half-done is left.
    pub async fn load(
        &self,
        by: &By,
        (dataset, data): (&Dataset, &Path),
        progress: impl FnMut(Progress) + Send + 'static,
    ) -> Result<(Snapshot, Carried), Unadministered> {
        let (this, by) = (self.clone(), by.clone());
        let (dataset, data) = (dataset.clone(), data.to_owned());
        // A caller who goes away leaves no data that is neither on record nor discarded.
        let loaded = tokio::spawn(async move { this.loaded(&by, dataset, data, progress).await });
        loaded.await.unwrap_or(Err(Unadministered::Broken))
    }

    async fn loaded(
        &self,
        by: &By,
        dataset: Dataset,
        data: PathBuf,
        mut progress: impl FnMut(Progress) + Send + 'static,
    ) -> Result<(Snapshot, Carried), Unadministered> {
        // One at a time: a snapshot's number is taken before its data is.
        let _loading = self.domain.loading.lock().await;
        let last = {
            let stands = self.domain.live.read();
            stands.state.judge_unsealed(&dataset.name)?;
            stands.state.snapshot(&dataset.name).map(|last| last.number)
        };
        let number = last.map_or(1, |last| last + 1);
        let (store, name) = (self.domain.store.clone(), dataset.name.clone());
        let ingested = tokio::task::spawn_blocking(move || {
            // What a load left that was killed before it was on record.
            let discarded = store.discard(&dataset.name, number);
            discarded.map_err(|error| Unadministered::Stored(error.to_string()))?;
            let ingested = store.ingest(&dataset, &data, number, &mut |p| progress(p));
            ingested.map_err(Unadministered::from)
        });
        let snapshot = ingested.await.map_err(|_| Unadministered::Broken)??;
        self.domain.record_keys::<Unadministered>().await?;
        let recorded = match self.measured_load(&snapshot).await {
            Ok(row_risks) => {
                let snapshot = snapshot.clone();
                let command = Command::LoadDataset {
                    snapshot,
                    row_risks,
                };
                self.carry_out(by, command, None).await
            }
            Err(error) => Err(error),
        };
        match recorded {
            Ok(carried) => Ok((snapshot, carried)),
            // The log may hold it all the same, so that the data stays; the next load discards it if not.
            Err(error @ (Unadministered::Ledger(_) | Unadministered::Broken)) => Err(error),
            Err(error) => {
                let discarded = self.domain.store.discard(&name, number);
                discarded.map_err(|error| Unadministered::Stored(error.to_string()))?;
                Err(error)
            }
        }
    }

    /// The risk of the rows of what came in, for each scenario that would show them. Source: RA-3.
    async fn measured_load(
        &self,
        snapshot: &Snapshot,
    ) -> Result<BTreeMap<ScenarioId, RowRisk>, Unadministered> {
        let showing: Vec<Scenario> = {
            let state = &self.domain.live.read().state;
            let scenarios = state.showing_rows(&snapshot.dataset);
            let scenarios = scenarios.filter_map(|id| Some(state.scenario(id)?.scenario.clone()));
            scenarios.collect()
        };
        let mut risks = BTreeMap::new();
        for scenario in showing {
            let of_this = |wanted: &&ScenarioDataset| wanted.name == snapshot.dataset;
            for wanted in scenario.datasets.iter().filter(of_this) {
                if let Some(risk) = self.measured(&scenario, wanted, snapshot).await? {
                    risks.insert(scenario.id.clone(), risk);
                }
            }
        }
        Ok(risks)
    }

    /// Translates the row policies of an application, so that the reviewers approve what is enforced.
    ///
    /// # Errors
    /// [`Unadministered::RowPolicy`], and [`Unadministered::RowItem`] where it reads what it may not.
    pub async fn translate_rows(
        &self,
        mut scenario: Scenario,
        now: DateTime<Utc>,
    ) -> Result<Scenario, Unadministered> {
        for wanted in &mut scenario.datasets {
            // What runs is what was translated here, whatever came along.
            wanted.rows_plan = None;
            let Some(rows) = &wanted.rows else { continue };
            let Some((table, default_schema)) = self.table(&wanted.name) else {
                continue;
            };
            let statement = Statement {
                sql: rows,
                default_schema: &default_schema,
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
            let dataset = self.domain.live.read().state.dataset(&wanted.name).cloned();
            let masks = self.domain.engine.masks()?;
            let barred = dataset.and_then(|dataset| {
                BarredItem::of(&translated, (&dataset, wanted), |item| masks.of(item))
            });
            barred.map_or(Ok(()), Err)?;
            wanted.rows_plan = Some(hex::encode(translated.encode()));
        }
        Ok(scenario)
    }

    /// A dataset as the planner reads it, and what unqualified names mean.
    fn table(&self, name: &DatasetName) -> Option<(wire::job::Table, String)> {
        let stands = self.domain.live.read();
        let dataset = stands.state.dataset(name)?;
        let columns = dataset
            .items
            .iter()
            .filter_map(|i| Some((i.name.clone(), i.data_type?)));
        let table = wire::job::Table {
            dataset: dataset.name.clone(),
            columns: columns.collect(),
        };
        Some((table, stands.state.default_schema().to_owned()))
    }

    /// Measures how identifying the rows are that a scenario would show. Source: RA-3.
    ///
    /// # Errors
    /// [`Unadministered::Stored`].
    pub async fn measure(&self, scenario: &Scenario) -> Result<Vec<RowRisk>, Unadministered> {
        let mut risks = Vec::new();
        for wanted in scenario.datasets.iter().filter(|wanted| wanted.show_rows) {
            let snapshot = {
                let stands = self.domain.live.read();
                stands.state.judge_unsealed(&wanted.name)?;
                stands.state.snapshot(&wanted.name).cloned()
            };
            if let Some(snapshot) = snapshot {
                risks.extend(self.measured(scenario, wanted, &snapshot).await?);
            }
        }
        Ok(risks)
    }

    async fn measured(
        &self,
        scenario: &Scenario,
        wanted: &ScenarioDataset,
        snapshot: &Snapshot,
    ) -> Result<Option<RowRisk>, Unadministered> {
        let dataset = self.domain.live.read().state.dataset(&wanted.name).cloned();
        let Some(dataset) = dataset.filter(Dataset::is_protected) else {
            return Ok(None);
        };
        let of = (&dataset, wanted, snapshot);
        let measured = row_risk::measure(&self.domain, &self.pool, scenario, of).await;
        let measured = measured.map_err(|why| Unadministered::Stored(why.to_string()))?;
        Ok(Some(measured))
    }
}
