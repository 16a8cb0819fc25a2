//! A process that dies and starts again knows what is committed, and nothing else.

mod common;

use common::{SECOND, arrive, config, data, gateway, hello, sent};
use klais_burst_sync::{Frame, Lane, NackReason};
use klais_gateway::Gateway;

fn admit(gateway: &mut Gateway, now: u64, device: u32, session: u16, epoch: u16) -> (u32, u32) {
    arrive(gateway, now, device, &hello(session, epoch, 0));
    match sent(gateway).as_slice() {
        [(_, Frame::Admit(admit))] => admit.marks.expect("a gateway that keeps marks"),
        other => panic!("expected one ADMIT, got {other:?}"),
    }
}

#[test]
fn marks_go_back_to_what_was_committed_whatever_was_on_its_way() {
    let mut config = config(4);
    config.batch_readings_max = 20;
    let mut gateway = gateway(&config);
    arrive(&mut gateway, 0, 1, &hello(1, 0, 100));
    sent(&mut gateway);
    // Committed: live to 14, history to 25.
    arrive(&mut gateway, 0, 1, &data(1, Lane::Live, 0, 10, 14));
    arrive(&mut gateway, 0, 1, &data(1, Lane::Backfill, 0, 15, 25));
    gateway.poll(SECOND / 5);
    let first = gateway.take_submissions().next().expect("a transaction").batch;
    gateway.sink_outcome(SECOND / 4, first, true);
    sent(&mut gateway);
    // On its way: a batch; waiting: more. History goes on behind a gap, which is no reason to call the gap committed.
    arrive(&mut gateway, SECOND / 3, 1, &data(1, Lane::Live, 14, 14, 20));
    arrive(&mut gateway, SECOND / 3, 1, &data(1, Lane::Backfill, 25, 40, 55));
    gateway.poll(SECOND);
    assert_eq!(gateway.take_submissions().count(), 1);
    arrive(&mut gateway, SECOND, 1, &data(1, Lane::Live, 20, 20, 30));
    gateway.restart(2 * SECOND);
    assert!(gateway.is_idle());
    assert_eq!((gateway.stats().online, gateway.stats().queued), (0, 0));
    // The old transaction is fenced: whatever is said of it, it counts for nothing.
    gateway.sink_outcome(2 * SECOND, first + 1, true);
    assert_eq!(sent(&mut gateway), []);
    assert_eq!(admit(&mut gateway, 3 * SECOND, 1, 2, 0), (14, 25));
    // And what was not committed is stored now, once.
    arrive(&mut gateway, 3 * SECOND, 1, &data(2, Lane::Live, 14, 14, 30));
    gateway.poll(4 * SECOND);
    let entries: Vec<_> = gateway.take_submissions().flat_map(|s| s.entries.to_vec()).collect();
    assert_eq!(entries.iter().map(|e| (e.first, e.count)).collect::<Vec<_>>(), [(14, 16)]);
}

#[test]
fn sessions_are_gone_but_old_numbers_stay_old() {
    let mut gateway = gateway(&config(2));
    assert_eq!(admit(&mut gateway, 0, 0, 9, 4), (0, 0));
    gateway.restart(SECOND);
    // Nobody is online: DATA of the session before gets no further.
    arrive(&mut gateway, SECOND, 0, &data(9, Lane::Live, 0, 0, 3));
    assert!(
        matches!(sent(&mut gateway).as_slice(), [(0, Frame::Nack(n))] if n.reason == NackReason::NoSession)
    );
    for (session, epoch) in [(8, 4), (10, 3)] {
        arrive(&mut gateway, SECOND, 0, &hello(session, epoch, 0));
        assert_eq!(sent(&mut gateway), []);
    }
    assert_eq!(admit(&mut gateway, SECOND, 0, 10, 4), (0, 0));
    assert_eq!(gateway.stats().online, 1);
}

#[test]
fn a_restart_answers_nobody_and_submits_nothing_of_before() {
    let mut gateway = gateway(&config(3));
    for device in 0..3 {
        gateway.assume_online(device);
        arrive(&mut gateway, 0, device, &data(1, Lane::Live, 0, 0, 5));
        arrive(&mut gateway, 0, device, &hello(2, 0, 0));
    }
    gateway.poll(10);
    gateway.restart(20);
    assert_eq!(sent(&mut gateway), []);
    assert_eq!(gateway.take_submissions().count(), 0);
    gateway.poll(100 * SECOND);
    assert_eq!(sent(&mut gateway), []);
    assert_eq!(gateway.take_submissions().count(), 0);
    // A second one right away does no harm.
    gateway.restart(100 * SECOND);
    assert_eq!(admit(&mut gateway, 101 * SECOND, 0, 3, 0), (0, 0));
}

