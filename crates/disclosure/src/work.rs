use crate::Limits;

/// How much work one question may still be, over all that is tried for it. Units: multiplications, and
/// what takes as long as one.
///
/// INVARIANT (less work is never less care): what there is no work left for is withheld. It is not
/// "too large", which would let it leave with noise that nothing is reckoned for.
#[derive(Debug)]
pub(crate) struct Work {
    most: u64,
    done: u64,
}

impl Work {
    pub(crate) const fn of(limits: &Limits) -> Self {
        Self {
            most: limits.question_steps_max,
            done: 0,
        }
    }

    pub(crate) const fn spend(&mut self, steps: u64) {
        self.done = self.done.saturating_add(steps);
    }

    /// How much it was.
    #[cfg(test)]
    pub(crate) const fn done(&self) -> u64 {
        self.done
    }

    /// Whether as much is left as one try may take.
    pub(crate) const fn suffices(&self, steps: u64) -> bool {
        self.most.saturating_sub(self.done) >= steps
    }
}
