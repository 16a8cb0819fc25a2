//! What became of the packets of a capture: JSON for programs, lines for people.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;

use serde::Serialize;

use super::error::shown;

/// Examples that are kept of each reason.
const EXAMPLES_MAX: u64 = 3;

/// What the program returned, by packets.
#[derive(Debug, Default, Serialize)]
pub struct Verdicts {
    pub pass: u64,
    pub drop: u64,
    pub tx: u64,
    pub aborted: u64,
}

/// Packets, and those of them that came out byte for byte as they went in.
#[derive(Debug, Default, Serialize)]
pub struct Unchanged {
    pub packets: u64,
    pub unchanged: u64,
}

impl Unchanged {
    pub fn count(&mut self, is_unchanged: bool) {
        self.packets += 1;
        self.unchanged += u64::from(is_unchanged);
    }
}

/// Packets that the kernel takes for no test run.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotRun {
    pub too_short: u64,
    pub too_long: u64,
}

/// A packet that did not simply pass.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Example {
    /// From 1.
    pub index: u64,
    /// Since the first packet of the capture.
    pub seconds: f64,
    /// Of the frame as captured.
    pub frame_bytes: usize,
    pub reason: String,
}

/// Of one capture.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub file: String,
    pub packets: u64,
    /// From the first packet to the latest.
    pub seconds: f64,
    pub verdicts: Verdicts,
    /// By the program's own counters; those at 0 are left out.
    pub counters: BTreeMap<&'static str, u64>,
    /// All that were passed on.
    pub passed: Unchanged,
    /// Those that are not for the gateway, by a second opinion and not the program's.
    pub foreign: Unchanged,
    /// Run as captured, which is shorter than they were.
    pub cut: u64,
    pub not_run: NotRun,
    /// The longest frame that this kernel takes.
    pub frame_bytes_max: usize,
    /// The first of each reason.
    pub examples: Vec<Example>,
    /// Packets by reason, examples or not.
    pub reasons: BTreeMap<String, u64>,
}

impl Report {
    pub fn new(file: &Path, frame_bytes_max: usize) -> Self {
        Self {
            file: file.display().to_string(),
            packets: 0,
            seconds: 0.0,
            verdicts: Verdicts::default(),
            counters: BTreeMap::new(),
            passed: Unchanged::default(),
            foreign: Unchanged::default(),
            cut: 0,
            not_run: NotRun::default(),
            frame_bytes_max,
            examples: Vec::new(),
            reasons: BTreeMap::new(),
        }
    }

    /// Counts a packet under a reason, and keeps it as an example of it if it is among the first.
    pub fn except(&mut self, index: u64, seconds: f64, frame_bytes: usize, reason: String) {
        let packets = self.reasons.entry(reason.clone()).or_default();
        *packets += 1;
        if *packets <= EXAMPLES_MAX {
            self.examples.push(Example { index, seconds, frame_bytes, reason });
        }
    }

    /// Foreign packets that were changed or kept from passing.
    pub fn harmed(&self) -> u64 {
        self.foreign.packets - self.foreign.unchanged
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { packets, seconds, verdicts, passed, foreign, not_run, .. } = self;
        writeln!(f, "{}: {packets} packets in {seconds:.3} s", shown(Path::new(&self.file)))?;
        let Verdicts { pass, drop, tx, aborted } = verdicts;
        writeln!(f, "  XDP_PASS {pass}, XDP_DROP {drop}, XDP_TX {tx}, XDP_ABORTED {aborted}")?;
        writeln!(f, "  foreign frames unchanged: {} of {}", foreign.unchanged, foreign.packets)?;
        writeln!(f, "  passed frames unchanged: {} of {}", passed.unchanged, passed.packets)?;
        if self.cut > 0 {
            writeln!(f, "  cut by the capture, run as they are: {}", self.cut)?;
        }
        if not_run.too_short > 0 {
            writeln!(f, "  not run: too short, less than an Ethernet header: {}", not_run.too_short)?;
        }
        if not_run.too_long > 0 {
            let most = self.frame_bytes_max;
            writeln!(f, "  not run: too long, this kernel takes {most} bytes: {}", not_run.too_long)?;
        }
        for (name, packets) in &self.counters {
            writeln!(f, "  {name:<20} {packets:>12}")?;
        }
        for (reason, packets) in &self.reasons {
            let mut first = String::new();
            for example in self.examples.iter().filter(|example| &example.reason == reason) {
                write!(first, ", packet {} at {:.6} s", example.index, example.seconds)?;
            }
            writeln!(f, "  {reason}: {packets}{first}")?;
        }
        Ok(())
    }
}
