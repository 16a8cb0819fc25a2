//! One bucket: never more than burst + rate x t, in the long run the rate, whatever the clock does.

mod common;

use common::{Admitted, HOUR, SECOND, Tick, YEAR, limits, ticks, within_bound};
use klais_dam::{Bucket, DamError, Limit, Refusal, Shift};
use proptest::prelude::*;

/// Polls at a fixed spacing, cost 1, and counts the passes up to and including `end`.
fn poll(limit: Limit, spacing: u64, end: u64) -> u64 {
    let bucket = Bucket::new(limit).unwrap();
    (0..=end / spacing).map(|n| u64::from(bucket.admit(n * spacing, 1).is_ok())).sum()
}

/// Takes as much as passes at every poll, `cost` at a time.
fn drain(limit: Limit, cost: u32, spacing: u64, end: u64) -> u64 {
    let bucket = Bucket::new(limit).unwrap();
    let mut passed = 0;
    for n in 0..=end / spacing {
        while bucket.admit(n * spacing, cost).is_ok() {
            passed += u64::from(cost);
        }
    }
    passed
}

/// A steady rate, within 0.01 % and one event.
fn assert_rate(limit: Limit, passed: u64, end: u64) {
    let earned = u128::from(limit.events) * u128::from(end) / u128::from(limit.period_nanos);
    let expected = earned as u64 + limit.burst;
    assert!(within_bound(limit, passed, end), "{passed} of {expected}");
    assert!(expected - passed <= 1 + expected / 10_000, "{passed} of {expected}, {limit:?}");
}

proptest! {
    #[test]
    fn no_window_admits_more_than_burst_and_rate(
        (limit, steps) in limits().prop_flat_map(|limit| {
            let interval = limit.period_nanos / limit.events.max(1);
            let costs = prop_oneof![4 => Just(1), 4 => 1..8_u32, 1 => any::<u32>()];
            (Just(limit), prop::collection::vec((ticks(interval), costs), 1..200))
        })
    ) {
        let Ok(bucket) = Bucket::new(limit) else { return Ok(()) };
        let mut admitted = Admitted::default();
        let mut now = 0;
        for (tick, cost) in steps {
            now = tick.apply(now);
            if bucket.admit(now, cost).is_ok() {
                admitted.push(now, u64::from(cost));
            }
        }
        admitted.check(limit)?;
    }

    #[test]
    fn no_window_admits_more_than_the_largest_of_changing_limits(
        low in 1..1_000_u64, high in 1_000..1_000_000_u64, burst in 1..10_u64,
        steps in prop::collection::vec((ticks(SECOND / 500), any::<bool>()), 1..100)
    ) {
        let (low, high) = (Limit::per_second(low, burst), Limit::per_second(high, burst));
        let bucket = Bucket::with_shift(low, Shift::DAM).unwrap();
        let mut admitted = Admitted::default();
        let mut now = 0;
        for (tick, raise) in steps {
            // Lowering under a bucket that is ahead leaves its debt; raising forgives none.
            bucket.set_limit(if raise { high } else { low }).unwrap();
            now = tick.apply(now);
            if bucket.admit(now, 1).is_ok() {
                admitted.push(now, 1);
            }
        }
        // Events charged at the high rate and forgotten at the low one: a burst of each at most.
        admitted.check(Limit { burst: 2 * burst, ..high })?;
    }

    #[test]
    fn the_long_run_rate_is_exact(rate in 1..=50_000_000_u64, per_event in 12..30_u64) {
        let limit = Limit::per_second(rate, 3);
        // More than one poll per event, and not in step with the rate.
        let spacing = SECOND * 10 / (rate * per_event);
        let end = spacing * 200_000;
        assert_rate(limit, poll(limit, spacing, end), end);
    }

    #[test]
    fn an_idle_bucket_grants_exactly_one_burst(burst in 1..500_u64, rate in 1..1_000_000_u64, idle in 0..100 * YEAR) {
        let limit = Limit::per_second(rate, burst);
        let bucket = Bucket::new(limit).unwrap();
        let _ = bucket.admit(0, 1);
        let now = (burst + 1) * SECOND + idle;
        prop_assume!(Shift::fitting(limit).unwrap().reach_nanos() > now + burst * SECOND);
        let passed = (0..2 * burst).filter(|_| bucket.admit(now, 1).is_ok()).count() as u64;
        prop_assert_eq!(passed, burst);
    }

    #[test]
    fn a_refusal_changes_nothing(limit in limits(), now in any::<u64>(), cost in any::<u32>()) {
        let Ok(bucket) = Bucket::new(limit) else { return Ok(()) };
        let before = bucket.tat();
        let passed = bucket.admit(now, cost).is_ok();
        prop_assert_eq!(passed, bucket.tat() != before);
    }
}

#[test]
fn fast_rates_hold_in_the_long_run() {
    for rate in [1_000_003, 7_777_777, 33_333_333, 49_999_999, 50_000_000] {
        let limit = Limit::per_second(rate, 100);
        assert_rate(limit, drain(limit, 1, 1_000, SECOND / 50), SECOND / 50);
    }
    // Not a whole number of nanoseconds apart: exact, or refused by a bucket too coarse for them.
    for rate in [600_000_000, 1_500_000_000] {
        let limit = Limit::per_second(rate, 3_000);
        assert_rate(limit, drain(limit, 3, 1_000, SECOND / 1_000), SECOND / 1_000);
        let refused = Bucket::with_shift(limit, Shift::DAM).map(|_| ());
        assert_eq!(refused, Err(DamError::RateTooFast { events: rate, period_nanos: SECOND }));
    }
}

