//! Each peer against what its source says: bounds, directions, worked figures.

use klais_brain::control::peers::{CapacityFrom, PeerConfig, PeerKind};
use klais_brain::control::{
    Arrival, Commit, CommitsSeen, Controller, ControllerConfig, Decision, Lane, LaneSeen, Observation,
    TICK_MICROS, Verdict,
};
use proptest::prelude::*;

const MILLI: u64 = 1_000;
const SECOND: u64 = 1_000_000;
const INTERVAL: u64 = 100 * MILLI;

/// A controller, and the time that it lives in.
struct Bench {
    controller: Controller,
    now: u64,
}

impl Bench {
    fn new(kind: PeerKind) -> Self {
        Self::with(PeerConfig { capacity_per_second: 1_000, shards: 8, ..PeerConfig::new(kind) })
    }

    fn with(config: PeerConfig) -> Self {
        let config = PeerConfig { commit_interval_micros: INTERVAL, ..config };
        Self { controller: Controller::new(&ControllerConfig::Peer(config)), now: 0 }
    }

    /// A transaction of so many frames that took `latency`, after its oldest frame had waited for `wait`; `in_flight` frames
    /// were undecided.
    fn commit(&mut self, latency: u64, wait: u64, frames: u64, in_flight: u64, is_committed: bool) {
        let arrival = Arrival {
            now: self.now,
            device: 0,
            lane: Lane::Live,
            readings: 1,
            undecided_frames: in_flight.saturating_sub(1),
            queued_readings: 0,
            online: 100,
        };
        self.controller.on_arrival(&arrival);
        self.now += latency + wait;
        self.controller.on_commit(&Commit {
            heard_micros: self.now,
            submitted_micros: self.now - latency,
            accepted_micros: self.now - latency - wait,
            readings: frames * 10,
            frames,
            in_flight_readings: frames * 10,
            is_committed,
        });
    }

    fn tick(&mut self, seen: Observation) -> Decision {
        self.now += TICK_MICROS;
        self.controller.tick(&Observation { now: self.now, elapsed_micros: TICK_MICROS, ..seen })
    }

    fn limit(&mut self) -> u64 {
        self.tick(Observation::default()).undecided_frames_max
    }
}

#[derive(Clone, Debug)]
struct Step {
    latency: u64,
    wait: u64,
    frames: u64,
    in_flight: u64,
    is_committed: bool,
}

fn step() -> impl Strategy<Value = Step> {
    (1..20 * SECOND, 0..60 * SECOND, 1..500_u64, 0..5_000_u64, prop::bool::weighted(0.9)).prop_map(
        |(latency, wait, frames, in_flight, is_committed)| Step {
            latency,
            wait,
            frames,
            in_flight,
            is_committed,
        },
    )
}

fn seen(online: u64, queued: u64, age: u64, submitted: u64) -> Observation {
    Observation {
        backfill: LaneSeen { queued, ..LaneSeen::default() },
        commits: CommitsSeen { committed: 1, readings: 10, ..CommitsSeen::default() },
        queued_micros_max: age,
        undecided_frames: queued,
        submitted_readings: submitted,
        online,
        shards: 8,
        ..Observation::default()
    }
}

