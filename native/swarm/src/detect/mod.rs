//! Bad bursts, as far as one gateway can tell them from what it sees.
//!
//! What is blamed on a **device** was authenticated and no copy: HELLOs and readings under its own key. What was not, such
//! as a wrong MAC or a copy, can have been sent by anybody, and is blamed on the **address** that it came from or on the
//! **frame** that was copied. Readings of a backlog that a gateway has granted are blamed on nobody.

mod device;
mod heavy;
mod population;
mod rate_code;
mod vouch;

use core::net::IpAddr;

use klais_units::MICROS_PER_SECOND;

use crate::threat::{Local, MAPPED_BITS};
use crate::{Evidence, EvidenceKind, Subject, SwarmError};
use device::Devices;
use heavy::Heavy;
use vouch::Vouched;

/// Addresses, and ranges of addresses, that are counted at a time.
const SOURCES_MAX: usize = 4_096;
/// Frames whose copies are counted at a time.
const FRAMES_MAX: usize = 1_024;
/// A range of addresses takes so many times what an address takes.
const NET_FACTOR: u32 = 4;
/// An address counts towards its range only so often: one bad host is not a bad range.
const HOST_SHARE_MAX: u32 = 16;
/// Suspicion begins at this fraction of what is an alarm.
const WEAK_DIVISOR: u32 = 4;
/// Windows for which an address that behaved well is remembered, at least.
const VOUCHED_WINDOWS: u32 = 30;
/// Bits of an IPv4 address, of its range, of an IPv6 subscriber, and of its range.
const V4_HOST: u8 = MAPPED_BITS + 32;
const V4_NET: u8 = MAPPED_BITS + 24;
const V6_HOST: u8 = 64;
const V6_NET: u8 = 48;

/// When something is a threat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetectConfig {
    /// Devices of the fleet; 4 bytes each. Others are not looked at.
    pub devices: u32,
    /// Counting window, in microseconds.
    pub window_micros: u64,
    /// HELLOs of a device in a window that are never too many. Four windows' worth above it are an alarm.
    pub events_floor: u32,
    /// Readings in its first window that a device is given the benefit of the doubt for.
    pub readings_cold: u32,
    /// Frames of an address in a window that are forged or copies.
    pub source_failures_max: u32,
    /// Copies of one frame in a window.
    pub frame_copies_max: u32,
    /// Memory of addresses that behaved well, as log2 of its bits: twice 1 MiB for 23.
    pub vouched_bits_log2: u32,
}

impl DetectConfig {
    /// The usual figures for so many devices.
    #[must_use]
    pub const fn new(devices: u32) -> Self {
        Self {
            devices,
            window_micros: 10 * MICROS_PER_SECOND,
            events_floor: 32,
            readings_cold: 256,
            source_failures_max: 256,
            frame_copies_max: 64,
            vouched_bits_log2: 23,
        }
    }
}

/// Something that the gateway has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// An authentic HELLO of a new session.
    Hello {
        /// Whose.
        device: u32,
        /// Where it came from.
        source: IpAddr,
    },
    /// Authentic readings of the live lane, new ones.
    Live {
        /// Whose.
        device: u32,
        /// Where they came from.
        source: IpAddr,
        /// How many.
        readings: u32,
    },
    /// Authentic readings of a backlog, within what was granted: the device does as it was told.
    Owed {
        /// Whose.
        device: u32,
        /// Where they came from.
        source: IpAddr,
    },
    /// An authentic frame that serves nothing: without a session, beyond what was granted.
    Idle {
        /// Whose.
        device: u32,
    },
    /// A cookie that no gateway gave, in an authentic HELLO.
    BadCookie {
        /// Whose.
        device: u32,
    },
    /// Not a frame, or not under the device's key.
    Forged {
        /// Where it came from.
        source: IpAddr,
    },
    /// A copy of an authentic frame.
    Copy {
        /// Where it came from.
        source: IpAddr,
        /// The first 8 bytes of its MAC.
        frame: u64,
    },
}

/// How sure a gateway is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing out of the ordinary.
    #[default]
    None,
    /// Out of the ordinary: enough to believe another gateway's word.
    Weak,
    /// A threat, whoever else sees it.
    Strong,
}

/// A subject that has just reached a level.
pub(crate) type Alarm = (Subject, Level);

/// See the module.
pub(crate) struct Detector {
    config: DetectConfig,
    devices: Devices,
    hosts: Heavy<u128>,
    nets: Heavy<u128>,
    frames: Heavy<u64>,
    vouched: Vouched,
    window_ends: u64,
    windows: u32,
}

impl Detector {
    pub(crate) fn new(config: DetectConfig, seed: u64, now: u64) -> Result<Self, SwarmError> {
        Ok(Self {
            devices: Devices::new(&config, seed, now)?,
            hosts: Heavy::new(SOURCES_MAX),
            nets: Heavy::new(SOURCES_MAX),
            frames: Heavy::new(FRAMES_MAX),
            vouched: Vouched::new(config.vouched_bits_log2, seed)?,
            window_ends: now.saturating_add(config.window_micros),
            windows: 0,
            config,
        })
    }

    /// When [`Detector::poll`] has something to do. A part of the devices at a time.
    pub(crate) fn next_deadline(&self) -> u64 {
        self.devices.next_deadline().min(self.window_ends)
    }

