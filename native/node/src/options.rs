//! What the engine says when it creates the native objects. Times in microseconds, amounts in readings.

use klais_burst_sync::{Backoff, BackoffKind, ConfigError, DeviceConfig, Overflow, Schedule, Storage};
use klais_dam::{DamConfig, Limit, MAX_HORIZON_NANOS, SessionMode};
use klais_gateway::GatewayConfig;
use klais_units::NANOS_PER_MICRO;
use napi::bindgen_prelude::{Error, Result};
use napi_derive::napi;

/// Seconds of the sink's capacity that live traffic may take at once.
const LIVE_BURST_SECONDS: u64 = 2;
/// A small gateway's burst still holds some whole frames: a frame larger than the burst could never pass.
const BURST_FRAMES_MIN: u64 = 8;
/// The global bucket under slots, in multiples of the capacity.
const FLOOD_FACTOR: u64 = 8;
/// Devices on standby for backfill per gateway: 4 bytes each.
const STANDBY_DEVICES_MAX: usize = 1 << 18;
/// Sessions that an idle gateway admits at once: a tenth of a second's worth, at least one.
const SESSION_BURST_DIVISOR: u64 = 10;
/// A device may send its whole buffer this many times over in a minute before its own bucket refuses.
const DEVICE_BUFFERS_PER_MINUTE: u64 = 4;

/// The fleet's firmware; see `klais_burst_sync::DeviceConfig`.
#[napi(object)]
pub struct FleetOptions {
    pub devices: u32,
    pub key_low: u32,
    pub key_high: u32,
    pub reading_micros: f64,
    pub report_micros: f64,
    pub keep_alive_micros: f64,
    pub storage: String,
    pub buffer_readings: u32,
    pub overflow: String,
    pub sensing_backup: bool,
    pub backoff_kind: String,
    pub backoff_base_micros: f64,
    pub backoff_cap_micros: f64,
    pub hello_timeout_micros: f64,
    pub hello_timeout_max_micros: f64,
    pub request_timeout_micros: f64,
    pub retransmissions_max: u32,
    pub window_frames: u32,
    pub frame_readings: u32,
    pub live_first: bool,
}

/// The cluster's gateways; see `klais_gateway::GatewayConfig`. Rates are those of one gateway.
#[napi(object)]
pub struct ClusterOptions {
    pub gateways: u32,
    pub devices: u32,
    pub key_low: u32,
    pub key_high: u32,
    /// `open`, `drop` or `slots`.
    pub admission: String,
    pub deduplicate: bool,
    pub capacity_per_second: u32,
    pub sessions_per_second: u32,
    pub slot_window_micros: f64,
    pub overbook_permille: u32,
    pub sink_queue_readings: f64,
    pub undecided_frames_max: f64,
    pub backfill_queue_readings: f64,
    pub commit_interval_micros: f64,
    pub batch_readings_max: f64,
    pub producers: u32,
    pub batches_in_flight_max: u32,
    pub buffer_readings: u32,
    pub frame_readings: u32,
}

pub fn bad(what: &str) -> Error {
    Error::from_reason(format!("native options: {what}"))
}

impl FleetOptions {
    pub fn to_config(&self) -> Result<DeviceConfig> {
        let key = u64::from(self.key_low) | u64::from(self.key_high) << 32;
        let kind = match self.backoff_kind.as_str() {
            "none" => BackoffKind::None,
            "fixed" => BackoffKind::Fixed,
            "exponential" => BackoffKind::Exponential,
            "full-jitter" => BackoffKind::FullJitter,
            "equal-jitter" => BackoffKind::EqualJitter,
            "decorrelated" => BackoffKind::Decorrelated,
            _ => return Err(bad("backoff_kind")),
        };
        let config = DeviceConfig {
            schedule: Schedule::new(self.reading_micros as u64, self.report_micros as u64, self.devices, key),
            key,
            keep_alive_micros: self.keep_alive_micros as u64,
            storage: match self.storage.as_str() {
                "flash" => Storage::Flash,
                "volatile" => Storage::Volatile,
                _ => return Err(bad("storage")),
            },
            buffer_readings: u16::try_from(self.buffer_readings).map_err(|_| bad("buffer_readings"))?,
            overflow: match self.overflow.as_str() {
                "drop-oldest" => Overflow::DropOldest,
                "drop-newest" => Overflow::DropNewest,
                "decimate" => Overflow::Decimate,
                _ => return Err(bad("overflow")),
            },
            sensing_backup: self.sensing_backup,
            backoff: Backoff {
                kind,
                base_micros: self.backoff_base_micros as u64,
                cap_micros: self.backoff_cap_micros as u64,
            },
            hello_timeout_micros: self.hello_timeout_micros as u64,
            hello_timeout_max_micros: self.hello_timeout_max_micros as u64,
            request_timeout_micros: self.request_timeout_micros as u64,
            retransmissions_max: u8::try_from(self.retransmissions_max)
                .map_err(|_| bad("retransmissions_max"))?,
            window_frames: u8::try_from(self.window_frames).map_err(|_| bad("window_frames"))?,
            frame_readings: u8::try_from(self.frame_readings).map_err(|_| bad("frame_readings"))?,
            live_first: self.live_first,
        };
        config.check().map_err(|error| match error {
            ConfigError::Zero(name) => bad(name),
            ConfigError::ReportInterval => bad("report_micros"),
        })?;
        Ok(config)
    }
}

