//! Which HELLO of each device was the last one, so that new ones are told from copies, and counted where the kernel has
//! answered them.
//!
//! 4 bytes and 1 bit per device. A device counts its HELLOs (`klais_dam::Attempt`).

/// Attempts more recent than these are newer (RFC 1982).
const HALF_TURN: u16 = 1 << 15;

/// See the module.
#[derive(Debug)]
pub struct Attempts {
    /// Epoch and session; 0 before the first.
    last: Box<[u32]>,
    /// Devices whose last attempt was less than one sweep old when it was looked at.
    recent: Box<[u64]>,
}

impl Attempts {
    /// Of nobody.
    pub fn new(devices: u32) -> Self {
        let words = devices.div_ceil(u64::BITS) as usize;
        Self { last: vec![0; devices as usize].into_boxed_slice(), recent: vec![0; words].into_boxed_slice() }
    }

    /// A HELLO was seen: whether it is newer than all before.
    pub fn seen(&mut self, device: u32, epoch: u16, session: u16) -> bool {
        let Some(last) = self.last.get_mut(device as usize) else { return false };
        let attempt = word(epoch, session);
        let is_newer = ahead(attempt, *last) > 0;
        if is_newer {
            *last = attempt;
        }
        is_newer
    }

    /// The last HELLO that the filter has answered, looked at once in a while: how many are new. More than one only where the
    /// last look found a new one too, since a device may have been elsewhere for long.
    pub fn swept(&mut self, device: u32, attempt: u32) -> u32 {
        let Some(last) = self.last.get_mut(device as usize) else { return 0 };
        if attempt == *last {
            self.set_recent(device, false);
            return 0;
        }
        let new = u32::from(ahead(attempt, *last));
        if new == 0 {
            return 0;
        }
        *last = attempt;
        if self.set_recent(device, true) { new } else { 1 }
    }

    /// Whether it was so before.
    fn set_recent(&mut self, device: u32, is_recent: bool) -> bool {
        let bit = 1 << (device % u64::BITS);
        let Some(word) = self.recent.get_mut((device / u64::BITS) as usize) else { return false };
        let was = *word & bit != 0;
        *word = if is_recent { *word | bit } else { *word & !bit };
        was
    }
}

const fn word(epoch: u16, session: u16) -> u32 {
    (epoch as u32) << 16 | session as u32
}

/// By how many HELLOs an attempt is ahead of another one: 0 for a copy or an older one, 1 where nobody can tell.
fn ahead(attempt: u32, last: u32) -> u16 {
    if last == 0 {
        return u16::from(attempt != 0);
    }
    let half = |word: u32, shift: u32| (word >> shift) as u16;
    let epochs = half(attempt, 16).wrapping_sub(half(last, 16));
    let sessions = half(attempt, 0).wrapping_sub(half(last, 0));
    match (epochs, sessions) {
        (0, sessions) if sessions < HALF_TURN => sessions,
        (epochs, _) if epochs != 0 && epochs < HALF_TURN => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ones_are_told_from_copies() {
        let mut attempts = Attempts::new(2);
        assert!(attempts.seen(1, 0, 40_000), "the first");
        assert!(!attempts.seen(1, 0, 40_000) && !attempts.seen(1, 0, 39_999));
        assert!(attempts.seen(1, 0, 3), "the numbers wrap");
        assert!(attempts.seen(1, 1, 1) && !attempts.seen(1, 0, 9));
        assert!(!attempts.seen(2, 0, 1), "there is no such device");
    }

    #[test]
    fn what_the_filter_answered_between_two_looks_is_counted() {
        let mut attempts = Attempts::new(1);
        assert_eq!(attempts.swept(0, 0), 0, "none yet");
        assert_eq!(attempts.swept(0, word(0, 500)), 1, "who knows since when");
        assert_eq!(attempts.swept(0, word(0, 540)), 40);
        assert_eq!(attempts.swept(0, word(0, 539)), 0, "older");
        assert_eq!(attempts.swept(0, word(0, 540)), 0);
        assert_eq!(attempts.swept(0, word(0, 600)), 1, "it was quiet");
        assert!(attempts.seen(0, 0, 610));
        assert_eq!(attempts.swept(0, word(0, 612)), 2);
        assert_eq!(attempts.swept(0, word(3, 2)), 1, "another epoch");
    }
}
