//! The dam's own paths.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures wall time, outside of every decision"
)]

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::time::Instant;

use klais_dam::{Bucket, Class, Dam, DamConfig, Limit, Request, Shift};
use klais_units::scale;

use crate::{Contender, Sample, Unit};

const PASSED_IN: &str = "now passed in";
/// Offered as fast as the fastest limit that holds in all cases, 50 M/s: time moves 20 ns per operation.
const STEP_NANOS: u64 = 20;
const RATE: u64 = 50_000_000;
const BURST: u64 = 1_000_000;
/// Slices of a sample; the numbers of operations are multiples of it.
const SLICES: usize = 16;
/// The batch of the contenders that batch.
const BATCH: usize = 32;

pub(crate) fn all(operations: u64, devices: u32) -> Vec<Contender> {
    let mut contenders = vec![
        floor(operations),
        bucket_pass(operations),
        bucket_refuse(operations),
        layers_one_device(operations),
        two_threads("bucket, 2 threads, one by one: pass", operations, 1),
        two_threads("bucket, 2 threads, leased in 32s: pass", operations, BATCH as u32),
    ];
    let dam = Arc::new(layered(devices));
    contenders.push(random_keys_single(Arc::clone(&dam), operations));
    for unit in [Unit::NanosPerOperation, Unit::PassesPerSecond] {
        contenders.push(random_keys_batched(Arc::clone(&dam), operations, unit));
    }
    contenders
}

/// Times `operations` runs of `operation`, of which each must return `expected`: the median of [`SLICES`] slices.
pub(crate) fn sample(operations: u64, expected: bool, mut operation: impl FnMut() -> bool) -> Sample {
    let per_slice = operations / SLICES as u64;
    let mut slices = [0; SLICES];
    for nanos in &mut slices {
        let mut as_expected = 0;
        let start = Instant::now();
        for _ in 0..per_slice {
            as_expected += u64::from(operation() == expected);
        }
        *nanos = start.elapsed().as_nanos() as u64;
        assert_eq!(as_expected, per_slice, "passes and refusals must not be mixed");
    }
    slices.sort_unstable();
    Sample { operations: per_slice, nanos: slices[SLICES / 2] }
}

/// A number of devices, short: the name says what was measured, with `--quick` too.
pub(crate) fn count(devices: u32) -> String {
    if devices.is_multiple_of(1_000_000) {
        format!("{} M", devices / 1_000_000)
    } else {
        format!("{} k", devices / 1_000)
    }
}

/// The state of a cheap random walk over keys: SplitMix64 (Steele, Lea, Flood 2014), about 1 ns a step, and measured.
pub(crate) struct Keys {
    state: u64,
    devices: u32,
}

impl Keys {
    pub(crate) fn new(devices: u32) -> Self {
        Self { state: 1, devices }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        scale(z ^ (z >> 31), u64::from(self.devices)) as u32
    }
}

/// What the machine charges for any decision that takes hold: one load and one compare-and-swap, limit compiled in.
fn floor(operations: u64) -> Contender {
    let bucket = AtomicU64::new(0);
    let mut start = Start::default();
    Contender {
        name: "floor: one compare-and-swap, limit compiled in".to_owned(),
        time_source: PASSED_IN,
        pass_share: 1.0,
        unit: Unit::NanosPerOperation,
        run: Box::new(move || {
            let bucket = black_box(&bucket);
            let mut now = start.advance(operations);
            sample(operations, true, || {
                now += STEP_NANOS;
                let seen = bucket.load(Relaxed);
                let base = seen.max(now);
                base - now <= BURST
                    && bucket.compare_exchange(seen, base + STEP_NANOS, Relaxed, Relaxed).is_ok()
            })
        }),
    }
}

fn bucket_pass(operations: u64) -> Contender {
    let bucket = Bucket::new(Limit::per_second(RATE, BURST)).unwrap();
    let mut start = Start::default();
    Contender {
        name: "bucket: pass".to_owned(),
        time_source: PASSED_IN,
        pass_share: 1.0,
        unit: Unit::NanosPerOperation,
        run: Box::new(move || {
            // Hidden from the optimiser once, not per call: a black box costs a trip through memory, and no load may
            // pass a locked instruction.
            let (bucket, cost) = black_box((&bucket, 1));
            let mut now = start.advance(operations);
            sample(operations, true, || {
                now += STEP_NANOS;
                bucket.admit(now, cost).is_ok()
            })
        }),
    }
}

fn bucket_refuse(operations: u64) -> Contender {
    let bucket = Bucket::new(Limit::per_second(1, 1)).unwrap();
    bucket.admit(0, 1).unwrap();
    Contender {
        name: "bucket: refuse".to_owned(),
        time_source: PASSED_IN,
        pass_share: 0.0,
        unit: Unit::NanosPerOperation,
        run: Box::new(move || {
            let (bucket, now, cost) = black_box((&bucket, 1, 1));
            sample(operations, false, || bucket.admit(now, cost).is_ok())
        }),
    }
}

/// A dam with device, class and global layer on, that passes what [`STEP_NANOS`] offers.
fn layered(devices: u32) -> Dam {
    let shared = Some(Limit::per_second(RATE, BURST));
    Dam::new(DamConfig {
        device: Some(Limit::per_second(1_000, 1_000)),
        control: shared,
        live: shared,
        backfill: shared,
        global: shared,
        ..DamConfig::open(devices)
    })
    .unwrap()
}

