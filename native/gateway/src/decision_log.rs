//! What a controller has decided, so that it can be told afterwards: changes that matter, in a bounded ring.

use klais_brain::control::{Decision, Level};
use std::collections::VecDeque;

/// The oldest entries make room for new ones.
const ENTRIES_MAX: usize = 1_024;
/// A rate that has moved by less than one part of so many since the last entry is not worth another one.
const NOTABLE_PARTS: u64 = 8;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// When, in microseconds.
    pub at: u64,
    /// What.
    pub decision: Decision,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct DecisionLog {
    entries: VecDeque<Decided>,
}

impl DecisionLog {
    pub(crate) fn note(&mut self, at: u64, decision: Decision) {
        let is_notable = self.entries.back().is_none_or(|last| is_notable(&last.decision, &decision));
        if is_notable {
            if self.entries.len() == ENTRIES_MAX {
                self.entries.pop_front();
            }
            self.entries.push_back(Decided { at, decision });
        }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = Decided> {
        self.entries.iter().copied()
    }
}

/// History stops or goes on, sessions change, or the rate has moved.
fn is_notable(last: &Decision, now: &Decision) -> bool {
    let is_stopped = |decision: &Decision| decision.level >= Level::HistoryStopped;
    let (before, after) = (last.capacity_per_second.unwrap_or(0), now.capacity_per_second.unwrap_or(0));
    let has_moved = before.abs_diff(after) > before / NOTABLE_PARTS;
    is_stopped(last) != is_stopped(now)
        || last.sessions_per_second != now.sessions_per_second
        || last.is_history_open != now.is_history_open
        || has_moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_moves_are_left_out_and_the_ring_is_bounded() {
        let mut log = DecisionLog::default();
        let rate = |rate| Decision { capacity_per_second: Some(rate), ..Decision::default() };
        log.note(0, rate(1_000));
        log.note(1, rate(1_100));
        log.note(2, rate(1_200));
        assert_eq!(log.entries().map(|entry| entry.at).collect::<Vec<_>>(), [0, 2]);
        (0..5_000).for_each(|n| log.note(n, rate(1_000 + n % 2 * 1_000)));
        assert_eq!(log.entries().count(), ENTRIES_MAX);
        assert_eq!(log.entries().last().map(|entry| entry.at), Some(4_999));
    }
}
