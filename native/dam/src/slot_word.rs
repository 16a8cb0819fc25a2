//! The word in which a device's slot is kept: 2 bits of state and a wrapping 30-bit tick.

/// Nanoseconds per tick of a slot, about 4.2 ms: a power of two, so that the kernel needs no division.
pub const TICK_NANOS: u64 = 1 << TICK_SHIFT;
/// How early a device may come back: its slot is kept rounded up to a tick, and clocks differ a little.
pub const EARLY_NANOS: u64 = 2 * TICK_NANOS;

const TICK_SHIFT: u32 = 22;
const TICK_BITS: u32 = 30;
const TICK_MASK: u32 = (1 << TICK_BITS) - 1;

/// What a device's word says. A tick wraps after 52 days, so it tells 26 days of past from 26 days of future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// No slot.
    Nothing,
    /// A session slot, promised.
    Session(u32),
    /// A backfill slot, promised.
    Backfill(u32),
    /// Slots up to this tick are used up: an older cookie passes nothing.
    Spent(u32),
}

impl Held {
    pub(crate) const fn from_word(word: u32) -> Self {
        let tick = word & TICK_MASK;
        match word >> TICK_BITS {
            0 => Self::Nothing,
            1 => Self::Session(tick),
            2 => Self::Backfill(tick),
            _ => Self::Spent(tick),
        }
    }

    pub(crate) const fn word(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Session(tick) => 1 << TICK_BITS | tick & TICK_MASK,
            Self::Backfill(tick) => 2 << TICK_BITS | tick & TICK_MASK,
            Self::Spent(tick) => 3 << TICK_BITS | tick & TICK_MASK,
        }
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
        for held in [Held::Nothing, Held::Session(0), Held::Backfill(TICK_MASK), Held::Spent(7)] {
            assert_eq!(Held::from_word(held.word()), held);
        }
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
