//! The packet fleet: real stacks, real time, open loop.
//!
//! Timers and power transitions are handled at the time for which they were planned, also where the generator is late: its
//! frames then go late, and its lag says so, but no device's plan moves by it.

use crate::clock::Clock;
use crate::config::FleetSetup;
use crate::error::FleetError;
use crate::fleet::{Fleet, Plan};
use crate::inbound::Inbound;
use crate::lag::Quantiles;
use crate::port::{Port, Refusal};
use crate::report::{Ending, Generator, Sockets, write_fleet};
use crate::signals::StopSignals;
use crate::transitions;
use crate::transmit::Transmitter;
use serde::Serialize;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

/// Frames sent before the socket is looked at again.
const BURST_FRAMES: usize = 256;
/// Batches received before timers are looked at again.
const RECEIVE_BATCHES: usize = 4;
const PROGRESS_NANOS: u64 = 1_000_000_000;
/// Longest sleep.
const IDLE: Duration = Duration::from_millis(100);
const NANOS_PER_SECOND: f64 = 1e9;

/// A line on stdout.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    time_micros: u64,
    online: u32,
    backlog_readings: u64,
    frames_sent: u64,
    frames_received: u64,
    hellos: u64,
    admits: u64,
    defers: u64,
    acked: i64,
    lag_micros_p99: u64,
}

/// A running fleet and what it speaks through.
struct Run {
    fleet: Fleet,
    port: Port,
    clock: Clock,
    transmitter: Transmitter,
    inbound: Inbound,
    signals: StopSignals,
    until: u64,
    progress_at: u64,
}

/// Runs a fleet to its end, or until a signal, and writes its report.
///
/// # Errors
/// A wrong configuration or transitions file; a socket or file that the system refuses.
pub fn run(file: &Path) -> Result<(), FleetError> {
    let setup = FleetSetup::load(file)?;
    let config = &setup.settings;
    let mut run = Run::new(&setup)?;
    let started = Clock::monotonic_nanos();
    let complete = run.until_end()?;
    let at_micros = if complete { config.until_micros } else { run.fleet.position() };
    let ledger = run.fleet.settle(at_micros);
    run.transmitter.flush_tap()?;
    let wall_seconds = (Clock::monotonic_nanos() - started) as f64 / NANOS_PER_SECOND;
    let ending = Ending { complete, at_micros, wall_seconds, ledger };
    let sockets = Sockets {
        wire_errors: run.inbound.errors,
        send_errors: run.transmitter.errors,
        receive_overflows: run.port.overflows(),
    };
    if let Some(ledger) = &config.ledger {
        run.fleet.write_accounts(ledger)?;
    }
    let generator = Generator::new(Quantiles::of(&run.transmitter.lag), config.lag_limit_micros);
    write_fleet(&config.report, &run.fleet, ending, &sockets, generator)
}

impl Run {
    fn new(setup: &FleetSetup) -> Result<Self, FleetError> {
        let config = &setup.settings;
        let signals = StopSignals::new()?;
        let transitions = match &config.transitions {
            Some(file) => transitions::load(file, config.devices)?,
            None => Vec::new(),
        };
        let port = Port::open(config.source_port)?;
        let fleet = Fleet::new(Plan {
            config: setup.firmware,
            devices: config.devices,
            online: config.assume_online,
            transitions,
            end_micros: config.until_micros,
            series_micros: config.series_micros,
            drain_epsilon: config.drain_epsilon_readings,
            accounts: config.ledger.is_some(),
            delays: config.delays,
        })?;
        // Without an origin of its own time begins when everything stands ready.
        let clock = Clock::new(config.origin_nanos, config.time_scale)?;
        Ok(Self {
            transmitter: Transmitter::new(setup, clock)?,
            inbound: Inbound::new(setup.addresses, config.keys()),
            fleet,
            port,
            clock,
            signals,
            until: config.until_micros,
            progress_at: 0,
        })
    }

