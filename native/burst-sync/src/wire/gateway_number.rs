//! How a HELLO says which gateway it asks.

use core::net::IpAddr;

/// The number of a gateway by the address that its devices know: an IPv4 address, or the last four bytes of an IPv6
/// address (so that an IPv4 address mapped into IPv6 gives its own). 0 is nobody's.
#[must_use]
pub fn gateway_number(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => u32::from(address),
        IpAddr::V6(address) => u128::from(address) as u32,
    }
}
