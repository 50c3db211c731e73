//! One pool of cells. Atoms are the largest groups of rows that every cell holds whole or not at all;
//! a cell is a sum of atoms. In echelon form with large atoms first, what depends on small atoms alone
//! stands at the end.

mod combination; // vectors over atoms, and their echelon form
mod explained; // how much of a row's value sums explain
mod isolate; // the smallest group a space of vectors can name

use self::{
    combination::{Echelon, Vector},
    explained::Explained,
};
use roaring::RoaringBitmap;
use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap, HashSet},
};
use wire::{Garbled, read_row_set};

/// How much an audit may hold and do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Distinct cells in a pool.
    pub cells_max: usize,
    /// Atoms in a pool.
    pub atoms_max: usize,
    /// Multiplications of one admission.
    pub steps_max: u64,
    /// Multiplications, and what takes as long, of one question with all that is tried for it.
    pub question_steps_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cells_max: 500_000,
            atoms_max: 1_000_000,
            steps_max: 10_000_000,
            question_steps_max: 60_000_000,
        }
    }
}

/// Why a release may not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Together with what was released, it names a group of fewer than k subjects.
    #[error("a group of {subjects} would be isolated")]
    Isolates {
        /// How many subjects the group has.
        subjects: usize,
    },
    /// Together with what was released, it explains more of one subject's value than it may.
    #[error("{percent} % of one subject's value would be explained")]
    Explains {
        /// How much, in percent.
        percent: u32,
    },
    /// The pool has grown past what can be audited.
    #[error("the pool is too large to audit")]
    TooLarge,
}

/// All cells of one pool.
#[derive(Debug, Default, Clone)]
pub struct Audit {
    cells: HashSet<Vec<u8>>,
    /// Which atom each row is in; the first is none.
    atom_of: Vec<u32>,
    atoms: Vec<Atom>,
    /// Kept where values are added up; counts alone have none.
    explained: Option<Explained>,
    /// Multiplications left to work out what is explained; none once they did not suffice.
    steps_left: Option<u64>,
    /// What was done since that was last asked, in multiplications and what takes as long.
    worked: Cell<u64>,
}

#[derive(Debug, Default, Clone)]
struct Atom {
    rows: RoaringBitmap,
    cells: Vec<u32>,
    /// What each basis vector of the released sums has on every row here.
    values: Vec<(usize, f64)>,
    /// Which share of each row's value is explained: from 0 to 1.
    explained: f64,
    /// The variance of a perturbed cell's noise: a part of it that no row has.
    noise: Option<f64>,
}

impl Atom {
    /// How many rows it has, or what noise is worth of them.
    #[expect(clippy::cast_precision_loss, reason = "rows are numbered in 32 bits")]
    fn size(&self) -> f64 {
        self.noise.unwrap_or(self.rows.len() as f64)
    }
}

impl Audit {
    /// An audit of sums of values, which asks also how much of each value they explain.
    #[must_use]
    pub fn of_values() -> Self {
        Self {
            explained: Some(Explained::default()),
            steps_left: Some(u64::MAX),
            ..Self::default()
        }
    }

    /// The same cells, asked also how much of each row they explain; with so many multiplications.
    ///
    /// # Errors
    /// [`Garbled`] if a cell is no set of rows.
    pub fn of_values_too(&self, steps_max: u64) -> Result<Self, Garbled> {
        if self.explained.is_some() {
            return Ok(self.clone());
        }
        let mut audit = Self::of_values();
        audit.allow(steps_max);
        let mut cells: Vec<&Vec<u8>> = self.cells.iter().collect();
        // In one order, so that floats are added in one order.
        cells.sort_unstable();
        for cell in cells {
            audit.enter(cell)?;
        }
        Ok(audit)
    }

    /// Allows so many multiplications from here on to work out what is explained.
    pub fn allow(&mut self, steps_max: u64) {
        self.steps_left = self.steps_left.map(|_| steps_max);
    }

    /// What was done since this was last asked.
    pub(crate) fn worked(&self) -> u64 {
        self.worked.take()
    }

    fn work(&self, steps: u64) {
        self.worked.set(self.worked.get().saturating_add(steps));
    }

    /// What copying it takes: a step for what is allocated, and less for what is only copied.
    pub(crate) fn weight(&self) -> u64 {
        let of_atom = |atom: &Atom| 4 + atom.values.len() / 8 + atom.cells.len() / 16;
        let of_cell = |cell: &Vec<u8>| 1 + cell.len() / 256;
        let steps = self.atoms.iter().map(of_atom).sum::<usize>()
            + self.cells.iter().map(of_cell).sum::<usize>()
            + self.atom_of.len() / 64;
        u64::try_from(steps).unwrap_or(u64::MAX)
    }

