//! Which rows of a question may leave exactly. All of them, if nothing conflicts; else as many as a
//! search by halves finds, large cells before small ones, so that totals stay and a part is withheld.
//!
//! Source: design, "Disclosure register": secondary suppression when cells and their totals are
//! released together.

use crate::{
    Admission, Pool, Spending, Unstored,
    audit::{Audit, Conflict, Limits},
    held::Held,
    work::Work,
};
use bytes::Bytes;
use policy::Release;
use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

/// How many times a question is cut and tried again at most.
const TRIES_MAX: u32 = 64;
/// A try after the first may take this part of the steps.
const LATER_SHARE: u64 = 4;
/// Trying again copies pools; so many cells may be copied in all.
const COPIED_MAX: usize = 2_000_000;

/// A pool with new cells.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub audit: Audit,
    /// The same with what left perturbed, where that was asked.
    pub mixed: Option<Audit>,
    /// Whether anything left perturbed, so that both are judged.
    pub jointly: bool,
    pub fresh: BTreeSet<Bytes>,
}

/// What a trial came to.
#[derive(Debug)]
pub(crate) struct Tried {
    /// The pools as they are with what may leave.
    pub changed: HashMap<Pool, Changed>,
    /// Whether each row may leave exactly.
    pub fates: Vec<Result<(), Conflict>>,
    /// The first conflict met.
    pub first: Option<(Pool, Conflict)>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Untried {
    /// What the runner said of a cell is no set of rows.
    Unreadable,
    /// The register cannot be used.
    Unstored(Unstored),
}

/// Why rows may not leave exactly together.
enum Stop {
    Conflict(Pool, Conflict),
    Untried(Untried),
}

struct Trial<'a> {
    held: &'a mut Held,
    admissions: &'a [Admission],
    spending: &'a Spending,
    limits: &'a Limits,
    work: &'a mut Work,
    changed: HashMap<Pool, Changed>,
    tries: u32,
    copied: usize,
}

/// Tries which rows may leave exactly, each row a place in every admission's cells.
pub(crate) fn tried(
    held: &mut Held,
    admissions: &[Admission],
    spending: &Spending,
    (limits, work): (&Limits, &mut Work),
) -> Result<Tried, Untried> {
    let rows = admissions.iter().map(|a| a.cells.len()).max().unwrap_or(0);
    let mut trial = Trial {
        held,
        admissions,
        spending,
        limits,
        work,
        changed: HashMap::new(),
        tries: 0,
        copied: 0,
    };
    let unasked = Conflict::Isolates { subjects: 0 };
    let mut fates = vec![Err(unasked); rows];
    let mut first = trial.never_exact();
    let mut open = vec![trial.large_first()?];
    while let Some(rows) = open.pop() {
        let fate = match trial.attempt(&rows) {
            Ok(()) => Ok(()),
            Err(Stop::Untried(why)) => return Err(why),
            Err(Stop::Conflict(pool, conflict)) => {
                first.get_or_insert((pool, conflict));
                if trial.is_over() && rows.len() > 1 {
                    // What is known may leave still; nothing else is tried.
                    open.extend(rows.into_iter().rev().map(|row| vec![row]));
                    continue;
                }
                let middle = rows.len().div_ceil(2);
                if let Some((large, small)) = rows.split_at_checked(middle)
                    && !small.is_empty()
                {
                    // What is pushed last is tried first.
                    open.extend([small.to_vec(), large.to_vec()]);
                    continue;
                }
                Err(conflict)
            }
        };
        for row in rows {
            if let Some(place) = fates.get_mut(row) {
                *place = fate;
            }
        }
    }
    Ok(Tried {
        changed: trial.changed,
        fates,
        first,
    })
}

