//! A snapshot as Prometheus reads it (OpenMetrics text).

use crate::snapshot::{Placement, Snapshot};
use crate::swarm::SwarmCounts;
use hdrhistogram::Histogram;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;
use std::fmt::Error;

/// What the body is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Upper bounds of the turnaround buckets in seconds: two a decade, from what the loop can do to what a sink may take.
const TURNAROUND_SECONDS: [f64; 14] =
    [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 2e-2, 1e-1, 5e-1, 1.0, 10.0, 60.0];

/// The body of `/metrics`.
///
/// # Errors
/// Formatting failed, which writing to memory does not.
pub fn render(snapshot: Snapshot) -> Result<String, Error> {
    let mut registry = Registry::with_prefix("klais");
    registry.register_collector(Box::new(Metrics(snapshot)));
    let mut body = String::new();
    text::encode(&mut body, &registry)?;
    Ok(body)
}

#[derive(Debug)]
struct Metrics(Snapshot);

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let to = &mut encoder;
        let Snapshot { gateway, sink, frames, cpu, .. } = &self.0;
        counter(to, "frames_received", "Datagrams received.", frames.received)?;
        counter(to, "frames_sent", "Frames sent.", frames.sent)?;
        counter(to, "socket_drops", "Datagrams that found the socket's buffer full.", frames.socket_drops)?;
        counter(
            to,
            "hellos",
            "HELLO frames, with those that the kernel answered or dropped.",
            gateway.hellos,
        )?;
        counter(to, "hellos_deferred", "HELLO frames answered with DEFER.", gateway.deferred)?;
        counter(to, "readings_offered", "Readings in DATA frames, every copy.", gateway.offered)?;
        counter(to, "readings_admitted", "Readings accepted for the sink.", gateway.admitted)?;
        counter(to, "readings_turned_away", "Readings told to come back later.", gateway.turned_away)?;
        counter(to, "hellos_redirected", "HELLO frames sent on to another gateway.", gateway.redirected)?;
        counter(to, "takeovers", "Times that a shard was taken over.", gateway.takeovers)?;
        counter(to, "fenced", "Times that another gateway has taken a shard away.", gateway.fenced)?;
        gauge(to, "shards", "Shards that are served.", gateway.shards)?;
        let capacity = "Share of the sink, configured or found out, in readings per second.";
        gauge(to, "capacity_per_second", capacity, gateway.capacity_per_second)?;
        let level = "0: normal; 1: history slowed; 2: history stopped; 3: live readings thinned out.";
        gauge(to, "degradation_level", level, u64::from(gateway.level))?;
        counter(to, "sink_readings", "Readings stored, every copy.", sink.readings)?;
        counter(to, "sink_duplicates", "Readings stored that had been stored before.", sink.duplicates)?;
        counter(to, "sink_reordered", "Readings stored after a later one of their lane.", sink.reordered)?;
        counter(to, "sink_transactions", "Transactions stored.", sink.transactions)?;
        gauge(to, "sessions", "Devices with a session.", gateway.online)?;
        gauge(to, "sink_queue_readings", "Readings that wait for the sink.", gateway.queued)?;
        gauge(
            to,
            "sink_queue_readings_peak",
            "Most readings that ever waited for the sink.",
            gateway.queued_max,
        )?;
        gauge(to, "sink_undecided", "Transactions that the sink has not decided.", sink.undecided)?;
        gauge(to, "uptime_seconds", "Since the daemon began.", self.0.uptime_seconds)?;
        gauge(to, "draining", "1 while the daemon comes to its end.", u64::from(self.0.draining))?;
        family(to, "drops", "Frames dropped in user space.", "reason", self.0.drops.0.iter().copied())?;
        let errors = self.0.wire_errors.0.iter().copied();
        family(to, "wire_errors", "Datagrams that are no frame.", "reason", errors)?;
        let packets = self.0.kernel.iter().map(|(name, count)| (*name, count.packets));
        family(to, "kernel_packets", "Packets by the kernel's verdict.", "reason", packets)?;
        let readings = self.0.kernel.iter().map(|(name, count)| (*name, count.readings));
        family(to, "kernel_readings", "Readings by the kernel's verdict.", "reason", readings)?;
        let modes = [("user", cpu.user_seconds), ("system", cpu.system_seconds)];
        family(to, "cpu_seconds", "CPU time of the process.", "mode", modes.into_iter())?;
        #[cfg(feature = "kafka")]
        self.kafka(to)?;
        if let Some(counts) = &self.0.swarm {
            swarm(to, counts)?;
        }
        self.placement(to)?;
        turnaround(to, &self.0.turnaround_nanos)
    }
}

impl Metrics {
    #[cfg(feature = "kafka")]
    fn kafka(&self, to: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let Some(kafka) = &self.0.kafka else { return Ok(()) };
        counter(to, "kafka_bytes", "Bytes of readings stored, without keys and headers.", kafka.bytes)?;
        counter(to, "kafka_checkpoints", "Marks stored.", kafka.checkpoints)?;
        counter(to, "kafka_shards_opened", "Shards taken.", kafka.shards_opened)?;
        counter(
            to,
            "kafka_throttled_millis",
            "Milliseconds that the broker asked to wait.",
            kafka.throttled_millis,
        )?;
        counter(
            to,
            "kafka_circuit_opened",
            "How often the circuit breaker has opened.",
            kafka.circuit_opened,
        )?;
        gauge(
            to,
            "kafka_circuit_closed",
            "1 while the circuit is closed.",
            u64::from(kafka.circuit == "closed"),
        )?;
        let commit = kafka.commit_micros.value_at_quantile(0.99);
        gauge(to, "kafka_commit_micros_p99", "From the last delivery to the end of the commit.", commit)?;
        let failures = kafka.failures.0.iter().copied();
        family(to, "kafka_failures", "What failed, by reason.", "reason", failures)
    }

