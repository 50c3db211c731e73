use crate::Key;
use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::Int64Type;
use ring::hmac;
use std::collections::HashSet;
use std::sync::Arc;
use terms::{IdentifierDomain, Type};

/// What stands for the identifiers of one domain under one key: 128 bits of HMAC-SHA-256 over the domain
/// and the value as text.
///
/// Written apart from the runner's, which shows items as tokens; a vector holds the two to each other.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    begun: hmac::Context,
}

/// A column is neither text nor a whole number.
#[derive(Debug)]
pub(crate) struct NoIdentifier;

// === impl Tokens ===

impl Tokens {
    pub(crate) fn of(key: &Key, domain: &IdentifierDomain) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.bytes());
        let mut begun = hmac::Context::with_key(&key);
        let name = domain.as_str().as_bytes();
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
        begun.update(&length.to_le_bytes());
        begun.update(name);
        Self { begun }
    }

    fn token(&self, value: &str) -> u128 {
        let mut context = self.begun.clone();
        context.update(value.as_bytes());
        let tag = context.sign();
        let half = tag.as_ref().iter().take(16);
        half.fold(0, |token, byte| token << 8 | u128::from(*byte))
    }

    /// A column with its values as tokens, in hexadecimal; null stays null.
    pub(crate) fn column(&self, array: &dyn Array) -> Result<ArrayRef, NoIdentifier> {
        let mut tokens = StringBuilder::with_capacity(array.len(), array.len() * 32);
        each(array, |value| match value {
            Some(value) => tokens.append_value(format!("{:032x}", self.token(value))),
            None => tokens.append_null(),
        })?;
        Ok(Arc::new(tokens.finish()))
    }

    /// Adds the tokens of a column's values to a set.
    pub(crate) fn gather(
        &self,
        array: &dyn Array,
        into: &mut HashSet<u128>,
    ) -> Result<(), NoIdentifier> {
        each(array, |value| {
            into.extend(value.map(|value| self.token(value)));
        })
    }
}

/// Whether values of a type are identifiers.
pub(crate) const fn is_identifier(plain: Option<Type>) -> bool {
    matches!(plain, Some(Type::Text | Type::Int))
}

/// Each value of a column as text; a number as its digits.
pub(crate) fn each(
    array: &dyn Array,
    mut take: impl FnMut(Option<&str>),
) -> Result<(), NoIdentifier> {
    if let Some(texts) = array.as_string_opt::<i32>() {
        texts.iter().for_each(take);
        return Ok(());
    }
    let numbers = array.as_primitive_opt::<Int64Type>().ok_or(NoIdentifier)?;
    for number in numbers {
        let digits = number.map(|number| number.to_string());
        take(digits.as_deref());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};

    /// The runner's suite has the same.
    const VECTOR: &str = "12afe7d7a74246414498deb9b5d6f401";

    #[test]
    fn a_token_is_the_runners() {
        let tokens = Tokens::of(&Key::from_bytes([7; 32]), &"person".parse().unwrap());
        let texts = StringArray::from(vec![Some("4201"), None]);
        let column = tokens.column(&texts).unwrap();
        let column = column.as_string::<i32>();
        assert_eq!(column.value(0), VECTOR);
        assert!(column.is_null(1));
        let numbers = tokens.column(&Int64Array::from(vec![4201])).unwrap();
        assert_eq!(numbers.as_string::<i32>().value(0), VECTOR);
        let other = Tokens::of(&Key::from_bytes([7; 32]), &"visit".parse().unwrap());
        assert_ne!(
            other.column(&texts).unwrap().as_string::<i32>().value(0),
            column.value(0)
        );
        let (mut set, floats) = (HashSet::new(), arrow::array::Float64Array::from(vec![1.0]));
        tokens.gather(&texts, &mut set).unwrap();
        assert_eq!(set.len(), 1);
        assert!(tokens.gather(&floats, &mut set).is_err());
    }
}
