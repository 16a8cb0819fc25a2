//! What packets are counted under.

/// Names of the counters, in the order of `enum klais_counter`. Every packet is counted under exactly one: foreign ones
/// (`foreign-…`) and `pass-…` go on to the stack, `defer` is answered, the rest is dropped for that reason.
pub const COUNTER_NAMES: [&str; 36] = [
    "foreign-runt",
    "foreign-non-ip",
    "foreign-arp",
    "foreign-ipv4",
    "foreign-ipv6",
    "foreign-udp",
    "foreign-fragment",
    "foreign-malformed",
    "pass-hello",
    "pass-data",
    "pass-keep-alive",
    "pass-elsewhere",
    "defer",
    "blocked",
    "unknown-device",
    "invalid-cost",
    "device-rate",
    "class-rate",
    "global-rate",
    "session-rate",
    "bad-cookie",
    "horizon",
    "contended",
    "replayed",
    "misdirected",
    "truncated",
    "version",
    "type",
    "length",
    "field",
    "key-epoch",
    "mac",
    "fragment",
    "prefix",
    "malformed",
    "unanswered",
];

/// One counter, over all CPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Readings in their DATA frames.
    pub readings: u64,
}
