//! What a gateway and its sink say to each other.

use crate::SinkEntry;
use klais_burst_sync::{Lane, Mark, Term};
use std::sync::Arc;

/// A transaction handed to the sink: readings, and with them the marks that they move.
#[derive(Clone, Debug)]
pub struct Submission<P = ()> {
    /// When.
    pub at: u64,
    /// Whose producer it goes through.
    pub shard: u32,
    /// Its number, to be given back with the outcome.
    pub batch: u32,
    /// The shard's new term, which this transaction makes known. It carries no readings then.
    pub claim: Option<Term>,
    /// What it stores, in order.
    pub entries: Arc<[SinkEntry<P>]>,
}

/// What a gateway asks of its sink. A sink never answers at once: it says so when it has.
#[derive(Clone, Debug)]
pub enum SinkRequest<P = ()> {
    /// Fence whoever writes to the shard, *then* read its checkpoints to their end: [`Gateway::opened`] or
    /// [`Gateway::open_failed`](crate::Gateway::open_failed) is the answer.
    ///
    /// [`Gateway::opened`]: crate::Gateway::opened
    Open {
        /// When.
        at: u64,
        /// Which.
        shard: u32,
    },
    /// The shard is somebody else's: its producer is not needed any more. No answer is awaited.
    Close {
        /// When.
        at: u64,
        /// Which.
        shard: u32,
    },
    /// Store this: [`Gateway::sink_outcome`](crate::Gateway::sink_outcome) is the answer.
    Store(Submission<P>),
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is durable.
    Committed,
    /// It failed, or nobody knows: the shard is opened anew, and its checkpoints tell.
    Failed,
    /// Somebody else has taken the shard: none of it is durable unless it was before.
    Fenced,
}

/// A device's lane as the checkpoints have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose.
    pub device: u32,
    /// Which lane.
    pub lane: Lane,
    /// The device's epoch when it was written. Of an older epoch than another of the device, it says nothing.
    pub epoch: u16,
    /// Number of the session that brought the readings.
    pub session: u16,
    /// Everything below is durable.
    pub mark: Mark,
}

impl<P> From<&SinkEntry<P>> for Checkpoint {
    /// What is to be stored together with a run.
    fn from(entry: &SinkEntry<P>) -> Self {
        let SinkEntry { device, lane, epoch, session, end, .. } = *entry;
        Self { device, lane, epoch, session, mark: end }
    }
}
