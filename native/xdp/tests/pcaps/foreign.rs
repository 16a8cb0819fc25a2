//! Ordinary traffic of a network with a gateway in it: nothing of it is the gateway's.

use etherparse::icmpv4::DestUnreachableHeader;
use etherparse::icmpv6::RouterAdvertisementHeader;
use etherparse::igmp::{GroupAddress, MembershipReportV2Type};
use etherparse::{IcmpEchoHeader, Icmpv4Type, Icmpv6Type, IgmpType, IpNumber};

use super::packets::*;
use crate::common::PORT;

/// A frame and the name under which the program is to count it.
pub struct Foreign {
    pub what: &'static str,
    pub counter: &'static str,
    pub frame: Vec<u8>,
}

fn foreign(what: &'static str, counter: &'static str, frame: Vec<u8>) -> Foreign {
    Foreign { what, counter, frame }
}

/// All of it that is no longer than a frame of 1,514 bytes.
pub fn ordinary() -> Vec<Foreign> {
    [link(), over_ipv4(), fragments(), tunnels(), over_ipv6(), extended(), vlans(), runts()]
        .into_iter()
        .flatten()
        .collect()
}

/// Frames of more than a page.
pub fn jumbo() -> Vec<Foreign> {
    let frame = |bytes: usize| ethernet(IPV4, &ipv4(IpNumber::TCP, &tcp_data(443, &vec![0x5a; bytes])));
    vec![
        foreign("TCP at MTU 4,000", "foreign-ipv4", frame(3_900)),
        foreign("TCP at MTU 9,000", "foreign-ipv4", frame(8_948)),
        foreign(
            "UDP at MTU 9,000",
            "foreign-udp",
            ethernet(IPV4, &ipv4(IpNumber::UDP, &udp4(9, 4_789, &[1; 8_900]))),
        ),
    ]
}

/// A query for the AAAA records of klais.example.
const DNS_QUERY: &[u8] =
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05klais\x07example\x00\x00\x1c\x00\x01";

fn link() -> Vec<Foreign> {
    // Chassis, port and time to live, and the end of the list.
    let lldp = b"\x02\x07\x04\x02\x00\x00\x00\x00\x02\x04\x05\x05eth0\x06\x02\x00\x78\x00\x00";
    let stp = b"\x42\x42\x03\x00\x00\x00\x00\x00\x80\x00\x02\x00\x00\x00\x00\x02\x00\x00\x00\x00\x80\x00\
        \x02\x00\x00\x00\x00\x02\x80\x01\x00\x00\x14\x00\x02\x00\x0f\x00";
    vec![
        foreign("ARP", "foreign-arp", arp()),
        foreign("LLDP", "foreign-non-ip", ethernet(0x88cc, lldp)),
        foreign("STP", "foreign-non-ip", ieee8023([1, 0x80, 0xc2, 0, 0, 0], stp)),
        foreign("EAPOL", "foreign-non-ip", ethernet(0x888e, &[1, 1, 0, 0])),
        foreign("MPLS", "foreign-non-ip", ethernet(0x8847, &[0, 0, 0x1f, 0x40, 0x45])),
    ]
}

