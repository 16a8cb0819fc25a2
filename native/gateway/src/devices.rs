//! One device, as the gateway's dam has it.

use crate::Payload;
use crate::gateway::Gateway;

impl<P: Payload> Gateway<P> {
    /// The shard of a device.
    #[must_use]
    pub fn shard_of(&self, device: u32) -> u32 {
        device % self.config.shards
    }

    /// Where the dam keeps a device: what cookies are made for.
    #[must_use]
    pub fn place_in_dam(&self, device: u32) -> u32 {
        self.dam_index(device)
    }

    /// Whether the dam lets nothing of a device through.
    #[must_use]
    pub fn is_blocked(&self, device: u32) -> bool {
        self.dam.is_blocked(self.dam_index(device))
    }

    /// Lets nothing of a device through any more, or again. Whether that changed anything.
    pub fn set_blocked(&self, device: u32, is_blocked: bool) -> bool {
        let place = self.dam_index(device);
        if is_blocked { self.dam.block(place) } else { self.dam.unblock(place) }
    }

    /// The last HELLO of a device that the dam has answered: epoch and session, 0 before the first.
    #[must_use]
    pub fn last_attempt(&self, device: u32) -> u32 {
        self.dam.slot_word(self.dam_index(device)) as u32
    }
}
