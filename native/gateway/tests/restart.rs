//! A process that dies and starts again knows what is committed, and nothing else.

mod common;

use common::{SECOND, arrive, config, data, gateway, hello, sent, submissions};
use klais_burst_sync::{Frame, Lane, NackReason, Term};
use klais_gateway::{Checkpoint, Gateway, Outcome, SinkRequest};

/// The process dies, starts again and takes its only shard back: what the log has, and that `term` is its last one.
fn restart(gateway: &mut Gateway, now: u64, term: u32, checkpoints: &[Checkpoint]) {
    gateway.restart(now);
    assert!(gateway.is_idle());
    assert_eq!((gateway.stats().online, gateway.stats().queued, gateway.stats().shards), (0, 0, 0));
    gateway.set_member(now, 0, true);
    gateway.poll(now);
    let requests: Vec<_> = gateway.take_sink_requests().collect();
    assert!(matches!(requests[..], [SinkRequest::Open { shard: 0, .. }]), "{requests:?}");
    gateway.opened(now, 0, Some(Term::new(term)), checkpoints.iter().copied());
    let claim = submissions(gateway).pop().expect("a claim");
    assert_eq!((claim.claim, claim.entries.len()), (Some(Term::new(term).next()), 0));
    gateway.sink_outcome(now, claim.batch, Outcome::Committed);
    assert_eq!(gateway.stats().shards, 1);
}

/// What was committed of a device, by lane.
fn checkpoints(device: u32, session: u16, epoch: u16, marks: [u32; 2]) -> [Checkpoint; 2] {
    let of = |lane, mark| Checkpoint { device, lane, epoch, session, mark };
    [of(Lane::Live, marks[0]), of(Lane::Backfill, marks[1])]
}

/// DATA of the owner after `term` owners.
fn data_of(term: u32, session: u16, lane: Lane, prev: u32, first: u32, end: u32) -> Frame {
    match data(session, lane, prev, first, end) {
        Frame::Data(data) => Frame::Data(klais_burst_sync::Data { term: Term::new(term).echo(), ..data }),
        other => other,
    }
}

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
    let first = submissions(&mut gateway).into_iter().next().expect("a transaction").batch;
    gateway.sink_outcome(SECOND / 4, first, Outcome::Committed);
    sent(&mut gateway);
    // On its way: a batch; waiting: more. History goes on behind a gap, which is no reason to call the gap committed.
    arrive(&mut gateway, SECOND / 3, 1, &data(1, Lane::Live, 14, 14, 20));
    arrive(&mut gateway, SECOND / 3, 1, &data(1, Lane::Backfill, 25, 40, 55));
    gateway.poll(SECOND);
    assert_eq!(submissions(&mut gateway).len(), 1);
    arrive(&mut gateway, SECOND, 1, &data(1, Lane::Live, 20, 20, 30));
    restart(&mut gateway, 2 * SECOND, 0, &checkpoints(1, 1, 0, [14, 25]));
    // The old transaction is fenced: whatever is said of it, it counts for nothing.
    gateway.sink_outcome(2 * SECOND, first + 1, Outcome::Committed);
    assert_eq!(sent(&mut gateway), []);
    // A late copy of the old session's HELLO, and of its DATA, which was sent to the process that is gone.
    // (The dam would know the former for a copy.)
    gateway.handle(3 * SECOND, 1, &hello(1, 0, 0), ());
    assert!(matches!(sent(&mut gateway).as_slice(), [(1, Frame::Admit(_))]));
    gateway.handle(3 * SECOND, 1, &data(1, Lane::Live, 14, 14, 20), ());
    assert!(
        matches!(sent(&mut gateway).as_slice(), [(1, Frame::Nack(n))] if n.reason == NackReason::NoSession)
    );
    assert_eq!(admit(&mut gateway, 3 * SECOND, 1, 2, 0), (14, 25));
    // And what was not committed is stored now, once.
    arrive(&mut gateway, 3 * SECOND, 1, &data_of(1, 2, Lane::Live, 14, 14, 30));
    gateway.poll(4 * SECOND);
    let entries: Vec<_> = submissions(&mut gateway).iter().flat_map(|s| s.entries.to_vec()).collect();
    assert_eq!(entries.iter().map(|e| (e.first, e.count)).collect::<Vec<_>>(), [(14, 16)]);
}

#[test]
fn sessions_are_gone_but_old_numbers_stay_old() {
    let mut gateway = gateway(&config(2));
    assert_eq!(admit(&mut gateway, 0, 0, 9, 4), (0, 0));
    restart(&mut gateway, SECOND, 0, &checkpoints(0, 9, 4, [0, 0]));
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
    restart(&mut gateway, 20, 0, &[]);
    assert_eq!(sent(&mut gateway), []);
    gateway.poll(100 * SECOND);
    assert_eq!(sent(&mut gateway), []);
    assert_eq!(submissions(&mut gateway).len(), 0);
    // A second one right away does no harm.
    restart(&mut gateway, 100 * SECOND, 1, &[]);
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
    restart(&mut gateway, SECOND, 0, &[]);
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
    assert_eq!(submissions(&mut gateway).len(), 1);
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
    let batch = submissions(&mut gateway).into_iter().next().expect("a request").batch;
    gateway.sink_outcome(SECOND, batch, Outcome::Failed);
    // A keep-alive proves that the connection lives, not that anything is stored.
    arrive(&mut gateway, 2 * SECOND, 0, &data(1, Lane::Live, 5, 5, 5));
    for (_, frame) in sent(&mut gateway) {
        assert!(!matches!(frame, Frame::Ack { mark, .. } if mark > 0), "{frame:?}");
    }
}
