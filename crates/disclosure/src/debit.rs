use crate::{Denied, Register, Unstored};
use chrono::NaiveDate;
use policy::{Allowance, Budget};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// The kinds of a budget, of one time.
type Kinds = [&'static str; 3];

const OF_A_DAY: Kinds = ["queries a day", "cells a day", "refusals a day"];
const OF_A_TERM: Kinds = ["queries a term", "cells a term", "refusals a term"];

impl Register {
    /// Debits one statement, durably, before it runs.
    ///
    /// INVARIANT (budgets wait for no judgement): what is locked here is locked for one reading or one
    /// change of the file by anybody, and never on a thread that serves others.
    ///
    /// # Errors
    /// [`Denied::Spent`] where any budget is, or [`Denied::Unstored`].
    pub async fn debit_query(
        self: &Arc<Self>,
        who: &str,
        days: (NaiveDate, NaiveDate),
        budget: &Budget,
    ) -> Result<(), Denied> {
        let (register, who, budget) = (Arc::clone(self), who.to_owned(), *budget);
        let debiting = move || register.debited(&who, days, &budget);
        spawn_blocking(debiting)
            .await
            .map_err(|_| Denied::Unreadable)?
    }

    /// Debits one refusal: for a run that failed over protected data, since whether it fails may tell of
    /// a few rows.
    ///
    /// # Errors
    /// [`Denied::Unstored`].
    pub async fn debit_failure(self: &Arc<Self>, who: &str, day: NaiveDate) -> Result<(), Denied> {
        let (register, who) = (Arc::clone(self), who.to_owned());
        let debiting = move || register.books.refused(&who, day);
        let debited: Result<(), Unstored> = spawn_blocking(debiting)
            .await
            .map_err(|_| Denied::Unreadable)?;
        Ok(debited?)
    }

    pub(crate) fn debited(
        &self,
        who: &str,
        (day, since): (NaiveDate, NaiveDate),
        budget: &Budget,
    ) -> Result<(), Denied> {
        let mut books = self.books.lock();
        let (today, term) = books.spent(who, day, since)?;
        let what = over(&today, &budget.per_day, OF_A_DAY);
        if let Some(what) = what.or_else(|| over(&term, &budget.per_term, OF_A_TERM)) {
            return Err(Denied::Spent { what });
        }
        let queries = Allowance {
            queries: 1,
            ..Allowance::default()
        };
        books.spend(who, day, queries)?;
        Ok(())
    }
}

/// What is spent, if anything is.
fn over(spent: &Allowance, most: &Allowance, kinds: Kinds) -> Option<&'static str> {
    let pairs = [
        (spent.queries, most.queries),
        (spent.cells, most.cells),
        (spent.refusals, most.refusals),
    ];
    let found = pairs.iter().position(|(spent, most)| spent >= most)?;
    kinds.get(found).copied()
}
