//! Whole packets, from the Ethernet header to the last byte of a KLAIS frame.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use etherparse::PacketBuilder;
use klais_burst_sync::wire::{self, MasterKeys};
use klais_burst_sync::{Cookie, Data, Frame, Hello, Lane};

use crate::error::ToolError;

/// Who sends to whom.
#[derive(Clone, Copy)]
pub struct Route {
    pub from_mac: [u8; 6],
    pub to_mac: [u8; 6],
    pub from: SocketAddr,
    pub to: SocketAddr,
}

impl Route {
    /// A datagram on this route.
    pub fn datagram(&self, payload: &[u8]) -> Result<Vec<u8>, ToolError> {
        let ethernet = PacketBuilder::ethernet2(self.from_mac, self.to_mac);
        let built = match (self.from.ip(), self.to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => ethernet.ipv4(from.octets(), to.octets(), 64),
            (IpAddr::V6(from), IpAddr::V6(to)) => ethernet.ipv6(from.octets(), to.octets(), 64),
            (from, to) => return Err(ToolError::Usage(format!("{from} and {to} are of different families"))),
        };
        let built = built.udp(self.from.port(), self.to.port());
        let mut packet = Vec::with_capacity(built.size(payload.len()));
        built
            .write(&mut packet, payload)
            .map_err(|error| ToolError::Usage(format!("a datagram to {}: {error}", self.to)))?;
        Ok(packet)
    }

    /// The same without a UDP checksum, which over IPv4 is a sender's choice (RFC 768): what is rewritten on the way needs
    /// none, and a receiver computes none.
    pub fn unsummed(&self, payload: &[u8]) -> Result<Vec<u8>, ToolError> {
        const CHECKSUM_AT: usize = 14 + 20 + 6;
        let mut packet = self.datagram(payload)?;
        if !self.to.is_ipv4() {
            return Err(ToolError::Usage("over IPv6 a datagram needs its checksum".into()));
        }
        packet[CHECKSUM_AT..CHECKSUM_AT + 2].fill(0);
        Ok(packet)
    }
}

/// An address in another network than anybody's, for whom a flood pretends to be.
pub const STRANGER: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 1);

/// Bytes of a reading in what is measured here.
const READING_BYTES: usize = 12;

/// One live reading of a device.
pub fn data(keys: &MasterKeys, device: u32) -> Result<Vec<u8>, ToolError> {
    let data = Data {
        session: 1,
        lane: Lane::Live,
        prev: 0,
        first: 0,
        count: 1,
        stride: 1,
        due_millis: 0,
        gap: false,
        round: 0,
        term: klais_burst_sync::TermEcho::default(),
    };
    frame(keys, device, &Frame::Data(data), &[0x5a; READING_BYTES])
}

/// A device's HELLO, its number `session`.
pub fn hello(
    keys: &MasterKeys,
    device: u32,
    session: u16,
    cookie: Option<Cookie>,
) -> Result<Vec<u8>, ToolError> {
    let hello = Hello { session, epoch: 1, backlog: 60, cookie, acked: (0, 0), gateway: 0 };
    frame(keys, device, &Frame::Hello(hello), &[])
}

fn frame(keys: &MasterKeys, device: u32, frame: &Frame, payload: &[u8]) -> Result<Vec<u8>, ToolError> {
    let mut bytes = [0; wire::FRAME_BYTES_MAX];
    let epoch = keys.epoch();
    let key = keys
        .device_key(device, epoch)
        .ok_or_else(|| ToolError::Unexpected(format!("there is no master key {epoch}")))?;
    let length = wire::encode(frame, device, epoch, &key, payload, &mut bytes)
        .map_err(|error| ToolError::Unexpected(format!("a frame of device {device}: {error}")))?;
    Ok(bytes[..length].to_vec())
}
