//! Exactly once, in order, and never acknowledged before it is durable: real device stacks against the real gateway.

mod common;

use common::plan::plan;
use common::world::World;

/// Runs the plans of the seeds; the failing one is named.
fn run(seeds: std::ops::Range<u64>) -> (u64, u64, u64, u64) {
    let mut sums = (0, 0, 0, 0);
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| {
            let world = World::new(plan(seed), seed).run();
            (world.log.readings, world.log.claims, world.acks, world.admits)
        });
        let Ok((readings, claims, acks, admits)) = outcome else {
            panic!("seed {seed} fails: {:#?}", plan(seed));
        };
        sums = (sums.0 + readings, sums.1 + claims, sums.2 + acks, sums.3 + admits);
    }
    sums
}

#[test]
fn every_reading_is_stored_once_whatever_fails() {
    let (readings, claims, acks, admits) = run(0..400);
    // Or nothing was shown.
    let shown = readings > 100_000 && claims > 500 && acks > 50_000 && admits > 2_000;
    assert!(shown, "{readings} {claims} {acks} {admits}");
}
