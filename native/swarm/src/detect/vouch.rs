//! Addresses that behaved well.

use alloc::vec::Vec;

use klais_units::{draw, scale};

use crate::SwarmError;

const PURPOSE: u64 = 0x7377_6172_6d00_0003;

/// Two Bloom filters (Bloom 1970, two hashes), the older one given up in turn. A full filter vouches for everybody: then
/// no address is blocked. The hash is keyed, so that nobody can choose addresses that share bits.
pub(super) struct Vouched {
    present: Vec<u64>,
    previous: Vec<u64>,
    key: u64,
}

impl Vouched {
    pub(super) fn new(bits_log2: u32, key: u64) -> Result<Self, SwarmError> {
        let words = 1_usize << bits_log2.saturating_sub(6).min(28);
        let zeros = || {
            let mut filter = Vec::new();
            let bytes = words as u64 * 16;
            filter.try_reserve_exact(words).map_err(|_| SwarmError::OutOfMemory { bytes })?;
            filter.resize(words, 0);
            Ok(filter)
        };
        Ok(Self { present: zeros()?, previous: zeros()?, key })
    }

    pub(super) fn add(&mut self, address: u128, bits: u8) {
        for (word, bit) in self.places(address, bits) {
            self.present[word] |= bit;
        }
    }

    pub(super) fn contains(&self, address: u128, bits: u8) -> bool {
        let places = self.places(address, bits);
        [&self.present, &self.previous]
            .into_iter()
            .any(|filter| places.iter().all(|(word, bit)| filter[*word] & bit != 0))
    }

    /// Forgets what was added before the last turn.
    pub(super) fn turn(&mut self) {
        core::mem::swap(&mut self.present, &mut self.previous);
        self.present.fill(0);
    }

    fn places(&self, address: u128, bits: u8) -> [(usize, u64); 2] {
        let hash = draw(self.key, address as u64, (address >> 64) as u64, PURPOSE ^ u64::from(bits));
        let words = self.present.len() as u64;
        let place = |hash: u64| (scale(hash, words) as usize, 1 << (hash % 64));
        [place(hash), place(draw(self.key, hash, 0, PURPOSE))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_behaved_is_remembered_for_a_while() {
        let mut vouched = Vouched::new(16, 3).expect("room");
        vouched.add(10, 128);
        assert!(vouched.contains(10, 128) && !vouched.contains(10, 64) && !vouched.contains(11, 128));
        vouched.turn();
        assert!(vouched.contains(10, 128));
        vouched.turn();
        assert!(!vouched.contains(10, 128));
    }
}
