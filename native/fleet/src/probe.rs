//! Turnaround: live DATA of one reading each, evenly spaced, open loop, and the time from when each was to go until its
//! ACK came.
//!
//! Reading `i` of device `d` is frame `i * devices + d`, due that many periods after the start: nothing is stored per
//! frame. Sessions are assumed to be up.

use crate::addresses::Addresses;
use crate::clock::Clock;
use crate::config::{Checker, MasterKey, load};
use crate::error::FleetError;
use crate::inbound::Inbound;
use crate::lag::{Quantiles, SendErrors, histogram};
use crate::payload;
use crate::port::Port;
use crate::report::{Generator, Sockets, write};
use crate::signals::StopSignals;
use crate::usage::{Cpu, usage};
use hdrhistogram::Histogram;
use klais_burst_sync::wire::{FRAME_BYTES_MAX, MasterKeys, encode};
use klais_burst_sync::{Data, Frame, Lane, Mark, NackReason};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SCHEMA: &str = "klais.fleet-probe/1";
const NANOS_PER_SECOND: f64 = 1e9;
const NANOS_PER_MICRO: u64 = 1_000;
const SECONDS_MAX: f64 = 600.0;
/// Frames between looks at the socket.
const BURST_FRAMES: u32 = 16;
/// Missed by more than this at the 99th percentile, the generator counts as saturated.
const LAG_LIMIT_MICROS: u64 = 1_000;

/// How the probe waits for the next frame's time.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Poll {
    /// By looking: exact, and takes a core.
    Busy,
    /// By sleeping.
    Sleep,
}

const fn busy() -> Poll {
    Poll::Busy
}

const fn lag_limit() -> u64 {
    LAG_LIMIT_MICROS
}

