//! What a frame costs: `cargo test --release -p klais-burst-sync --test wire -- --ignored --nocapture`.

use crate::frames::{DEVICE, EPOCH, bytes_of, device_key, keys, one_of_each};
use klais_burst_sync::wire::{encode, open, parse};
use klais_burst_sync::{Data, Frame, Lane};
use std::hint::black_box;

const CALLS: u32 = 1_000_000;

/// Best of five, in nanoseconds.
#[expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "measures")]
fn nanos(mut call: impl FnMut()) -> f64 {
    let round = |call: &mut dyn FnMut()| {
        let start = std::time::Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    (0..5).map(|_| round(&mut call)).fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore = "prints figures, of a release build"]
fn cost_of_a_frame() {
    let data = Frame::Data(Data {
        session: 2,
        lane: Lane::Live,
        prev: 20,
        first: 20,
        count: 8,
        stride: 1,
        due_millis: 1_000,
        gap: false,
        round: 0,
        term: klais_burst_sync::TermEcho::default(),
    });
    let (keys, key) = (keys(), device_key(DEVICE));
    let samples = [
        ("HELLO", one_of_each()[0], vec![]),
        ("DATA of 8", data, vec![7; 96]),
        ("ACK", one_of_each()[5], vec![]),
    ];
    for (name, frame, payload) in samples {
        let bytes = bytes_of(&frame, DEVICE, &payload);
        let mut out = [0; 1_400];
        let parsing = nanos(|| assert!(parse(black_box(&bytes)).is_ok()));
        let opening = nanos(|| assert!(open(black_box(&bytes), &keys).is_ok()));
        let encoding = nanos(|| {
            assert!(encode(black_box(&frame), DEVICE, EPOCH, &key, &payload, &mut out).is_ok());
        });
        println!("{name}: parse {parsing:.1} ns, open {opening:.1} ns, encode {encoding:.1} ns");
    }
}
