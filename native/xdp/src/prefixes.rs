//! Which addresses are blocked, and which are ours.
#![allow(unsafe_code)]

use crate::layout::{ADDRESSES_MAX, Config, PREFIXES_MAX};
use crate::{Filter, XdpError};
use libbpf_rs::{MapCore, MapFlags};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{Ordering::Release, fence};

/// Bits of an IPv6 address.
const ADDRESS_BITS: u8 = 128;
/// Bits in front of an IPv4 address that is written as an IPv6 one.
const MAPPED_BITS: u8 = 96;

/// A range of addresses. IPv4 is the part of IPv6 that it maps to, so that `::/0` is everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    network: Ipv6Addr,
    bits: u8,
}

impl Prefix {
    /// The range that shares `bits` leading bits with an address; the rest of it does not count. `None` for more bits than
    /// the address has.
    #[must_use]
    pub fn new(address: IpAddr, bits: u8) -> Option<Self> {
        let (address, bits) = match address {
            IpAddr::V4(ip) => (ip.to_ipv6_mapped(), bits.checked_add(MAPPED_BITS)?),
            IpAddr::V6(ip) => (ip, bits),
        };
        let host_bits = u32::from(ADDRESS_BITS.checked_sub(bits)?);
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Some(Self { network: Ipv6Addr::from_bits(address.to_bits() & mask), bits })
    }

    /// `struct klais_prefix`.
    fn key(self) -> [u8; 20] {
        let mut key = [0; 20];
        key[..4].copy_from_slice(&u32::from(self.bits).to_ne_bytes());
        key[4..].copy_from_slice(&self.network.octets());
        key
    }
}

impl Filter {
    /// Drops what comes from these addresses, from now on. Whether the range was not blocked already.
    ///
    /// # Errors
    /// [`XdpError::PrefixesFull`], or what the kernel says. Nothing has changed then.
    pub fn block_prefix(&mut self, prefix: Prefix) -> Result<bool, XdpError> {
        if self.blocked_prefixes.contains(&prefix) {
            return Ok(false);
        }
        if self.blocked_prefixes.len() >= PREFIXES_MAX {
            return Err(XdpError::PrefixesFull { most: PREFIXES_MAX });
        }
        let trie = self.map("prefixes")?;
        trie.update(&prefix.key(), &1_u32.to_ne_bytes(), MapFlags::ANY)
            .map_err(XdpError::refused("blocking a range of addresses"))?;
        self.blocked_prefixes.insert(prefix);
        self.count_prefixes();
        Ok(true)
    }

    /// Drops them for that reason no longer. Whether exactly this range was blocked.
    ///
    /// # Errors
    /// What the kernel says. Nothing has changed then.
    pub fn unblock_prefix(&mut self, prefix: Prefix) -> Result<bool, XdpError> {
        if !self.blocked_prefixes.contains(&prefix) {
            return Ok(false);
        }
        let trie = self.map("prefixes")?;
        trie.delete(&prefix.key()).map_err(XdpError::refused("unblocking a range of addresses"))?;
        self.blocked_prefixes.remove(&prefix);
        self.count_prefixes();
        Ok(true)
    }

    /// Tells the program whether there is anything to look for in the trie.
    fn count_prefixes(&self) {
        let config = self.config.at::<Config>();
        // SAFETY: an aligned word within the mapped configuration.
        unsafe { (&raw mut (*config).prefixes).write_volatile(self.blocked_prefixes.len() as u32) };
    }

    /// Takes only what is sent to one of these addresses (and the filter's port) for ours; the rest passes. With none
    /// of them the port alone decides, whatever the address.
    ///
    /// # Errors
    /// [`XdpError::TooManyAddresses`]: 8 at most. Nothing has changed then.
    pub fn set_addresses(&mut self, addresses: &[IpAddr]) -> Result<(), XdpError> {
        if addresses.len() > ADDRESSES_MAX {
            return Err(XdpError::TooManyAddresses { most: ADDRESSES_MAX });
        }
        let config = self.config.at::<Config>();
        // SAFETY: aligned words within the mapped configuration, one after another.
        unsafe {
            // Meanwhile the port decides: the list is never half one and half the other.
            (&raw mut (*config).addresses).write_volatile(0);
            fence(Release);
            for (n, address) in addresses.iter().enumerate() {
                let place = (&raw mut (*config).address).cast::<[u64; 2]>().add(n);
                place.write_volatile(address_words(*address));
            }
            fence(Release);
            (&raw mut (*config).addresses).write_volatile(addresses.len() as u32);
        }
        Ok(())
    }
}

/// An address as the program compares it: two words in memory order, IPv4 mapped.
fn address_words(address: IpAddr) -> [u64; 2] {
    let octets = match address {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    };
    let both = u128::from_ne_bytes(octets);
    // The filter is built for little-endian machines alone: the first word is the low half.
    [both as u64, (both >> u64::BITS) as u64]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(address: &str, bits: u8) -> Option<Prefix> {
        Prefix::new(address.parse().expect("an address"), bits)
    }

    #[test]
    fn bits_beyond_the_prefix_do_not_count() {
        assert_eq!(prefix("10.1.2.3", 16), prefix("10.1.9.9", 16));
        assert_eq!(prefix("10.1.0.0", 16), prefix("::ffff:10.1.2.3", 112));
        assert_ne!(prefix("10.1.0.0", 16), prefix("10.1.0.0", 17));
        assert_eq!(prefix("2001:db8::1", 0), prefix("::", 0));
        assert!(prefix("10.0.0.1", 32).is_some() && prefix("10.0.0.1", 33).is_none());
        assert!(
            prefix("::", 128).is_some() && prefix("::", 129).is_none() && prefix("10.0.0.1", 255).is_none()
        );
    }

    #[test]
    fn the_key_is_what_the_trie_compares() {
        let key = prefix("10.1.2.3", 16).expect("a prefix").key();
        assert_eq!(key[..4], 112_u32.to_ne_bytes());
        assert_eq!(key[4..], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 0, 0]);
    }
}
