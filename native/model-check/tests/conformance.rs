//! The model against the code: random walks of real devices and real gateways, each move of which must be a move of the
//! model that sends the same and leaves the same behind.
//!
//! What the code does, the model does too; so what never happens in the model does not happen to the code, as far as the
//! walks have seen it.

#[path = "../../burst-sync/tests/common/chance.rs"]
mod chance;
#[path = "conformance/mirror.rs"]
mod mirror;
#[path = "conformance/network.rs"]
mod network;
#[path = "conformance/plan.rs"]
mod plan;
#[path = "conformance/rig.rs"]
mod rig;

use klais_model_check::{Ring, Rule, Start};
use plan::{Counts, Walk};
use rig::Rig;

const MOVES: usize = 250;
const SEEDS: u64 = 1_000;
const VOLATILE: Ring = Ring::Volatile { index_restarts: false };
const FRESH: Walk = Walk { devices: 1, readings: 8, start: Start::Fresh, ring: Ring::Flash, broken: None };

fn assert_same(walk: Walk) {
    let mut counts = Counts::default();
    for seed in 0..SEEDS {
        match Rig::new(walk, seed).run(MOVES) {
            Ok(each) => counts.add(each),
            Err(difference) => panic!("seed {seed}: {difference}"),
        }
    }
    println!("{walk:?}: {counts:?}");
    counts.assert_busy();
}

#[test]
fn a_fresh_shard_and_one_device() {
    assert_same(FRESH);
}

#[test]
fn a_fresh_shard_and_two_devices() {
    assert_same(Walk { devices: 2, readings: 6, ..FRESH });
}

#[test]
fn a_fleet_in_steady_state() {
    assert_same(Walk { start: Start::Steady, ..FRESH });
}

#[test]
fn a_device_that_loses_its_ring() {
    assert_same(Walk { ring: VOLATILE, ..FRESH });
}

/// Where the model would do more than the code, a walk must notice, or it would notice nothing.
#[test]
fn a_model_without_a_rule_is_told_from_the_code() {
    let rules = [
        (Rule::OldAdmitsIgnored, Ring::Flash),
        (Rule::BatchJudgedByMarks, Ring::Flash),
        (Rule::ForgetsUnderOtherTerm, Ring::Flash),
        (Rule::OwnTermIsConfirmed, Ring::Flash),
        (Rule::ClaimBeforeServing, Ring::Flash),
        (Rule::SessionIsStored, Ring::Flash),
        (Rule::EpochRisesWithLoss, VOLATILE),
    ];
    for (rule, ring) in rules {
        let walk = Walk { ring, broken: Some(rule), ..FRESH };
        let seed = (0..SEEDS).find(|seed| Rig::new(walk, *seed).run(MOVES).is_err());
        println!("without {rule:?}: seed {seed:?}");
        assert!(seed.is_some(), "nobody misses {rule:?}");
    }
}