fn over_ipv4() -> Vec<Foreign> {
    let ip = |protocol, content: &[u8]| ethernet(IPV4, &ipv4(protocol, content));
    let udp = |from, to, content: &[u8]| ip(IpNumber::UDP, &udp4(from, to, content));
    let dhcp = [&[1, 1, 6, 0, 0x3d, 0x1d, 0, 0][..], &[0; 228], b"\x63\x82\x53\x63\x35\x01\x01\xff"].concat();
    let client_hello = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", &[0x5a; 506][..]].concat();
    let echo = Icmpv4Type::EchoRequest(IcmpEchoHeader { id: 7, seq: 1 });
    let quoted = ipv4(IpNumber::UDP, &udp4(40_000, PORT, &[1; 56]));
    let unreachable = icmp(Icmpv4Type::DestinationUnreachable(DestUnreachableHeader::Port), &quoted[..28]);
    let report = IgmpType::MembershipReportV2(MembershipReportV2Type {
        group_address: GroupAddress { octets: [224, 0, 0, 251] },
    });
    let router_alert = |header: &mut etherparse::Ipv4Header| header.options = [0x94, 4, 0, 0].into();
    let timestamped = |header: &mut etherparse::Ipv4Header| header.options = [1; 40].into();
    vec![
        foreign("DHCP", "foreign-udp", udp(68, 67, &dhcp)),
        foreign("DNS", "foreign-udp", udp(5_353, 53, DNS_QUERY)),
        foreign("UDP from our port", "foreign-udp", udp(PORT, 40_000, &[1; 48])),
        foreign("UDP to the port next door", "foreign-udp", udp(40_000, PORT + 1, &[1; 56])),
        foreign("UDP to our port, bytes swapped", "foreign-udp", udp(40_000, PORT.swap_bytes(), &[1; 56])),
        foreign("UDP without content", "foreign-udp", udp(40_000, 9, &[])),
        foreign("TCP, SYN", "foreign-ipv4", ip(IpNumber::TCP, &tcp_syn(22))),
        foreign(
            "TCP to a port of our number",
            "foreign-ipv4",
            ip(IpNumber::TCP, &tcp_data(PORT, b"GET / HTTP/1.1\r\n\r\n")),
        ),
        foreign("TLS", "foreign-ipv4", ip(IpNumber::TCP, &tcp_data(443, &client_hello))),
        foreign("TCP, a full frame", "foreign-ipv4", ip(IpNumber::TCP, &tcp_data(443, &[0x5a; 1_448]))),
        foreign("ping", "foreign-ipv4", ip(IpNumber::ICMP, &icmp(echo, &[0x61; 56]))),
        foreign("port unreachable, quoting us", "foreign-ipv4", ip(IpNumber::ICMP, &unreachable)),
        foreign(
            "IGMP behind an option",
            "foreign-ipv4",
            ethernet(IPV4, &ipv4_with(IpNumber::IGMP, &igmp(report), router_alert)),
        ),
        foreign(
            "DNS behind 40 bytes of options",
            "foreign-udp",
            ethernet(IPV4, &ipv4_with(IpNumber::UDP, &udp4(5_353, 53, DNS_QUERY), timestamped)),
        ),
        foreign("IPv4 header of 16 bytes", "foreign-malformed", {
            let mut frame = udp(40_000, PORT, &[1; 56]);
            frame[14] = 0x44;
            frame
        }),
    ]
}

fn fragments() -> Vec<Foreign> {
    let (theirs, ours) = (udp4(40_000, 2_049, &[3; 2_000]), udp4(40_000, PORT, &[3; 2_000]));
    let v4 = |offset: u16, datagram: &[u8]| {
        let end = datagram.len().min(usize::from(offset) + 1_480);
        ethernet(IPV4, &ipv4_fragment(offset, end == datagram.len(), &datagram[usize::from(offset)..end]))
    };
    vec![
        foreign("a first fragment to another port", "foreign-udp", v4(0, &theirs)),
        foreign("its last fragment", "foreign-fragment", v4(1_480, &theirs)),
        // It has no port: it cannot be told from anybody else's.
        foreign("a last fragment to our port", "foreign-fragment", v4(1_480, &ours)),
        foreign("a later fragment of TCP", "foreign-ipv4", {
            let mut packet = ipv4_fragment(1_480, true, &[3; 600]);
            packet[9] = IpNumber::TCP.0;
            ethernet(IPV4, &packet)
        }),
    ]
}

