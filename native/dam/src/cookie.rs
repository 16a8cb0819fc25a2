//! Session cookies: a promise that its holder carries.

use core::hash::Hasher;

use siphasher::sip::SipHasher24;

/// What a deferred device brings back: its slot, and the dam's signature on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cookie {
    /// The slot as a wrapping tick, see [`TICK_NANOS`](crate::TICK_NANOS). Opaque to the device.
    pub slot: u32,
    /// SipHash-2-4 over device, slot and key epoch.
    pub mac: u64,
}

impl Cookie {
    /// Whether a dam with this key has given it to this device, before any rotation: to tell another gateway's from a forged
    /// one.
    #[must_use]
    pub fn is_under(&self, first_key: [u8; 16], device: u32) -> bool {
        Key::new(first_key, 0).mac(device, self.slot) == self.mac
    }
}

/// A signing key and its number.
#[derive(Clone)]
struct Key {
    hasher: SipHasher24,
    epoch: u8,
}

/// The present key and the one before, so that a rotation leaves no gap.
#[derive(Clone)]
pub(crate) struct Keys {
    present: Key,
    previous: Option<Key>,
}

impl Key {
    fn new(key: [u8; 16], epoch: u8) -> Self {
        Self { hasher: SipHasher24::new_with_key(&key), epoch }
    }

    /// SipHash-2-4 (Aumasson, Bernstein, 2012) of two little-endian words: device | slot << 32, and the epoch.
    fn mac(&self, device: u32, slot: u32) -> u64 {
        let mut message = [0; 16];
        message[..4].copy_from_slice(&device.to_le_bytes());
        message[4..8].copy_from_slice(&slot.to_le_bytes());
        message[8] = self.epoch;
        let mut hasher = self.hasher;
        hasher.write(&message);
        hasher.finish()
    }
}

impl Keys {
    pub(crate) fn new(key: [u8; 16], epoch: u8) -> Self {
        Self { present: Key::new(key, epoch), previous: None }
    }

    pub(crate) fn rotate(&mut self, key: [u8; 16], epoch: u8) {
        self.previous = Some(core::mem::replace(&mut self.present, Key::new(key, epoch)));
    }

    pub(crate) fn sign(&self, device: u32, slot: u32) -> Cookie {
        Cookie { slot, mac: self.present.mac(device, slot) }
    }

    /// Whether the cookie is this device's, under the present or the previous key.
    pub(crate) fn verify(&self, device: u32, cookie: Cookie) -> bool {
        let signed_by = |key: &Key| key.mac(device, cookie.slot) == cookie.mac;
        signed_by(&self.present) || self.previous.as_ref().is_some_and(signed_by)
    }
}

/// Hides the keys.
impl core::fmt::Debug for Keys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Keys {{ epoch: {} }}", self.present.epoch)
    }
}
