//! The bound: told what the sink takes, now and later.

use super::super::{Decision, Level, Observation, Reason};
use super::{CapacityFrom, Law};
use alloc::vec::Vec;

/// Before the sink goes away, history is held back this long: what would be under way then would fail.
const LEAD_MICROS: u64 = 1_000_000;

/// No estimate, no margin, no reaction time: the gateway's share of the true ceiling, by the shards that it serves. While the
/// sink takes nothing, history is held back and fresh readings wait at the rate from before.
#[derive(Clone, Debug)]
pub(super) struct Oracle {
    share_per_second: u64,
    shards: u64,
    course: Vec<CapacityFrom>,
    now: u64,
}

impl Oracle {
    pub(super) fn new(share_per_second: u64, shards: u64, course: &[CapacityFrom]) -> Self {
        Self { share_per_second, shards: shards.max(1), course: course.to_vec(), now: 0 }
    }

    /// What the whole sink takes at a time.
    fn capacity_at(&self, micros: u64) -> Option<u64> {
        self.course.iter().take_while(|from| from.micros <= micros).last().map(|from| from.per_second)
    }
}

impl Law for Oracle {
    fn is_at_rest(&self) -> bool {
        self.course.last().is_none_or(|from| from.micros <= self.now)
    }

    fn tick(&mut self, seen: &Observation) -> Decision {
        self.now = seen.now;
        let soon = seen.now.saturating_add(LEAD_MICROS);
        let is_away = self.capacity_at(seen.now) == Some(0) || self.capacity_at(soon) == Some(0);
        if let Some(capacity) = self.capacity_at(seen.now).filter(|capacity| *capacity > 0) {
            let share = u128::from(capacity) * u128::from(seen.shards) / u128::from(self.shards);
            self.share_per_second = u64::try_from(share).unwrap_or(u64::MAX).max(1);
        }
        Decision {
            capacity_per_second: Some(self.share_per_second),
            is_history_open: !is_away,
            level: if is_away { Level::HistoryStopped } else { Level::Normal },
            reason: Reason::Foreseen,
            ..Decision::default()
        }
    }
}
