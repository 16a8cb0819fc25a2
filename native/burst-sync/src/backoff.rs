//! Reconnect backoff, the six kinds that firmware in the field has.
//!
//! Formulas from the AWS backoff simulator ("Exponential Backoff And Jitter", 2015).

use klais_units::{draw, scale};

const PURPOSE_BACKOFF: u64 = 0x6261_636b;
/// Doubling stops here: 2^20 times any base is above every sensible cap.
const DOUBLINGS_MAX: u32 = 20;
/// A client that does not back off still needs its own time to notice and try again.
const TURNAROUND_MICROS: u64 = 1_000;

/// How waits grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackoffKind {
    /// At once.
    None,
    /// Always the base.
    Fixed,
    /// `min(cap, base * 2^n)`, the same for everybody.
    Exponential,
    /// Uniform from 0 to the exponential value.
    FullJitter,
    /// Half the exponential value, plus uniform up to the other half.
    EqualJitter,
    /// `min(cap, uniform(base, 3 * previous))`.
    Decorrelated,
}

impl BackoffKind {
    /// By its name in a scenario.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "fixed" => Self::Fixed,
            "exponential" => Self::Exponential,
            "full-jitter" => Self::FullJitter,
            "equal-jitter" => Self::EqualJitter,
            "decorrelated" => Self::Decorrelated,
            _ => return None,
        })
    }
}

/// A backoff rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// How waits grow.
    pub kind: BackoffKind,
    /// First wait.
    pub base_micros: u64,
    /// Longest wait.
    pub cap_micros: u64,
}

impl Backoff {
    /// Wait before try `attempt` + 1, where `attempt` failed ones came before; never 0. `key` and `entity` choose the
    /// draw, `time` tells one outage from the next.
    #[must_use]
    pub fn wait_micros(&self, key: u64, entity: u64, time: u64, attempt: u32) -> u64 {
        let full = self.exponential(attempt);
        let random = |n: u32| draw(key, entity, time ^ (u64::from(n) << 56), PURPOSE_BACKOFF);
        let wait = match self.kind {
            BackoffKind::None => 0,
            BackoffKind::Fixed => self.base_micros.min(self.cap_micros),
            BackoffKind::Exponential => full,
            BackoffKind::FullJitter => scale(random(attempt), full.saturating_add(1)),
            BackoffKind::EqualJitter => full / 2 + scale(random(attempt), full / 2 + 1),
            BackoffKind::Decorrelated => {
                let mut previous = self.base_micros;
                for n in 0..=attempt.min(DOUBLINGS_MAX) {
                    let span = previous.saturating_mul(3).saturating_sub(self.base_micros);
                    let drawn =
                        self.base_micros + scale(draw(key, entity, u64::from(n), PURPOSE_BACKOFF), span + 1);
                    previous = drawn.min(self.cap_micros);
                }
                previous
            }
        };
        wait.max(TURNAROUND_MICROS)
    }

    fn exponential(&self, attempt: u32) -> u64 {
        let factor = 1u64 << attempt.min(DOUBLINGS_MAX);
        self.base_micros.saturating_mul(factor).min(self.cap_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(kind: BackoffKind) -> [u64; 12] {
        let rule = Backoff { kind, base_micros: 1_000_000, cap_micros: 60_000_000 };
        core::array::from_fn(|n| rule.wait_micros(3, 5, 0, n as u32))
    }

    #[test]
    fn exponential_doubles_to_its_cap_and_is_the_same_for_all() {
        let w = waits(BackoffKind::Exponential);
        assert_eq!(&w[..4], &[1_000_000, 2_000_000, 4_000_000, 8_000_000]);
        assert_eq!(w[11], 60_000_000);
        let rule = Backoff { kind: BackoffKind::Exponential, base_micros: 1_000_000, cap_micros: 60_000_000 };
        assert_eq!(rule.wait_micros(3, 5, 0, 2), rule.wait_micros(4, 6, 7, 2));
    }

    #[test]
    fn jitter_stays_inside_its_bounds_and_differs_between_devices() {
        for kind in [BackoffKind::FullJitter, BackoffKind::EqualJitter, BackoffKind::Decorrelated] {
            let rule = Backoff { kind, base_micros: 1_000_000, cap_micros: 60_000_000 };
            let spread: [u64; 64] = core::array::from_fn(|d| rule.wait_micros(1, d as u64, 0, 5));
            assert!(spread.iter().all(|w| *w <= 60_000_000));
            assert!(spread.iter().any(|w| *w != spread[0]));
        }
        assert!(waits(BackoffKind::EqualJitter).iter().enumerate().all(|(n, w)| *w >= (500_000 << n.min(5))));
        assert!(waits(BackoffKind::Decorrelated).iter().all(|w| *w >= 1_000_000));
    }
}
