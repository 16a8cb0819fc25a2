//! The transactions of a run that are on their way to the broker, and what is in its checkpoint partitions. The engine says
//! which of them the log has.

use klais_gateway::{CheckpointTable, Submission};
use std::collections::BTreeMap;

/// See the module.
#[derive(Default)]
pub struct Log {
    /// What gateways restore from.
    pub table: CheckpointTable,
    /// Not yet known to be in the log or never to be, by gateway and batch.
    undecided: BTreeMap<(u32, u32), Submission>,
}

impl Log {
    /// A log in which every shard was claimed once, and nothing else is.
    pub fn new(devices: u32, shards: u32) -> Self {
        Self { table: CheckpointTable::new(devices, shards, true), undecided: BTreeMap::new() }
    }

    /// Gateway `gateway` has handed in a transaction.
    pub fn submit(&mut self, gateway: u32, submission: &Submission) {
        self.undecided.insert((gateway, submission.batch), submission.clone());
    }

    /// A transaction is in the log, or never will be.
    pub fn decide(&mut self, gateway: u32, batch: u32, is_stored: bool) {
        if let Some(submission) = self.undecided.remove(&(gateway, batch)).filter(|_| is_stored) {
            self.table.store(&submission);
        }
    }
}
