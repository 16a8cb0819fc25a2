//! What gossip costs, and how fast word gets round.

use std::net::{IpAddr, Ipv4Addr};

use klais_swarm::{Observation, Subject};

use super::{Net, SECOND};

const MEASURED_SECONDS: u64 = 3;
const HOSTILE: u32 = 4_242;

/// Bytes per node and second in quiet times: the mean, and the most of any node.
pub fn cost(net: &mut Net) -> (u64, u64) {
    net.sent_bytes.fill(0);
    net.run_for(MEASURED_SECONDS * SECOND);
    let most = net.sent_bytes.iter().max().expect("some") / MEASURED_SECONDS;
    (net.sent_bytes.iter().sum::<u64>() / net.len() as u64 / MEASURED_SECONDS, most)
}

/// From the moment at which one gateway is sure to that at which the last one drops.
pub fn spread(net: &mut Net) -> u64 {
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
