//! Who comes back: the oldest first, the newest first, or anybody.
//!
//! A cohort's own history says nothing of an order: where the first that went come back first, it is always the next cohort's
//! turn. So returns are also counted by rank, their place in the order of silence.

const BINS: usize = 8;
/// Lumps that an even spread is worth before any return was seen.
const PRIOR_LUMPS: f64 = 4.0;

/// How much likelier than evenly spread a return is, by rank.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    keep: f64,
    bins: [f64; BINS],
}

impl Order {
    pub(crate) fn new(keep: f64) -> Self {
        Self { keep, bins: [PRIOR_LUMPS / BINS as f64; BINS] }
    }

    /// A lump came back whose devices stood at `rank`, 0 (the oldest) to 1. Its size is left out: one lump is one choice.
    pub(crate) fn learn(&mut self, rank: f64) {
        let bin = ((rank * BINS as f64) as usize).min(BINS - 1);
        self.bins[bin] += 1.0;
    }

    /// A step is over: what was learnt fades towards an even spread.
    pub(crate) fn step(&mut self) {
        let floor = PRIOR_LUMPS / BINS as f64;
        for bin in &mut self.bins {
            *bin = floor + (*bin - floor) * self.keep;
        }
    }

    /// The part of all returns that falls to those who stand between two ranks.
    pub(crate) fn share(&self, from: f64, to: f64) -> f64 {
        let all: f64 = self.bins.iter().sum();
        let part = |(index, bin): (usize, &f64)| {
            let (low, high) = (index as f64 / BINS as f64, (index + 1) as f64 / BINS as f64);
            bin * (to.min(high) - from.max(low)).max(0.0) * BINS as f64
        };
        self.bins.iter().enumerate().map(part).sum::<f64>() / all
    }
}
