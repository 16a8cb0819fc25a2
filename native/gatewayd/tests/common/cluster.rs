//! Gateways that are to find each other.
#![allow(dead_code, reason = "every test binary uses its own part")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "real processes in real time")]

use crate::common::{Daemon, config, hex};
use klais_swarm::SigningSeed;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Shards of the cluster: a whole number for each gateway that is alive.
pub const SHARDS: u32 = 24;
/// The cluster's key, all of them have.
pub const CLUSTER_KEY: [u8; 16] = [3; 16];

fn seed(gateway: usize) -> [u8; 32] {
    [gateway as u8 + 1; 32]
}

/// Where a gateway takes frames, and where gossip.
pub struct Place {
    pub data: String,
    pub gossip: String,
}

/// The configuration of each gateway.
pub fn configs(places: &[Place]) -> Vec<Value> {
    let row = |(n, place): (usize, &Place)| {
        let key: String =
            SigningSeed::new(seed(n)).public_key().iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ "gateway": n, "gossip": place.gossip, "data": place.data, "publicKey": key })
    };
    let roster: Vec<_> = places.iter().enumerate().map(row).collect();
    let of = |(n, place): (usize, &Place)| {
        let mut config = config();
        config["gateway"] = n.into();
        config["gateways"] = places.len().into();
        config["listen"] = place.data.clone().into();
        config["policy"]["gateways"] = places.len().into();
        config["policy"]["shards"] = SHARDS.into();
        config["swarm"] = json!({
            "listen": place.gossip, "clusterKey": hex(CLUSTER_KEY), "keyEpoch": 0,
            "signingSeed": seed(n).iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
            "roster": roster,
        });
        config
    };
    places.iter().enumerate().map(of).collect()
}

/// What a gateway knows of another one.
pub fn member(stats: &Value, gateway: usize) -> &Value {
    &stats["swarm"]["members"][gateway]
}

/// Whether it takes exactly these for alive, and serves its share of the shards.
pub fn sees(stats: &Value, alive: &[usize]) -> bool {
    let members = stats["swarm"]["members"].as_array().expect("members");
    let is_right = |(n, member): (usize, &Value)| {
        let is_active = member["state"] == "alive" || member["state"] == "suspect";
        let wanted = alive.contains(&n);
        member["alive"] == wanted && is_active == wanted
    };
    let shares = stats["gateway"]["shards"].as_u64().expect("shards");
    members.iter().enumerate().all(is_right) && shares == u64::from(SHARDS) / alive.len() as u64
}

/// Waits until all of them see each other alive, and nobody else.
pub fn settle(daemons: &[(usize, &Daemon)]) {
    let alive: Vec<_> = daemons.iter().map(|(n, _)| *n).collect();
    for (_, daemon) in daemons {
        daemon.until("the others", |stats| sees(stats, &alive));
    }
}

/// How long it takes until this holds; it is looked at every few milliseconds.
pub fn time_until(what: &str, within: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < within, "{what}: not within {within:?}");
        std::thread::sleep(Duration::from_millis(3));
    }
    began.elapsed()
}
