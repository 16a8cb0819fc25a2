//! A predictive distribution, and its calibration against what came.

/// What a forecast says of a quantity: it stays below each with the probability in the name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Band {
    /// Undercut once in twenty times.
    pub p05: u64,
    /// The middle.
    pub p50: u64,
    /// Exceeded once in twenty times.
    pub p95: u64,
}

impl Band {
    /// Whether `value` lies within the 90 % in the middle.
    #[must_use]
    pub const fn covers(&self, value: u64) -> bool {
        self.p05 <= value && value <= self.p95
    }
}

/// Lognormal with the mean and the variance that are expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    middle_log: f64,
    sigma: f64,
}

/// Bounds of the standard deviation of the logarithm: from nearly certain to anything at all.
const SIGMA_MIN: f64 = 0.02;
const SIGMA_MAX: f64 = 2.5;
/// Standard scores stay within this; that nothing comes at all has the lowest.
const SCORE_MAX: f64 = 4.0;
/// An edge that has been drawn so far down, by times in which nothing came, means nothing.
const SCORE_NOTHING: f64 = -3.0;
/// Below one there is nothing.
const LEAST: f64 = 0.5;

impl Spread {
    /// `dispersion` is variance over mean.
    pub(crate) fn new(mean: f64, dispersion: f64) -> Self {
        let mean = if mean.is_finite() { mean.clamp(1e-9, 1e30) } else { 1e-9 };
        let ratio = (dispersion / mean).clamp(0.0, 1e6);
        let sigma = libm::sqrt(libm::log1p(ratio)).clamp(SIGMA_MIN, SIGMA_MAX);
        Self { middle_log: libm::log(mean) - sigma * sigma / 2.0, sigma }
    }

    /// About `middle`, with a standard deviation of the logarithm.
    pub(crate) fn about(middle: f64, sigma: f64) -> Self {
        let middle = if middle.is_finite() { middle.clamp(1e-9, 1e30) } else { 1e-9 };
        let sigma = if sigma.is_nan() { SIGMA_MAX } else { sigma.clamp(SIGMA_MIN, SIGMA_MAX) };
        Self { middle_log: libm::log(middle), sigma }
    }

    fn score(&self, value: f64) -> f64 {
        if value < LEAST {
            return -SCORE_MAX;
        }
        ((libm::log(value) - self.middle_log) / self.sigma).clamp(-SCORE_MAX, SCORE_MAX)
    }

    fn value(&self, score: f64) -> u64 {
        let value = libm::exp(self.middle_log + score * self.sigma);
        if value < LEAST || score < SCORE_NOTHING { 0 } else { libm::round(value) as u64 }
    }
}

/// Standard scores of the band's three edges, moved online until each is undercut as often as it says: quantile tracking
/// (Angelopoulos, Candès and Tibshirani, "Conformal PID Control for Time Series Prediction", 2023), the form of adaptive
/// conformal inference (Gibbs and Candès 2021) that works on the score itself. The long-run frequency is right whatever the
/// true distribution, as long as scores are bounded; how the band looks meanwhile is the model's business.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calibration {
    scores: [f64; 3],
    rate: f64,
}

const LEVELS: [f64; 3] = [0.05, 0.5, 0.95];

impl Calibration {
    /// `start`: the scores to begin with.
    pub(crate) fn new(rate: f64, start: [f64; 3]) -> Self {
        Self { scores: start, rate }
    }

    pub(crate) fn learn(&mut self, spread: Spread, came: f64) {
        let score = spread.score(came);
        for (edge, level) in self.scores.iter_mut().zip(LEVELS) {
            let below = if score <= *edge { 1.0 } else { 0.0 };
            *edge = (*edge + self.rate * (level - below)).clamp(-SCORE_MAX, SCORE_MAX);
        }
    }

    pub(crate) fn band(&self, spread: Spread) -> Band {
        let [low, middle, high] = self.scores;
        let p50 = spread.value(middle);
        Band { p05: spread.value(low).min(p50), p50, p95: spread.value(high).max(p50) }
    }
}
