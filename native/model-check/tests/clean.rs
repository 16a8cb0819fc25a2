//! The protocol in every small world: every state is looked at, and nothing is wrong in any.

use klais_model_check::{Property, Ring, Setup, Start, check};

const RESTARTS: Ring = Ring::Volatile { index_restarts: true };

/// `least`: were the world much smaller, something would have been cut off by mistake.
fn assert_clean(setup: Setup, least: usize) {
    let findings = check(setup, &Property::ALL);
    println!("{findings}");
    assert!(findings.broken.is_none(), "{findings}");
    assert!(findings.states >= least, "only {} states", findings.states);
}

#[test]
fn one_device_and_three_owners() {
    assert_clean(Setup::SMALL, 1_000_000);
}

#[test]
fn a_device_that_loses_its_ring_and_counts_anew() {
    let setup = Setup { fences: 2, power_cuts: 1, ring: RESTARTS, ..Setup::SMALL };
    assert_clean(setup, 400_000);
}

#[test]
fn a_fleet_that_begins_in_steady_state() {
    let setup = Setup { start: Start::Steady, fences: 2, ..Setup::SMALL };
    assert_clean(setup, 100_000);
}

#[test]
fn a_full_run_table_keeps_the_live_lane_closed() {
    let setup = Setup { start: Start::Worn, readings: 6, sessions: 2, fences: 2, crashes: 0, ..Setup::SMALL };
    assert_clean(setup, 500_000);
}

#[test]
fn two_devices_in_one_transaction() {
    let setup = Setup { devices: 2, readings: 1, sessions: 2, fences: 2, ..Setup::SMALL };
    assert_clean(setup, 500_000);
}

#[test]
fn frames_that_reach_the_wrong_gateway() {
    let setup = Setup { any_gateway: true, fences: 2, ..Setup::SMALL };
    assert_clean(setup, 100_000);
}

#[test]
fn transactions_of_part_of_the_queue_in_small_frames() {
    let setup = Setup { readings: 3, frame_readings: 1, split: true, fences: 2, crashes: 0, ..Setup::SMALL };
    assert_clean(setup, 500_000);
}

/// For the night: the same with more of everything that can go wrong. 31 million states in 6 minutes of one core, 2 GB.
mod large {
    use super::*;

    #[test]
    #[ignore = "for the night"]
    fn one_device_and_four_owners() {
        assert_clean(Setup { fences: 4, crashes: 2, ..Setup::SMALL }, 5_000_000);
    }

    #[test]
    #[ignore = "for the night"]
    fn one_device_with_three_readings_and_four_sessions() {
        assert_clean(Setup { readings: 3, sessions: 4, fences: 2, ..Setup::SMALL }, 4_000_000);
    }

    #[test]
    #[ignore = "for the night"]
    fn two_devices_and_three_owners() {
        let setup = Setup { devices: 2, readings: 1, sessions: 2, ..Setup::SMALL };
        assert_clean(setup, 5_000_000);
    }

    #[test]
    #[ignore = "for the night"]
    fn a_ring_lost_twice() {
        let setup = Setup { readings: 3, fences: 2, power_cuts: 2, ring: RESTARTS, ..Setup::SMALL };
        assert_clean(setup, 5_000_000);
    }
}
