//! One bucket with its limit.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::gcra::{self, Ask, Charge, Refusal};
use crate::{DamError, Emission, Limit, Pace, Shift};

/// A token bucket: 16 bytes of state (TAT, then the emission word, as the BPF program has them), alone on its cache lines (128 bytes, because prefetchers fetch lines in pairs).
///
/// `now` is nanoseconds since any start, from a clock that does not go backwards. If it does, the bucket refuses until
/// the clock has caught up; whatever it does, no more than `burst + rate * t` passes.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Bucket {
    /// The theoretical arrival time, in units of `shift`.
    tat: AtomicU64,
    emission: AtomicU64,
    shift: Shift,
}

impl Bucket {
    /// An idle bucket at the coarsest shift that holds the limit, so at the longest reach.
    ///
    /// # Errors
    /// See [`Emission::new`].
    pub fn new(limit: Limit) -> Result<Self, DamError> {
        let shift = Shift::fitting(limit)?;
        Ok(Self::with_emission(Emission::new(limit, shift)?, shift))
    }

    /// An idle bucket at a given shift: one that all the rates it is to take on fit in.
    ///
    /// # Errors
    /// See [`Emission::new`].
    pub fn with_shift(limit: Limit, shift: Shift) -> Result<Self, DamError> {
        Ok(Self::with_emission(Emission::new(limit, shift)?, shift))
    }

    pub(crate) const fn with_emission(emission: Emission, shift: Shift) -> Self {
        Self { tat: AtomicU64::new(0), emission: AtomicU64::new(emission.word()), shift }
    }

    /// Passes `cost` events, all or nothing.
    ///
    /// # Errors
    /// [`Refusal`]; the bucket has not changed then.
    #[inline]
    pub fn admit(&self, now: u64, cost: u32) -> Result<(), Refusal> {
        gcra::charge(&self.tat, self.shift.units(now), self.pace().ask(cost)?).map(|_| ())
    }

    /// Changes the limit in one store. What was charged stays charged.
    ///
    /// # Errors
    /// See [`Emission::new`], at the shift that the bucket was made with; the old limit stays then.
    pub fn set_limit(&self, limit: Limit) -> Result<(), DamError> {
        self.emission.store(Emission::new(limit, self.shift)?.word(), Relaxed);
        Ok(())
    }

    /// How far the bucket is ahead of the clock, in nanoseconds rounded up: 0 when idle.
    #[must_use]
    pub fn ahead_nanos(&self, now: u64) -> u64 {
        self.shift.nanos(self.tat().saturating_sub(self.shift.units(now)))
    }

    /// The raw state, in units of the bucket's shift: for tests and for comparing with the kernel's.
    #[must_use]
    pub fn tat(&self) -> u64 {
        self.tat.load(Relaxed)
    }

    #[inline]
    pub(crate) fn pace(&self) -> Pace {
        Emission::from_word(self.emission.load(Relaxed)).pace()
    }

    #[inline]
    pub(crate) fn is_off(&self) -> bool {
        self.emission.load(Relaxed) == Emission::OFF.word()
    }

    #[inline]
    pub(crate) fn look(&self, now_units: u64, ask: Ask) -> Result<Charge, Refusal> {
        gcra::look(&self.tat, now_units, ask)
    }

    #[inline]
    pub(crate) fn commit(&self, looked: Charge, now_units: u64, ask: Ask) -> Result<Charge, Refusal> {
        gcra::commit(&self.tat, looked, now_units, ask)
    }

    #[inline]
    pub(crate) fn charge(&self, now_units: u64, ask: Ask) -> Result<Charge, Refusal> {
        gcra::charge(&self.tat, now_units, ask)
    }

    #[inline]
    pub(crate) fn enqueue(&self, now_units: u64, work: u64, horizon: u64) -> Result<Charge, Refusal> {
        gcra::enqueue(&self.tat, now_units, work, horizon)
    }

    #[inline]
    pub(crate) fn refund(&self, charge: Charge) {
        gcra::refund(&self.tat, charge);
    }

    /// Moves the bucket back by `units`: an idle one stops at 0. Not while others charge it.
    pub(crate) fn rebase(&self, units: u64) {
        self.tat.store(self.tat().saturating_sub(units), Relaxed);
    }

    pub(crate) fn set_emission(&self, emission: Emission) {
        self.emission.store(emission.word(), Relaxed);
    }
}
