//! Client-side throttling against its source.

use klais_burst_sync::{Event, Frame, Lane, Throttle};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000;

fn request() -> Frame {
    Frame::Data(klais_burst_sync::Data {
        session: 1,
        lane: Lane::Live,
        prev: 0,
        first: 0,
        count: 1,
        stride: 1,
        due_millis: 0,
        gap: false,
        round: 0,
        term: klais_burst_sync::Term::default().echo(),
    })
}

fn answer() -> Event {
    Event::Frame(Frame::Ack { session: 1, lane: Lane::Live, mark: 1 })
}

/// So many requests of as many devices over a minute, of which a share is accepted: how many went out at the end.
fn let_out(devices: u64, rounds: u64, accepted_percent: u64) -> u64 {
    let mut throttles = vec![Throttle::default(); devices as usize];
    let mut out = 0;
    for round in 0..rounds {
        let now = round * SECOND;
        out = 0;
        for (device, throttle) in (0..).zip(&mut throttles) {
            throttle.on_event(now, &Event::Timer);
            if throttle.lets_out(7, device, now, &request()) {
                out += 1;
                if (device * 7 + round * 37) % 100 < accepted_percent {
                    throttle.on_event(now, &answer());
                }
            }
        }
    }
    out
}

#[test]
fn hardly_anybody_is_throttled_while_well_over_half_is_accepted() {
    assert_eq!(let_out(100, 1, 0), 100, "the first request always goes out");
    assert_eq!(let_out(1_000, 55, 100), 1_000);
    let most = let_out(1_000, 55, 75);
    assert!(most > 950, "{most}");
}

#[test]
fn with_nothing_accepted_one_of_so_many_requests_goes_out() {
    // P = requests / (requests + 1) after 50 of them.
    let out = let_out(10_000, 51, 0);
    assert!((120..=290).contains(&out), "{out} of 10,000");
}

#[test]
fn what_was_refused_is_forgotten_after_two_minutes() {
    let mut throttle = Throttle::default();
    (0..200).for_each(|n| {
        throttle.lets_out(1, 1, n * SECOND / 4, &request());
    });
    assert!((0..20).any(|n| !throttle.clone().lets_out(n, 1, 100 * SECOND, &request())));
    assert!((0..20).all(|n| throttle.clone().lets_out(n, 1, 180 * SECOND, &request())));
}

#[test]
fn an_answer_counts_for_all_that_wait_for_it_and_none_that_timed_out() {
    let mut throttle = Throttle::default();
    let out = (0..4).filter(|_| throttle.lets_out(1, 1, 0, &request())).count();
    assert!(out > 0);
    let waiting = throttle;
    throttle.on_event(0, &answer());
    assert_ne!(throttle, waiting);
    let mut late = waiting;
    late.on_event(0, &Event::Timer);
    let timed_out = late;
    late.on_event(0, &answer());
    assert_eq!(late, timed_out);
}

proptest! {
    #[test]
    fn what_asks_for_nothing_always_goes_out(now in any::<u64>(), key in any::<u64>(), refused in 0..500_u32) {
        let mut throttle = Throttle::default();
        for _ in 0..refused {
            throttle.lets_out(key, 1, now, &request());
        }
        let bye = Frame::Bye { session: 1 };
        prop_assert!(throttle.lets_out(key, 1, now, &bye));
    }

    #[test]
    fn with_all_accepted_everything_goes_out_at_any_time(times in prop::collection::vec(any::<u64>(), 1..200)) {
        let mut throttle = Throttle::default();
        for now in times {
            prop_assert!(throttle.lets_out(3, 9, now, &request()));
            throttle.on_event(now, &answer());
        }
    }
}