proptest! {
    #[test]
    fn limits_stay_within_their_bounds(steps in prop::collection::vec(step(), 1..300)) {
        for (kind, bounds) in [
            (PeerKind::Aimd, 1..=u64::MAX),
            (PeerKind::Gradient2, 20..=200),
            (PeerKind::Vegas, 1..=1_000),
            (PeerKind::Breakwater, 1..=64 * 500),
        ] {
            let mut bench = Bench::new(kind);
            for each in &steps {
                bench.commit(each.latency, each.wait, each.frames, each.in_flight, each.is_committed);
                let decision = bench.tick(seen(500, each.in_flight, each.wait, each.frames));
                let limit = decision.undecided_frames_max;
                prop_assert!(bounds.contains(&limit), "{kind:?}: {limit}");
            }
        }
    }

    #[test]
    fn the_rate_of_the_pid_stays_between_a_fifth_and_twice_its_base(
        lags in prop::collection::vec(0..1_000_000_u64, 1..300),
        cpu in prop::option::of(0..2_000_u32),
    ) {
        let mut bench = Bench::new(PeerKind::Pid);
        for lag in lags {
            let decision = bench.tick(Observation { cpu_permille: cpu, ..seen(1, lag, 0, 0) });
            let rate = decision.admit_per_second.unwrap_or(0);
            prop_assert!((200..=2_000).contains(&rate), "{rate}");
        }
    }

    #[test]
    fn a_quota_holds_in_the_long_run(bursts in prop::collection::vec(0..300_u64, 300..600)) {
        let mut bench = Bench::new(PeerKind::Quota);
        let (mut is_open, mut sent) = (true, 0);
        for burst in bursts {
            let submitted = if is_open { burst } else { 0 };
            sent += submitted;
            is_open = bench.tick(seen(1, 0, 0, submitted)).is_history_open;
        }
        // One window's worth on top, and the last burst. (Of larger bursts more gets through: while a client is muted, windows
        // are forgotten for which it has not waited yet. So it is in Kafka.)
        prop_assert!(sent <= 1_000 * (bench.now / SECOND + 11) + 300, "{sent} in {} s", bench.now / SECOND);
    }

    #[test]
    fn no_peer_is_disturbed_by_nonsense(
        steps in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<bool>()), 1..50),
    ) {
        for kind in PeerKind::ALL {
            let mut bench = Bench::new(kind);
            for (a, b, c, d, is_committed) in &steps {
                let commit = Commit {
                    heard_micros: *a,
                    submitted_micros: *b,
                    accepted_micros: *c,
                    readings: *d >> 8,
                    frames: *a >> 40,
                    in_flight_readings: *b,
                    is_committed: *is_committed,
                };
                bench.controller.on_commit(&commit);
                let decision = bench.controller.tick(&Observation {
                    now: *a,
                    elapsed_micros: *b,
                    ..seen(*c, *d >> 2, *d, *a >> 3)
                });
                prop_assert!(decision.undecided_frames_max >= 1);
                prop_assert!(decision.capacity_per_second != Some(0) && decision.admit_per_second != Some(0));
            }
        }
    }
}

#[test]
fn aimd_grows_by_one_while_it_is_used_and_is_cut_to_nine_tenths_by_a_loss_or_five_seconds() {
    let mut bench = Bench::new(PeerKind::Aimd);
    assert_eq!(bench.limit(), 10);
    (0..90).for_each(|_| bench.commit(120 * MILLI, 0, 1, 1_000, true));
    assert_eq!(bench.limit(), 100);
    bench.commit(120 * MILLI, 0, 1, 49, true);
    assert_eq!(bench.limit(), 100, "less than half of it is used");
    bench.commit(120 * MILLI, 0, 1, 100, false);
    assert_eq!(bench.limit(), 90);
    bench.commit(5_001 * MILLI, 0, 1, 100, true);
    assert_eq!(bench.limit(), 81);
}

#[test]
fn gradient2_gains_four_fifths_of_a_frame_a_sample_at_a_steady_round_trip() {
    let mut bench = Bench::new(PeerKind::Gradient2);
    (0..100).for_each(|_| bench.commit(100 * MILLI, 0, 1, 200, true));
    // 20 + 100 x 0.2 x 4.
    assert!((99..=100).contains(&bench.limit()));
    (0..1_000).for_each(|_| bench.commit(100 * MILLI, 0, 1, 200, true));
    assert_eq!(bench.limit(), 200);
}

#[test]
fn gradient2_shrinks_while_round_trips_are_longer_than_they_were() {
    let mut bench = Bench::new(PeerKind::Gradient2);
    (0..500).for_each(|_| bench.commit(100 * MILLI, 0, 1, 200, true));
    (0..20).for_each(|_| bench.commit(400 * MILLI, 0, 1, 200, true));
    // The gradient stands at a half for long: L <- 0.8 L + 0.2 (L / 2 + 4), which goes to 8, below the least limit.
    assert!(bench.limit() < 60, "{}", bench.limit());
    (0..60).for_each(|_| bench.commit(400 * MILLI, 0, 1, 200, true));
    let shrunk = bench.limit();
    (0..200).for_each(|_| bench.commit(100 * MILLI, 0, 1, 200, true));
    assert!(bench.limit() > shrunk);
}

