//! One ingest gateway: frames from devices over UDP, readings to a sink, the dam in the kernel where it can be had.
//!
//! `docs/gatewayd.md` describes the configuration and the admin interface.
#![forbid(unsafe_code)]

mod addresses;
mod admin;
mod clock;
mod config;
mod control;
mod daemon;
mod endpoint;
mod error;
mod inbound;
#[cfg(feature = "kafka")]
mod kafka_config;
#[cfg(feature = "kafka")]
mod kafka_counts;
#[cfg(feature = "kafka")]
mod kafka_sink;
mod kernel;
mod mailbox;
mod metrics;
mod mock_sink;
mod outbound;
mod patch;
mod policy;
mod prefixes;
mod random;
mod readings;
mod receiver;
mod sender;
mod service;
mod sink;
mod snapshot;
mod socket_drops;
mod start;
mod swarm;
mod turnaround;

use clap::Parser;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// What cannot work, cannot be read, or is taken.
const EXIT_START: u8 = 2;

/// One ingest gateway of KLAIS bench.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration, JSON; see docs/gatewayd.md.
    #[arg(long, value_name = "FILE", required_unless_present = "new_signing_seed")]
    config: Option<PathBuf>,

    /// Prints a new signing seed for one gateway of a swarm, and its public key for the roster.
    #[arg(long, conflicts_with = "config")]
    new_signing_seed: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let ran = match &arguments.config {
        Some(path) => start::run(path),
        None => start::say_signing_seed(),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // Not a log line: for whoever has just started it, and whatever RUST_LOG says.
            let _ = writeln!(std::io::stderr(), "klais-gatewayd: {problem}");
            ExitCode::from(EXIT_START)
        }
    }
}
