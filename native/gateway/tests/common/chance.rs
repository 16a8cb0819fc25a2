//! Seeded chance: the same seed, the same run.

use klais_units::{draw, scale};

#[derive(Clone, Debug)]
pub struct Chance {
    seed: u64,
    draws: u64,
}

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self { seed, draws: 0 }
    }

    /// 0 to `bound` - 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draws += 1;
        scale(draw(self.seed, self.draws, 0, 0), bound)
    }

    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    pub fn per_mille(&mut self, n: u64) -> bool {
        self.below(1_000) < n
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}
