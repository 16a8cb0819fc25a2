//! What can be dropped.

use core::net::{IpAddr, Ipv6Addr};

use crate::wire::{Reader, WireError, Writer};

/// Bits of an address in front of an IPv4 address that is written as an IPv6 one.
pub(crate) const MAPPED_BITS: u8 = 96;
/// The widest IPv4 range that may be blocked by gossip, in bits of IPv6.
const V4_BITS_MIN: u8 = MAPPED_BITS + 24;
/// The widest IPv6 range that may be blocked by gossip.
const V6_BITS_MIN: u8 = 48;

/// Whose frames are to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A device, by its number.
    Device(u32),
    /// Whatever comes from a range of addresses. IPv4 is the part of IPv6 that it maps to, with 96 bits more.
    Prefix {
        /// Its first address.
        address: Ipv6Addr,
        /// How many leading bits make the range.
        bits: u8,
    },
    /// One frame that is sent again and again: the first 8 bytes of its MAC.
    Frame(u64),
}

/// A kind of subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubjectKind {
    Device,
    Prefix,
    Frame,
}

impl SubjectKind {
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    pub(crate) const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Device,
            1 => Self::Prefix,
            2 => Self::Frame,
            _ => return None,
        })
    }

    /// Bytes of one subject.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::Device => 4,
            Self::Prefix => 17,
            Self::Frame => 8,
        }
    }
}

impl Subject {
    /// The range of `bits` around an address, 96 more for IPv4. Bits beyond are cleared.
    #[must_use]
    pub fn prefix(address: IpAddr, bits: u8) -> Self {
        let address = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let bits = bits.min(128);
        let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
        Self::Prefix { address: Ipv6Addr::from(u128::from(address) & mask), bits }
    }

    pub(crate) const fn kind(&self) -> SubjectKind {
        match self {
            Self::Device(_) => SubjectKind::Device,
            Self::Prefix { .. } => SubjectKind::Prefix,
            Self::Frame(_) => SubjectKind::Frame,
        }
    }

    /// Whether it may be blocked at the word of others: a device that there is, a range that is not too wide and has no
    /// bits beyond its length.
    pub(crate) fn is_admissible(&self, devices: u32) -> bool {
        match *self {
            Self::Device(device) => device < devices,
            Self::Prefix { address, bits } => {
                let widest = if address.to_ipv4_mapped().is_some() { V4_BITS_MIN } else { V6_BITS_MIN };
                bits >= widest && bits <= 128 && Self::prefix(address.into(), bits) == *self
            }
            Self::Frame(_) => true,
        }
    }

    pub(crate) fn write(&self, to: &mut Writer<'_>) -> Result<(), WireError> {
        match *self {
            Self::Device(device) => to.u32(device),
            Self::Prefix { address, bits } => {
                to.put(&address.octets())?;
                to.u8(bits)
            }
            Self::Frame(mac) => to.u64(mac),
        }
    }

    pub(crate) fn read(kind: SubjectKind, from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match kind {
            SubjectKind::Device => Self::Device(from.u32()?),
            SubjectKind::Prefix => {
                Self::Prefix { address: Ipv6Addr::from(from.array::<16>()?), bits: from.u8()? }
            }
            SubjectKind::Frame => Self::Frame(from.u64()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_ranges_are_not_blocked_by_hearsay() {
        let v4: IpAddr = "10.1.2.3".parse().expect("an address");
        let v6: IpAddr = "2001:db8::1".parse().expect("an address");
        assert!(Subject::prefix(v4, 128).is_admissible(0) && Subject::prefix(v4, 120).is_admissible(0));
        assert!(!Subject::prefix(v4, 119).is_admissible(0) && !Subject::prefix(v4, 0).is_admissible(0));
        assert!(Subject::prefix(v6, 48).is_admissible(0) && !Subject::prefix(v6, 47).is_admissible(0));
        let ragged = Subject::Prefix { address: "2001:db8::1".parse().expect("an address"), bits: 64 };
        assert!(!ragged.is_admissible(0));
        assert!(Subject::Device(9).is_admissible(10) && !Subject::Device(10).is_admissible(10));
    }
}
