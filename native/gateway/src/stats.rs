//! What a gateway counts.

/// Counters and gauges. Readings unless said otherwise; counters only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// HELLO frames seen.
    pub hellos: u64,
    /// HELLO frames answered with DEFER.
    pub deferred: u64,
    /// In DATA frames that arrived, every copy.
    pub offered: u64,
    /// Accepted for the sink.
    pub admitted: u64,
    /// In DATA frames told to come back later.
    pub turned_away: u64,
    /// Devices with a session.
    pub online: u64,
    /// Waiting for the sink.
    pub queued: u64,
    /// Most that ever waited for the sink.
    pub queued_max: u64,
    /// HELLO frames sent on to another gateway.
    pub redirected: u64,
    /// Shards taken over.
    pub takeovers: u64,
    /// Shards taken away by another gateway.
    pub fenced: u64,
    /// Shards served.
    pub shards: u64,
}
