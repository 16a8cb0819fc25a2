//! The Kafka sink: readings and the marks that tell them from their copies, in one transaction a batch.
//!
//! A shard is a partition of the data topic, the same partition of the checkpoint topic, and one transactional
//! producer. [`KafkaSink::open`] takes it: the previous owner is fenced *first*, then the marks are read to their end.
//! [`KafkaSink::submit`] writes one transaction, and tells [`Outcome::Committed`] once the broker has committed it.
//! After any error the producer is thrown away and the shard must be opened again. `docs/kafka.md` describes the
//! records, the settings and what is guaranteed.
//!
//! Nothing here blocks the caller: every open shard has a thread of its own, which waits for the broker. The caller
//! polls [`KafkaSink::bell`] and asks for [`KafkaSink::event`].
#![forbid(unsafe_code)]

mod budget;
mod circuit;
mod clock;
mod config;
mod context;
mod counters;
mod error;
mod format;
mod marks;
mod producer;
mod restore;
mod sink;
mod topics;
mod types;
mod worker;

/// For tests of what was written.
#[doc(hidden)]
pub use rdkafka;

pub use circuit::{CircuitConfig, CircuitState};
pub use config::{Compression, KafkaConfig, SHARDS_MAX};
pub use counters::CounterSnapshot;
pub use error::{REASONS, SinkError};
pub use sink::KafkaSink;
pub use types::{Batch, Checkpoint, Entry, Outcome, SinkEvent};