impl Trial<'_> {
    /// What stands in the way of rows of pools that never leave exactly.
    fn never_exact(&self) -> Option<(Pool, Conflict)> {
        let mut admissions = self.admissions.iter();
        let found = admissions.find(|admission| admission.release == Release::Perturb);
        let conflict = Conflict::Isolates { subjects: 0 };
        found.map(|admission| (admission.pool.clone(), conflict))
    }

    /// The rows that may leave exactly, large cells first. What left exactly before may do so again.
    fn large_first(&mut self) -> Result<Vec<usize>, Untried> {
        let rows = self.admissions.iter().map(|a| a.cells.len()).max();
        let mut may = Vec::new();
        for row in 0..rows.unwrap_or(0) {
            let mut exact = true;
            for admission in self.admissions {
                let cell = admission.cells.get(row).filter(|cell| !cell.is_empty());
                if let (Release::Perturb, Some(cell)) = (admission.release, cell) {
                    let audit = self.held.audit(&admission.pool);
                    exact &= audit.map_err(Untried::Unstored)?.knows(cell);
                }
            }
            if exact {
                may.push(row);
            }
        }
        may.sort_by_cached_key(|row| {
            let cells = self.admissions.iter().filter_map(|a| a.cells.get(*row));
            let cells: Vec<&Bytes> = cells.collect();
            let size: usize = cells.iter().map(|cell| cell.len()).sum();
            let cells: Vec<Bytes> = cells.into_iter().cloned().collect();
            (Reverse(size), cells)
        });
        Ok(may)
    }

    /// Whether nothing new is tried any more.
    fn is_over(&self) -> bool {
        let later = self.limits.steps_max / LATER_SHARE;
        self.tries > TRIES_MAX || self.copied > COPIED_MAX || !self.work.suffices(later)
    }

    /// Takes all of these rows in, or none.
    fn attempt(&mut self, rows: &[usize]) -> Result<(), Stop> {
        let unstored = |why| Stop::Untried(Untried::Unstored(why));
        let steps_max = match self.tries {
            0 => self.limits.steps_max,
            _ => self.limits.steps_max / LATER_SHARE,
        };
        let limits = Limits {
            steps_max,
            ..*self.limits
        };
        self.tries += 1;
        let mut changed: HashMap<Pool, Changed> = HashMap::new();
        for admission in self.admissions {
            let pool = &admission.pool;
            let cells = rows.iter().filter_map(|row| admission.cells.get(*row));
            let known = match changed.get(pool).or_else(|| self.changed.get(pool)) {
                Some(known) => &known.audit,
                None => self.held.audit(pool).map_err(unstored)?,
            };
            let fresh: BTreeSet<&Bytes> = cells
                .filter(|cell| !cell.is_empty() && !known.knows(cell))
                .collect();
            if fresh.is_empty() {
                continue;
            }
            let conflict = |conflict| Stop::Conflict(pool.clone(), conflict);
            // Cheap answers first: the pool is full, or the search has taken long enough.
            if known.len().saturating_add(fresh.len()) > limits.cells_max {
                return Err(conflict(Conflict::TooLarge));
            }
            let copied = self.copied.saturating_add(known.len());
            let long = self.tries > TRIES_MAX || copied > COPIED_MAX;
            if self.tries > 1 && long || !self.work.suffices(limits.steps_max) {
                return Err(conflict(Conflict::Isolates { subjects: 0 }));
            }
            self.copied = copied;
            let known = changed.remove(pool);
            let mut now = match known.or_else(|| self.changed.get(pool).cloned()) {
                Some(now) => now,
                None => self.held.unchanged(pool, self.spending).map_err(unstored)?,
            };
            self.work.spend(now.weight());
            let entered = enter(&mut now, &fresh, &limits);
            let subjects = self.held.subjects_of(pool).map_err(unstored)?;
            let rules = (admission.k, admission.explained_max);
            let holds = now.holds(rules, &|row| subjects.of(row), &limits);
            self.work.spend(now.worked());
            entered.ok_or(Stop::Untried(Untried::Unreadable))?;
            holds.map_err(conflict)?;
            changed.insert(pool.clone(), now);
        }
        self.changed.extend(changed);
        Ok(())
    }
}

impl Changed {
    /// What copying it takes.
    fn weight(&self) -> u64 {
        let audits = std::iter::once(&self.audit).chain(&self.mixed);
        audits.map(Audit::weight).sum()
    }

    /// What was done with it since this was last asked.
    fn worked(&self) -> u64 {
        let audits = std::iter::once(&self.audit).chain(&self.mixed);
        audits.map(Audit::worked).sum()
    }

    fn holds(
        &self,
        rules: (u32, f64),
        subject: &dyn Fn(u32) -> Option<u32>,
        limits: &Limits,
    ) -> Result<(), Conflict> {
        self.audit.holds(rules, subject, limits)?;
        match self.mixed.as_ref().filter(|_| self.jointly) {
            Some(mixed) => mixed.explains_at_most(rules, subject, limits),
            None => Ok(()),
        }
    }
}

/// Enters cells; none if one is no set of rows.
fn enter(now: &mut Changed, fresh: &BTreeSet<&Bytes>, limits: &Limits) -> Option<()> {
    for audit in std::iter::once(&mut now.audit).chain(&mut now.mixed) {
        audit.allow(limits.steps_max);
        for cell in fresh {
            audit.enter(cell).ok()?;
        }
    }
    now.fresh.extend(fresh.iter().copied().cloned());
    Some(())
}
