//! How late the generator was: from the time at which a frame was to go until the kernel had it, in real microseconds.
//! Without it a generator that cannot keep up would make a slow gateway look fast (coordinated omission).

use crate::error::FleetError;
use hdrhistogram::Histogram;
use nix::errno::Errno;
use serde::Serialize;
use std::collections::BTreeMap;

const LONGEST_MICROS: u64 = 1 << 40;
const DIGITS: u8 = 3;

/// Quantiles of a time, microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quantiles {
    pub p50: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
    pub count: u64,
}

/// A histogram of times up to twelve days, microseconds.
///
/// # Errors
/// There is no memory for it.
pub fn histogram() -> Result<Histogram<u64>, FleetError> {
    Histogram::new_with_bounds(1, LONGEST_MICROS, DIGITS)
        .map_err(|_| FleetError::system("histogram")(Errno::ENOMEM))
}

impl Quantiles {
    /// Reads a histogram; all 0 where it is empty.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            p50: histogram.value_at_quantile(0.5),
            p99: histogram.value_at_quantile(0.99),
            p999: histogram.value_at_quantile(0.999),
            max: histogram.max(),
            count: histogram.len(),
        }
    }
}

/// Frames that could not go, by the system's name of the error.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct SendErrors(BTreeMap<String, u64>);

impl SendErrors {
    /// Counts one.
    pub fn count(&mut self, error: Errno) {
        *self.0.entry(format!("{error:?}")).or_default() += 1;
    }
}