    pub(crate) fn poll(&mut self, now: u64) {
        self.devices.poll(now);
        if now >= self.window_ends {
            self.window_ends = now.saturating_add(self.config.window_micros);
            self.hosts.clear();
            self.nets.clear();
            self.frames.clear();
            self.windows += 1;
            if self.windows.is_multiple_of(VOUCHED_WINDOWS) {
                self.vouched.turn();
            }
        }
    }

    /// Takes in what was seen. Who reached a level by it.
    pub(crate) fn observe(&mut self, observation: Observation) -> [Option<Alarm>; 3] {
        let of_device = |level: Option<Level>, device| level.map(|level| (Subject::Device(device), level));
        match observation {
            Observation::Hello { device, source } => {
                self.vouch(device, source);
                [of_device(self.devices.strike(device), device), None, None]
            }
            Observation::Live { device, source, readings } => {
                self.vouch(device, source);
                [of_device(self.devices.readings(device, readings), device), None, None]
            }
            Observation::Owed { device, source } => {
                self.vouch(device, source);
                [None; 3]
            }
            Observation::Idle { device } => [of_device(self.devices.idle(device), device), None, None],
            Observation::BadCookie { device } => [of_device(self.devices.strike(device), device), None, None],
            Observation::Forged { source } => {
                let [host, net] = self.failure(source);
                [host, net, None]
            }
            Observation::Copy { source, frame } => {
                let [host, net] = self.failure(source);
                let count = self.frames.add(frame);
                [host, net, crossed(Subject::Frame(frame), count, self.config.frame_copies_max)]
            }
        }
    }

    /// The address has sent something authentic. Once in a device's window is enough.
    fn vouch(&mut self, device: u32, source: IpAddr) {
        if self.devices.is_first_of_window(device) {
            let (address, host, net) = sites(source);
            self.vouched.add(masked(address, host), host);
            self.vouched.add(masked(address, net), net);
        }
    }

    fn failure(&mut self, source: IpAddr) -> [Option<Alarm>; 2] {
        let (address, host, net) = sites(source);
        let (host_address, net_address) = (masked(address, host), masked(address, net));
        let count = self.hosts.add(host_address);
        let host_alarm = crossed(prefix(host_address, host), count, self.config.source_failures_max);
        let net_alarm = (count <= HOST_SHARE_MAX).then(|| {
            let count = self.nets.add(net_address);
            let most = self.config.source_failures_max.saturating_mul(NET_FACTOR);
            crossed(prefix(net_address, net), count, most)
        });
        let innocent = |alarm: &Alarm| !self.is_vouched(&alarm.0);
        [host_alarm.filter(innocent), net_alarm.flatten().filter(innocent)]
    }

    fn is_vouched(&self, subject: &Subject) -> bool {
        match *subject {
            Subject::Device(device) => self.devices.behaves(device),
            Subject::Frame(_) => false,
            Subject::Prefix { address, bits } => {
                let (_, host, net) = sites(address.to_canonical());
                // Who is vouched for by his range is vouched for: better let a bad one through.
                let site = if bits >= host { host } else { net };
                self.vouched.contains(masked(u128::from(address), site), site)
            }
        }
    }

    /// What this gateway has seen of a subject.
    pub(crate) fn local(&self, subject: &Subject) -> Local {
        let vouched = self.is_vouched(subject);
        let (level, evidence) = match *subject {
            Subject::Device(device) => (self.devices.level(device), self.devices.evidence(device)),
            Subject::Frame(frame) => {
                self.counted(self.frames.count(frame), self.config.frame_copies_max, EvidenceKind::Replayed)
            }
            Subject::Prefix { address, bits } => {
                let (_, host, net) = sites(address.to_canonical());
                let most = self.config.source_failures_max;
                let address = u128::from(address);
                let kind = EvidenceKind::Forged;
                if bits == host {
                    self.counted(self.hosts.count(address), most, kind)
                } else if bits == net {
                    self.counted(self.nets.count(address), most.saturating_mul(NET_FACTOR), kind)
                } else {
                    self.counted(0, most, kind)
                }
            }
        };
        let level = if vouched && !matches!(subject, Subject::Device(_)) { Level::None } else { level };
        Local { level, vouched, evidence }
    }

    fn counted(&self, count: u32, most: u32, kind: EvidenceKind) -> (Level, Evidence) {
        let window_millis = u32::try_from(self.config.window_micros / 1_000).unwrap_or(u32::MAX);
        (level_of(count, most), Evidence { kind, observed: count, expected: most, window_millis })
    }
}

fn level_of(count: u32, most: u32) -> Level {
    if count >= most {
        Level::Strong
    } else if count >= (most / WEAK_DIVISOR).max(1) {
        Level::Weak
    } else {
        Level::None
    }
}

/// The level that was reached by the last of `count` events.
fn crossed(subject: Subject, count: u32, most: u32) -> Option<Alarm> {
    let level = level_of(count, most);
    (level > level_of(count.saturating_sub(1), most)).then_some((subject, level))
}

/// An address as IPv6, with the bits of a host and of a range.
fn sites(source: IpAddr) -> (u128, u8, u8) {
    match source.to_canonical() {
        IpAddr::V4(address) => (u128::from(address.to_ipv6_mapped()), V4_HOST, V4_NET),
        IpAddr::V6(address) => (u128::from(address), V6_HOST, V6_NET),
    }
}

fn masked(address: u128, bits: u8) -> u128 {
    address & u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}

fn prefix(address: u128, bits: u8) -> Subject {
    Subject::Prefix { address: address.into(), bits }
}
