//! What the swarm costs a gateway, and how fast word gets round.
//!
//! `cargo bench -p klais-swarm` prints a table; with `-- --json` one JSON object a row; `--quick` takes small sizes.
//! `CPU per gateway` is what a gateway of so many spends in a quiet second of virtual time: all of them run in one thread, and
//! what they say is delivered at once. `observe` is one observation, of devices in no order. Wall time of one thread.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark takes the time")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use klais_swarm::{ClusterKeys, Identity, Observation, Peer, Roster, SigningSeed, Swarm, SwarmConfig};
use klais_units::{draw, scale};

const SECOND: u64 = 1_000_000;
const OBSERVATIONS: u64 = 200_000;

#[path = "../tests/common/mod.rs"]
mod common;

/// A percent of one CPU.
const WANTED_MICROS_PER_SECOND: f64 = 10_000.0;
/// Bytes per gateway and second may grow so much from 64 gateways on.
const FLAT: f64 = 1.05;

struct Row {
    name: String,
    unit: &'static str,
    samples: Vec<f64>,
    wanted: Option<f64>,
}

/// Of each size: rounds from the first gateway that is sure to the last that drops, milliseconds until all know of one that
/// was killed, and bytes sent per gateway in a quiet second. In virtual time; a sample is another seed.
fn scale_rows(sizes: &[usize], seeds: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut flat = None;
    for gateways in sizes.iter().copied() {
        let (mut rounds, mut known, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        for seed in 1..=seeds {
            let mut net = common::Net::new(gateways, seed, common::LAN);
            net.converge(120 * SECOND);
            // What is still to be told of the beginning is told.
            net.run_for(5 * SECOND);
            bytes.push(common::scale::cost(&mut net).0 as f64);
            let round = klais_swarm::Timing::default().news_interval_micros;
            rounds.push(common::scale::spread(&mut net) as f64 / round as f64);
            let killed = net.now;
            net.kill(1);
            net.run_for(4 * SECOND);
            let told = net.told(1, klais_swarm::Change::Down, killed);
            let last = told.values().max().copied().unwrap_or(killed + 4 * SECOND);
            known.push((last - killed) as f64 / 1_000.0);
        }
        let bar = flat.filter(|_| gateways > 64);
        if gateways == 64 {
            flat = bytes.first().map(|bytes| bytes * FLAT);
        }
        let row = |name: &str, unit, samples, wanted| Row {
            name: format!("{name}, {gateways} gateways"),
            unit,
            samples,
            wanted,
        };
        let bound = common::rounds_max(gateways);
        rows.push(row("first detection to the last that drops", "rounds of 20 ms", rounds, Some(bound)));
        rows.push(row("killed, known to all", "ms", known, None));
        rows.push(row("sent per gateway, quiet", "bytes/s", bytes, bar));
    }
    rows
}

fn address(gateway: usize) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::from(0x0A4D_0000 + gateway as u32), 7_448))
}

fn seed(gateway: usize) -> SigningSeed {
    SigningSeed::new([gateway as u8 ^ (gateway >> 8) as u8 ^ 0x55; 32])
}

fn cluster(gateways: usize, devices: u32) -> Vec<Swarm> {
    let peer = |gateway: usize| Peer {
        gateway: gateway as u16,
        gossip: address(gateway),
        data: address(gateway),
        key: seed(gateway).public_key(),
    };
    let peers: Vec<_> = (0..gateways).map(peer).collect();
    let roster = Arc::new(Roster::new(&peers).expect("a roster"));
    let start = |gateway: usize| {
        let keys = ClusterKeys::new([1; 16], 0);
        let config = SwarmConfig::new(roster.clone(), keys, seed(gateway), devices);
        let identity = Identity { gateway: gateway as u16, incarnation: 1_000 + gateway as u64 };
        Swarm::new(config, identity, gateway as u64, 0).expect("a swarm")
    };
    (0..gateways).map(start).collect()
}

