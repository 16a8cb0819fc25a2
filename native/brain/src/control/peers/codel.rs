//! CoDel as servers use it: folly's `Codel`, and Maurer, "Fail at Scale", ACM Queue 2015.

use super::super::{Arrival, Decision, Level, Observation, Reason, Verdict};
use super::sample::Sample;
use super::{Law, open};

const TARGET_MICROS: u64 = 5_000;
/// What waits longer is refused while all wait too long.
const SLOUGH_MICROS: u64 = 2 * TARGET_MICROS;
/// Of the rate of delivery that predicts the wait.
const RATE_TICKS: u64 = 8;

/// Whenever nothing in an interval of 100 ms, here a tick, waited less than 5 ms, what waits more than 10 ms is refused.
///
/// folly refuses at the queue's head. What a gateway has taken in it may not drop: its device has a mark for it, and the lane
/// would have a hole. So a frame is refused on arrival, by the wait that the queue and the rate of delivery predict. With
/// that the queue stays short, and *newest first* has nothing to choose from: within a lane order is the protocol's law.
#[derive(Clone, Debug, Default)]
pub(super) struct Codel {
    wait_micros_min: Option<u64>,
    is_overloaded: bool,
    /// Readings that the sink delivers a second.
    rate: u64,
    readings: u64,
    group_micros: u64,
}

impl Codel {
    /// How long a frame that comes now will wait, beyond what group commit costs by itself.
    fn predicted_micros(&self, queued_readings: u64) -> u64 {
        let drained = u128::from(queued_readings) * 1_000_000 / u128::from(self.rate.max(1));
        u64::try_from(drained).unwrap_or(u64::MAX).saturating_sub(self.group_micros)
    }
}

impl Law for Codel {
    fn is_at_rest(&self) -> bool {
        !self.is_overloaded
    }

    fn on_arrival(&mut self, arrival: &Arrival) -> Verdict {
        let is_late = self.is_overloaded && self.predicted_micros(arrival.queued_readings) > SLOUGH_MICROS;
        if is_late { Verdict::Refuse } else { Verdict::Accept }
    }

    fn on_sample(&mut self, sample: &Sample) {
        let least = self.wait_micros_min.unwrap_or(u64::MAX);
        self.wait_micros_min = Some(least.min(sample.wait_micros));
        self.group_micros = sample.latency_micros_min;
        if !sample.is_dropped {
            self.readings += sample.readings;
        }
    }

    fn tick(&mut self, seen: &Observation) -> Decision {
        let rate = self.readings.saturating_mul(1_000_000) / seen.elapsed_micros.max(1);
        self.rate = (self.rate * (RATE_TICKS - 1) + rate) / RATE_TICKS;
        self.readings = 0;
        if let Some(least) = self.wait_micros_min.take() {
            self.is_overloaded = least > TARGET_MICROS;
        } else if seen.live.queued + seen.backfill.queued == 0 {
            self.is_overloaded = false;
        }
        let level = if self.is_overloaded { Level::LiveThinned } else { Level::Normal };
        Decision { level, ..open(Reason::Latency) }
    }
}