const fn patience() -> u64 {
    1_000
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProbeConfig {
    schema: String,
    devices: u32,
    first_address: Ipv4Addr,
    source_port: u16,
    gateways: Vec<SocketAddrV4>,
    master_key: MasterKey,
    key_epoch: u8,
    /// Of every device.
    session: u16,
    /// All devices together.
    frames_per_second: f64,
    seconds: f64,
    reading_bytes: u16,
    /// Index of every device's first reading: above what earlier probes have sent.
    #[serde(default)]
    first_reading: Mark,
    /// Wait for the last ACKs.
    #[serde(default = "patience")]
    settle_millis: u64,
    #[serde(default = "busy")]
    poll: Poll,
    #[serde(default = "lag_limit")]
    lag_limit_micros: u64,
    report: PathBuf,
}

/// Readings that were not acknowledged, by what was heard instead.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Lost {
    /// Lost on the way, or behind such a one.
    gap: u64,
    /// The gateway knows no session.
    no_session: u64,
    /// Told to come later.
    later: u64,
    /// Nothing was heard.
    unanswered: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProbeReport {
    schema: &'static str,
    complete: bool,
    devices: u32,
    frames_per_second: f64,
    achieved_per_second: f64,
    sent: u64,
    acked: u64,
    lost: Lost,
    latency_micros: Quantiles,
    #[serde(flatten)]
    generator: Generator,
    #[serde(flatten)]
    sockets: Sockets,
    /// `firstReading` of a probe that follows this one.
    next_reading: Mark,
    cpu: Cpu,
}

/// What the probe knows of a device.
#[derive(Clone, Copy, Debug)]
struct Sender {
    next: Mark,
    /// Below: acknowledged, or given up.
    settled: Mark,
    prev: Mark,
}

/// Runs a probe and writes its report.
///
/// # Errors
/// A wrong configuration; a socket or file that the system refuses.
pub fn probe(file: &Path) -> Result<(), FleetError> {
    let config: ProbeConfig = load(file)?;
    let check = Checker::new(file);
    check.basics(&config.schema, SCHEMA, &config.gateways)?;
    let addresses = check.addresses(config.first_address, config.devices)?;
    check.frame("readingBytes", 1, config.reading_bytes)?;
    let rate = config.frames_per_second;
    check.require("framesPerSecond", rate > 0.0 && rate <= NANOS_PER_SECOND, "above 0, at most 1e9")?;
    let seconds = config.seconds;
    check.require("seconds", seconds > 0.0 && seconds <= SECONDS_MAX, "above 0, at most 600")?;
    Probe::new(config, addresses)?.run()
}

struct Probe {
    config: ProbeConfig,
    addresses: Addresses,
    keys: MasterKeys,
    port: Port,
    inbound: Inbound,
    signals: StopSignals,
    senders: Vec<Sender>,
    started: u64,
    frames: u64,
    sent: u64,
    acked: u64,
    lost: Lost,
    latency: Histogram<u64>,
    lag: Histogram<u64>,
    errors: SendErrors,
}

impl Probe {
    fn new(config: ProbeConfig, addresses: Addresses) -> Result<Self, FleetError> {
        let keys = MasterKeys::new(config.master_key.0, config.key_epoch);
        let first = config.first_reading;
        // What lies before the first reading is none of this probe's business: no mark can be behind 0.
        let sender = Sender { next: first, settled: first, prev: 0 };
        Ok(Self {
            addresses,
            port: Port::open(config.source_port)?,
            inbound: Inbound::new(addresses, keys.clone()),
            keys,
            signals: StopSignals::new()?,
            senders: vec![sender; config.devices as usize],
            started: Clock::monotonic_nanos(),
            frames: 0,
            sent: 0,
            acked: 0,
            lost: Lost::default(),
            latency: histogram()?,
            lag: histogram()?,
            errors: SendErrors::default(),
            config,
        })
    }

    fn run(mut self) -> Result<(), FleetError> {
        let _ = nix::sys::prctl::set_timerslack(1);
        self.started = Clock::monotonic_nanos();
        let frames = (self.config.frames_per_second * self.config.seconds) as u64;
        let complete = self.send_frames(frames.max(1))?;
        let sending = (Clock::monotonic_nanos() - self.started) as f64 / NANOS_PER_SECOND;
        self.await_answers()?;
        let next_reading = self.senders.iter().map(|s| s.next).max().unwrap_or(0);
        self.lost.unanswered = self.senders.iter().map(|s| u64::from(s.next - s.settled)).sum();
        let report = ProbeReport {
            schema: "klais.fleet-probe-report/1",
            complete,
            devices: self.config.devices,
            frames_per_second: self.config.frames_per_second,
            achieved_per_second: self.sent as f64 / sending,
            sent: self.sent,
            acked: self.acked,
            lost: self.lost,
            latency_micros: Quantiles::of(&self.latency),
            generator: Generator::new(Quantiles::of(&self.lag), self.config.lag_limit_micros),
            sockets: Sockets {
                wire_errors: self.inbound.errors,
                send_errors: self.errors,
                receive_overflows: self.port.overflows(),
            },
            next_reading,
            cpu: usage().0,
        };
        write(&self.config.report, &report)
    }

    /// Sends every frame at its time: false if a signal came first.
    fn send_frames(&mut self, frames: u64) -> Result<bool, FleetError> {
        while self.frames < frames {
            let mut now = Clock::monotonic_nanos();
            for _ in 0..BURST_FRAMES {
                if self.frames >= frames || self.due_nanos(self.frames) > now {
                    break;
                }
                now = self.send();
            }
            if self.receive()? == 0 && self.config.poll == Poll::Sleep {
                let left = self.due_nanos(self.frames).saturating_sub(Clock::monotonic_nanos());
                if left > 0 {
                    self.port.wait_readable(self.signals.as_fd(), Duration::from_nanos(left));
                }
            }
            if self.signals.came() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn await_answers(&mut self) -> Result<(), FleetError> {
        let end = Clock::monotonic_nanos() + self.config.settle_millis.saturating_mul(1_000_000);
        while self.acked + self.lost.gap + self.lost.no_session + self.lost.later < self.sent {
            let left = end.saturating_sub(Clock::monotonic_nanos());
            if left == 0 || self.signals.came() {
                return Ok(());
            }
            if self.receive()? == 0 {
                self.port.wait_readable(self.signals.as_fd(), Duration::from_nanos(left));
            }
        }
        Ok(())
    }

    fn due_nanos(&self, frame: u64) -> u64 {
        self.started + (frame as f64 * NANOS_PER_SECOND / self.config.frames_per_second) as u64
    }

    /// Sends the next frame: when it had gone.
    fn send(&mut self) -> u64 {
        let device = (self.frames % u64::from(self.config.devices)) as u32;
        let due = self.due_nanos(self.frames);
        self.frames += 1;
        let sender = &mut self.senders[device as usize];
        let data = Data {
            session: self.config.session,
            lane: Lane::Live,
            prev: sender.prev,
            first: sender.next,
            count: 1,
            stride: 1,
            due_millis: 0,
            gap: false,
            round: 0,
            // A gateway whose log is empty.
            term: klais_burst_sync::TermEcho::default(),
        };
        sender.next += 1;
        sender.prev = sender.next;
        self.sent += 1;
        if let Err(error) = self.put(device, &data) {
            self.errors.count(error);
        }
        let now = Clock::monotonic_nanos();
        self.lag.saturating_record(now.saturating_sub(due) / NANOS_PER_MICRO);
        now
    }

    fn put(&self, device: u32, data: &Data) -> Result<(), Errno> {
        let (mut reading, mut datagram) = ([0; FRAME_BYTES_MAX], [0; FRAME_BYTES_MAX]);
        let too_long = Errno::EMSGSIZE;
        let bytes = payload::fill(device, data, usize::from(self.config.reading_bytes), &mut reading)
            .ok_or(too_long)?;
        let key = self.keys.device_key(device, self.config.key_epoch).ok_or(Errno::ENOKEY)?;
        let frame = Frame::Data(*data);
        let bytes = encode(&frame, device, self.config.key_epoch, &key, &reading[..bytes], &mut datagram)
            .map_err(|_| too_long)?;
        let from = self.addresses.of(device);
        let to = self.config.gateways[device as usize % self.config.gateways.len()];
        self.port.send(from, to, &datagram[..bytes])
    }

    fn receive(&mut self) -> Result<usize, FleetError> {
        let arrived = self.port.receive()?;
        let now = Clock::monotonic_nanos();
        for n in 0..arrived {
            let Some((to, datagram)) = self.port.datagram(n) else { continue };
            match self.inbound.accept(to, datagram) {
                Some((device, Frame::Ack { lane: Lane::Live, mark, .. })) => self.on_ack(device, mark, now),
                Some((device, Frame::Nack(nack))) => self.on_nack(device, nack.reason, nack.mark, now),
                _ => {}
            }
        }
        Ok(arrived)
    }

    fn on_ack(&mut self, device: u32, mark: Mark, now: u64) {
        let sender = self.senders[device as usize];
        let mark = mark.min(sender.next);
        for reading in sender.settled..mark {
            let round = u64::from(reading - self.config.first_reading);
            let due = self.due_nanos(round * u64::from(self.config.devices) + u64::from(device));
            self.latency.saturating_record(now.saturating_sub(due) / NANOS_PER_MICRO);
            self.acked += 1;
        }
        self.senders[device as usize].settled = mark.max(sender.settled);
    }

    /// What was sent after a refused frame is refused too: the next frame begins anew at the gateway's mark.
    fn on_nack(&mut self, device: u32, reason: NackReason, mark: Mark, now: u64) {
        self.on_ack(device, mark, now);
        let sender = &mut self.senders[device as usize];
        let given_up = u64::from(sender.next - sender.settled);
        sender.settled = sender.next;
        sender.prev = mark;
        match reason {
            NackReason::Gap => self.lost.gap += given_up,
            NackReason::NoSession => self.lost.no_session += given_up,
            NackReason::Later => self.lost.later += given_up,
        }
    }
}
