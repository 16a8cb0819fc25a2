//! Configuration files: JSON, camelCase, unknown keys refused. An error names the file and the key.

use crate::accounts;
use crate::addresses::Addresses;
use crate::delays::DelayConfig;
use crate::error::FleetError;
use crate::firmware::Firmware;
use crate::timers::{DEVICES_MAX, TIME_MICROS_MAX};
use klais_burst_sync::DeviceConfig;
use klais_burst_sync::wire::{FRAME_BYTES_MAX, FrameType, MasterKeys};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

const FLEET_SCHEMA: &str = "klais.fleet/1";
/// Above this the generator counts as saturated: p99 of how late frames went, real microseconds.
const LAG_LIMIT_MICROS: u64 = 5_000;
const TIME_SCALE_MAX: f64 = 10_000.0;

/// A file that was read and the checks that it has to pass.
#[derive(Clone, Copy, Debug)]
pub struct Checker<'a> {
    file: &'a Path,
}

impl<'a> Checker<'a> {
    /// Checks what is in `file`.
    pub const fn new(file: &'a Path) -> Self {
        Self { file }
    }

    /// An error that names the file and the key.
    pub fn error(&self, key: &str, problem: impl Into<String>) -> FleetError {
        FleetError::Config { file: self.file.to_owned(), key: key.to_owned(), problem: problem.into() }
    }

    /// Refuses unless `holds`.
    pub fn require(&self, key: &str, holds: bool, problem: &str) -> Result<(), FleetError> {
        if holds { Ok(()) } else { Err(self.error(key, problem)) }
    }

    /// Checks what every program's configuration has: its schema, and gateways.
    pub fn basics(&self, schema: &str, wanted: &str, gateways: &[SocketAddrV4]) -> Result<(), FleetError> {
        self.require("schema", schema == wanted, &format!("must be {wanted}"))?;
        self.require("gateways", !gateways.is_empty(), "at least one")
    }

    /// Checks how many devices there are and where they send from.
    pub fn addresses(&self, first: Ipv4Addr, devices: u32) -> Result<Addresses, FleetError> {
        let range = 1..=DEVICES_MAX;
        self.require("devices", range.contains(&devices), &format!("1 to {DEVICES_MAX}"))?;
        Addresses::new(first, devices)
            .ok_or_else(|| self.error("firstAddress", "no room for that many devices after it"))
    }

    /// Checks that a frame of `readings` fits.
    pub fn frame(&self, key: &str, readings: usize, reading_bytes: u16) -> Result<(), FleetError> {
        self.require("readingBytes", reading_bytes > 0, "at least 1")?;
        let most = FRAME_BYTES_MAX - FrameType::Data.bytes();
        let bytes = readings * usize::from(reading_bytes);
        self.require(key, bytes <= most, &format!("{bytes} bytes of readings in a frame, at most {most}"))
    }
}

/// Reads a JSON file.
///
/// # Errors
/// `Config` naming the key, `File` where there is no such file.
pub fn load<T: DeserializeOwned>(file: &Path) -> Result<T, FleetError> {
    let text = fs::read_to_string(file).map_err(FleetError::file(file))?;
    let mut json = serde_json::Deserializer::from_str(&text);
    let value: T = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| Checker::new(file).error(&error.path().to_string(), error.inner().to_string()))?;
    json.end().map_err(|error| Checker::new(file).error(".", error.to_string()))?;
    Ok(value)
}

/// 32 hexadecimal digits.
#[derive(Clone, Copy)]
pub struct MasterKey(pub [u8; 16]);

impl<'de> Deserialize<'de> for MasterKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let mut key = [0; 16];
        match hex::decode_to_slice(text, &mut key) {
            Ok(()) => Ok(Self(key)),
            Err(_) => Err(D::Error::custom("must be 32 hexadecimal digits")),
        }
    }
}

/// A string of decimal digits: nanoseconds that a JSON number would round.
fn nanos<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|t| t.parse().map_err(|_| D::Error::custom("must be a string of decimal digits"))).transpose()
}

fn default_lag_limit() -> u64 {
    LAG_LIMIT_MICROS
}

