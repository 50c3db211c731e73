//! A seeded generator: the same seed gives the same numbers on every machine and in every version.

/// Source: xoshiro256++ 1.0 and splitmix64 (Blackman and Vigna, public domain).
#[derive(Debug, Clone)]
pub(super) struct Draw {
    state: [u64; 4],
}

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        let mut at = seed;
        let state = std::array::from_fn(|_| {
            at = at.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (at ^ (at >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        });
        Self { state }
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let drawn = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        drawn
    }

    /// A number from 0 up to, not including, `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(limit);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from 0 up to, not including, 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A normally distributed number: mean 0, deviation 1. Source: Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// One of the choices, each as often as its weight says.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[(T, u64)]) -> Option<T> {
        let mut left = self.below(choices.iter().map(|(_, weight)| weight).sum());
        choices.iter().find_map(|(choice, weight)| {
            if left < *weight {
                return Some(*choice);
            }
            left -= *weight;
            None
        })
    }
}
