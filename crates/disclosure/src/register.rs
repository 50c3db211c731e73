use crate::{
    audit::{Audit, Conflict, Limits},
    held::{Books, Held, SubjectsOf},
    noise::CellKey,
    store::{Store, Unstored},
    trial::{Changed, Tried, Untried, tried},
    turns::Turns,
    work::Work,
};
use bytes::Bytes;
use chrono::NaiveDate;
use policy::{Budget, Perturbation, Release};
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use terms::{DatasetName, Digest, ItemName};
use vault::Keyring;
use wire::job::{Fate, Verdict};

/// A perturbed row may take this part of the steps of a question.
const PERTURBED_SHARE: u64 = 4;
/// Perturbing copies pools; so many cells may be copied in one question.
const COPIED_MAX: usize = 2_000_000;

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

/// The cells of one report, one a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// Which.
    pub pool: Pool,
    /// The fewest subjects that a group may name.
    pub k: u32,
    /// The largest share of one subject's value that all sums together may explain: 0 to 1.
    pub explained_max: f64,
    /// How its cells are released.
    pub release: Release,
    /// Whether rows with its cells can take noise.
    pub perturbable: bool,
    /// The cells, as written by [`wire::write_row_set`], one a row; of no bytes where there is none.
    pub cells: Vec<Bytes>,
}

/// What a licence may spend, and the noise it is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spending {
    /// Today.
    pub day: NaiveDate,
    /// Since when the term counts.
    pub since: NaiveDate,
    /// What may be spent on a day, and in the term.
    pub budget: Budget,
    /// The noise of perturbed cells.
    pub noise: Perturbation,
}

/// What may become of the rows of a question. What leaves is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// For the runner.
    pub verdict: Verdict,
    /// How many rows leave with noise.
    pub perturbed: u64,
    /// How many do not leave.
    pub withheld: u64,
    /// With what not all may leave exactly.
    pub conflict: Option<Pool>,
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

/// All pools of a domain. One question at a time; budgets wait for none.
pub struct Register {
    held: Mutex<Held>,
    pub(crate) books: Books,
    pub(crate) turns: Turns,
    /// How many parts are durable, for who does not wait for a question.
    parts: AtomicU64,
    cell_key: CellKey,
    limits: Limits,
}

