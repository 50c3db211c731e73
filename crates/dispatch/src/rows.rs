use crate::{
    Failure, Keys, Piece,
    batch::Expected,
    pool::Pool,
    results::Results,
    run::{opened, source},
};
use confine::ShownRows;
use std::time::Duration;
use terms::Type;
use wire::job::RunJob;

/// The rows that a scenario would show of a dataset, on their way to be measured. Dropped, it kills the
/// runner.
#[derive(Debug)]
pub struct Rows {
    results: Results,
}

impl Pool {
    /// Reads what a scenario would show of a dataset, with the keys of exactly those columns.
    ///
    /// Units: `lease` is how long it may take; the runner is killed then.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn rows(
        &self,
        shown: &ShownRows,
        keys: &Keys,
        lease: Duration,
    ) -> Result<Rows, Failure> {
        let fields = shown.plan().fields().map_err(|_| Failure::NotDecided)?;
        let types: Vec<Type> = fields.iter().map(|field| field.data_type).collect();
        let expected = Expected::of(&types, self.config().batch_rows_max);
        let keys_of = keys
            .sources
            .iter()
            .find(|(name, _)| name == shown.dataset());
        let (_, from) = keys_of.ok_or(Failure::WrongSources)?;
        let numbers = (false, true);
        let wanted = (shown.dataset(), shown.items(), numbers);
        let order_key = Some(keys.for_order(from));
        let (source, path) = source(wanted, from, order_key).ok_or(Failure::WrongSources)?;
        let files = opened(vec![path])?;
        let job = RunJob {
            plan: shown.plan().encode(),
            sources: vec![source],
            token_key: keys.for_tokens(shown.plan()),
            memory_bytes_max: self.config().engine_bytes_max,
            batch_rows_max: self.config().batch_rows_max,
        };
        let expected = expected.ok_or(Failure::NotDecided)?;
        let results = self.start((&job, files), expected, (None, lease)).await?;
        Ok(Rows { results })
    }
}

impl Rows {
    /// The next rows; none at the sound end.
    pub async fn next(&mut self) -> Option<Result<Piece, Failure>> {
        self.results.next().await
    }
}