    /// How many distinct cells there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Whether a cell, as written, was released before.
    #[must_use]
    pub fn knows(&self, written: &[u8]) -> bool {
        self.cells.contains(written)
    }

    /// Takes a cell in, as written, without asking. One of nobody says nothing, and is none.
    ///
    /// # Errors
    /// [`Garbled`] if it is no set of rows.
    pub fn enter(&mut self, written: &[u8]) -> Result<(), Garbled> {
        self.take_in(written, None)
    }

    /// Takes in a cell that is released with noise of this variance, in squares of one row's value.
    ///
    /// # Errors
    /// [`Garbled`] if it is no set of rows.
    pub fn enter_perturbed(&mut self, written: &[u8], variance: f64) -> Result<(), Garbled> {
        self.take_in(written, Some(variance))
    }

    fn take_in(&mut self, written: &[u8], noise: Option<f64>) -> Result<(), Garbled> {
        let cell = read_row_set(written)?;
        self.work(cell.len());
        let number = u32::try_from(self.cells.len()).unwrap_or(u32::MAX);
        if cell.is_empty() || !self.cells.insert(written.to_vec()) {
            return Ok(());
        }
        let mut touched: BTreeMap<Option<u32>, RoaringBitmap> = BTreeMap::new();
        for row in &cell {
            let place = usize::try_from(row).ok();
            let atom = place.and_then(|place| self.atom_of.get(place)).copied();
            let atom = atom.and_then(|number| number.checked_sub(1));
            touched.entry(atom).or_default().insert(row);
        }
        let mut places = Vec::with_capacity(touched.len());
        for (atom, inside) in touched {
            let place = atom.and_then(|at| usize::try_from(at).ok());
            let found = place.and_then(|at| self.atoms.get_mut(at));
            match (place, found) {
                (Some(place), Some(whole)) if whole.rows.len() == inside.len() => {
                    whole.cells.push(number);
                    places.push(place);
                }
                (_, Some(whole)) => {
                    whole.rows -= &inside;
                    let mut part = whole.clone();
                    part.rows = inside;
                    part.cells.push(number);
                    places.push(self.push(part));
                }
                (_, None) => places.push(self.push(Atom {
                    rows: inside,
                    cells: vec![number],
                    ..Atom::default()
                })),
            }
        }
        if noise.is_some() {
            places.push(self.push(Atom {
                noise,
                ..Atom::default()
            }));
        }
        if let Some(explained) = &mut self.explained {
            let before = self.steps_left.unwrap_or(0);
            let mut steps = before;
            let entered = explained.enter(&mut self.atoms, &places, &mut steps);
            self.steps_left = self.steps_left.and(entered).map(|()| steps);
            self.work(before - steps);
        }
        Ok(())
    }

    /// Adds an atom and gives its place.
    fn push(&mut self, atom: Atom) -> usize {
        let rows = &atom.rows;
        let number = u32::try_from(self.atoms.len() + 1).unwrap_or(u32::MAX);
        let end = rows.max().and_then(|last| usize::try_from(last).ok());
        let end = end.map_or(0, |last| last + 1);
        if self.atom_of.len() < end {
            self.atom_of.resize(end, 0);
        }
        for row in rows {
            let place = usize::try_from(row).ok();
            if let Some(atom) = place.and_then(|place| self.atom_of.get_mut(place)) {
                *atom = number;
            }
        }
        if let Some(explained) = &mut self.explained {
            explained.split(self.atoms.len(), &atom);
        }
        self.atoms.push(atom);
        self.atoms.len() - 1
    }

    /// Whether all that is in here, noise and all, explains at most `explained_max` (0 to 1) of what one
    /// subject has there.
    ///
    /// # Errors
    /// [`Conflict`].
    pub fn explains_at_most(
        &self,
        (k, explained_max): (u32, f64),
        subject: &dyn Fn(u32) -> Option<u32>,
        limits: &Limits,
    ) -> Result<(), Conflict> {
        if self.steps_left.is_none() || self.cells.len() > limits.cells_max {
            return Err(Conflict::TooLarge);
        }
        let small = self.small(k, subject)?;
        self.explains(&small, explained_max, subject)
    }

    /// The atoms of fewer than k subjects, and whose they are.
    fn small(
        &self,
        k: u32,
        subject: &dyn Fn(u32) -> Option<u32>,
    ) -> Result<HashMap<u32, HashSet<u32>>, Conflict> {
        let k = usize::try_from(k).map_err(|_| Conflict::TooLarge)?;
        self.work(u64::try_from(self.atoms.len()).unwrap_or(u64::MAX));
        let found = (0u32..).zip(&self.atoms);
        let found = found.filter_map(|(at, atom)| Some((at, fewer_than(k, &atom.rows, subject)?)));
        Ok(found.collect())
    }

