//! Cho et al., "Overload Control for µs-scale RPCs with Breakwater", OSDI 2020, and its code (shenango/caladan).

use super::super::{Arrival, Decision, Observation, Verdict};
use super::sample::Sample;
use super::{Law, limited};

/// The published target is 80 µs for requests of 10 µs.
const TARGET_FACTOR: u64 = 8;
/// Above this multiple of the target, requests are refused on arrival.
const REFUSE_FACTOR: u64 = 2;
/// Credits more per client and round trip.
const INCREASE: f64 = 0.001;
const DECREASE: f64 = 0.02;
const FACTOR_MIN: f64 = 0.5;
/// As many as the server has cores: a gateway's pipeline has one.
const CREDITS_MIN: f64 = 1.0;
const CREDITS_PER_CLIENT: f64 = 64.0;

/// Credits for undecided frames. Each round trip: with a delay below the target, a thousandth more per client; above it,
/// `1 - 0.02 * (delay - target) / target` of them, a half at least. Service time and round trip are those of the fastest
/// transaction so far.
///
/// Published, a client sends only with a credit in hand, and tells its demand with each request. The devices' protocol has no
/// such credits for fresh readings: here a frame that finds none left is refused.
#[derive(Clone, Debug)]
pub(super) struct Breakwater {
    commit_interval_micros: u64,
    service_micros: u64,
    credits: f64,
    delay_micros: u64,
    updated_micros: u64,
    is_refusing: bool,
}

impl Breakwater {
    pub(super) fn new(commit_interval_micros: u64) -> Self {
        Self {
            commit_interval_micros,
            service_micros: 0,
            credits: CREDITS_MIN,
            delay_micros: 0,
            updated_micros: 0,
            is_refusing: false,
        }
    }

    fn target_micros(&self) -> u64 {
        self.service_micros.saturating_mul(TARGET_FACTOR)
    }

    fn update(&mut self, clients: f64) {
        let target = self.target_micros();
        if self.delay_micros >= target {
            let over = (self.delay_micros - target) as f64 / target as f64;
            let factor = (1.0 - DECREASE * over).max(FACTOR_MIN);
            self.credits = (self.credits * factor).min(self.credits - 1.0);
        } else {
            self.credits += clients * INCREASE;
        }
        self.credits = self.credits.min(clients * CREDITS_PER_CLIENT).max(CREDITS_MIN);
    }
}

impl Law for Breakwater {
    fn on_arrival(&mut self, _arrival: &Arrival) -> Verdict {
        if self.is_refusing { Verdict::Refuse } else { Verdict::Accept }
    }

    fn on_sample(&mut self, sample: &Sample) {
        self.service_micros = sample.latency_micros_min;
    }

    fn tick(&mut self, seen: &Observation) -> Decision {
        let group = self.commit_interval_micros + self.service_micros;
        self.delay_micros = seen.queued_micros_max.saturating_sub(group);
        let target = self.target_micros();
        self.is_refusing = target > 0 && self.delay_micros >= target.saturating_mul(REFUSE_FACTOR);
        let is_due = seen.now.saturating_sub(self.updated_micros) >= self.service_micros;
        if target > 0 && is_due && seen.undecided_frames + seen.commits.committed > 0 {
            self.updated_micros = seen.now;
            self.update(seen.online as f64);
        }
        limited(self.credits as u64)
    }
}