impl ClusterOptions {
    pub fn to_config(&self, gateway: u32) -> Result<GatewayConfig> {
        let session_mode = match self.admission.as_str() {
            "open" => SessionMode::Open,
            "drop" => SessionMode::Drop,
            "slots" => SessionMode::Slots,
            _ => return Err(bad("admission")),
        };
        let limited = session_mode != SessionMode::Open;
        let capacity = u64::from(self.capacity_per_second).max(1);
        let sessions = u64::from(self.sessions_per_second).max(1);
        let burst = (capacity * LIVE_BURST_SECONDS).max(u64::from(self.frame_readings) * BURST_FRAMES_MIN);
        let live = Limit::per_second(capacity, burst);
        // Under slots the sink's own pace is the limit; the bucket in front only has to hold off a flood.
        let global = if session_mode == SessionMode::Slots {
            Limit::per_second(capacity * FLOOD_FACTOR, burst * FLOOD_FACTOR)
        } else {
            live
        };
        let buffer = u64::from(self.buffer_readings).max(1);
        let interval = self.commit_interval_micros as u64;
        let devices = (self.devices + self.gateways - 1 - gateway) / self.gateways.max(1);
        let dam = DamConfig {
            devices,
            device: limited.then(|| {
                Limit::per_period(buffer * DEVICE_BUFFERS_PER_MINUTE, 60 * 1_000_000_000, buffer * 2)
            }),
            control: None,
            live: (session_mode == SessionMode::Slots).then_some(live),
            backfill: (session_mode == SessionMode::Slots).then(|| Limit::per_second(capacity, capacity)),
            global: limited.then_some(global),
            sessions: limited.then(|| Limit::per_second(sessions, (sessions / SESSION_BURST_DIVISOR).max(1))),
            session_mode,
            session_window_nanos: (self.slot_window_micros as u64).saturating_mul(NANOS_PER_MICRO),
            horizon_nanos: MAX_HORIZON_NANOS,
            cookie_key: cookie_key(self.key_low, self.key_high, gateway),
            key_epoch: 0,
        };
        Ok(GatewayConfig {
            dam,
            deduplicate: self.deduplicate,
            slots: session_mode == SessionMode::Slots,
            capacity_per_second: capacity,
            overbook_permille: u64::from(self.overbook_permille),
            sink_queue_readings: self.sink_queue_readings as u64,
            undecided_frames_max: self.undecided_frames_max as u64,
            backfill_queue_readings: self.backfill_queue_readings as u64,
            commit_interval_micros: interval,
            commit_offset_micros: interval * u64::from(gateway) / u64::from(self.gateways.max(1)),
            batch_readings_max: self.batch_readings_max as u64,
            producers: self.producers as usize,
            standby_devices_max: STANDBY_DEVICES_MAX,
            batches_in_flight_max: self.batches_in_flight_max as usize,
            pending_hellos_max: devices as usize,
        })
    }
}

fn cookie_key(low: u32, high: u32, gateway: u32) -> [u8; 16] {
    let mut key = [0; 16];
    for (chunk, word) in key.chunks_exact_mut(4).zip([low, high, gateway, low ^ high]) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    key
}
