//! Why a frame was dropped.

use crate::gcra::Refusal;

/// Why a frame was dropped. Nothing was charged for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum DropReason {
    /// The device is on the blocklist.
    Blocked = 0,
    /// The device is not one of those the dam was built for.
    UnknownDevice = 1,
    /// A cost of 0, or one above the burst of a layer, so that it could never pass.
    InvalidCost = 2,
    /// The device is over its own rate.
    DeviceRate = 3,
    /// The class is over its rate, and nothing could be borrowed.
    ClassRate = 4,
    /// All traffic together is over the rate.
    GlobalRate = 5,
    /// Sessions are over their rate, and the mode gives no slots.
    SessionRate = 6,
    /// The cookie is none that this dam gave this device under its present or previous key.
    BadCookie = 7,
    /// The slot would lie further ahead than the dam promises.
    Horizon = 8,
    /// Too many lost races for one bucket.
    Contended = 9,
    /// A copy of a HELLO that was answered before.
    Replayed = 10,
}

/// The dam's answer for one frame. One byte.
pub type Verdict = Result<(), DropReason>;

impl DropReason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Blocked,
        Self::UnknownDevice,
        Self::InvalidCost,
        Self::DeviceRate,
        Self::ClassRate,
        Self::GlobalRate,
        Self::SessionRate,
        Self::BadCookie,
        Self::Horizon,
        Self::Contended,
        Self::Replayed,
    ];

    /// The name under which it is counted and reported, kebab-case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::UnknownDevice => "unknown-device",
            Self::InvalidCost => "invalid-cost",
            Self::DeviceRate => "device-rate",
            Self::ClassRate => "class-rate",
            Self::GlobalRate => "global-rate",
            Self::SessionRate => "session-rate",
            Self::BadCookie => "bad-cookie",
            Self::Horizon => "horizon",
            Self::Contended => "contended",
            Self::Replayed => "replayed",
        }
    }

    /// A bucket's refusal, where being over the rate means `rate`.
    #[inline]
    pub(crate) const fn of(refusal: Refusal, rate: Self) -> Self {
        match refusal {
            Refusal::Cost => Self::InvalidCost,
            Refusal::Rate => rate,
            Refusal::Contended => Self::Contended,
        }
    }
}
