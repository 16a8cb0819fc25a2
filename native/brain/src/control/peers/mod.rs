//! The controllers that the brain is held against, each from its published algorithm with its published parameters.
//!
//! They were made for requests that a server answers one by one. Here a *request* is a DATA frame, from when it is taken in
//! until the sink has decided its transaction, and a *sample* is a transaction: all its frames are decided at once. (Netflix's
//! `WindowedLimit` makes one sample of many requests as well.) What group commit costs by itself, a turn and a transaction
//! under way, is taken off the time that a frame waits: every law here would take it for congestion.

mod aimd;
mod breakwater;
mod codel;
mod gradient2;
mod oracle;
mod pid;
mod quota;
mod sample;
mod vegas;

use super::{Arrival, Commit, Decision, Observation, Reason, Verdict};
use aimd::Aimd;
use alloc::boxed::Box;
use alloc::vec::Vec;
use breakwater::Breakwater;
use codel::Codel;
use core::fmt::Debug;
use gradient2::Gradient2;
use oracle::Oracle;
use pid::Pid;
use quota::Quota;
use sample::{Sample, Sampler};
use vegas::Vegas;

/// No rate limit: more readings per second than any gateway takes in.
const OPEN_PER_SECOND: u64 = 10_000_000;

/// Which law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerKind {
    /// A limit on undecided frames: one more as long as it is needed, a tenth less after a loss.
    Aimd,
    /// A limit on undecided frames that follows the ratio of long-term to present round trips.
    Gradient2,
    /// A limit on undecided frames that keeps a queue of a few.
    Vegas,
    /// Frames are refused that would wait too long, once all have.
    Codel,
    /// Credits for undecided frames, by a delay target.
    Breakwater,
    /// The rate follows lag and CPU.
    Pid,
    /// The broker mutes a client that is over its quota.
    Quota,
    /// Told the capacity as it is and as it will be.
    Oracle,
}

impl PeerKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Aimd,
        Self::Gradient2,
        Self::Vegas,
        Self::Codel,
        Self::Breakwater,
        Self::Pid,
        Self::Quota,
        Self::Oracle,
    ];

    /// As policies call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aimd => "aimd",
            Self::Gradient2 => "gradient2",
            Self::Vegas => "vegas",
            Self::Codel => "codel",
            Self::Breakwater => "breakwater",
            Self::Pid => "pid",
            Self::Quota => "kafka-quota",
            Self::Oracle => "oracle",
        }
    }

    /// By its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What the sink takes from a moment on, in readings per second, all gateways together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityFrom {
    /// From when, in microseconds.
    pub micros: u64,
    /// Readings per second; 0: it takes none.
    pub per_second: u64,
}

/// A peer, and what it is told of its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerConfig {
    /// Which law.
    pub kind: PeerKind,
    /// This gateway's configured share of the sink, in readings per second: a quota, or a rate to begin with.
    pub capacity_per_second: u64,
    /// Between transactions of a shard, in microseconds.
    pub commit_interval_micros: u64,
    /// Shards of the whole cluster.
    pub shards: u64,
    /// The truth, for [`PeerKind::Oracle`] alone, in the order of time. Empty: the configured share holds for ever.
    pub course: Vec<CapacityFrom>,
}

impl PeerConfig {
    /// Before its gateway has said anything of itself.
    #[must_use]
    pub fn new(kind: PeerKind) -> Self {
        Self { kind, capacity_per_second: 1, commit_interval_micros: 0, shards: 1, course: Vec::new() }
    }
}

/// What the laws have in common.
trait Law: Debug + Send {
    /// See [`super::Controller::is_at_rest`].
    fn is_at_rest(&self) -> bool {
        true
    }
    fn on_arrival(&mut self, _arrival: &Arrival) -> Verdict {
        Verdict::Accept
    }
    fn on_sample(&mut self, _sample: &Sample) {}
    fn tick(&mut self, seen: &Observation) -> Decision;
}

/// A peer at work in one gateway.
#[derive(Debug)]
pub struct Peer {
    sampler: Sampler,
    law: Box<dyn Law>,
}

impl Peer {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(config: &PeerConfig) -> Self {
        let share = config.capacity_per_second.max(1);
        let sampler = Sampler::new(config.commit_interval_micros);
        let law: Box<dyn Law> = match config.kind {
            PeerKind::Aimd => Box::new(Aimd::default()),
            PeerKind::Gradient2 => Box::new(Gradient2::default()),
            PeerKind::Vegas => Box::new(Vegas::default()),
            PeerKind::Codel => Box::new(Codel::default()),
            PeerKind::Breakwater => Box::new(Breakwater::new(config.commit_interval_micros)),
            PeerKind::Pid => Box::new(Pid::new(share)),
            PeerKind::Quota => Box::new(Quota::new(share)),
            PeerKind::Oracle => Box::new(Oracle::new(share, config.shards, &config.course)),
        };
        Self { sampler, law }
    }

    /// See [`super::Controller::is_at_rest`].
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.law.is_at_rest()
    }

    /// See [`super::Controller::on_arrival`].
    pub fn on_arrival(&mut self, arrival: &Arrival) -> Verdict {
        let verdict = self.law.on_arrival(arrival);
        if verdict == Verdict::Accept {
            self.sampler.on_accepted(arrival.undecided_frames);
        }
        verdict
    }

    /// See [`super::Controller::on_commit`].
    pub fn on_commit(&mut self, commit: &Commit) {
        let sample = self.sampler.sample(commit);
        self.law.on_sample(&sample);
    }

    /// See [`super::Controller::tick`].
    pub fn tick(&mut self, seen: &Observation) -> Decision {
        self.law.tick(seen)
    }
}

/// Lets in what comes.
fn open(reason: Reason) -> Decision {
    Decision { admit_per_second: Some(OPEN_PER_SECOND), reason, ..Decision::default() }
}

/// Lets in what comes, up to so many undecided frames.
fn limited(frames: u64) -> Decision {
    Decision { undecided_frames_max: frames.max(1), ..open(Reason::InFlight) }
}
