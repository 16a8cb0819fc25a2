//! Keys: one master key at the gateways, one derived from it in each device.

use core::fmt;

use super::mac;

/// Marks a derived key off from the MAC of a frame.
const PURPOSE: [u8; 4] = *b"kdev";

/// What a device signs with. A device is given this and never the master key.
#[derive(Clone, Copy)]
pub struct DeviceKey([u8; 16]);

impl DeviceKey {
    /// A key as it was put into a device.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// The key, to be put into a device.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Hides the key.
impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKey")
    }
}

/// A master key and its number.
#[derive(Clone)]
struct Master {
    key: [u8; 16],
    epoch: u8,
}

/// The present master key and the one before, so that a rotation leaves no gap.
#[derive(Clone)]
pub struct MasterKeys {
    present: Master,
    previous: Option<Master>,
}

impl MasterKeys {
    /// One key, numbered `epoch`, and none before it.
    #[must_use]
    pub const fn new(key: [u8; 16], epoch: u8) -> Self {
        Self { present: Master { key, epoch }, previous: None }
    }

    /// Makes `key` the present one. The key so far stays good until the next rotation. A repeated `epoch` replaces the
    /// key of that number instead.
    pub fn rotate(&mut self, key: [u8; 16], epoch: u8) {
        let replaced = core::mem::replace(&mut self.present, Master { key, epoch });
        if replaced.epoch != epoch {
            self.previous = Some(replaced);
        }
    }

    /// Number of the present key.
    #[must_use]
    pub const fn epoch(&self) -> u8 {
        self.present.epoch
    }

    /// The device's key under the master key numbered `epoch`; `None` if that is neither the present nor the previous.
    #[must_use]
    pub fn device_key(&self, device: u32, epoch: u8) -> Option<DeviceKey> {
        let previous = self.previous.as_ref();
        let known = core::iter::once(&self.present).chain(previous).find(|master| master.epoch == epoch)?;
        let mut message = [0; 8];
        message[..4].copy_from_slice(&device.to_be_bytes());
        message[4..].copy_from_slice(&PURPOSE);
        Some(DeviceKey(mac::tag(&known.key, &message)))
    }
}

/// Hides the keys.
impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeys")
            .field("epoch", &self.present.epoch)
            .field("previous_epoch", &self.previous.as_ref().map(|master| master.epoch))
            .finish_non_exhaustive()
    }
}
