//! Gateways find each other, notice who is gone, and do not give up who is not.

mod common;

use common::{LAN, LOSSY, MILLI, Net, SECOND, quantile};
use klais_swarm::{Change, MemberState};

#[test]
fn all_find_each_other() {
    for gateways in [1, 2, 3, 8, 64] {
        for link in [LAN, LOSSY] {
            let mut net = Net::new(gateways, 1, link);
            net.converge(10 * SECOND);
            net.run_for(20 * SECOND);
            let ups = net.events.iter().filter(|(_, event)| event.change == Change::Up).count();
            assert_eq!(ups, gateways * (gateways - 1), "each meets each of the others once");
            assert!(net.events.iter().all(|(_, event)| event.change != Change::Down), "{gateways}");
            assert!(net.node(0).sees_majority());
        }
    }
}

#[test]
fn a_killed_gateway_is_known_to_the_others_soon() {
    for (gateways, within_p90, within_max) in [(3, 700, 1_000), (8, 700, 1_000), (64, 1_500, 2_500)] {
        let mut delays = Vec::new();
        for seed in 0..if gateways == 64 { 5 } else { 100 } {
            let mut net = Net::new(gateways, seed, LAN);
            net.converge(10 * SECOND);
            net.run_for(2 * SECOND + seed * 7_919 % SECOND);
            let killed = net.now;
            net.kill(1);
            net.run_for(10 * SECOND);
            let told = net.told(1, Change::Down, killed);
            assert_eq!(told.len(), gateways - 1, "all others");
            delays.extend(told.values().map(|at| at - killed));
            let wrong = net.events.iter().any(|(_, e)| e.change == Change::Down && e.gateway != 1);
            assert!(!wrong, "nobody else is given up");
        }
        let (half, p90) = (quantile(&mut delays, 0.5), quantile(&mut delays, 0.9));
        let most = quantile(&mut delays, 1.0);
        println!(
            "{gateways} gateways: down known after ms p50 {} p90 {} max {}",
            half / MILLI,
            p90 / MILLI,
            most / MILLI
        );
        assert!(p90 <= within_p90 * MILLI, "{gateways}: p90 {p90}");
        assert!(most <= within_max * MILLI, "{gateways}: max {most}");
    }
}

#[test]
fn a_bad_network_gives_nobody_up() {
    for gateways in [3, 8] {
        let mut net = Net::new(gateways, 5, LOSSY);
        net.converge(10 * SECOND);
        net.run_for(600 * SECOND);
        let downs = net.events.iter().filter(|(_, event)| event.change == Change::Down).count();
        assert_eq!(downs, 0, "{gateways} gateways, ten minutes, one datagram in fifty lost");
    }
}

#[test]
fn a_restart_is_a_new_process() {
    let mut net = Net::new(3, 2, LAN);
    net.converge(10 * SECOND);
    let before = net.member(0, 1).incarnation;
    net.kill(1);
    net.start(1);
    let restarted = net.now;
    net.converge(10 * SECOND);
    net.run_for(SECOND);
    let after = net.member(0, 1);
    assert!(after.incarnation > before && after.usable);
    for node in [0, 2] {
        let changes: Vec<_> = net
            .events
            .iter()
            .filter(|(n, event)| *n == node && event.gateway == 1 && event.at >= restarted)
            .map(|(_, event)| (event.change, event.incarnation > before))
            .collect();
        assert_eq!(changes, [(Change::Down, false), (Change::Up, true)], "node {node}");
    }
}

#[test]
fn a_process_whose_clock_went_back_comes_back_all_the_same() {
    let mut net = Net::new(3, 2, LAN);
    net.converge(10 * SECOND);
    net.kill(1);
    net.run_for(5 * SECOND);
    // Its number is known under a later incarnation.
    let now = net.now;
    net.now = SECOND;
    net.start(1);
    net.now = now;
    net.converge(10 * SECOND);
    assert_eq!(net.member(0, 1).state, MemberState::Alive);
}

