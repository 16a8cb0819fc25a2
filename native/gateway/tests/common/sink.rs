//! The sink: a log of what was committed, and the promises that must hold of it.

use klais_burst_sync::{Lane, Mark};
use klais_gateway::{SinkEntry, Submission};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub struct Sink {
    open: BTreeMap<u32, Vec<SinkEntry>>,
    /// Readings stored, per device.
    pub stored: BTreeMap<u32, BTreeSet<u32>>,
    newest: BTreeMap<(u32, u8), u32>,
    /// One past the last committed reading, per device and lane: what a checkpoint would say.
    marks: BTreeMap<(u32, u8), Mark>,
    pub readings: u64,
}

impl Sink {
    pub fn submit(&mut self, submission: &Submission) {
        assert!(!submission.entries.is_empty(), "an empty transaction");
        let before = self.open.insert(submission.batch, submission.entries.to_vec());
        assert!(before.is_none(), "batch {} is open already", submission.batch);
    }

    /// All of it is durable from here on. Nothing may be there twice, and each lane stays in order.
    pub fn commit(&mut self, batch: u32) {
        for entry in self.open.remove(&batch).expect("an open batch") {
            let lane = (entry.device, entry.lane as u8);
            for n in 0..u32::from(entry.count) {
                let reading = entry.first + n * u32::from(entry.stride.max(1));
                let fresh = self.stored.entry(entry.device).or_default().insert(reading);
                assert!(fresh, "device {} reading {reading} is stored twice: {entry:?}", entry.device);
                let newest = self.newest.insert(lane, reading);
                assert!(newest.is_none_or(|n| n < reading), "out of order on its lane: {entry:?}");
                self.readings += 1;
            }
            self.marks.insert(lane, entry.end);
        }
    }

    /// Nothing of it will ever be seen.
    pub fn abort(&mut self, batch: u32) {
        self.open.remove(&batch).expect("an open batch");
    }

    pub fn mark(&self, device: u32, lane: Lane) -> Mark {
        self.marks.get(&(device, lane as u8)).copied().unwrap_or(0)
    }

    /// The device's epoch rose: marks begin anew.
    pub fn new_epoch(&mut self, device: u32) {
        self.marks.remove(&(device, Lane::Live as u8));
        self.marks.remove(&(device, Lane::Backfill as u8));
    }

    pub fn count(&self, device: u32) -> u64 {
        self.stored.get(&device).map_or(0, |set| set.len() as u64)
    }
}