/// What is inside would be ours, if it were not inside.
fn tunnels() -> Vec<Foreign> {
    let inner = ipv4(IpNumber::UDP, &udp4(40_000, PORT, &[1; 56]));
    let inner_v6 = ipv6(IpNumber::UDP, &udp6(40_000, PORT, &[1; 56]));
    let gre = [&[0, 0, 8, 0][..], &inner].concat();
    let vxlan = [&[8, 0, 0, 0, 0, 0, 7, 0][..], &ethernet(IPV4, &inner)].concat();
    let ip = |protocol, content: &[u8]| ethernet(IPV4, &ipv4(protocol, content));
    vec![
        foreign("GRE", "foreign-ipv4", ip(IpNumber::GRE, &gre)),
        foreign("IP in IP", "foreign-ipv4", ip(IpNumber::IPV4, &inner)),
        foreign("IPv6 in IPv4", "foreign-ipv4", ip(IpNumber::IPV6, &inner_v6)),
        foreign("IPv4 in IPv6", "foreign-ipv6", ethernet(IPV6, &ipv6(IpNumber::IPV4, &inner))),
        foreign("VXLAN", "foreign-udp", ip(IpNumber::UDP, &udp4(50_000, 4_789, &vxlan))),
        foreign("ESP", "foreign-ipv4", ip(IpNumber::ENCAPSULATING_SECURITY_PAYLOAD, &[7; 80])),
    ]
}

fn over_ipv6() -> Vec<Foreign> {
    let ip = |protocol, content: &[u8]| ethernet(IPV6, &ipv6(protocol, content));
    let advertisement = Icmpv6Type::RouterAdvertisement(RouterAdvertisementHeader {
        cur_hop_limit: 64,
        managed_address_config: false,
        other_config: true,
        router_lifetime: 1_800,
    });
    let solicitation = [&OURS_V6[..], &[1, 1, 2, 0, 0, 0, 0, 2]].concat();
    let echo = Icmpv6Type::EchoRequest(IcmpEchoHeader { id: 7, seq: 1 });
    vec![
        foreign("DNS over IPv6", "foreign-udp", ip(IpNumber::UDP, &udp6(5_353, 53, DNS_QUERY))),
        foreign(
            "DHCPv6",
            "foreign-udp",
            ip(IpNumber::UDP, &udp6(546, 547, &[1, 0x12, 0x34, 0x56, 0, 8, 0, 2, 0, 0])),
        ),
        foreign("TCP over IPv6", "foreign-ipv6", ip(IpNumber::TCP, &tcp_syn(PORT))),
        foreign(
            "neighbour solicitation",
            "foreign-ipv6",
            ip(IpNumber::IPV6_ICMP, &icmpv6(Icmpv6Type::NeighborSolicitation, &solicitation)),
        ),
        foreign(
            "router advertisement",
            "foreign-ipv6",
            ip(IpNumber::IPV6_ICMP, &icmpv6(advertisement, &[0; 8])),
        ),
        foreign("ping over IPv6", "foreign-ipv6", ip(IpNumber::IPV6_ICMP, &icmpv6(echo, &[0x61; 56]))),
    ]
}

