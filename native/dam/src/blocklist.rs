//! The blocklist: one bit per device.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// The bits, and their count, so that an empty list costs no look-up.
#[derive(Clone, Copy)]
pub(crate) struct Blocklist<'a> {
    pub(crate) words: &'a [AtomicU64],
    pub(crate) blocked: &'a AtomicU32,
}

impl Blocklist<'_> {
    /// Words of a list for so many devices.
    pub(crate) const fn words(devices: u32) -> usize {
        devices.div_ceil(u64::BITS) as usize
    }

    /// Whether no device is blocked.
    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.blocked.load(Relaxed) == 0
    }

    #[inline]
    pub(crate) fn contains(self, device: u32) -> bool {
        let (word, bit) = place(device);
        !self.is_empty() && self.words.get(word).is_some_and(|w| w.load(Relaxed) & bit != 0)
    }

    /// Whether the bit changed. The device is known: the caller has checked.
    pub(crate) fn set(self, device: u32, block: bool) -> bool {
        let (word, bit) = place(device);
        let Some(word) = self.words.get(word) else {
            return false;
        };
        // Counted first when blocking and last when unblocking: the count is never 0 while a bit is set.
        if block {
            self.blocked.fetch_add(1, Relaxed);
            let changed = word.fetch_or(bit, Relaxed) & bit == 0;
            if !changed {
                self.blocked.fetch_sub(1, Relaxed);
            }
            changed
        } else {
            let changed = word.fetch_and(!bit, Relaxed) & bit != 0;
            if changed {
                self.blocked.fetch_sub(1, Relaxed);
            }
            changed
        }
    }
}

const fn place(device: u32) -> (usize, u64) {
    ((device / u64::BITS) as usize, 1 << (device % u64::BITS))
}
