//! Time, for deadlines and for the timestamps of records.

use klais_units::{NANOS_PER_MICRO, NANOS_PER_SECOND};
use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

const NANOS_PER_MILLI: u64 = 1_000 * NANOS_PER_MICRO;

/// CLOCK_MONOTONIC in nanoseconds.
pub fn monotonic_nanos() -> u64 {
    nanos(ClockId::CLOCK_MONOTONIC)
}

/// CLOCK_REALTIME in milliseconds since 1970. May jump.
pub(crate) fn wall_millis() -> i64 {
    i64::try_from(nanos(ClockId::CLOCK_REALTIME) / NANOS_PER_MILLI).unwrap_or(i64::MAX)
}

/// A duration in nanoseconds.
pub(crate) fn nanos_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Linux has both clocks; were one refused, its time would stand still, and librdkafka's own time-outs end the wait.
fn nanos(clock: ClockId) -> u64 {
    clock_gettime(clock).map_or(0, |time| {
        let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
        seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(u64::try_from(time.tv_nsec()).unwrap_or(0))
    })
}

/// A moment by which something has to be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at_nanos: u64,
}

impl Deadline {
    pub(crate) fn after(duration: Duration) -> Self {
        Self { at_nanos: monotonic_nanos().saturating_add(nanos_of(duration)) }
    }

    pub(crate) fn remaining(self) -> Duration {
        Duration::from_nanos(self.at_nanos.saturating_sub(monotonic_nanos()))
    }

    pub(crate) fn is_over(self) -> bool {
        self.remaining().is_zero()
    }
}