#[test]
fn who_leaves_need_not_be_missed() {
    let mut net = Net::new(8, 3, LAN);
    net.converge(10 * SECOND);
    let left = net.now;
    net.node(1).leave(left);
    // Its last words are on their way before it ends.
    net.observe(1, klais_swarm::Observation::Idle { device: 0 });
    net.kill(1);
    net.run_for(2 * SECOND);
    let told = net.told(1, Change::Down, left);
    assert!(told.len() == 7 && told.values().all(|at| at - left < 300 * MILLI), "{told:?}");
}

#[test]
fn both_sides_of_a_partition_go_on_and_find_each_other_again() {
    let mut net = Net::new(8, 4, LAN);
    net.converge(10 * SECOND);
    for gateway in 0..3 {
        net.group[gateway] = 1;
    }
    net.run_for(5 * SECOND);
    assert!(net.is_converged());
    assert!(!net.node(0).sees_majority() && net.node(7).sees_majority());
    net.group.fill(0);
    let healed = net.now;
    net.converge(10 * SECOND);
    println!("8 gateways: healed after {} ms", (net.now - healed) / MILLI);
    net.run_for(60 * SECOND);
    assert!((0..8).all(|gateway| {
        let now = net.now;
        net.node(gateway).members(now).all(|member| member.usable)
    }));
}

#[test]
fn a_cut_link_is_gone_around() {
    let mut net = Net::new(8, 6, LAN);
    net.converge(10 * SECOND);
    // Only what goes directly between 0 and 1 is lost: others vouch for both.
    net.cut(0, 1);
    net.run_for(60 * SECOND);
    assert!(net.events.iter().all(|(_, event)| event.change != Change::Down));
}

#[test]
fn a_flapping_gateway_is_kept_out_for_a_while() {
    let mut net = Net::new(8, 7, LAN);
    net.converge(10 * SECOND);
    for _ in 0..20 {
        net.kill(1);
        net.run_for(SECOND);
        net.start(1);
        net.run_for(SECOND);
    }
    let of = |net: &Net, change| net.told_count(0, 1, change);
    assert!(of(&net, Change::Up) <= 3, "{} times up", of(&net, Change::Up));
    assert!(of(&net, Change::Held) >= 1);
    assert_eq!(of(&net, Change::Up), of(&net, Change::Down) + u64::from(net.is_usable(0, 1)));
    assert!(!net.is_usable(0, 1));
    assert!(net.member(0, 1).state.is_active());
    net.run_for(60 * SECOND);
    assert!(net.is_usable(0, 1), "it has behaved since");
}

#[test]
fn who_slept_accuses_nobody_and_learns_that_it_was_given_up() {
    let mut net = Net::new(8, 8, LAN);
    net.converge(10 * SECOND);
    net.freeze(1);
    net.run_for(5 * SECOND);
    assert_eq!(net.told(1, Change::Down, 0).len(), 7);
    let woken = net.now;
    net.thaw(1);
    net.run_for(5 * SECOND);
    assert!(net.is_converged());
    let expelled = net.told(1, Change::Expelled, woken);
    assert!(expelled.get(&1).is_some_and(|at| at - woken < 300 * MILLI), "{expelled:?}");
    let wrong = net.events.iter().filter(|(_, e)| e.change == Change::Down && e.gateway != 1).count();
    assert_eq!(wrong, 0);
    assert!(net.node(1).counters().stalls > 0);
}

#[test]
fn loads_are_told_and_age() {
    let mut net = Net::new(8, 9, LAN);
    for gateway in 0..8 {
        net.node(gateway).set_load(klais_swarm::Load {
            capacity_per_second: 1_000 + gateway as u32,
            queued_readings: gateway as u32,
            ..Default::default()
        });
    }
    net.converge(10 * SECOND);
    net.run_for(2 * SECOND);
    let now = net.now;
    for member in net.node(3).members(now) {
        let load = member.load.expect("a load");
        assert_eq!(load.capacity_per_second, 1_000 + u32::from(member.gateway));
    }
    net.node(5).set_load(klais_swarm::Load { queued_readings: 77, ..Default::default() });
    net.run_for(SECOND);
    assert_eq!(net.member(3, 5).load.map(|l| l.queued_readings), Some(77));
    net.kill(5);
    net.run_for(10 * SECOND);
    assert_eq!(net.member(3, 5).load, None);
}
