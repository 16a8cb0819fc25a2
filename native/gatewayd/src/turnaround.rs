//! Turnaround: from a reading's arrival at this machine to the acknowledgement's departure.
//!
//! Per device and lane the oldest frame accepted and not yet acknowledged is timed; a second one behind it is not, so
//! that a device in a hurry does not count for more than its share. Memory goes with what is under way, not with the fleet.
#![allow(clippy::disallowed_types, reason = "looked up by key alone: no order of a hash map shows")]

use hdrhistogram::Histogram;
use klais_burst_sync::Lane;
use std::collections::HashMap;

/// The shortest time that is told apart, and the longest.
const LEAST_NANOS: u64 = 256;
const MOST_NANOS: u64 = 3_600 * 1_000_000_000;
/// Significant digits.
const DIGITS: u8 = 2;

/// Lanes timed at once; while there are as many, others go untimed.
const TIMED_MAX: usize = 1 << 18;

/// Arrivals under way, and the histogram of those that are over.
pub struct Turnaround {
    /// Monotonic nanoseconds of the arrival, by device and lane.
    arrivals: HashMap<(u32, u8), u64>,
    histogram: Histogram<u64>,
}

impl Turnaround {
    /// Nothing under way. `None` only if the histogram's bounds were wrong, which they are not.
    pub fn new() -> Option<Self> {
        let histogram = Histogram::new_with_bounds(LEAST_NANOS, MOST_NANOS, DIGITS).ok()?;
        Some(Self { arrivals: HashMap::new(), histogram })
    }

    /// A frame with readings was accepted that arrived at `at_nanos`.
    pub fn arrived(&mut self, device: u32, lane: Lane, at_nanos: u64) {
        if self.arrivals.len() < TIMED_MAX {
            self.arrivals.entry((device, lane as u8)).or_insert(at_nanos);
        }
    }

    /// The lane is being acknowledged: when what is acknowledged arrived.
    pub fn take(&mut self, device: u32, lane: Lane) -> Option<u64> {
        self.arrivals.remove(&(device, lane as u8))
    }

    /// What was under way is not acknowledged as it came: it is not timed.
    pub fn forget(&mut self, device: u32) {
        for lane in [Lane::Live, Lane::Backfill] {
            self.arrivals.remove(&(device, lane as u8));
        }
    }

    /// An acknowledgement has left at `now_nanos` for what arrived at `at_nanos`.
    pub fn record(&mut self, at_nanos: u64, now_nanos: u64) {
        self.histogram.saturating_record(now_nanos.saturating_sub(at_nanos));
    }

    /// All that were timed.
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_unacknowledged_frame_of_a_lane_is_timed() {
        let mut turnaround = Turnaround::new().expect("bounds");
        turnaround.arrived(1, Lane::Live, 1_000);
        turnaround.arrived(1, Lane::Live, 5_000);
        turnaround.arrived(1, Lane::Backfill, 7_000);
        assert_eq!(turnaround.take(1, Lane::Live), Some(1_000));
        assert_eq!(turnaround.take(1, Lane::Live), None);
        turnaround.forget(1);
        assert_eq!(turnaround.take(1, Lane::Backfill), None);
        turnaround.record(1_000, 101_000);
        let p50 = turnaround.histogram().value_at_quantile(0.5);
        assert!((99_000..=101_500).contains(&p50), "{p50}");
    }
}