/// Cells that leave perturbed and did not before.
#[derive(Debug)]
struct Perturbed<'a> {
    cells: HashMap<Pool, BTreeSet<Bytes>>,
    copied: usize,
    /// What finding out may still take.
    work: &'a mut Work,
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
        let books = Books::new(Store::open(dir, keyring)?);
        let parts = books.lock().parts();
        Ok(Self {
            parts: AtomicU64::new(parts),
            books: books.clone(),
            turns: Turns::default(),
            held: Mutex::new(Held::new(books, subjects)),
            cell_key: CellKey::new(&keyring.cell_key()),
            limits,
        })
    }

    /// How many parts are kept of all releases.
    #[must_use]
    pub fn parts(&self) -> u64 {
        self.parts.load(Ordering::Acquire)
    }

    /// That it holds as many parts as the log says it held when the last result left: else somebody put an
    /// earlier file in its place, or none.
    ///
    /// # Errors
    /// [`Unstored::Behind`].
    pub fn judge_record(&self, on_record: u64) -> Result<(), Unstored> {
        self.books.lock().judge(on_record)
    }

    /// How many parts are kept of a snapshot's releases, and their digest as they are kept.
    ///
    /// # Errors
    /// [`Unstored`].
    pub fn held_of(&self, of: &DatasetName, snapshot: u32) -> Result<(u64, Digest), Unstored> {
        self.books.lock().held_of(&format!("{of}/{snapshot}/"))
    }

    /// Holds new cells against all earlier ones and says of each row whether it may leave exactly, with
    /// noise, or not at all. What may leave is durable when this returns.
    ///
    /// # Errors
    /// [`Denied`]. Where no row at all may leave, that is a conflict, debited as a refusal.
    pub fn judge(
        &self,
        admissions: &[Admission],
        asked: (&str, &Spending),
    ) -> Result<Judged, Denied> {
        self.judge_within(admissions, asked, &mut Work::of(&self.limits))
    }

    fn judge_within(
        &self,
        admissions: &[Admission],
        (who, spending): (&str, &Spending),
        work: &mut Work,
    ) -> Result<Judged, Denied> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Tried {
            mut changed,
            fates,
            first,
        } = tried(&mut held, admissions, spending, (&self.limits, work))?;
        // Where all leaves exactly, nobody asks what is left of these budgets.
        let (perturbed_left, refusals_left) = match fates.iter().all(Result::is_ok) {
            true => (0, 0),
            false => held.left(who, spending)?,
        };
        let mut perturbed = Perturbed {
            cells: HashMap::new(),
            copied: 0,
            work,
        };
        let mut judged = Judged {
            verdict: Verdict {
                fates: Vec::with_capacity(fates.len()),
                noise: Vec::new(),
            },
            perturbed: 0,
            withheld: 0,
            conflict: first.as_ref().map(|(pool, _)| pool.clone()),
        };
        for (row, exact) in fates.iter().enumerate() {
            let fate = if *exact == Ok(()) {
                Fate::Exact
            } else if perturbed.len() < perturbed_left
                && self.perturbs(
                    (&mut held, &mut changed, &mut perturbed),
                    admissions,
                    (row, *exact == Err(Conflict::TooLarge)),
                    spending,
                )?
            {
                let drawn = admissions.iter().map(|admission| {
                    let cell = admission.cells.get(row).map_or(&[][..], |cell| cell);
                    self.cell_key.noise(&admission.pool, cell, &spending.noise)
                });
                judged.verdict.noise.extend(drawn);
                judged.perturbed += 1;
                Fate::Perturbed
            } else {
                judged.withheld += 1;
                Fate::Withheld
            };
            judged.verdict.fates.push(fate);
        }
        let all = u64::try_from(fates.len()).unwrap_or(u64::MAX);
        if judged.withheld == all
            && let Some((pool, conflict)) = first
        {
            self.books.refused(who, spending.day)?;
            let pool = Box::new(pool);
            return Err(Denied::Conflict { pool, conflict });
        }
        // Each withheld row says that it conflicts, as a refusal does.
        if judged.withheld > refusals_left {
            self.books.refused(who, spending.day)?;
            return Err(Denied::Spent { what: "refusals" });
        }
        held.keep(
            changed,
            perturbed.cells,
            (who, spending.day),
            judged.withheld,
        )?;
        self.parts
            .store(self.books.lock().parts(), Ordering::Release);
        Ok(judged)
    }

    /// Whether a row that may not leave exactly may leave with noise; it is then taken into the pools it
    /// has cells in.
    ///
    /// Averaging many perturbed releases brings the exact value back: what all releases together, noise
    /// and all, explain of one subject stays bounded. In pools that are too large for that, the budget
    /// alone bounds them.
    fn perturbs(
        &self,
        (held, changed, perturbed): (&mut Held, &mut HashMap<Pool, Changed>, &mut Perturbed<'_>),
        admissions: &[Admission],
        (row, too_large): (usize, bool),
        spending: &Spending,
    ) -> Result<bool, Denied> {
        let steps_max = self.limits.steps_max / PERTURBED_SHARE;
        let mut trial: HashMap<&Pool, Audit> = HashMap::new();
        let mut fresh: Vec<(&Pool, &Bytes)> = Vec::new();
        for admission in admissions {
            let Some(cell) = admission.cells.get(row).filter(|cell| !cell.is_empty()) else {
                continue;
            };
            let asked = match admission.release {
                Release::Audit => too_large,
                Release::Perturb | Release::Both => true,
            };
            let pool = &admission.pool;
            if !(admission.perturbable && asked) || perturbed.copied > COPIED_MAX {
                return Ok(false);
            }
            let known = perturbed
                .cells
                .get(pool)
                .is_some_and(|cells| cells.contains(cell));
            if known || held.perturbed(pool)?.contains(&cell[..]) {
                continue;
            }
            fresh.push((pool, cell));
            if too_large {
                continue;
            }
            if !perturbed.work.suffices(steps_max) {
                return Ok(false);
            }
            let mut mixed = match trial.remove(pool) {
                Some(mixed) => mixed,
                None => self.mixed((held, changed), pool, spending)?,
            };
            perturbed.copied = perturbed.copied.saturating_add(mixed.len());
            perturbed.work.spend(mixed.weight());
            mixed.allow(steps_max);
            let variance = variance(pool, spending);
            let entered = mixed.enter_perturbed(cell, variance);
            entered.map_err(|_| Denied::Unreadable)?;
            let subjects = held.subjects_of(pool)?;
            let rules = (admission.k, admission.explained_max);
            let explains = mixed.explains_at_most(rules, &|row| subjects.of(row), &self.limits);
            perturbed.work.spend(mixed.worked());
            if explains.is_err() {
                return Ok(false);
            }
            trial.insert(pool, mixed);
        }
        for (pool, mixed) in trial {
            if !changed.contains_key(pool) {
                changed.insert(pool.clone(), held.unchanged(pool, spending)?);
            }
            if let Some(now) = changed.get_mut(pool) {
                now.mixed = Some(mixed);
                now.jointly = true;
            }
        }
        for (pool, cell) in fresh {
            let cells = perturbed.cells.entry(pool.clone()).or_default();
            cells.insert(cell.clone());
        }
        Ok(true)
    }

    /// A copy of a pool, together with what left of it perturbed and what is new.
    fn mixed(
        &self,
        (held, changed): (&mut Held, &mut HashMap<Pool, Changed>),
        pool: &Pool,
        spending: &Spending,
    ) -> Result<Audit, Denied> {
        let Some(now) = changed.get_mut(pool) else {
            return Ok(held.mixed(pool, spending)?.clone());
        };
        if let Some(mixed) = &now.mixed {
            return Ok(mixed.clone());
        }
        let mut mixed = held.mixed(pool, spending)?.clone();
        mixed.allow(self.limits.steps_max);
        for cell in &now.fresh {
            mixed.enter(cell).map_err(|_| Denied::Unreadable)?;
        }
        now.mixed = Some(mixed.clone());
        Ok(mixed)
    }

    /// How many distinct cells of a pool were released.
    ///
    /// # Errors
    /// [`Unstored`].
    pub fn cells(&self, pool: &Pool) -> Result<usize, Unstored> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(held.audit(pool)?.len())
    }
}

impl Perturbed<'_> {
    fn len(&self) -> u64 {
        let cells: usize = self.cells.values().map(BTreeSet::len).sum();
        u64::try_from(cells).unwrap_or(u64::MAX)
    }
}

/// The variance of a pool's noise, in squares of one row's part in a cell.
pub(crate) fn variance(pool: &Pool, spending: &Spending) -> f64 {
    let deviation = match pool.measure {
        Some(_) => spending.noise.sum_deviation,
        None => spending.noise.count_deviation,
    };
    deviation * deviation
}

impl From<Untried> for Denied {
    fn from(why: Untried) -> Self {
        match why {
            Untried::Unreadable => Self::Unreadable,
            Untried::Unstored(why) => Self::Unstored(why),
        }
    }
}

impl std::fmt::Debug for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Register")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
