//! The fleet's firmware, with the names that the engine uses.

use klais_burst_sync::{Backoff, BackoffKind, ConfigError, DeviceConfig, Overflow, Schedule, Storage};
use serde::Deserialize;

/// See `klais_burst_sync::DeviceConfig`. Times in microseconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Firmware {
    /// Devices that share the report interval's phases.
    pub devices: u32,
    key_low: u32,
    key_high: u32,
    reading_micros: u64,
    report_micros: u64,
    keep_alive_micros: u64,
    storage: String,
    buffer_readings: u32,
    overflow: String,
    sensing_backup: bool,
    backoff_kind: String,
    backoff_base_micros: u64,
    backoff_cap_micros: u64,
    hello_timeout_micros: u64,
    hello_timeout_max_micros: u64,
    request_timeout_micros: u64,
    retransmissions_max: u32,
    window_frames: u32,
    frame_readings: u32,
    live_first: bool,
    /// As many as the configuration lists.
    pub gateways: u16,
}

/// A key and what is wrong with it.
type Refusal = (&'static str, &'static str);

impl Firmware {
    /// The device's configuration.
    ///
    /// # Errors
    /// The key that cannot work, and why.
    pub fn to_config(&self) -> Result<DeviceConfig, Refusal> {
        let key = u64::from(self.key_low) | u64::from(self.key_high) << 32;
        if self.reading_micros == 0 {
            return Err(("readingMicros", "must be at least 1"));
        }
        let config = DeviceConfig {
            schedule: Schedule::new(self.reading_micros, self.report_micros, self.devices, key),
            key,
            keep_alive_micros: self.keep_alive_micros,
            storage: Storage::from_name(&self.storage).ok_or(("storage", "no such storage"))?,
            buffer_readings: within(self.buffer_readings, "bufferReadings")?,
            overflow: Overflow::from_name(&self.overflow).ok_or(("overflow", "no such policy"))?,
            sensing_backup: self.sensing_backup,
            backoff: Backoff {
                kind: BackoffKind::from_name(&self.backoff_kind).ok_or(("backoffKind", "no such backoff"))?,
                base_micros: self.backoff_base_micros,
                cap_micros: self.backoff_cap_micros,
            },
            hello_timeout_micros: self.hello_timeout_micros,
            hello_timeout_max_micros: self.hello_timeout_max_micros,
            request_timeout_micros: self.request_timeout_micros,
            retransmissions_max: within(self.retransmissions_max, "retransmissionsMax")?,
            window_frames: within(self.window_frames, "windowFrames")?,
            frame_readings: within(self.frame_readings, "frameReadings")?,
            live_first: self.live_first,
            gateways: self.gateways,
        };
        config.check().map_err(|error| match error {
            ConfigError::Zero(name) => (camel(name), "must be at least 1"),
            ConfigError::ReportInterval => ("reportMicros", "must be a whole multiple of readingMicros"),
        })?;
        Ok(config)
    }
}

fn within<T: TryFrom<u32>>(value: u32, key: &'static str) -> Result<T, Refusal> {
    T::try_from(value).map_err(|_| (key, "too large"))
}

fn camel(name: &'static str) -> &'static str {
    match name {
        "reading_micros" => "readingMicros",
        "report_micros" => "reportMicros",
        "buffer_readings" => "bufferReadings",
        "hello_timeout_micros" => "helloTimeoutMicros",
        "hello_timeout_max_micros" => "helloTimeoutMaxMicros",
        "request_timeout_micros" => "requestTimeoutMicros",
        "window_frames" => "windowFrames",
        "frame_readings" => "frameReadings",
        other => other,
    }
}
