//! What a gateway is set to.

use klais_dam::{DamConfig, DamError};

/// Settings of one gateway. Times in microseconds, amounts in readings.
#[derive(Clone, Debug)]
pub struct GatewayConfig {
    /// The filter in front, which also says how many devices there are.
    pub dam: DamConfig,
    /// Keep marks per device and lane and append only what is new; else append whatever arrives, as a plain proxy does.
    pub deduplicate: bool,
    /// Reserve backfill slots by work and pace the sink at `capacity_per_second`.
    pub slots: bool,
    /// This gateway's share of the sink. Used with `slots`.
    pub capacity_per_second: u64,
    /// Promise this much more than the capacity, in thousandths, against no-shows: 1,000 for none.
    pub overbook_permille: u64,
    /// Readings that wait for the sink; more are turned away.
    pub sink_queue_readings: u64,
    /// Frames accepted and not yet decided by the sink; more are dropped.
    pub undecided_frames_max: u64,
    /// Backfill readings that wait for the sink before devices are told to come back later. Used with `slots`.
    pub backfill_queue_readings: u64,
    /// Between transactions.
    pub commit_interval_micros: u64,
    /// First transaction: spreads the gateways of a cluster.
    pub commit_offset_micros: u64,
    /// Readings in one transaction.
    pub batch_readings_max: u64,
    /// Producers, each with its own transactions; a device always uses the same one.
    pub producers: usize,
    /// Devices that may wait to be called when there is room for their backfill. Used with `slots`.
    pub standby_devices_max: usize,
    /// Transactions of one producer on their way. With `deduplicate` it must be 1: a later one must not commit if an earlier one fails.
    pub batches_in_flight_max: usize,
    /// HELLOs that wait until the device's own uncommitted readings are decided.
    pub pending_hellos_max: usize,
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
}

impl From<DamError> for GatewayError {
    fn from(error: DamError) -> Self {
        Self::Dam(error)
    }
}

impl GatewayConfig {
    pub(crate) fn check(&self) -> Result<(), GatewayError> {
        let positive = [
            ("commit_interval_micros", self.commit_interval_micros),
            ("batch_readings_max", self.batch_readings_max),
            ("sink_queue_readings", self.sink_queue_readings),
            ("producers", self.producers as u64),
            ("batches_in_flight_max", self.batches_in_flight_max as u64),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(GatewayError::Zero(name));
        }
        if self.slots && self.capacity_per_second == 0 {
            return Err(GatewayError::Zero("capacity_per_second"));
        }
        if self.deduplicate && self.batches_in_flight_max != 1 {
            return Err(GatewayError::InFlight);
        }
        Ok(())
    }
}
