//! Units and counter-based randomness shared by every crate.
#![no_std]
#![forbid(unsafe_code)]

/// Identity of a device: its index in the fleet, 0 to 2^32 - 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub u32);

/// Microseconds per second.
pub const MICROS_PER_SECOND: u64 = 1_000_000;
/// Nanoseconds per second.
pub const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// Nanoseconds per microsecond.
pub const NANOS_PER_MICRO: u64 = 1_000;

/// A stateless random draw: 64 bits that depend on nothing but the key and the three counters.
///
/// The finaliser is SplitMix64's (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014), applied after each word is mixed in.
#[must_use]
pub const fn draw(key: u64, entity: u64, time: u64, purpose: u64) -> u64 {
    mix(mix(mix(key ^ purpose.wrapping_mul(0x9E37_79B9_7F4A_7C15)) ^ entity) ^ time)
}

/// `draw` scaled to `0..bound` without bias worth naming (Lemire's multiply-shift); 0 for a bound of 0.
#[must_use]
pub const fn scale(random: u64, bound: u64) -> u64 {
    ((random as u128 * bound as u128) >> 64) as u64
}

const fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_every_word() {
        let base = draw(1, 2, 3, 4);
        assert_ne!(base, draw(0, 2, 3, 4));
        assert_ne!(base, draw(1, 0, 3, 4));
        assert_ne!(base, draw(1, 2, 0, 4));
        assert_ne!(base, draw(1, 2, 3, 0));
        assert_eq!(base, draw(1, 2, 3, 4));
    }

    #[test]
    fn scaled_draws_stay_below_the_bound() {
        for i in 0..1_000 {
            assert!(scale(draw(7, i, 0, 0), 10) < 10);
        }
        assert_eq!(scale(u64::MAX, 0), 0);
    }
}
