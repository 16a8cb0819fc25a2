//! A herd through the session queue: it drains at exactly the session rate, with two HELLOs per device at most.

mod common;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use common::{Knock, SECOND, small_dam, within_bound};
use klais_dam::{Cookie, Dam, DamConfig, HelloVerdict, Limit};
use proptest::prelude::*;

/// Lets every device say HELLO at its time, and again whenever it is told to. Times of the passes in order, and HELLOs per device.
fn drain(dam: &Dam, arrivals: &[u64]) -> (Vec<u64>, Vec<u32>) {
    let mut events: BinaryHeap<_> = arrivals.iter().enumerate().map(|(n, at)| Reverse((*at, n))).collect();
    let mut cookies: Vec<Option<Cookie>> = vec![None; arrivals.len()];
    let mut hellos = vec![0; arrivals.len()];
    let mut passes = Vec::new();
    while let Some(Reverse((now, device))) = events.pop() {
        hellos[device] += 1;
        match dam.knock(now, device as u32, cookies[device], false) {
            HelloVerdict::Pass => passes.push(now),
            HelloVerdict::Defer { delay_nanos, cookie } => {
                cookies[device] = Some(cookie);
                events.push(Reverse((now + delay_nanos, device)));
            }
            HelloVerdict::Drop(reason) => panic!("{reason:?}"),
        }
    }
    (passes, hellos)
}

fn check(limit: Limit, arrivals: &[u64]) -> Result<(), TestCaseError> {
    let devices = arrivals.len() as u32;
    let dam = Dam::new(DamConfig { sessions: Some(limit), ..small_dam(devices) }).unwrap();
    let (passes, hellos) = drain(&dam, arrivals);
    prop_assert_eq!(passes.len(), arrivals.len());
    prop_assert!(hellos.iter().all(|count| *count <= 2), "{:?}", hellos);
    for (first, start) in passes.iter().enumerate() {
        for (last, end) in passes.iter().enumerate().skip(first) {
            // A delay is whole nanoseconds, rounded up: a window may be cut short by one.
            prop_assert!(within_bound(limit, (last - first + 1) as u64, end - start + 1));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn all_at_once_drain_at_the_rate(devices in 1..400_u64, rate in 1..200_000_u64, burst in 1..20_u64) {
        let limit = Limit::per_second(rate, burst);
        let arrivals = vec![0; devices as usize];
        check(limit, &arrivals)?;
        let dam = Dam::new(DamConfig { sessions: Some(limit), ..small_dam(devices as u32) }).unwrap();
        let (passes, hellos) = drain(&dam, &arrivals);
        let at_once = hellos.iter().filter(|count| **count == 1).count() as u64;
        prop_assert_eq!(at_once, burst.min(devices));
        // The last of the queue passes when the rate has earned it: not later by 0.01 %, and not earlier.
        let queued = devices.saturating_sub(burst);
        let exact = u128::from(queued) * u128::from(SECOND);
        let took = u128::from(*passes.last().unwrap()) * u128::from(rate);
        prop_assert!(took >= exact && took <= exact + exact / 10_000 + u128::from(rate), "{} {}", took, exact);
    }

    #[test]
    fn arrivals_at_any_time_hold_the_bound(
        arrivals in prop::collection::vec(0..2 * SECOND, 1..300), rate in 1..2_000_u64, burst in 1..20_u64
    ) {
        check(Limit::per_second(rate, burst), &arrivals)?;
    }
}
