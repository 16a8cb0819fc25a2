//! How fine a bucket's time is.

use crate::{DamError, Emission, Limit};

/// A bucket counts time in units of 2^-shift nanoseconds, 0 to 16.
///
/// A larger shift holds faster rates exactly; a smaller one reaches further: `u64::MAX >> shift` nanoseconds from the
/// start of the clock (shift 0: 584 years, 9: 417 days). Beyond that reach a bucket refuses; it never passes too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shift(u8);

impl Shift {
    /// The finest: 2^-16 ns, 3 days of reach.
    pub const MAX: Self = Self(16);

    /// The shift of every bucket in a [`Dam`](crate::Dam): the coarsest that holds any rate up to 50 M/s within
    /// 0.01 %. One shift for all lets rates change in a single store; [`Dam::rebase`](crate::Dam::rebase) renews the
    /// reach of 417 days.
    pub const DAM: Self = Self(9);

    /// The coarsest shift, and so the longest reach, that holds this limit within 0.01 %.
    ///
    /// # Errors
    /// What [`Emission::new`] refuses at every shift.
    pub fn fitting(limit: Limit) -> Result<Self, DamError> {
        for bits in 0..Self::MAX.0 {
            match Emission::new(limit, Self(bits)) {
                Err(DamError::RateTooFast { .. }) => {}
                Err(other) => return Err(other),
                Ok(_) => return Ok(Self(bits)),
            }
        }
        Emission::new(limit, Self::MAX).map(|_| Self::MAX)
    }

    /// The number of fractional bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// The last nanosecond that this shift can express.
    #[must_use]
    pub const fn reach_nanos(self) -> u64 {
        u64::MAX >> self.0
    }

    /// Nanoseconds in units, held at the end of the reach.
    #[must_use]
    #[inline]
    pub const fn units(self, nanos: u64) -> u64 {
        let reach = self.reach_nanos();
        (if nanos < reach { nanos } else { reach }) << self.0
    }

    /// Units in nanoseconds, rounded up.
    #[must_use]
    #[inline]
    pub const fn nanos(self, units: u64) -> u64 {
        (units >> self.0) + (units & ((1 << self.0) - 1) != 0) as u64
    }
}
