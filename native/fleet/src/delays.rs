//! How long readings took: from when each was taken until its device heard that a gateway has it.

use crate::accounts::{freed, roomy};
use crate::error::FleetError;
use crate::lag::{Quantiles, histogram};
use hdrhistogram::Histogram;
use klais_burst_sync::{Device, DeviceConfig, Frame};
use serde::{Deserialize, Serialize};

/// Which readings are timed, and which of them are late. Virtual microseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DelayConfig {
    /// Readings taken before this are not timed.
    pub from_micros: u64,
    /// A reading that took longer is late.
    pub late_micros: u64,
}

/// What was timed. Readings that nobody had at the end are in none of these.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DelayReport {
    all: Quantiles,
    late: Quantiles,
}

/// The times so far.
pub struct Delays {
    config: DelayConfig,
    roomy: DeviceConfig,
    all: Histogram<u64>,
    late: Histogram<u64>,
}

impl Delays {
    /// Nothing timed yet.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new(config: DelayConfig, firmware: &DeviceConfig) -> Result<Self, FleetError> {
        Ok(Self { config, roomy: roomy(firmware), all: histogram()?, late: histogram()? })
    }

    /// An ACK or ADMIT arrives at a device that was as `before`.
    pub fn answered(&mut self, id: u32, now: u64, before: &Device, frame: Frame) {
        let schedule = &self.roomy.schedule;
        let phase = schedule.phase(id);
        for index in freed(&self.roomy, id, now, before, frame) {
            let taken = schedule.taken_at(phase, index);
            if taken < self.config.from_micros {
                continue;
            }
            let took = now.saturating_sub(taken);
            self.all.saturating_record(took);
            if took > self.config.late_micros {
                self.late.saturating_record(took);
            }
        }
    }

    /// What it came to.
    pub fn report(&self) -> DelayReport {
        DelayReport { all: Quantiles::of(&self.all), late: Quantiles::of(&self.late) }
    }
}
