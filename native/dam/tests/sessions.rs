//! HELLOs: one slot per device, cookies, windows.

mod common;

use common::{HOUR, Knock, SECOND, plain_limits, small_dam, state, ticks, within_bound};
use klais_dam::{
    Cookie, Dam, DamConfig, DropReason, EARLY_NANOS, HelloVerdict, Layer, Limit, SESSION_WINDOW_NANOS,
    SessionMode, TICK_NANOS, WIDE_WINDOW,
};
use proptest::prelude::*;

/// One session a second, burst 1.
fn slow_dam(devices: u32) -> DamConfig {
    DamConfig { sessions: Some(Limit::per_second(1, 1)), ..small_dam(devices) }
}

/// A dam whose first slot is taken, at time 0.
fn busy_dam(devices: u32) -> Dam {
    let dam = Dam::new(slow_dam(devices)).unwrap();
    assert_eq!(dam.knock(0, 0, None, false), HelloVerdict::Pass);
    dam
}

fn deferred(verdict: HelloVerdict) -> (u64, Cookie) {
    match verdict {
        HelloVerdict::Defer { delay_nanos, cookie } => (delay_nanos, cookie),
        other => panic!("not deferred but {other:?}"),
    }
}

#[test]
fn a_herd_becomes_a_queue() {
    let dam = busy_dam(5);
    for device in 1..5 {
        let (delay, cookie) = deferred(dam.knock(0, device, None, false));
        assert_eq!(delay, u64::from(device) * SECOND);
        assert_eq!(dam.session_queue_nanos(0), delay + SECOND);
        // Lost answers and impatience: the same slot (kept to a tick), the same cookie, and nobody pushed out.
        for later in [0, 1, SECOND / 3] {
            let (again, same) = deferred(dam.knock(later, device, None, false));
            assert!((later + again - delay) < TICK_NANOS, "{again}");
            assert_eq!(same, cookie);
            assert_eq!(deferred(dam.knock(later, device, Some(cookie), false)).1, cookie);
        }
        assert_eq!(dam.session_queue_nanos(0), delay + SECOND);
    }
    assert_eq!(dam.session_queue_nanos(10 * SECOND), 0);
}

#[test]
fn back_in_its_slot_a_device_passes_without_another_charge_and_once() {
    for early in [0, EARLY_NANOS - TICK_NANOS] {
        for with_cookie in [false, true] {
            let dam = busy_dam(3);
            let (delay, cookie) = deferred(dam.knock(0, 1, None, false));
            let before = dam.tats();
            let now = delay - early;
            assert_eq!(dam.knock(now, 1, with_cookie.then_some(cookie), false), HelloVerdict::Pass);
            assert_eq!(dam.tats(), before);
            // A replay is a newcomer, who pays and waits.
            let (wait, _) = deferred(dam.knock(now, 1, Some(cookie), false));
            assert!(wait >= SECOND, "{wait}");
            assert_ne!(dam.tats(), before);
        }
    }
}

#[test]
fn too_early_is_deferred_to_the_same_slot() {
    let dam = busy_dam(2);
    let (delay, cookie) = deferred(dam.knock(0, 1, None, false));
    let now = delay - EARLY_NANOS - 1;
    let (again, same) = deferred(dam.knock(now, 1, Some(cookie), false));
    assert_eq!(same, cookie);
    assert!(again > EARLY_NANOS && again <= EARLY_NANOS + 1 + TICK_NANOS, "{again}");
}

#[test]
fn a_missed_slot_is_forgotten_and_sleepers_have_longer() {
    let over = SECOND + SESSION_WINDOW_NANOS;
    let pass_at = |now, wide| {
        let dam = busy_dam(2);
        let (_, cookie) = deferred(dam.knock(0, 1, None, wide));
        // Others keep the queue full, so that only a slot passes.
        dam.set_limit(Layer::Sessions, Limit::per_period(1, HOUR, 1)).unwrap();
        let before = dam.tats();
        let verdict = dam.knock(now, 1, Some(cookie), wide);
        (verdict == HelloVerdict::Pass && dam.tats() == before, verdict)
    };
    assert!(pass_at(over, false).0);
    assert!(!pass_at(over + TICK_NANOS, false).0);
    assert!(pass_at(over + TICK_NANOS, true).0);
    assert!(pass_at(SECOND + WIDE_WINDOW * SESSION_WINDOW_NANOS, true).0);
    assert!(!pass_at(SECOND + WIDE_WINDOW * SESSION_WINDOW_NANOS + TICK_NANOS, true).0);
}

#[test]
fn a_slot_missed_and_paid_for_again_does_not_come_back() {
    let dam = busy_dam(2);
    let (delay, cookie) = deferred(dam.knock(0, 1, None, false));
    let now = delay + SESSION_WINDOW_NANOS + SECOND;
    assert_eq!(dam.knock(now, 1, Some(cookie), false), HelloVerdict::Pass);
    let paid = dam.tats();
    // The old cookie, under the wider window of a sleepy device.
    assert_ne!(dam.knock(now, 1, Some(cookie), true), HelloVerdict::Pass);
    assert_ne!(dam.tats(), paid);
}