#[test]
fn slots_promised_before_a_restart_are_still_honoured() {
    let mut config = config(50);
    config.dam.sessions = Some(klais_dam::Limit::per_second(1, 1));
    let mut gateway = gateway(&config);
    let mut cookie = None;
    for device in 0..20 {
        if let klais_gateway::Ingress::Answer(Frame::Defer(defer)) =
            arrive(&mut gateway, 0, device, &hello(1, 0, 0))
        {
            cookie = Some((device, defer));
        }
    }
    let (device, defer) = cookie.expect("a slot");
    assert!((15_000..=20_000).contains(&defer.delay_millis), "{defer:?}");
    gateway.restart(SECOND);
    sent(&mut gateway);
    let at = u64::from(defer.delay_millis) * 1_000;
    // Others come first meanwhile; the cookie stands.
    for other in 30..40 {
        arrive(&mut gateway, at - 10, other, &hello(1, 0, 0));
    }
    sent(&mut gateway);
    let Frame::Hello(plain) = hello(2, 0, 0) else { return };
    let back = Frame::Hello(klais_burst_sync::Hello { cookie: Some(defer.cookie), ..plain });
    arrive(&mut gateway, at, device, &back);
    assert!(matches!(sent(&mut gateway).as_slice(), [(_, Frame::Admit(_))]));
}

#[test]
fn a_promise_under_a_key_that_is_gone_makes_a_newcomer_not_an_outcast() {
    let mut config = config(50);
    config.dam.sessions = Some(klais_dam::Limit::per_second(1, 1));
    config.dam.cookie_key = [7; 16];
    let mut gateway = gateway(&config);
    let forged = klais_burst_sync::Cookie { slot: 3, mac: 4 };
    let Frame::Hello(plain) = hello(2, 0, 0) else { return };
    for device in 0..3 {
        let shown = Frame::Hello(klais_burst_sync::Hello { cookie: Some(forged), ..plain });
        let verdict = arrive(&mut gateway, 0, device, &shown);
        // The first finds the door open, the others get a slot, a second apart: the forged one helps nobody.
        match device {
            0 => assert!(matches!(sent(&mut gateway).as_slice(), [(0, Frame::Admit(_))])),
            _ => {
                let klais_gateway::Ingress::Answer(Frame::Defer(defer)) = verdict else {
                    panic!("{verdict:?}")
                };
                assert!(defer.delay_millis.abs_diff(device * 1_000) < 50, "{defer:?}");
                assert_ne!(defer.cookie, forged);
            }
        }
    }
}

#[test]
fn a_plain_proxy_begins_anew_with_what_the_device_says() {
    let mut config = config(1);
    config.deduplicate = false;
    config.slots = false;
    config.batches_in_flight_max = 4;
    let mut gateway = gateway(&config);
    gateway.assume_online(0);
    arrive(&mut gateway, 0, 0, &data(1, Lane::Live, 0, 0, 5));
    gateway.restart(SECOND);
    arrive(&mut gateway, SECOND, 0, &hello(2, 0, 0));
    assert!(matches!(sent(&mut gateway).as_slice(), [(0, Frame::Admit(a))] if a.marks.is_none()));
    arrive(&mut gateway, SECOND, 0, &data(2, Lane::Live, 0, 0, 5));
    gateway.poll(2 * SECOND);
    assert_eq!(gateway.take_submissions().count(), 1);
}

#[test]
fn a_plain_proxy_never_vouches_for_what_failed() {
    let mut config = config(1);
    config.deduplicate = false;
    config.slots = false;
    config.batches_in_flight_max = 4;
    let mut gateway = gateway(&config);
    gateway.assume_online(0);
    arrive(&mut gateway, 0, 0, &data(1, Lane::Live, 0, 0, 5));
    gateway.poll(SECOND / 5);
    let batch = gateway.take_submissions().next().expect("a request").batch;
    gateway.sink_outcome(SECOND, batch, false);
    // A keep-alive proves that the connection lives, not that anything is stored.
    arrive(&mut gateway, 2 * SECOND, 0, &data(1, Lane::Live, 5, 5, 5));
    for (_, frame) in sent(&mut gateway) {
        assert!(!matches!(frame, Frame::Ack { mark, .. } if mark > 0), "{frame:?}");
    }
}
