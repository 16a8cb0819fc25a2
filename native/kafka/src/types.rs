//! What goes into the sink and what comes out of it.

use crate::error::SinkError;
use klais_burst_sync::Lane;
pub use klais_gateway::Checkpoint;
use std::sync::Arc;

/// A run of readings of one device and lane: `first + n * stride`, n < `count`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<P> {
    /// The device's index in the fleet.
    pub device: u32,
    /// The device's epoch.
    pub epoch: u16,
    /// The session that brought it.
    pub session: u16,
    /// Its lane.
    pub lane: Lane,
    /// Index of the first reading.
    pub first: u32,
    /// How many readings; with none, only the mark is stored.
    pub count: u16,
    /// Distance between their indices.
    pub stride: u16,
    /// The lane's mark once this is stored.
    pub end: u32,
    /// When the first reading was taken, in milliseconds as the device says (the gateway's where it does not).
    pub event_millis: u64,
    /// From one reading to the next.
    pub event_step_millis: u32,
    /// The readings' bytes, `count` pieces of one length; what does not divide belongs to the last.
    pub payload: P,
}

/// One transaction: all of it becomes durable, or none.
#[derive(Clone, Debug)]
pub struct Batch<P> {
    /// The shard whose log it goes to. All its devices are of this shard.
    pub shard: u16,
    /// Its number, given back with the outcome.
    pub batch: u32,
    /// The term that the shard's owner claims.
    pub claim: Option<u32>,
    /// In order.
    pub entries: Arc<[Entry<P>]>,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log, all of it.
    Committed,
    /// It may be in the log or not, all of it or nothing: open the shard again, the restored marks tell. Nothing more
    /// can be submitted until then.
    Failed(SinkError),
    /// Another producer has the shard. Whether this is in the log is its affair: it has the marks.
    Fenced,
}

/// What a sink has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkEvent {
    /// The previous owner is fenced, and this is what it left.
    Opened {
        /// The shard.
        shard: u16,
        /// The last owner's term, if the log knows one.
        term: Option<u32>,
        /// The marks of every device of the shard that has one, ascending by device, live before backfill.
        checkpoints: Vec<Checkpoint>,
    },
    /// The shard could not be taken: it may be tried again.
    OpenFailed {
        /// The shard.
        shard: u16,
        /// Why.
        error: SinkError,
    },
    /// A transaction is decided.
    Decided {
        /// The shard.
        shard: u16,
        /// The transaction's number.
        batch: u32,
        /// What became of it.
        outcome: Outcome,
    },
}
