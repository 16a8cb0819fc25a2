//! What is counted.

/// Why a datagram was not taken, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Shorter than the shortest.
    Truncated,
    /// Not version 1.
    Version,
    /// Its length is not what it says, or more than may be.
    Length,
    /// From a number that is not in the roster, or from this gateway's own.
    Sender,
    /// Not from that gateway's address.
    Address,
    /// Under a cluster key that is neither the present nor the previous one.
    KeyEpoch,
    /// The MAC is wrong.
    Mac,
    /// Fields that do not fit together.
    Field,
    /// For another gateway.
    Misdirected,
    /// A copy, or of a process that is gone.
    Replayed,
    /// Foca refuses its part.
    Membership,
    /// It says that this gateway is down, again and again.
    Hasty,
}

/// Names of all refusals, in their order.
pub const REFUSALS: [&str; 12] = [
    "truncated",
    "version",
    "length",
    "sender",
    "address",
    "key-epoch",
    "mac",
    "field",
    "misdirected",
    "replayed",
    "membership",
    "hasty",
];

/// Why a report was not taken. Each is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportRefusal {
    /// Not a report: bytes missing or too many, an unknown kind, a subject that may not be blocked.
    Malformed,
    /// Nobody in the roster has that number.
    Reporter,
    /// Dated in the future.
    Clock,
    /// Its time is over.
    Expired,
    /// The reporter sends more than can be looked at.
    Rate,
    /// Not signed by its reporter.
    Signature,
    /// The reporter, or all together, have more threats reported than may be.
    Quota,
}

impl ReportRefusal {
    /// Names of all, in their order.
    pub const NAMES: [&str; 7] = ["malformed", "reporter", "clock", "expired", "rate", "signature", "quota"];
}

/// Datagrams, and what was in them. Counters only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Datagrams taken.
    pub received: u64,
    /// Datagrams to send.
    pub sent: u64,
    /// Bytes of the datagrams to send.
    pub sent_bytes: u64,
    /// Datagrams given up because the driver did not take them.
    pub unsent: u64,
    /// Datagrams not taken, in the order of [`REFUSALS`].
    pub refused: [u64; REFUSALS.len()],
    /// Gossip rounds.
    pub rounds: u64,
    /// Times that the others had given this gateway up.
    pub expulsions: u64,
    /// Times that the driver came so late that no judgement of others was passed.
    pub stalls: u64,
}
