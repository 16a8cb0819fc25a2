//! Blocked address ranges, for where no kernel filter looks at them.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use prefix_trie::PrefixSet;
use std::net::IpAddr;

/// Ranges that can be blocked at the same time: as many as the kernel's trie holds.
pub const PREFIXES_MAX: usize = 65_536;
/// Bits in front of an IPv4 address that is written as an IPv6 one.
const MAPPED_BITS: u8 = 96;

/// A set of prefixes, looked up by address. As in the kernel's trie, IPv4 is the part of IPv6 that it maps to, so that
/// `::/0` is everything.
#[derive(Default)]
pub struct Prefixes(PrefixSet<Ipv6Net>);

impl Prefixes {
    /// Whether the address is in any range.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let host = || mapped(IpNet::from(ip));
        !self.0.is_empty() && self.0.get_spm(&host()).is_some()
    }

    /// Adds a range. Whether it was not there; bits beyond the prefix do not count.
    pub fn insert(&mut self, prefix: IpNet) -> bool {
        self.0.insert(mapped(prefix))
    }

    /// Removes exactly this range. Whether it was there.
    pub fn remove(&mut self, prefix: IpNet) -> bool {
        self.0.remove(&mapped(prefix))
    }

    /// How many ranges.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether exactly this range is in the set.
    pub fn holds(&self, prefix: IpNet) -> bool {
        self.0.contains(&mapped(prefix))
    }

    /// All ranges, in order, IPv4 as IPv4.
    pub fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.0.iter().map(unmapped)
    }
}

fn mapped(prefix: IpNet) -> Ipv6Net {
    let (address, bits) = match prefix {
        IpNet::V4(net) => (net.network().to_ipv6_mapped(), MAPPED_BITS + net.prefix_len()),
        IpNet::V6(net) => (net.network(), net.prefix_len()),
    };
    Ipv6Net::new(address, bits).unwrap_or_default()
}

fn unmapped(prefix: Ipv6Net) -> IpNet {
    let bits = prefix.prefix_len().checked_sub(MAPPED_BITS);
    let net = prefix.network().to_ipv4_mapped().zip(bits).and_then(|(ip, bits)| Ipv4Net::new(ip, bits).ok());
    net.map_or(IpNet::V6(prefix), IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().expect("a prefix")
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn ranges_nest_and_go_one_by_one() {
        let mut prefixes = Prefixes::default();
        assert!(!prefixes.contains(ip("10.1.2.3")));
        assert!(prefixes.insert(net("10.1.0.0/16")));
        assert!(prefixes.insert(net("10.1.2.9/24")));
        assert!(!prefixes.insert(net("10.1.2.0/24")));
        assert!(prefixes.contains(ip("10.1.2.3")) && prefixes.contains(ip("::ffff:10.1.2.3")));
        assert!(!prefixes.contains(ip("10.2.0.0")) && !prefixes.contains(ip("2001:db8::1")));
        assert!(prefixes.remove(net("10.1.0.0/16")));
        assert!(prefixes.contains(ip("10.1.2.3")) && !prefixes.contains(ip("10.1.3.3")));
        assert_eq!(prefixes.iter().collect::<Vec<_>>(), [net("10.1.2.0/24")]);
    }

    #[test]
    fn as_in_the_kernel_everything_is_one_range() {
        let mut prefixes = Prefixes::default();
        assert!(prefixes.insert(net("::/0")));
        assert!(prefixes.contains(ip("2001:db8::1")) && prefixes.contains(ip("10.0.0.1")));
        assert_eq!(prefixes.iter().collect::<Vec<_>>(), [net("::/0")]);
    }
}