    /// Whether what is in here, taken together as sums over disjoint groups of rows, names a group
    /// of rows of fewer than k subjects, or explains more than `explained_max` (0 to 1) of what one
    /// subject has there. `subject` says whose a row is.
    ///
    /// # Errors
    /// [`Conflict`].
    pub fn holds(
        &self,
        (k, explained_max): (u32, f64),
        subject: &dyn Fn(u32) -> Option<u32>,
        limits: &Limits,
    ) -> Result<(), Conflict> {
        if self.explained.is_some() && self.steps_left.is_none() {
            return Err(Conflict::TooLarge);
        }
        if self.cells.len() > limits.cells_max || self.atoms.len() > limits.atoms_max {
            return Err(Conflict::TooLarge);
        }
        let small = self.small(k, subject)?;
        if small.is_empty() {
            return Ok(());
        }
        self.explains(&small, explained_max, subject)?;
        let k = usize::try_from(k).map_err(|_| Conflict::TooLarge)?;
        let mut echelon = Echelon::new(limits.steps_max);
        let mut vectors = self.vectors(&small).into_iter();
        let added = vectors.try_for_each(|vector| echelon.add(vector));
        self.work(limits.steps_max.saturating_sub(echelon.steps_left()));
        added.ok_or(Conflict::TooLarge)?;
        let mut steps_left = limits.steps_max;
        let found = isolate::within(echelon.after_large(), k, &small, &mut steps_left);
        self.work(limits.steps_max.saturating_sub(steps_left));
        found
    }

    /// Asks of each subject in a small atom how much is explained of its rows in such atoms. In a large
    /// one, no row stands out.
    fn explains(
        &self,
        small: &HashMap<u32, HashSet<u32>>,
        explained_max: f64,
        subject: &dyn Fn(u32) -> Option<u32>,
    ) -> Result<(), Conflict> {
        let mut shares: HashMap<u32, f64> = HashMap::new();
        for at in small.keys() {
            let atom = usize::try_from(*at).ok().and_then(|at| self.atoms.get(at));
            if let Some(atom) = atom.filter(|atom| atom.explained > 0.0) {
                for subject in atom.rows.iter().filter_map(subject) {
                    *shares.entry(subject).or_default() += atom.explained;
                }
            }
        }
        let most = shares.into_values().fold(0.0, f64::max);
        if most <= explained_max {
            return Ok(());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a percentage, for a report"
        )]
        let percent = (most.min(1.0) * 100.0).ceil() as u32;
        Err(Conflict::Explains { percent })
    }

    /// The cells as vectors over atoms, those that can reach a small atom alone, few atoms first.
    fn vectors(&self, small: &HashMap<u32, HashSet<u32>>) -> Vec<Vector> {
        let mut cells: HashMap<u32, Vec<u32>> = HashMap::new();
        for (at, atom) in (0u32..).zip(&self.atoms) {
            self.work(u64::try_from(atom.cells.len()).unwrap_or(u64::MAX));
            for cell in &atom.cells {
                cells.entry(*cell).or_default().push(at);
            }
        }
        // Cells that share atoms with none that has a small one add nothing.
        let mut open: Vec<u32> = small.keys().copied().collect();
        let mut seen: HashSet<u32> = small.keys().copied().collect();
        let mut reached: HashSet<u32> = HashSet::new();
        while let Some(atom) = open.pop() {
            let index = usize::try_from(atom).ok();
            let of_atom = index.and_then(|index| self.atoms.get(index));
            for cell in of_atom.map_or(&[][..], |atom| &atom.cells) {
                if reached.insert(*cell) {
                    let atoms = cells.get(cell).map_or(&[][..], Vec::as_slice);
                    open.extend(atoms.iter().filter(|atom| seen.insert(**atom)));
                }
            }
        }
        let mut vectors: Vec<Vector> = cells
            .into_iter()
            .filter(|(cell, _)| reached.contains(cell))
            .map(|(_, atoms)| Vector::sum_of(atoms, small))
            .collect();
        vectors.sort_by_key(Vector::len);
        vectors
    }
}

/// The subjects of some rows, if they are fewer than k.
fn fewer_than(
    k: usize,
    rows: &RoaringBitmap,
    subject: &dyn Fn(u32) -> Option<u32>,
) -> Option<HashSet<u32>> {
    let mut found = HashSet::new();
    for row in rows {
        found.extend(subject(row));
        if found.len() >= k {
            return None;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests;
