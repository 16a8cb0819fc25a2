//! Floods gateways of one's own with frames that must change nothing, from random source addresses.

use crate::clock::Clock;
use crate::config::{Checker, MasterKey, load};
use crate::error::FleetError;
use crate::forge::{Forge, Kind};
use crate::lag::SendErrors;
use crate::port::Port;
use crate::report::write;
use crate::signals::StopSignals;
use crate::usage::{Cpu, usage};
use klais_burst_sync::wire::{FRAME_BYTES_MAX, MasterKeys, gateway_number};
use klais_units::{draw, scale};
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SCHEMA: &str = "klais.fleet-attack/1";
const PURPOSE_SOURCE: u64 = 0x736f_7572;
const NANOS_PER_SECOND: f64 = 1e9;
const SECONDS_MAX: f64 = 600.0;
/// Frames between looks at answers, clock and signals.
const BURST_FRAMES: u64 = 64;
const FULL_BUFFER_WAIT: Duration = Duration::from_millis(10);

/// A master key and its number.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OldKey {
    master_key: MasterKey,
    key_epoch: u8,
}

/// Devices whose keys the attacker has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Insiders {
    first: u32,
    count: u32,
    master_key: MasterKey,
    key_epoch: u8,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AttackConfig {
    schema: String,
    gateways: Vec<SocketAddrV4>,
    /// Frames come from this many local addresses after it.
    first_address: Ipv4Addr,
    addresses: u32,
    /// Honest devices are numbered below this.
    devices: u32,
    seconds: f64,
    /// Missing: as fast as it goes.
    #[serde(default)]
    frames_per_second: Option<f64>,
    #[serde(default)]
    seed: u64,
    /// How many frames of each kind out of their sum.
    kinds: BTreeMap<Kind, u32>,
    /// Lines of hexadecimal frames, as the fleet's `tap` writes them.
    #[serde(default)]
    replay: Option<PathBuf>,
    #[serde(default)]
    old_key: Option<OldKey>,
    #[serde(default)]
    insiders: Option<Insiders>,
    report: PathBuf,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttackReport {
    schema: &'static str,
    complete: bool,
    seconds: f64,
    sent: BTreeMap<Kind, u64>,
    frames_sent: u64,
    bytes_sent: u64,
    frames_per_second: f64,
    /// What gateways answered.
    frames_received: u64,
    bytes_received: u64,
    send_errors: SendErrors,
    cpu: Cpu,
}

/// Runs an attack and writes its report.
///
/// # Errors
/// A wrong configuration; a socket or file that the system refuses.
pub fn attack(file: &Path) -> Result<(), FleetError> {
    let config: AttackConfig = load(file)?;
    check(&config, file)?;
    let mut flood = Flood::new(config)?;
    let complete = flood.run()?;
    let seconds = (Clock::monotonic_nanos() - flood.started) as f64 / NANOS_PER_SECOND;
    let frames_sent = flood.sent.values().sum();
    let report = AttackReport {
        schema: "klais.fleet-attack-report/1",
        complete,
        seconds,
        sent: flood.sent,
        frames_sent,
        bytes_sent: flood.bytes_sent,
        frames_per_second: frames_sent as f64 / seconds,
        frames_received: flood.frames_received,
        bytes_received: flood.bytes_received,
        send_errors: flood.errors,
        cpu: usage().0,
    };
    write(&flood.config.report, &report)
}

fn check(config: &AttackConfig, file: &Path) -> Result<(), FleetError> {
    let check = Checker::new(file);
    check.basics(&config.schema, SCHEMA, &config.gateways)?;
    let own = config.gateways.iter().all(|g| g.ip().is_loopback() || g.ip().is_private());
    check.require("gateways", own, "only loopback and private addresses may be attacked")?;
    check.require("devices", config.devices > 0, "at least 1")?;
    let room = u32::from(config.first_address).checked_add(config.addresses).is_some();
    check.require("addresses", config.addresses > 0 && room, "at least 1, and no more than there are")?;
    let seconds = config.seconds > 0.0 && config.seconds <= SECONDS_MAX;
    check.require("seconds", seconds, "above 0, at most 600")?;
    check.require("framesPerSecond", config.frames_per_second.is_none_or(|f| f > 0.0), "above 0")?;
    let asked = |kind| config.kinds.get(&kind).is_some_and(|weight| *weight > 0);
    check.require("kinds", Kind::ALL.into_iter().any(asked), "at least one above 0")?;
    check.require("replay", !asked(Kind::Replay) || config.replay.is_some(), "needed for that kind")?;
    check.require("oldKey", !asked(Kind::OldKey) || config.old_key.is_some(), "needed for that kind")?;
    let insiders =
        config.insiders.as_ref().is_none_or(|i| i.count > 0 && i.first.checked_add(i.count).is_some());
    check.require("insiders.count", insiders, "at least 1, and no more than there are numbers")
}

struct Flood {
    config: AttackConfig,
    forge: Forge,
    port: Port,
    signals: StopSignals,
    /// Kinds by weight, in turn.
    turns: Vec<Kind>,
    started: u64,
    sent: BTreeMap<Kind, u64>,
    bytes_sent: u64,
    frames_received: u64,
    bytes_received: u64,
    errors: SendErrors,
}

impl Flood {
    fn new(config: AttackConfig) -> Result<Self, FleetError> {
        let captured = config.replay.as_deref().map(captured).transpose()?.unwrap_or_default();
        let forge = Forge {
            seed: config.seed,
            devices: config.devices,
            old_keys: config.old_key.as_ref().map(|k| MasterKeys::new(k.master_key.0, k.key_epoch)),
            insiders: config
                .insiders
                .as_ref()
                .map(|i| (i.first..i.first + i.count, MasterKeys::new(i.master_key.0, i.key_epoch))),
            captured,
        };
        let turns = config.kinds.iter().flat_map(|(kind, weight)| vec![*kind; *weight as usize]).collect();
        Ok(Self {
            forge,
            port: Port::open(0)?,
            signals: StopSignals::new()?,
            turns,
            started: Clock::monotonic_nanos(),
            sent: BTreeMap::new(),
            bytes_sent: 0,
            frames_received: 0,
            bytes_received: 0,
            errors: SendErrors::default(),
            config,
        })
    }

    /// Sends until the time is over: false if a signal came first.
    fn run(&mut self) -> Result<bool, FleetError> {
        let end = self.started + (self.config.seconds * NANOS_PER_SECOND) as u64;
        let mut n = 0;
        loop {
            let now = Clock::monotonic_nanos();
            self.receive()?;
            if self.signals.came() {
                return Ok(false);
            }
            if now >= end {
                return Ok(true);
            }
            let rate = self.config.frames_per_second.unwrap_or(f64::INFINITY);
            let due = (now - self.started) as f64 / NANOS_PER_SECOND * rate;
            let burst_end = (n + BURST_FRAMES).min(due as u64);
            if burst_end <= n {
                let wait = Duration::from_secs_f64((1.0 / rate).min(0.01));
                self.port.wait_readable(self.signals.as_fd(), wait);
            }
            while n < burst_end {
                self.send(n);
                n += 1;
            }
        }
    }

    fn send(&mut self, n: u64) {
        let kind = self.turns[(n % self.turns.len() as u64) as usize];
        let random = draw(self.config.seed, n, 0, PURPOSE_SOURCE);
        let place = scale(random, u64::from(self.config.addresses)) as u32;
        let from = Ipv4Addr::from(u32::from(self.config.first_address) + 1 + place);
        let to = self.config.gateways[(random % self.config.gateways.len() as u64) as usize];
        let mut datagram = [0; FRAME_BYTES_MAX];
        let gateway = gateway_number((*to.ip()).into());
        let Some(bytes) = self.forge.frame(kind, n, gateway, &mut datagram) else { return };
        let mut done = self.port.send(from, to, &datagram[..bytes]);
        if done == Err(Errno::EAGAIN) {
            self.port.wait_writable(FULL_BUFFER_WAIT);
            done = self.port.send(from, to, &datagram[..bytes]);
        }
        match done {
            Ok(()) => {
                *self.sent.entry(kind).or_default() += 1;
                self.bytes_sent += bytes as u64;
            }
            Err(error) => self.errors.count(error),
        }
    }

    fn receive(&mut self) -> Result<(), FleetError> {
        let arrived = self.port.receive()?;
        self.frames_received += arrived as u64;
        let bytes = |n| self.port.datagram(n).map_or(0, |(_, datagram)| datagram.len() as u64);
        self.bytes_received += (0..arrived).map(bytes).sum::<u64>();
        Ok(())
    }
}

fn captured(file: &Path) -> Result<Vec<Vec<u8>>, FleetError> {
    let text = fs::read_to_string(file).map_err(FleetError::file(file))?;
    let wrong =
        |line, problem: &str| FleetError::Line { file: file.to_owned(), line, problem: problem.to_owned() };
    let read = |(text, line): (&str, usize)| match hex::decode(text) {
        Ok(frame) if frame.len() <= FRAME_BYTES_MAX => Ok(frame),
        Ok(_) => Err(wrong(line, "longer than a frame can be")),
        Err(error) => Err(wrong(line, &format!("not a frame in hexadecimal: {error}"))),
    };
    let frames = text.lines().zip(1..).map(read).collect::<Result<Vec<_>, _>>()?;
    if frames.is_empty() { Err(wrong(1, "no frames to replay")) } else { Ok(frames) }
}
