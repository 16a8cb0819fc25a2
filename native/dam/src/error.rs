//! What a configuration can get wrong.

use core::fmt;

/// Why a limit or a configuration was refused. Nothing has changed when one is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamError {
    /// No events, or no time to spread them over. A layer that is to pass everything is `None` in the configuration.
    ZeroRate,
    /// A burst of 0 would never pass anything.
    ZeroBurst,
    /// The burst does not fit in 32 bits.
    BurstTooLarge {
        /// The burst asked for, in events.
        burst: u64,
    },
    /// The interval between two events cannot be expressed within 0.01 % at the resolution of the bucket.
    RateTooFast {
        /// Events asked for per period.
        events: u64,
        /// The period, in nanoseconds.
        period_nanos: u64,
    },
    /// The time to refill the whole burst does not fit in the range of the bucket.
    SpanTooLong {
        /// The longest span that fits, in nanoseconds.
        max_nanos: u64,
    },
    /// The horizon is 0 or longer than [`MAX_HORIZON_NANOS`](crate::MAX_HORIZON_NANOS).
    Horizon {
        /// The horizon asked for, in nanoseconds.
        nanos: u64,
    },
    /// The session window is 0, or wider than [`MAX_WINDOW_NANOS`](crate::MAX_WINDOW_NANOS).
    Window {
        /// The window asked for, in nanoseconds.
        nanos: u64,
    },
    /// The layer was off when the dam was built, and stays off.
    LayerOff,
    /// A lent table has no room for all devices.
    TableTooSmall {
        /// Entries that the devices need.
        needed: usize,
        /// Entries that were lent.
        lent: usize,
    },
    /// The allocator refused the tables.
    OutOfMemory {
        /// Bytes that the tables would take.
        bytes: u64,
    },
}

impl fmt::Display for DamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ZeroRate => f.write_str("a rate needs at least 1 event and a period of at least 1 ns"),
            Self::ZeroBurst => f.write_str("a burst needs at least 1 event"),
            Self::BurstTooLarge { burst } => write!(f, "a burst of {burst} events exceeds {}", u32::MAX),
            Self::RateTooFast { events, period_nanos } => write!(
                f,
                "{events} events per {period_nanos} ns cannot be held within 0.01 %: \
                 50,000,000 a second always can, faster rates only where the interval is a round number"
            ),
            Self::SpanTooLong { max_nanos } => {
                write!(f, "burst times interval exceeds {max_nanos} ns: lower the burst or raise the rate")
            }
            Self::Horizon { nanos } => {
                write!(f, "a horizon of {nanos} ns is not within 1 to {} ns", crate::MAX_HORIZON_NANOS)
            }
            Self::Window { nanos } => {
                write!(f, "a session window of {nanos} ns is not within 1 to {} ns", crate::MAX_WINDOW_NANOS)
            }
            Self::LayerOff => f.write_str("this layer is off: give it a limit when the dam is built"),
            Self::TableTooSmall { needed, lent } => {
                write!(f, "a table of {lent} entries was lent where the devices need {needed}")
            }
            Self::OutOfMemory { bytes } => write!(f, "no memory for {bytes} bytes of device tables"),
        }
    }
}

impl core::error::Error for DamError {}
