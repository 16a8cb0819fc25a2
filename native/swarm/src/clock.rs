//! The wall clock, as far as it is needed: reports of threats are dated by it.

use klais_units::MICROS_PER_SECOND;

/// How far the wall clocks of two gateways may lie apart.
pub(crate) const SKEW_MICROS_MAX: u64 = 30 * MICROS_PER_SECOND;

/// Wall-clock time from the time that is passed in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallClock {
    wall_at_start: u64,
    started: u64,
}

impl WallClock {
    pub(crate) const fn new(wall_at_start: u64, started: u64) -> Self {
        Self { wall_at_start, started }
    }

    /// Microseconds since 1970.
    pub(crate) const fn at(&self, now: u64) -> u64 {
        self.wall_at_start.saturating_add(now.saturating_sub(self.started))
    }

    /// When the wall clock will read `wall`.
    pub(crate) const fn when(&self, wall: u64) -> u64 {
        self.started.saturating_add(wall.saturating_sub(self.wall_at_start))
    }
}
