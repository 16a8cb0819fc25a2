//! A shard: the devices that are owned together, what waits for their producer, and its transactions.

use crate::queue::SinkQueue;
use crate::{Checkpoint, Entry, SinkEntry};
use klais_burst_sync::Term;
use std::collections::VecDeque;
use std::sync::Arc;

/// No time.
pub(crate) const NEVER: u64 = u64::MAX;

/// How a gateway stands to a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Somebody else's.
    Foreign,
    /// It is being fenced and its checkpoints are read.
    Opening,
    /// The new term is on its way to the log.
    Claiming,
    /// Its devices are served.
    Serving,
    /// Served, but nobody knows what became of the last transaction: as `Opening`, with everything kept.
    Reopening,
}

/// A transaction that the sink has not decided.
#[derive(Debug)]
pub(crate) struct InFlight<P> {
    pub(crate) batch: u32,
    /// When it was handed to the sink.
    pub(crate) at: u64,
    /// When the oldest frame in it was accepted.
    pub(crate) since: u64,
    pub(crate) readings: u64,
    /// Readings of this gateway under way then, with its own.
    pub(crate) in_flight_readings: u64,
    pub(crate) entries: Arc<[SinkEntry<P>]>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Shard<P> {
    pub(crate) state: State,
    /// This gateway's own, unless the shard is foreign.
    pub(crate) term: Term,
    /// One per device, in the order of their numbers; none while the shard is foreign.
    pub(crate) entries: Vec<Entry>,
    pub(crate) queue: SinkQueue<P>,
    pub(crate) in_flight: VecDeque<InFlight<P>>,
    /// Transactions are this much smaller (in powers of two) than they may be, since one has failed.
    pub(crate) shrunk: u32,
    /// When it is to be opened (again); `NEVER` while that is not wanted or has been asked for.
    pub(crate) open_at: u64,
    /// How often it has been lost to another owner, one quarrel long.
    pub(crate) losses: u32,
    /// Since when it is served, in its present term.
    pub(crate) served_from: u64,
    /// When something was committed last: until then at least, nobody else had it.
    pub(crate) proven_at: u64,
    /// The next turn is to show that nobody else has it, though nothing waits.
    pub(crate) proof_due: bool,
}

impl<P> InFlight<P> {
    /// A transaction without readings.
    pub(crate) fn empty(batch: u32, at: u64) -> Self {
        Self { batch, at, since: at, readings: 0, in_flight_readings: 0, entries: Arc::new([]) }
    }
}

impl<P> Default for Shard<P> {
    fn default() -> Self {
        Self {
            state: State::Foreign,
            term: Term::default(),
            entries: Vec::new(),
            queue: SinkQueue::default(),
            in_flight: VecDeque::new(),
            shrunk: 0,
            open_at: NEVER,
            losses: 0,
            served_from: 0,
            proven_at: 0,
            proof_due: false,
        }
    }
}

impl<P> Shard<P> {
    /// Its devices have sessions here.
    pub(crate) fn is_served(&self) -> bool {
        matches!(self.state, State::Serving | State::Reopening)
    }

    /// It will be served once the sink has answered.
    pub(crate) fn is_coming(&self) -> bool {
        matches!(self.state, State::Opening | State::Claiming)
    }

    /// Devices with a session.
    pub(crate) fn online(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.is_online()).count() as u64
    }

    /// Puts a checkpoint into the table. `index`: the device's place in the shard.
    pub(crate) fn restore(&mut self, index: usize, checkpoint: &Checkpoint) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.restore(checkpoint);
        }
    }
}
