//! The packed limit: never faster than asked for, and within 0.01 %.

mod common;

use common::{SECOND, limits};
use klais_dam::{DamError, Emission, Limit, Shift};
use proptest::prelude::*;

proptest! {
    #[test]
    fn an_interval_is_rounded_up_and_by_little(limit in limits()) {
        let Ok(shift) = Shift::fitting(limit) else { return Ok(()) };
        let pace = Emission::new(limit, shift).unwrap().pace();
        let exact = u128::from(limit.period_nanos) << shift.bits();
        let packed = u128::from(pace.interval) * u128::from(limit.events);
        prop_assert!(packed >= exact && packed - exact <= exact / 10_000, "{} {}", packed, exact);
        prop_assert_eq!(u64::from(pace.burst), limit.burst);
        prop_assert_eq!(pace.span, pace.interval * limit.burst);
    }

    #[test]
    fn any_word_at_all_gives_some_limit(word in any::<u64>(), cost in any::<u32>()) {
        let pace = Emission::from_word(word).pace();
        prop_assert_eq!(pace.ask(cost).is_ok(), (1..=pace.burst).contains(&cost));
    }
}

#[test]
fn rounding_may_carry_into_the_next_bit() {
    let at = |period| {
        Emission::new(Limit::per_period(1, period, 1), Shift::fitting(Limit::per_second(1, 1)).unwrap())
    };
    for bits in 1..62 {
        let power = 1 << bits;
        for period in [power - 1, power, power + 1] {
            let interval = at(period).unwrap().pace().interval;
            assert!(interval >= period && interval - period <= period >> 24, "{period}: {interval}");
        }
    }
}

#[test]
fn the_word_is_laid_out_as_documented() {
    // A second is 512e9 units of 2^-9 ns: 39 bits, of which the first 26 are the mantissa.
    let word = Emission::new(Limit::per_second(1, 7), Shift::DAM).unwrap().word();
    assert_eq!(word, 7 << 32 | 13 << 26 | 512_000_000_000 >> 13);
    assert_eq!(Emission::from_word(word).pace().interval, SECOND << 9);
    assert!(Emission::OFF.pace().is_off());
    assert!(matches!(
        Emission::new(Limit::per_second(1_500_000_000, 1), Shift::DAM),
        Err(DamError::RateTooFast { .. })
    ));
}
