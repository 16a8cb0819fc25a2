//! How much is given up: four levels, with different thresholds up and down, and a time that each is held at least.

use crate::control::Level;

/// History stands still above so many times the target, until the delay is below the target again.
pub(crate) const STOP_TARGETS: u64 = 4;
/// A level is held for so long before a lower one.
const HOLD_MICROS: u64 = 500_000;
/// The highest is held longer: it sends devices away.
const HOLD_THINNED_MICROS: u64 = 5_000_000;

/// The level, and since when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ladder {
    level: Level,
    since: u64,
}

impl Ladder {
    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// `delay` and `target` in microseconds; `is_crowded`, `is_roomy`: live readings take more than half of the room that
    /// there is for what waits, or less than a quarter.
    pub(crate) fn climb(&mut self, now: u64, delay: u64, target: u64, is_crowded: bool, is_roomy: bool) {
        let stop = target.saturating_mul(STOP_TARGETS);
        let up = match self.level {
            _ if is_crowded => Level::LiveThinned,
            Level::Normal | Level::HistorySlowed if delay > stop => Level::HistoryStopped,
            Level::Normal if delay > target => Level::HistorySlowed,
            level => level,
        };
        let down = match self.level {
            Level::LiveThinned if is_roomy => Level::HistoryStopped,
            Level::HistoryStopped if delay < target => Level::HistorySlowed,
            Level::HistorySlowed if delay < target / 2 => Level::Normal,
            level => level,
        };
        let hold = if self.level == Level::LiveThinned { HOLD_THINNED_MICROS } else { HOLD_MICROS };
        if up > self.level {
            (self.level, self.since) = (up, now);
        } else if down < self.level && now.abs_diff(self.since) >= hold {
            (self.level, self.since) = (down, now);
        }
    }
}
