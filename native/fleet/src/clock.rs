//! The clock that the fleet and the gateways share: CLOCK_MONOTONIC from a common origin, at a common scale.

use crate::error::FleetError;
use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_MICRO: f64 = 1_000.0;

/// Virtual time: `(monotonic - origin) * scale`, 0 before the origin.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin_nanos: u64,
    scale: f64,
}

impl Clock {
    /// A clock from `origin_nanos` of CLOCK_MONOTONIC, or from now on. `scale`: virtual seconds per second.
    ///
    /// # Errors
    /// The system has no such clock.
    pub fn new(origin_nanos: Option<u64>, scale: f64) -> Result<Self, FleetError> {
        let now = ClockId::CLOCK_MONOTONIC.now().map_err(FleetError::system("clock"))?;
        let now_nanos = now.tv_sec() as u64 * NANOS_PER_SECOND + now.tv_nsec() as u64;
        Ok(Self { origin_nanos: origin_nanos.unwrap_or(now_nanos), scale })
    }

    /// CLOCK_MONOTONIC, nanoseconds.
    pub fn monotonic_nanos() -> u64 {
        // `new` has read it once: it cannot fail any more.
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC);
        now.map_or(0, |t| t.tv_sec() as u64 * NANOS_PER_SECOND + t.tv_nsec() as u64)
    }

    /// Virtual now, microseconds.
    pub fn now_micros(&self) -> u64 {
        self.virtual_at(Self::monotonic_nanos())
    }

    /// Virtual microseconds at a reading of CLOCK_MONOTONIC.
    pub fn virtual_at(&self, monotonic_nanos: u64) -> u64 {
        // 53 bits of nanoseconds last for a hundred days.
        (monotonic_nanos.saturating_sub(self.origin_nanos) as f64 * self.scale / NANOS_PER_MICRO) as u64
    }

    /// Reading of CLOCK_MONOTONIC at a virtual time, rounded down.
    pub fn monotonic_at(&self, virtual_micros: u64) -> u64 {
        let nanos = virtual_micros as f64 * NANOS_PER_MICRO / self.scale;
        self.origin_nanos.saturating_add(nanos as u64)
    }

    /// Real time from `now_nanos` until a virtual time.
    pub fn until(&self, virtual_micros: u64, now_nanos: u64) -> Duration {
        Duration::from_nanos(self.monotonic_at(virtual_micros).saturating_sub(now_nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_time_runs_from_its_origin() {
        let clock = Clock { origin_nanos: 5_000_000_000, scale: 10.0 };
        assert_eq!(clock.virtual_at(4_000_000_000), 0);
        assert_eq!(clock.virtual_at(6_000_000_000), 10_000_000);
        assert_eq!(clock.monotonic_at(10_000_000), 6_000_000_000);
        assert_eq!(clock.until(10_000_000, 5_500_000_000), Duration::from_millis(500));
        assert_eq!(clock.until(10_000_000, 7_000_000_000), Duration::ZERO);
    }
}