/// IPv6 behind extension headers.
fn extended() -> Vec<Foreign> {
    const HOP_BY_HOP: IpNumber = IpNumber::IPV6_HEADER_HOP_BY_HOP;
    const ROUTING: IpNumber = IpNumber::IPV6_ROUTE_HEADER;
    const FRAGMENT: IpNumber = IpNumber::IPV6_FRAGMENTATION_HEADER;
    const OPTIONS: IpNumber = IpNumber::IPV6_DESTINATION_OPTIONS;
    // Behind the next header: length in 8 bytes beyond the first 8, then a router alert, or padding.
    let alert: &[u8] = &[0, 5, 2, 0, 0, 1, 0];
    let padding: &[u8] = &[0, 1, 4, 0, 0, 0, 0];
    let one_left = [&[2, 4, 1, 0, 0, 0, 0][..], &OURS_V6].concat();
    let none_left = [&[2, 4, 0, 0, 0, 0, 0][..], &OURS_V6].concat();
    let (first, later): (&[u8], &[u8]) = (&[0, 0, 1, 0, 0, 0, 9], &[0, 5, 0xa8, 0, 0, 0, 9]);
    let (theirs, ours) = (udp6(40_000, 2_049, &[3; 1_400]), udp6(40_000, PORT, &[3; 56]));
    let icmp = icmpv6(Icmpv6Type::Unknown { type_u8: 143, code_u8: 0, bytes5to8: [0; 4] }, &[0; 20]);
    let ip = |extensions: &[(IpNumber, &[u8])], protocol, content: &[u8]| {
        ethernet(IPV6, &ipv6_behind(extensions, protocol, content))
    };
    let dns = udp6(5_353, 53, DNS_QUERY);
    vec![
        foreign(
            "MLD behind hop-by-hop",
            "foreign-ipv6",
            ip(&[(HOP_BY_HOP, alert)], IpNumber::IPV6_ICMP, &icmp),
        ),
        foreign(
            "DNS behind three headers",
            "foreign-udp",
            ip(&[(HOP_BY_HOP, padding), (OPTIONS, padding), (ROUTING, &none_left)], IpNumber::UDP, &dns),
        ),
        foreign(
            "to our port by way of us, with a segment left",
            "foreign-ipv6",
            ip(&[(ROUTING, &one_left)], IpNumber::UDP, &ours),
        ),
        foreign(
            "TCP behind destination options",
            "foreign-ipv6",
            ip(&[(OPTIONS, padding)], IpNumber::TCP, &tcp_syn(PORT)),
        ),
        foreign(
            "a first fragment over IPv6",
            "foreign-udp",
            ip(&[(FRAGMENT, first)], IpNumber::UDP, &theirs),
        ),
        foreign(
            "a later fragment over IPv6",
            "foreign-fragment",
            ip(&[(FRAGMENT, later)], IpNumber::UDP, &ours),
        ),
        foreign(
            "to our port behind nine headers",
            "foreign-ipv6",
            ip(&[(OPTIONS, padding); 9], IpNumber::UDP, &ours),
        ),
        foreign(
            "nothing behind a header",
            "foreign-ipv6",
            ip(&[(HOP_BY_HOP, padding)], IpNumber::IPV6_NO_NEXT_HEADER, &[]),
        ),
    ]
}

fn vlans() -> Vec<Foreign> {
    let dns = ipv4(IpNumber::UDP, &udp4(5_353, 53, DNS_QUERY));
    let ours = ipv4(IpNumber::UDP, &udp4(40_000, PORT, &[1; 56]));
    let arp = &arp()[14..];
    vec![
        foreign("802.1Q", "foreign-udp", tagged(&[TAG], IPV4, &dns)),
        foreign("802.1Q, IPv6", "foreign-ipv6", tagged(&[TAG], IPV6, &ipv6(IpNumber::TCP, &tcp_syn(443)))),
        foreign("802.1Q, ARP", "foreign-arp", tagged(&[TAG], 0x0806, arp)),
        foreign("802.1ad", "foreign-udp", tagged(&[SERVICE_TAG, TAG], IPV4, &dns)),
        foreign(
            "two tags of 802.1Q",
            "foreign-ipv4",
            tagged(&[TAG, TAG], IPV4, &ipv4(IpNumber::TCP, &tcp_syn(22))),
        ),
        foreign(
            "to our port behind three tags",
            "foreign-non-ip",
            tagged(&[SERVICE_TAG, TAG, TAG], IPV4, &ours),
        ),
    ]
}

/// Frames that end in the middle of their headers.
fn runts() -> Vec<Foreign> {
    let ours = ethernet(IPV4, &ipv4(IpNumber::UDP, &udp4(40_000, PORT, &[1; 56])));
    let ours_v6 = ethernet(IPV6, &ipv6(IpNumber::UDP, &udp6(40_000, PORT, &[1; 56])));
    let runt = |what, frame: &[u8]| foreign(what, "foreign-runt", frame.to_vec());
    vec![
        runt("Ethernet alone", &ours[..14]),
        runt("half a tag", &tagged(&[TAG], IPV4, &[])[..16]),
        runt("half an IPv4 header", &ours[..24]),
        runt("half a UDP header", &ours[..38]),
        runt("half an IPv6 header", &ours_v6[..40]),
        runt("half a UDP header over IPv6", &ours_v6[..58]),
    ]
}
