//! Netflix concurrency-limits, `AIMDLimit`: loss-based, as TCP Reno.

use super::super::{Decision, Observation};
use super::sample::Sample;
use super::{Law, limited};

const INITIAL: u64 = 10;
const BACKOFF_PERMILLE: u64 = 900;
/// A round trip longer than this counts as a loss.
const TIMEOUT_MICROS: u64 = 5_000_000;

/// The published limit has no upper bound of its own. It starts at 10, grows by 1 a sample while at least half of it is used,
/// and is cut to 0.9 by a loss or a round trip above 5 s.
#[derive(Clone, Debug)]
pub(super) struct Aimd {
    limit: u64,
}

impl Default for Aimd {
    fn default() -> Self {
        Self { limit: INITIAL }
    }
}

impl Law for Aimd {
    fn on_sample(&mut self, sample: &Sample) {
        if sample.is_dropped || sample.rtt_micros > TIMEOUT_MICROS {
            let cut = self.limit.saturating_mul(BACKOFF_PERMILLE) / 1_000;
            self.limit = cut.min(self.limit - 1).max(1);
        } else if sample.in_flight.saturating_mul(2) >= self.limit {
            self.limit = self.limit.saturating_add(1);
        }
    }

    fn tick(&mut self, _seen: &Observation) -> Decision {
        limited(self.limit)
    }
}
