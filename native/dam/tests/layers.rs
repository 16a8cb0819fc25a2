//! The layers: their order, what a refusal leaves, and who comes before whom.

mod common;

use common::{Admitted, SECOND, Tick, plain_limits, small_dam, state, ticks};
use klais_dam::{Class, Dam, DamConfig, DamError, DropReason, Layer, Limit, Request, Shift};
use proptest::prelude::*;

fn requests(devices: u32) -> impl Strategy<Value = Request> {
    let device = prop_oneof![20 => 0..devices, 1 => Just(devices), 1 => Just(u32::MAX)];
    let cost = prop_oneof![20 => 1..4_u32, 1 => Just(0), 1 => Just(1_000), 1 => Just(u32::MAX)];
    (device, prop::sample::select(Class::ALL.to_vec()), cost).prop_map(|(device, class, cost)| Request {
        device,
        class,
        cost,
    })
}

/// Some layers off, the others at random.
fn dams(devices: u32) -> impl Strategy<Value = DamConfig> {
    let layer = || prop::option::weighted(0.8, plain_limits());
    (layer(), layer(), layer(), layer(), layer()).prop_map(
        move |(device, control, live, backfill, global)| DamConfig {
            device,
            control,
            live,
            backfill,
            global,
            ..DamConfig::open(devices)
        },
    )
}

fn steps(devices: u32) -> impl Strategy<Value = Vec<(Tick, Request)>> {
    prop::collection::vec((ticks(1_000), requests(devices)), 1..150)
}

proptest! {
    #[test]
    fn every_layer_holds_its_limit(config in dams(4), steps in steps(4)) {
        let dam = Dam::new(config.clone()).unwrap();
        let mut by_device: [Admitted; 4] = Default::default();
        let [mut control, mut backfill, mut ordinary, mut all]: [Admitted; 4] = Default::default();
        let mut now = 0;
        for (tick, Request { device, class, cost }) in steps {
            now = tick.apply(now);
            if dam.admit(now, device, class, cost).is_err() {
                continue;
            }
            let cost = u64::from(cost);
            by_device[device as usize].push(now, cost);
            all.push(now, cost);
            match class {
                Class::Control => control.push(now, cost),
                Class::Backfill => backfill.push(now, cost),
                Class::Live | Class::Reserved => {}
            }
            if matches!(class, Class::Live | Class::Backfill) {
                ordinary.push(now, cost);
            }
        }
        let checks = [(config.control, &control), (config.backfill, &backfill), (config.global, &all)];
        for (limit, admitted) in checks.into_iter().chain(by_device.iter().map(|a| (config.device, a))) {
            if let Some(limit) = limit {
                admitted.check(limit)?;
            }
        }
        // What live borrows, backfill pays: together they hold the sum of their limits, where nothing is pushed out.
        if let (Some(live), Some(backfill), None) = (config.live, config.backfill, config.global) {
            let events = live.events + backfill.events;
            ordinary.check(Limit::per_second(events, live.burst + backfill.burst))?;
        }
    }

    #[test]
    fn a_refused_frame_charges_no_bucket(config in dams(4), steps in steps(4)) {
        let dam = Dam::new(config).unwrap();
        let mut now = 0;
        for (tick, Request { device, class, cost }) in steps {
            now = tick.apply(now);
            let before = state(&dam);
            if dam.admit(now, device, class, cost).is_err() {
                prop_assert_eq!(state(&dam), before);
            }
        }
    }

    #[test]
    fn a_batch_is_its_frames_one_by_one(
        config in dams(4),
        batches in prop::collection::vec((ticks(1_000), prop::collection::vec(requests(4), 0..80)), 1..12)
    ) {
        let (batched, single) = (Dam::new(config.clone()).unwrap(), Dam::new(config).unwrap());
        for dam in [&batched, &single] {
            dam.block(3);
        }
        let mut now = 0;
        for (tick, requests) in batches {
            now = tick.apply(now);
            let mut verdicts = vec![Err(DropReason::Contended); requests.len()];
            let passes = batched.admit_batch(now, &requests, &mut verdicts);
            let expected: Vec<_> =
                requests.iter().map(|r| single.admit(now, r.device, r.class, r.cost)).collect();
            prop_assert_eq!(&verdicts, &expected);
            prop_assert_eq!(passes, expected.iter().filter(|verdict| verdict.is_ok()).count());
            prop_assert_eq!(state(&batched), state(&single));
        }
    }

    #[test]
    fn a_rebase_changes_no_answer(
        config in dams(4), start in 0..100 * common::YEAR,
        steps in prop::collection::vec((0..3_000_u64, requests(4), prop::bool::weighted(0.1)), 1..150)
    ) {
        let plain = Dam::new(config.clone()).unwrap();
        let mut rebased = Dam::new(config).unwrap();
        rebased.rebase(start);
        let mut elapsed = 0;
        for (step, Request { device, class, cost }, rebase) in steps {
            elapsed += step;
            if rebase {
                rebased.rebase(start + elapsed);
                rebased.rebase(start / 2);
            }
            let answers = [plain.admit(elapsed, device, class, cost), rebased.admit(start + elapsed, device, class, cost)];
            prop_assert_eq!(answers[0], answers[1]);
        }
    }
}

