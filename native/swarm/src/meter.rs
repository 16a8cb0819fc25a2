//! A rate that must not be exceeded.

use klais_units::MICROS_PER_SECOND;

/// GCRA (ITU-T I.371, annex A) in microseconds: `per_second` events, `burst` of them at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    interval: u64,
    burst_micros: u64,
    arrival: u64,
}

impl Meter {
    /// `per_second` from 1 to a million.
    pub(crate) fn new(per_second: u64, burst: u64) -> Self {
        let interval = MICROS_PER_SECOND / per_second.clamp(1, MICROS_PER_SECOND);
        Self { interval, burst_micros: interval.saturating_mul(burst.max(1)), arrival: 0 }
    }

    /// Whether another event fits; if so it is charged.
    pub(crate) fn allows(&mut self, now: u64) -> bool {
        let next = self.arrival.max(now).saturating_add(self.interval);
        let fits = next.saturating_sub(now) <= self.burst_micros;
        if fits {
            self.arrival = next;
        }
        fits
    }
}
