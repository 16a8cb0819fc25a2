//! Frames of every kind, at every state: answered by the rules or dropped and counted, never a panic.

mod common;

use common::chance::Chance;
use common::{SECOND, all_dropped, arrive, config, data, dropped, gateway, hello, sent, submissions};
use klais_burst_sync::{Admit, Cookie, Data, Defer, Frame, Hello, Lane, Nack, NackReason, Term, TermEcho};
use klais_gateway::{Checkpoint, Drop, Gateway, Ingress, Outcome, SinkRequest};

fn admit_of(frames: &[(u32, Frame)]) -> Admit {
    match frames {
        [(_, Frame::Admit(admit))] => *admit,
        other => panic!("expected one ADMIT, got {other:?}"),
    }
}

#[test]
fn a_hello_opens_a_session_and_readings_are_acknowledged_after_the_commit() {
    let mut gateway = gateway(&config(4));
    assert_eq!(arrive(&mut gateway, 10, 2, &hello(1, 0, 5)), Ingress::Accept);
    let admit = admit_of(&sent(&mut gateway));
    assert_eq!((admit.session, admit.marks), (1, Some((0, 0))));
    assert!(admit.credit >= 5);
    arrive(&mut gateway, 20, 2, &data(1, Lane::Live, 0, 10, 12));
    arrive(&mut gateway, 30, 2, &data(1, Lane::Backfill, 0, 3, 8));
    gateway.poll(SECOND);
    assert_eq!(sent(&mut gateway), []);
    let submissions = submissions(&mut gateway);
    assert_eq!(submissions.len(), 1);
    gateway.sink_outcome(SECOND + 1, submissions[0].batch, Outcome::Committed);
    let ack = |lane, mark| (2, Frame::Ack { session: 1, lane, mark });
    assert_eq!(sent(&mut gateway), [ack(Lane::Live, 12), ack(Lane::Backfill, 8)]);
    assert_eq!(all_dropped(&gateway), 0);
    assert_eq!(gateway.stats().online, 1);
    assert!(gateway.is_idle());
}

#[test]
fn a_repeat_on_one_lane_is_answered_though_the_other_lane_is_never_quiet() {
    let mut gateway = gateway(&config(1));
    gateway.assume_online(0);
    let commit = |gateway: &mut Gateway, now| {
        gateway.poll(now);
        let batches: Vec<_> = submissions(gateway).into_iter().map(|s| s.batch).collect();
        batches.into_iter().for_each(|batch| gateway.sink_outcome(now, batch, Outcome::Committed));
    };
    arrive(&mut gateway, 0, 0, &hello(2, 0, 5));
    arrive(&mut gateway, 1, 0, &data(2, Lane::Backfill, 0, 0, 5));
    commit(&mut gateway, SECOND);
    // The ACK is lost. From here on a live frame is always undecided when the repeat arrives.
    sent(&mut gateway);
    arrive(&mut gateway, 2 * SECOND, 0, &data(2, Lane::Live, 0, 10, 11));
    arrive(&mut gateway, 2 * SECOND, 0, &data(2, Lane::Backfill, 0, 0, 5));
    // Nothing of that lane is undecided: its mark is durable.
    assert_eq!(sent(&mut gateway), [(0, Frame::Ack { session: 2, lane: Lane::Backfill, mark: 5 })]);
    // A repeat on the lane that is undecided is answered by the commit.
    arrive(&mut gateway, 2 * SECOND, 0, &data(2, Lane::Live, 0, 10, 11));
    assert_eq!(sent(&mut gateway), []);
    commit(&mut gateway, 3 * SECOND);
    assert_eq!(sent(&mut gateway), [(0, Frame::Ack { session: 2, lane: Lane::Live, mark: 11 })]);
}

#[test]
fn a_hello_of_an_old_epoch_or_session_is_refused_and_counted() {
    let mut gateway = gateway(&config(2));
    arrive(&mut gateway, 0, 0, &hello(7, 3, 0));
    assert_eq!(sent(&mut gateway).len(), 1);
    let olds = [hello(8, 2, 0), hello(9, 65_535, 0), hello(6, 3, 0)];
    for old in &olds {
        // The dam knows them for copies; a dam that was made anew would not, and then user space does.
        arrive(&mut gateway, 1, 0, old);
        gateway.handle(1, 0, old, ());
        assert_eq!(sent(&mut gateway), []);
    }
    assert_eq!(dropped(&gateway, "replayed"), 3);
    assert_eq!(dropped(&gateway, "stale-epoch"), 2);
    assert_eq!(dropped(&gateway, "stale-session"), 1);
    // The session in use goes on.
    arrive(&mut gateway, 3, 0, &data(7, Lane::Live, 0, 0, 1));
    gateway.poll(SECOND);
    assert_eq!(submissions(&mut gateway).len(), 1);
    // A newer epoch begins at 0.
    let mut fresh = common::gateway(&config(1));
    arrive(&mut fresh, 0, 0, &hello(1, 0, 0));
    arrive(&mut fresh, 0, 0, &data(1, Lane::Live, 0, 0, 9));
    fresh.poll(SECOND);
    fresh.sink_outcome(SECOND, 0, Outcome::Committed);
    sent(&mut fresh);
    arrive(&mut fresh, SECOND, 0, &hello(2, 1, 0));
    assert_eq!(admit_of(&sent(&mut fresh)).marks, Some((0, 0)));
}

