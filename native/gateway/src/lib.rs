//! The ingest gateway: frame -> dam -> burst sync -> sink, one struct driven by whoever owns time and sockets.
//!
//! Sans-IO. The driver calls [`Gateway::ingress`] when a frame arrives (the kernel's half: the dam), gives what passed
//! to [`Gateway::handle`] when a CPU has time for it, [`Gateway::poll`] when `next_deadline` comes, and
//! [`Gateway::sink_outcome`] when the sink has decided; it then takes frames from `take_transmits` and batches from
//! `take_submissions`.
#![forbid(unsafe_code)]

mod backfill;
mod config;
mod drops;
mod entry;
mod gateway;
mod ingress;
mod pace;
mod queue;
mod sessions;
mod settings;
mod sink;

pub use config::{GatewayConfig, GatewayError};
pub use drops::{DROP_NAMES, Drop, DropCounters};
pub use entry::Entry;
pub use gateway::{Gateway, Stats, Transmit};
pub use ingress::{Ingress, ingress};
pub use queue::SinkEntry;
pub use settings::{Admission, GatewaySettings};
pub use sink::Submission;