    /// Runs until the end: false if a signal came first.
    fn until_end(&mut self) -> Result<bool, FleetError> {
        let _ = nix::sys::prctl::set_timerslack(1);
        // From its first line on it can be told to stop.
        if self.progress()? {
            return Ok(false);
        }
        while Clock::monotonic_nanos() < self.clock.monotonic_at(0) {
            self.port
                .wait_readable(self.signals.as_fd(), self.clock.until(0, Clock::monotonic_nanos()).min(IDLE));
            if self.signals.came() {
                return Ok(false);
            }
        }
        loop {
            let now = self.clock.now_micros();
            let caught_up = self.fleet.run_due(now.min(self.until - 1), BURST_FRAMES);
            self.send()?;
            let received = self.receive()?;
            if self.progress()? {
                return Ok(false);
            }
            if caught_up && now >= self.until {
                return Ok(true);
            }
            if caught_up && received == 0 {
                self.wait();
            }
        }
    }

    fn send(&mut self) -> Result<(), FleetError> {
        self.fleet.counts.frames_sent += self.transmitter.send_all(&self.port, &mut self.fleet.outgoing)?;
        Ok(())
    }

    fn receive(&mut self) -> Result<usize, FleetError> {
        let mut received = self.take_refusals();
        for _ in 0..RECEIVE_BATCHES {
            let arrived = self.port.receive()?;
            if arrived == 0 {
                break;
            }
            received += arrived;
            // Never earlier than it came: a device told to wait must not be back too soon.
            let now = self.clock.now_micros().min(self.until - 1);
            for n in 0..arrived {
                let Some((to, datagram)) = self.port.datagram(n) else { continue };
                if let Some((device, frame)) = self.inbound.accept(to, datagram) {
                    match self.transmitter.redirected(&frame) {
                        None => self.fleet.receive(device, frame, now),
                        Some(Some(gateway)) => self.fleet.redirect(device, &frame, gateway, now),
                        Some(None) => self.inbound.errors.count("unknown-gateway"),
                    }
                }
            }
            self.send()?;
        }
        Ok(received)
    }

    /// Devices hear that the gateway they talk to is not there: how many.
    fn take_refusals(&mut self) -> usize {
        let now = self.clock.now_micros().min(self.until - 1);
        let mut taken = 0;
        while taken < BURST_FRAMES
            && let Some(Refusal { from, to }) = self.port.refusal()
        {
            taken += 1;
            if let (Some(device), Some(gateway)) =
                (self.transmitter.addresses.device(from), self.transmitter.gateway_at(to))
            {
                self.fleet.refuse(device, gateway, now);
            }
        }
        taken
    }

    fn wait(&self) {
        let next = self.fleet.next_due().unwrap_or(self.until).min(self.until);
        let left = self.clock.until(next, Clock::monotonic_nanos()).min(IDLE);
        if !left.is_zero() {
            self.port.wait_readable(self.signals.as_fd(), left);
        }
    }

    /// A line on stdout once a second: true if a signal has come.
    fn progress(&mut self) -> Result<bool, FleetError> {
        let now = Clock::monotonic_nanos();
        if now < self.progress_at {
            return Ok(self.signals.came());
        }
        self.progress_at = now + PROGRESS_NANOS;
        self.transmitter.flush_tap()?;
        let counts = &self.fleet.counts;
        let line = Progress {
            time_micros: self.fleet.position(),
            online: self.fleet.returns().online(),
            backlog_readings: self.fleet.returns().owed_total(),
            frames_sent: counts.frames_sent,
            frames_received: counts.frames_received,
            hellos: counts.hellos,
            admits: counts.admits,
            defers: counts.defers,
            acked: counts.acked,
            lag_micros_p99: self.transmitter.lag.value_at_quantile(0.99),
        };
        if let Ok(text) = serde_json::to_string(&line) {
            // Nobody may be reading: the report says it all again.
            let _ = writeln!(std::io::stdout(), "{text}");
        }
        Ok(self.signals.came())
    }
}
