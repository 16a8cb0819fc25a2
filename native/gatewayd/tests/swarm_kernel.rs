//! Daemons that each have their filter in a driver: a threat that some have seen is dropped by the filters of all.
#![allow(clippy::disallowed_methods, reason = "real processes in real time")]

#[path = "common/cluster.rs"]
mod cluster;
mod common;
#[path = "common/filtered.rs"]
mod filtered;
#[path = "../../xdp/tests/common/network.rs"]
mod network;

use cluster::{Place, configs, sees, time_until};
use common::{Daemon, Device, PATIENCE};
use filtered::device;
use network::{GATEWAY, GATEWAY_LINK, Network};
use serde_json::{Value, json};
use std::time::Duration;

/// Where gateways gossip: a bridge at the first one's devices.
const BRIDGE: &str = "klbr0";
const GOSSIP_LINK: &str = "klgos0";
/// The hostile one. Its home is gateway 0, whatever their number.
const HOSTILE: u32 = 0;

/// A network of its own for each gateway, and one between them.
fn networks(gateways: usize) -> Vec<Network> {
    let networks: Vec<_> = (0..gateways).map(|_| Network::new()).collect();
    let (hub, name) = (&networks[0], networks[0].devices().to_owned());
    hub.ip_at_devices(&["link", "add", BRIDGE, "type", "bridge"]);
    hub.ip_at_devices(&["link", "set", BRIDGE, "up"]);
    for (n, network) in networks.iter().enumerate() {
        let port = format!("klport{n}");
        let cable = ["link", "add", GOSSIP_LINK, "type", "veth", "peer", "name", &port, "netns", &name];
        network.ip_at_gateway(&cable);
        network.ip_at_gateway(&["addr", "add", &format!("10.79.0.{}/24", n + 1), "dev", GOSSIP_LINK]);
        network.ip_at_gateway(&["link", "set", GOSSIP_LINK, "up"]);
        hub.ip_at_devices(&["link", "set", &port, "master", BRIDGE, "up"]);
    }
    networks
}

/// One daemon in each network, filtering in the driver. A session a second: what is over it, the kernel answers.
fn start(networks: &[Network]) -> Vec<Daemon> {
    let place =
        |n: usize| Place { data: format!("{GATEWAY}:7447"), gossip: format!("10.79.0.{}:7448", n + 1) };
    let mut configs = configs(&(0..networks.len()).map(place).collect::<Vec<_>>());
    for config in &mut configs {
        config["interface"] = GATEWAY_LINK.into();
        config["xdp"] = "native".into();
        config["policy"]["sessionsPerSecond"] = 1.into();
        // The filter's words are looked at every half second.
        config["swarm"]["detect"] = json!({ "windowMicros": 2_000_000 });
    }
    let begun = networks.iter().zip(&configs);
    let daemons: Vec<_> =
        begun.map(|(network, config)| network.at_gateway(|| Daemon::start(config))).collect();
    assert!(daemons.iter().all(|daemon| daemon.ready["xdp"] == "native"));
    daemons
}

/// Daemons answer on their own namespace's loopback.
fn stats(network: &Network, daemon: &Daemon) -> Value {
    network.at_gateway(|| daemon.stats())
}

fn packets(stats: &Value, name: &str) -> u64 {
    stats["kernel"][name]["packets"].as_u64().unwrap_or_else(|| panic!("no {name}: {stats:#}"))
}

fn settled(networks: &[Network], daemons: &[Daemon]) {
    let all: Vec<_> = (0..networks.len()).collect();
    for (n, network) in networks.iter().enumerate() {
        network.at_gateway(|| {
            daemons[n].until("the others", |stats| sees(stats, &all));
        });
    }
}

