//! A limit in the form that a bucket reads: one 64-bit word.

use crate::gcra::Ask;
use crate::{DamError, Limit, Refusal, Shift};

const MANTISSA_BITS: u32 = 26;
const EXPONENT_BITS: u32 = 6;
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;
const EXPONENT_MASK: u64 = (1 << EXPONENT_BITS) - 1;
const BURST_SHIFT: u32 = MANTISSA_BITS + EXPONENT_BITS;

/// The longest burst x interval, in units: a quarter of the range, so that sums with a time do not overflow.
const MAX_SPAN: u128 = 1 << 62;
/// The rate may be off by one part in so many.
const ACCURACY: u128 = 10_000;

/// Interval and burst packed into one word, so that a rate changes by one atomic store and no reader ever sees half of
/// a change. Bits 63..32 the burst, 31..26 the exponent and 25..0 the mantissa of the interval
/// (`mantissa << exponent` units, rounded up: off by less than 2^-25). An interval of
/// 0 with the largest burst stands for a layer that is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emission(u64);

/// An [`Emission`] unpacked, in units of a [`Shift`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Units between two events; 0 if the layer is off.
    pub interval: u64,
    /// Burst x interval: how far ahead of the clock a bucket may be after an event.
    pub span: u64,
    /// Events that an idle bucket grants at once; `u32::MAX` if the layer is off.
    pub burst: u32,
}

impl Emission {
    /// The layer is off: everything passes and nothing is charged.
    pub const OFF: Self = Self((u32::MAX as u64) << BURST_SHIFT);

    /// Packs a limit for buckets of the given shift. All 128-bit arithmetic and all division happen here.
    ///
    /// # Errors
    /// `ZeroRate`, `ZeroBurst`, `BurstTooLarge`, `RateTooFast` (off by more than 0.01 % at this shift) or `SpanTooLong`.
    pub fn new(limit: Limit, shift: Shift) -> Result<Self, DamError> {
        let Limit { events, period_nanos, burst } = limit;
        if events == 0 || period_nanos == 0 {
            return Err(DamError::ZeroRate);
        }
        if burst == 0 {
            return Err(DamError::ZeroBurst);
        }
        let Ok(burst) = u32::try_from(burst) else {
            return Err(DamError::BurstTooLarge { burst });
        };
        let period = u128::from(period_nanos) << shift.bits();
        let events_wide = u128::from(events);
        let (mantissa, exponent) = round_up(period.div_ceil(events_wide));
        let interval = mantissa << exponent;
        if (interval * events_wide - period) * ACCURACY > period {
            return Err(DamError::RateTooFast { events, period_nanos });
        }
        if interval * u128::from(burst) > MAX_SPAN {
            return Err(DamError::SpanTooLong { max_nanos: shift.nanos(MAX_SPAN as u64) });
        }
        Ok(Self(u64::from(burst) << BURST_SHIFT | u64::from(exponent) << MANTISSA_BITS | mantissa as u64))
    }

    /// The word, as a bucket or a BPF map stores it.
    #[must_use]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// A word that came from [`Emission::word`]. Any other word gives some limit, never a panic.
    #[must_use]
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }

    /// Unpacks: one shift and one multiplication.
    #[must_use]
    #[inline]
    pub const fn pace(self) -> Pace {
        let interval = (self.0 & MANTISSA_MASK) << (self.0 >> MANTISSA_BITS & EXPONENT_MASK);
        let burst = (self.0 >> BURST_SHIFT) as u32;
        // No limit overflows here; a word that is none wraps to some other limit.
        Pace { interval, span: interval.wrapping_mul(burst as u64), burst }
    }
}

impl Pace {
    /// Whether the layer is off.
    #[must_use]
    #[inline]
    pub const fn is_off(&self) -> bool {
        self.interval == 0
    }

    /// The units that `events` take.
    #[must_use]
    #[inline]
    pub const fn work(&self, events: u64) -> u64 {
        self.interval.saturating_mul(events)
    }

    /// What `cost` events ask of a bucket.
    ///
    /// # Errors
    /// [`Refusal::Cost`] for 0 events or more than the burst.
    #[inline]
    pub const fn ask(&self, cost: u32) -> Result<Ask, Refusal> {
        if cost == 0 || cost > self.burst {
            return Err(Refusal::Cost);
        }
        // No limit overflows here. Two products at once are faster than a difference after them.
        let work = self.interval.wrapping_mul(cost as u64);
        let tolerance = self.interval.wrapping_mul((self.burst - cost) as u64);
        Ok(Ask { work, tolerance })
    }

    /// What a sum of costs asks of a bucket; `None` if it exceeds the burst. A sum of 0 asks nothing.
    #[inline]
    pub(crate) const fn ask_sum(&self, sum: u64) -> Option<Ask> {
        let work = self.work(sum);
        match self.span.checked_sub(work) {
            Some(tolerance) => Some(Ask { work, tolerance }),
            None => None,
        }
    }
}

/// The least `mantissa << exponent` that is not below `interval`.
fn round_up(interval: u128) -> (u128, u32) {
    let bits = u128::BITS - interval.leading_zeros();
    let exponent = bits.saturating_sub(MANTISSA_BITS);
    let mantissa = interval.div_ceil(1 << exponent);
    // Rounding may carry into one bit more: a power of two, which halves exactly.
    if mantissa >> MANTISSA_BITS == 0 { (mantissa, exponent) } else { (mantissa >> 1, exponent + 1) }
}
