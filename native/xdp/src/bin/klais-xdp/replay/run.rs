//! One capture through the program, packet by packet.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use klais_dam::Dam;
use klais_xdp::{Filter, TestRun};

use super::capture::{Capture, Packet};
use super::config::Config;
use super::error::ReplayError;
use super::ownership::Owner;
use super::report::Report;

/// Less than this the kernel takes for no packet (`ETH_HLEN`).
const FRAME_BYTES_MIN: usize = 14;
/// Frames by whose length the kernel's limit is found out, the longest first: the longest IP packet in Ethernet; what the
/// library has room for at least; and what fits one page beside 256 bytes of headroom and 320 of the kernel's own, which is
/// all that a test run takes before Linux 5.18.
const LENGTHS: [usize; 3] = [65_549, 4_096, 3_520];

const ABORTED: u32 = 0;
const DROP: u32 = 1;
const PASS: u32 = 2;
const TX: u32 = 3;
const NANOS_PER_SECOND: f64 = 1e9;

/// A program that was loaded for one capture: what it remembers of devices is that capture's own.
pub struct Stage {
    filter: Filter,
    gateway: Owner,
    frame_bytes_max: usize,
}

impl Stage {
    /// Loads the program and sets its limits.
    ///
    /// # Errors
    /// The kernel's refusal, or limits that make no dam.
    pub fn load(config: &Config) -> Result<Self, ReplayError> {
        let mut filter = Filter::load(&config.filter()).map_err(ReplayError::Kernel)?;
        filter.set_addresses(&config.addresses).map_err(ReplayError::Kernel)?;
        Dam::over(config.dam(), filter.tables()).map_err(ReplayError::Dam)?;
        let takes = |length: &usize| filter.test_run(&vec![0; *length]).is_ok();
        let frame_bytes_max = LENGTHS.into_iter().find(takes).unwrap_or(FRAME_BYTES_MIN);
        let gateway = Owner { port: config.port, addresses: config.addresses.clone() };
        Ok(Self { filter, gateway, frame_bytes_max })
    }

    /// Runs a capture, in its order and by its time.
    ///
    /// # Errors
    /// What is wrong with the capture or the kernel; there is no report then.
    pub fn replay(&self, file: &Path) -> Result<Report, ReplayError> {
        let before = self.counters()?;
        let mut report = Report::new(file, self.frame_bytes_max);
        let mut clock = Clock::default();
        let mut capture = open(file)?;
        while let Some(packet) = capture.next_packet().map_err(ReplayError::capture(file))? {
            self.packet(&packet, &mut clock, &mut report)?;
        }
        report.seconds = clock.latest as f64 / NANOS_PER_SECOND;
        let counted = self.counters()?.into_iter().map(|(name, count)| (name, count - before[name]));
        report.counters = counted.filter(|(_, count)| *count > 0).collect();
        let packets = report.packets - report.not_run.too_short - report.not_run.too_long;
        let counted = report.counters.values().sum();
        if counted != packets {
            return Err(ReplayError::Miscounted { file: file.to_owned(), packets, counted });
        }
        Ok(report)
    }

    fn packet(&self, packet: &Packet<'_>, clock: &mut Clock, report: &mut Report) -> Result<(), ReplayError> {
        let Packet { index, nanos, wire_bytes, frame } = *packet;
        let now = clock.at(nanos);
        let seconds = now as f64 / NANOS_PER_SECOND;
        report.packets += 1;
        if frame.len() < FRAME_BYTES_MIN {
            report.not_run.too_short += 1;
            report.except(index, seconds, frame.len(), "not run: too short".into());
            return Ok(());
        }
        if frame.len() > self.frame_bytes_max {
            report.not_run.too_long += 1;
            report.except(index, seconds, frame.len(), "not run: too long".into());
            return Ok(());
        }
        report.cut += u64::from(frame.len() < wire_bytes as usize);
        self.filter.set_test_now(now);
        let run = self.filter.test_run(frame).map_err(ReplayError::Kernel)?;
        let is_foreign = !self.gateway.is_owner_of(frame);
        if let Some(reason) = judge(&run, frame, is_foreign, report)? {
            report.except(index, seconds, frame.len(), reason);
        }
        Ok(())
    }

