//! How a gateway is set up from a few figures: the rates, and the bursts and limits that follow from them.
//!
//! The simulator and the daemon both build their gateways here, so that they cannot differ.

use crate::{ControllerConfig, GatewayAddress, GatewayConfig, GatewayError};
use klais_brain::control::BrainConfig;
use klais_dam::{DamConfig, Limit, MAX_HORIZON_NANOS, SessionMode};
use klais_units::{NANOS_PER_MICRO, NANOS_PER_SECOND};

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

/// What becomes of a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Everything passes (policy `none`).
    Open,
    /// What is over the rate is dropped (policy `static`).
    Drop,
    /// What is over the rate gets a slot (policy `klais`).
    Slots,
}

impl Admission {
    /// By its name: `open`, `drop` or `slots`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "open" => Self::Open,
            "drop" => Self::Drop,
            "slots" => Self::Slots,
            _ => return None,
        })
    }
}

/// One gateway of a cluster. Rates are this gateway's own; times in microseconds, amounts in readings.
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// Devices of the whole fleet: numbers 0 to `devices - 1`.
    pub devices: u32,
    /// See [`GatewayConfig::shards`].
    pub shards: u32,
    /// See [`GatewayConfig::dam_by_shard`].
    pub dam_by_shard: bool,
    /// See [`GatewayConfig::assume_online`].
    pub assume_online: bool,
    /// See [`GatewayConfig::addresses`].
    pub addresses: Vec<GatewayAddress>,
    /// Gateways of the cluster.
    pub gateways: u32,
    /// The secret that cookies are signed with.
    pub cookie_key: [u8; 16],
    /// What becomes of a wave.
    pub admission: Admission,
    /// See [`GatewayConfig::deduplicate`].
    pub deduplicate: bool,
    /// See [`GatewayConfig::controller`].
    pub controller: ControllerConfig,
    /// See [`GatewayConfig::capacity_per_second`], in readings per second.
    pub capacity_per_second: u64,
    /// Sessions that it opens per second.
    pub sessions_per_second: u64,
    /// How long after its slot a device may still come.
    pub slot_window_micros: u64,
    /// See [`GatewayConfig::overbook_permille`].
    pub overbook_permille: u64,
    /// See [`GatewayConfig::sink_queue_readings`].
    pub sink_queue_readings: u64,
    /// See [`GatewayConfig::undecided_frames_max`].
    pub undecided_frames_max: u64,
    /// See [`GatewayConfig::backfill_queue_readings`].
    pub backfill_queue_readings: u64,
    /// Between transactions.
    pub commit_interval_micros: u64,
    /// See [`GatewayConfig::batch_readings_max`].
    pub batch_readings_max: u64,
    /// See [`GatewayConfig::batches_in_flight_max`].
    pub batches_in_flight_max: usize,
    /// What a device may have to send at once.
    pub buffer_readings: u64,
    /// Readings in the largest frame.
    pub frame_readings: u64,
}

impl GatewaySettings {
    /// The configuration of gateway number `gateway` of the cluster.
    ///
    /// # Errors
    /// [`GatewayError`], where the figures make no gateway.
    pub fn to_config(&self, gateway: u32) -> Result<GatewayConfig, GatewayError> {
        let interval = self.commit_interval_micros;
        let mut config = GatewayConfig {
            gateway,
            gateways: self.gateways,
            shards: self.shards,
            devices: self.devices,
            dam_by_shard: self.dam_by_shard,
            assume_online: self.assume_online,
            addresses: self.addresses.clone(),
            dam: self.dam(),
            deduplicate: self.deduplicate,
            slots: self.admission == Admission::Slots,
            controller: self.controller.clone().for_gateway(
                self.own(),
                self.capacity_per_second.max(1),
                interval,
                u64::from(self.shards),
            ),
            frame_readings: self.frame_readings,
            capacity_per_second: self.capacity_per_second.max(1),
            overbook_permille: self.overbook_permille,
            sink_queue_readings: self.sink_queue_readings,
            undecided_frames_max: self.undecided_frames_max,
            backfill_queue_readings: self.backfill_queue_readings,
            commit_interval_micros: interval,
            commit_offset_micros: interval.saturating_mul(u64::from(gateway))
                / u64::from(self.gateways.max(1)),
            batch_readings_max: self.batch_readings_max,
            standby_devices_max: STANDBY_DEVICES_MAX,
            batches_in_flight_max: self.batches_in_flight_max,
            pending_hellos_max: self.devices as usize,
        };
        config.dam.devices = config.dam_devices();
        config.check()?;
        Ok(config)
    }

    /// What a controller may know of its gateway.
    fn own(&self) -> BrainConfig {
        BrainConfig {
            ceiling_per_second: self.capacity_per_second.max(1),
            frame_readings: self.frame_readings.max(1),
            queue_readings: self.sink_queue_readings,
            sessions_per_second: self.sessions_per_second.max(1),
        }
    }

    fn dam(&self) -> DamConfig {
        let limited = self.admission != Admission::Open;
        let slots = self.admission == Admission::Slots;
        let capacity = self.capacity_per_second.max(1);
        let sessions = self.sessions_per_second.max(1);
        let frames = self.frame_readings.saturating_mul(BURST_FRAMES_MIN);
        let burst = capacity.saturating_mul(LIVE_BURST_SECONDS).max(frames);
        let live = Limit::per_second(capacity, burst);
        // Under slots the sink's own pace is the limit; the bucket in front only has to hold off a flood.
        let global = if slots {
            Limit::per_second(capacity.saturating_mul(FLOOD_FACTOR), burst.saturating_mul(FLOOD_FACTOR))
        } else {
            live
        };
        let buffer = self.buffer_readings.max(1);
        DamConfig {
            devices: self.devices,
            device: limited.then(|| {
                let readings = buffer.saturating_mul(DEVICE_BUFFERS_PER_MINUTE);
                Limit::per_period(readings, 60 * NANOS_PER_SECOND, buffer.saturating_mul(2))
            }),
            control: None,
            live: slots.then_some(live),
            backfill: slots.then(|| Limit::per_second(capacity, capacity)),
            global: limited.then_some(global),
            sessions: limited.then(|| Limit::per_second(sessions, (sessions / SESSION_BURST_DIVISOR).max(1))),
            session_mode: match self.admission {
                Admission::Open => SessionMode::Open,
                Admission::Drop => SessionMode::Drop,
                Admission::Slots => SessionMode::Slots,
            },
            session_window_nanos: self.slot_window_micros.saturating_mul(NANOS_PER_MICRO),
            horizon_nanos: MAX_HORIZON_NANOS,
            cookie_key: self.cookie_key,
            key_epoch: 0,
        }
    }
}
