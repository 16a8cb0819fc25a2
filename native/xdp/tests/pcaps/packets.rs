//! The layers of ordinary traffic, each around what it carries; lengths and checksums are etherparse's.

use etherparse::{
    ArpEthIpv4Packet, ArpOperation, ArpPacket, EtherType, Ethernet2Header, Icmpv4Header, Icmpv4Type,
    Icmpv6Header, Icmpv6Type, IgmpHeader, IgmpType, IpFragOffset, IpNumber, Ipv4Header, Ipv6Header,
    TcpHeader, TcpOptionElement, UdpHeader,
};

pub const OURS_V4: [u8; 4] = [10, 77, 0, 1];
pub const THEIRS_V4: [u8; 4] = [10, 80, 3, 4];
pub const OURS_V6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
pub const THEIRS_V6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
const OUR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const THEIR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];

pub const IPV4: u16 = EtherType::IPV4.0;
pub const IPV6: u16 = EtherType::IPV6.0;
/// 802.1Q and 802.1ad.
pub const TAG: u16 = 0x8100;
pub const SERVICE_TAG: u16 = 0x88a8;

/// What comes before a packet in an Ethernet frame.
pub fn ethernet(kind: u16, packet: &[u8]) -> Vec<u8> {
    let header = Ethernet2Header { source: THEIR_MAC, destination: OUR_MAC, ether_type: EtherType(kind) };
    [&header.to_bytes()[..], packet].concat()
}

/// The same behind VLAN tags of these kinds, outermost first.
pub fn tagged(tags: &[u16], kind: u16, packet: &[u8]) -> Vec<u8> {
    let mut kinds: Vec<u16> = tags.to_vec();
    kinds.push(kind);
    let mut inside = Vec::new();
    for (vlan, kind) in (5_u16..).zip(&kinds[1..]) {
        inside.extend(vlan.to_be_bytes());
        inside.extend(kind.to_be_bytes());
    }
    ethernet(kinds[0], &[&inside, packet].concat())
}

/// A frame of 802.3: a length where others have a type, then LLC.
pub fn ieee8023(destination: [u8; 6], llc: &[u8]) -> Vec<u8> {
    let mut frame = ethernet(llc.len() as u16, llc);
    frame[..6].copy_from_slice(&destination);
    frame.resize(60, 0);
    frame
}

pub fn arp() -> Vec<u8> {
    let request = ArpEthIpv4Packet {
        operation: ArpOperation::REQUEST,
        sender_mac: THEIR_MAC,
        sender_ipv4: THEIRS_V4,
        target_mac: [0; 6],
        target_ipv4: OURS_V4,
    };
    let mut frame = ethernet(EtherType::ARP.0, &ArpPacket::from(request).to_bytes());
    frame.resize(60, 0);
    frame
}

/// An IPv4 packet, and a chance to change its header; the checksum comes last.
pub fn ipv4_with(protocol: IpNumber, content: &[u8], change: impl FnOnce(&mut Ipv4Header)) -> Vec<u8> {
    let mut header =
        Ipv4Header::new(content.len() as u16, 61, protocol, THEIRS_V4, OURS_V4).expect("a packet that fits");
    change(&mut header);
    header.set_payload_len(content.len()).expect("a packet that fits");
    header.header_checksum = header.calc_header_checksum();
    [&header.to_bytes()[..], content].concat()
}

pub fn ipv4(protocol: IpNumber, content: &[u8]) -> Vec<u8> {
    ipv4_with(protocol, content, |_| {})
}

/// A fragment of an IPv4 packet, from this offset in bytes on.
pub fn ipv4_fragment(offset: u16, is_last: bool, content: &[u8]) -> Vec<u8> {
    ipv4_with(IpNumber::UDP, content, |header| {
        header.identification = 9;
        header.dont_fragment = false;
        header.more_fragments = !is_last;
        header.fragment_offset = IpFragOffset::try_new(offset / 8).expect("an offset");
    })
}

