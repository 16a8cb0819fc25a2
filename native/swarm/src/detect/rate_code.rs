//! Rates in one byte: eight steps per doubling.

/// Units per event.
pub(super) const UNITS: u64 = 64;
/// The highest code.
pub(super) const CODE_MAX: u8 = u8::MAX;

/// What a code stands for, in units. 0 for 0, then from an eighth of an event up.
pub(super) const fn value(code: u8) -> u64 {
    match code.checked_sub(1) {
        None => 0,
        Some(step) => (8 + (step % 8) as u64) << (step / 8),
    }
}

/// The highest code that stands for no more than so many units.
pub(super) const fn code(units: u64) -> u8 {
    if units < 8 {
        return 0;
    }
    let shift = units.ilog2() - 3;
    let step = (units >> shift) - 8 + shift as u64 * 8;
    if step >= CODE_MAX as u64 { CODE_MAX } else { step as u8 + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_come_back() {
        for each in 0..=CODE_MAX {
            assert_eq!(code(value(each)), each);
            if let Some(next) = each.checked_add(1) {
                assert!(value(each) < value(next));
                assert_eq!(code(value(next) - 1), each);
            }
        }
        assert_eq!(code(u64::MAX), CODE_MAX);
    }
}
