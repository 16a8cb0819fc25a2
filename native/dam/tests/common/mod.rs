//! What the tests share: limits, clocks and the bound that must hold.
#![allow(dead_code, reason = "each test file uses its part")]

use klais_dam::{Attempt, Cookie, Dam, DamConfig, HelloVerdict, Limit, SessionMode};
use proptest::prelude::*;

pub const SECOND: u64 = 1_000_000_000;
pub const HOUR: u64 = 3_600 * SECOND;
pub const YEAR: u64 = 365 * 24 * HOUR;

/// Whether `admitted <= burst + rate * elapsed`, in integers.
pub fn within_bound(limit: Limit, admitted: u64, elapsed_nanos: u64) -> bool {
    let over = u128::from(admitted.saturating_sub(limit.burst));
    over * u128::from(limit.period_nanos) <= u128::from(limit.events) * u128::from(elapsed_nanos)
}

/// Passes of some cost at some time, and the bound over every window of them.
#[derive(Default)]
pub struct Admitted(Vec<(u64, u64)>);

impl Admitted {
    pub fn push(&mut self, now: u64, cost: u64) {
        self.0.push((now, cost));
    }

    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, cost)| cost).sum()
    }

    /// Checks every run of consecutive passes. The clock may have jumped: what counts is its span within the run.
    pub fn check(&self, limit: Limit) -> Result<(), TestCaseError> {
        for first in 0..self.0.len() {
            let (mut low, mut high, mut sum) = (u64::MAX, 0, 0);
            for (now, cost) in &self.0[first..] {
                low = low.min(*now);
                high = high.max(*now);
                sum += cost;
                prop_assert!(
                    within_bound(limit, sum, high - low),
                    "{sum} within {} ns of {limit:?}",
                    high - low
                );
            }
        }
        Ok(())
    }
}

/// Rates named by users and by bugs, and random ones, with small and large bursts.
pub fn limits() -> impl Strategy<Value = Limit> {
    let events = prop_oneof![
        Just(1),
        Just(3),
        Just(7),
        Just(900),
        Just(1_000_003),
        Just(50_000_000),
        Just(600_000_000),
        Just(1_500_000_000),
        1..50_000_000_u64,
        any::<u64>(),
    ];
    let period = prop_oneof![8 => Just(SECOND), 1 => Just(HOUR), 1 => Just(YEAR), 1 => any::<u64>()];
    let burst = prop_oneof![Just(1), 2..20_u64, Just(1_000), any::<u64>()];
    (events, period, burst).prop_map(|(events, period, burst)| Limit::per_period(events, period, burst))
}

/// Limits that any dam takes on.
pub fn plain_limits() -> impl Strategy<Value = Limit> {
    (1..5_000_000_u64, 1..30_u64).prop_map(|(rate, burst)| Limit::per_second(rate, burst))
}

/// A step of a clock.
#[derive(Clone, Copy, Debug)]
pub enum Tick {
    Forward(u64),
    Back(u64),
    To(u64),
}

impl Tick {
    pub fn apply(self, now: u64) -> u64 {
        match self {
            Self::Forward(nanos) => now.saturating_add(nanos),
            Self::Back(nanos) => now.saturating_sub(nanos),
            Self::To(nanos) => nanos,
        }
    }
}

/// Steps around an interval, and jumps either way, to the ends of the range too.
pub fn ticks(interval: u64) -> impl Strategy<Value = Tick> {
    let interval = interval.max(1);
    prop_oneof![
        4 => Just(Tick::Forward(0)),
        4 => Just(Tick::Forward(interval)),
        4 => Just(Tick::Forward(interval - 1)),
        4 => Just(Tick::Forward(interval.saturating_add(interval / 10 * 9))),
        4 => (0..interval.saturating_mul(4)).prop_map(Tick::Forward),
        2 => (0..interval.saturating_mul(4)).prop_map(Tick::Back),
        1 => Just(Tick::Forward(8 * HOUR)),
        1 => Just(Tick::Back(8 * HOUR)),
        1 => any::<u64>().prop_map(Tick::To),
        1 => (0..3_u64).prop_map(|n| Tick::To(u64::MAX - n)),
        1 => Just(Tick::To(0)),
    ]
}

/// A small dam with every layer on and slots given out.
pub fn small_dam(devices: u32) -> DamConfig {
    DamConfig {
        device: Some(Limit::per_second(10, 5)),
        control: Some(Limit::per_second(100, 20)),
        live: Some(Limit::per_second(100, 20)),
        backfill: Some(Limit::per_second(100, 20)),
        global: Some(Limit::per_second(300, 40)),
        sessions: Some(Limit::per_second(50, 5)),
        session_mode: SessionMode::Slots,
        cookie_key: *b"a key of the dam",
        key_epoch: 1,
        ..DamConfig::open(devices)
    }
}

/// A device that counts its HELLOs.
pub trait Knock {
    /// The device's next HELLO.
    fn knock(&self, now: u64, device: u32, cookie: Option<Cookie>, wide_window: bool) -> HelloVerdict;
    /// The last HELLO that the dam has seen of a device.
    fn last_attempt(&self, device: u32) -> Attempt;
}

impl Knock for Dam {
    fn knock(&self, now: u64, device: u32, cookie: Option<Cookie>, wide_window: bool) -> HelloVerdict {
        let last = self.last_attempt(device);
        let next = Attempt { session: last.session.wrapping_add(1), ..last };
        self.hello(now, device, next, cookie, wide_window)
    }

    fn last_attempt(&self, device: u32) -> Attempt {
        let word = self.slot_word(device);
        Attempt { epoch: (word >> 16) as u16, session: word as u16 }
    }
}

/// Everything that a dam charges.
pub fn state(dam: &Dam) -> ([u64; 5], Vec<u64>) {
    (dam.tats(), (0..dam.devices()).map(|device| dam.device_tat(device)).collect())
}