/// Hammers gateway 0, whose kernel answers, and as many others a little as must agree: how long it takes from there to the filter of
/// the last, which has seen nothing.
fn spread(networks: &[Network], daemons: &[Daemon], witnesses: usize) -> Duration {
    let hostile: Vec<_> =
        networks.iter().zip(daemons).map(|(net, daemon)| device(net, HOSTILE, daemon.listen)).collect();
    let last = networks.len() - 1;
    let mut session = 0;
    let mut hello = |device: &Device| {
        session += 1;
        device.send(&device.hello(session));
    };
    let home = || stats(&networks[0], &daemons[0]);
    let received = || home()["frames"]["received"].as_u64().expect("a count");
    let before = received();
    // At a gateway that is not its own user space sends it on, and sees it: enough to be suspected, too little for an alarm.
    let mut suspicious = 0..100;
    time_until("detected", PATIENCE, || {
        for _ in suspicious.by_ref().take(3) {
            hostile[1..=witnesses].iter().for_each(&mut hello);
        }
        // At its own the kernel answers: only the sweep over its words finds out.
        (0..10).for_each(|_| hello(&hostile[0]));
        home()["swarm"]["threats"]["detected"] == 1
    });
    let passed = received() - before;
    assert!(passed <= 12, "user space saw {passed} of them");
    time_until("dropped", PATIENCE, || {
        // Too few for this gateway to find anything.
        hello(&hostile[last]);
        std::thread::sleep(Duration::from_millis(20));
        packets(&stats(&networks[last], &daemons[last]), "blocked") > 0
    })
}

#[test]
#[ignore = "needs root and Linux"]
fn a_device_that_hammers_some_is_dropped_by_the_filters_of_all() {
    for (gateways, witnesses) in [(3, 1), (8, 2)] {
        let networks = networks(gateways);
        let daemons = start(&networks);
        settled(&networks, &daemons);
        let innocent = device(&networks[0], 24, daemons[0].listen);
        innocent.connect(1);
        let reached = spread(&networks, &daemons, witnesses);
        println!("{gateways} gateways: from detection to the last one's filter {} ms", reached.as_millis());
        assert!(reached < Duration::from_secs(1), "{reached:?}");
        let mut found = [0; 2];
        for (network, daemon) in networks.iter().zip(&daemons) {
            network.at_gateway(|| {
                daemon.until("blocked", |s| s["swarm"]["threats"]["subjects"] == json!(["device 0"]))
            });
            let threats = &stats(network, daemon)["swarm"]["threats"];
            for (sum, name) in found.iter_mut().zip(["detected", "seconded"]) {
                *sum += threats[name].as_u64().expect("a count") as usize;
            }
        }
        assert_eq!(found, [1, witnesses], "the others believed them");
        assert_eq!(innocent.deliver(1, 0, 5), 5);
        let_go(&networks[gateways - 1], &daemons[gateways - 1]);
    }
}

/// What the operator lets go, the kernel lets go.
fn let_go(network: &Network, daemon: &Daemon) {
    let before = stats(network, daemon);
    let (status, _) = network.at_gateway(|| daemon.patch(&json!({ "unblock": [HOSTILE] })));
    let hostile = device(network, HOSTILE, daemon.listen);
    hostile.send(&hostile.hello(u16::MAX / 4));
    let sent_on = packets(&before, "pass-elsewhere") + 1;
    let after =
        network.at_gateway(|| daemon.until("sent on", |stats| packets(stats, "pass-elsewhere") == sent_on));
    assert_eq!((status, packets(&after, "blocked")), (200, packets(&before, "blocked")));
}

#[test]
#[ignore = "needs root and Linux"]
fn an_address_that_forges_is_dropped_by_the_filter_of_the_third() {
    let networks = networks(3);
    let daemons = start(&networks);
    settled(&networks, &daemons);
    let forgers: Vec<_> = networks
        .iter()
        .zip(&daemons)
        .map(|(net, daemon)| {
            let mut forger = device(net, 200, daemon.listen);
            forger.keys = klais_burst_sync::wire::MasterKeys::new(common::NEXT_KEY, 0);
            forger
        })
        .collect();
    let forge = |gateway: usize, first: u32| forgers[gateway].send(&forgers[gateway].readings(1, first, 1));
    (0..80).for_each(|n| forge(1, n));
    time_until("detected", PATIENCE, || {
        (0..20).for_each(|n| forge(0, n));
        stats(&networks[0], &daemons[0])["swarm"]["threats"]["detected"] == 1
    });
    let reached = time_until("dropped", PATIENCE, || {
        forge(2, 0);
        packets(&stats(&networks[2], &daemons[2]), "prefix") > 0
    });
    println!("forged at one gateway, in the filter of another {} ms later", reached.as_millis());
    assert!(reached < Duration::from_secs(1), "{reached:?}");
    let told = stats(&networks[2], &daemons[2]);
    assert_eq!(told["swarm"]["threats"]["subjects"], json!(["10.80.0.201/32"]));
}
