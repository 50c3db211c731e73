use crate::{
    Failure, Planned, PoolConfig, Statement, Worker, budget::Budget, crew::Crew, draft,
    places::Share,
};
use confine::catalogue;
use jail::Rings;
use plan::RowPolicy;
use policy::Permit;
use std::sync::Arc;
use wire::job::Table;

/// The children, started ahead. Cheap to clone; they live until the last clone and the last of their
/// answers are gone.
#[derive(Debug, Clone)]
pub struct Pool {
    config: Arc<PoolConfig>,
    planners: Arc<Crew>,
    runners: Arc<Crew>,
    budget: Budget,
}

impl Pool {
    /// Begins to start children. Needs a runtime's context, and returns before they are ready.
    ///
    /// # Errors
    /// [`Failure::Unstartable`], if not even the threads that start children can be started.
    pub fn new(config: PoolConfig) -> Result<Self, Failure> {
        let crew = |worker, child| {
            let demanded = config.rings_demanded.clone();
            Crew::open(worker, config.program.clone(), child, demanded).map(Arc::new)
        };
        Ok(Self {
            planners: crew(Worker::Planner, config.planner)?,
            runners: crew(Worker::Runner, config.runner)?,
            budget: Budget::new(config.results_bytes_max, config.frame_bytes_max),
            config: Arc::new(config),
        })
    }

    /// Waits until the walls around planners and runners stand; says which, planners' first.
    ///
    /// # Errors
    /// [`Failure::Unstartable`], if one that is demanded can't be put up; its source names the remedy.
    pub async fn walls(&self) -> Result<[(Worker, Rings); 2], Failure> {
        let planners = self.planners.walls().await?;
        let runners = self.runners.walls().await?;
        Ok([(Worker::Planner, planners), (Worker::Runner, runners)])
    }

    /// How long a statement may be, in bytes; a longer one is refused.
    #[must_use]
    pub fn sql_bytes_max(&self) -> usize {
        self.config.sql_bytes_max
    }

    /// The draft of one statement, over the tables that the permit shows. Untrusted: confine it.
    ///
    /// # Errors
    /// [`Failure`]; [`Failure::Refused`] if the statement has no plan.
    pub async fn plan(
        &self,
        permit: &Permit,
        statement: Statement<'_>,
    ) -> Result<Planned, Failure> {
        let tables = catalogue(permit).into_iter();
        let shown = |table: confine::Table| Table {
            dataset: table.dataset,
            columns: table.columns,
        };
        let share = Some(permit.licence().id.clone());
        self.draft(statement, tables.map(shown).collect(), share)
            .await
    }

    /// The condition of one row policy: a boolean SQL expression over a table's raw items.
    ///
    /// # Errors
    /// As [`Self::plan`].
    pub async fn row_policy(
        &self,
        table: Table,
        predicate: Statement<'_>,
    ) -> Result<RowPolicy, Failure> {
        let (schema, name) = (table.dataset.schema(), table.dataset.table());
        let sql = format!(
            "SELECT * FROM \"{schema}\".\"{name}\" WHERE {}",
            predicate.sql
        );
        let statement = Statement {
            sql: &sql,
            ..predicate
        };
        self.small(statement)?;
        let job = draft::job(statement, vec![table], true, &self.config.statement_limits);
        draft::row_policy(&self.planners, &job).await
    }

    pub(crate) async fn draft(
        &self,
        statement: Statement<'_>,
        tables: Vec<Table>,
        share: Share,
    ) -> Result<Planned, Failure> {
        self.small(statement)?;
        draft::draft(
            &self.planners,
            share,
            &draft::job(statement, tables, false, &self.config.statement_limits),
        )
        .await
    }

    fn small(&self, statement: Statement<'_>) -> Result<(), Failure> {
        let small = statement.sql.len() <= self.sql_bytes_max();
        if small {
            Ok(())
        } else {
            Err(Failure::too_large())
        }
    }

    pub(crate) fn config(&self) -> &PoolConfig {
        &self.config
    }

    pub(crate) const fn runners(&self) -> &Arc<Crew> {
        &self.runners
    }

    pub(crate) const fn budget(&self) -> &Budget {
        &self.budget
    }
}

#[cfg(test)]
mod tests;
