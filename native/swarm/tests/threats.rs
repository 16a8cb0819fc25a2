//! Who is dropped, by whom, how soon, and for how long.

mod common;

use std::net::IpAddr;

use common::{LAN, LOSSY, MILLI, Net, SECOND};
use klais_swarm::{Observation, Subject, Timing};

const HOSTILE: u32 = 4_242;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// A device says HELLO far too often.
fn flood(net: &mut Net, gateway: usize, device: u32, hellos: u32) {
    for _ in 0..hellos {
        net.observe(gateway, Observation::Hello { device, source: ip("10.9.9.9") });
    }
}

fn grown(gateways: usize, seed: u64, link: common::Link) -> Net {
    let mut net = Net::new(gateways, seed, link);
    net.converge(120 * SECOND);
    net.run_for(3 * SECOND);
    net
}

/// The shortest round: that in which news is passed on.
fn round_micros() -> u64 {
    Timing::default().news_interval_micros
}

#[test]
fn from_first_detection_to_the_last_node() {
    for gateways in [3, 8, 64] {
        for link in [LAN, LOSSY] {
            let seeds = if gateways > 8 { 2 } else { 20 };
            let mut most: f64 = 0.0;
            for seed in 0..seeds {
                let mut net = grown(gateways, seed, link);
                // Every gateway that the device shows itself at has seen a little, and one of them enough.
                for gateway in 0..3 {
                    flood(&mut net, gateway, HOSTILE, 100);
                }
                flood(&mut net, 0, HOSTILE, 28);
                let detected = net.now;
                assert!(net.node(0).is_blocked(&Subject::Device(HOSTILE)), "whoever sees it drops it");
                net.run_for(3 * SECOND);
                let last = net.blocked.iter().map(|blocked| blocked.get(&Subject::Device(HOSTILE)));
                let last = last.map(|at| at.expect("dropped everywhere")).max().expect("some");
                most = most.max((last - detected) as f64 / round_micros() as f64);
            }
            println!(
                "{gateways} gateways, {} in 1,000 lost: the last drops after {most:.1} rounds of {} ms (bound {:.1})",
                link.loss_permille,
                round_micros() / MILLI,
                common::rounds_max(gateways)
            );
            assert!(most <= common::rounds_max(gateways), "{gateways} gateways: {most} rounds");
        }
    }
}

#[test]
fn one_gateway_alone_blocks_nobody_elsewhere_and_its_block_ends() {
    let mut net = grown(8, 1, LAN);
    flood(&mut net, 0, HOSTILE, 200);
    net.run_for(60 * SECOND);
    assert!(net.blocked[0].contains_key(&Subject::Device(HOSTILE)));
    assert!(net.blocked[1..].iter().all(std::collections::BTreeMap::is_empty));
    // One of the others sees it too, much less of it: that is enough.
    flood(&mut net, 5, HOSTILE, 40);
    assert!(net.node(5).is_blocked(&Subject::Device(HOSTILE)));
    assert_eq!(net.node(5).threat_counters().seconded, 1);
    net.run_for(200 * SECOND);
    assert!(net.blocked.iter().all(std::collections::BTreeMap::is_empty), "all over");
    assert_eq!(net.node(0).threat_counters().expired, 1);
    assert_eq!(net.node(0).threat_gauges(), (0, 0, 0), "nothing is left");
    assert_eq!(net.node(7).threat_gauges(), (0, 0, 0), "nothing is left");
}

#[test]
fn a_gateway_that_sees_a_device_behave_does_not_drop_it() {
    let mut net = grown(8, 2, LAN);
    let source = ip("10.1.1.1");
    for _ in 0..30 {
        net.observe(7, Observation::Live { device: HOSTILE, source, readings: 10 });
        net.run_for(10 * SECOND);
    }
    for gateway in 0..3 {
        flood(&mut net, gateway, HOSTILE, 200);
    }
    net.run_for(5 * SECOND);
    for gateway in 0..7 {
        assert!(net.node(gateway).is_blocked(&Subject::Device(HOSTILE)), "{gateway}");
    }
    assert!(!net.node(7).is_blocked(&Subject::Device(HOSTILE)));
    assert_eq!(net.node(7).threat_counters().vetoed, 1);
    // Until it misbehaves here.
    flood(&mut net, 7, HOSTILE, 40);
    assert!(net.node(7).is_blocked(&Subject::Device(HOSTILE)));
}

