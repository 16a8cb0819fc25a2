//! The `policy` part of the configuration: the same keys as the engine's `ClusterOptions`.

use klais_gateway::{Admission, ControllerConfig, GatewayAddress, GatewaySettings};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// One gateway of a cluster, as the engine describes it. Rates are one gateway's; times in microseconds, amounts in
/// readings.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyConfig {
    pub gateways: u32,
    /// The fleet's, as in the configuration itself, which decides.
    #[serde(rename = "devices")]
    pub _devices: u32,
    pub key_low: u32,
    pub key_high: u32,
    #[serde(deserialize_with = "admission")]
    pub admission: Admission,
    pub deduplicate: bool,
    /// Left out: the capacity is as configured.
    #[serde(default, deserialize_with = "controller")]
    pub controller: ControllerConfig,
    pub capacity_per_second: u32,
    pub sessions_per_second: u32,
    pub slot_window_micros: u64,
    pub overbook_permille: u32,
    pub sink_queue_readings: u64,
    pub undecided_frames_max: u64,
    pub backfill_queue_readings: u64,
    pub commit_interval_micros: u64,
    pub batch_readings_max: u64,
    pub shards: u32,
    pub batches_in_flight_max: u16,
    pub buffer_readings: u32,
    pub frame_readings: u32,
}

impl PolicyConfig {
    /// What gateway number `gateway` signs its cookies with.
    pub fn cookie_key(&self, gateway: u32) -> [u8; 16] {
        cookie_key(self.key_low, self.key_high, gateway)
    }

    /// The settings of gateway number `gateway`, which knows all `devices` of the fleet.
    pub fn settings(
        &self,
        gateway: u32,
        devices: u32,
        assume_online: bool,
        addresses: Vec<GatewayAddress>,
    ) -> GatewaySettings {
        GatewaySettings {
            devices,
            shards: self.shards,
            // The BPF program finds a device by its number.
            dam_by_shard: false,
            assume_online,
            addresses,
            gateways: self.gateways,
            cookie_key: self.cookie_key(gateway),
            admission: self.admission,
            deduplicate: self.deduplicate,
            controller: self.controller.clone(),
            capacity_per_second: self.capacity_per_second.into(),
            sessions_per_second: self.sessions_per_second.into(),
            slot_window_micros: self.slot_window_micros,
            overbook_permille: self.overbook_permille.into(),
            sink_queue_readings: self.sink_queue_readings,
            undecided_frames_max: self.undecided_frames_max,
            backfill_queue_readings: self.backfill_queue_readings,
            commit_interval_micros: self.commit_interval_micros,
            batch_readings_max: self.batch_readings_max,
            batches_in_flight_max: self.batches_in_flight_max.into(),
            buffer_readings: self.buffer_readings.into(),
            frame_readings: self.frame_readings.into(),
        }
    }
}

fn admission<'de, D: Deserializer<'de>>(from: D) -> Result<Admission, D::Error> {
    let found = String::deserialize(from)?;
    let bad = || D::Error::custom(format!("expected open, drop or slots, found {found:?}"));
    Admission::from_name(&found).ok_or_else(bad)
}

fn controller<'de, D: Deserializer<'de>>(from: D) -> Result<ControllerConfig, D::Error> {
    let found = String::deserialize(from)?;
    let bad =
        || D::Error::custom(format!("expected {}, found {found:?}", ControllerConfig::NAMES.join(", ")));
    ControllerConfig::from_name(&found).ok_or_else(bad)
}

/// The engine's: gateways of one run differ.
fn cookie_key(low: u32, high: u32, gateway: u32) -> [u8; 16] {
    let mut key = [0; 16];
    for (chunk, word) in key.chunks_exact_mut(4).zip([low, high, gateway, low ^ high]) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    key
}
