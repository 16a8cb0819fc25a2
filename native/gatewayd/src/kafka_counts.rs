//! What a sink that writes to Kafka counts, as `/stats` tells it.

use crate::snapshot::{Named, quantiles};
use hdrhistogram::Histogram;
use klais_kafka::{CircuitState, CounterSnapshot, REASONS};
use serde::Serialize;

/// See `klais_kafka::CounterSnapshot`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KafkaCounts {
    pub bytes: u64,
    pub checkpoints: u64,
    pub shards_opened: u64,
    pub records_restored: u64,
    pub throttled_millis: u64,
    pub circuit: &'static str,
    pub circuit_opened: u64,
    pub failures: Named,
    #[serde(serialize_with = "quantiles")]
    pub commit_micros: Histogram<u64>,
}

impl From<CounterSnapshot> for KafkaCounts {
    fn from(counters: CounterSnapshot) -> Self {
        Self {
            bytes: counters.bytes,
            checkpoints: counters.checkpoints,
            shards_opened: counters.opened,
            records_restored: counters.restored,
            throttled_millis: counters.throttled_millis,
            circuit: match counters.circuit {
                CircuitState::Closed => "closed",
                CircuitState::Open => "open",
                CircuitState::HalfOpen => "half-open",
            },
            circuit_opened: counters.circuit_opened,
            failures: Named(REASONS.into_iter().zip(counters.failures).collect()),
            commit_micros: counters.commit_micros,
        }
    }
}