fn layers_one_device(operations: u64) -> Contender {
    let fast = Some(Limit::per_second(RATE, BURST));
    let dam = Dam::new(DamConfig { device: fast, live: fast, global: fast, ..DamConfig::open(1) }).unwrap();
    let mut start = Start::default();
    Contender {
        name: "dam, 3 layers, 1 device, one by one: pass".to_owned(),
        time_source: PASSED_IN,
        pass_share: 1.0,
        unit: Unit::NanosPerOperation,
        run: Box::new(move || {
            let (dam, device, class, cost) = black_box((&dam, 0, Class::Live, 1));
            let mut now = start.advance(operations);
            sample(operations, true, || {
                now += STEP_NANOS;
                dam.admit(now, device, class, cost).is_ok()
            })
        }),
    }
}

fn random_keys_single(dam: Arc<Dam>, operations: u64) -> Contender {
    let mut keys = Keys::new(dam.devices());
    Contender {
        name: format!("dam, 3 layers, {} random keys, one by one: pass", count(dam.devices())),
        time_source: PASSED_IN,
        pass_share: 1.0,
        unit: Unit::NanosPerOperation,
        run: Box::new(move || {
            let (dam, class, cost) = black_box((&dam, Class::Live, 1));
            let mut now = resume(dam);
            sample(operations, true, || {
                now += STEP_NANOS;
                dam.admit(now, keys.next(), class, cost).is_ok()
            })
        }),
    }
}

fn random_keys_batched(dam: Arc<Dam>, operations: u64, unit: Unit) -> Contender {
    let mut keys = Keys::new(dam.devices());
    Contender {
        name: format!(
            "dam, 3 layers, {} random keys, batches of {BATCH}{}",
            count(dam.devices()),
            if unit == Unit::NanosPerOperation { ": pass" } else { "" }
        ),
        time_source: "now passed in, once per batch",
        pass_share: 1.0,
        unit,
        run: Box::new(move || {
            let mut now = resume(&dam);
            let mut verdicts = [Ok(()); BATCH];
            let batches = operations / BATCH as u64;
            let taken = sample(batches, true, || {
                now += STEP_NANOS * BATCH as u64;
                let requests: [Request; BATCH] = std::array::from_fn(|n| Request {
                    device: keys.next(),
                    class: if n % 8 == 0 { Class::Control } else { Class::Live },
                    cost: 1,
                });
                black_box(&dam).admit_batch(now, black_box(&requests), black_box(&mut verdicts)) == BATCH
            });
            Sample { operations: taken.operations * BATCH as u64, ..taken }
        }),
    }
}

/// The time at which a contender's next sample starts: where the one before stopped. Not touched within a sample, since a
/// store per operation would be paid for by the locked instruction behind it.
#[derive(Default)]
struct Start(u64);

impl Start {
    fn advance(&mut self, operations: u64) -> u64 {
        let start = self.0;
        self.0 += operations * STEP_NANOS;
        start
    }
}

/// Contenders that share a dam share its clock, which must not go backwards: where the one before stopped.
fn resume(dam: &Dam) -> u64 {
    let [global, ..] = dam.tats();
    Shift::DAM.nanos(global)
}

fn two_threads(name: &'static str, operations: u64, lease: u32) -> Contender {
    // One event a nanosecond: far above what two threads offer, so that everything passes.
    let bucket = Arc::new(Bucket::new(Limit::per_second(1_000_000_000, u64::from(u32::MAX))).unwrap());
    let mut start_nanos = 0;
    Contender {
        name: name.to_owned(),
        time_source: PASSED_IN,
        pass_share: 1.0,
        unit: Unit::NanosPerOperation,
        run: Box::new(move || {
            start_nanos += operations * STEP_NANOS * 2;
            let changes = operations / u64::from(lease);
            let nanos = both_threads(|| {
                let bucket = Arc::clone(&bucket);
                let mut now = start_nanos;
                move || {
                    sample(changes, true, || {
                        now += STEP_NANOS * u64::from(lease);
                        black_box(&*bucket).admit(black_box(now), black_box(lease)).is_ok()
                    });
                }
            });
            Sample { operations: 2 * changes * u64::from(lease), nanos }
        }),
    }
}

/// Runs two of what `make` makes at once, and returns the nanoseconds from the first start to the last end.
pub(crate) fn both_threads<F: FnOnce() + Send + 'static>(make: impl Fn() -> F) -> u64 {
    let barrier = Arc::new(Barrier::new(2));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (barrier, run) = (Arc::clone(&barrier), make());
            std::thread::spawn(move || {
                barrier.wait();
                let start = Instant::now();
                run();
                (start, Instant::now())
            })
        })
        .collect();
    let ran: Vec<_> =
        threads.into_iter().map(|thread| thread.join().expect("a contender panicked")).collect();
    let first = ran.iter().map(|(start, _)| *start).min().expect("two threads");
    let last = ran.iter().map(|(_, end)| *end).max().expect("two threads");
    (last - first).as_nanos() as u64
}