#[test]
fn forged_frames_are_blamed_on_addresses_and_copies_on_frames() {
    let mut net = grown(3, 3, LAN);
    let (bad, shared) = (ip("10.2.2.2"), ip("10.3.3.3"));
    net.observe(0, Observation::Hello { device: 1, source: shared });
    for n in 0..1_000 {
        net.observe(0, Observation::Forged { source: bad });
        net.observe(0, Observation::Forged { source: shared });
        net.observe(0, Observation::Copy { source: ip(&format!("10.4.{}.1", n % 250)), frame: 77 });
    }
    let blocked: Vec<_> = net.node(0).blocked().collect();
    assert_eq!(blocked, [Subject::prefix(bad, 128), Subject::Frame(77)], "nobody who shares an address");
}

#[test]
fn a_range_is_blocked_if_many_of_its_hosts_are_bad() {
    let mut net = grown(3, 3, LAN);
    for n in 0..4_000 {
        net.observe(0, Observation::Forged { source: ip(&format!("10.2.2.{}", n % 256)) });
    }
    assert!(net.node(0).is_blocked(&Subject::prefix(ip("10.2.2.0"), 120)));
    assert!(net.node(0).blocked().all(|subject| matches!(subject, Subject::Prefix { .. })));
}

#[test]
fn who_comes_late_learns_what_is_blocked() {
    let mut net = grown(8, 4, LAN);
    net.kill(7);
    net.run_for(3 * SECOND);
    for device in 0..500 {
        for gateway in 0..3 {
            flood(&mut net, gateway, device, 200);
        }
    }
    net.run_for(10 * SECOND);
    let started = net.now;
    net.start(7);
    net.run_for(10 * SECOND);
    assert_eq!(net.blocked[7].len(), 500);
    let last = net.blocked[7].values().max().expect("some");
    println!("500 blocks learnt by a new gateway within {} ms", (last - started) / MILLI);
    assert!(last - started < 5 * SECOND);
}

#[test]
fn a_partition_heals() {
    let mut net = grown(8, 5, LAN);
    for gateway in 0..4 {
        net.group[gateway] = 1;
    }
    net.run_for(5 * SECOND);
    for gateway in 0..3 {
        flood(&mut net, gateway, HOSTILE, 200);
    }
    for gateway in 5..8 {
        flood(&mut net, gateway, HOSTILE + 1, 200);
    }
    net.run_for(5 * SECOND);
    assert!(net.node(3).is_blocked(&Subject::Device(HOSTILE)));
    assert!(!net.node(3).is_blocked(&Subject::Device(HOSTILE + 1)));
    net.group.fill(0);
    net.run_for(10 * SECOND);
    for gateway in 0..8 {
        assert_eq!(net.node(gateway).blocked().count(), 2, "gateway {gateway}");
    }
}

#[test]
fn the_operator_has_the_last_word() {
    let mut net = grown(8, 6, LAN);
    for gateway in 0..3 {
        flood(&mut net, gateway, HOSTILE, 200);
    }
    net.run_for(3 * SECOND);
    let subject = Subject::Device(HOSTILE);
    for gateway in 0..3 {
        let now = net.now;
        assert!(net.node(gateway).pardon(now, subject, 3_600 * SECOND));
    }
    net.run_for(3 * SECOND);
    for gateway in 0..8 {
        assert!(!net.node(gateway).is_blocked(&subject), "gateway {gateway}");
        assert_eq!(net.node(gateway).threat_counters().overruled, 1);
    }
    flood(&mut net, 0, HOSTILE, 200);
    assert!(!net.node(0).is_blocked(&subject), "not here, and not now");
    let now = net.now;
    net.node(1).accuse(now, Subject::Device(9));
    net.observe(1, Observation::Idle { device: 0 });
    assert!(net.node(1).is_blocked(&Subject::Device(9)));
}

/// A city comes back: every device says HELLO as often as stubborn firmware does, and sends what it owes.
#[test]
fn devices_that_flush_their_backlog_are_no_threat() {
    let mut net = grown(8, 7, LAN);
    for second in 0..600_u32 {
        for device in 0..400 {
            let gateway = device as usize % 8;
            let source = ip(&format!("10.200.{}.{}", device / 250, device % 250));
            // A retry each second for a minute, then hours of readings in a burst; others behave in between.
            if second % 300 < 60 {
                net.observe(gateway, Observation::Hello { device, source });
            } else if second % 300 < 70 {
                for _ in 0..50 {
                    net.observe(gateway, Observation::Owed { device, source });
                }
            }
            if second % (1 + device % 60) == 0 {
                net.observe(gateway, Observation::Live { device, source, readings: 1 + device % 3 });
            }
        }
        net.run_for(SECOND);
    }
    assert!(net.blocked.iter().all(std::collections::BTreeMap::is_empty));
    for gateway in 0..8 {
        assert_eq!(net.node(gateway).threat_counters().detected, 0);
    }
}
