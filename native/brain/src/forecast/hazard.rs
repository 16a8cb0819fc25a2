//! How likely a silent device is to come back within a step, learnt from those that did.
//!
//! Returns come in lumps: a street at a time. So evidence is counted in lumps, not in devices: with returns of size `φ` on
//! average (weighted by size), `returned / φ` of them have been seen. The shared hazard is a gamma-Poisson mean under
//! exponential forgetting, at several time constants, weighted by how well each foretold the next step (fixed share, Herbster
//! and Warmuth 1998); a cohort's own is drawn towards it by a gamma prior.

use super::cohorts::Silence;
use super::settings::{EXPERTS, Settings};

/// Weight that moves between the time constants at each step, so that none is lost for good.
const SHARE: f64 = 0.01;
/// Lumps that the prior is worth.
const PRIOR_LUMPS: f64 = 0.5;
/// A step's surprise counts at most so much: one odd step does not settle which time constant is best.
const LOSS_MAX: f64 = 4.0;

#[derive(Clone, Copy, Debug)]
struct Expert {
    keep: f64,
    returned: f64,
    exposure: f64,
    weight: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct Hazard {
    experts: [Expert; EXPERTS],
    lump_keep: f64,
    lump_squares: f64,
    lump_sum: f64,
    shrinkage: f64,
    prior: f64,
}

impl Hazard {
    pub(crate) fn new(settings: &Settings) -> Self {
        let experts = settings.shared_memory_steps.map(|steps| Expert {
            keep: keep(steps),
            returned: 0.0,
            exposure: 0.0,
            weight: 1.0 / EXPERTS as f64,
        });
        Self {
            experts,
            lump_keep: keep(settings.lump_memory_steps),
            lump_squares: 0.0,
            lump_sum: 0.0,
            shrinkage: settings.shrinkage_lumps,
            prior: 1.0 / settings.prior_steps,
        }
    }

    /// A step is over, in which `returned` of `silent` devices came back.
    pub(crate) fn step(&mut self, silent: f64, returned: f64) {
        if silent <= 0.0 && returned <= 0.0 {
            return;
        }
        let lump = self.lump();
        let mut total = 0.0;
        for index in 0..EXPERTS {
            let expected = (self.rate_of(self.experts[index], lump) * silent).max(1e-9);
            let expert = &mut self.experts[index];
            // Quasi-likelihood of a Poisson count of lumps: its mean is what it asks for, whatever the lumps are like.
            let loss = (expected - returned - returned * libm::log(expected / returned.max(1e-9))) / lump;
            expert.weight *= libm::exp(-loss.clamp(0.0, LOSS_MAX));
            expert.weight = expert.weight.max(1e-12);
            total += expert.weight;
            expert.returned = expert.returned * expert.keep + returned;
            expert.exposure = expert.exposure * expert.keep + silent;
        }
        for expert in &mut self.experts {
            expert.weight = expert.weight / total * (1.0 - SHARE) + SHARE / EXPERTS as f64;
        }
        self.lump_squares = self.lump_squares * self.lump_keep + returned * returned;
        self.lump_sum = self.lump_sum * self.lump_keep + returned;
    }

    /// Devices in a lump, as a device that returns sees it.
    fn lump(&self) -> f64 {
        (self.lump_squares + 1.0) / (self.lump_sum + 1.0)
    }

    fn rate_of(&self, expert: Expert, lump: f64) -> f64 {
        let lumps = expert.returned / lump + PRIOR_LUMPS;
        lumps / (expert.exposure / lump + PRIOR_LUMPS / self.prior)
    }

    /// What all cohorts share: the chance of a return per step, as a rate.
    pub(crate) fn shared(&self) -> f64 {
        let lump = self.lump();
        self.experts.iter().map(|expert| expert.weight * self.rate_of(*expert, lump)).sum()
    }

    /// A cohort's own, drawn towards `shared`.
    pub(crate) fn of(&self, cohort: &Silence, shared: f64) -> f64 {
        let lump = self.lump();
        let lumps = cohort.returned / lump + self.shrinkage;
        lumps / (cohort.exposure / lump + self.shrinkage / shared.max(1e-12))
    }
}

/// What is left of the past after a step, at a time constant of so many steps.
pub(crate) fn keep(steps: u16) -> f64 {
    1.0 - 1.0 / f64::from(steps.max(1))
}
