//! How much may be under way to the broker: workers wait for room, the caller never does.

use crate::clock::Deadline;
use std::sync::{Condvar, Mutex, PoisonError};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) readings: u64,
    pub(crate) bytes: u64,
}

/// Shared by all workers.
#[derive(Debug)]
pub(crate) struct Budget {
    most: Amount,
    taken: Mutex<Amount>,
    given_back: Condvar,
}

/// Room that was given, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    budget: &'a Budget,
    amount: Amount,
}

impl Budget {
    pub(crate) fn new(most: Amount) -> Self {
        Self { most, taken: Mutex::default(), given_back: Condvar::new() }
    }

    /// Waits for room. What is larger than all there is takes all of it. `None` if there was none by the deadline.
    pub(crate) fn take(&self, amount: Amount, deadline: Deadline) -> Option<Permit<'_>> {
        let amount = Amount {
            readings: amount.readings.min(self.most.readings),
            bytes: amount.bytes.min(self.most.bytes),
        };
        let is_full = |taken: &mut Amount| {
            taken.readings + amount.readings > self.most.readings
                || taken.bytes + amount.bytes > self.most.bytes
        };
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.given_back.wait_timeout_while(taken, deadline.remaining(), is_full);
        let (mut taken, result) = waited.unwrap_or_else(PoisonError::into_inner);
        if result.timed_out() && is_full(&mut taken) {
            return None;
        }
        taken.readings += amount.readings;
        taken.bytes += amount.bytes;
        Some(Permit { budget: self, amount })
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut taken = self.budget.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.readings -= self.amount.readings;
        taken.bytes -= self.amount.bytes;
        drop(taken);
        self.budget.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MOST: Amount = Amount { readings: 10, bytes: 100 };

    fn at_once() -> Deadline {
        Deadline::after(Duration::ZERO)
    }

    #[test]
    fn both_limits_hold_and_what_is_given_back_is_there_again() {
        let budget = Budget::new(MOST);
        let first = budget.take(Amount { readings: 6, bytes: 10 }, at_once());
        assert!(first.is_some());
        assert!(budget.take(Amount { readings: 5, bytes: 1 }, at_once()).is_none());
        assert!(budget.take(Amount { readings: 1, bytes: 91 }, at_once()).is_none());
        drop(first);
        assert!(budget.take(Amount { readings: 5, bytes: 91 }, at_once()).is_some());
    }

    #[test]
    fn what_is_too_large_goes_alone() {
        let budget = Budget::new(MOST);
        let small = budget.take(Amount { readings: 1, bytes: 1 }, at_once());
        let large = Amount { readings: 1_000, bytes: 1_000 };
        assert!(budget.take(large, at_once()).is_none());
        drop(small);
        let alone = budget.take(large, at_once());
        assert!(alone.is_some() && budget.take(Amount { readings: 1, bytes: 0 }, at_once()).is_none());
    }

    #[test]
    fn a_waiter_is_woken() {
        let budget = Budget::new(MOST);
        let all = budget.take(MOST, at_once());
        std::thread::scope(|scope| {
            let waiter =
                scope.spawn(|| budget.take(MOST, Deadline::after(Duration::from_secs(60))).is_some());
            drop(all);
            assert!(waiter.join().expect("no panic"));
        });
    }
}
