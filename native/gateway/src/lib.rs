//! The ingest gateway: frame -> dam -> burst sync -> sink, one struct driven by whoever owns time and sockets.
//!
//! Sans-IO. The driver calls [`Gateway::ingress`] when a frame arrives (the kernel's half: the dam), gives what passed
//! to [`Gateway::handle`] when a CPU has time for it, [`Gateway::poll`] when `next_deadline` comes, and
//! [`Gateway::sink_outcome`] when the sink has decided; it then takes frames from `take_transmits` and what is for the sink
//! from `take_sink_requests`.
#![forbid(unsafe_code)]

mod backfill;
mod capacity;
mod checkpoint_table;
mod config;
mod control;
mod decision_log;
mod devices;
mod drops;
mod entry;
mod gateway;
mod ingress;
mod intake;
mod ownership;
mod pace;
mod payload;
mod queue;
mod sessions;
mod settings;
mod shard;
mod sink;
mod stats;
mod transactions;

pub use checkpoint_table::CheckpointTable;
pub use config::{GatewayAddress, GatewayConfig, GatewayError};
pub use decision_log::Decided;
pub use drops::{DROP_NAMES, Drop, DropCounters};
pub use entry::Entry;
pub use gateway::{Gateway, Transmit};
pub use ingress::{Ingress, ingress};
pub use klais_brain::control::{ControllerConfig, Decision, Level, Reason};
pub use ownership::owner_of;
pub use payload::Payload;
pub use queue::SinkEntry;
pub use settings::{Admission, GatewaySettings};
pub use sink::{Checkpoint, Outcome, SinkRequest, Submission};
pub use stats::Stats;
