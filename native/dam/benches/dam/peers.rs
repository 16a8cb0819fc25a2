//! Peers, doing the same.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::{Quota, RateLimiter};

use crate::contenders::{Keys, both_threads, count, sample};
use crate::{Contender, Sample, Unit};

/// A clock that stands still: governor's decision without its clock.
#[derive(Clone, Debug)]
struct Still;

impl Clock for Still {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(Duration::from_secs(1))
    }
}

/// One per nanosecond and the largest burst: everything passes, as in the dam's contenders.
fn quota() -> Quota {
    Quota::with_period(Duration::from_nanos(1)).unwrap().allow_burst(NonZeroU32::MAX)
}

pub(crate) fn all(operations: u64, devices: u32) -> Vec<Contender> {
    vec![
        direct("governor direct, clock standing still: pass", "none: a constant", Still, operations),
        direct("governor direct: pass", "its own clock (quanta, TSC)", DefaultClock::default(), operations),
        direct_two_threads(operations),
        keyed(operations / 4, devices),
    ]
}

fn direct<C>(name: &'static str, time_source: &'static str, clock: C, operations: u64) -> Contender
where
    C: Clock + Clone + 'static,
{
    Contender {
        name: name.to_owned(),
        time_source,
        pass_share: 1.0,
        unit: Unit::NanosPerOperation,
        run: Box::new(move || {
            // New each time, as a clock that stands still refills nothing.
            let limiter = RateLimiter::direct_with_clock(quota(), clock.clone());
            sample(operations, true, || black_box(&limiter).check().is_ok())
        }),
    }
}

fn direct_two_threads(operations: u64) -> Contender {
    Contender {
        name: "governor direct, 2 threads, clock standing still: pass".to_owned(),
        time_source: "none: a constant",
        pass_share: 1.0,
        unit: Unit::NanosPerOperation,
        run: Box::new(move || {
            let limiter = Arc::new(RateLimiter::direct_with_clock(quota(), Still));
            let nanos = both_threads(|| {
                let limiter = Arc::clone(&limiter);
                move || {
                    sample(operations, true, || black_box(&*limiter).check().is_ok());
                }
            });
            Sample { operations: 2 * operations, nanos }
        }),
    }
}

fn keyed(operations: u64, devices: u32) -> Contender {
    let limiter = RateLimiter::<_, _, _, NoOpMiddleware<Nanos>>::dashmap_with_clock(quota(), Still);
    for device in 0..devices {
        limiter.check_key(&device).unwrap();
    }
    let mut keys = Keys::new(devices);
    Contender {
        name: format!("governor keyed, {} random keys, clock standing still: pass", count(devices)),
        time_source: "none: a constant",
        pass_share: 1.0,
        unit: Unit::NanosPerOperation,
        run: Box::new(move || {
            sample(operations, true, || black_box(&limiter).check_key(&keys.next()).is_ok())
        }),
    }
}
