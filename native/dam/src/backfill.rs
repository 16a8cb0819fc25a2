//! Backfill slots: history reserved by work.

use core::sync::atomic::Ordering::Relaxed;

use crate::gcra::MAX_RETRIES;
use crate::slot_word::{EARLY_NANOS, Held, Slot, later, nanos_until, tick_at};
use crate::slots::swap;
use crate::{Dam, DropReason, Refusal, Shift, TICK_NANOS, WIDE_WINDOW};

/// A promise to take a device's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackfillSlot {
    /// Nanoseconds from `now` to the start, 0 for at once.
    pub delay_nanos: u64,
    /// The readings reserved by this call: what was asked for, or 0 if the slot was held already. The dam keeps the
    /// slot only; the caller keeps the credit, and must not raise it for a slot held.
    pub credit: u32,
    /// Whether the device held this slot before the call.
    pub held: bool,
}

impl Dam {
    /// Reserves the backfill bucket's time for `readings`: the slot is where the bucket stood, and the bucket moves on by
    /// the readings owed. Frames under this credit are then admitted as [`Class::Reserved`](crate::Class::Reserved),
    /// which the backfill bucket is not charged for again.
    ///
    /// A device that asks again gets the slot it holds, and nothing is charged, until [`Dam::backfill_started`] or until
    /// the slot is 8 session windows past. With the backfill layer off, history may start at once.
    ///
    /// # Errors
    /// `UnknownDevice`, `Blocked`, `InvalidCost` (0 readings), `Horizon` (the work would end later than the dam promises) or
    /// `Contended`; nothing has changed then.
    pub fn reserve_backfill(&self, now: u64, device: u32, readings: u32) -> Result<BackfillSlot, DropReason> {
        self.knows(device)?;
        if readings == 0 {
            return Err(DropReason::InvalidCost);
        }
        let (bucket, units) = (self.backfill_bucket(), self.units(now));
        let pace = bucket.pace();
        if pace.is_off() {
            return Ok(BackfillSlot { delay_nanos: 0, credit: readings, held: false });
        }
        let word = self.slots.get(device as usize).ok_or(DropReason::UnknownDevice)?;
        let work = pace.work(u64::from(readings));
        for _ in 0..MAX_RETRIES {
            let held = Held::from_word(word.load(Relaxed));
            if let Some(delay_nanos) = self.pending_backfill(held.slot, now) {
                return Ok(BackfillSlot { delay_nanos, credit: 0, held: true });
            }
            let charged =
                bucket.enqueue(units, work, self.horizon_units()).map_err(|refusal| match refusal {
                    Refusal::Contended => DropReason::Contended,
                    Refusal::Rate | Refusal::Cost => DropReason::Horizon,
                })?;
            let delay_nanos = Shift::DAM.nanos(charged.after - work - units);
            let tick = tick_at(now.saturating_add(delay_nanos));
            if swap(word, held, held.with(Slot::Backfill(tick))) {
                return Ok(BackfillSlot { delay_nanos, credit: readings, held: false });
            }
            bucket.refund(charged);
        }
        Err(DropReason::Contended)
    }

    /// The device has begun to send its history: its slot is used up, and it may reserve anew. Whether it held one.
    pub fn backfill_started(&self, device: u32) -> bool {
        let Some(word) = self.slots.get(device as usize) else {
            return false;
        };
        let held = Held::from_word(word.load(Relaxed));
        let Slot::Backfill(tick) = held.slot else {
            return false;
        };
        // Its session began before this slot, so session cookies up to here are used up too.
        swap(word, held, held.with(Slot::Spent(later(tick, (EARLY_NANOS / TICK_NANOS) as u32))))
    }

    /// How long history reserved now would wait, in nanoseconds: how far ahead backfill slots are promised.
    #[must_use]
    pub fn backfill_queue_nanos(&self, now: u64) -> u64 {
        Shift::DAM.nanos(self.backfill_bucket().tat().saturating_sub(self.units(now)))
    }

    /// Nanoseconds until a backfill slot that is still good; 0 if it has come.
    fn pending_backfill(&self, held: Slot, now: u64) -> Option<u64> {
        let Slot::Backfill(tick) = held else {
            return None;
        };
        let until = nanos_until(tick, now);
        let window = self.session_window_nanos * WIDE_WINDOW;
        let good = if until < 0 { window } else { self.horizon_nanos + EARLY_NANOS };
        (until.unsigned_abs() <= good).then_some(until.max(0).unsigned_abs())
    }
}
