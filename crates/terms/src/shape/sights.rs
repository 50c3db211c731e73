//! How sure it is that what was seen is what it looks like.

use super::Shape;
use std::collections::BTreeMap;

/// The most sensitive shapes in one value, by how they stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sights {
    /// By itself, grouped or tied to letters: so people write them.
    pub plain: Option<Shape>,
    /// Within other digits, or backwards: as one hides them, or by chance.
    pub inside: Option<Shape>,
    /// As one value in fifty looks by chance.
    pub maybe: Option<Shape>,
}

/// How a shape stands in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sight {
    Plain,
    Inside,
    Maybe,
}

/// What was seen in the values of a column so far.
#[derive(Debug, Clone, Default)]
pub struct Sightings {
    looked: u64,
    /// Whether the values are numbers, of which some look like others by chance.
    of_numbers: bool,
    counts: BTreeMap<(Shape, Sight), u64>,
}

/// Of what may be chance, so many values and so large a part of the column are none.
const VALUES_MIN: u64 = 3;
const INSIDE_ONE_IN: u64 = 100;
const MAYBE_ONE_IN: u64 = 5;
/// Of numbers, what is rarer is chance; amounts are as long as phone numbers.
const NUMBER_ONE_IN: u64 = 1000;

// === impl Sights ===

impl Sights {
    pub(super) fn plain(&mut self, shape: Shape) {
        self.plain = best(self.plain, Some(shape));
    }

    pub(super) fn inside(&mut self, shape: Shape) {
        self.inside = best(self.inside, Some(shape));
    }

    pub(super) fn maybe(&mut self, shape: Shape) {
        self.maybe = best(self.maybe, Some(shape));
    }

    /// These and those.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            plain: best(self.plain, other.plain),
            inside: best(self.inside, other.inside),
            maybe: best(self.maybe, other.maybe),
        }
    }

    /// None of them stands by itself.
    #[must_use]
    pub fn doubted(self) -> Self {
        Self {
            plain: None,
            inside: best(self.plain, self.inside),
            maybe: self.maybe,
        }
    }

    /// Without this shape.
    #[must_use]
    pub fn without(self, shape: Shape) -> Self {
        let other = |seen: Option<Shape>| seen.filter(|seen| *seen != shape);
        Self {
            plain: other(self.plain),
            inside: other(self.inside),
            maybe: other(self.maybe),
        }
    }

    /// Each shape once, as it is surest.
    fn each(self) -> impl Iterator<Item = (Shape, Sight)> {
        let inside = self.inside.filter(|shape| self.plain != Some(*shape));
        let known = [self.plain, self.inside];
        let maybe = self.maybe.filter(|shape| !known.contains(&Some(*shape)));
        let plain = self.plain.map(|shape| (shape, Sight::Plain));
        let inside = inside.map(|shape| (shape, Sight::Inside));
        let maybe = maybe.map(|shape| (shape, Sight::Maybe));
        plain.into_iter().chain(inside).chain(maybe)
    }
}

/// The more sensitive of two; the order of [`Shape`] is that.
fn best(one: Option<Shape>, other: Option<Shape>) -> Option<Shape> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

// === impl Sightings ===

impl Sightings {
    /// Of a column of numbers.
    #[must_use]
    pub fn of_numbers() -> Self {
        Self {
            of_numbers: true,
            ..Self::default()
        }
    }

    /// So many values are no more than what they are.
    pub fn pass(&mut self, values: u64) {
        self.looked = self.looked.saturating_add(values);
    }

    /// Counts a value, and gives what is no chance any more.
    pub fn look(&mut self, sights: Sights) -> Option<Shape> {
        self.looked = self.looked.saturating_add(1);
        let mut sure = None;
        for (shape, sight) in sights.each() {
            let values = self.counts.entry((shape, sight)).or_default();
            *values = values.saturating_add(1);
            let values = *values;
            let is_sure = self.is_sure((shape, sight), values);
            sure = best(sure, is_sure.then_some(shape));
        }
        sure
    }

    /// How many values are told to staff, by shape: all but those that look so by chance.
    #[must_use]
    pub fn told(&self) -> BTreeMap<Shape, u64> {
        self.counted(|seen, values| seen.1 != Sight::Maybe || self.is_sure(seen, values))
    }

    /// How many values are of a shape for sure.
    #[must_use]
    pub fn sure(&self) -> BTreeMap<Shape, u64> {
        self.counted(|seen, values| self.is_sure(seen, values))
    }

    fn counted(&self, counts: impl Fn((Shape, Sight), u64) -> bool) -> BTreeMap<Shape, u64> {
        let mut told = BTreeMap::new();
        for ((shape, sight), values) in &self.counts {
            if counts((*shape, *sight), *values) {
                let sum: &mut u64 = told.entry(*shape).or_default();
                *sum = sum.saturating_add(*values);
            }
        }
        told
    }

    fn is_sure(&self, (shape, sight): (Shape, Sight), values: u64) -> bool {
        let is_one_in = |many: u64| values.saturating_mul(many) >= self.looked;
        let sight = match shape {
            Shape::Phone if self.of_numbers => Sight::Maybe,
            Shape::Phone | Shape::ResidentId | Shape::BankCard | Shape::Email => sight,
        };
        match sight {
            Sight::Plain => !self.of_numbers || is_one_in(NUMBER_ONE_IN),
            Sight::Inside => values >= VALUES_MIN && is_one_in(INSIDE_ONE_IN),
            Sight::Maybe => values >= VALUES_MIN && is_one_in(MAYBE_ONE_IN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of these in how large a column, and whether that is chance.
    fn check(sights: Sights, of_numbers: bool, (values, others): (u64, u64), sure: bool) {
        let mut seen = Sightings {
            of_numbers,
            ..Sightings::default()
        };
        seen.pass(others);
        let last = (0..values).filter_map(|_| seen.look(sights)).last();
        assert_eq!(last.is_some(), sure, "{values} beside {others}");
        assert_eq!(seen.sure().is_empty(), !sure, "{values} beside {others}");
    }

    #[test]
    fn what_stands_by_itself_is_sure_and_what_may_be_chance_is_so_in_numbers() {
        let plain = Sights {
            plain: Some(Shape::ResidentId),
            ..Sights::default()
        };
        check(plain, false, (1, 1_000_000), true);
        check(plain, true, (1, 999), true);
        check(plain, true, (1, 1000), false);
        let inside = plain.doubted();
        check(inside, false, (2, 0), false);
        check(inside, false, (3, 0), true);
        check(inside, false, (3, 297), true);
        check(inside, false, (3, 298), false);
        let maybe = Sights {
            maybe: Some(Shape::BankCard),
            ..Sights::default()
        };
        check(maybe, false, (2, 0), false);
        check(maybe, false, (3, 12), true);
        check(maybe, false, (3, 13), false);
    }

    #[test]
    fn a_value_counts_once_for_each_shape() {
        let mut seen = Sightings::default();
        let shape = Some(Shape::ResidentId);
        seen.look(Sights {
            plain: shape,
            inside: shape,
            maybe: shape,
        });
        assert_eq!(seen.told(), BTreeMap::from([(Shape::ResidentId, 1)]));
    }

    #[test]
    fn staff_are_told_of_one_that_is_hidden_and_of_no_chance() {
        let mut seen = Sightings::default();
        let inside = Some(Shape::ResidentId);
        let maybe = Some(Shape::BankCard);
        seen.look(Sights {
            plain: None,
            inside,
            maybe,
        });
        assert_eq!(seen.told(), BTreeMap::from([(Shape::ResidentId, 1)]));
        assert!(seen.sure().is_empty());
    }
}
