//! The noise of perturbed cells, drawn by who is in them.
//!
//! Source: the cell-key method of official statistics (Australian Bureau of Statistics; Eurostat): the
//! same contributors have the same noise, whoever asks and however often.

use policy::Perturbation;
use ring::hmac;
use std::f64::consts::TAU;
use wire::job::Noise;

use crate::Pool;

/// Sums are perturbed by at most so many standard deviations.
const DEVIATIONS_MAX: f64 = 3.0;

/// The domain's key to noise.
#[derive(Debug)]
pub(crate) struct CellKey(hmac::Key);

impl CellKey {
    pub(crate) fn new(key: &vault::Key) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.bytes()))
    }

    /// The noise of a cell, given as its set was written. Counts of the same rows have the same noise,
    /// whatever is measured of them; each measure's sums have their own.
    pub(crate) fn noise(&self, pool: &Pool, written: &[u8], rules: &Perturbation) -> Noise {
        let rows = Pool {
            measure: None,
            ..pool.clone()
        };
        Noise {
            count: count(self.draw("count", &rows, written).0, rules),
            sum: deviate(self.draw("sum", pool, written)) * rules.sum_deviation,
        }
    }

    /// Two numbers evenly spread over what 64 bits hold.
    fn draw(&self, of: &str, pool: &Pool, written: &[u8]) -> (u64, u64) {
        let mut context = hmac::Context::with_key(&self.0);
        for part in [of.as_bytes(), pool.name().as_bytes()] {
            // Lengths before parts, so that no two draws meet.
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        context.update(written);
        let tag = context.sign();
        let mut words = tag.as_ref().chunks_exact(8).map(|word| {
            let word: [u8; 8] = word.try_into().unwrap_or_default();
            u64::from_le_bytes(word)
        });
        (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        )
    }
}

/// A whole number of about normal distribution within its bound.
fn count(drawn: u64, rules: &Perturbation) -> i32 {
    let bound = i32::from(rules.count_max);
    let weight = |step: i32| {
        let deviations = f64::from(step) / rules.count_deviation;
        (-deviations * deviations / 2.0).exp()
    };
    let all: f64 = (-bound..=bound).map(weight).sum();
    let mut left = unit(drawn) * all;
    for step in -bound..=bound {
        left -= weight(step);
        if left < 0.0 {
            return step;
        }
    }
    bound
}

/// A number of normal distribution, mean 0 and deviation 1, cut off far out.
fn deviate((one, other): (u64, u64)) -> f64 {
    // Box and Muller; 1 − u is above 0.
    let radius = (-2.0 * (1.0 - unit(one)).ln()).sqrt();
    let value = radius * (TAU * unit(other)).cos();
    value.clamp(-DEVIATIONS_MAX, DEVIATIONS_MAX)
}

/// From 0, to below 1.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits are what a float holds exactly"
)]
fn unit(drawn: u64) -> f64 {
    (drawn >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Perturbation = Perturbation {
        count_max: 8,
        count_deviation: 4.0,
        sum_deviation: 1.0,
    };

    fn key(dir: &tempfile::TempDir) -> CellKey {
        let keyring = vault::Keyring::create(dir.path()).unwrap();
        CellKey::new(&keyring.cell_key())
    }

    fn pool(measure: Option<&str>) -> Pool {
        let dataset: terms::DatasetName = "gjj.account".parse().unwrap();
        Pool {
            measure: measure.map(|item| (dataset.clone(), item.parse().unwrap())),
            dataset,
            snapshot: 1,
            by_subject: false,
        }
    }

    #[test]
    fn the_same_contributors_have_the_same_noise_and_others_have_another() {
        let key = key(&tempfile::tempdir().unwrap());
        let of = |measure, cell: &[u8]| key.noise(&pool(measure), cell, &RULES);
        assert_eq!(of(Some("amount"), b"cell"), of(Some("amount"), b"cell"));
        let (amount, area) = (of(Some("amount"), b"cell"), of(Some("area"), b"cell"));
        assert_eq!(amount.count, area.count, "of the same rows");
        assert_ne!(amount.sum, area.sum);
        assert_ne!(of(None, b"cell").sum, of(None, b"lell").sum);
        let counts: std::collections::BTreeSet<i32> = (0u32..100)
            .map(|n| of(None, &n.to_le_bytes()).count)
            .collect();
        assert!(counts.len() > 8, "{counts:?}");
    }

    #[test]
    fn another_domain_has_other_noise() {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [one, other] = dirs
            .each_ref()
            .map(|dir| key(dir).noise(&pool(None), b"cell", &RULES));
        assert_ne!(one.sum, other.sum);
    }

    #[test]
    fn noise_is_unbiased_bounded_and_as_wide_as_asked() {
        let key = key(&tempfile::tempdir().unwrap());
        let drawn: Vec<Noise> = (0u32..20_000)
            .map(|n| key.noise(&pool(None), &n.to_le_bytes(), &RULES))
            .collect();
        let figures = |values: Vec<f64>| {
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let square = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
            (mean, square.sqrt())
        };
        let (mean, deviation) = figures(drawn.iter().map(|noise| f64::from(noise.count)).collect());
        assert!(mean.abs() < 0.15, "{mean}");
        assert!((3.2..4.1).contains(&deviation), "{deviation}");
        assert!(drawn.iter().all(|noise| noise.count.abs() <= 8));
        let (mean, deviation) = figures(drawn.iter().map(|noise| noise.sum).collect());
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((0.96..1.02).contains(&deviation), "{deviation}");
        assert!(drawn.iter().all(|noise| noise.sum.abs() <= 3.0));
    }
}