#[test]
fn cookies_of_others_altered_or_under_old_keys_are_refused() {
    let mut dam = busy_dam(4);
    let (delay, cookie) = deferred(dam.knock(0, 1, None, false));
    let (_, of_another) = deferred(dam.knock(0, 2, None, false));
    let before = state(&dam);
    let bad = [
        of_another,
        Cookie { mac: cookie.mac ^ 1, ..cookie },
        Cookie { slot: cookie.slot + 1, ..cookie },
        Cookie { slot: cookie.slot ^ 1 << 31, ..cookie },
        Cookie { slot: 0, mac: 0 },
        Cookie { slot: u32::MAX, mac: u64::MAX },
    ];
    for cookie in bad {
        for now in [0, delay] {
            assert_eq!(dam.knock(now, 1, Some(cookie), false), HelloVerdict::Drop(DropReason::BadCookie));
        }
    }
    assert_eq!(state(&dam), before);
    dam.rotate_key(*b"another key here", 2);
    let (_, renewed) = deferred(dam.knock(0, 1, Some(cookie), false));
    assert_eq!(renewed.slot, cookie.slot);
    assert_ne!(renewed.mac, cookie.mac);
    dam.rotate_key(*b"yet another key!", 3);
    assert_eq!(dam.knock(0, 1, Some(cookie), false), HelloVerdict::Drop(DropReason::BadCookie));
    assert_eq!(dam.knock(delay, 1, Some(renewed), false), HelloVerdict::Pass);
}

#[test]
fn a_key_is_bound_to_its_epoch() {
    let dam = busy_dam(2);
    let (delay, cookie) = deferred(dam.knock(0, 1, None, false));
    let other = Dam::new(DamConfig { key_epoch: 2, ..slow_dam(2) }).unwrap();
    assert_eq!(other.knock(delay, 1, Some(cookie), false), HelloVerdict::Drop(DropReason::BadCookie));
}

#[test]
fn a_promise_outlives_its_gateway_and_counts_once() {
    let dead = busy_dam(3);
    let (_, early) = deferred(dead.knock(0, 1, None, false));
    let (delay, cookie) = deferred(dead.knock(0, 2, None, false));
    let heir = busy_dam(3);
    let before = heir.tats();
    // Too early: the heir takes the promise over. In time: it keeps it, and no second time.
    assert_eq!(deferred(heir.knock(SECOND / 2, 1, Some(early), false)).1, early);
    assert_eq!(heir.knock(SECOND, 1, None, false), HelloVerdict::Pass);
    assert_eq!(heir.knock(delay, 2, Some(cookie), false), HelloVerdict::Pass);
    assert_eq!(heir.tats(), before);
    let _ = heir.knock(delay, 2, Some(cookie), false);
    assert_ne!(heir.tats(), before);
    // Not after the device has gone on to its history either.
    assert!(heir.reserve_backfill(delay, 1, 1).is_ok() && heir.backfill_started(1));
    let before = heir.tats();
    let _ = heir.knock(delay, 1, Some(early), false);
    assert_ne!(heir.tats(), before);
}

#[test]
fn a_cookie_does_not_pass_again_while_history_waits() {
    let dam = busy_dam(2);
    let (delay, cookie) = deferred(dam.knock(0, 1, None, false));
    assert_eq!(dam.knock(delay, 1, Some(cookie), false), HelloVerdict::Pass);
    dam.reserve_backfill(delay, 1, 100).unwrap();
    let paid = dam.tats();
    let _ = dam.knock(delay, 1, Some(cookie), false);
    assert_ne!(dam.tats(), paid);
}

#[test]
fn a_relic_of_a_slot_is_not_taken_for_one_to_come() {
    // After 26 days a tick seems to lie ahead: further than any promise.
    let dam = busy_dam(2);
    let _ = deferred(dam.knock(0, 1, None, false));
    assert_eq!(dam.knock(30 * 24 * HOUR, 1, None, false), HelloVerdict::Pass);
    dam.reserve_backfill(30 * 24 * HOUR, 1, 100).unwrap();
    assert!(!dam.reserve_backfill(60 * 24 * HOUR, 1, 100).unwrap().held);
}

#[test]
fn modes_and_drops() {
    let drop = Dam::new(DamConfig { session_mode: SessionMode::Drop, ..slow_dam(2) }).unwrap();
    assert_eq!(drop.knock(0, 0, None, false), HelloVerdict::Pass);
    assert_eq!(drop.knock(0, 1, None, false), HelloVerdict::Drop(DropReason::SessionRate));
    assert_eq!(drop.knock(SECOND, 1, None, false), HelloVerdict::Pass);
    let open = Dam::new(DamConfig { session_mode: SessionMode::Open, ..slow_dam(2) }).unwrap();
    let off = Dam::new(DamConfig { sessions: None, ..slow_dam(2) }).unwrap();
    for dam in [open, off] {
        assert!((0..9).all(|_| dam.knock(0, 1, None, false) == HelloVerdict::Pass));
        dam.block(1);
        assert_eq!(dam.knock(0, 1, None, false), HelloVerdict::Drop(DropReason::Blocked));
        assert_eq!(dam.knock(0, 2, None, false), HelloVerdict::Drop(DropReason::UnknownDevice));
        assert_eq!(dam.knock(0, u32::MAX, None, false), HelloVerdict::Drop(DropReason::UnknownDevice));
    }
}