    fn counters(&self) -> Result<BTreeMap<&'static str, u64>, ReplayError> {
        let counters = self.filter.counters().map_err(ReplayError::Kernel)?;
        Ok(counters.into_iter().map(|(name, count)| (name, count.packets)).collect())
    }
}

/// Opens a capture, which is to be a file and nothing that waits.
pub fn open(file: &Path) -> Result<Capture<BufReader<File>>, ReplayError> {
    let unreadable = |error| ReplayError::File { file: file.to_owned(), error };
    if !std::fs::metadata(file).map_err(unreadable)?.is_file() {
        return Err(ReplayError::NoFile(file.to_owned()));
    }
    let reader = BufReader::new(File::open(file).map_err(unreadable)?);
    Capture::open(reader).map_err(ReplayError::capture(file))
}

/// Counts what became of a packet; why, if it did not pass as it was.
fn judge(
    run: &TestRun,
    frame: &[u8],
    is_foreign: bool,
    report: &mut Report,
) -> Result<Option<String>, ReplayError> {
    let is_unchanged = run.packet == frame;
    let verdicts = &mut report.verdicts;
    let verdict = match run.action {
        ABORTED => &mut verdicts.aborted,
        DROP => &mut verdicts.drop,
        PASS => &mut verdicts.pass,
        TX => &mut verdicts.tx,
        other => return Err(ReplayError::Verdict(other)),
    };
    *verdict += 1;
    if run.action == PASS {
        report.passed.count(is_unchanged);
    }
    if is_foreign {
        report.foreign.count(run.action == PASS && is_unchanged);
    }
    let fate = match run.action {
        PASS if is_unchanged => return Ok(None),
        PASS => "changed",
        TX => "answered",
        DROP => "dropped",
        _ => "aborted",
    };
    let whose = if is_foreign { "foreign, and yet " } else { "" };
    Ok(Some(format!("{whose}{fate}: {}", run.outcome)))
}

/// The dam's clock: the time of a capture since its first packet.
#[derive(Default)]
struct Clock {
    first: Option<u64>,
    now: u64,
    latest: u64,
}

impl Clock {
    /// A packet without a time has that of the one before. What is older than the first packet counts as its time.
    fn at(&mut self, nanos: Option<u64>) -> u64 {
        if let Some(nanos) = nanos {
            self.now = nanos.saturating_sub(*self.first.get_or_insert(nanos));
            self.latest = self.latest.max(self.now);
        }
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ToolError;

    /// The program at hand does no such thing: what would be said of one that did.
    #[test]
    fn a_foreign_packet_that_does_not_pass_as_it_was_ends_the_replay_with_1() {
        let mut report = Report::new(Path::new("a.pcap"), 4_096);
        let run = |action, packet: &[u8]| TestRun { action, packet: packet.to_vec(), outcome: "foreign-arp" };
        let mut reason = |run, is_foreign| judge(&run, &[1, 2], is_foreign, &mut report).expect("a verdict");
        assert_eq!(reason(run(PASS, &[1, 2]), true), None);
        assert_eq!(
            reason(run(PASS, &[1, 3]), true).as_deref(),
            Some("foreign, and yet changed: foreign-arp")
        );
        assert_eq!(
            reason(run(DROP, &[1, 2]), true).as_deref(),
            Some("foreign, and yet dropped: foreign-arp")
        );
        assert_eq!(reason(run(DROP, &[1, 2]), false).as_deref(), Some("dropped: foreign-arp"));
        assert!(judge(&run(4, &[]), &[], true, &mut report).is_err());
        assert_eq!((report.harmed(), report.passed.packets, report.passed.unchanged), (2, 2, 1));
        assert_eq!(ToolError::from(ReplayError::Harmed(report.harmed())).exit_code(), 1);
    }

    #[test]
    fn time_begins_with_the_first_packet_and_does_not_end_before_it() {
        let mut clock = Clock::default();
        let times = [None, Some(50), Some(70), None, Some(40), Some(60)].map(|nanos| clock.at(nanos));
        assert_eq!((times, clock.latest), ([0, 0, 20, 20, 0, 10], 20));
    }
}
