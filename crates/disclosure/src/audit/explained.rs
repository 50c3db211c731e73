use super::Atom;
use std::collections::BTreeMap;

/// What is left of a cell after its projection counts as nothing below this share of it.
const NOTHING: f64 = 1e-9;

/// How much of each row's value the released sums explain: the leverage of linear regression. Of a sum
/// over n rows it is 1/n for each of them; where sums overlap it grows, and at 1 the value is known.
///
/// The cells are made orthonormal one by one. A basis vector has one value on all rows of an atom, which
/// stands with the atom, so that an atom that is split keeps its values.
#[derive(Debug, Clone, Default)]
pub(super) struct Explained {
    /// Of each basis vector, the places of the atoms where it is not 0.
    places: Vec<Vec<usize>>,
}

/// A vector over atoms, by their places; what is not named is 0.
type Sparse = BTreeMap<usize, f64>;

impl Explained {
    /// Notes an atom that was split off another, with its values.
    pub(super) fn split(&mut self, place: usize, atom: &Atom) {
        for (dimension, _) in &atom.values {
            if let Some(places) = self.places.get_mut(*dimension) {
                places.push(place);
            }
        }
    }

    /// Takes in a cell, given as whole atoms by their places; none where it took too many steps.
    pub(super) fn enter(
        &mut self,
        atoms: &mut [Atom],
        cell: &[usize],
        steps_left: &mut u64,
    ) -> Option<()> {
        let mut rest: Sparse = cell.iter().map(|place| (*place, 1.0)).collect();
        let before = weight(atoms, &rest)?;
        // Twice is enough: what rounding left of the first projection goes with the second.
        for _ in 0..2 {
            self.project(atoms, &mut rest, steps_left)?;
        }
        let left = weight(atoms, &rest)?;
        if left <= NOTHING * before {
            return Some(());
        }
        let length = left.sqrt();
        let dimension = self.places.len();
        for (place, value) in &rest {
            let (atom, value) = (atoms.get_mut(*place)?, value / length);
            atom.values.push((dimension, value));
            atom.explained += value * value;
        }
        self.places.push(rest.into_keys().collect());
        Some(())
    }

    /// Takes from a vector what the basis says of it.
    fn project(&self, atoms: &[Atom], rest: &mut Sparse, steps_left: &mut u64) -> Option<()> {
        let mut along: BTreeMap<usize, f64> = BTreeMap::new();
        for (place, value) in &*rest {
            let atom = atoms.get(*place)?;
            spend(steps_left, atom.values.len())?;
            for (dimension, coefficient) in &atom.values {
                *along.entry(*dimension).or_default() += atom.size() * value * coefficient;
            }
        }
        let mut reached: Vec<usize> = Vec::new();
        for dimension in along.keys() {
            let places = self.places.get(*dimension)?;
            spend(steps_left, places.len())?;
            reached.extend(places);
        }
        reached.sort_unstable();
        reached.dedup();
        for place in reached {
            let atom = atoms.get(place)?;
            spend(steps_left, atom.values.len())?;
            let said = atom.values.iter().map(|(dimension, coefficient)| {
                along
                    .get(dimension)
                    .map_or(0.0, |along| along * coefficient)
            });
            *rest.entry(place).or_default() -= said.sum::<f64>();
        }
        rest.retain(|_, value| *value != 0.0);
        Some(())
    }
}

/// The square of a vector's length, each row counting once.
fn weight(atoms: &[Atom], vector: &Sparse) -> Option<f64> {
    let of_atom = |(place, value): (&usize, &f64)| Some(atoms.get(*place)?.size() * value * value);
    vector.iter().map(of_atom).sum()
}

fn spend(steps_left: &mut u64, steps: usize) -> Option<()> {
    *steps_left = steps_left.checked_sub(u64::try_from(steps).ok()?)?;
    Some(())
}