#[test]
fn the_first_layer_that_refuses_gives_the_reason() {
    let one = Some(Limit::per_second(1, 1));
    let dam = Dam::new(DamConfig {
        device: Some(Limit::per_second(1, 2)),
        control: one,
        backfill: one,
        global: Some(Limit::per_second(1, 3)),
        ..DamConfig::open(4)
    })
    .unwrap();
    assert_eq!(dam.admit(0, 4, Class::Live, 1), Err(DropReason::UnknownDevice));
    assert_eq!(dam.admit(0, u32::MAX, Class::Live, 0), Err(DropReason::UnknownDevice));
    for cost in [0, 3, u32::MAX] {
        assert_eq!(dam.admit(0, 0, Class::Live, cost), Err(DropReason::InvalidCost));
    }
    assert_eq!(dam.admit(0, 0, Class::Control, 2), Err(DropReason::InvalidCost));
    assert_eq!(dam.admit(0, 0, Class::Control, 1), Ok(()));
    assert_eq!(dam.admit(0, 0, Class::Control, 1), Err(DropReason::ClassRate));
    assert_eq!(dam.admit(0, 0, Class::Live, 1), Ok(()));
    assert_eq!(dam.admit(0, 0, Class::Control, 1), Err(DropReason::DeviceRate));
    assert_eq!(dam.admit(0, 1, Class::Live, 1), Ok(()));
    assert_eq!(dam.admit(0, 1, Class::Live, 1), Err(DropReason::GlobalRate));
    assert_eq!(dam.admit(0, 1, Class::Control, 1), Err(DropReason::ClassRate));
    dam.block(0);
    assert_eq!(dam.admit(0, 0, Class::Live, 0), Err(DropReason::Blocked));
}

#[test]
fn layers_that_are_off_cost_and_refuse_nothing() {
    let dam = Dam::new(DamConfig::open(2)).unwrap();
    for class in Class::ALL {
        for cost in [1, u32::MAX] {
            assert_eq!(dam.admit(0, 1, class, cost), Ok(()));
        }
        assert_eq!(dam.admit(0, 1, class, 0), Err(DropReason::InvalidCost));
    }
    assert_eq!(state(&dam), ([0; 5], vec![0, 0]));
    assert_eq!(dam.set_limit(Layer::Device, Limit::per_second(1, 1)), Err(DamError::LayerOff));
    assert_eq!(dam.set_limit(Layer::Live, Limit::per_second(1, 1)), Err(DamError::LayerOff));
}

