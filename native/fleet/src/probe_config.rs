//! What a probe is told.

use crate::addresses::Addresses;
use crate::config::{Checker, MasterKey, load};
use crate::error::FleetError;
use klais_burst_sync::Mark;
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

const SCHEMA: &str = "klais.fleet-probe/1";
const FRAMES_PER_SECOND_MAX: f64 = 1e9;
const SECONDS_MAX: f64 = 600.0;
/// Missed by more than this at the 99th percentile, the generator counts as saturated.
const LAG_LIMIT_MICROS: u64 = 1_000;

/// How the probe waits for the next frame's time.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Poll {
    /// By looking: exact, and takes a core.
    Busy,
    /// By sleeping.
    Sleep,
}

/// What devices send.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Live readings, answered by ACK.
    Data,
    /// A HELLO for a session of its own each time, answered by ADMIT.
    Hello,
}

const fn data() -> Kind {
    Kind::Data
}

const fn busy() -> Poll {
    Poll::Busy
}

const fn lag_limit() -> u64 {
    LAG_LIMIT_MICROS
}

const fn one() -> u16 {
    1
}

const fn patience() -> u64 {
    1_000
}

/// `klais-fleet probe --config`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProbeConfig {
    schema: String,
    /// Of the whole fleet: numbers below this have addresses.
    pub devices: u32,
    /// Devices from this number on send, one after the other.
    #[serde(default)]
    pub first_device: u32,
    pub first_address: Ipv4Addr,
    pub source_port: u16,
    pub gateways: Vec<SocketAddrV4>,
    pub master_key: MasterKey,
    pub key_epoch: u8,
    #[serde(default = "data")]
    pub frame: Kind,
    /// Of every device. Of HELLOs the first one's; each round of them asks for the next.
    pub session: u16,
    /// All devices together.
    pub frames_per_second: f64,
    pub seconds: f64,
    /// It ends with so many frames, if not before.
    #[serde(default)]
    pub frames_max: Option<u64>,
    /// At most so many frames are unanswered: a load that comes as fast as it is taken, and that loses nothing. Its
    /// latencies mean nothing.
    #[serde(default)]
    pub window_frames: Option<u64>,
    pub reading_bytes: u16,
    #[serde(default = "one")]
    pub frame_readings: u16,
    /// Index of every device's first reading: above what earlier probes have sent.
    #[serde(default)]
    pub first_reading: Mark,
    /// Wait for the last answers; with a window, for any.
    #[serde(default = "patience")]
    pub settle_millis: u64,
    #[serde(default = "busy")]
    pub poll: Poll,
    #[serde(default = "lag_limit")]
    pub lag_limit_micros: u64,
    pub report: PathBuf,
}

impl ProbeConfig {
    /// Reads and checks a configuration: it, and where the devices send from.
    ///
    /// # Errors
    /// `Config`, naming the key.
    pub fn load(file: &Path) -> Result<(Self, Addresses), FleetError> {
        let config: Self = load(file)?;
        let check = Checker::new(file);
        check.basics(&config.schema, SCHEMA, &config.gateways)?;
        let addresses = check.addresses(config.first_address, config.devices)?;
        check.require("firstDevice", config.first_device < config.devices, "below devices")?;
        check.require("frameReadings", config.frame_readings > 0, "at least 1")?;
        check.require(
            "frameReadings",
            config.frame == Kind::Data || config.frame_readings == 1,
            "1 in HELLOs",
        )?;
        check.frame("frameReadings", usize::from(config.frame_readings), config.reading_bytes)?;
        let rate = config.frames_per_second;
        let in_range = rate > 0.0 && rate <= FRAMES_PER_SECOND_MAX;
        check.require("framesPerSecond", in_range, "above 0, at most 1e9")?;
        let seconds = config.seconds;
        check.require("seconds", seconds > 0.0 && seconds <= SECONDS_MAX, "above 0, at most 600")?;
        check.require("windowFrames", config.window_frames != Some(0), "at least 1")?;
        Ok((config, addresses))
    }

    /// How many devices send.
    pub const fn senders(&self) -> u32 {
        self.devices - self.first_device
    }

    /// How many frames go at most.
    pub fn frames(&self) -> u64 {
        let paced = (self.frames_per_second * self.seconds) as u64;
        paced.min(self.frames_max.unwrap_or(u64::MAX)).max(1)
    }
}
