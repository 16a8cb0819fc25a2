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

#[derive(Debug)]
struct Waiting<P> {
    /// When it was accepted.
    since: u64,
    entry: SinkEntry<P>,
}

/// What goes into one transaction.
#[derive(Debug)]
pub(crate) struct Batch<P> {
    pub(crate) entries: Vec<SinkEntry<P>>,
    /// When the oldest of them was accepted.
    pub(crate) since: u64,
    pub(crate) readings: u64,
}

/// What waits for one shard's producer.
#[derive(Debug)]
pub(crate) struct SinkQueue<P> {
    live: VecDeque<Waiting<P>>,
    backfill: VecDeque<Waiting<P>>,
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

    pub(crate) fn live_readings(&self) -> u64 {
        self.live_readings
    }

    /// When the oldest of what waits was accepted.
    pub(crate) fn since(&self) -> Option<u64> {
        let heads = self.live.front().into_iter().chain(self.backfill.front());
        heads.map(|waiting| waiting.since).min()
    }

    /// With `one_lane`, live and backfill share one first-in first-out queue. `now`: it is accepted.
    pub(crate) fn push(&mut self, now: u64, entry: SinkEntry<P>, one_lane: bool) {
        let waiting = Waiting { since: now, entry };
        if waiting.entry.lane == Lane::Live && !one_lane {
            self.live_readings += u64::from(waiting.entry.count);
            self.live.push_back(waiting);
        } else {
            self.backfill_readings += u64::from(waiting.entry.count);
            self.backfill.push_back(waiting);
        }
    }

    /// Puts a failed batch back in front, in its order. `since`: when its oldest entry was accepted.
    pub(crate) fn put_back(&mut self, since: u64, entries: &[SinkEntry<P>], one_lane: bool) {
        for entry in entries.iter().cloned().rev() {
            let waiting = Waiting { since, entry };
            if waiting.entry.lane == Lane::Live && !one_lane {
                self.live_readings += u64::from(waiting.entry.count);
                self.live.push_front(waiting);
            } else {
                self.backfill_readings += u64::from(waiting.entry.count);
                self.backfill.push_front(waiting);
            }
        }
    }

    /// Takes live readings up to `most`, then backfill while fewer than `most` and than `backfill_budget` are taken.
    pub(crate) fn take(&mut self, most: u64, backfill_budget: u64) -> Batch<P> {
        let mut batch = Batch { entries: Vec::new(), since: u64::MAX, readings: 0 };
        while batch.readings < most {
            let Some(waiting) = self.live.pop_front() else { break };
            self.live_readings -= u64::from(waiting.entry.count);
            batch.add(waiting);
        }
        while batch.readings < most.min(backfill_budget) {
            let Some(waiting) = self.backfill.pop_front() else { break };
            self.backfill_readings -= u64::from(waiting.entry.count);
            batch.add(waiting);
        }
        batch
    }

    /// Runs that wait.
    pub(crate) fn len(&self) -> usize {
        self.live.len() + self.backfill.len()
    }
}

impl<P> Batch<P> {
    fn add(&mut self, waiting: Waiting<P>) {
        self.readings += u64::from(waiting.entry.count);
        self.since = self.since.min(waiting.since);
        self.entries.push(waiting.entry);
    }
}
