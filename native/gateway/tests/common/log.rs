//! The sink: a log with transactions, fencing and checkpoints, and the promises that must hold of it.

use klais_burst_sync::{Lane, Mark, Term};
use klais_gateway::{Checkpoint, SinkEntry, Submission};
use std::collections::{BTreeMap, BTreeSet};

/// Who wrote it: gateway, its incarnation, its number of the batch.
pub type Ticket = (u32, u32, u32);

#[derive(Clone)]
struct Open {
    generation: u32,
    submission: Submission,
}

#[derive(Default)]
pub struct Log {
    /// Transactions that are not decided.
    open: BTreeMap<Ticket, Open>,
    /// Of the shard's present producer.
    generations: BTreeMap<u32, u32>,
    terms: BTreeMap<u32, Term>,
    checkpoints: BTreeMap<(u32, u8), Checkpoint>,
    /// Readings stored, per device.
    stored: BTreeMap<u32, BTreeSet<u32>>,
    newest: BTreeMap<(u32, u8), u32>,
    pub readings: u64,
    pub claims: u64,
}

impl Log {
    /// A cluster in steady state has claimed its shards.
    pub fn assume_steady(&mut self, shards: u32) {
        self.terms = (0..shards).map(|shard| (shard, Term::default())).collect();
    }

    /// A producer of the shard that fences all before it: its generation.
    pub fn fence(&mut self, shard: u32) -> u32 {
        let generation = self.generations.entry(shard).or_default();
        *generation += 1;
        let present = *generation;
        self.open.retain(|_, open| open.submission.shard != shard || open.generation >= present);
        present
    }

    /// The present producer of a shard.
    pub fn generation(&self, shard: u32) -> u32 {
        self.generations.get(&shard).copied().unwrap_or(0)
    }

    pub fn term(&self, shard: u32) -> Option<Term> {
        self.terms.get(&shard).copied()
    }

    pub fn checkpoints(&self, shard: u32, shards: u32) -> Vec<Checkpoint> {
        self.checkpoints.values().filter(|c| c.device % shards == shard).copied().collect()
    }

    pub fn submit(&mut self, ticket: Ticket, generation: u32, submission: Submission) {
        assert!(submission.claim.is_some() == submission.entries.is_empty(), "{submission:?}");
        if generation == self.generation(submission.shard) {
            let before = self.open.insert(ticket, Open { generation, submission });
            assert!(before.is_none(), "{ticket:?} is open already");
        }
    }

    /// All of it is durable from here on, unless it was fenced: whether it is. Nothing may be there twice, and each lane
    /// stays in order.
    pub fn commit(&mut self, ticket: Ticket) -> bool {
        let Some(Open { submission, .. }) = self.open.remove(&ticket) else { return false };
        if let Some(term) = submission.claim {
            self.claims += 1;
            self.terms.insert(submission.shard, term);
        }
        for entry in submission.entries.iter() {
            self.store(entry);
        }
        true
    }

    fn store(&mut self, entry: &SinkEntry) {
        let lane = (entry.device, entry.lane as u8);
        for n in 0..u32::from(entry.count) {
            let reading = entry.first + n * u32::from(entry.stride.max(1));
            let fresh = self.stored.entry(entry.device).or_default().insert(reading);
            assert!(fresh, "device {} reading {reading} is stored twice: {entry:?}", entry.device);
            let newest = self.newest.insert(lane, reading);
            assert!(newest.is_none_or(|n| n < reading), "out of order on its lane: {entry:?}");
            self.readings += 1;
        }
        self.checkpoints.insert(lane, Checkpoint::from(entry));
    }

    /// Nothing of it will ever be seen.
    pub fn abort(&mut self, ticket: Ticket) {
        self.open.remove(&ticket);
    }

    /// What is committed on a lane of the device's newest epoch.
    pub fn mark(&self, device: u32, lane: Lane) -> Mark {
        let of = |lane: u8| self.checkpoints.get(&(device, lane)).copied();
        let newest = of(0).into_iter().chain(of(1)).map(|c| c.epoch).max();
        of(lane as u8).filter(|c| Some(c.epoch) == newest).map_or(0, |c| c.mark)
    }

    pub fn count(&self, device: u32) -> u64 {
        self.stored.get(&device).map_or(0, |set| set.len() as u64)
    }
}
