//! Gateway processes as the world sees them: running, frozen or dead, and what they believe of each other.

use klais_gateway::{Gateway, GatewayConfig};
use std::collections::BTreeMap;

/// What arrives at a process that is frozen waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    Running,
    Frozen,
    Dead,
}

pub struct Process {
    pub gateway: Gateway,
    pub pulse: Pulse,
    /// How often it has been started.
    pub incarnation: u32,
    /// Of its producers, by shard.
    pub generations: BTreeMap<u32, u32>,
    /// Deadline that the world knows of.
    pub polled_at: u64,
}

/// Processes of a cluster in steady state.
pub fn processes(config: &GatewayConfig, devices: u32) -> Vec<Process> {
    let process = |n| {
        let config = GatewayConfig { gateway: n, ..config.clone() };
        let (gateways, shards) = (config.gateways, config.shards);
        let mut gateway = Gateway::new(config).expect("a valid configuration");
        gateway.assume_steady();
        for device in (0..devices).filter(|device| device % shards % gateways == n) {
            gateway.assume_online(device);
        }
        let generations = BTreeMap::new();
        Process { gateway, pulse: Pulse::Running, incarnation: 0, generations, polled_at: u64::MAX }
    };
    (0..config.gateways).map(process).collect()
}
