//! Every queue has a limit, holds it, and says so when it is reached.

mod common;

use common::{SECOND, arrive, config, data, dropped, fail, gateway, hello, sent, submissions};
use klais_burst_sync::{Frame, Lane, NackReason};
use klais_gateway::{Gateway, GatewayConfig, GatewayError, Outcome};

/// Sends readings of a lane from `from` on, in frames of ten, and answers how many frames were taken.
fn flood(
    gateway: &mut Gateway,
    now: u64,
    device: u32,
    session: u16,
    lane: Lane,
    from: u32,
    frames: u32,
) -> u64 {
    let before = gateway.stats().admitted;
    for n in 0..frames {
        let first = from + n * 10;
        arrive(gateway, now, device, &data(session, lane, first, first, first + 10));
    }
    (gateway.stats().admitted - before) / 10
}

fn batches(gateway: &mut Gateway) -> Vec<u32> {
    submissions(gateway).into_iter().map(|s| s.batch).collect()
}

#[test]
fn the_sink_queue_holds_its_limit_though_the_sink_never_answers() {
    let mut config = config(50);
    config.sink_queue_readings = 500;
    config.dam.live = None;
    config.dam.global = None;
    let mut gateway = gateway(&config);
    (0..50).for_each(|device| gateway.assume_online(device));
    for round in 0..20 {
        for device in 0..50 {
            flood(&mut gateway, round * SECOND, device, 1, Lane::Live, 0, 3);
        }
        gateway.poll(round * SECOND + SECOND / 2);
        let stats = gateway.stats();
        assert!(stats.queued <= 500 && stats.queued_max <= 500, "{stats:?}");
    }
    // One transaction holds what was there at its start; another may not begin.
    assert_eq!(batches(&mut gateway).len(), 1);
    assert_eq!(gateway.stats().queued, 500);
    assert!(dropped(&gateway, "sink-queue-full") > 0);
}

#[test]
fn what_failed_comes_first_again_and_only_that_may_exceed_the_limit() {
    let mut config = config(50);
    config.sink_queue_readings = 100;
    config.batch_readings_max = 100;
    let mut gateway = gateway(&config);
    (0..50).for_each(|device| gateway.assume_online(device));
    (0..10).for_each(|device| assert_eq!(flood(&mut gateway, 0, device, 1, Lane::Live, 0, 1), 1));
    gateway.poll(SECOND / 5);
    let first = submissions(&mut gateway);
    assert_eq!(first.len(), 1);
    (10..30).for_each(|device| {
        flood(&mut gateway, 1, device, 1, Lane::Live, 0, 1);
    });
    fail(&mut gateway, SECOND, first[0].batch);
    assert_eq!(gateway.stats().queued, 200);
    // Until it is through, nothing more is taken.
    assert_eq!(flood(&mut gateway, SECOND, 40, 1, Lane::Live, 0, 1), 0);
    let mut order = Vec::new();
    for n in 0..200 {
        let now = 3 * SECOND + n * 200_000;
        gateway.poll(now);
        for submission in submissions(&mut gateway) {
            order.extend(submission.entries.iter().map(|e| e.device));
            gateway.sink_outcome(now, submission.batch, Outcome::Committed);
        }
    }
    assert_eq!(order, (0..20).collect::<Vec<_>>());
}

