use arrow::array::{Array, AsArray};
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type};
use std::collections::BTreeMap;
use terms::{Shape, Sightings, Sights};

/// What the values of a column look like, whatever its item says.
#[derive(Debug, Default)]
pub(crate) struct LookedOver {
    seen: Option<Sightings>,
}

impl LookedOver {
    /// Counts the values that look like what stands for a person, in texts and numbers.
    pub(crate) fn take(&mut self, array: &dyn Array) {
        if let Some(texts) = array.as_string_opt::<i32>() {
            let seen = self.seen.get_or_insert_with(Sightings::default);
            each(seen, texts.iter().flatten().map(Shape::sights));
            return;
        }
        let seen = self.seen.get_or_insert_with(Sightings::of_numbers);
        if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
            let sights = |value: i64| Shape::sights_of_number(i128::from(value), 0);
            each(seen, numbers.iter().flatten().map(sights));
        } else if let Some(numbers) = array.as_primitive_opt::<Decimal128Type>() {
            let scale = u8::try_from(numbers.scale()).unwrap_or(0);
            let sights = |value: i128| Shape::sights_of_number(value, scale);
            each(seen, numbers.iter().flatten().map(sights));
        } else if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
            each(seen, numbers.iter().flatten().map(Shape::sights_of_float));
        }
    }

    /// How many values are of a shape, but for what may be chance.
    pub(crate) fn shapes(&self) -> BTreeMap<Shape, u64> {
        self.seen.as_ref().map(Sightings::sure).unwrap_or_default()
    }
}

fn each(seen: &mut Sightings, values: impl Iterator<Item = Sights>) {
    for sights in values {
        seen.look(sights);
    }
}
