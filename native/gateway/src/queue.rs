//! What waits for the sink: two bounded queues, live before backfill.

use klais_burst_sync::{Lane, Mark};
use std::collections::VecDeque;

/// One accepted run of readings on its way to the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkEntry<P = ()> {
    /// The gateway's index of the device.
    pub device: u32,
    /// Session that brought it.
    pub session: u16,
    /// The device's epoch.
    pub epoch: u16,
    /// Its lane.
    pub lane: Lane,
    /// First reading.
    pub first: Mark,
    /// How many.
    pub count: u16,
    /// Distance between readings.
    pub stride: u16,
    /// The lane's mark once this is stored.
    pub end: Mark,
    /// When the first reading was to be sent, in the device's milliseconds.
    pub due_millis: u32,
    /// The readings themselves.
    pub payload: P,
}

/// What waits for one shard's producer.
#[derive(Debug)]
pub(crate) struct SinkQueue<P> {
    live: VecDeque<SinkEntry<P>>,
    backfill: VecDeque<SinkEntry<P>>,
    live_readings: u64,
    backfill_readings: u64,
}

impl<P> Default for SinkQueue<P> {
    fn default() -> Self {
        Self { live: VecDeque::new(), backfill: VecDeque::new(), live_readings: 0, backfill_readings: 0 }
    }
}

impl<P: Clone> SinkQueue<P> {
    pub(crate) fn readings(&self) -> u64 {
        self.live_readings + self.backfill_readings
    }

    pub(crate) fn backfill_readings(&self) -> u64 {
        self.backfill_readings
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live.is_empty() && self.backfill.is_empty()
    }

    /// With `one_lane`, live and backfill share one first-in first-out queue.
    pub(crate) fn push(&mut self, entry: SinkEntry<P>, one_lane: bool) {
        if entry.lane == Lane::Live && !one_lane {
            self.live_readings += u64::from(entry.count);
            self.live.push_back(entry);
        } else {
            self.backfill_readings += u64::from(entry.count);
            self.backfill.push_back(entry);
        }
    }

    /// Puts a failed batch back in front, in its order.
    pub(crate) fn put_back(&mut self, entries: &[SinkEntry<P>], one_lane: bool) {
        for entry in entries.iter().cloned().rev() {
            if entry.lane == Lane::Live && !one_lane {
                self.live_readings += u64::from(entry.count);
                self.live.push_front(entry);
            } else {
                self.backfill_readings += u64::from(entry.count);
                self.backfill.push_front(entry);
            }
        }
    }

    /// Takes live readings up to `most`, then backfill while fewer than `most` and than `backfill_budget` are taken.
    pub(crate) fn take(&mut self, most: u64, backfill_budget: u64) -> Vec<SinkEntry<P>> {
        let mut batch = Vec::new();
        let mut taken = 0;
        while taken < most {
            let Some(entry) = self.live.pop_front() else { break };
            self.live_readings -= u64::from(entry.count);
            taken += u64::from(entry.count);
            batch.push(entry);
        }
        while taken < most.min(backfill_budget) {
            let Some(entry) = self.backfill.pop_front() else { break };
            self.backfill_readings -= u64::from(entry.count);
            taken += u64::from(entry.count);
            batch.push(entry);
        }
        batch
    }

    /// Runs that wait.
    pub(crate) fn len(&self) -> usize {
        self.live.len() + self.backfill.len()
    }
}