#[test]
fn a_sink_that_was_away_is_not_met_with_full_transactions() {
    let mut gateway = gateway(&config(50));
    (0..50).for_each(|device| gateway.assume_online(device));
    (0..50).for_each(|device| {
        flood(&mut gateway, 0, device, 1, Lane::Live, 0, 3);
    });
    let mut now = 0;
    let mut sizes = Vec::new();
    for attempt in 0..12 {
        now += 5 * SECOND;
        gateway.poll(now);
        for submission in submissions(&mut gateway) {
            sizes.push(submission.entries.len());
            if attempt >= 4 {
                gateway.sink_outcome(now, submission.batch, Outcome::Committed);
            } else {
                fail(&mut gateway, now, submission.batch);
            }
        }
    }
    assert_eq!(sizes[0], 150);
    // One frame a try while it fails; from the first success on more and more.
    assert!(sizes[1..=4].iter().all(|frames| *frames == 1), "{sizes:?}");
    assert!(sizes[5..].is_sorted(), "{sizes:?}");
    for _ in 0..40 {
        now += 5 * SECOND;
        gateway.poll(now);
        batches(&mut gateway)
            .into_iter()
            .for_each(|batch| gateway.sink_outcome(now, batch, Outcome::Committed));
    }
    assert!(gateway.is_idle());
}

#[test]
fn backfill_waits_at_the_device_when_its_queue_is_full_and_is_called_when_there_is_room() {
    let mut config = config(10);
    config.backfill_queue_readings = 100;
    config.standby_devices_max = 3;
    let mut gateway = gateway(&config);
    for device in 0..10 {
        arrive(&mut gateway, 0, device, &hello(1, 0, 100));
    }
    sent(&mut gateway);
    for device in 0..10 {
        flood(&mut gateway, 1, device, 1, Lane::Backfill, 0, 5);
    }
    // Ten frames fit the queue for newcomers; those who began may double it.
    let queued = gateway.stats().queued;
    assert!((100..=200).contains(&queued), "{queued}");
    let later: Vec<_> = sent(&mut gateway)
        .into_iter()
        .filter(|(_, f)| matches!(f, Frame::Nack(n) if n.reason == NackReason::Later && n.delay_millis > 0))
        .collect();
    // Everyone who was sent away is told once.
    let mut told: Vec<_> = later.iter().map(|(device, _)| *device).collect();
    told.dedup();
    assert_eq!(told.len(), later.len());
    assert!(told.len() >= 6);
    // Once the queue drains, those on the list are called, and no more than the list holds.
    let mut called = Vec::new();
    for n in 1..200 {
        let now = n * 100_000;
        gateway.poll(now);
        batches(&mut gateway)
            .into_iter()
            .for_each(|batch| gateway.sink_outcome(now, batch, Outcome::Committed));
        // Nothing waits for the sink any more, but devices wait to be called: the gateway still needs its clock.
        assert!(n != 8 || (gateway.stats().queued == 0 && called.is_empty() && !gateway.is_idle()));
        let calls = sent(&mut gateway);
        called.extend(calls.iter().filter_map(|(device, frame)| {
            matches!(frame, Frame::Nack(n) if n.reason == NackReason::Later && n.delay_millis == 0)
                .then_some(*device)
        }));
    }
    assert_eq!(called.len(), 3, "{called:?}");
    assert!(gateway.is_idle());
}

#[test]
fn only_so_many_hellos_wait_for_a_commit() {
    let mut config = config(20);
    config.pending_hellos_max = 5;
    let mut gateway = gateway(&config);
    for device in 0..20 {
        gateway.assume_online(device);
        flood(&mut gateway, 0, device, 1, Lane::Live, 0, 1);
    }
    gateway.poll(SECOND / 5);
    let batch = batches(&mut gateway)[0];
    for repeat in 0..3 {
        for device in 0..20 {
            arrive(&mut gateway, 1, device, &hello(2 + repeat, 0, 0));
        }
    }
    assert_eq!(sent(&mut gateway), []);
    assert_eq!(dropped(&gateway, "pending-hellos"), 3 * 15);
    gateway.sink_outcome(SECOND, batch, Outcome::Committed);
    let admits: Vec<_> = sent(&mut gateway)
        .into_iter()
        .filter_map(|(device, f)| if let Frame::Admit(a) = f { Some((device, a.session)) } else { None })
        .collect();
    assert_eq!(admits, (0..5).map(|device| (device, 4)).collect::<Vec<_>>());
}