#[test]
fn vegas_takes_the_steps_that_its_source_names() {
    let mut bench = Bench::new(PeerKind::Vegas);
    bench.commit(100 * MILLI, 0, 1, 100, true);
    // Nothing queues: 6 more.
    bench.commit(100 * MILLI, 0, 1, 100, true);
    assert_eq!(bench.limit(), 26);
    // 26 x (1 - 100 / 107) is 2 of 3: one more.
    bench.commit(107 * MILLI, 0, 1, 100, true);
    assert_eq!(bench.limit(), 27);
    // 27 x (1 - 100 / 120) is 5, between 3 and 6: it stays.
    bench.commit(120 * MILLI, 0, 1, 100, true);
    assert_eq!(bench.limit(), 27);
    // 27 x (1 - 100 / 200) is 14, above 6: one less.
    bench.commit(200 * MILLI, 0, 1, 100, true);
    assert_eq!(bench.limit(), 26);
    bench.commit(100 * MILLI, 0, 1, 12, true);
    assert_eq!(bench.limit(), 26, "less than half of it is used");
    bench.commit(100 * MILLI, 0, 1, 12, false);
    assert_eq!(bench.limit(), 25);
}

#[test]
fn vegas_measures_the_idle_round_trip_anew() {
    let mut bench = Bench::new(PeerKind::Vegas);
    bench.commit(100 * MILLI, 0, 1, 100, true);
    // For good, the sink is slower. Until the next probe that looks like a queue.
    (0..40).for_each(|_| bench.commit(300 * MILLI, 0, 1, 100, true));
    let low = bench.limit();
    (0..2_000).for_each(|_| bench.commit(300 * MILLI, 0, 1, 1_000, true));
    assert!(bench.limit() > low.max(20), "{} after {low}", bench.limit());
}

#[test]
fn what_group_commit_costs_by_itself_is_no_congestion() {
    let mut bench = Bench::new(PeerKind::Vegas);
    bench.commit(100 * MILLI, 0, 1, 100, true);
    // The oldest frame has waited for its turn and for the transaction before.
    bench.commit(100 * MILLI, 200 * MILLI, 1, 100, true);
    assert_eq!(bench.limit(), 26);
    bench.commit(100 * MILLI, 300 * MILLI, 1, 100, true);
    assert_eq!(bench.limit(), 25);
}

#[test]
fn codel_refuses_once_everything_has_waited_too_long_and_no_longer_than_that() {
    let mut bench = Bench::new(PeerKind::Codel);
    let verdict = |bench: &mut Bench, queued: u64| {
        let arrival = Arrival {
            now: bench.now,
            device: 1,
            lane: Lane::Backfill,
            readings: 1,
            undecided_frames: 1,
            queued_readings: queued,
            online: 1,
        };
        bench.controller.on_arrival(&arrival)
    };
    for _ in 0..30 {
        bench.commit(100 * MILLI, 0, 10, 10, true);
        bench.tick(seen(1, 100, 0, 0));
    }
    assert_eq!(verdict(&mut bench, 1_000_000), Verdict::Accept, "nothing waits too long");
    // One of two waited 4 ms too long: within the target.
    bench.commit(100 * MILLI, 204 * MILLI, 10, 10, true);
    bench.commit(100 * MILLI, 900 * MILLI, 10, 10, true);
    bench.tick(seen(1, 100, 0, 0));
    assert_eq!(verdict(&mut bench, 1_000_000), Verdict::Accept);
    bench.commit(100 * MILLI, 206 * MILLI, 10, 10, true);
    bench.commit(100 * MILLI, 900 * MILLI, 10, 10, true);
    bench.tick(seen(1, 100, 0, 0));
    assert_eq!(verdict(&mut bench, 1_000_000), Verdict::Refuse);
    assert_eq!(verdict(&mut bench, 0), Verdict::Accept, "who would not wait is taken in");
    bench.commit(100 * MILLI, 0, 10, 10, true);
    bench.tick(seen(1, 100, 0, 0));
    assert_eq!(verdict(&mut bench, 1_000_000), Verdict::Accept);
}