/// `klais-fleet --config`: the packet fleet. Times in virtual microseconds unless said otherwise.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FleetConfig {
    schema: String,
    /// Devices, numbered from 0.
    pub devices: u32,
    /// Device `i` sends from this plus 1 plus `i`.
    pub first_address: Ipv4Addr,
    /// UDP port of every device; 0: any.
    pub source_port: u16,
    /// Device `i` begins with number `i` modulo their count.
    pub gateways: Vec<SocketAddrV4>,
    /// What the devices' keys come from.
    pub master_key: MasterKey,
    /// Its number.
    pub key_epoch: u8,
    /// All devices begin with a session; else without power.
    pub assume_online: bool,
    /// Reading of CLOCK_MONOTONIC at virtual time 0; null: now.
    #[serde(default, deserialize_with = "nanos")]
    pub origin_nanos: Option<u64>,
    /// Virtual seconds per second.
    pub time_scale: f64,
    /// End of the run.
    pub until_micros: u64,
    /// Size of a reading.
    pub reading_bytes: u16,
    /// The devices' firmware.
    pub fleet: Firmware,
    /// CSV file of power transitions.
    #[serde(default)]
    pub transitions: Option<PathBuf>,
    /// Where the report goes.
    pub report: PathBuf,
    /// Where the account of each device goes, if anywhere.
    #[serde(default)]
    pub ledger: Option<PathBuf>,
    /// Which readings are timed, if any.
    #[serde(default)]
    pub delays: Option<DelayConfig>,
    /// Between rows of the report's series.
    pub series_micros: u64,
    /// HELLO frames go into this file too, in hexadecimal, one a line: for `attack` to replay.
    #[serde(default)]
    pub tap: Option<PathBuf>,
    /// The fleet counts as drained when it owes no more than this.
    #[serde(default)]
    pub drain_epsilon_readings: u64,
    /// Real microseconds: with a larger p99 of its lag the generator counts as saturated.
    #[serde(default = "default_lag_limit")]
    pub lag_limit_micros: u64,
}

impl FleetConfig {
    /// The keys that frames are signed with.
    pub const fn keys(&self) -> MasterKeys {
        MasterKeys::new(self.master_key.0, self.key_epoch)
    }
}

/// A fleet's configuration, read and checked.
pub struct FleetSetup {
    /// What the file says.
    pub settings: FleetConfig,
    /// The devices' firmware.
    pub firmware: DeviceConfig,
    /// Where the devices send from.
    pub addresses: Addresses,
}

impl FleetSetup {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// `Config`, naming the key.
    pub fn load(file: &Path) -> Result<Self, FleetError> {
        let settings: FleetConfig = load(file)?;
        let check = Checker::new(file);
        check.basics(&settings.schema, FLEET_SCHEMA, &settings.gateways)?;
        let addresses = check.addresses(settings.first_address, settings.devices)?;
        let listed = usize::from(settings.fleet.gateways) == settings.gateways.len();
        check.require("fleet.gateways", listed, "must be as many as gateways lists")?;
        let same = settings.fleet.devices == settings.devices;
        check.require("fleet.devices", same, "must be the same as devices")?;
        let scale = settings.time_scale;
        check.require("timeScale", scale > 0.0 && scale <= TIME_SCALE_MAX, "above 0, at most 10,000")?;
        let until = settings.until_micros;
        check.require("untilMicros", until > 0 && until < TIME_MICROS_MAX, "above 0, below 2^40")?;
        check.require("seriesMicros", settings.series_micros > 0, "at least 1")?;
        let wrong = |(key, problem): (&str, &str)| check.error(&format!("fleet.{key}"), problem);
        let firmware = settings.fleet.to_config().map_err(wrong)?;
        let readings = usize::from(firmware.frame_readings);
        check.frame("fleet.frameReadings", readings, settings.reading_bytes)?;
        let has_room = settings.ledger.is_none() || accounts::fit(&firmware, settings.devices, until);
        check.require("ledger", has_room, "a bit for every reading of every device takes more than 2 GiB")?;
        Ok(Self { settings, firmware, addresses })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_32_digits() {
        let key = |text: &str| serde_json::from_str::<MasterKey>(&format!("\"{text}\"")).map(|k| k.0);
        let bytes = key("000102030405060708090a0b0c0d0e0f").expect("a key");
        assert_eq!(bytes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        for wrong in ["", "00", "zz0102030405060708090a0b0c0d0e0f", "+00102030405060708090a0b0c0d0e0f"] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }
}