/// Runs all until `until`, in steps of a millisecond.
fn run(nodes: &mut [Swarm], now: &mut u64, until: u64) {
    while *now < until {
        *now += 1_000;
        let mut sent = Vec::new();
        for (gateway, node) in nodes.iter_mut().enumerate() {
            if node.next_deadline() <= *now {
                node.poll(*now);
                sent.extend(node.take_datagrams().into_iter().map(|datagram| (gateway, datagram)));
            }
        }
        while let Some((from, datagram)) = sent.pop() {
            let SocketAddr::V4(to) = datagram.to else { continue };
            let to = (u32::from(*to.ip()) - 0x0A4D_0000) as usize;
            nodes[to].handle(*now, address(from), &datagram.bytes).expect("taken");
            sent.extend(nodes[to].take_datagrams().into_iter().map(|datagram| (to, datagram)));
        }
    }
}

fn gossip(gateways: usize, samples: usize) -> Row {
    let mut nodes = cluster(gateways, 1_000);
    let mut now = 0;
    // Until what was to be told of the beginning is told.
    run(&mut nodes, &mut now, 20 * SECOND);
    let mut sample = || {
        let (began, from) = (Instant::now(), now);
        run(&mut nodes, &mut now, from + SECOND / 2);
        began.elapsed().as_nanos() as f64 / 1_000.0 / gateways as f64 * 2.0
    };
    Row {
        name: format!("CPU per gateway, {gateways} gateways"),
        unit: "us/s",
        wanted: Some(WANTED_MICROS_PER_SECOND),
        samples: (0..samples).map(|_| sample()).collect(),
    }
}

fn observe(name: &str, devices: u32, samples: usize, of: fn(u32, IpAddr) -> Observation) -> Row {
    let mut swarm = cluster(1, devices).remove(0);
    let mut taken = 0;
    let mut sample = || {
        let seen: Vec<_> = (taken..taken + OBSERVATIONS)
            .map(|n| {
                let device = scale(draw(1, n, 0, 0), devices.into()) as u32;
                of(device, IpAddr::V4(Ipv4Addr::from(0x0A80_0000 + device)))
            })
            .collect();
        taken += OBSERVATIONS;
        let began = Instant::now();
        for observation in seen {
            swarm.observe(1, observation);
        }
        began.elapsed().as_nanos() as f64 / OBSERVATIONS as f64
    };
    Row {
        name: format!("observe: {name}"),
        unit: "ns/frame",
        wanted: None,
        samples: (0..samples).map(|_| sample()).collect(),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(other) = arguments.iter().find(|a| !["--json", "--quick", "--bench"].contains(&a.as_str())) {
        eprintln!("unknown argument {other}: --json or --quick");
        std::process::exit(2);
    }
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let (samples, devices, most) = if has("--quick") { (2, 20_000, 64) } else { (9, 1_000_000, 1_000) };
    let sizes: Vec<_> = [3, 8, 64, 256, 1_000].into_iter().filter(|n| *n <= most).collect();
    let mut rows = scale_rows(&sizes, if most > 64 { 3 } else { 1 });
    rows.extend(sizes.iter().map(|gateways| gossip(*gateways, samples)));
    rows.push(observe("HELLO", devices, samples, |device, source| Observation::Hello { device, source }));
    rows.push(observe("live readings", devices, samples, |device, source| Observation::Live {
        device,
        source,
        readings: 1,
    }));
    rows.push(observe("forged, a million addresses", devices, samples, |_, source| Observation::Forged {
        source,
    }));
    for row in &mut rows {
        if has("--json") {
            let samples: Vec<String> = row.samples.iter().map(|value| format!("{value:.2}")).collect();
            let (name, unit, samples) = (&row.name, row.unit, samples.join(","));
            let wanted = row.wanted.filter(|_| !has("--quick"));
            let wanted =
                wanted.map_or_else(String::new, |most| format!(r#","wanted":{most},"judged":"median""#));
            println!(
                r#"{{"name":"{name}","unit":"{unit}","better":"lower","samples":[{samples}]{wanted},"environment":{{"devices":"{devices}"}}}}"#
            );
        } else {
            row.samples.sort_by(f64::total_cmp);
            let (best, median) = (row.samples[0], row.samples[row.samples.len() / 2]);
            println!("{:<62} best {best:>8.1}  median {median:>8.1}  {}", row.name, row.unit);
        }
    }
}
