//! Why a gateway drops a frame, counted.

use klais_dam::DropReason;

/// A gateway's reasons: the dam's, then its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// The dam refused.
    Dam(DropReason),
    /// A HELLO of an epoch that the device has left behind.
    StaleEpoch,
    /// A late copy of a HELLO that the device has left behind.
    StaleSession,
    /// The sink does not keep up.
    SinkQueueFull,
    /// More frames of one device wait for the sink than a device may have on its way.
    DeviceInFlight,
    /// Too many HELLOs wait for a commit.
    PendingHellos,
    /// Backfill beyond the credit granted.
    NoCredit,
    /// A frame that only gateways send.
    Misdirected,
    /// Of a shard that nobody is known to own.
    NoOwner,
    /// A reading beyond the last that a device can take.
    BeyondRange,
    /// The controller refuses it.
    Controller,
}

const OWN: [&str; 10] = [
    "stale-epoch",
    "stale-session",
    "sink-queue-full",
    "device-in-flight",
    "pending-hellos",
    "no-credit",
    "misdirected",
    "no-owner",
    "beyond-range",
    "controller",
];
const DAM: usize = DropReason::ALL.len();

/// Names of all reasons, in the order of `DropCounters`.
pub const DROP_NAMES: [&str; DAM + OWN.len()] = names();

const fn names() -> [&'static str; DAM + OWN.len()] {
    let mut all = [""; DAM + OWN.len()];
    let mut n = 0;
    while n < DAM {
        all[n] = DropReason::ALL[n].name();
        n += 1;
    }
    while n < all.len() {
        all[n] = OWN[n - DAM];
        n += 1;
    }
    all
}

impl Drop {
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Dam(reason) => DropReason::ALL.iter().position(|r| *r == reason).unwrap_or(0),
            Self::StaleEpoch => DAM,
            Self::StaleSession => DAM + 1,
            Self::SinkQueueFull => DAM + 2,
            Self::DeviceInFlight => DAM + 3,
            Self::PendingHellos => DAM + 4,
            Self::NoCredit => DAM + 5,
            Self::Misdirected => DAM + 6,
            Self::NoOwner => DAM + 7,
            Self::BeyondRange => DAM + 8,
            Self::Controller => DAM + 9,
        }
    }
}

/// Frames dropped, by reason, in the order of `DROP_NAMES`.
pub type DropCounters = [u64; DROP_NAMES.len()];