#[test]
fn breakwater_adds_a_thousandth_per_client_and_takes_a_fiftieth_of_the_excess() {
    let mut bench = Bench::new(PeerKind::Breakwater);
    bench.commit(100 * MILLI, 0, 1, 1, true);
    let credits = |bench: &mut Bench, delay: u64| {
        bench.tick(seen(10_000, 10, delay + 200 * MILLI, 0)).undecided_frames_max
    };
    assert_eq!(credits(&mut bench, 0), 11);
    assert_eq!((0..9).map(|_| credits(&mut bench, 700 * MILLI)).last(), Some(101));
    // The target is 8 x 100 ms; at 1,200 ms it is exceeded by a half: 1 - 0.02 / 2.
    assert_eq!(credits(&mut bench, 1_200 * MILLI), 99);
    assert_eq!(credits(&mut bench, 60 * SECOND), 49, "never less than half");
}

#[test]
fn breakwater_refuses_above_twice_its_target() {
    let mut bench = Bench::new(PeerKind::Breakwater);
    bench.commit(100 * MILLI, 0, 1, 1, true);
    let arrival = Arrival {
        now: 0,
        device: 0,
        lane: Lane::Live,
        readings: 1,
        undecided_frames: 0,
        queued_readings: 0,
        online: 1,
    };
    bench.tick(seen(10, 10, 1_799 * MILLI, 0));
    assert_eq!(bench.controller.on_arrival(&arrival), Verdict::Accept);
    bench.tick(seen(10, 10, 1_800 * MILLI, 0));
    assert_eq!(bench.controller.on_arrival(&arrival), Verdict::Refuse);
}

#[test]
fn the_pid_computes_what_the_original_does() {
    let mut bench = Bench::new(PeerKind::Pid);
    // error = 0.7 x (1,000 - 1,500) / 1,000 = -0.35; 0.5 e + 0.1 e + 0.05 e = -0.2275.
    let first = bench.tick(seen(1, 1_500, 0, 0));
    assert_eq!(first.admit_per_second, Some(772));
    // The same error again: the integral stands at -0.7, nothing changes: -0.175 - 0.07.
    let second = bench.tick(seen(1, 1_500, 0, 0));
    assert_eq!(second.admit_per_second, Some(755));
    // error = 0.3 x (0.7 - 0.9) = -0.06 beside a lag on target; -0.03 - 0.076 + 0.05 x 0.29 = -0.0915.
    let third = bench.tick(Observation { cpu_permille: Some(900), ..seen(1, 1_000, 0, 0) });
    assert_eq!(third.admit_per_second, Some(908));
}

#[test]
fn who_sends_twice_the_quota_for_a_window_is_muted_for_as_long() {
    let mut bench = Bench::new(PeerKind::Quota);
    let mut muted = 0;
    // 20,000 readings at 1,000 a second, all at once: (O - T) / T x W = 20 s less the window that has passed.
    assert!(!bench.tick(seen(1, 0, 0, 20_000)).is_history_open);
    while !bench.tick(seen(1, 0, 0, 0)).is_history_open {
        muted += 1;
    }
    assert!((97..=100).contains(&muted), "{muted} ticks");
    assert!(bench.tick(seen(1, 0, 0, 0)).is_history_open);
}

#[test]
fn the_oracle_knows_its_share_of_what_is_there_and_of_what_is_to_come() {
    let course = vec![
        CapacityFrom { micros: 0, per_second: 8_000 },
        CapacityFrom { micros: 10 * SECOND, per_second: 0 },
        CapacityFrom { micros: 20 * SECOND, per_second: 4_000 },
    ];
    let mut bench = Bench::with(PeerConfig { course, shards: 16, ..PeerConfig::new(PeerKind::Oracle) });
    let decisions: Vec<Decision> = (0..250).map(|_| bench.tick(seen(1, 0, 0, 0))).collect();
    let at = |tenths: usize| &decisions[tenths - 1];
    // It serves 8 of 16 shards.
    assert_eq!((at(1).capacity_per_second, at(1).is_history_open), (Some(4_000), true));
    assert!(at(89).is_history_open && !at(91).is_history_open, "nothing may be under way when the sink goes");
    assert!(!at(185).is_history_open);
    assert_eq!((at(201).capacity_per_second, at(201).is_history_open), (Some(2_000), true));
}

#[test]
fn a_peer_goes_by_its_name() {
    for kind in PeerKind::ALL {
        let config = ControllerConfig::from_name(kind.name());
        assert_eq!(config, Some(ControllerConfig::Peer(PeerConfig::new(kind))));
    }
    assert_eq!(ControllerConfig::from_name("nobody"), None);
}