    fn placement(&self, to: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "1 for where the dam runs: native or generic in the kernel, off in user space.";
        let places =
            [("native", Placement::Native), ("generic", Placement::Generic), ("off", Placement::Off)];
        let places = places.into_iter().map(|(name, place)| (name, u64::from(self.0.xdp == place)));
        gauges(to, "xdp", help, "mode", places)
    }
}

fn swarm(to: &mut DescriptorEncoder<'_>, counts: &SwarmCounts) -> Result<(), Error> {
    let SwarmCounts { gossip, threats, .. } = counts;
    gauges(
        to,
        "swarm_members",
        "Gateways of the roster, by what is known of them.",
        "state",
        counts.by_state(),
    )?;
    let majority = u64::from(counts.sees_majority);
    gauge(to, "swarm_majority", "1 if more than half of the gateways are seen alive.", majority)?;
    counter(to, "swarm_datagrams_received", "Datagrams of gossip taken.", gossip.received)?;
    counter(to, "swarm_datagrams_sent", "Datagrams of gossip sent.", gossip.sent)?;
    counter(to, "swarm_received_bytes", "Bytes that came to the gossip port.", gossip.received_bytes)?;
    counter(to, "swarm_sent_bytes", "Bytes of gossip sent.", gossip.sent_bytes)?;
    let refused = gossip.refused.0.iter().copied();
    family(to, "swarm_refused", "Datagrams of gossip not taken.", "reason", refused)?;
    counter(to, "swarm_expulsions", "Times that this gateway had been given up.", gossip.expulsions)?;
    counter(to, "swarm_stalls", "Times that it came too late to judge others.", gossip.stalls)?;
    counter(to, "swarm_cpu_seconds", "CPU time of gossip, in the loop.", gossip.cpu_seconds)?;
    gauge(to, "swarm_blocked", "Devices, ranges and frames that the swarm blocks.", threats.blocked)?;
    gauge(to, "swarm_accused", "Devices, ranges and frames that somebody has reported.", threats.accused)?;
    counter(to, "swarm_detected", "Threats found here.", threats.detected)?;
    counter(to, "swarm_seconded", "Threats found here after others had.", threats.seconded)?;
    counter(to, "swarm_blocks", "Times that something was blocked.", threats.blocks)?;
    counter(to, "swarm_expired", "Blocks that ended with their time.", threats.expired)?;
    counter(to, "swarm_wrong_blocks", "Blocks that were taken back, or pardoned.", threats.wrong_blocks)?;
    counter(to, "swarm_vetoed", "Not blocked, since they were seen to behave.", threats.vetoed)?;
    let alone = "Accusations that ran out without anybody agreeing.";
    counter(to, "swarm_uncorroborated", alone, threats.uncorroborated)?;
    counter(to, "swarm_unplaced", "Blocks for which there was no room.", threats.unplaced)?;
    counter(to, "swarm_reports_made", "Reports of threats made.", threats.reports_made)?;
    counter(to, "swarm_reports_taken", "Reports of others taken.", threats.reports_taken)?;
    let refused = threats.reports_refused.0.iter().copied();
    family(to, "swarm_reports_refused", "Reports of others not taken.", "reason", refused)
}

fn counter<N>(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: N) -> Result<(), Error>
where
    ConstCounter<N>: EncodeMetric,
{
    let counter = ConstCounter::new(value);
    counter.encode(to.encode_descriptor(name, help, None, counter.metric_type())?)
}

fn gauge<N>(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: N) -> Result<(), Error>
where
    ConstGauge<N>: EncodeMetric,
{
    let gauge = ConstGauge::new(value);
    gauge.encode(to.encode_descriptor(name, help, None, gauge.metric_type())?)
}

fn family<N>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: impl Iterator<Item = (&'static str, N)>,
) -> Result<(), Error>
where
    ConstCounter<N>: EncodeMetric,
{
    let mut metric = to.encode_descriptor(name, help, None, <ConstCounter as TypedMetric>::TYPE)?;
    for (value_of, value) in values {
        ConstCounter::new(value).encode(metric.encode_family(&[(label, value_of)])?)?;
    }
    Ok(())
}

fn gauges(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: impl Iterator<Item = (&'static str, u64)>,
) -> Result<(), Error> {
    let mut metric = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (value_of, value) in values {
        ConstGauge::new(value).encode(metric.encode_family(&[(label, value_of)])?)?;
    }
    Ok(())
}

fn turnaround(to: &mut DescriptorEncoder<'_>, histogram: &Histogram<u64>) -> Result<(), Error> {
    let help = "From a frame's arrival in the kernel to its acknowledgement's departure.";
    let mut metric = to.encode_descriptor("turnaround_seconds", help, None, MetricType::Histogram)?;
    let mut below = 0;
    let mut buckets: Vec<(f64, u64)> = Vec::with_capacity(TURNAROUND_SECONDS.len() + 1);
    for seconds in TURNAROUND_SECONDS {
        let up_to = histogram.count_between(0, (seconds * 1e9) as u64);
        buckets.push((seconds, up_to - below));
        below = up_to;
    }
    buckets.push((f64::MAX, histogram.len() - below));
    let sum = histogram.mean() * histogram.len() as f64 / 1e9;
    metric.encode_histogram::<NoLabelSet>(sum, histogram.len(), &buckets, None)
}