#[test]
fn refill_is_not_lost_to_the_spacing_of_polls() {
    let limit = Limit::per_second(900, 10);
    assert_rate(limit, poll(limit, 1_100_000, 10 * SECOND), 10 * SECOND);
    let slow = Limit::per_second(1, 1);
    let passed = poll(slow, 1_999, 20 * SECOND);
    assert!((20..=21).contains(&passed), "{passed}");
}

#[test]
fn polls_around_the_interval() {
    let second = Limit::per_second(1, 1);
    assert_eq!(poll(second, SECOND, 10 * SECOND), 11);
    assert_eq!(poll(second, SECOND - 1, 10 * (SECOND - 1)), 6);
    // A burst of 1 saves nothing up: one per poll.
    assert_eq!(poll(second, SECOND / 10 * 19, SECOND / 10 * 190), 11);
    // A burst of 2 saves the rest up.
    assert_eq!(poll(Limit::per_second(1, 2), SECOND - 1, 10 * (SECOND - 1)), 11);
}

#[test]
fn costs_pass_whole_or_not_at_all() {
    let bucket = Bucket::new(Limit::per_second(10, 5)).unwrap();
    for cost in [0, 6, u32::MAX] {
        assert_eq!(bucket.admit(0, cost), Err(Refusal::Cost));
    }
    assert_eq!(bucket.admit(0, 5), Ok(()));
    assert_eq!(bucket.admit(0, 1), Err(Refusal::Rate));
    assert_eq!(bucket.admit(SECOND / 10 * 4, 5), Err(Refusal::Rate));
    assert_eq!(bucket.admit(SECOND / 10 * 4, 4), Ok(()));
    let largest = Bucket::new(Limit::per_second(1_000_000_000, u64::from(u32::MAX))).unwrap();
    assert_eq!(largest.admit(0, u32::MAX), Ok(()));
    assert_eq!(largest.admit(0, 1), Err(Refusal::Rate));
    assert_eq!(largest.ahead_nanos(0), u64::from(u32::MAX));
}

#[test]
fn a_clock_that_jumps_back_refuses_until_it_has_caught_up() {
    let bucket = Bucket::new(Limit::per_second(1, 2)).unwrap();
    let now = 10 * HOUR;
    assert_eq!(bucket.admit(now, 2), Ok(()));
    for back in [now - 8 * HOUR, 0] {
        assert_eq!(bucket.admit(back, 1), Err(Refusal::Rate));
    }
    assert_eq!(bucket.admit(now + SECOND, 1), Ok(()));
    assert_eq!(bucket.admit(now + 8 * HOUR, 2), Ok(()));
    assert_eq!(bucket.admit(now + 8 * HOUR, 1), Err(Refusal::Rate));
}

#[test]
fn the_end_of_time_lets_nothing_extra_through() {
    for rate in [1, 900, 50_000_000] {
        let bucket = Bucket::new(Limit::per_second(rate, 4)).unwrap();
        let passed = (0..100).filter(|n| bucket.admit(u64::MAX - n % 2, 1).is_ok()).count();
        assert!(passed <= 4, "{passed}");
        assert_eq!(Tick::To(0).apply(7), 0);
        assert!(bucket.admit(0, 1).is_err() || passed == 0);
    }
}

#[test]
fn limits_out_of_range_are_refused() {
    let error = |limit| Bucket::new(limit).map(|_| ()).unwrap_err();
    assert_eq!(error(Limit::per_second(0, 1)), DamError::ZeroRate);
    assert_eq!(error(Limit::per_period(1, 0, 1)), DamError::ZeroRate);
    assert_eq!(error(Limit::per_second(1, 0)), DamError::ZeroBurst);
    assert_eq!(error(Limit::per_second(1, 1 << 32)), DamError::BurstTooLarge { burst: 1 << 32 });
    assert!(matches!(error(Limit::per_second(u64::MAX, 1)), DamError::RateTooFast { .. }));
    assert!(matches!(error(Limit::per_period(1, YEAR, 1_000)), DamError::SpanTooLong { .. }));
    // A thousand a year, saved up for a year, is fine.
    let yearly = Bucket::new(Limit::per_period(1_000, YEAR, 1_000)).unwrap();
    assert_eq!(yearly.admit(0, 1_000), Ok(()));
    assert_eq!(yearly.admit(YEAR / 2, 501), Err(Refusal::Rate));
    assert_eq!(yearly.admit(YEAR / 2 + SECOND, 500), Ok(()));
}

#[test]
fn slow_limits_reach_for_centuries() {
    assert!(Shift::fitting(Limit::per_second(1, 1)).unwrap().reach_nanos() > 500 * YEAR);
    assert!(Shift::fitting(Limit::per_second(1_000, 1_000)).unwrap().reach_nanos() > 500 * YEAR);
    assert!(Shift::fitting(Limit::per_second(49_999_999, 1)).unwrap().reach_nanos() > YEAR);
}