#[test]
fn live_borrows_from_backfill_while_the_global_bucket_has_room() {
    let ten = Some(Limit::per_second(10, 10));
    let global = Some(Limit::per_second(30, 30));
    let dam = Dam::new(DamConfig { live: ten, backfill: ten, global, ..DamConfig::open(1) }).unwrap();
    let passed = (0..40).filter(|_| dam.admit(0, 0, Class::Live, 1).is_ok()).count();
    assert_eq!(passed, 30);
    assert_eq!(dam.admit(0, 0, Class::Live, 1), Err(DropReason::ClassRate));
    // Twenty were borrowed: the backfill queue begins two seconds out.
    assert_eq!(dam.backfill_queue_nanos(0), 2 * SECOND);
    assert_eq!(dam.reserve_backfill(0, 0, 10).unwrap().delay_nanos, 2 * SECOND);
    assert_eq!(dam.admit(0, 0, Class::Backfill, 1), Err(DropReason::ClassRate));
    // With the reservation three seconds are owed, and a burst is worth one.
    assert_eq!(dam.admit(2 * SECOND, 0, Class::Backfill, 1), Err(DropReason::ClassRate));
    assert_eq!(dam.admit(3 * SECOND, 0, Class::Backfill, 10), Ok(()));
}

#[test]
fn live_borrows_even_when_backfill_is_promised_to_the_horizon() {
    let ten = Some(Limit::per_second(10, 10));
    let dam = Dam::new(DamConfig {
        live: ten,
        backfill: ten,
        global: Some(Limit::per_second(100, 100)),
        horizon_nanos: 10 * SECOND,
        ..DamConfig::open(1)
    })
    .unwrap();
    assert!(dam.reserve_backfill(0, 0, 100).is_ok());
    assert!((0..100).all(|_| dam.admit(0, 0, Class::Live, 1).is_ok()));
    assert_eq!(dam.backfill_queue_nanos(0), 10 * SECOND);
}

#[test]
fn without_a_global_limit_live_borrows_only_what_backfill_has() {
    let ten = Some(Limit::per_second(10, 10));
    let dam = Dam::new(DamConfig { live: ten, backfill: ten, ..DamConfig::open(1) }).unwrap();
    assert_eq!((0..40).filter(|_| dam.admit(0, 0, Class::Live, 1).is_ok()).count(), 20);
    let alone = Dam::new(DamConfig { live: ten, ..DamConfig::open(1) }).unwrap();
    assert_eq!((0..40).filter(|_| alone.admit(0, 0, Class::Live, 1).is_ok()).count(), 10);
}

#[test]
fn live_comes_before_backfill_at_a_full_global_bucket() {
    for class in [Class::Backfill, Class::Reserved] {
        let dam =
            Dam::new(DamConfig { global: Some(Limit::per_second(1_000, 80)), ..DamConfig::open(1) }).unwrap();
        let (mut history, mut refused) = (0, 0);
        for milli in 0..10_000_u64 {
            let now = milli * 1_000_000;
            // History takes all it can get, and first; live traffic fills nine tenths of the rate.
            while dam.admit(now, 0, class, 1).is_ok() {
                history += 1;
            }
            if milli % 10 != 0 {
                refused += u64::from(dam.admit(now, 0, Class::Live, 1).is_err());
            }
        }
        assert_eq!(refused, 0, "{class:?}");
        // And history gets the rest.
        assert!((1_000..=1_080).contains(&history), "{class:?}: {history}");
    }
}

#[test]
fn history_still_gets_a_whole_burst_of_an_idle_bucket() {
    let global = Some(Limit::per_second(1, 8));
    for cost in [1, 7, 8] {
        let dam = Dam::new(DamConfig { global, ..DamConfig::open(1) }).unwrap();
        assert_eq!(dam.admit(0, 0, Class::Backfill, cost), Ok(()), "{cost}");
    }
}

#[test]
fn reserved_history_is_not_charged_to_its_class_again() {
    let dam = Dam::new(small_dam(1)).unwrap();
    let slot = dam.reserve_backfill(0, 0, 5).unwrap();
    let before = dam.tats();
    assert_eq!(dam.admit(slot.delay_nanos, 0, Class::Reserved, 5), Ok(()));
    let after = dam.tats();
    assert_eq!(after[3], before[3]);
    assert!(after[0] > before[0]);
}

