//! What `/stats` and `/metrics` tell.

use crate::service::ServiceTimes;
use crate::swarm::SwarmCounts;
use hdrhistogram::Histogram;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::collections::BTreeMap;

/// Counts under names, in their order.
#[derive(Clone, Debug, Default)]
pub struct Named(pub Vec<(&'static str, u64)>);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, count) in &self.0 {
            map.serialize_entry(name, count)?;
        }
        map.end()
    }
}

/// Where the dam runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// In the driver.
    Native,
    /// In the kernel, behind the driver.
    Generic,
    /// In this process.
    Off,
}

/// Packets of one kernel counter, and the readings in those that were DATA.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct KernelCount {
    pub packets: u64,
    pub readings: u64,
}

/// Readings unless said otherwise. Where the kernel filters, its counts are in.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayCounts {
    /// HELLO frames.
    pub hellos: u64,
    /// HELLO frames answered with DEFER.
    pub deferred: u64,
    pub offered: u64,
    pub admitted: u64,
    pub turned_away: u64,
    /// Devices.
    pub online: u64,
    pub queued: u64,
    pub queued_max: u64,
    /// HELLO frames sent on to another gateway.
    pub redirected: u64,
    /// Shards served now.
    pub shards: u64,
    /// Times that a shard was taken over.
    pub takeovers: u64,
    /// Times that another gateway has taken one away.
    pub fenced: u64,
    /// Share of the sink that history is paced at, in readings per second.
    pub capacity_per_second: u64,
    /// How much is given up for the sink's sake: 0 to 3.
    pub level: u8,
    /// Why.
    pub decision: &'static str,
}

/// See `SinkCounters`.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct SinkCounts {
    pub readings: u64,
    pub duplicates: u64,
    pub reordered: u64,
    pub transactions: u64,
    /// Transactions under way.
    pub undecided: u64,
}

/// CPU time of the whole process.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CpuSeconds {
    pub user_seconds: f64,
    pub system_seconds: f64,
}

/// Datagrams.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FrameCounts {
    pub received: u64,
    pub sent: u64,
    /// Received without a time of arrival from the kernel that makes sense.
    pub unstamped: u64,
    /// Lost because the socket's buffer was full; filled in by the admin thread.
    pub socket_drops: u64,
}

/// Everything that is counted, at one moment.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    pub xdp: Placement,
    pub reason: Option<String>,
    pub uptime_seconds: f64,
    pub draining: bool,
    pub kernel: BTreeMap<&'static str, KernelCount>,
    pub gateway: GatewayCounts,
    pub drops: Named,
    pub wire_errors: Named,
    pub sink: SinkCounts,
    /// Where the sink is Kafka.
    #[cfg(feature = "kafka")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<crate::kafka_counts::KafkaCounts>,
    #[serde(serialize_with = "quantiles")]
    pub turnaround_nanos: Histogram<u64>,
    #[serde(serialize_with = "service")]
    pub service: Option<ServiceTimes>,
    pub cpu: CpuSeconds,
    pub frames: FrameCounts,
    /// `null` where there is none.
    pub swarm: Option<SwarmCounts>,
}

/// What `/ready` tells.
#[derive(Clone, Debug, Serialize)]
pub struct Readiness {
    pub ready: bool,
    pub draining: bool,
    pub xdp: Placement,
    /// Why the dam does not run where it was to run.
    pub reason: Option<String>,
}

pub(crate) fn quantiles<S: Serializer>(histogram: &Histogram<u64>, to: S) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(5))?;
    map.serialize_entry("count", &histogram.len())?;
    for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
        map.serialize_entry(name, &histogram.value_at_quantile(quantile))?;
    }
    map.serialize_entry("max", &histogram.max())?;
    map.end()
}

fn service<S: Serializer>(times: &Option<ServiceTimes>, to: S) -> Result<S::Ok, S::Error> {
    let of = |time: fn(&ServiceTimes) -> f64| times.as_ref().map(time);
    let mut map = to.serialize_map(Some(4))?;
    map.serialize_entry("helloNanos", &of(|t| t.hello_nanos))?;
    map.serialize_entry("dataNanos", &of(|t| t.data_nanos))?;
    map.serialize_entry("readingNanos", &of(|t| t.reading_nanos))?;
    map.serialize_entry("samples", &times.as_ref().map_or(0, |t| t.samples))?;
    map.end()
}
