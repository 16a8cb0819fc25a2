//! The packet fleet of `klais live`: up to millions of real device stacks that send real UDP frames, each from its own
//! address, in real or scaled time.
//!
//! `klais-fleet --config FILE` runs a fleet; `klais-fleet probe` measures a gateway's turnaround; `klais-fleet attack`
//! floods gateways with frames that must change nothing. The latter two are for hosts and namespaces of one's own.
#![forbid(unsafe_code)]

mod accounts;
mod addresses;
mod attack;
mod clock;
mod config;
mod counts;
mod delays;
mod error;
mod firmware;
mod fleet;
mod forge;
mod inbound;
mod lag;
mod payload;
mod port;
mod probe;
mod probe_config;
mod production;
mod report;
mod returns;
mod run;
mod series;
mod signals;
mod timers;
mod transitions;
mod transmit;
mod usage;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs a fleet of real device stacks over UDP.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Configuration, JSON (schema klais.fleet/1).
    #[arg(long, required = true)]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Floods gateways with spoofed, forged, replayed and malformed HELLOs.
    Attack(ConfigFile),
    /// Measures the time from a frame to its ACK at a fixed rate.
    Probe(ConfigFile),
}

#[derive(Args)]
struct ConfigFile {
    /// Configuration, JSON (schema klais.fleet-attack/1 or klais.fleet-probe/1).
    #[arg(long)]
    config: PathBuf,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match (&cli.command, &cli.config) {
        (Some(Command::Attack(file)), _) => attack::attack(&file.config),
        (Some(Command::Probe(file)), _) => probe::probe(&file.config),
        (None, Some(file)) => run::run(file),
        // The parser has seen to it.
        (None, None) => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("klais-fleet: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}
