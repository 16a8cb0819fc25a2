//! Small things as one number, for hashing: a state is hashed for every step.

/// Puts fields, given with their widths in bits, side by side. Different fields give different numbers as long as each fits.
pub(crate) fn code<const N: usize>(fields: [(u32, u8); N]) -> u64 {
    fields.iter().fold(0, |code, (bits, value)| {
        debug_assert!(u32::from(*value) < 1 << bits, "{value} in {bits} bits");
        code << bits | u64::from(*value)
    })
}
