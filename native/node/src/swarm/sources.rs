//! Addresses of a simulated fleet: a device's own, in 10.0.0.0/8 by its number, and those from which frames are forged, in
//! 198.18.0.0/15, the range for benchmarks (RFC 2544).

use klais_swarm::Subject;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const DEVICES: u32 = 0x0A00_0000;
const FORGERS: u32 = 0xC612_0000;
const FORGERS_BITS: u8 = 96 + 15;
const DEVICES_BITS: u8 = 96 + 8;
/// What can be blocked of an IPv4 address: itself, and its /24.
const RANGES: [u8; 2] = [128, 96 + 24];

/// Where a device's own frames come from. The fleet and its enemies are fewer than 2^24.
pub fn source_of(device: u32) -> IpAddr {
    Ipv4Addr::from(DEVICES | device).into()
}

/// Where the frames of forger number `n` come from.
pub fn forger(n: u32) -> IpAddr {
    Ipv4Addr::from(FORGERS | n).into()
}

/// What can be blocked to keep an address out.
pub fn ranges_of(source: IpAddr) -> [Subject; 2] {
    RANGES.map(|bits| Subject::prefix(source, bits))
}

/// Whom a block hits: the devices of a range of numbers, or forgers alone.
pub fn devices_of(subject: &Subject) -> std::ops::Range<u32> {
    match *subject {
        Subject::Device(device) => device..device.saturating_add(1),
        Subject::Frame(_) => 0..0,
        Subject::Prefix { address, bits } if within(address, bits, DEVICES, DEVICES_BITS) => {
            let first = u128::from(address) as u32 & !DEVICES;
            first..first + (1 << (128 - bits))
        }
        Subject::Prefix { .. } => 0..0,
    }
}

/// Whether a range holds nothing but forgers.
pub fn is_forgers(subject: &Subject) -> bool {
    matches!(*subject, Subject::Prefix { address, bits } if within(address, bits, FORGERS, FORGERS_BITS))
}

fn within(address: Ipv6Addr, bits: u8, first: u32, most: u8) -> bool {
    let v4 = address.to_ipv4_mapped().map_or(0, u32::from);
    bits >= most && v4 >> (128 - most) == first >> (128 - most)
}

/// A subject in four words, for the digest.
pub fn words_of(subject: &Subject) -> [u32; 4] {
    match *subject {
        Subject::Device(device) => [device, 0, 0, 1],
        Subject::Frame(mac) => [mac as u32, (mac >> 32) as u32, 0, 2],
        Subject::Prefix { address, bits } => [u128::from(address) as u32, bits.into(), 0, 3],
    }
}
