//! Daemons that filter in the kernel, and devices at the other end of their cable.
#![allow(dead_code, reason = "every test binary uses its own part")]

use crate::common::{Device, config};
use crate::network::{GATEWAY, GATEWAY_LINK, Network};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

pub const FIRST_DEVICE: Ipv4Addr = Ipv4Addr::new(10, 80, 0, 1);

/// One that filters in the kernel and admits a session a second.
pub fn filtered(mode: &str) -> Value {
    let mut config = config();
    config["listen"] = format!("{GATEWAY}:7447").into();
    config["interface"] = GATEWAY_LINK.into();
    config["xdp"] = mode.into();
    config["policy"]["sessionsPerSecond"] = 1.into();
    config
}

/// A device at its own address. Its number is the address's, as in `klais-fleet`.
pub fn device(network: &Network, id: u32, gateway: SocketAddr) -> Device {
    let from = Ipv4Addr::from_bits(FIRST_DEVICE.to_bits() + id);
    let socket = network.at_devices(|| UdpSocket::bind((from, 0)).expect("a socket"));
    Device::over(id, socket, gateway)
}
