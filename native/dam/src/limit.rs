//! A rate and a burst, as people write them.

use klais_units::NANOS_PER_SECOND;

/// `events` per `period_nanos`, of which an idle bucket grants `burst` at once.
///
/// Over any time `t` a bucket admits at most `burst + events / period * t`, and in the long run the rate itself,
/// within 0.01 %. Checked when a bucket takes it on, see [`DamError`](crate::DamError).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Events per period, from 1.
    pub events: u64,
    /// The period in nanoseconds, from 1.
    pub period_nanos: u64,
    /// Events that an idle bucket grants at once, 1 to `u32::MAX`.
    pub burst: u64,
}

impl Limit {
    /// A limit in events per second.
    #[must_use]
    pub const fn per_second(rate: u64, burst: u64) -> Self {
        Self { events: rate, period_nanos: NANOS_PER_SECOND, burst }
    }

    /// A limit in events per any period, such as one per hour.
    #[must_use]
    pub const fn per_period(events: u64, period_nanos: u64, burst: u64) -> Self {
        Self { events, period_nanos, burst }
    }
}