#[test]
fn one_device_cannot_fill_the_queue() {
    let mut config = config(2);
    config.dam.global = None;
    let mut gateway = gateway(&config);
    arrive(&mut gateway, 0, 0, &hello(1, 0, 65_000));
    let mut taken = 0;
    for n in 0..1_000 {
        taken += flood(&mut gateway, n, 0, 1, Lane::Backfill, n as u32 * 10, 1);
    }
    assert_eq!(taken, 255);
    assert!(dropped(&gateway, "device-in-flight") > 0);
}

#[test]
fn no_device_sends_more_history_than_it_stated() {
    let mut gateway = gateway(&config(2));
    arrive(&mut gateway, 0, 0, &hello(1, 0, 50));
    let Some((_, Frame::Admit(admit))) = sent(&mut gateway).pop() else { panic!("no ADMIT") };
    assert!((50..=58).contains(&admit.credit), "{admit:?}");
    assert_eq!(flood(&mut gateway, 1, 0, 1, Lane::Backfill, 0, 20), u64::from(admit.credit) / 10);
    assert!(dropped(&gateway, "no-credit") > 0);
    // It is told, or it would try for ever; and it may ask again.
    assert!(sent(&mut gateway).contains(&(0, Frame::Bye { session: 1 })));
    assert_eq!(gateway.stats().online, 0);
    gateway.poll(SECOND);
    batches(&mut gateway)
        .into_iter()
        .for_each(|batch| gateway.sink_outcome(SECOND, batch, Outcome::Committed));
    sent(&mut gateway);
    arrive(&mut gateway, SECOND, 0, &hello(2, 0, 50));
    assert!(matches!(sent(&mut gateway).as_slice(), [(0, Frame::Admit(_))]));
    assert_eq!(gateway.stats().online, 1);
}

#[test]
fn history_waits_while_fresh_readings_do() {
    let mut config = config(40);
    config.batch_readings_max = 50;
    let mut gateway = gateway(&config);
    for device in 0..20 {
        arrive(&mut gateway, 0, device, &hello(1, 0, 30));
        flood(&mut gateway, 0, device, 1, Lane::Backfill, 0, 3);
    }
    for device in 20..40 {
        gateway.assume_online(device);
        flood(&mut gateway, 0, device, 1, Lane::Live, 0, 1);
    }
    let mut live_left = 200u64;
    for n in 1..200 {
        let now = n * 100_000;
        gateway.poll(now);
        for submission in submissions(&mut gateway) {
            let live = submission.entries.iter().filter(|e| e.lane == Lane::Live).count() as u64 * 10;
            live_left -= live;
            let history = submission.entries.len() as u64 * 10 - live;
            assert!(history == 0 || live_left == 0, "{live} live, {history} old, {live_left} live left");
            gateway.sink_outcome(now, submission.batch, Outcome::Committed);
        }
    }
    assert!(gateway.is_idle());
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let refused = |change: fn(&mut GatewayConfig)| {
        let mut config = config(2);
        change(&mut config);
        Gateway::<()>::new(config).err()
    };
    assert_eq!(refused(|c| c.shards = 0), Some(GatewayError::Zero("shards")));
    assert_eq!(refused(|c| c.gateway = 1), Some(GatewayError::Number));
    assert_eq!(refused(|c| c.devices = 3), Some(GatewayError::DamDevices));
    assert_eq!(refused(|c| c.batch_readings_max = 0), Some(GatewayError::Zero("batch_readings_max")));
    assert_eq!(refused(|c| c.capacity_per_second = 0), Some(GatewayError::Zero("capacity_per_second")));
    assert_eq!(refused(|c| c.batches_in_flight_max = 2), Some(GatewayError::InFlight));
    assert!(matches!(refused(|c| c.dam.horizon_nanos = 0), Some(GatewayError::Dam(_))));
    assert_eq!(refused(|c| c.slots = false), None);
}
