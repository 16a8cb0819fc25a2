//! As many gateways as may be: what gossip costs does not depend on how many there are, and word gets round.

mod common;

use std::net::{IpAddr, Ipv4Addr};

use common::{LAN, MILLI, Net, SECOND, quantile};
use klais_swarm::{Change, DATAGRAM_BYTES_MAX, Observation, Subject, Timing};

const MEASURED_SECONDS: u64 = 3;
const HOSTILE: u32 = 4_242;

/// Bytes per node and second in quiet times: the mean, and the most of any node.
fn cost(net: &mut Net) -> (u64, u64) {
    net.sent_bytes.fill(0);
    net.run_for(MEASURED_SECONDS * SECOND);
    let most = net.sent_bytes.iter().max().expect("some") / MEASURED_SECONDS;
    (net.sent_bytes.iter().sum::<u64>() / net.len() as u64 / MEASURED_SECONDS, most)
}

/// From the moment at which one gateway is sure to that at which the last one drops.
fn spread(net: &mut Net) -> u64 {
    let source = IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9));
    for (gateway, hellos) in [(1, 100), (2, 100), (0, 128)] {
        for _ in 0..hellos {
            net.observe(gateway, Observation::Hello { device: HOSTILE, source });
        }
    }
    let detected = net.now;
    net.run_for(2 * SECOND);
    let dropped =
        |blocked: &std::collections::BTreeMap<Subject, u64>| blocked.get(&Subject::Device(HOSTILE)).copied();
    let last = net.blocked.iter().map(|blocked| dropped(blocked).expect("dropped everywhere")).max();
    last.expect("some") - detected
}

#[test]
fn a_thousand_gateways() {
    let mut costs = Vec::new();
    for gateways in [64, 256, 1_000] {
        let mut net = Net::new(gateways, 1, LAN);
        net.converge(120 * SECOND);
        println!(
            "{gateways} gateways that start at once know each other after {} ms",
            net.now / MILLI - 1_000
        );
        // What is still to be told of that is told.
        net.run_for(5 * SECOND);
        let (mean, most) = cost(&mut net);
        println!("{gateways} gateways: {mean} bytes sent per node and second, at most {most}");
        costs.push(mean);

        let round = Timing::default().news_interval_micros;
        let rounds = spread(&mut net) as f64 / round as f64;
        let bound = common::rounds_max(gateways);
        println!(
            "{gateways} gateways: the last drops after {rounds:.1} rounds of {} ms (bound {bound:.1})",
            round / MILLI
        );
        assert!(rounds <= bound);

        assert!(net.events.iter().all(|(_, event)| event.change != Change::Down), "nobody is given up");
        let killed = net.now;
        net.kill(1);
        net.run_for(4 * SECOND);
        let told = net.told(1, Change::Down, killed);
        assert_eq!(told.len(), gateways - 1);
        let mut delays: Vec<_> = told.values().map(|at| at - killed).collect();
        let (half, last) = (quantile(&mut delays, 0.5), quantile(&mut delays, 1.0));
        println!(
            "{gateways} gateways: a killed one is known after {} ms at half, {} ms at all",
            half / MILLI,
            last / MILLI
        );
        assert!(net.longest_datagram <= DATAGRAM_BYTES_MAX);
    }
    let (least, most) = (costs.iter().min().expect("some"), costs.iter().max().expect("some"));
    assert!(most * 100 <= least * 105, "flat: {costs:?}");
}
