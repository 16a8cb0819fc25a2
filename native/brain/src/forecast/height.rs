//! How high the next wave will be, whenever that comes.
//!
//! Three ways to think of it: a wave like the highest lately; as many devices as large windows brought back before; the same
//! part of all silent devices as then. Which scale holds depends on the outage: crews mend feeders, so many at a time; a
//! core that comes back returns a share of everybody. So each is held against the highest load that came within the
//! horizon, and the answer is their geometric mean, weighted by how well they did (exponential weights, Vovk 1990).

use alloc::collections::VecDeque;

use super::hazard::keep;

pub(crate) const WAYS: usize = 3;
/// A horizon without a wave teaches nothing: less than this part of the highest load, which fades.
const WAVE_SHARE: f64 = 0.1;
/// Steps that the assumed error is worth before any was seen.
const TRUST_STEPS: f64 = 60.0;
/// A squared error in the logarithm that is larger by one costs so much of a weight's logarithm.
const SHARPNESS: f64 = 1.0;
/// A way counts as wrong by at most this factor's logarithm.
const ERROR_MAX: f64 = 3.0;

/// The part of all silent devices that a large window is thought to bring back before any was seen, and how far that is
/// trusted: like windows whose parts add up to so much.
const PRIOR_SHARE: f64 = 0.05;
const PRIOR_TRUST: f64 = 1.0;
/// A window teaches at most so many times of what was thought: one feed that loses regions is no wave.
const SURPRISE_MAX: f64 = 4.0;

/// A mean in which everything counts by its size.
#[derive(Clone, Copy, Debug, Default)]
struct SizedMean {
    squares: f64,
    sum: f64,
}

impl SizedMean {
    fn learn(&mut self, value: f64, keep: f64) {
        self.squares = self.squares * keep + value * value;
        self.sum = self.sum * keep + value;
    }

    fn mean(&self, prior: f64, trust: f64) -> f64 {
        (self.squares + prior * trust) / (self.sum + trust)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Height {
    devices: SizedMean,
    share: SizedMean,
    horizon_steps: usize,
    keep: f64,
    open: VecDeque<[f64; WAYS]>,
    highest: f64,
    errors: [f64; WAYS],
    seen: f64,
}

impl Height {
    pub(crate) fn new(horizon_steps: u16, memory_steps: u16) -> Self {
        let horizon_steps = usize::from(horizon_steps);
        Self {
            devices: SizedMean::default(),
            share: SizedMean::default(),
            horizon_steps,
            keep: keep(memory_steps),
            open: VecDeque::with_capacity(horizon_steps + 1),
            highest: 0.0,
            errors: [0.0; WAYS],
            seen: 0.0,
        }
    }

    /// `devices` came back in the window that ends now, and `silent` have not.
    pub(crate) fn window(&mut self, devices: f64, silent: f64) {
        let all = (silent + devices).max(1.0);
        let most = (self.devices(silent) * SURPRISE_MAX).max(self.share() * all * SURPRISE_MAX);
        self.devices.learn(devices.min(most), self.keep);
        self.share.learn((devices / all).min(self.share() * SURPRISE_MAX), self.keep);
    }

    /// Devices in a large window, while `silent` are.
    fn devices(&self, silent: f64) -> f64 {
        self.devices.mean(self.share() * silent, PRIOR_TRUST)
    }

    fn share(&self) -> f64 {
        self.share.mean(PRIOR_SHARE, PRIOR_TRUST)
    }

    /// What each way says: the highest load `lately`, and what large windows brought, with `each` readings a device.
    pub(crate) fn ways(&self, lately: f64, each: f64, silent: f64) -> [f64; WAYS] {
        let ways = [lately, each * self.devices(silent), each * silent * self.share()];
        ways.map(|way| way.min(each * silent))
    }

    /// A step is over. `highest`: the highest load of the horizon that ends now; `ways`: what each says of the next.
    pub(crate) fn step(&mut self, highest: f64, ways: [f64; WAYS]) {
        self.highest = (self.highest * self.keep).max(highest);
        if self.open.len() == self.horizon_steps
            && let Some(said) = self.open.pop_front()
            && highest >= (self.highest * WAVE_SHARE).max(1.0)
        {
            self.seen = self.seen * self.keep + 1.0;
            for (error, said) in self.errors.iter_mut().zip(said) {
                let log = libm::log(highest / said.max(1.0)).clamp(-ERROR_MAX, ERROR_MAX);
                *error = *error * self.keep + log * log;
            }
        }
        self.open.push_back(ways);
    }

    /// What the ways come to together.
    pub(crate) fn mean(&self, ways: [f64; WAYS]) -> f64 {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (way, error) in ways.into_iter().zip(self.errors) {
            let weight = libm::exp(-SHARPNESS * (error + TRUST_STEPS) / (self.seen + TRUST_STEPS));
            sum += weight * libm::log(way.max(1.0));
            weights += weight;
        }
        libm::exp(sum / weights)
    }
}
