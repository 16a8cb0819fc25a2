//! The log: one shard's readings and checkpoints, and the coordinator of its transactional producer.

use crate::code::code;
use crate::setup::{DEVICES, Rule, Setup};
use arrayvec::ArrayVec;
use std::hash::{Hash, Hasher};

/// Most runs that wait in one place: more than the worlds explored ever come to.
const RUNS_MAX: usize = 8;

/// Runs of readings in order. A run has at least one reading.
pub type Runs = ArrayVec<Run, RUNS_MAX>;

/// An accepted run of readings on its way to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whose.
    pub device: u8,
    /// Its lane.
    pub lane: u8,
    /// As the gateway believes.
    pub epoch: u8,
    /// That brought it.
    pub session: u8,
    /// First index.
    pub first: u8,
    /// How many.
    pub count: u8,
    /// Which of all readings has index 0, as their content says.
    pub base: u8,
}

impl Run {
    /// One past the last.
    #[must_use]
    pub fn end(&self) -> u8 {
        self.first + self.count
    }
}

impl Hash for Run {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { device, lane, epoch, session, first, count, base } = *self;
        let who = code([(1, device), (1, lane), (4, epoch), (8, session)]);
        state.write_u64(who << 12 | code([(4, first), (4, count), (4, base)]));
    }
}

/// What is stored of a lane beside its readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpoint {
    /// Of the device's ring.
    pub epoch: u8,
    /// That brought the last readings.
    pub session: u8,
    /// Everything below is stored.
    pub mark: u8,
}

impl Hash for Checkpoint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(code([(4, self.epoch), (8, self.session), (4, self.mark)]));
    }
}

/// A transaction that is not decided.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// Its readings.
    pub runs: Runs,
    /// A term record.
    pub claim: Option<u8>,
    /// The marks are in it, and its end is on its way.
    pub is_complete: bool,
}

/// Readings that a reader of committed transactions must not see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wrong {
    /// One is there twice.
    pub twice: bool,
    /// One is behind a later one of its lane.
    pub order: bool,
    /// One is filed under an epoch that it was not taken in.
    pub identity: bool,
}

/// What the broker knows. Whatever a producer says that is not the newest is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Log {
    /// Epoch of the newest producer.
    pub producer: u8,
    /// Its open transaction.
    pub open: Option<Transaction>,
    /// A delayed EndTxn (commit) of a transaction that was aborted since is still on its way.
    pub has_stray_end: bool,
    /// Of the last claim.
    pub term: Option<u8>,
    /// Readings seen by a reader of committed transactions, per device and lane, one bit each.
    pub stored: [[u8; 2]; DEVICES],
    /// Per device and lane.
    pub checkpoints: [[Option<Checkpoint>; 2]; DEVICES],
    /// What went wrong.
    pub wrong: Wrong,
}

impl Log {
    /// `init_transactions`: what the producers before left open is aborted. The new one's epoch.
    pub(crate) fn fence(&mut self) -> u8 {
        self.producer += 1;
        self.open = None;
        self.has_stray_end = false;
        self.producer
    }

    /// The open transaction is committed: all of it is there at once.
    pub(crate) fn commit(&mut self, setup: &Setup) {
        let Some(done) = self.open.take() else { return };
        if setup.holds(Rule::OneTransaction) {
            self.append(&done.runs);
        }
        if done.is_complete {
            self.mark(&done.runs, setup);
        }
        self.term = done.claim.or(self.term);
    }

    pub(crate) fn append(&mut self, runs: &[Run]) {
        for run in runs {
            for index in run.first..run.end() {
                let stored = &mut self.stored[run.device as usize];
                let bit = 1 << (run.base + index);
                self.wrong.twice |= (stored[0] | stored[1]) & bit != 0;
                self.wrong.order |= stored[run.lane as usize] >= bit;
                stored[run.lane as usize] |= bit;
            }
        }
    }

    fn mark(&mut self, runs: &[Run], setup: &Setup) {
        for run in runs {
            let session = if setup.holds(Rule::SessionIsStored) { run.session } else { 0 };
            let checkpoint = Checkpoint { epoch: run.epoch, session, mark: run.end() };
            self.checkpoints[run.device as usize][run.lane as usize] = Some(checkpoint);
        }
    }

    /// A device's newest epoch, and its newest session in it.
    pub(crate) fn newest(&self, device: usize) -> Option<(u8, u8)> {
        self.checkpoints[device].iter().flatten().map(|stored| (stored.epoch, stored.session)).max()
    }

    /// Everything stored of a device.
    #[must_use]
    pub fn readings(&self, device: usize) -> u8 {
        self.stored[device][0] | self.stored[device][1]
    }
}
