//! The word in which a device's slot is kept: 2 bits of state, a wrapping 30-bit tick, and the 32 bits of the last attempt.

/// Nanoseconds per tick of a slot, about 4.2 ms: a power of two, so that the kernel needs no division.
pub const TICK_NANOS: u64 = 1 << TICK_SHIFT;
/// How early a device may come back: its slot is kept rounded up to a tick, and clocks differ a little.
pub const EARLY_NANOS: u64 = 2 * TICK_NANOS;

const TICK_SHIFT: u32 = 22;
const TICK_BITS: u32 = 30;
const TICK_MASK: u32 = (1 << TICK_BITS) - 1;
/// Where the tick lies in the word; the state is above it, the attempt below.
const ATTEMPT_BITS: u32 = 32;
const STATE_SHIFT: u32 = ATTEMPT_BITS + TICK_BITS;

/// Which HELLO of a device this is. A device counts its HELLOs, and raises its epoch when it has lost its ring: so the newer of
/// two is told, within half a turn of either number, and a copy of an old one is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Attempt {
    /// The device's epoch.
    pub epoch: u16,
    /// The number of the HELLO within the life of the device.
    pub session: u16,
}

/// How an attempt stands to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    Older,
    Same,
    Newer,
}

impl Attempt {
    /// Serial-number arithmetic (RFC 1982), the epoch first.
    pub(crate) const fn age(self, than: Self) -> Age {
        let epochs = self.epoch.wrapping_sub(than.epoch);
        let ahead = if epochs == 0 { self.session.wrapping_sub(than.session) } else { epochs };
        match ahead {
            0 => Age::Same,
            1..0x8000 => Age::Newer,
            _ => Age::Older,
        }
    }
}

/// A device's slot. A tick wraps after 52 days, so it tells 26 days of past from 26 days of future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// None.
    Nothing,
    /// A session slot, promised.
    Session(u32),
    /// A backfill slot, promised.
    Backfill(u32),
    /// Slots up to this tick are used up: an older cookie passes nothing.
    Spent(u32),
}

/// What a device's word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) slot: Slot,
    /// The last HELLO that was answered or passed.
    pub(crate) attempt: Attempt,
}

impl Held {
    pub(crate) const fn from_word(word: u64) -> Self {
        let tick = (word >> ATTEMPT_BITS) as u32 & TICK_MASK;
        let slot = match word >> STATE_SHIFT {
            0 => Slot::Nothing,
            1 => Slot::Session(tick),
            2 => Slot::Backfill(tick),
            _ => Slot::Spent(tick),
        };
        Self { slot, attempt: Attempt { epoch: (word >> 16) as u16, session: word as u16 } }
    }

    pub(crate) const fn word(self) -> u64 {
        let (state, tick) = match self.slot {
            Slot::Nothing => (0, 0),
            Slot::Session(tick) => (1, tick),
            Slot::Backfill(tick) => (2, tick),
            Slot::Spent(tick) => (3, tick),
        };
        let attempt = (self.attempt.epoch as u64) << 16 | self.attempt.session as u64;
        state << STATE_SHIFT | ((tick & TICK_MASK) as u64) << ATTEMPT_BITS | attempt
    }

    /// Whether no HELLO of this device has been seen.
    pub(crate) const fn is_blank(self) -> bool {
        self.word() == 0
    }

    /// The same attempt with another slot.
    pub(crate) const fn with(self, slot: Slot) -> Self {
        Self { slot, attempt: self.attempt }
    }
}

/// The tick of a time, rounded up.
pub(crate) const fn tick_at(nanos: u64) -> u32 {
    let up = (nanos & (TICK_NANOS - 1) != 0) as u64;
    ((nanos >> TICK_SHIFT) + up) as u32 & TICK_MASK
}

/// Nanoseconds from `now` to a tick, negative when it is past.
pub(crate) const fn nanos_until(tick: u32, now: u64) -> i64 {
    let now_tick = (now >> TICK_SHIFT) as u32;
    ticks_between(tick, now_tick) * TICK_NANOS as i64 - (now & (TICK_NANOS - 1)) as i64
}

/// Whether `tick` is later than `other`, within half a turn.
pub(crate) const fn is_after(tick: u32, other: u32) -> bool {
    ticks_between(tick, other) > 0
}

/// `tick` later by some ticks.
pub(crate) const fn later(tick: u32, ticks: u32) -> u32 {
    tick.wrapping_add(ticks) & TICK_MASK
}

/// `tick - other`, within half a turn either way.
const fn ticks_between(tick: u32, other: u32) -> i64 {
    let spare = u32::BITS - TICK_BITS;
    ((tick.wrapping_sub(other) << spare) as i32 >> spare) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_what_was_put_in() {
        for slot in [Slot::Nothing, Slot::Session(0), Slot::Backfill(TICK_MASK), Slot::Spent(7)] {
            for (epoch, session) in [(0, 0), (0, 1), (u16::MAX, 0x8000), (3, u16::MAX)] {
                let held = Held { slot, attempt: Attempt { epoch, session } };
                assert_eq!(Held::from_word(held.word()), held);
            }
        }
    }

    #[test]
    fn attempts_are_ordered_within_half_a_turn_the_epoch_first() {
        let attempt = |epoch, session| Attempt { epoch, session };
        assert_eq!(attempt(0, 1).age(attempt(0, 1)), Age::Same);
        assert_eq!(attempt(0, 2).age(attempt(0, 1)), Age::Newer);
        assert_eq!(attempt(0, 3).age(attempt(0, u16::MAX - 3)), Age::Newer);
        assert_eq!(attempt(0, 0x8001).age(attempt(0, 1)), Age::Older);
        assert_eq!(attempt(1, 0).age(attempt(0, 500)), Age::Newer);
        assert_eq!(attempt(u16::MAX, 900).age(attempt(0, 1)), Age::Older);
    }

    #[test]
    fn ticks_wrap_and_still_compare() {
        for now in [0, 1, TICK_NANOS, TICK_NANOS << TICK_BITS, u64::MAX / 2, u64::MAX - 10 * TICK_NANOS] {
            let tick = tick_at(now + 5 * TICK_NANOS);
            let until = nanos_until(tick, now);
            assert!(until >= 5 * TICK_NANOS as i64 && until < 6 * TICK_NANOS as i64, "{now}: {until}");
            assert!(nanos_until(tick, now + 7 * TICK_NANOS) < 0);
            assert!(is_after(later(tick, 1), tick) && !is_after(tick, tick));
        }
    }
}