#[test]
fn a_gateway_that_has_never_seen_a_device_takes_it_at_any_session_number() {
    for session in [1, 2, 32_768, 40_000, 65_535] {
        let mut gateway = gateway(&config(1));
        arrive(&mut gateway, 0, 0, &hello(session, 0, 0));
        assert_eq!(admit_of(&sent(&mut gateway)).session, session);
    }
}

#[test]
fn session_numbers_wrap() {
    let mut gateway = gateway(&config(1));
    let mut session = 65_000u16;
    for n in 0..2_000 {
        arrive(&mut gateway, n * 10_000, 0, &hello(session, 0, 0));
        assert_eq!(admit_of(&sent(&mut gateway)).session, session);
        session = session.wrapping_add(1);
    }
    assert_eq!(all_dropped(&gateway), 0);
}

#[test]
fn a_hello_waits_for_its_device_s_own_readings_and_is_answered_once_with_committed_marks() {
    let mut gateway = gateway(&config(2));
    arrive(&mut gateway, 0, 0, &hello(1, 0, 0));
    arrive(&mut gateway, 0, 0, &data(1, Lane::Live, 0, 0, 4));
    gateway.poll(SECOND);
    let batch = submissions(&mut gateway).into_iter().next().expect("a transaction").batch;
    sent(&mut gateway);
    // Impatient: five HELLOs, of which an old one comes last.
    for session in [2, 3, 5, 6, 4] {
        arrive(&mut gateway, SECOND, 0, &hello(session, 0, 0));
    }
    assert_eq!(sent(&mut gateway), []);
    // The first try fails: the answer must wait on.
    common::fail(&mut gateway, 2 * SECOND, batch);
    assert_eq!(sent(&mut gateway), []);
    gateway.poll(5 * SECOND);
    let again = submissions(&mut gateway).into_iter().next().expect("another try");
    assert_eq!((again.entries[0].first, again.entries[0].count), (0, 4));
    gateway.sink_outcome(6 * SECOND, again.batch, Outcome::Committed);
    let admits: Vec<_> = sent(&mut gateway)
        .into_iter()
        .filter_map(|(_, frame)| if let Frame::Admit(admit) = frame { Some(admit) } else { None })
        .collect();
    assert_eq!(admits.len(), 1);
    assert_eq!((admits[0].session, admits[0].marks), (6, Some((4, 0))));
}

#[test]
fn what_only_gateways_send_is_misdirected() {
    let mut gateway = gateway(&config(1));
    let nack =
        Nack { session: 1, lane: Lane::Live, mark: 0, delay_millis: 0, round: 0, reason: NackReason::Gap };
    let frames = [
        Frame::Admit(Admit {
            session: 1,
            marks: None,
            backfill_delay_millis: 0,
            credit: 0,
            term: Term::default(),
        }),
        Frame::Defer(Defer { session: 1, delay_millis: 0, cookie: Cookie::default() }),
        Frame::Ack { session: 1, lane: Lane::Live, mark: 0 },
        Frame::Nack(nack),
        Frame::Bye { session: 1 },
    ];
    for frame in &frames {
        assert_eq!(gateway.ingress(0, 0, frame), Ingress::Drop(Drop::Misdirected));
        gateway.handle(0, 0, frame, ());
    }
    assert_eq!(dropped(&gateway, "misdirected"), 2 * frames.len() as u64);
}

#[test]
fn unknown_devices_are_dropped_and_counted() {
    let mut gateway = gateway(&config(3));
    for device in [3, 4, u32::MAX] {
        for frame in [
            hello(1, 0, 9),
            data(1, Lane::Live, 0, 0, 5),
            data(1, Lane::Backfill, 0, 0, 5),
            data(1, Lane::Live, 0, 0, 0),
        ] {
            let before = all_dropped(&gateway);
            arrive(&mut gateway, 0, device, &frame);
            assert_eq!(all_dropped(&gateway), before + 1, "{frame:?}");
        }
        gateway.assume_online(device);
    }
    assert_eq!((sent(&mut gateway), gateway.stats().online), (vec![], 0));
}

/// Any frame whatever, mostly near what makes sense.
fn garbage(chance: &mut Chance) -> Frame {
    let near = [0, 1, 2, 3, 65_535];
    let marks = [0, 1, 5, 100, 1 << 27, u32::MAX - 1, u32::MAX];
    let session = chance.pick(&near) as u16;
    let lane = chance.pick(&[Lane::Live, Lane::Backfill]);
    match chance.below(8) {
        0 | 1 => {
            let cookie = Cookie { slot: chance.below(1 << 32) as u32, mac: chance.below(u64::MAX) };
            Frame::Hello(Hello {
                session,
                epoch: chance.pick(&near) as u16,
                backlog: chance.pick(&[0, 1, 200, 65_535]),
                cookie: chance.per_mille(300).then_some(cookie),
                acked: (chance.pick(&marks), chance.pick(&marks)),
                gateway: chance.below(3) as u32,
            })
        }
        2..=6 => Frame::Data(Data {
            session,
            lane,
            prev: chance.pick(&marks),
            first: chance.pick(&marks),
            count: chance.pick(&[0, 1, 2, 64, 65_535]),
            stride: chance.pick(&[0, 1, 2, 65_535]),
            due_millis: chance.below(1 << 32) as u32,
            gap: chance.per_mille(500),
            round: chance.below(256) as u8,
            term: TermEcho::new(u8::from(chance.per_mille(50))),
        }),
        _ => Frame::Bye { session },
    }
}

