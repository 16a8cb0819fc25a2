//! The forecaster: what the gateway saw in, the coming wave out.

use alloc::collections::VecDeque;

use super::band::Band;
use super::cohorts::{Cohorts, Holdings};
use super::hazard::{Hazard, keep};
use super::height::{Height, WAYS};
use super::order::Order;
use super::settings::{LEADS, Lead, MAX_STEPS, Settings};
use super::target::Target;

/// What is to come within a lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wave {
    /// Devices that come back, on average.
    pub expected_devices: u64,
    /// Readings that they bring, on average.
    pub expected_readings: u64,
    /// Readings that they bring.
    pub readings: Band,
}

/// Foretells the readings that silent devices will bring. One per fleet that returns for one reason: a gateway, or a region.
#[derive(Clone, Debug)]
pub struct Forecaster {
    settings: Settings,
    cohorts: Cohorts,
    hazard: Hazard,
    order: Order,
    sums: [Target; LEADS],
    peak: Target,
    height: Height,
    /// When the step ends that is under way; 0: nothing was heard yet.
    step_ends: u64,
    now: u64,
    step_devices: f64,
    step_readings: f64,
    /// Readings of past steps, the newest last.
    past: VecDeque<f64>,
    past_devices: VecDeque<f64>,
    /// Past windows of the middle lead, the newest last.
    windows: VecDeque<f64>,
    /// Readings that came and that were thought to come, fading.
    brought: f64,
    thought: f64,
}

/// How many readings of trust the assumed backlog has before any was stated.
const TRUST_READINGS: f64 = 1_000.0;

