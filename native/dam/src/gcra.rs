//! The decision: the generic cell rate algorithm over 64-bit integers.
//!
//! GCRA in its virtual-scheduling form (ITU-T I.371, annex A). A bucket is one word, its theoretical arrival time
//! (TAT). Everything here is comparisons, sums and one product, so that the kernel's BPF program runs the same.
//!
//! All orderings are relaxed: a bucket is a single word whose changes have one order of their own, and it publishes
//! no other memory.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How often a lost race for a bucket is run again before the frame is refused.
pub const MAX_RETRIES: u32 = 32;

/// Why a bucket refused. It has not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A cost of 0, or above the burst: no waiting would help.
    Cost,
    /// Over the rate: later it would pass.
    Rate,
    /// [`MAX_RETRIES`] races for the bucket were lost.
    Contended,
}

/// What a bucket is asked for, in units of one shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Cost x interval; 0 where the layer is off.
    pub work: u64,
    /// How far ahead of the clock the bucket may be before: span - work.
    pub tolerance: u64,
}

impl Ask {
    /// Leaves the last eighth of the span to others: the part of the tolerance that history may use of the global
    /// bucket. An idle bucket still grants any cost up to the burst.
    #[inline]
    pub(crate) const fn yielding(self) -> Self {
        Self { work: self.work, tolerance: self.tolerance - (self.tolerance >> YIELD_SHIFT) }
    }
}

/// History leaves one part in 2^3 of the global burst to live traffic and control.
pub(crate) const YIELD_SHIFT: u32 = 3;

/// A change made to a bucket: what a refund needs. Equal words for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Charge {
    pub before: u64,
    pub after: u64,
}

impl Charge {
    /// Nothing was charged.
    pub(crate) const NONE: Self = Self { before: 0, after: 0 };
}

/// The rule: the bucket's next word, always different from `tat`, or `None` to refuse. `ask.work` is above 0.
#[must_use]
#[inline]
pub const fn decide(tat: u64, now: u64, ask: Ask) -> Option<u64> {
    let base = if tat > now { tat } else { now };
    if base - now > ask.tolerance {
        return None;
    }
    // A sum past the end of time is refused: a bucket held at the end would pass for ever.
    base.checked_add(ask.work)
}

/// Looks, without changing anything: what [`commit`] would do now. Asked for no work (a layer that is off): nothing.
#[inline]
pub(crate) fn look(bucket: &AtomicU64, now: u64, ask: Ask) -> Result<Charge, Refusal> {
    if ask.work == 0 { Ok(Charge::NONE) } else { look_at(bucket.load(Relaxed), now, ask) }
}

/// [`look`] at a word loaded before, for some work.
#[inline]
pub(crate) const fn look_at(before: u64, now: u64, ask: Ask) -> Result<Charge, Refusal> {
    match decide(before, now, ask) {
        Some(after) => Ok(Charge { before, after }),
        None => Err(Refusal::Rate),
    }
}

/// Charges what was looked at; where another thread came first, decides afresh. On an error the bucket has not changed.
#[inline]
pub(crate) fn commit(bucket: &AtomicU64, looked: Charge, now: u64, ask: Ask) -> Result<Charge, Refusal> {
    if ask.work == 0 {
        return Ok(Charge::NONE);
    }
    match bucket.compare_exchange(looked.before, looked.after, Relaxed, Relaxed) {
        Ok(_) => Ok(looked),
        Err(actual) => retry(bucket, actual, now, ask),
    }
}

#[cold]
fn retry(bucket: &AtomicU64, mut seen: u64, now: u64, ask: Ask) -> Result<Charge, Refusal> {
    for _ in 0..MAX_RETRIES {
        let looked = look_at(seen, now, ask)?;
        match bucket.compare_exchange(looked.before, looked.after, Relaxed, Relaxed) {
            Ok(_) => return Ok(looked),
            Err(actual) => seen = actual,
        }
    }
    Err(Refusal::Contended)
}

/// Looks and commits.
#[inline]
pub(crate) fn charge(bucket: &AtomicU64, now: u64, ask: Ask) -> Result<Charge, Refusal> {
    commit(bucket, look(bucket, now, ask)?, now, ask)
}

/// Takes a charge back, if nobody has charged the bucket since; otherwise the charge stays.
///
/// Subtracting regardless would be wrong: after a pause the next charge starts from the clock, not from this charge,
/// and a subtraction would then hand out time that was never there. A charge that stays costs capacity, once, and only
/// when two threads race for the last of it; it never lets more through.
#[inline]
pub(crate) fn refund(bucket: &AtomicU64, charge: Charge) {
    if charge != Charge::NONE {
        let _ = bucket.compare_exchange(charge.after, charge.before, Relaxed, Relaxed);
    }
}

/// Queues work behind all that is promised: whatever the bucket's tolerance, as long as the work ends within
/// `horizon` units from now. The charge's `after - work` is where the work begins.
#[inline]
pub(crate) fn enqueue(bucket: &AtomicU64, now: u64, work: u64, horizon: u64) -> Result<Charge, Refusal> {
    charge(bucket, now, Ask { work, tolerance: horizon.checked_sub(work).ok_or(Refusal::Rate)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: Ask = Ask { work: 10, tolerance: 40 };

    #[test]
    fn a_refund_restores_what_nobody_has_built_on() {
        let bucket = AtomicU64::new(3);
        let charged = charge(&bucket, 100, ASK).unwrap();
        assert_eq!(bucket.load(Relaxed), 110);
        refund(&bucket, charged);
        assert_eq!(bucket.load(Relaxed), 3);
        refund(&bucket, Charge::NONE);
        assert_eq!(bucket.load(Relaxed), 3);
    }

    #[test]
    fn a_refund_gives_nothing_back_after_a_later_charge() {
        let bucket = AtomicU64::new(0);
        let charged = charge(&bucket, 100, ASK).unwrap();
        // The bucket has idled since: what is left of the first charge is nothing, so nothing may be given back.
        charge(&bucket, 1_000, ASK).unwrap();
        refund(&bucket, charged);
        assert_eq!(bucket.load(Relaxed), 1_010);
    }

    #[test]
    fn a_commit_that_comes_second_decides_afresh() {
        let bucket = AtomicU64::new(0);
        let looked = look(&bucket, 100, ASK).unwrap();
        for _ in 0..4 {
            charge(&bucket, 100, ASK).unwrap();
        }
        assert_eq!(commit(&bucket, looked, 100, ASK), Ok(Charge { before: 140, after: 150 }));
        assert_eq!(commit(&bucket, looked, 100, ASK), Err(Refusal::Rate));
        assert_eq!(bucket.load(Relaxed), 150);
    }
}
