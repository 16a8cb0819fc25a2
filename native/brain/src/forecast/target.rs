//! A quantity that is forecast at every step, and how its forecasts came out.

use alloc::collections::VecDeque;

use super::band::{Band, Calibration, Spread};

/// Standard scores of 5, 50 and 95 % for a sum.
const SUM_SCORES: [f64; 3] = [-1.645, 0.0, 1.645];
/// Below this a logarithm says nothing.
const LEAST: f64 = 1.0;
/// Standard deviation of a peak's logarithm before any was seen, and the steps that this is worth.
const PEAK_SIGMA: f64 = 1.0;
const PEAK_SIGMA_STEPS: f64 = 60.0;

/// What comes within a lead, or the highest window within a horizon.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    horizon_steps: usize,
    /// Forecasts whose time has not come, the oldest first; at most `horizon_steps`.
    open: VecDeque<(f64, Spread)>,
    calibration: Calibration,
    keep: f64,
    squares: f64,
    expected: f64,
    log_squares: f64,
    log_steps: f64,
}

impl Target {
    pub(crate) fn sum(horizon_steps: u16, rate: f64, keep: f64) -> Self {
        Self::new(horizon_steps, Calibration::new(rate, SUM_SCORES), keep)
    }

    pub(crate) fn peak(horizon_steps: u16, rate: f64, keep: f64) -> Self {
        Self::new(horizon_steps, Calibration::new(rate, SUM_SCORES), keep)
    }

    fn new(horizon_steps: u16, calibration: Calibration, keep: f64) -> Self {
        let horizon_steps = usize::from(horizon_steps);
        let open = VecDeque::with_capacity(horizon_steps + 1);
        Self {
            horizon_steps,
            open,
            calibration,
            keep,
            squares: 0.0,
            expected: 0.0,
            log_squares: 0.0,
            log_steps: 0.0,
        }
    }

    /// A step is over. `came`: the quantity over the horizon that ends now.
    pub(crate) fn resolve(&mut self, came: f64) {
        if self.open.len() < self.horizon_steps {
            return;
        }
        if let Some((mean, spread)) = self.open.pop_front() {
            let error = came - mean;
            self.squares = self.squares * self.keep + error * error;
            if came >= LEAST && mean >= LEAST {
                let log = libm::log(came / mean);
                self.log_squares = self.log_squares * self.keep + log * log;
                self.log_steps = self.log_steps * self.keep + 1.0;
            }
            self.expected = self.expected * self.keep + mean;
            self.calibration.learn(spread, came);
        }
    }

    /// How far the quantity strays: variance over mean, as it was lately; before there is any, as far as it is large.
    pub(crate) fn spread(&self, mean: f64) -> Spread {
        Spread::new(mean, (self.squares + mean * mean) / (self.expected + mean).max(1e-9))
    }

    /// The same for a quantity that strays by a factor.
    pub(crate) fn spread_by_factor(&self, middle: f64) -> Spread {
        let squares = self.log_squares + PEAK_SIGMA * PEAK_SIGMA * PEAK_SIGMA_STEPS;
        Spread::about(middle, libm::sqrt(squares / (self.log_steps + PEAK_SIGMA_STEPS)))
    }

    pub(crate) fn open(&mut self, mean: f64, spread: Spread) {
        self.open.push_back((mean, spread));
    }

    pub(crate) fn band(&self, spread: Spread) -> Band {
        self.calibration.band(spread)
    }
}
