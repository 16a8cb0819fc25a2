//! What the sink has done, counted where it happens and read by whoever asks.

use crate::circuit::CircuitState;
use crate::error::{REASONS, SinkError};
use hdrhistogram::Histogram;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Commit latency: the shortest that is told apart, the longest, and significant digits.
const LEAST_MICROS: u64 = 16;
const MOST_MICROS: u64 = 900_000_000;
const DIGITS: u8 = 2;

/// Shared by all shards.
pub(crate) struct Counters {
    pub(crate) readings: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) transactions: AtomicU64,
    pub(crate) checkpoints: AtomicU64,
    pub(crate) opened: AtomicU64,
    pub(crate) restored: AtomicU64,
    throttled_millis: AtomicU64,
    failures: [AtomicU64; REASONS.len()],
    commit_micros: Mutex<Histogram<u64>>,
}

impl Counters {
    /// `None` only if the histogram's bounds were wrong, which they are not.
    pub(crate) fn new() -> Option<Self> {
        Some(Self {
            readings: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            transactions: AtomicU64::new(0),
            checkpoints: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            restored: AtomicU64::new(0),
            throttled_millis: AtomicU64::new(0),
            failures: [const { AtomicU64::new(0) }; REASONS.len()],
            commit_micros: Mutex::new(Histogram::new_with_bounds(LEAST_MICROS, MOST_MICROS, DIGITS).ok()?),
        })
    }

    pub(crate) fn throttled(&self, millis: u64) {
        self.throttled_millis.fetch_add(millis, Relaxed);
    }

    pub(crate) fn failed(&self, error: &SinkError) {
        if let Some(count) = self.failures.get(error.reason()) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// From the last record delivered to the commit.
    pub(crate) fn committed(&self, micros: u64) {
        self.commit_micros.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(micros);
    }

    pub(crate) fn snapshot(&self, circuit: CircuitState, circuit_opened: u64) -> CounterSnapshot {
        let read = |count: &AtomicU64| count.load(Relaxed);
        CounterSnapshot {
            readings: read(&self.readings),
            bytes: read(&self.bytes),
            transactions: read(&self.transactions),
            checkpoints: read(&self.checkpoints),
            opened: read(&self.opened),
            restored: read(&self.restored),
            throttled_millis: read(&self.throttled_millis),
            failures: self.failures.each_ref().map(read),
            commit_micros: self.commit_micros.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            circuit,
            circuit_opened,
        }
    }
}

/// What the sink has done since it was made.
#[derive(Clone, Debug)]
pub struct CounterSnapshot {
    /// Readings of committed transactions.
    pub readings: u64,
    /// Their bytes, without keys and headers.
    pub bytes: u64,
    /// Transactions committed, claims among them.
    pub transactions: u64,
    /// Marks of committed transactions.
    pub checkpoints: u64,
    /// Shards taken.
    pub opened: u64,
    /// Records read from the checkpoint topic.
    pub restored: u64,
    /// Milliseconds that brokers asked to wait, over all requests.
    pub throttled_millis: u64,
    /// What failed, by reason, as [`REASONS`] names them.
    pub failures: [u64; REASONS.len()],
    /// From the moment everything was delivered to the end of the commit.
    pub commit_micros: Histogram<u64>,
    /// The circuit breaker.
    pub circuit: CircuitState,
    /// How often it has opened.
    pub circuit_opened: u64,
}

impl CounterSnapshot {
    /// Failures of all kinds.
    pub fn failed(&self) -> u64 {
        self.failures.iter().sum()
    }
}
