//! `klais-xdp`: measures the dam in the kernel, and floods it.
//!
//! Exit codes: 0; 1 when a packet met another fate than was to be measured; 2 for bad usage, or what failed; 3 where this
//! machine or this user cannot do it at all.

mod bench;
mod bpf_stats;
mod cpu;
mod error;
mod flood;
mod namespace;
mod packets;
mod peers;
mod record;
mod replay;
mod rights;
mod sender;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use bpf_stats::BpfStatsOff;
use error::ToolError;

#[derive(Parser)]
#[command(name = "klais-xdp", about = "Measures the dam in the kernel, and floods it. Needs root and Linux.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What the filter costs per packet, by verdict.
    Bench(Measuring),
    /// What a dropped packet costs, beside nftables and a socket.
    Peers(Measuring),
    /// Sends live frames into an interface of this network namespace.
    Flood(flood::Arguments),
    /// Runs the packets of captures through the filter.
    Replay(replay::Arguments),
    /// Makes an end of a veth pair take in at once what a filter at the other end sends back. Lasts as long as the interface.
    Pass {
        /// Of this network namespace.
        interface: String,
    },
}

#[derive(clap::Args)]
struct Measuring {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Small sizes: shows that it works, not how fast it is.
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("klais-xdp: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(command: Command) -> Result<(), ToolError> {
    let say = |line: &str| eprintln!("{line}");
    match command {
        Command::Bench(Measuring { json, quick }) => {
            let _off = prepare(&say)?;
            let size = if quick { bench::Size::QUICK } else { bench::Size::FULL };
            record::print(&bench::run(&size, &say)?, json)?;
        }
        Command::Peers(Measuring { json, quick }) => {
            let _off = prepare(&say)?;
            let size = if quick { peers::Size::QUICK } else { peers::Size::FULL };
            record::print(&peers::measure(&size, &say)?, json)?;
            say(peers::CAVEAT);
        }
        Command::Flood(arguments) => flood::run(&arguments)?,
        Command::Replay(arguments) => replay::run(&arguments)?,
        Command::Pass { interface } => {
            rights::check()?;
            klais_xdp::let_pass(&interface).map_err(ToolError::Filter)?;
        }
    }
    Ok(())
}

/// What comes before anything is measured.
fn prepare(say: &dyn Fn(&str)) -> Result<BpfStatsOff, ToolError> {
    rights::check()?;
    BpfStatsOff::hold(say)
}
