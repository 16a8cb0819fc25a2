//! Where readings go.

use crate::config::{Config, SinkConfig};
use crate::error::StartError;
#[cfg(feature = "kafka")]
use crate::kafka_sink::KafkaSink;
use crate::mock_sink::MockSink;
use crate::readings::Readings;
use klais_burst_sync::Term;
use klais_gateway::{Checkpoint, Outcome, Submission};
use std::os::fd::BorrowedFd;

/// What a sink has to say.
#[derive(Clone, Debug)]
pub enum SinkEvent {
    /// A shard is this process's to write to, and this is what its log holds.
    Opened {
        shard: u32,
        /// The last one claimed.
        term: Option<Term>,
        checkpoints: Vec<Checkpoint>,
    },
    /// It could not be opened; the gateway asks again.
    #[cfg_attr(not(feature = "kafka"), expect(dead_code, reason = "the mock always can"))]
    OpenFailed { shard: u32 },
    /// What became of a transaction.
    Decided { batch: u32, outcome: Outcome },
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

/// A place where readings become durable. Never blocks: it is asked for what it has to say. Times in virtual microseconds.
pub trait Sink {
    /// Fences whoever writes to a shard, then reads its log: an event tells.
    fn open(&mut self, now_micros: u64, shard: u32);

    /// A shard is not this process's any more.
    fn close(&mut self, shard: u32);

    /// Takes a transaction: an event tells what became of it.
    fn submit(&mut self, now_micros: u64, submission: Submission<Readings>);

    /// When [`Sink::event`] has something to say without ringing the bell; `None` for never.
    fn next_deadline(&self) -> Option<u64>;

    /// The next thing that is known at `now_micros`.
    fn event(&mut self, now_micros: u64) -> Option<SinkEvent>;

    /// Readable when there is an event; `None` for a sink whose events come by the clock alone.
    fn bell(&self) -> Option<BorrowedFd<'_>>;

    /// Whether it stores the readings themselves, or only counts them.
    fn keeps_readings(&self) -> bool;

    /// Transactions taken and not yet decided.
    fn undecided(&self) -> usize;

    /// Counters so far.
    fn counters(&self) -> SinkCounters;

    /// What only a sink that writes to Kafka counts.
    #[cfg(feature = "kafka")]
    fn kafka(&self) -> Option<crate::kafka_counts::KafkaCounts> {
        None
    }
}

/// The sink that the configuration asks for.
///
/// # Errors
/// What keeps it from being made.
pub fn make(config: &Config) -> Result<Box<dyn Sink>, StartError> {
    match &config.sink {
        SinkConfig::Mock { commit_micros, readings_per_second } => {
            let (devices, shards) = (config.devices, config.policy.shards);
            Ok(Box::new(MockSink::new(devices, shards, *commit_micros, *readings_per_second)))
        }
        #[cfg(feature = "kafka")]
        SinkConfig::Kafka(settings) => {
            let sink = settings.to_config(config.policy.shards, config.devices).and_then(KafkaSink::new);
            Ok(Box::new(sink.map_err(StartError::Sink)?))
        }
        #[cfg(not(feature = "kafka"))]
        SinkConfig::Kafka(_) => Err(StartError::NoKafka),
    }
}
