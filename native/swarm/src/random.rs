//! Chance for foca: counter-based draws.

use core::convert::Infallible;

use klais_units::draw;
use rand_core::TryRng;

const PURPOSE: u64 = 0x7377_6172_6d00_0001;

/// A stream of draws that depends on its key alone.
pub(crate) struct Draws {
    key: u64,
    entity: u64,
    drawn: u64,
}

impl Draws {
    pub(crate) const fn new(key: u64, entity: u64) -> Self {
        Self { key, entity, drawn: 0 }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        draw(self.key, self.entity, self.drawn, PURPOSE)
    }
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}