#[test]
fn promises_end_at_the_horizon() {
    let dam = Dam::new(DamConfig { horizon_nanos: 3 * SECOND, ..slow_dam(9) }).unwrap();
    let verdicts: Vec<_> = (0..9).map(|device| dam.knock(0, device, None, false)).collect();
    assert_eq!(verdicts.iter().filter(|v| matches!(v, HelloVerdict::Defer { .. })).count(), 3);
    assert_eq!(verdicts[4..], [HelloVerdict::Drop(DropReason::Horizon); 5]);
    assert_eq!(dam.session_queue_nanos(0), 4 * SECOND);
}

#[test]
fn promised_slots_survive_a_change_of_rate() {
    for limit in [Limit::per_second(1_000, 10), Limit::per_period(1, HOUR, 1)] {
        let dam = busy_dam(3);
        let (delay, cookie) = deferred(dam.knock(0, 1, None, false));
        dam.set_limit(Layer::Sessions, limit).unwrap();
        assert_eq!(deferred(dam.knock(0, 1, None, false)).1, cookie);
        assert_eq!(dam.knock(delay, 1, Some(cookie), false), HelloVerdict::Pass);
    }
}

proptest! {
    /// Devices come early, late, in time, with good, lost and forged cookies, under any clock.
    #[test]
    fn repeats_and_forgeries_move_nobody(
        limit in plain_limits(),
        steps in prop::collection::vec((ticks(SECOND / 100), 0..12_u32, 0..4_u8, any::<u64>()), 1..200)
    ) {
        let dam = Dam::new(DamConfig { sessions: Some(limit), ..small_dam(12) }).unwrap();
        let mut cookies = [None::<Cookie>; 12];
        let mut now = 0;
        for (tick, device, kind, noise) in steps {
            now = tick.apply(now);
            let before = state(&dam);
            let cookie = match kind {
                0 => None,
                1 => Some(Cookie { slot: noise as u32, mac: noise }),
                _ => cookies[device as usize],
            };
            match dam.knock(now, device, cookie, false) {
                HelloVerdict::Drop(_) => prop_assert_eq!(state(&dam), before),
                HelloVerdict::Pass => {}
                HelloVerdict::Defer { delay_nanos, cookie } => {
                    cookies[device as usize] = Some(cookie);
                    // Said again at once, and in a flood of it: the same slot, and no bucket moves.
                    let before = state(&dam);
                    for cookie_again in [None, Some(cookie)] {
                        match dam.knock(now, device, cookie_again, false) {
                            HelloVerdict::Defer { delay_nanos: again, cookie: same } => {
                                prop_assert_eq!(same, cookie);
                                prop_assert!(again.abs_diff(delay_nanos) < TICK_NANOS);
                            }
                            HelloVerdict::Pass => prop_assert!(delay_nanos <= EARLY_NANOS),
                            HelloVerdict::Drop(reason) => prop_assert!(false, "{reason:?}"),
                        }
                        if delay_nanos > EARLY_NANOS {
                            prop_assert_eq!(state(&dam), before.clone());
                        } else {
                            break;
                        }
                    }
                }
            }
        }
    }

    /// What passes was charged, once: no more sessions begin than the bucket has been advanced for.
    #[test]
    fn no_session_begins_unpaid(
        limit in plain_limits(),
        steps in prop::collection::vec((0..SECOND, 0..12_u32, any::<bool>(), any::<bool>()), 1..300)
    ) {
        let dam = Dam::new(DamConfig { sessions: Some(limit), ..small_dam(12) }).unwrap();
        let mut cookies = [None::<Cookie>; 12];
        let (mut now, mut passes, mut charges) = (0, 0_u64, 0_u64);
        for (step, device, with_cookie, wide) in steps {
            now += step;
            let before = dam.tats();
            let cookie = cookies[device as usize].filter(|_| with_cookie);
            let verdict = dam.knock(now, device, cookie, wide);
            charges += u64::from(dam.tats() != before);
            match verdict {
                HelloVerdict::Pass => passes += 1,
                HelloVerdict::Defer { cookie, .. } => cookies[device as usize] = Some(cookie),
                HelloVerdict::Drop(reason) => prop_assert!(false, "{reason:?}"),
            }
            prop_assert!(passes <= charges);
        }
        // What was charged lies within the rate, up to the end of the queue.
        prop_assert!(within_bound(limit, charges, now + dam.session_queue_nanos(now)));
    }
}
