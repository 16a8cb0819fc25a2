//! What a run leaves behind.

use crate::counts::Counts;
use crate::delays::DelayReport;
use crate::error::FleetError;
use crate::fleet::{Fleet, Ledger};
use crate::inbound::WireErrors;
use crate::lag::{Quantiles, SendErrors};
use crate::series::Row;
use crate::usage::{Cpu, usage};
use serde::Serialize;
use std::fs;
use std::path::Path;

const MICROS_PER_SECOND: f64 = 1_000_000.0;

/// How long returning devices waited for a session, from when they could talk (power-on and boot), as the engine counts
/// it. Virtual seconds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Connected {
    p50_seconds: f64,
    p95_seconds: f64,
    p999_seconds: f64,
    count: u64,
    never_connected: u64,
}

/// How late frames went: real microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Generator {
    /// From intended to sent.
    pub lag_micros: Quantiles,
    /// The limit of `lag_micros.p99`.
    pub lag_limit_micros: u64,
    /// It was exceeded: the figures say more about the generator than about the gateways.
    pub saturated: bool,
}

impl Generator {
    /// Holds a lag against its limit.
    pub const fn new(lag_micros: Quantiles, lag_limit_micros: u64) -> Self {
        Self { saturated: lag_micros.p99 > lag_limit_micros, lag_micros, lag_limit_micros }
    }
}

/// What the sockets saw beside frames.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sockets {
    /// Datagrams that were no frame for a device.
    pub wire_errors: WireErrors,
    /// Frames that could not go.
    pub send_errors: SendErrors,
    /// Datagrams that the receive buffer had no room for.
    pub receive_overflows: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FleetReport<'a> {
    schema: &'static str,
    complete: bool,
    devices: u32,
    end_micros: u64,
    wall_seconds: f64,
    produced: u64,
    buffered: u64,
    acked: i64,
    lost_overflow: u64,
    lost_volatile: u64,
    /// Produced, less everything accounted for: 0.
    imbalance: i64,
    #[serde(flatten)]
    counts: Frames,
    #[serde(flatten)]
    sockets: &'a Sockets,
    drained_at_micros: Option<u64>,
    undrained_readings: u64,
    connected: Connected,
    #[serde(skip_serializing_if = "Option::is_none")]
    delays: Option<DelayReport>,
    #[serde(flatten)]
    generator: Generator,
    bytes_per_device: usize,
    memory_bytes_max: u64,
    cpu: Cpu,
    series: &'a [Row],
}

/// The counters that are not in the ledger's part.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Frames {
    frames_sent: u64,
    frames_received: u64,
    hellos: u64,
    cookies: u64,
    live_frames: u64,
    backfill_frames: u64,
    keep_alives: u64,
    readings_sent: u64,
    admits: u64,
    defers: u64,
    redirects: u64,
    acks: u64,
    nacks: u64,
    byes: u64,
    refusals: u64,
    connects: u64,
    idle_transitions: u64,
}

impl From<&Counts> for Frames {
    fn from(c: &Counts) -> Self {
        Self {
            frames_sent: c.frames_sent,
            frames_received: c.frames_received,
            hellos: c.hellos,
            cookies: c.cookies,
            live_frames: c.live_frames,
            backfill_frames: c.backfill_frames,
            keep_alives: c.keep_alives,
            readings_sent: c.readings_sent,
            admits: c.admits,
            defers: c.defers,
            redirects: c.redirects,
            acks: c.acks,
            nacks: c.nacks,
            byes: c.byes,
            refusals: c.refusals,
            connects: c.connects,
            idle_transitions: c.idle_transitions,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// Nobody stopped it.
    pub complete: bool,
    /// Virtual time.
    pub at_micros: u64,
    /// Real time.
    pub wall_seconds: f64,
    /// Where every reading is.
    pub ledger: Ledger,
}

/// Writes a fleet's report.
///
/// # Errors
/// The file cannot be written.
pub fn write_fleet(
    path: &Path,
    fleet: &Fleet,
    ending: Ending,
    sockets: &Sockets,
    generator: Generator,
) -> Result<(), FleetError> {
    let Ending { ledger, .. } = ending;
    let counts = &fleet.counts;
    let lost_overflow = counts.lost_overflow + ledger.overflow;
    let accounted = ledger.buffered + lost_overflow + counts.lost_volatile;
    let (cpu, memory_bytes_max) = usage();
    let report = FleetReport {
        schema: "klais.fleet-report/1",
        complete: ending.complete,
        devices: fleet.devices(),
        end_micros: ending.at_micros,
        wall_seconds: ending.wall_seconds,
        produced: ledger.produced,
        buffered: ledger.buffered,
        acked: counts.acked,
        lost_overflow,
        lost_volatile: counts.lost_volatile,
        imbalance: ledger.produced as i64 - accounted as i64 - counts.acked,
        counts: counts.into(),
        sockets,
        drained_at_micros: fleet.drained_at(),
        undrained_readings: fleet.returns().owed_total(),
        connected: connected(fleet),
        delays: fleet.delays(),
        generator,
        bytes_per_device: Fleet::BYTES_PER_DEVICE,
        memory_bytes_max,
        cpu,
        series: fleet.series().rows(),
    };
    write(path, &report)
}

fn connected(fleet: &Fleet) -> Connected {
    let never_connected = fleet.returns().never_connected();
    let waits = fleet.returns().waits();
    let at = |quantile| waits.value_at_quantile(quantile) as f64 / MICROS_PER_SECOND;
    Connected {
        p50_seconds: at(0.5),
        p95_seconds: at(0.95),
        p999_seconds: at(0.999),
        count: waits.len(),
        never_connected,
    }
}

/// Writes a report whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, report: &impl Serialize) -> Result<(), FleetError> {
    let text = serde_json::to_string(report).map_err(|error| FleetError::file(path)(error.into()))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    fs::write(&part, text + "\n").map_err(FleetError::file(&part))?;
    fs::rename(&part, path).map_err(FleetError::file(path))
}