impl Forecaster {
    /// Settings out of range are moved to the nearest that work.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let settings = settings.bounded();
        let lumps = keep(settings.lump_memory_steps);
        let rate = settings.calibration_rate;
        Self {
            cohorts: Cohorts::new(settings.cohort_micros),
            hazard: Hazard::new(&settings),
            order: Order::new(keep(settings.cohort_memory_steps)),
            sums: settings.lead_steps.map(|steps| Target::sum(steps, rate, lumps)),
            peak: Target::peak(settings.peak_horizon_steps, rate, lumps),
            height: Height::new(settings.peak_horizon_steps, settings.window_memory_steps),
            step_ends: 0,
            now: 0,
            step_devices: 0.0,
            step_readings: 0.0,
            past: VecDeque::with_capacity(usize::from(MAX_STEPS) + 1),
            past_devices: VecDeque::with_capacity(usize::from(MAX_STEPS) + 1),
            windows: VecDeque::with_capacity(usize::from(MAX_STEPS) + 1),
            brought: 0.0,
            thought: 0.0,
            settings,
        }
    }

    /// Devices have fallen silent: they were last heard at `since_micros`, now or earlier.
    pub fn fell_silent(&mut self, since_micros: u64, devices: u64, holdings: Holdings) {
        self.cohorts.add(self.now.max(since_micros), since_micros, devices, holdings);
    }

    /// Devices are back after `silent_micros`, with `readings` in all. More than were known to be silent may come.
    pub fn returned(&mut self, now: u64, silent_micros: u64, devices: u64, readings: u64) {
        let rank = self.cohorts.rank_of(now.saturating_sub(silent_micros));
        let (known, thought) = self.cohorts.take(now, now.saturating_sub(silent_micros), devices);
        self.step_devices += known;
        self.step_readings += readings as f64;
        if known > 0.0 {
            self.brought += readings as f64 * (known / devices.max(1) as f64);
            self.thought += thought;
            self.order.learn(rank);
        }
    }

    /// Time passes: to be called at least once a step. After a longer gap the steps in between count as empty; a clock that
    /// runs backwards is ignored.
    pub fn tick(&mut self, now: u64) {
        if self.step_ends == 0 {
            self.step_ends = now.saturating_add(self.settings.step_micros);
        }
        self.now = self.now.max(now);
        let mut steps = 0;
        while now >= self.step_ends && steps < MAX_STEPS {
            self.end_step();
            self.step_ends = self.step_ends.saturating_add(self.settings.step_micros);
            steps += 1;
        }
        if now >= self.step_ends {
            self.step_ends = now.saturating_add(self.settings.step_micros);
        }
    }

    /// What will come within a lead, counted from the last step's end.
    #[must_use]
    pub fn forecast(&self, lead: Lead) -> Wave {
        let index = lead.index();
        let (devices, readings) = self.expected(self.settings.lead_steps[index]);
        let target = &self.sums[index];
        Wave {
            expected_devices: libm::round(devices) as u64,
            expected_readings: libm::round(readings) as u64,
            readings: target.band(target.spread(readings)),
        }
    }

    /// The highest load per middle lead (10 minutes) within the horizon (an hour).
    #[must_use]
    pub fn coming_peak(&self) -> Band {
        let middle = self.height();
        self.peak.band(self.peak.spread_by_factor(middle))
    }

    /// How high the load will be at the next peak, whenever that comes.
    #[must_use]
    pub fn wave_height(&self) -> u64 {
        libm::round(self.height()) as u64
    }

    /// Devices that are silent.
    #[must_use]
    pub fn silent_devices(&self) -> u64 {
        libm::round(self.cohorts.devices()) as u64
    }

    /// Readings that they hold by now, going by what others like them brought.
    #[must_use]
    pub fn owed_readings(&self) -> u64 {
        let owed: f64 = self.cohorts.at(self.now).map(|cohort| cohort.owed).sum();
        libm::round(owed * self.yield_share()) as u64
    }

    /// Brought readings over those that were thought to come: devices may have lost some, or take fewer than assumed.
    fn yield_share(&self) -> f64 {
        (self.brought + TRUST_READINGS) / (self.thought + TRUST_READINGS)
    }

    /// Devices and readings to come within so many steps, on average.
    fn expected(&self, steps: u16) -> (f64, f64) {
        let all = self.cohorts.devices();
        if all <= 0.0 {
            return (0.0, 0.0);
        }
        let steps = f64::from(steps);
        let half = self.settings.step_micros / 2 * u64::from(self.settings.lead_steps[1]);
        let shared = self.hazard.shared();
        let (mut devices, mut readings, mut older) = (0.0, 0.0, 0.0);
        for cohort in self.cohorts.at(self.now.saturating_add(half)) {
            let (from, to) = (older / all, (older + cohort.devices) / all);
            older += cohort.devices;
            if cohort.devices <= 0.0 {
                continue;
            }
            // By rank, and by the cohort's own history: each has its cases, so the hazard lies between.
            let ranked = shared * self.order.share(from, to) / (to - from);
            let own = self.hazard.of(&cohort, shared);
            let weight = self.settings.rank_weight;
            let hazard = weight * ranked + (1.0 - weight) * own;
            let share = -libm::expm1(-hazard * steps);
            devices += cohort.devices * share;
            readings += cohort.owed * share;
        }
        (devices, readings * self.yield_share())
    }

    fn ways(&self) -> [f64; WAYS] {
        let (devices, readings) = self.expected(self.settings.lead_steps[1]);
        if devices <= 0.0 || readings <= 0.0 {
            return [0.0; WAYS];
        }
        let lately = self.past_windows().fold(0.0, f64::max);
        self.height.ways(lately, readings / devices, self.cohorts.devices())
    }

    fn height(&self) -> f64 {
        self.height.mean(self.ways())
    }

    /// Loads within the past horizon.
    fn past_windows(&self) -> impl Iterator<Item = f64> + '_ {
        let windows = usize::from(self.settings.peak_horizon_steps - self.settings.lead_steps[1]) + 1;
        self.windows.iter().rev().take(windows).copied()
    }

    fn end_step(&mut self) {
        let silent = self.cohorts.devices() + self.step_devices;
        self.hazard.step(silent, self.step_devices);
        self.cohorts.step(keep(self.settings.cohort_memory_steps));
        let fade = keep(self.settings.lump_memory_steps);
        self.brought *= fade;
        self.thought *= fade;
        self.order.step();
        push(&mut self.past, self.step_readings);
        push(&mut self.past_devices, self.step_devices);
        let lately: f64 = sum_of_last(&self.past_devices, self.settings.lead_steps[1]);
        self.height.window(lately, self.cohorts.devices());
        self.step_devices = 0.0;
        self.step_readings = 0.0;
        let window = sum_of_last(&self.past, self.settings.lead_steps[1]);
        push(&mut self.windows, window);

        for index in 0..LEADS {
            let steps = self.settings.lead_steps[index];
            let came = sum_of_last(&self.past, steps);
            let (_, mean) = self.expected(steps);
            let target = &mut self.sums[index];
            target.resolve(came);
            let spread = target.spread(mean);
            target.open(mean, spread);
        }
        let highest = self.past_windows().fold(0.0, f64::max);
        let ways = self.ways();
        self.height.step(highest, ways);
        self.peak.resolve(highest);
        let middle = self.height();
        let spread = self.peak.spread_by_factor(middle);
        self.peak.open(middle, spread);
    }
}

fn sum_of_last(ring: &VecDeque<f64>, steps: u16) -> f64 {
    ring.iter().rev().take(usize::from(steps)).sum()
}

fn push(ring: &mut VecDeque<f64>, value: f64) {
    if ring.len() == usize::from(MAX_STEPS) {
        ring.pop_front();
    }
    ring.push_back(value);
}
