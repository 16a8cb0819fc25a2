//! Turnaround: from a reading's arrival at this machine to the acknowledgement's departure.
//!
//! Per device and lane the oldest frame accepted and not yet acknowledged is timed; a second one behind it is not, so
//! that a device in a hurry does not count for more than its share, and so that memory has a bound.

use hdrhistogram::Histogram;
use klais_burst_sync::Lane;

/// The shortest time that is told apart, and the longest.
const LEAST_NANOS: u64 = 256;
const MOST_NANOS: u64 = 3_600 * 1_000_000_000;
/// Significant digits.
const DIGITS: u8 = 2;

/// Arrivals under way, 16 bytes a device, and the histogram of those that are over.
pub struct Turnaround {
    /// Monotonic nanoseconds of the arrival, live and backfill; 0 for none.
    arrivals: Box<[[u64; 2]]>,
    histogram: Histogram<u64>,
}

impl Turnaround {
    /// For `devices`. `None` only if the histogram's bounds were wrong, which they are not.
    pub fn new(devices: u32) -> Option<Self> {
        let histogram = Histogram::new_with_bounds(LEAST_NANOS, MOST_NANOS, DIGITS).ok()?;
        Some(Self { arrivals: vec![[0; 2]; devices as usize].into_boxed_slice(), histogram })
    }

    /// A frame with readings was accepted that arrived at `at_nanos`.
    pub fn arrived(&mut self, device: u32, lane: Lane, at_nanos: u64) {
        if let Some(place) = self.place(device, lane).filter(|place| **place == 0) {
            *place = at_nanos;
        }
    }

    /// The lane is being acknowledged: when what is acknowledged arrived.
    pub fn take(&mut self, device: u32, lane: Lane) -> Option<u64> {
        self.place(device, lane).map(std::mem::take).filter(|at| *at != 0)
    }

    /// What was under way is not acknowledged as it came: it is not timed.
    pub fn forget(&mut self, device: u32) {
        if let Some(lanes) = self.arrivals.get_mut(device as usize) {
            *lanes = [0; 2];
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

    fn place(&mut self, device: u32, lane: Lane) -> Option<&mut u64> {
        let [live, backfill] = self.arrivals.get_mut(device as usize)?;
        Some(if lane == Lane::Live { live } else { backfill })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_unacknowledged_frame_of_a_lane_is_timed() {
        let mut turnaround = Turnaround::new(2).expect("bounds");
        turnaround.arrived(1, Lane::Live, 1_000);
        turnaround.arrived(1, Lane::Live, 5_000);
        turnaround.arrived(1, Lane::Backfill, 7_000);
        turnaround.arrived(2, Lane::Live, 9_000);
        assert_eq!(turnaround.take(1, Lane::Live), Some(1_000));
        assert_eq!(turnaround.take(1, Lane::Live), None);
        turnaround.forget(1);
        assert_eq!(turnaround.take(1, Lane::Backfill), None);
        assert_eq!(turnaround.take(2, Lane::Live), None);
        turnaround.record(1_000, 101_000);
        let p50 = turnaround.histogram().value_at_quantile(0.5);
        assert!((99_000..=101_500).contains(&p50), "{p50}");
    }
}
