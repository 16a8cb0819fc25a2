//! What a gateway is set to.

use crate::ControllerConfig;
use klais_dam::{DamConfig, DamError};

/// Settings of one gateway. Times in microseconds, amounts in readings.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// Its number in the cluster, below `gateways`.
    pub gateway: u32,
    /// Gateways of the cluster.
    pub gateways: u32,
    /// Shards that the devices are split into, the same for every gateway, for ever: device `d` is in shard `d % shards`.
    pub shards: u32,
    /// Devices of the whole fleet.
    pub devices: u32,
    /// The dam's tables are laid out shard by shard, so that a gateway touches the memory of its own shards only. Else by
    /// device number, as the BPF program has them.
    pub dam_by_shard: bool,
    /// In a log in which nothing is yet, every device is taken as online in its session 1.
    pub assume_online: bool,
    /// Where devices find the gateways, by number. Empty: a REDIRECT's port is the gateway's number.
    pub addresses: Vec<GatewayAddress>,
    /// The filter in front, for `devices` or, laid out by shard, for as many as [`GatewayConfig::dam_devices`] says.
    pub dam: DamConfig,
    /// Keep marks per device and lane and append only what is new; else append whatever arrives, as a plain proxy does.
    pub deduplicate: bool,
    /// Reserve backfill slots by work and pace the sink at `capacity_per_second`.
    pub slots: bool,
    /// What finds out this gateway's share of the sink.
    pub controller: ControllerConfig,
    /// This gateway's share of the sink; for a controller that finds it out, where it begins. Used with `slots`.
    pub capacity_per_second: u64,
    /// Promise this much more than the capacity, in thousandths, against no-shows: 1,000 for none.
    pub overbook_permille: u64,
    /// Readings that wait for the sink; more are turned away.
    pub sink_queue_readings: u64,
    /// Frames accepted and not yet decided by the sink; more are dropped.
    pub undecided_frames_max: u64,
    /// Backfill readings that wait for the sink before devices are told to come back later. Used with `slots`.
    pub backfill_queue_readings: u64,
    /// Readings in the largest frame.
    pub frame_readings: u64,
    /// Between transactions.
    pub commit_interval_micros: u64,
    /// First transaction: spreads the gateways of a cluster.
    pub commit_offset_micros: u64,
    /// Readings in one transaction.
    pub batch_readings_max: u64,
    /// Devices that may wait to be called when there is room for their backfill. Used with `slots`.
    pub standby_devices_max: usize,
    /// Transactions of one shard on their way. With `deduplicate` it must be 1: a later one must not commit if an earlier one fails.
    pub batches_in_flight_max: usize,
    /// HELLOs that wait until the device's own uncommitted readings are decided.
    pub pending_hellos_max: usize,
}

/// Where devices find a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatewayAddress {
    /// IPv6, or IPv4 mapped into it.
    pub address: [u8; 16],
    /// UDP.
    pub port: u16,
}

/// A configuration that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayError {
    /// The dam refuses its part.
    Dam(DamError),
    /// The named setting must be at least 1.
    Zero(&'static str),
    /// Exactly once allows one transaction at a time.
    InFlight,
    /// The gateway's number is not below the number of gateways.
    Number,
    /// There is not an address for every gateway.
    Addresses,
    /// The dam is not for as many devices as there are.
    DamDevices,
}

impl From<DamError> for GatewayError {
    fn from(error: DamError) -> Self {
        Self::Dam(error)
    }
}

impl GatewayConfig {
    /// Devices that the dam must have room for.
    #[must_use]
    pub fn dam_devices(&self) -> u32 {
        if self.dam_by_shard { self.shard_devices() * self.shards } else { self.devices }
    }

    /// Devices of the largest shard.
    fn shard_devices(&self) -> u32 {
        self.devices.div_ceil(self.shards.max(1))
    }

    /// Where the dam keeps a device.
    pub(crate) fn dam_index(&self, device: u32) -> u32 {
        if device >= self.devices {
            u32::MAX
        } else if self.dam_by_shard {
            (device % self.shards) * self.shard_devices() + device / self.shards
        } else {
            device
        }
    }

    pub(crate) fn check(&self) -> Result<(), GatewayError> {
        let positive = [
            ("commit_interval_micros", self.commit_interval_micros),
            ("batch_readings_max", self.batch_readings_max),
            ("sink_queue_readings", self.sink_queue_readings),
            ("shards", self.shards.into()),
            ("gateways", self.gateways.into()),
            ("batches_in_flight_max", self.batches_in_flight_max as u64),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(GatewayError::Zero(name));
        }
        if self.slots && self.capacity_per_second == 0 {
            return Err(GatewayError::Zero("capacity_per_second"));
        }
        if self.gateway >= self.gateways {
            return Err(GatewayError::Number);
        }
        if !self.addresses.is_empty() && self.addresses.len() != self.gateways as usize {
            return Err(GatewayError::Addresses);
        }
        if self.dam.devices < self.dam_devices() {
            return Err(GatewayError::DamDevices);
        }
        if self.deduplicate && self.batches_in_flight_max != 1 {
            return Err(GatewayError::InFlight);
        }
        Ok(())
    }
}
