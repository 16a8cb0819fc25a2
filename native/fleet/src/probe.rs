//! Turnaround: live DATA, or HELLOs, evenly spaced, open loop, and the time from when each was to go until its answer came.
//!
//! Frame `i` of sender `n` is frame `i * senders + n` of all, due that many periods after the start: nothing is stored per
//! frame. For DATA, sessions are assumed to be up.

use crate::addresses::Addresses;
use crate::clock::Clock;
use crate::error::FleetError;
use crate::inbound::Inbound;
use crate::lag::{Quantiles, SendErrors, histogram};
use crate::payload;
use crate::port::Port;
use crate::probe_config::{Kind, Poll, ProbeConfig};
use crate::report::{Generator, Sockets, write};
use crate::signals::StopSignals;
use crate::usage::{Cpu, usage};
use hdrhistogram::Histogram;
use klais_burst_sync::wire::{FRAME_BYTES_MAX, MasterKeys, encode, gateway_number};
use klais_burst_sync::{Data, Frame, Hello, Lane, Mark, NackReason};
use nix::errno::Errno;
use serde::Serialize;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

const NANOS_PER_SECOND: f64 = 1e9;
const NANOS_PER_MICRO: u64 = 1_000;
const NANOS_PER_MILLI: u64 = 1_000_000;
/// Frames between looks at the socket.
const BURST_FRAMES: u32 = 16;

