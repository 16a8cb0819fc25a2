//! One gateway lies. It has the cluster's key and its own, and says what it likes to whom it likes.

mod common;

use std::collections::BTreeMap;
use std::net::IpAddr;

use common::{DEVICES, LAN, LOSSY, Net, SECOND, address};
use klais_swarm::{Change, Observation, Subject};

const LIAR: usize = 1;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Accuses devices and addresses of the whole fleet, as fast as it can sign.
fn lie(net: &mut Net, from: u32, count: u32) {
    let now = net.now;
    for device in (from..from + count).map(|device| device % DEVICES) {
        net.node(LIAR).accuse(now, Subject::Device(device));
        if device % 16 == 0 {
            let host = ip(&format!("10.200.{}.{}", device / 256 % 256, device % 256));
            net.node(LIAR).accuse(now, Subject::prefix(host, 128));
        }
    }
    net.observe(LIAR, Observation::Idle { device: DEVICES });
}

fn innocent(net: &Net, hostile: &[u32]) -> usize {
    let wrong = |subject: &&Subject| !matches!(subject, Subject::Device(device) if hostile.contains(device));
    let honest = net.blocked.iter().enumerate().filter(|(gateway, _)| *gateway != LIAR);
    honest.map(|(_, blocked)| blocked.keys().filter(wrong).count()).sum()
}

#[test]
fn one_liar_blocks_nobody() {
    for (gateways, link) in [(3, LAN), (8, LAN), (8, LOSSY), (64, LAN)] {
        let mut net = Net::new(gateways, 1, link);
        net.converge(20 * SECOND);
        let seconds = if gateways > 8 { 4 } else { 30 };
        for second in 0..seconds {
            lie(&mut net, second * 1_000, 1_000);
            // Meanwhile the fleet is at work, and some of it comes back.
            for device in 0..200 {
                let gateway = if device as usize % gateways == LIAR { 0 } else { device as usize % gateways };
                let source = ip(&format!("10.200.0.{device}"));
                net.observe(gateway, Observation::Hello { device, source });
                net.observe(gateway, Observation::Live { device, source, readings: 2 });
            }
            net.run_for(SECOND);
            assert_eq!(innocent(&net, &[]), 0, "{gateways} gateways, second {second}");
        }
        for gateway in (0..gateways).filter(|gateway| *gateway != LIAR) {
            let counters = net.node(gateway).threat_counters();
            assert!(counters.reports_taken > 0, "they were heard");
            assert_eq!(counters.blocks, 0);
            let (_, accused, reports) = net.node(gateway).threat_gauges();
            assert!(accused <= 2 * DEVICES as usize && reports <= 2_048, "{accused} {reports}");
        }
        if gateways > 8 {
            continue;
        }
        // It all runs out, and it is known who said so.
        net.run_for(130 * SECOND);
        assert_eq!(net.node(0).threat_gauges(), (0, 0, 0));
        let blame: BTreeMap<_, _> = net.node(0).uncorroborated().collect();
        assert!(blame[&(LIAR as u16)] > 1_000 && blame[&2] == 0, "{blame:?}");
    }
}

#[test]
fn who_lies_all_the_time_does_not_hide_a_botnet() {
    let mut net = Net::new(8, 2, LAN);
    net.converge(20 * SECOND);
    for second in 0..20 {
        lie(&mut net, second * 1_000, 1_000);
        net.run_for(SECOND);
    }
    let hostile: Vec<u32> = (5_000..5_100).collect();
    for gateway in [0, 4, 6] {
        for device in &hostile {
            for _ in 0..140 {
                let source = ip("10.9.9.9");
                net.observe(gateway, Observation::Hello { device: *device, source });
            }
        }
    }
    let detected = net.now;
    for second in 20..23 {
        lie(&mut net, second * 1_000, 1_000);
        net.run_for(SECOND);
    }
    let mut last = 0;
    for gateway in (0..8).filter(|gateway| *gateway != LIAR) {
        for device in &hostile {
            last = last.max(*net.blocked[gateway].get(&Subject::Device(*device)).expect("dropped"));
        }
    }
    println!(
        "100 hostile devices dropped by all within {} ms, under a flood of lies",
        (last - detected) / 1_000
    );
    assert!(last - detected < SECOND);
    assert_eq!(innocent(&net, &hostile), 0);
}

#[test]
fn two_liars_are_not_enough_where_three_must_agree() {
    let mut net = Net::new(8, 3, LAN);
    net.converge(20 * SECOND);
    for gateway in [1, 2] {
        let now = net.now;
        for device in 0..1_000 {
            net.node(gateway).accuse(now, Subject::Device(device));
        }
        net.observe(gateway, Observation::Idle { device: DEVICES });
    }
    net.run_for(10 * SECOND);
    for gateway in [0, 3, 4, 5, 6, 7] {
        assert!(net.blocked[gateway].is_empty());
        assert_eq!(net.node(gateway).threat_gauges().1, 1_000);
    }
}

#[test]
fn nobody_can_speak_for_another() {
    let mut net = Net::new(3, 4, LAN);
    net.converge(10 * SECOND);
    let before = net.node(0).counters();
    // What gateway 1 says to 0, sent from where gateway 2 sends.
    let now = net.now;
    net.node(1).poll(now + SECOND);
    let datagrams = net.node(1).take_datagrams();
    assert!(!datagrams.is_empty());
    for datagram in datagrams.iter().filter(|datagram| datagram.to == address(0)) {
        assert!(net.node(0).handle(now, address(2), &datagram.bytes).is_err());
    }
    assert!(net.node(0).counters().refused[4] > before.refused[4], "counted as another's address");
    assert!(net.events.iter().all(|(_, event)| event.change != Change::Down));
}
