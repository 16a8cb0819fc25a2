//! Session slots: a queue without memory.
//!
//! A HELLO that cannot pass now advances the session bucket all the same, and its sender is told to come back exactly
//! when the bucket will have got there. A herd becomes a queue that drains at the session rate, without a retry lottery.
//! One word per device remembers its slot, so that repeats, lost answers and floods of either move nobody's slot; a
//! cookie lets the promise outlive the gateway that made it.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::gcra::{Ask, Charge, MAX_RETRIES};
use crate::slot_word::{EARLY_NANOS, Held, is_after, nanos_until, tick_at};
use crate::{Cookie, Dam, DropReason, SessionMode, Shift, WIDE_WINDOW};

/// The answer to a HELLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloVerdict {
    /// The session may begin.
    Pass,
    /// Come back then, with this.
    Defer {
        /// Nanoseconds from `now` to the slot. Relative, so that no clock is shared.
        delay_nanos: u64,
        /// The promise.
        cookie: Cookie,
    },
    /// Refused.
    Drop(DropReason),
}

/// Where a promised slot stands against the clock.
enum Standing {
    Early {
        delay_nanos: u64,
    },
    Due,
    /// Missed, or so far off that it can only be a relic.
    Over,
}

impl Dam {
    /// Decides a HELLO that has been authenticated.
    ///
    /// In mode `Slots`: within the rate it passes. Over the rate it gets a slot, and each repeat until then gets the same
    /// one, charged once. Back within its slot (from [`EARLY_NANOS`] before it to the session window after it, 8 times
    /// the window for a sleepy device's `wide_window`) it passes without another charge, and the slot is used up: the same
    /// cookie does not pass again. After a missed slot it is a newcomer. A cookie that this dam did not make, but
    /// another under the same keys (a gateway that died, or redirected the device here), counts like a slot held
    /// here. A device holds one slot: a deferred HELLO forgets a backfill slot that was promised.
    ///
    /// Drops: `UnknownDevice`, `Blocked`, `BadCookie` (say HELLO again without it), `SessionRate` (mode `Drop`), `Horizon`
    /// (the queue is longer than the dam promises), `Contended`. None of them changes anything.
    pub fn hello(&self, now: u64, device: u32, cookie: Option<Cookie>, wide_window: bool) -> HelloVerdict {
        if let Err(reason) = self.check_device(device) {
            return HelloVerdict::Drop(reason);
        }
        if self.session_mode == SessionMode::Open || self.sessions.is_off() {
            return HelloVerdict::Pass;
        }
        if self.session_mode == SessionMode::Drop {
            let pace = self.sessions.pace();
            return match pace.ask(1).and_then(|ask| self.sessions.charge(self.units(now), ask)) {
                Ok(_) => HelloVerdict::Pass,
                Err(refusal) => HelloVerdict::Drop(DropReason::of(refusal, DropReason::SessionRate)),
            };
        }
        if cookie.is_some_and(|cookie| !self.keys.verify(device, cookie)) {
            return HelloVerdict::Drop(DropReason::BadCookie);
        }
        let Some(word) = self.slots.get(device as usize) else {
            return HelloVerdict::Drop(DropReason::UnknownDevice);
        };
        let window = self.session_window_nanos * if wide_window { WIDE_WINDOW } else { 1 };
        // Another thread may be answering the same device: then its answer is looked at afresh.
        for _ in 0..MAX_RETRIES {
            if let Some(verdict) = self.answer(now, device, cookie, window, word) {
                return verdict;
            }
        }
        HelloVerdict::Drop(DropReason::Contended)
    }

    /// How long a newcomer's HELLO would wait now, in nanoseconds: how far ahead session slots are promised.
    #[must_use]
    pub fn session_queue_nanos(&self, now: u64) -> u64 {
        let pace = self.sessions.pace();
        let ahead = self.sessions.tat().saturating_sub(self.units(now));
        Shift::DAM.nanos(ahead.saturating_add(pace.interval).saturating_sub(pace.span))
    }

    /// One try; `None` if another thread changed the device's word meanwhile.
    fn answer(
        &self,
        now: u64,
        device: u32,
        cookie: Option<Cookie>,
        window: u64,
        word: &AtomicU32,
    ) -> Option<HelloVerdict> {
        let held = Held::from_word(word.load(Relaxed));
        if let Some(tick) = claim(held, cookie) {
            match self.standing(tick, now, window) {
                Standing::Due => return swap(word, held, Held::Spent(tick)).then_some(HelloVerdict::Pass),
                Standing::Early { delay_nanos } => {
                    let cookie = self.keys.sign(device, tick);
                    let deferred = HelloVerdict::Defer { delay_nanos, cookie };
                    return swap(word, held, Held::Session(tick)).then_some(deferred);
                }
                Standing::Over => {}
            }
        }
        self.answer_newcomer(now, device, held, word)
    }

    /// A HELLO that holds no slot: charged, and passed or deferred.
    fn answer_newcomer(&self, now: u64, device: u32, held: Held, word: &AtomicU32) -> Option<HelloVerdict> {
        let pace = self.sessions.pace();
        let units = self.units(now);
        let horizon = self.horizon_units().saturating_add(pace.span);
        let ask = Ask { work: pace.interval, tolerance: horizon.saturating_sub(pace.interval) };
        let charged = match self.sessions.charge(units, ask) {
            Ok(charged) => charged,
            Err(refusal) => return Some(HelloVerdict::Drop(DropReason::of(refusal, DropReason::Horizon))),
        };
        let late = (charged.after - units).saturating_sub(pace.span);
        let (verdict, next) = if late == 0 {
            // A missed slot must not come back to life under a wider window.
            let next = if let Held::Session(tick) = held { Held::Spent(tick) } else { held };
            (HelloVerdict::Pass, next)
        } else {
            let delay_nanos = Shift::DAM.nanos(late);
            let tick = tick_at(now.saturating_add(delay_nanos));
            (HelloVerdict::Defer { delay_nanos, cookie: self.keys.sign(device, tick) }, Held::Session(tick))
        };
        if swap(word, held, next) {
            return Some(verdict);
        }
        if charged != Charge::NONE {
            self.sessions.refund(charged);
        }
        None
    }

    fn standing(&self, tick: u32, now: u64, window: u64) -> Standing {
        let until = nanos_until(tick, now);
        if until > 0 && until.unsigned_abs() > self.horizon_nanos + EARLY_NANOS {
            Standing::Over
        } else if until > EARLY_NANOS as i64 {
            Standing::Early { delay_nanos: until.unsigned_abs() }
        } else if until >= 0 || until.unsigned_abs() <= window {
            Standing::Due
        } else {
            Standing::Over
        }
    }
}

/// The session slot that a HELLO may lay claim to: the one held here, else the one on its (verified) cookie, unless it
/// was used up already.
fn claim(held: Held, cookie: Option<Cookie>) -> Option<u32> {
    let carried = cookie.map(|cookie| cookie.slot);
    match held {
        Held::Session(tick) => Some(tick),
        Held::Nothing => carried,
        Held::Spent(tick) => carried.filter(|slot| is_after(*slot, tick)),
        // Its session has begun since: the cookie is a replay.
        Held::Backfill(_) => None,
    }
}

/// Changes a device's word, unless it is as it should be; false if another thread changed it first.
pub(crate) fn swap(word: &AtomicU32, held: Held, next: Held) -> bool {
    held == next || word.compare_exchange(held.word(), next.word(), Relaxed, Relaxed).is_ok()
}
