//! What the register holds in memory: the pools that were asked about, read from the store.

use crate::{
    Pool, Spending, Unstored,
    audit::Audit,
    register::variance,
    store::{Store, Way},
    trial::Changed,
};
use bytes::Bytes;
use chrono::NaiveDate;
use policy::Allowance;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use terms::DatasetName;

/// Says whose each row of a snapshot is, by the row's number.
pub(crate) type SubjectsOf =
    dyn Fn(&DatasetName, u32) -> Result<Vec<Option<u32>>, String> + Send + Sync;

/// Multiplications to work out what a pool explains, once.
const MIXED_STEPS_MAX: u64 = 100_000_000;

/// What is on disk, for all who need it: each holds it for one reading or one change.
#[derive(Debug, Clone)]
pub(crate) struct Books(Arc<Mutex<Store>>);

/// All of it.
pub(crate) struct Held {
    books: Books,
    audits: HashMap<Pool, Audit>,
    /// What left perturbed.
    perturbed: HashMap<Pool, HashSet<Vec<u8>>>,
    /// Pools together with what left of them perturbed, of which that was asked.
    mixed: HashMap<Pool, Audit>,
    /// Whose each row is, of snapshots that were asked about.
    subjects: HashMap<(DatasetName, u32), Arc<Vec<Option<u32>>>>,
    read_subjects: Box<SubjectsOf>,
}

/// Whose the rows of a pool are.
#[derive(Debug, Clone)]
pub(crate) enum Subjects {
    /// Each its own: its sets are of subjects.
    Own,
    /// By the row's number.
    Of(Arc<Vec<Option<u32>>>),
}

impl Subjects {
    pub(crate) fn of(&self, row: u32) -> Option<u32> {
        match self {
            Self::Own => Some(row),
            Self::Of(known) => known.get(usize::try_from(row).ok()?).copied().flatten(),
        }
    }
}

