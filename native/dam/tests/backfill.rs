//! Backfill slots: reserved by work, once.

mod common;

use common::{Knock, SECOND, small_dam, state, ticks};
use klais_dam::{
    BackfillSlot, Class, Dam, DamConfig, DropReason, HelloVerdict, Layer, Limit, SESSION_WINDOW_NANOS,
    TICK_NANOS, WIDE_WINDOW,
};
use proptest::prelude::*;

/// Backfill at 100 readings a second.
fn dam(devices: u32) -> Dam {
    Dam::new(small_dam(devices)).unwrap()
}

#[test]
fn slots_follow_each_other_by_the_work_owed() {
    let dam = dam(4);
    let slot = |device, readings| dam.reserve_backfill(0, device, readings).unwrap();
    assert_eq!(slot(0, 1_000), BackfillSlot { delay_nanos: 0, credit: 1_000, held: false });
    assert_eq!(slot(1, 50), BackfillSlot { delay_nanos: 10 * SECOND, credit: 50, held: false });
    assert_eq!(slot(2, 1), BackfillSlot { delay_nanos: 10 * SECOND + SECOND / 2, credit: 1, held: false });
    assert_eq!(dam.backfill_queue_nanos(0), 10 * SECOND + SECOND / 2 + SECOND / 100);
}

#[test]
fn asking_again_gives_the_slot_held_and_no_credit() {
    let dam = dam(3);
    dam.reserve_backfill(0, 0, 1_000).unwrap();
    let first = dam.reserve_backfill(0, 1, 50).unwrap();
    let before = state(&dam);
    for (now, readings) in [(0, 50), (SECOND, 1), (5 * SECOND, u32::MAX)] {
        let again = dam.reserve_backfill(now, 1, readings).unwrap();
        assert_eq!((again.credit, again.held), (0, true));
        assert!(again.delay_nanos + now - first.delay_nanos < TICK_NANOS);
    }
    assert_eq!(dam.reserve_backfill(first.delay_nanos + SECOND, 1, 50).unwrap().delay_nanos, 0);
    assert_eq!(state(&dam), before);
    assert!(dam.backfill_started(1));
    assert!(!dam.backfill_started(1));
    assert!(!dam.reserve_backfill(first.delay_nanos, 1, 7).unwrap().held);
}

#[test]
fn a_missed_slot_is_reserved_anew() {
    let dam = dam(1);
    dam.reserve_backfill(0, 0, 10).unwrap();
    let window = WIDE_WINDOW * SESSION_WINDOW_NANOS;
    assert!(dam.reserve_backfill(window, 0, 10).unwrap().held);
    assert!(!dam.reserve_backfill(window + TICK_NANOS, 0, 10).unwrap().held);
}

#[test]
fn refusals_change_nothing() {
    let dam = Dam::new(DamConfig { horizon_nanos: 10 * SECOND, ..small_dam(4) }).unwrap();
    dam.reserve_backfill(0, 0, 600).unwrap();
    dam.block(3);
    let before = state(&dam);
    assert_eq!(dam.reserve_backfill(0, 1, 0), Err(DropReason::InvalidCost));
    assert_eq!(dam.reserve_backfill(0, 1, 401), Err(DropReason::Horizon));
    assert_eq!(dam.reserve_backfill(0, 1, u32::MAX), Err(DropReason::Horizon));
    assert_eq!(dam.reserve_backfill(0, 3, 1), Err(DropReason::Blocked));
    assert_eq!(dam.reserve_backfill(0, 4, 1), Err(DropReason::UnknownDevice));
    assert_eq!(state(&dam), before);
    assert!(dam.reserve_backfill(0, 1, 400).is_ok());
    assert!(!dam.backfill_started(4) && !dam.backfill_started(u32::MAX));
}

#[test]
fn a_hello_within_the_rate_leaves_the_slot() {
    let dam = dam(2);
    let slot = dam.reserve_backfill(0, 0, 1_000).and_then(|_| dam.reserve_backfill(0, 1, 5)).unwrap();
    assert_eq!(dam.knock(0, 1, None, false), HelloVerdict::Pass);
    assert!(dam.reserve_backfill(0, 1, 5).unwrap().held);
    dam.set_limit(Layer::Backfill, Limit::per_second(1, 1)).unwrap();
    assert!(dam.reserve_backfill(slot.delay_nanos, 1, 5).unwrap().delay_nanos < TICK_NANOS);
}

#[test]
fn with_the_layer_off_history_starts_at_once() {
    let dam = Dam::new(DamConfig { backfill: None, ..small_dam(1) }).unwrap();
    for _ in 0..2 {
        let slot = dam.reserve_backfill(0, 0, u32::MAX).unwrap();
        assert_eq!(slot, BackfillSlot { delay_nanos: 0, credit: u32::MAX, held: false });
    }
    assert_eq!(dam.backfill_queue_nanos(0), 0);
}

proptest! {
    /// Work promised by any time, from the slot on, never exceeds the rate; unreserved history keeps out of its way.
    #[test]
    fn work_is_promised_no_faster_than_the_rate(
        steps in prop::collection::vec((ticks(SECOND / 100), 0..8_u32, 1..300_u32, any::<bool>()), 1..100)
    ) {
        let limit = Limit::per_second(1_000, 20);
        let dam = Dam::new(DamConfig { backfill: Some(limit), ..small_dam(8) }).unwrap();
        let (mut now, mut spans) = (0, Vec::new());
        for (tick, device, readings, reserve) in steps {
            now = tick.apply(now);
            if !reserve {
                let _ = dam.admit(now, device, Class::Backfill, readings % 20 + 1);
            } else if let Ok(slot) = dam.reserve_backfill(now, device, readings) && !slot.held {
                spans.push((now + slot.delay_nanos, u64::from(readings) * (SECOND / 1_000)));
                dam.backfill_started(device);
            }
        }
        // No two pieces of work overlap, but for the rounding of a start to the next nanosecond.
        for pair in spans.windows(2) {
            prop_assert!(pair[1].0 + 1 >= pair[0].0 + pair[0].1, "{:?}", pair);
        }
    }
}
