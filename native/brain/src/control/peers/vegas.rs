//! Netflix concurrency-limits, `VegasLimit`: after TCP Vegas.

use super::super::{Decision, Observation};
use super::sample::Sample;
use super::{Law, limited};
use klais_units::draw;

const INITIAL: u64 = 20;
const LIMIT_MAX: u64 = 1_000;
/// The idle round trip is measured anew every 30 limits' worth of samples, times a jitter of a half to 1.
const PROBE_MULTIPLIER: u64 = 30;
const JITTER_PARTS: u64 = 1 << 16;
const PURPOSE_PROBE: u64 = 0x7665_6761;

/// The queue is estimated as `limit * (1 - idle / present)`. With `l = max(1, floor(log10(limit)))`: up to `l` in it the limit
/// grows by `6 l`, below `3 l` by `l`, above `6 l` or after a loss it shrinks by `l`; between, it stays.
#[derive(Clone, Debug)]
pub(super) struct Vegas {
    limit: u64,
    idle_micros: u64,
    samples: u64,
    probes: u64,
}

impl Default for Vegas {
    fn default() -> Self {
        Self { limit: INITIAL, idle_micros: 0, samples: 0, probes: 0 }
    }
}

impl Vegas {
    fn is_probe_due(&self) -> bool {
        let half = JITTER_PARTS / 2;
        let jitter = half + draw(0, self.probes, 0, PURPOSE_PROBE) % half;
        jitter * PROBE_MULTIPLIER * self.limit <= self.samples * JITTER_PARTS
    }

    fn queue(&self, rtt_micros: u64) -> u64 {
        let excess = u128::from(rtt_micros.saturating_sub(self.idle_micros));
        let queue = (u128::from(self.limit) * excess).div_ceil(u128::from(rtt_micros.max(1)));
        u64::try_from(queue).unwrap_or(u64::MAX)
    }
}

impl Law for Vegas {
    fn on_sample(&mut self, sample: &Sample) {
        let rtt = sample.rtt_micros.max(1);
        self.samples += 1;
        if self.is_probe_due() {
            self.probes += 1;
            self.samples = 0;
            self.idle_micros = rtt;
            return;
        }
        if self.idle_micros == 0 || rtt < self.idle_micros {
            self.idle_micros = rtt;
            return;
        }
        let (step, queue) = (u64::from(self.limit.ilog10()).max(1), self.queue(rtt));
        let is_used = sample.in_flight.saturating_mul(2) >= self.limit;
        let wanted = match () {
            () if sample.is_dropped => self.limit.saturating_sub(step),
            () if !is_used => return,
            () if queue <= step => self.limit + 6 * step,
            () if queue < 3 * step => self.limit + step,
            () if queue > 6 * step => self.limit.saturating_sub(step),
            () => return,
        };
        self.limit = wanted.clamp(1, LIMIT_MAX);
    }

    fn tick(&mut self, _seen: &Observation) -> Decision {
        limited(self.limit)
    }
}