impl Books {
    pub(crate) fn new(store: Store) -> Self {
        Self(Arc::new(Mutex::new(store)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Debits one refusal.
    pub(crate) fn refused(&self, who: &str, day: NaiveDate) -> Result<(), Unstored> {
        let refusals = Allowance {
            refusals: 1,
            ..Allowance::default()
        };
        self.lock().spend(who, day, refusals)
    }

    fn cells(&self, pool: &Pool, way: Way) -> Result<Vec<Vec<u8>>, Unstored> {
        let sealed = self.lock().sealed(pool, way)?;
        sealed.opened()
    }

    fn broken(&self) -> Unstored {
        self.lock().broken()
    }
}

impl Held {
    pub(crate) fn new(books: Books, read_subjects: Box<SubjectsOf>) -> Self {
        Self {
            books,
            audits: HashMap::new(),
            perturbed: HashMap::new(),
            mixed: HashMap::new(),
            subjects: HashMap::new(),
            read_subjects,
        }
    }

    /// How many cells may still leave perturbed, and how many refusals are left.
    pub(crate) fn left(&self, who: &str, spending: &Spending) -> Result<(u64, u64), Unstored> {
        let (today, term) = self.books.lock().spent(who, spending.day, spending.since)?;
        let (day, whole) = (&spending.budget.per_day, &spending.budget.per_term);
        let perturbed =
            |most: &Allowance, spent: Allowance| most.perturbed.saturating_sub(spent.perturbed);
        let refusals =
            |most: &Allowance, spent: Allowance| most.refusals.saturating_sub(spent.refusals);
        Ok((
            perturbed(day, today).min(perturbed(whole, term)),
            refusals(day, today).min(refusals(whole, term)),
        ))
    }

    /// The audit of a pool, read from the store when first asked for.
    pub(crate) fn audit(&mut self, pool: &Pool) -> Result<&Audit, Unstored> {
        if !self.audits.contains_key(pool) {
            let mut audit = match pool.measure {
                Some(_) => Audit::of_values(),
                None => Audit::default(),
            };
            for cell in self.books.cells(pool, Way::Exact)? {
                audit.enter(&cell).map_err(|_| self.books.broken())?;
            }
            // What was done before is on no question's account.
            audit.worked();
            self.audits.insert(pool.clone(), audit);
        }
        let missing = || Unstored::Subjects(pool.name());
        self.audits.get(pool).ok_or_else(missing)
    }

    /// The cells of a pool that left perturbed.
    pub(crate) fn perturbed(&mut self, pool: &Pool) -> Result<&HashSet<Vec<u8>>, Unstored> {
        if !self.perturbed.contains_key(pool) {
            let cells = self.books.cells(pool, Way::Perturbed)?;
            self.perturbed
                .insert(pool.clone(), cells.into_iter().collect());
        }
        let missing = || Unstored::Subjects(pool.name());
        self.perturbed.get(pool).ok_or_else(missing)
    }

    /// A pool as it is, to be changed; with what left perturbed, if anything did.
    pub(crate) fn unchanged(
        &mut self,
        pool: &Pool,
        spending: &Spending,
    ) -> Result<Changed, Unstored> {
        let jointly = !self.perturbed(pool)?.is_empty();
        if jointly {
            self.mixed(pool, spending)?;
        }
        Ok(Changed {
            audit: self.audit(pool)?.clone(),
            mixed: self.mixed.get(pool).cloned(),
            jointly,
            fresh: BTreeSet::new(),
        })
    }

    /// A pool together with what left of it perturbed, worked out when first asked for.
    pub(crate) fn mixed(&mut self, pool: &Pool, spending: &Spending) -> Result<&Audit, Unstored> {
        if !self.mixed.contains_key(pool) {
            let exact = self.audit(pool)?.of_values_too(MIXED_STEPS_MAX);
            let mut mixed = exact.map_err(|_| self.books.broken())?;
            for cell in self.perturbed(pool)?.clone() {
                let entered = mixed.enter_perturbed(&cell, variance(pool, spending));
                entered.map_err(|_| self.books.broken())?;
            }
            mixed.worked();
            self.mixed.insert(pool.clone(), mixed);
        }
        let missing = || Unstored::Subjects(pool.name());
        self.mixed.get(pool).ok_or_else(missing)
    }

    /// Whose the rows of a pool are.
    pub(crate) fn subjects_of(&mut self, pool: &Pool) -> Result<Subjects, Unstored> {
        if pool.by_subject {
            return Ok(Subjects::Own);
        }
        let key = (pool.dataset.clone(), pool.snapshot);
        if let Some(known) = self.subjects.get(&key) {
            return Ok(Subjects::Of(Arc::clone(known)));
        }
        let read = (self.read_subjects)(&pool.dataset, pool.snapshot);
        let known = Arc::new(read.map_err(Unstored::Subjects)?);
        self.subjects.insert(key, Arc::clone(&known));
        Ok(Subjects::Of(known))
    }

    /// Makes what leaves durable, and what it costs; all or none.
    pub(crate) fn keep(
        &mut self,
        changed: HashMap<Pool, Changed>,
        perturbed: HashMap<Pool, BTreeSet<Bytes>>,
        (who, day): (&str, NaiveDate),
        refusals: u64,
    ) -> Result<(), Unstored> {
        let exact = changed
            .iter()
            .map(|(pool, now)| (pool, Way::Exact, &now.fresh));
        let noisy = perturbed
            .iter()
            .map(|(pool, cells)| (pool, Way::Perturbed, cells));
        let rows: Vec<(&Pool, Way, Vec<&Bytes>)> = exact
            .chain(noisy)
            .filter(|(_, _, cells)| !cells.is_empty())
            .map(|(pool, way, cells)| (pool, way, cells.iter().collect()))
            .collect();
        if rows.is_empty() && refusals == 0 {
            return Ok(());
        }
        self.books.lock().admit(&rows, (who, day), refusals)?;
        for (pool, cells) in perturbed {
            let known = self.perturbed.entry(pool).or_default();
            known.extend(cells.into_iter().map(|cell| cell.to_vec()));
        }
        for (pool, now) in changed {
            if let Some(mixed) = now.mixed {
                self.mixed.insert(pool.clone(), mixed);
            }
            self.audits.insert(pool, now.audit);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}