/// Frames that were not acknowledged, by what was heard instead.
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
    /// From the first frame to the last answer, or to the end of the wait for it.
    seconds: f64,
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
    let (config, addresses) = ProbeConfig::load(file)?;
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
            senders: vec![sender; config.senders() as usize],
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
        let mut frames = self.config.frames();
        if self.config.frame == Kind::Hello {
            frames = frames.min(u64::from(self.config.senders()));
        }
        let complete = self.send_frames(frames)?;
        let sending = (Clock::monotonic_nanos() - self.started) as f64 / NANOS_PER_SECOND;
        self.await_answers()?;
        let next_reading = self.senders.iter().map(|s| s.next).max().unwrap_or(0);
        let open = self.senders.iter().map(|s| u64::from(s.next - s.settled)).sum::<u64>();
        self.lost.unanswered = open / u64::from(self.config.frame_readings);
        let answered = (Clock::monotonic_nanos() - self.started) as f64 / NANOS_PER_SECOND;
        let report = ProbeReport {
            schema: "klais.fleet-probe-report/1",
            complete,
            devices: self.config.devices,
            frames_per_second: self.config.frames_per_second,
            achieved_per_second: self.sent as f64 / sending,
            seconds: answered,
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

    /// Sends every frame at its time, or as the window allows: false if a signal came first, the time ran out, or nobody
    /// answered.
    fn send_frames(&mut self, frames: u64) -> Result<bool, FleetError> {
        let patience = self.config.settle_millis.saturating_mul(NANOS_PER_MILLI);
        let end = self.started + (self.config.seconds * NANOS_PER_SECOND) as u64 + patience;
        let mut heard = self.started;
        while self.frames < frames {
            let mut now = Clock::monotonic_nanos();
            for _ in 0..BURST_FRAMES {
                if self.frames >= frames || self.is_shut() || self.due_nanos(self.frames) > now {
                    break;
                }
                now = self.send();
            }
            let arrived = self.receive()?;
            if arrived > 0 || !self.is_shut() {
                heard = now;
            }
            if self.signals.came() || (self.is_shut() && now > end.min(heard + patience)) {
                return Ok(false);
            }
            if arrived == 0 && self.config.poll == Poll::Sleep {
                self.wait(now, heard + patience);
            }
        }
        Ok(true)
    }

    /// The window has no room.
    fn is_shut(&self) -> bool {
        self.config.window_frames.is_some_and(|window| self.sent - self.answered() >= window)
    }

    fn answered(&self) -> u64 {
        self.acked + self.lost.gap + self.lost.no_session + self.lost.later
    }

    /// Until the next frame is due, or an answer makes room for it.
    fn wait(&self, now: u64, given_up: u64) {
        let until = if self.is_shut() { given_up } else { self.due_nanos(self.frames) };
        let left = until.saturating_sub(now);
        if left > 0 {
            self.port.wait_readable(self.signals.as_fd(), Duration::from_nanos(left));
        }
    }

    fn await_answers(&mut self) -> Result<(), FleetError> {
        let end = Clock::monotonic_nanos() + self.config.settle_millis.saturating_mul(NANOS_PER_MILLI);
        while self.answered() < self.sent {
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
        let place = (self.frames % u64::from(self.config.senders())) as u32;
        let due = self.due_nanos(self.frames);
        self.frames += 1;
        let sender = self.senders[place as usize];
        let next = sender.next + Mark::from(self.config.frame_readings);
        self.senders[place as usize] = Sender { next, prev: next, ..sender };
        self.sent += 1;
        if let Err(error) = self.put(self.config.first_device + place, sender) {
            self.errors.count(error);
        }
        let now = Clock::monotonic_nanos();
        self.lag.saturating_record(now.saturating_sub(due) / NANOS_PER_MICRO);
        now
    }

    fn put(&self, device: u32, sender: Sender) -> Result<(), Errno> {
        let (mut reading, mut datagram) = ([0; FRAME_BYTES_MAX], [0; FRAME_BYTES_MAX]);
        let too_long = Errno::EMSGSIZE;
        let to = self.config.gateways[device as usize % self.config.gateways.len()];
        let (frame, bytes) = match self.config.frame {
            Kind::Data => {
                let data = self.data(sender);
                let bytes =
                    payload::fill(device, &data, usize::from(self.config.reading_bytes), &mut reading);
                (Frame::Data(data), bytes.ok_or(too_long)?)
            }
            Kind::Hello => (self.hello(gateway_number((*to.ip()).into())), 0),
        };
        let key = self.keys.device_key(device, self.config.key_epoch).ok_or(Errno::ENOKEY)?;
        let bytes = encode(&frame, device, self.config.key_epoch, &key, &reading[..bytes], &mut datagram)
            .map_err(|_| too_long)?;
        self.port.send(self.addresses.of(device), to, &datagram[..bytes])
    }

    fn data(&self, sender: Sender) -> Data {
        Data {
            session: self.config.session,
            lane: Lane::Live,
            prev: sender.prev,
            first: sender.next,
            count: self.config.frame_readings,
            stride: 1,
            due_millis: 0,
            gap: false,
            round: 0,
            // A gateway whose log is empty.
            term: klais_burst_sync::TermEcho::default(),
        }
    }

    fn hello(&self, gateway: u32) -> Frame {
        let session = self.config.session;
        Frame::Hello(Hello { session, epoch: 0, backlog: 0, cookie: None, acked: (0, 0), gateway })
    }

    fn receive(&mut self) -> Result<usize, FleetError> {
        let arrived = self.port.receive()?;
        let now = Clock::monotonic_nanos();
        for n in 0..arrived {
            let Some((to, datagram)) = self.port.datagram(n) else { continue };
            match self.inbound.accept(to, datagram) {
                Some((device, Frame::Ack { lane: Lane::Live, mark, .. })) => self.on_ack(device, mark, now),
                Some((device, Frame::Nack(nack))) => self.on_nack(device, nack.reason, nack.mark, now),
                Some((device, Frame::Admit(admit))) if admit.session == self.config.session => {
                    self.on_ack(device, Mark::MAX, now);
                }
                Some((device, Frame::Defer(defer))) if defer.session == self.config.session => {
                    self.on_nack(device, NackReason::Later, 0, now);
                }
                _ => {}
            }
        }
        Ok(arrived)
    }

    fn on_ack(&mut self, device: u32, mark: Mark, now: u64) {
        let Some(place) = self.place(device) else { return };
        let sender = self.senders[place];
        let mark = mark.min(sender.next);
        let each = self.config.frame_readings;
        // A mark lies at the end of a frame: frames are taken in whole.
        for reading in (sender.settled..mark).step_by(usize::from(each)) {
            let round = u64::from((reading - self.config.first_reading) / Mark::from(each));
            let due = self.due_nanos(round * u64::from(self.config.senders()) + place as u64);
            self.latency.saturating_record(now.saturating_sub(due) / NANOS_PER_MICRO);
            self.acked += 1;
        }
        self.senders[place].settled = mark.max(sender.settled);
    }

    fn place(&self, device: u32) -> Option<usize> {
        device.checked_sub(self.config.first_device).map(|place| place as usize)
    }

    /// What was sent after a refused frame is refused too: the next frame begins anew at the gateway's mark.
    fn on_nack(&mut self, device: u32, reason: NackReason, mark: Mark, now: u64) {
        self.on_ack(device, mark, now);
        let Some(place) = self.place(device) else { return };
        let sender = &mut self.senders[place];
        let given_up = u64::from(sender.next - sender.settled) / u64::from(self.config.frame_readings);
        sender.settled = sender.next;
        sender.prev = mark;
        match reason {
            NackReason::Gap => self.lost.gap += given_up,
            NackReason::NoSession => self.lost.no_session += given_up,
            NackReason::Later => self.lost.later += given_up,
        }
    }
}
