//! From a datagram to a device's frame, or the reason why it is none.

use crate::addresses::Addresses;
use klais_burst_sync::Frame;
use klais_burst_sync::wire::{MasterKeys, open};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Datagrams that were no frame for a device, by reason: those of the wire format, and three more: `misaddressed` (to
/// another device's address), `misdirected` (a frame that only devices send) and `unknown-gateway` (sent on to a gateway that is
/// not on the list).
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct WireErrors(BTreeMap<&'static str, u64>);

impl WireErrors {
    /// One more.
    pub fn count(&mut self, reason: &'static str) {
        *self.0.entry(reason).or_default() += 1;
    }
}

/// Who accepts frames.
pub struct Inbound {
    addresses: Addresses,
    keys: MasterKeys,
    /// What was turned away.
    pub errors: WireErrors,
}

impl Inbound {
    /// Accepts frames under `keys` at `addresses`.
    pub fn new(addresses: Addresses, keys: MasterKeys) -> Self {
        Self { addresses, keys, errors: WireErrors::default() }
    }

    /// Reads a datagram that came to a local address: the device that it is for, and its frame.
    pub fn accept(&mut self, to: Ipv4Addr, datagram: &[u8]) -> Option<(u32, Frame)> {
        match self.read(to, datagram) {
            Ok(accepted) => Some(accepted),
            Err(reason) => {
                self.errors.count(reason);
                None
            }
        }
    }

    fn read(&self, to: Ipv4Addr, datagram: &[u8]) -> Result<(u32, Frame), &'static str> {
        let parsed = open(datagram, &self.keys).map_err(|error| error.name())?;
        if self.addresses.device(to) != Some(parsed.device) {
            return Err("misaddressed");
        }
        match parsed.frame {
            Frame::Hello(_) | Frame::Data(_) => Err("misdirected"),
            frame => Ok((parsed.device, frame)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klais_burst_sync::Hello;
    use klais_burst_sync::wire::{FRAME_BYTES_MAX, encode};

    #[test]
    fn only_what_is_signed_for_the_device_at_that_address_is_accepted() {
        let addresses = Addresses::new(Ipv4Addr::new(127, 1, 0, 0), 10).expect("a block");
        let keys = MasterKeys::new([7; 16], 3);
        let mut inbound = Inbound::new(addresses, keys.clone());
        let mut buffer = [0; FRAME_BYTES_MAX];
        let mut frame = |frame: &Frame, device: u32| {
            let key = keys.device_key(device, 3).expect("a key");
            let bytes = encode(frame, device, 3, &key, &[], &mut buffer).expect("a frame");
            buffer[..bytes].to_vec()
        };
        let bye = Frame::Bye { session: 5 };
        let good = frame(&bye, 4);
        assert_eq!(inbound.accept(addresses.of(4), &good), Some((4, bye)));
        assert_eq!(inbound.accept(addresses.of(5), &good), None);
        let beyond = frame(&bye, 10);
        assert_eq!(inbound.accept(addresses.of(10), &beyond), None);
        let hello = Hello { session: 1, epoch: 0, backlog: 0, cookie: None, acked: (0, 0), gateway: 0 };
        assert_eq!(inbound.accept(addresses.of(4), &frame(&Frame::Hello(hello), 4)), None);
        let mut forged = good.clone();
        forged[20] ^= 1;
        assert_eq!(inbound.accept(addresses.of(4), &forged), None);
        assert_eq!(inbound.accept(addresses.of(4), &good[..9]), None);
        let counted: Vec<_> = inbound.errors.0.into_iter().collect();
        assert_eq!(counted, [("mac", 1), ("misaddressed", 2), ("misdirected", 1), ("truncated", 1)]);
    }
}
