//! Session slots: a queue without memory.
//!
//! A HELLO that cannot pass now advances the session bucket all the same, and its sender is told to come back exactly
//! when the bucket will have got there. A herd becomes a queue that drains at the session rate, without a retry lottery.
//! One word per device remembers its slot, so that repeats, lost answers and floods of either move nobody's slot; it
//! remembers the device's last HELLO too, so that a copy opens nothing and reserves nothing. A cookie lets the promise
//! outlive the gateway that made it.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::gcra::{Ask, Charge, MAX_RETRIES};
use crate::slot_word::{Age, Attempt, EARLY_NANOS, Held, Slot, is_after, nanos_until, tick_at};
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
    /// A HELLO counts once: a copy of the last one, `attempt` being the same, gets the same DEFER while the slot stands, and
    /// passes never; a copy of an older one gets nothing. So whoever replays what he has overheard takes nobody's place.
    ///
    /// Drops: `UnknownDevice`, `Blocked`, `BadCookie` (say HELLO again without it), `SessionRate` (mode `Drop`), `Horizon`
    /// (the queue is longer than the dam promises), `Replayed`, `Contended`. None of them changes anything.
    pub fn hello(
        &self,
        now: u64,
        device: u32,
        attempt: Attempt,
        cookie: Option<Cookie>,
        wide_window: bool,
    ) -> HelloVerdict {
        if let Err(reason) = self.knows(device) {
            return HelloVerdict::Drop(reason);
        }
        if self.session_mode == SessionMode::Open || self.state.sessions.is_off() {
            return HelloVerdict::Pass;
        }
        if self.session_mode == SessionMode::Drop {
            let pace = self.state.sessions.pace();
            return match pace.ask(1).and_then(|ask| self.state.sessions.charge(self.units(now), ask)) {
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
            if let Some(verdict) = self.answer(now, device, attempt, cookie, window, word) {
                return verdict;
            }
        }
        HelloVerdict::Drop(DropReason::Contended)
    }

    /// How long a newcomer's HELLO would wait now, in nanoseconds: how far ahead session slots are promised.
    #[must_use]
    pub fn session_queue_nanos(&self, now: u64) -> u64 {
        let pace = self.state.sessions.pace();
        let ahead = self.state.sessions.tat().saturating_sub(self.units(now));
        Shift::DAM.nanos(ahead.saturating_add(pace.interval).saturating_sub(pace.span))
    }

    /// One try; `None` if another thread changed the device's word meanwhile.
    fn answer(
        &self,
        now: u64,
        device: u32,
        attempt: Attempt,
        cookie: Option<Cookie>,
        window: u64,
        word: &AtomicU64,
    ) -> Option<HelloVerdict> {
        let held = Held::from_word(word.load(Relaxed));
        if !held.is_blank() {
            match attempt.age(held.attempt) {
                Age::Older => return Some(HelloVerdict::Drop(DropReason::Replayed)),
                Age::Same => return Some(self.answer_copy(now, device, held, window)),
                Age::Newer => {}
            }
        }
        if let Some(tick) = claim(held.slot, cookie) {
            match self.standing(tick, now, window) {
                Standing::Due => {
                    let next = Held { slot: Slot::Spent(tick), attempt };
                    return swap(word, held, next).then_some(HelloVerdict::Pass);
                }
                Standing::Early { delay_nanos } => {
                    let cookie = self.keys.sign(device, tick);
                    let deferred = HelloVerdict::Defer { delay_nanos, cookie };
                    let next = Held { slot: Slot::Session(tick), attempt };
                    return swap(word, held, next).then_some(deferred);
                }
                Standing::Over => {}
            }
        }
        self.answer_newcomer(now, device, attempt, held, word)
    }

    /// A copy of the last HELLO: its answer may have been lost, so it is given again, and no more than that.
    fn answer_copy(&self, now: u64, device: u32, held: Held, window: u64) -> HelloVerdict {
        let Slot::Session(tick) = held.slot else {
            return HelloVerdict::Drop(DropReason::Replayed);
        };
        let delay_nanos = match self.standing(tick, now, window) {
            Standing::Early { delay_nanos } => delay_nanos,
            Standing::Due => 0,
            Standing::Over => return HelloVerdict::Drop(DropReason::Replayed),
        };
        HelloVerdict::Defer { delay_nanos, cookie: self.keys.sign(device, tick) }
    }

    /// A HELLO that holds no slot: charged, and passed or deferred.
    fn answer_newcomer(
        &self,
        now: u64,
        device: u32,
        attempt: Attempt,
        held: Held,
        word: &AtomicU64,
    ) -> Option<HelloVerdict> {
        let pace = self.state.sessions.pace();
        let units = self.units(now);
        let horizon = self.horizon_units().saturating_add(pace.span);
        let ask = Ask { work: pace.interval, tolerance: horizon.saturating_sub(pace.interval) };
        let charged = match self.state.sessions.charge(units, ask) {
            Ok(charged) => charged,
            Err(refusal) => return Some(HelloVerdict::Drop(DropReason::of(refusal, DropReason::Horizon))),
        };
        let late = (charged.after - units).saturating_sub(pace.span);
        let (verdict, slot) = if late == 0 {
            // A missed slot must not come back to life under a wider window.
            let slot = if let Slot::Session(tick) = held.slot { Slot::Spent(tick) } else { held.slot };
            (HelloVerdict::Pass, slot)
        } else {
            let delay_nanos = Shift::DAM.nanos(late);
            let tick = tick_at(now.saturating_add(delay_nanos));
            (HelloVerdict::Defer { delay_nanos, cookie: self.keys.sign(device, tick) }, Slot::Session(tick))
        };
        if swap(word, held, Held { slot, attempt }) {
            return Some(verdict);
        }
        if charged != Charge::NONE {
            self.state.sessions.refund(charged);
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
fn claim(held: Slot, cookie: Option<Cookie>) -> Option<u32> {
    let carried = cookie.map(|cookie| cookie.slot);
    match held {
        Slot::Session(tick) => Some(tick),
        Slot::Nothing => carried,
        Slot::Spent(tick) => carried.filter(|slot| is_after(*slot, tick)),
        // Its session has begun since: the cookie is of the time before.
        Slot::Backfill(_) => None,
    }
}

/// Changes a device's word, unless it is as it should be; false if another thread changed it first.
pub(crate) fn swap(word: &AtomicU64, held: Held, next: Held) -> bool {
    held == next || word.compare_exchange(held.word(), next.word(), Relaxed, Relaxed).is_ok()
}
