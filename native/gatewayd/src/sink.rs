//! Where readings go.

use klais_gateway::Submission;

/// What a sink has decided about a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The transaction's number.
    pub batch: u32,
    /// All of it is durable, or none of it.
    pub committed: bool,
}

/// What became durable, as far as the sink can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinkCounters {
    /// Readings stored, each copy.
    pub readings: u64,
    /// Of these, readings that had been stored before.
    pub duplicates: u64,
    /// Readings stored after a later one of their device and lane.
    pub reordered: u64,
    /// Transactions stored.
    pub transactions: u64,
}

/// A place where readings become durable. Never blocks: outcomes are asked for. Times in virtual microseconds.
pub trait Sink {
    /// Takes a transaction. A sink that cannot says so by an outcome.
    fn submit(&mut self, now_micros: u64, submission: Submission);

    /// When [`Sink::outcome`] has something to say without being asked before; `None` while nothing is under way.
    fn next_deadline(&self) -> Option<u64>;

    /// The next outcome that is known at `now_micros`.
    fn outcome(&mut self, now_micros: u64) -> Option<Outcome>;

    /// Transactions taken and not yet decided.
    fn undecided(&self) -> usize;

    /// Counters so far.
    fn counters(&self) -> SinkCounters;
}
