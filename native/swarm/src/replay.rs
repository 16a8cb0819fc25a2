//! Copies of datagrams.

/// What was heard last of a sender: the sliding window of IPsec (RFC 4303, section 3.4.3), which takes what is late
/// but not what it had already.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heard {
    incarnation: u64,
    highest: u64,
    /// Bit `n`: number `highest - n` has come.
    seen: u64,
}

impl Heard {
    /// Whether this datagram is new; if so it is noted.
    pub(crate) fn is_new(&mut self, incarnation: u64, sequence: u64) -> bool {
        if incarnation < self.incarnation || sequence == 0 {
            return false;
        }
        if incarnation > self.incarnation {
            *self = Self { incarnation, highest: sequence, seen: 1 };
            return true;
        }
        if let Some(ahead) = sequence.checked_sub(self.highest).filter(|ahead| *ahead > 0) {
            let shifted = u32::try_from(ahead).ok().and_then(|ahead| self.seen.checked_shl(ahead));
            self.seen = shifted.unwrap_or(0) | 1;
            self.highest = sequence;
            return true;
        }
        let behind = self.highest - sequence;
        let bit = u32::try_from(behind).ok().and_then(|behind| 1_u64.checked_shl(behind)).unwrap_or(0);
        let new = bit != 0 && self.seen & bit == 0;
        self.seen |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_counts_once() {
        let mut heard = Heard::default();
        assert!(heard.is_new(5, 10) && heard.is_new(5, 12) && heard.is_new(5, 11));
        assert!(!heard.is_new(5, 10) && !heard.is_new(5, 11) && !heard.is_new(5, 12));
        assert!(heard.is_new(5, 100));
        assert!(heard.is_new(5, 37) && !heard.is_new(5, 37), "64 numbers back");
        assert!(!heard.is_new(5, 36), "too old to tell");
        assert!(!heard.is_new(4, 1_000), "a process that is gone");
        assert!(heard.is_new(6, 1), "a process that started again");
        assert!(!heard.is_new(6, 0), "no datagram has this number");
    }
}