fn ipv6_header(next: IpNumber, bytes: usize) -> Ipv6Header {
    Ipv6Header {
        next_header: next,
        payload_length: bytes as u16,
        hop_limit: 64,
        source: THEIRS_V6,
        destination: OURS_V6,
        ..Ipv6Header::default()
    }
}

/// An IPv6 packet behind extension headers: each of a kind, with what stands behind its first byte.
pub fn ipv6_behind(extensions: &[(IpNumber, &[u8])], protocol: IpNumber, content: &[u8]) -> Vec<u8> {
    let mut kinds: Vec<IpNumber> = extensions.iter().map(|(kind, _)| *kind).collect();
    kinds.push(protocol);
    let mut inside = Vec::new();
    for ((_, bytes), next) in extensions.iter().zip(&kinds[1..]) {
        inside.push(next.0);
        inside.extend_from_slice(bytes);
    }
    inside.extend_from_slice(content);
    [&ipv6_header(kinds[0], inside.len()).to_bytes()[..], &inside].concat()
}

pub fn ipv6(protocol: IpNumber, content: &[u8]) -> Vec<u8> {
    ipv6_behind(&[], protocol, content)
}

/// UDP over IPv4.
pub fn udp4(from: u16, to: u16, content: &[u8]) -> Vec<u8> {
    let ip = Ipv4Header::new(0, 61, IpNumber::UDP, THEIRS_V4, OURS_V4).expect("a header");
    let header = UdpHeader::with_ipv4_checksum(from, to, &ip, content).expect("a datagram that fits");
    [&header.to_bytes()[..], content].concat()
}

/// UDP over IPv6.
pub fn udp6(from: u16, to: u16, content: &[u8]) -> Vec<u8> {
    let ip = ipv6_header(IpNumber::UDP, 0);
    let header = UdpHeader::with_ipv6_checksum(from, to, &ip, content).expect("a datagram that fits");
    [&header.to_bytes()[..], content].concat()
}

/// A TCP SYN over IPv4, with the options of an ordinary stack.
pub fn tcp_syn(to: u16) -> Vec<u8> {
    use TcpOptionElement::{
        MaximumSegmentSize, Noop, SelectiveAcknowledgementPermitted, Timestamp, WindowScale,
    };
    let mut header = TcpHeader::new(50_123, to, 0x1234_5678, 64_240);
    header.syn = true;
    let options =
        [MaximumSegmentSize(1_460), SelectiveAcknowledgementPermitted, Timestamp(7, 0), Noop, WindowScale(7)];
    header.set_options(&options).expect("options that fit");
    tcp(header, &[])
}

/// Data in the middle of a TCP connection over IPv4.
pub fn tcp_data(to: u16, content: &[u8]) -> Vec<u8> {
    let mut header = TcpHeader::new(50_123, to, 0x1234_5679, 502);
    (header.psh, header.ack, header.acknowledgment_number) = (true, true, 77);
    header
        .set_options(&[TcpOptionElement::Noop, TcpOptionElement::Noop, TcpOptionElement::Timestamp(8, 9)])
        .expect("options");
    tcp(header, content)
}

fn tcp(mut header: TcpHeader, content: &[u8]) -> Vec<u8> {
    let checksum = header.calc_checksum_ipv4_raw(THEIRS_V4, OURS_V4, content);
    header.checksum = checksum.expect("a segment that fits");
    [&header.to_bytes()[..], content].concat()
}

pub fn icmp(kind: Icmpv4Type, content: &[u8]) -> Vec<u8> {
    [&Icmpv4Header::with_checksum(kind, content).to_bytes()[..], content].concat()
}

pub fn icmpv6(kind: Icmpv6Type, content: &[u8]) -> Vec<u8> {
    let header = Icmpv6Header::with_checksum(kind, THEIRS_V6, OURS_V6, content).expect("a message that fits");
    [&header.to_bytes()[..], content].concat()
}

pub fn igmp(kind: IgmpType) -> Vec<u8> {
    IgmpHeader::with_checksum(kind, &[]).to_bytes().to_vec()
}
