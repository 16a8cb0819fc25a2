//! One source address per device: device `i` is `first + 1 + i`.

use std::net::Ipv4Addr;

/// The block of addresses that the devices send from.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    base: u32,
    devices: u32,
}

impl Addresses {
    /// The addresses after `first`; `None` where they would run past the end of IPv4.
    pub fn new(first: Ipv4Addr, devices: u32) -> Option<Self> {
        let base = u32::from(first).checked_add(1)?;
        base.checked_add(devices)?;
        Some(Self { base, devices })
    }

    /// Where a device of the fleet sends from.
    pub fn of(&self, device: u32) -> Ipv4Addr {
        Ipv4Addr::from(self.base.wrapping_add(device))
    }

    /// Whose address it is.
    pub fn device(&self, address: Ipv4Addr) -> Option<u32> {
        u32::from(address).checked_sub(self.base).filter(|device| *device < self.devices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_devices_and_back() {
        let block = Addresses::new(Ipv4Addr::new(10, 80, 0, 0), 300).expect("a block");
        assert_eq!(block.of(0), Ipv4Addr::new(10, 80, 0, 1));
        assert_eq!(block.of(299), Ipv4Addr::new(10, 80, 1, 44));
        assert_eq!(block.device(block.of(299)), Some(299));
        assert_eq!(block.device(Ipv4Addr::new(10, 80, 1, 45)), None);
        assert_eq!(block.device(Ipv4Addr::new(10, 80, 0, 0)), None);
        assert!(Addresses::new(Ipv4Addr::new(255, 255, 255, 0), 300).is_none());
    }
}