#[test]
fn limits_change_at_any_moment_and_debts_stay() {
    let dam = Dam::new(small_dam(2)).unwrap();
    assert_eq!(dam.admit(0, 0, Class::Control, 5), Ok(()));
    assert_eq!(dam.admit(0, 0, Class::Control, 1), Err(DropReason::DeviceRate));
    dam.set_limit(Layer::Device, Limit::per_second(10, 6)).unwrap();
    assert_eq!(dam.admit(0, 0, Class::Control, 1), Ok(()));
    dam.set_limit(Layer::Control, Limit::per_second(100, 6)).unwrap();
    dam.set_limit(Layer::Global, Limit::per_second(100, 6)).unwrap();
    assert_eq!(dam.admit(0, 1, Class::Control, 1), Err(DropReason::ClassRate));
    // Bad limits leave the old ones.
    assert_eq!(dam.set_limit(Layer::Control, Limit::per_second(0, 1)), Err(DamError::ZeroRate));
    assert_eq!(dam.admit(SECOND, 1, Class::Control, 5), Ok(()));
}

#[test]
fn devices_are_blocked_one_by_one() {
    let dam = Dam::new(DamConfig::open(130)).unwrap();
    assert!(dam.block(64) && !dam.block(64) && !dam.block(130));
    for device in 0..130 {
        assert_eq!(dam.is_blocked(device), device == 64);
        assert_eq!(dam.admit(0, device, Class::Live, 1).is_err(), device == 64);
    }
    assert!(dam.unblock(64) && !dam.unblock(64) && !dam.unblock(u32::MAX));
    assert_eq!(dam.admit(0, 64, Class::Live, 1), Ok(()));
}

#[test]
fn a_batch_answers_as_far_as_both_slices_reach() {
    let dam = Dam::new(DamConfig::open(1)).unwrap();
    let request = Request { device: 0, class: Class::Live, cost: 1 };
    let mut verdicts = [Err(DropReason::Contended); 3];
    assert_eq!(dam.admit_batch(0, &[request; 2], &mut verdicts), 2);
    assert_eq!(verdicts, [Ok(()), Ok(()), Err(DropReason::Contended)]);
    assert_eq!(dam.admit_batch(0, &[request; 5], &mut verdicts[..1]), 1);
    assert_eq!(dam.admit_batch(0, &[], &mut []), 0);
}

#[test]
fn a_dam_refuses_what_it_cannot_hold() {
    let error = |config| Dam::new(config).map(|_| ()).unwrap_err();
    let fast = Some(Limit::per_second(600_000_000, 1));
    assert!(matches!(error(DamConfig { live: fast, ..DamConfig::open(1) }), DamError::RateTooFast { .. }));
    for nanos in [0, klais_dam::MAX_HORIZON_NANOS + 1] {
        assert_eq!(
            error(DamConfig { horizon_nanos: nanos, ..DamConfig::open(1) }),
            DamError::Horizon { nanos }
        );
    }
    for nanos in [0, klais_dam::MAX_WINDOW_NANOS + 1] {
        assert_eq!(
            error(DamConfig { session_window_nanos: nanos, ..DamConfig::open(1) }),
            DamError::Window { nanos }
        );
    }
    assert_eq!(small_dam(10_000_000).table_bytes(), 160_000_000 + 1_250_000);
    assert_eq!(
        Dam::new(DamConfig::open(0)).unwrap().admit(0, 0, Class::Live, 1),
        Err(DropReason::UnknownDevice)
    );
    assert!(Shift::DAM.reach_nanos() > common::YEAR);
}

#[test]
fn reasons_have_names_of_their_own() {
    let mut names: Vec<_> = DropReason::ALL.iter().map(|reason| reason.name()).collect();
    assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), DropReason::ALL.len());
    assert!(DropReason::ALL.iter().enumerate().all(|(n, reason)| *reason as usize == n));
}
