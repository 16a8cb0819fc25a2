//! As many gateways as may be: what gossip costs does not depend on how many there are, and word gets round.

mod common;

use common::scale::{cost, spread};
use common::{LAN, MILLI, Net, SECOND, quantile};
use klais_swarm::{Change, DATAGRAM_BYTES_MAX, Timing};

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