/// The sink opens what it is asked to, or not, and says nonsense of the log.
fn answer_openings(gateway: &mut Gateway, chance: &mut Chance, now: u64, open: &mut Vec<u32>) {
    for request in gateway.take_sink_requests().collect::<Vec<_>>() {
        match request {
            SinkRequest::Store(submission) => open.push(submission.batch),
            SinkRequest::Open { shard, .. } if chance.per_mille(700) => {
                let stored = chance.per_mille(500).then(|| Term::new(chance.below(64) as u32));
                let device = chance.pick(&[0, 1, 2, 3, 4, u32::MAX]);
                let (epoch, session) = (chance.below(3) as u16, chance.below(1 << 16) as u16);
                let mark = chance.pick(&[0, 7, u32::MAX]);
                let checkpoint = Checkpoint { device, lane: Lane::Live, epoch, session, mark };
                gateway.opened(now, shard, stored, [checkpoint]);
            }
            SinkRequest::Open { shard, .. } => gateway.open_failed(now, shard),
            SinkRequest::Close { .. } => {}
        }
    }
    // Answers nobody asked for change nothing.
    gateway.opened(now, 77, None, []);
    gateway.open_failed(now, 77);
}

#[test]
fn any_frame_at_any_time_is_survived() {
    for seed in 0..300 {
        let mut chance = Chance::new(seed);
        let mut config = config(4);
        config.deduplicate = chance.per_mille(700);
        config.slots = chance.per_mille(600);
        config.batches_in_flight_max = if config.deduplicate { 1 } else { 3 };
        config.shards = chance.between(1, 3) as u32;
        config.sink_queue_readings = chance.pick(&[100, 100_000]);
        config.backfill_queue_readings = chance.pick(&[10, 1_000]);
        config.standby_devices_max = chance.pick(&[0, 2]);
        let mut gateway = gateway(&config);
        let mut open = Vec::new();
        let mut now = chance.pick(&[0, 1 << 40]);
        let mut hellos = 0;
        for _ in 0..600 {
            now += chance.pick(&[0, 1, 1_000, SECOND, 100 * SECOND]);
            // Some devices do not exist, and frames are reordered by up to a second.
            let device = chance.pick(&[0, 1, 2, 3, 4, u32::MAX]);
            let frame = garbage(&mut chance);
            let skewed = now.saturating_sub(chance.below(SECOND));
            hellos += u64::from(matches!(frame, Frame::Hello(_)));
            let before = all_dropped(&gateway);
            let verdict = gateway.ingress(skewed, device, &frame);
            let dropped = u64::from(matches!(verdict, Ingress::Drop(_)));
            assert_eq!(all_dropped(&gateway), before + dropped);
            if verdict == Ingress::Accept {
                gateway.handle(now, device, &frame, ());
            }
            answer_openings(&mut gateway, &mut chance, now, &mut open);
            if chance.per_mille(300) && !open.is_empty() {
                let batch = open.remove(chance.below(open.len() as u64) as usize);
                let outcome =
                    chance.pick(&[Outcome::Committed, Outcome::Committed, Outcome::Failed, Outcome::Fenced]);
                gateway.sink_outcome(now, batch, outcome);
            }
            // Outcomes nobody asked for change nothing.
            gateway.sink_outcome(now, chance.below(u64::MAX) as u32 | 1 << 31, Outcome::Committed);
            if chance.per_mille(5) {
                gateway.restart(now);
                open.clear();
                gateway.set_member(now, 0, true);
            }
            for (to, _) in sent(&mut gateway) {
                assert!(to < 4);
            }
            assert!(gateway.stats().online <= 4);
        }
        assert_eq!(gateway.stats().hellos, hellos);
    }
}

#[test]
fn readings_are_counted_where_they_are_offered_and_where_they_are_taken() {
    let mut config = config(1);
    config.sink_queue_readings = 10;
    let mut gateway = gateway(&config);
    gateway.assume_online(0);
    for n in 0..4 {
        arrive(&mut gateway, 0, 0, &data(1, Lane::Live, n * 4, n * 4, n * 4 + 4));
    }
    // Two frames of four fit; the third finds the queue full, and the fourth shows a gap.
    let stats = gateway.stats();
    assert_eq!((stats.offered, stats.admitted, stats.queued, stats.queued_max), (16, 8, 8, 8));
    assert_eq!(dropped(&gateway, "sink-queue-full"), 1);
    assert_eq!(sent(&mut gateway).len(), 1);
}
