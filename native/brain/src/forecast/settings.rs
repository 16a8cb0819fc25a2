//! What the forecaster is told, and the limits that keep it small.

/// How many leads are forecast side by side.
pub const LEADS: usize = 3;
/// Longest lead or horizon, in steps: what is kept to see how forecasts came out.
pub const MAX_STEPS: u16 = 256;
/// Time constants of the hazard that all cohorts share; the data choose among them.
pub(crate) const EXPERTS: usize = 3;

/// Which of the settings' leads is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// `lead_steps[0]`: a minute, by default.
    Short,
    /// `lead_steps[1]`: ten minutes, by default. A wave's load is counted over windows of this length.
    Middle,
    /// `lead_steps[2]`: half an hour, by default.
    Long,
}

impl Lead {
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Short => 0,
            Self::Middle => 1,
            Self::Long => 2,
        }
    }
}

/// How to forecast. The numbers in `Default` were tuned on one trace (`docs/forecast.md` says which).
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Length of a step: what comes within is one observation. At least a millisecond.
    pub step_micros: u64,
    /// Leads in steps, 1 to `MAX_STEPS`.
    pub lead_steps: [u16; LEADS],
    /// How far ahead the coming peak is looked for, in steps; at least the middle lead.
    pub peak_horizon_steps: u16,
    /// Devices that fall silent within so long of each other are one cohort, until the table is full.
    pub cohort_micros: u64,
    /// Time constants of the shared hazard, in steps.
    pub shared_memory_steps: [u16; EXPERTS],
    /// Time constant of a cohort's own hazard, in steps.
    pub cohort_memory_steps: u16,
    /// How many lumps of evidence the shared hazard is worth to a cohort (the weight of a gamma prior).
    pub shrinkage_lumps: f64,
    /// The hazard before anything came back: once in so many steps.
    pub prior_steps: f64,
    /// Time constant of the lumpiness, in steps.
    pub lump_memory_steps: u16,
    /// Time constant of the size of a window's returns, in steps: what a large lump was like is worth remembering for long.
    pub window_memory_steps: u16,
    /// How much a return's rank in the order of silence counts beside its cohort's own history; 0 to 1.
    pub rank_weight: f64,
    /// How fast the band follows what came: the step of the quantile trackers, in standard deviations.
    pub calibration_rate: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            step_micros: 60_000_000,
            lead_steps: [1, 10, 30],
            peak_horizon_steps: 180,
            cohort_micros: 600_000_000,
            shared_memory_steps: [10, 30, 120],
            cohort_memory_steps: 120,
            shrinkage_lumps: 16.0,
            prior_steps: 720.0,
            lump_memory_steps: 1_440,
            window_memory_steps: 4_320,
            rank_weight: 0.8,
            calibration_rate: 0.05,
        }
    }
}

impl Settings {
    /// The nearest settings that can be worked with: whatever comes in, nothing overflows or divides by zero.
    pub(crate) fn bounded(mut self) -> Self {
        self.step_micros = self.step_micros.max(1_000);
        self.cohort_micros = self.cohort_micros.max(1);
        self.lead_steps = self.lead_steps.map(|steps| steps.clamp(1, MAX_STEPS));
        self.peak_horizon_steps = self.peak_horizon_steps.clamp(self.lead_steps[1], MAX_STEPS);
        self.shared_memory_steps = self.shared_memory_steps.map(|steps| steps.max(1));
        self.cohort_memory_steps = self.cohort_memory_steps.max(1);
        self.lump_memory_steps = self.lump_memory_steps.max(1);
        self.window_memory_steps = self.window_memory_steps.max(1);
        self.rank_weight = within(self.rank_weight, 0.0, 1.0);
        self.shrinkage_lumps = within(self.shrinkage_lumps, 0.01, 1e6);
        self.prior_steps = within(self.prior_steps, 1.0, 1e9);
        self.calibration_rate = within(self.calibration_rate, 0.0, 1.0);
        self
    }
}

fn within(value: f64, low: f64, high: f64) -> f64 {
    if value.is_nan() { low } else { value.clamp(low, high) }
}
