//! Threads admit no more than one would.

mod common;

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use common::{Knock, SECOND, within_bound};
use klais_dam::{Bucket, Class, Dam, DamConfig, Emission, HelloVerdict, Limit, Request, SessionMode, Shift};

const THREADS: [usize; 3] = [2, 4, 8];

/// Runs `work` on so many threads at once, and adds up what they return.
fn on_threads(threads: usize, work: impl Fn(usize) -> u64 + Sync) -> u64 {
    let barrier = Barrier::new(threads);
    thread::scope(|scope| {
        let run = |n| {
            barrier.wait();
            work(n)
        };
        let handles: Vec<_> = (0..threads).map(|n| scope.spawn(move || run(n))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).sum()
    })
}

#[test]
fn at_one_moment_threads_share_one_burst() {
    for threads in THREADS {
        let limit = Limit::per_second(1, 100_000);
        let bucket = Bucket::new(limit).unwrap();
        let passed =
            on_threads(threads, |_| (0..100_000).map(|_| u64::from(bucket.admit(SECOND, 1).is_ok())).sum());
        assert_eq!(passed, limit.burst, "{threads} threads");
    }
}

#[test]
fn over_a_moving_clock_threads_share_one_rate() {
    for threads in THREADS {
        let limit = Limit::per_second(1_000_003, 50);
        let bucket = Bucket::new(limit).unwrap();
        let clock = AtomicU64::new(0);
        // Each step of the clock is read by one thread and may be stale by the time it decides.
        let passed = on_threads(threads, |_| {
            (0..200_000).map(|_| u64::from(bucket.admit(clock.fetch_add(97, Relaxed), 1).is_ok())).sum()
        });
        let elapsed = clock.load(Relaxed);
        assert!(within_bound(limit, passed, elapsed), "{threads} threads: {passed} in {elapsed} ns");
        let earned = elapsed / 1_000;
        assert!(passed >= earned / 100 * 99, "{threads} threads: {passed} of {earned}");
    }
}

#[test]
fn no_layer_is_exceeded_when_frames_race_for_the_last_room() {
    let (device, class, global) = (40, 130, 150);
    for (threads, batched) in THREADS.into_iter().flat_map(|n| [(n, false), (n, true)]) {
        let limit = |burst| Some(Limit::per_second(1, burst));
        let dam = Dam::new(DamConfig {
            device: limit(device),
            control: limit(class),
            live: limit(class),
            global: limit(global),
            ..DamConfig::open(8)
        })
        .unwrap();
        let passed_of: Vec<AtomicU64> = (0..8).map(|_| AtomicU64::new(0)).collect();
        let count = |device: u32| passed_of[device as usize].fetch_add(1, Relaxed);
        let passed = on_threads(threads, |n| {
            let request = |k: u64| Request {
                device: (k * 5 + n as u64) as u32 % 8,
                class: if k.is_multiple_of(2) { Class::Live } else { Class::Control },
                cost: 1,
            };
            let mut passed = 0;
            for k in (0..4_000).step_by(32) {
                let requests: Vec<_> = (k..k + 32).map(request).collect();
                let mut verdicts = vec![Ok(()); 32];
                if batched {
                    dam.admit_batch(SECOND, &requests, &mut verdicts);
                } else {
                    for (r, verdict) in requests.iter().zip(&mut verdicts) {
                        *verdict = dam.admit(SECOND, r.device, r.class, r.cost);
                    }
                }
                for (request, _) in requests.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_ok()) {
                    count(request.device);
                    passed += 1;
                }
            }
            passed
        });
        assert!(passed <= global, "{threads} threads, batched {batched}: {passed}");
        assert!(passed > global / 2, "{threads} threads, batched {batched}: {passed}");
        assert!(passed_of.iter().all(|passed| passed.load(Relaxed) <= device));
    }
}

#[test]
fn no_two_threads_pass_on_one_slot() {
    for threads in THREADS {
        let dam = Dam::new(DamConfig {
            sessions: Some(Limit::per_second(10, 1)),
            session_mode: SessionMode::Slots,
            ..DamConfig::open(2)
        })
        .unwrap();
        assert_eq!(dam.knock(0, 0, None, false), HelloVerdict::Pass);
        let HelloVerdict::Defer { delay_nanos, cookie } = dam.knock(0, 1, None, false) else {
            panic!("the burst is 1");
        };
        let before = dam.tats();
        let passed = on_threads(threads, |_| {
            u64::from(dam.knock(delay_nanos, 1, Some(cookie), false) == HelloVerdict::Pass)
        });
        assert_eq!(passed, 1, "{threads} threads");
        // The others are newcomers; between them they hold one slot, at most.
        assert!(dam.tats()[4] >= before[4]);
    }
}

#[test]
fn a_limit_changes_whole() {
    // Two limits whose mixture (the interval of one, the span of the other) would let a million through.
    let (fast, slow) = (Limit::per_second(1_000_000, 10), Limit::per_period(1, 100 * SECOND, 10));
    let bucket = Bucket::with_shift(fast, Shift::DAM).unwrap();
    let passed = on_threads(2, |n| {
        if n == 0 {
            for k in 0..200_000 {
                bucket.set_limit(if k % 2 == 0 { slow } else { fast }).unwrap();
            }
            0
        } else {
            (0..200_000).map(|_| u64::from(bucket.admit(SECOND, 1).is_ok())).sum()
        }
    });
    // At one moment: ten under the fast limit leave room for ten under the slow one, and no more.
    assert!((10..=20).contains(&passed), "{passed}");
}

#[test]
fn a_device_that_lost_the_race_for_the_last_room_is_not_charged() {
    let (device, global) = (Limit::per_second(1, 100), Limit::per_second(1, 40));
    let interval = Emission::new(device, Shift::DAM).unwrap().pace().interval;
    for batch in [1, 7] {
        let dam = || {
            Dam::new(DamConfig { device: Some(device), global: Some(global), ..DamConfig::open(2) }).unwrap()
        };
        let dams: Vec<Dam> = (0..3_000).map(|_| dam()).collect();
        let (arrived, charged_for_nothing) = (AtomicU64::new(0), AtomicU64::new(0));
        let passed = on_threads(2, |n| {
            let requests = vec![Request { device: n as u32, class: Class::Live, cost: 1 }; batch];
            let mut verdicts = vec![Ok(()); batch];
            let mut all = 0;
            for (round, dam) in dams.iter().enumerate() {
                // A barrier that spins: one that sleeps would let a thread run alone.
                arrived.fetch_add(1, Relaxed);
                while arrived.load(Relaxed) < 2 * (round as u64 + 1) {
                    std::hint::spin_loop();
                }
                let passed: usize =
                    (0..60 / batch).map(|_| dam.admit_batch(0, &requests, &mut verdicts)).sum();
                charged_for_nothing.fetch_add(dam.device_tat(n as u32) / interval - passed as u64, Relaxed);
                all += passed as u64;
            }
            all
        });
        assert_eq!(charged_for_nothing.into_inner(), 0, "in batches of {batch}");
        assert_eq!(passed, global.burst * dams.len() as u64, "in batches of {batch}");
    }
}
