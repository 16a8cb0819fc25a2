//! What seats are made of: keys, addresses and settings.

use super::network::Link;
use crate::options::{bad, cookie_key};
use klais_gateway_swarm::{Seat, SeatConfig};
use klais_swarm::{ClusterKeys, Identity, Peer, Roster, SigningSeed, Swarm, SwarmConfig};
use klais_units::draw;
use napi::bindgen_prelude::Result;
use napi_derive::napi;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

const GOSSIP: u32 = 0x0A4D_0000;
const GOSSIP_PORT: u16 = 7_448;
const DATA_PORT: u16 = 7_447;
const PURPOSE_SEED: u64 = 0x726f_7374_6572_0001;
const PURPOSE_CHANCE: u64 = 0x726f_7374_6572_0002;
/// The wall clock at time 0, microseconds since 1970.
const WALL_MICROS: u64 = 1_760_000_000_000_000;
/// Bits per device of the table of addresses that are vouched for, as a power of two, and its least and largest size: the
/// largest is the daemon's, made for a million.
const VOUCHED_BITS_PER_DEVICE_LOG2: u32 = 3;
const VOUCHED_BITS_LOG2: std::ops::RangeInclusive<u32> = 12..=23;

/// The swarm of a simulated cluster. The network between its gateways, and how many of its devices are a fleet's: those
/// numbered from there on misbehave.
#[napi(object)]
pub struct SwarmOptions {
    pub key_low: u32,
    pub key_high: u32,
    pub fleet_devices: u32,
    pub delay_min_micros: f64,
    pub delay_max_micros: f64,
    pub loss_ppm: u32,
}

/// See the module.
pub struct Kit {
    roster: Arc<Roster>,
    pub cookie_keys: CookieKeys,
    gateways: u32,
    devices: u32,
    pub fleet_devices: u32,
    pub link: Link,
}

impl Kit {
    pub fn new(options: &SwarmOptions, gateways: u32, devices: u32) -> Result<Self> {
        let key = u64::from(options.key_low) | u64::from(options.key_high) << 32;
        let peers: Vec<_> = (0..gateways)
            .map(|n| Peer {
                gateway: n as u16,
                gossip: gossip_address(n),
                data: SocketAddr::new(gossip_address(n).ip(), DATA_PORT),
                key: signing_seed(key, n).public_key(),
            })
            .collect();
        let (least, most) = (options.delay_min_micros as u64, options.delay_max_micros as u64);
        if least > most {
            return Err(bad("delay_max_micros"));
        }
        Ok(Self {
            roster: Arc::new(Roster::new(&peers).map_err(|error| bad(&error.to_string()))?),
            cookie_keys: CookieKeys { low: options.key_low, high: options.key_high },
            gateways,
            devices,
            fleet_devices: options.fleet_devices,
            link: Link {
                delay_min_micros: least,
                delay_max_micros: most,
                loss_ppm: options.loss_ppm.into(),
                key,
            },
        })
    }

    /// The process of a gateway begins.
    pub fn start(&self, gateway: u32, now: u64) -> Result<Seat> {
        let key = self.link.key;
        let mut cluster_key = [0; 16];
        cluster_key[..8].copy_from_slice(&key.to_le_bytes());
        let keys = ClusterKeys::new(cluster_key, 1);
        let mut config =
            SwarmConfig::new(self.roster.clone(), keys, signing_seed(key, gateway), self.devices);
        let bits = self.devices.max(1).ilog2() + VOUCHED_BITS_PER_DEVICE_LOG2;
        config.detect.vouched_bits_log2 = bits.clamp(*VOUCHED_BITS_LOG2.start(), *VOUCHED_BITS_LOG2.end());
        let seat = SeatConfig {
            gateway,
            gateways: self.gateways,
            devices: self.devices,
            judges: true,
            window_micros: config.detect.window_micros,
        };
        let identity = Identity { gateway: gateway as u16, incarnation: WALL_MICROS + now };
        let chance = draw(key, gateway.into(), now, PURPOSE_CHANCE);
        let swarm = Swarm::new(config, identity, chance, now).map_err(|error| bad(&error.to_string()))?;
        Ok(Seat::new(swarm, seat, now))
    }
}

/// The keys under which gateways give cookies.
#[derive(Clone, Copy)]
pub struct CookieKeys {
    low: u32,
    high: u32,
}

impl CookieKeys {
    pub fn of(self, gateway: u32) -> [u8; 16] {
        cookie_key(self.low, self.high, gateway)
    }
}

fn signing_seed(key: u64, gateway: u32) -> SigningSeed {
    let mut seed = [0; 32];
    for (n, chunk) in (0..).zip(seed.chunks_exact_mut(8)) {
        chunk.copy_from_slice(&draw(key, gateway.into(), n, PURPOSE_SEED).to_le_bytes());
    }
    SigningSeed::new(seed)
}

pub fn gossip_address(gateway: u32) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::from(GOSSIP + gateway), GOSSIP_PORT))
}

/// The gateway that takes gossip at an address.
pub fn number_of(address: SocketAddr) -> Option<u32> {
    match address {
        SocketAddr::V4(v4) => u32::from(*v4.ip()).checked_sub(GOSSIP),
        SocketAddr::V6(_) => None,
    }
}
