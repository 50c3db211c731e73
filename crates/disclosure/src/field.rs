//! Arithmetic modulo the Mersenne prime 2^61 − 1.
//!
//! Cells are sets, so that their matrix holds zeros and ones; a dependency modulo the prime that is
//! none over the rationals would need a minor that the prime divides, which nobody can arrange for sets
//! of rows within the audit's limits.

/// The prime.
pub(crate) const PRIME: u64 = (1 << 61) - 1;

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low half has 61 bits, and the product of two such numbers 122"
)]
pub(crate) const fn multiply(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    let low = (product & PRIME as u128) as u64;
    let high = (product >> 61) as u64;
    add(low, high)
}

pub(crate) const fn add(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= PRIME { sum - PRIME } else { sum }
}

pub(crate) const fn negate(a: u64) -> u64 {
    if a == 0 { 0 } else { PRIME - a }
}

/// The inverse of a number that is not 0. Source: Fermat's little theorem.
pub(crate) fn invert(a: u64) -> u64 {
    let (mut result, mut base, mut exponent) = (1, a, PRIME - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = multiply(result, base);
        }
        base = multiply(base, base);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_number_times_its_inverse_is_one(a in 1..PRIME) {
            proptest::prop_assert_eq!(multiply(a, invert(a)), 1);
            proptest::prop_assert_eq!(add(a, negate(a)), 0);
        }
    }
}
