//! Whose a frame is, found out without the program that is being tested.

use std::net::IpAddr;

use etherparse::{
    EtherType, Ethernet2HeaderSlice, IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice,
    Ipv6HeaderSlice, Ipv6RawExtHeaderSlice, SingleVlanHeaderSlice,
};

/// As docs/xdp.md has it: no more tags and extension headers are followed.
const VLAN_TAGS_MAX: usize = 2;
const EXTENSIONS_MAX: usize = 8;
/// Of the four fields of a UDP header, the port is the second.
const UDP_HEADER_BYTES: usize = 8;

/// Who the gateway is.
pub struct Owner {
    /// Its UDP port.
    pub port: u16,
    /// Its addresses; none: whatever the address, the port decides.
    pub addresses: Vec<IpAddr>,
}

impl Owner {
    /// Whether a frame is a datagram to the gateway, the first of several fragments included. Lengths in its headers are
    /// not asked: who lies about them is not a stranger for it. Everything else is foreign.
    pub fn is_owner_of(&self, frame: &[u8]) -> bool {
        let Some((kind, packet)) = network(frame) else {
            return false;
        };
        let found = match kind {
            EtherType::IPV4 => ipv4(packet),
            EtherType::IPV6 => ipv6(packet),
            _ => None,
        };
        let Some((address, datagram)) = found else {
            return false;
        };
        let header = datagram.get(..UDP_HEADER_BYTES);
        header.is_some_and(|header| header[2..4] == self.port.to_be_bytes()) && self.has(address)
    }

    fn has(&self, address: IpAddr) -> bool {
        let is_same = |ours: &IpAddr| ours.to_canonical() == address.to_canonical();
        self.addresses.is_empty() || self.addresses.iter().any(is_same)
    }
}

/// What Ethernet and its tags carry, and of which kind it is.
fn network(frame: &[u8]) -> Option<(EtherType, &[u8])> {
    let ethernet = Ethernet2HeaderSlice::from_slice(frame).ok()?;
    let mut kind = ethernet.ether_type();
    let mut rest = frame.get(ethernet.slice().len()..)?;
    for _ in 0..VLAN_TAGS_MAX {
        if kind != EtherType::VLAN_TAGGED_FRAME && kind != EtherType::PROVIDER_BRIDGING {
            break;
        }
        let tag = SingleVlanHeaderSlice::from_slice(rest).ok()?;
        kind = tag.ether_type();
        rest = rest.get(tag.slice().len()..)?;
    }
    Some((kind, rest))
}

/// The datagram of a packet that has its beginning, and where it goes.
fn ipv4(packet: &[u8]) -> Option<(IpAddr, &[u8])> {
    let header = Ipv4HeaderSlice::from_slice(packet).ok()?;
    let is_first = header.fragments_offset().value() == 0;
    let datagram = packet.get(header.slice().len()..)?;
    (header.protocol() == IpNumber::UDP && is_first).then_some((header.destination_addr().into(), datagram))
}

/// The same behind extension headers. Where segments are left, the packet is on its way to somebody else.
fn ipv6(packet: &[u8]) -> Option<(IpAddr, &[u8])> {
    let header = Ipv6HeaderSlice::from_slice(packet).ok()?;
    let mut kind = header.next_header();
    let mut rest = packet.get(header.slice().len()..)?;
    for _ in 0..EXTENSIONS_MAX {
        let (next, bytes) = match kind {
            IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_DESTINATION_OPTIONS
            | IpNumber::IPV6_ROUTE_HEADER => {
                let extension = Ipv6RawExtHeaderSlice::from_slice(rest).ok()?;
                let segments_left = extension.payload().get(1).copied();
                if kind == IpNumber::IPV6_ROUTE_HEADER && segments_left != Some(0) {
                    return None;
                }
                (extension.next_header(), extension.slice().len())
            }
            IpNumber::IPV6_FRAGMENTATION_HEADER => {
                let fragment = Ipv6FragmentHeaderSlice::from_slice(rest).ok()?;
                if fragment.fragment_offset().value() != 0 {
                    return None;
                }
                (fragment.next_header(), fragment.slice().len())
            }
            IpNumber::AUTHENTICATION_HEADER => {
                let authentication = IpAuthHeaderSlice::from_slice(rest).ok()?;
                (authentication.next_header(), authentication.slice().len())
            }
            _ => break,
        };
        kind = next;
        rest = rest.get(bytes..)?;
    }
    (kind == IpNumber::UDP).then_some((header.destination_addr().into(), rest))
}
