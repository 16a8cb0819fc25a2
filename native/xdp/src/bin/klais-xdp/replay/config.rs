//! What the filter is set to for a replay: JSON, schema `klais.replay/1`. Whatever is left out keeps its default, by which
//! every layer is off and the key is zeros: enough to see what becomes of other people's packets.

use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

use klais_dam::{DamConfig, HORIZON_NANOS, Limit, SESSION_WINDOW_NANOS, SessionMode};
use klais_xdp::{FilterConfig, Key};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::error::ReplayError;

const SCHEMA: &str = "klais.replay/1";
/// The file is at most this long.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Devices that a replay has tables for at most, 16 bytes each.
const DEVICES_MAX: u32 = 1 << 24;
const PORT: u16 = 7_447;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    #[serde(rename = "schema", deserialize_with = "schema")]
    _schema: (),
    /// Of the gateway.
    #[serde(default = "port", deserialize_with = "any_port")]
    pub port: u16,
    /// Of the gateway, 8 at most. None: the port alone says what is ours.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    #[serde(default = "devices", deserialize_with = "some_devices")]
    devices: u32,
    #[serde(default)]
    master_key: Secret,
    #[serde(default)]
    key_epoch: u8,
    #[serde(default)]
    sessions: Sessions,
    #[serde(default = "window")]
    session_window_nanos: u64,
    /// Whether backfill is charged when its slot is reserved.
    #[serde(default)]
    slots: bool,
    #[serde(default)]
    limits: Limits,
}

/// What becomes of a HELLO over the rate.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sessions {
    #[default]
    Open,
    Drop,
    Slots,
}

/// By layer; one that is left out is off.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Limits {
    device: Option<Rate>,
    live: Option<Rate>,
    backfill: Option<Rate>,
    global: Option<Rate>,
    sessions: Option<Rate>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rate {
    events: u64,
    period_nanos: u64,
    burst: u64,
}

/// A key of 128 bits, 32 hexadecimal digits. Never printed.
#[derive(Clone, Copy, Default)]
struct Secret([u8; 16]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        // The text itself stays out of the message: it may be most of a key.
        let bad = || D::Error::custom("masterKey: expected 32 hexadecimal digits");
        let key = is_hex.then(|| u128::from_str_radix(&text, 16).ok()).flatten().ok_or_else(bad)?;
        Ok(Self(key.to_be_bytes()))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            _schema: (),
            port: PORT,
            addresses: Vec::new(),
            devices: devices(),
            master_key: Secret::default(),
            key_epoch: 0,
            sessions: Sessions::Open,
            session_window_nanos: window(),
            slots: false,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// The first thing that is wrong, with line and column.
    pub fn load(path: &Path) -> Result<Self, ReplayError> {
        let unreadable = |error| ReplayError::File { file: path.to_owned(), error };
        let wrong = |problem| ReplayError::Config { file: path.to_owned(), problem };
        let mut text = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(unreadable)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(wrong(format!("longer than {FILE_BYTES_MAX} bytes: this is no configuration")));
        }
        serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))
    }

    /// The dam that it describes.
    pub fn dam(&self) -> DamConfig {
        let limit = |rate: Option<Rate>| {
            rate.map(|Rate { events, period_nanos, burst }| Limit::per_period(events, period_nanos, burst))
        };
        DamConfig {
            device: limit(self.limits.device),
            live: limit(self.limits.live),
            backfill: limit(self.limits.backfill),
            global: limit(self.limits.global),
            sessions: limit(self.limits.sessions),
            session_mode: match self.sessions {
                Sessions::Open => SessionMode::Open,
                Sessions::Drop => SessionMode::Drop,
                Sessions::Slots => SessionMode::Slots,
            },
            session_window_nanos: self.session_window_nanos,
            horizon_nanos: HORIZON_NANOS,
            ..DamConfig::open(self.devices)
        }
    }

    /// The filter, under a clock that the replay sets.
    pub fn filter(&self) -> FilterConfig {
        FilterConfig {
            dam: self.dam(),
            slots: self.slots,
            port: self.port,
            gateway: 0,
            master: Key { key: self.master_key.0, epoch: self.key_epoch },
            origin_nanos: 0,
            scale: 1,
            test: true,
        }
    }
}

const fn port() -> u16 {
    PORT
}

const fn devices() -> u32 {
    1 << 16
}

const fn window() -> u64 {
    SESSION_WINDOW_NANOS
}

fn schema<'de, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    let found = String::deserialize(from)?;
    let bad = || D::Error::custom(format!("this version reads {SCHEMA}, not {found:?}"));
    (found == SCHEMA).then_some(()).ok_or_else(bad)
}

fn any_port<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let found = u16::deserialize(from)?;
    (found != 0).then_some(found).ok_or_else(|| D::Error::custom("port: 1 to 65535"))
}

fn some_devices<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let found = u32::deserialize(from)?;
    let bad = || D::Error::custom(format!("devices: 1 to {DEVICES_MAX}"));
    (1..=DEVICES_MAX).contains(&found).then_some(found).ok_or_else(bad)
}
