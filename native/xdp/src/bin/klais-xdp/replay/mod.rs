//! Captures through the program: what becomes of packets that somebody really sent.

mod capture;
mod config;
mod error;
mod ownership;
mod report;
mod run;

use std::path::PathBuf;

use serde::Serialize;

use config::Config;
use error::ReplayError;
use report::Report;
use run::Stage;

/// What to replay.
#[derive(clap::Args)]
pub struct Arguments {
    /// Captures of Ethernet: pcap or pcapng.
    #[arg(required = true, value_name = "FILE")]
    captures: Vec<PathBuf>,
    /// What the filter is set to, JSON (schema klais.replay/1). Without it every limit is off.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One JSON object for all captures.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Output<'a> {
    schema: &'static str,
    captures: &'a [Report],
}

/// Runs every capture through a program of its own, and prints what became of the packets: of all captures or of none.
///
/// # Errors
/// [`ReplayError`]; also, after the reports, if a foreign packet did not pass unchanged.
///
/// # Panics
/// Never: a report has no map with keys other than text.
pub fn run(arguments: &Arguments) -> Result<(), ReplayError> {
    let config = arguments.config.as_deref().map_or_else(|| Ok(Config::default()), Config::load)?;
    // Whatever is wrong with a file is said before anything is loaded, and to everybody.
    for file in &arguments.captures {
        let mut capture = run::open(file)?;
        while capture.next_packet().map_err(ReplayError::capture(file))?.is_some() {}
    }
    let replay = |file: &PathBuf| Stage::load(&config)?.replay(file);
    let reports = arguments.captures.iter().map(replay).collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        let output = Output { schema: "klais.replay-report/1", captures: &reports };
        println!("{}", serde_json::to_string(&output).expect("text keys only"));
    } else {
        reports.iter().for_each(|report| print!("{report}"));
    }
    match reports.iter().map(Report::harmed).sum() {
        0 => Ok(()),
        harmed => Err(ReplayError::Harmed(harmed)),
    }
}
