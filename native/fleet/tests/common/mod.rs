//! What the tests of the fleet's programs share: a gateway over loopback, and configurations.
#![allow(dead_code)]
// Real programs in real time: the clock is part of what is tested.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod accounts;
pub mod gateway;

use klais_units::draw;
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub const MASTER_KEY: [u8; 16] = [0x5a; 16];
pub const KEY_EPOCH: u8 = 2;
pub const READING_BYTES: usize = 12;

/// CLOCK_MONOTONIC, nanoseconds.
pub fn monotonic_nanos() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

/// A part of 1,000 of what is counted by `n`.
pub fn chance(n: u64, permille: u64) -> bool {
    draw(0x7465_7374, n, 0, 0) % 1_000 < permille
}

/// A configuration in a folder of its own.
pub struct Setup {
    pub folder: tempfile::TempDir,
    pub config: Value,
}

impl Setup {
    pub fn new(config: Value) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut setup = Self { folder, config };
        setup.config["report"] = json!(setup.path("report.json"));
        setup
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A fleet of `devices` from `first_address` on, at 10 times real time, reading every second.
    pub fn fleet(
        gateway: &gateway::TestGateway,
        devices: u32,
        first_address: &str,
        until_seconds: u64,
    ) -> Self {
        Self::new(json!({
            "schema": "klais.fleet/1",
            "devices": devices,
            "firstAddress": first_address,
            "sourcePort": 0,
            "gateways": [gateway.address.to_string()],
            "masterKey": key(),
            "keyEpoch": KEY_EPOCH,
            "assumeOnline": true,
            "originNanos": gateway.origin_nanos.to_string(),
            "timeScale": gateway.time_scale,
            "untilMicros": until_seconds * 1_000_000,
            "readingBytes": READING_BYTES,
            "fleet": firmware(devices),
            "seriesMicros": 1_000_000,
        }))
    }

    /// Writes a file that the configuration names under `key`.
    pub fn write(&mut self, key: &str, text: &str) {
        let path = self.path(key);
        fs::write(&path, text).expect("written");
        self.config[key] = json!(path);
    }

    /// All devices lose power at `off_seconds` and regain it at `on_seconds`, with boots of up to two seconds.
    pub fn restart(&mut self, devices: u32, off_seconds: u64, on_seconds: u64) {
        let all = 0..u64::from(devices);
        let off = all.clone().map(|d| format!("{},{d},off,0\n", off_seconds * 1_000_000));
        let boot = |d| draw(1, d, 0, 0) % 2_000_000;
        let on = all.map(|d| format!("{},{d},on,{}\n", on_seconds * 1_000_000, boot(d)));
        let text: String = off.chain(on).collect();
        self.write("transitions", &text);
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let file = self.path("config.json");
        fs::write(&file, self.config.to_string()).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_klais-fleet"));
        command.args(arguments).arg("--config").arg(file);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("started")
    }

    /// Runs to the end, which must be a good one: the report.
    pub fn report(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        read_json(&self.path("report.json"))
    }
}

pub fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("a report")).expect("JSON")
}

pub fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key} in {value}"))
}

pub fn key() -> String {
    hex::encode(MASTER_KEY)
}

pub fn firmware(devices: u32) -> Value {
    json!({
        "devices": devices,
        "keyLow": 7,
        "keyHigh": 9,
        "readingMicros": 1_000_000,
        "reportMicros": 2_000_000,
        "keepAliveMicros": 0,
        "storage": "flash",
        "bufferReadings": 600,
        "overflow": "drop-oldest",
        "sensingBackup": true,
        "backoffKind": "full-jitter",
        "backoffBaseMicros": 1_000_000,
        "backoffCapMicros": 4_000_000,
        "helloTimeoutMicros": 2_000_000,
        "helloTimeoutMaxMicros": 8_000_000,
        "requestTimeoutMicros": 2_000_000,
        "retransmissionsMax": 3,
        "windowFrames": 4,
        "frameReadings": 16,
        "liveFirst": true, "gateways": 1,
    })
}
