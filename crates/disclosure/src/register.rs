use crate::{
    audit::{Audit, Conflict, Limits},
    store::{Store, Unstored},
};
use bytes::Bytes;
use chrono::NaiveDate;
use policy::{Allowance, Budget};
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use terms::{DatasetName, ItemName};
use vault::Keyring;

/// Cells that can be added up: of one snapshot and one measure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pool {
    /// Whose rows, or subjects.
    pub dataset: DatasetName,
    /// In which state of the data.
    pub snapshot: u32,
    /// The item whose raw values are combined; none where rows are counted.
    pub measure: Option<(DatasetName, ItemName)>,
    /// Whether cells are sets of subjects, not of rows.
    pub by_subject: bool,
}

/// New cells of one pool.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// Which.
    pub pool: Pool,
    /// The fewest subjects that a group may name.
    pub k: u32,
    /// The largest share of one subject's value that all sums together may explain: 0 to 1.
    pub explained_max: f64,
    /// The cells, as written by [`wire::write_row_set`].
    pub cells: Vec<Bytes>,
}

/// Why nothing may be released.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// It conflicts with what was released.
    #[error("{pool:?}: {conflict}")]
    Conflict {
        /// In which pool.
        pool: Box<Pool>,
        /// How.
        conflict: Conflict,
    },
    /// The budget is spent.
    #[error("the budget of {what} is spent")]
    Spent {
        /// `queries`, `cells` or `refusals`, of the day or the term.
        what: &'static str,
    },
    /// What the runner said of a cell is no set of rows.
    #[error("a cell that is no set of rows")]
    Unreadable,
    /// The register cannot be used.
    #[error(transparent)]
    Unstored(#[from] Unstored),
}

/// Says whose each row of a snapshot is, by the row's number.
type SubjectsOf = dyn Fn(&DatasetName, u32) -> Result<Vec<Option<u32>>, String> + Send + Sync;

/// All pools of a domain. One admission at a time.
pub struct Register {
    held: Mutex<Held>,
    subjects: Box<SubjectsOf>,
    limits: Limits,
}

#[derive(Debug)]
struct Held {
    store: Store,
    audits: HashMap<Pool, Audit>,
    /// Whose each row is, of snapshots that were asked about.
    subjects: HashMap<(DatasetName, u32), Arc<Vec<Option<u32>>>>,
}

impl Pool {
    /// How it is named in the store.
    pub(crate) fn name(&self) -> String {
        let of = if self.by_subject { "subjects" } else { "rows" };
        let measure = self.measure.as_ref();
        let measure = measure.map_or_else(String::new, |(set, item)| format!("{set}/{item}"));
        format!("{}/{}/{of}/{measure}", self.dataset, self.snapshot)
    }
}

impl Register {
    /// Opens the register of a domain, or begins it. `subjects` says whose each row of a snapshot is.
    ///
    /// # Errors
    /// [`Unstored`].
    pub fn open(
        dir: &Path,
        keyring: &Keyring,
        subjects: Box<SubjectsOf>,
        limits: Limits,
    ) -> Result<Self, Unstored> {
        let store = Store::open(dir, keyring)?;
        let held = Mutex::new(Held {
            store,
            audits: HashMap::new(),
            subjects: HashMap::new(),
        });
        Ok(Self {
            held,
            subjects,
            limits,
        })
    }

