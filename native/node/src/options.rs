//! What the engine says when it creates the native objects. Times in microseconds, amounts in readings.

use klais_burst_sync::{Backoff, BackoffKind, ConfigError, DeviceConfig, Overflow, Schedule, Storage};
use klais_gateway::{Admission, ControllerConfig, GatewayConfig, GatewaySettings};
use napi::bindgen_prelude::{Error, Result};
use napi_derive::napi;

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
    /// Each device holds requests back that would hardly be accepted; see `klais_burst_sync::Throttle`.
    pub client_throttle: Option<bool>,
    pub gateways: u32,
    /// Each device begins at the home of its shard.
    pub shards: u32,
}

/// The cluster's gateways; see `klais_gateway::GatewayConfig`. Rates are those of one gateway; the capacity is shared out
/// anew by shards.
#[napi(object)]
pub struct ClusterOptions {
    pub gateways: u32,
    pub devices: u32,
    pub shards: u32,
    pub key_low: u32,
    pub key_high: u32,
    /// `open`, `drop` or `slots`.
    pub admission: String,
    pub deduplicate: bool,
    /// By its name: `fixed`, `brain` or another one's.
    pub controller: String,
    /// The truth, for the controller that is told it: pairs of a time and what the whole sink takes from then on.
    pub capacity_course: Option<Vec<f64>>,
    pub capacity_per_second: u32,
    pub sessions_per_second: u32,
    pub slot_window_micros: f64,
    pub overbook_permille: u32,
    pub sink_queue_readings: f64,
    pub undecided_frames_max: f64,
    pub backfill_queue_readings: f64,
    pub commit_interval_micros: f64,
    pub batch_readings_max: f64,
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
        let kind = BackoffKind::from_name(&self.backoff_kind).ok_or_else(|| bad("backoff_kind"))?;
        let config = DeviceConfig {
            schedule: Schedule::new(self.reading_micros as u64, self.report_micros as u64, self.devices, key),
            key,
            keep_alive_micros: self.keep_alive_micros as u64,
            storage: Storage::from_name(&self.storage).ok_or_else(|| bad("storage"))?,
            buffer_readings: u16::try_from(self.buffer_readings).map_err(|_| bad("buffer_readings"))?,
            overflow: Overflow::from_name(&self.overflow).ok_or_else(|| bad("overflow"))?,
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
            gateways: u16::try_from(self.gateways).map_err(|_| bad("gateways"))?,
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
        let settings = GatewaySettings {
            devices: self.devices,
            gateways: self.gateways,
            shards: self.shards,
            // A gateway's own devices lie side by side: memory of the others' is never touched.
            dam_by_shard: true,
            assume_online: false,
            addresses: Vec::new(),
            cookie_key: cookie_key(self.key_low, self.key_high, gateway),
            admission: Admission::from_name(&self.admission).ok_or_else(|| bad("admission"))?,
            deduplicate: self.deduplicate,
            controller: self.controller()?,
            capacity_per_second: self.capacity_of(gateway),
            sessions_per_second: u64::from(self.sessions_per_second),
            slot_window_micros: self.slot_window_micros as u64,
            overbook_permille: u64::from(self.overbook_permille),
            sink_queue_readings: self.sink_queue_readings as u64,
            undecided_frames_max: self.undecided_frames_max as u64,
            backfill_queue_readings: self.backfill_queue_readings as u64,
            commit_interval_micros: self.commit_interval_micros as u64,
            batch_readings_max: self.batch_readings_max as u64,
            batches_in_flight_max: self.batches_in_flight_max as usize,
            buffer_readings: u64::from(self.buffer_readings),
            frame_readings: u64::from(self.frame_readings),
        };
        settings.to_config(gateway).map_err(|error| bad(&format!("gateway {gateway}: {error:?}")))
    }
}

impl ClusterOptions {
    fn controller(&self) -> Result<ControllerConfig> {
        let controller = ControllerConfig::from_name(&self.controller).ok_or_else(|| bad("controller"))?;
        let told = self.capacity_course.as_deref().unwrap_or_default();
        let course = told.chunks_exact(2).map(|pair| (pair[0] as u64, pair[1] as u64));
        Ok(controller.told(course))
    }

    /// A gateway's share of the sink, by the shards that have their home there; one shard's, where none has.
    fn capacity_of(&self, gateway: u32) -> u64 {
        let all = u64::from(self.capacity_per_second) * u64::from(self.gateways);
        let home = self.shards.saturating_sub(gateway).div_ceil(self.gateways.max(1)).max(1);
        all * u64::from(home) / u64::from(self.shards.max(1))
    }
}

pub fn cookie_key(low: u32, high: u32, gateway: u32) -> [u8; 16] {
    let mut key = [0; 16];
    for (chunk, word) in key.chunks_exact_mut(4).zip([low, high, gateway, low ^ high]) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    key
}