    /// Debits one statement, durably, before it runs.
    ///
    /// # Errors
    /// [`Denied::Spent`] where any budget is, or [`Denied::Unstored`].
    pub fn debit_query(
        &self,
        who: &str,
        (day, since): (NaiveDate, NaiveDate),
        budget: &Budget,
    ) -> Result<(), Denied> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (today, term) = held.store.spent(who, day, since)?;
        let over = |spent: &Allowance, most: &Allowance, whats: [&'static str; 3]| {
            let pairs = [
                (spent.queries, most.queries),
                (spent.cells, most.cells),
                (spent.refusals, most.refusals),
            ];
            let found = pairs.iter().position(|(spent, most)| spent >= most);
            found.and_then(|at| whats.get(at).copied())
        };
        let days = ["queries a day", "cells a day", "refusals a day"];
        let terms = ["queries a term", "cells a term", "refusals a term"];
        let what = over(&today, &budget.per_day, days).or(over(&term, &budget.per_term, terms));
        if let Some(what) = what {
            return Err(Denied::Spent { what });
        }
        let queries = Allowance {
            queries: 1,
            ..Allowance::default()
        };
        held.store.spend(who, day, queries)?;
        Ok(())
    }

    /// Debits one refusal: for a run that failed over protected data, since whether it fails may tell of
    /// a few rows.
    ///
    /// # Errors
    /// [`Unstored`].
    pub fn debit_failure(&self, who: &str, day: NaiveDate) -> Result<(), Unstored> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.refused(who, day)
    }

    /// Holds new cells against all earlier ones; those that may be released are durable when this
    /// returns. All or none.
    ///
    /// # Errors
    /// [`Denied`]; a conflict is debited as a refusal.
    pub fn admit(
        &self,
        admissions: &[Admission],
        (who, day): (&str, NaiveDate),
    ) -> Result<(), Denied> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed: HashMap<Pool, (Audit, Vec<&Bytes>)> = HashMap::new();
        for admission in admissions {
            let pool = &admission.pool;
            let known = match changed.get(pool) {
                Some((audit, _)) => audit,
                None => held.audit(pool)?,
            };
            let fresh: BTreeSet<&Bytes> = admission
                .cells
                .iter()
                .filter(|cell| !known.knows(cell))
                .collect();
            if fresh.is_empty() {
                continue;
            }
            let (mut audit, mut entered) = match changed.remove(pool) {
                Some(found) => found,
                None => (held.audit(pool)?.clone(), Vec::new()),
            };
            audit.allow(self.limits.steps_max);
            let before = audit.len();
            for cell in &fresh {
                audit.enter(cell).map_err(|_| Denied::Unreadable)?;
            }
            if audit.len() > before
                && let Err(conflict) = self.judge(&mut held, &audit, admission)?
            {
                held.refused(who, day)?;
                let pool = Box::new(pool.clone());
                return Err(Denied::Conflict { pool, conflict });
            }
            entered.extend(fresh);
            changed.insert(pool.clone(), (audit, entered));
        }
        if changed.is_empty() {
            return Ok(());
        }
        let rows: Vec<(&Pool, Vec<&Bytes>)> = changed
            .iter()
            .map(|(pool, (_, fresh))| (pool, fresh.clone()))
            .collect();
        held.store.admit(&rows, (who, day))?;
        for (pool, (audit, _)) in changed {
            held.audits.insert(pool, audit);
        }
        Ok(())
    }

    /// How many distinct cells of a pool were released.
    ///
    /// # Errors
    /// [`Unstored`].
    pub fn cells(&self, pool: &Pool) -> Result<usize, Unstored> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(held.audit(pool)?.len())
    }

    fn judge(
        &self,
        held: &mut Held,
        audit: &Audit,
        admission: &Admission,
    ) -> Result<Result<(), Conflict>, Unstored> {
        let pool = &admission.pool;
        let rules = (admission.k, admission.explained_max);
        if pool.by_subject {
            return Ok(audit.holds(rules, &Some, &self.limits));
        }
        let key = (pool.dataset.clone(), pool.snapshot);
        let known = match held.subjects.get(&key) {
            Some(known) => Arc::clone(known),
            None => {
                let read = (self.subjects)(&pool.dataset, pool.snapshot);
                let known = Arc::new(read.map_err(Unstored::Subjects)?);
                held.subjects.insert(key, Arc::clone(&known));
                known
            }
        };
        let subject = |row: u32| {
            let index = usize::try_from(row).ok()?;
            known.get(index).copied().flatten()
        };
        Ok(audit.holds(rules, &subject, &self.limits))
    }
}

impl std::fmt::Debug for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Register")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Held {
    /// Debits one refusal.
    fn refused(&self, who: &str, day: NaiveDate) -> Result<(), Unstored> {
        let refusals = Allowance {
            refusals: 1,
            ..Allowance::default()
        };
        self.store.spend(who, day, refusals)
    }

    /// The audit of a pool, read from the store when first asked for.
    fn audit(&mut self, pool: &Pool) -> Result<&Audit, Unstored> {
        if !self.audits.contains_key(pool) {
            let mut audit = match pool.measure {
                Some(_) => Audit::of_values(),
                None => Audit::default(),
            };
            for cell in self.store.cells(pool)? {
                audit.enter(&cell).map_err(|_| self.store.broken())?;
            }
            self.audits.insert(pool.clone(), audit);
        }
        let missing = || Unstored::Subjects(pool.name());
        self.audits.get(pool).ok_or_else(missing)
    }
}

#[cfg(test)]
mod tests;
