//! Kafka's client quotas: KIP-13, KIP-219, and `Rate` and `ClientQuotaManager` of Apache Kafka.

use super::super::{Decision, Observation, Reason};
use super::{Law, open};

/// `quota.window.num` and `quota.window.size.seconds`.
const WINDOWS: usize = 11;
const WINDOW_MICROS: u64 = 1_000_000;

/// The broker's throttle as a gateway meets it: the rate over the last windows, ten seconds at least; whoever is over the quota is not read
/// from for `(rate - quota) / quota * windows`. The quota is the gateway's configured share, in readings where Kafka counts bytes.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    per_second: u64,
    windows: [u64; WINDOWS],
    /// Number of the present window.
    window: u64,
    muted_until: u64,
    now: u64,
}

impl Quota {
    pub(super) fn new(per_second: u64) -> Self {
        Self { per_second, windows: [0; WINDOWS], window: 0, muted_until: 0, now: 0 }
    }

    /// Windows that lie behind are emptied.
    fn advance(&mut self, now: u64) {
        let window = now / WINDOW_MICROS;
        let passed = window.saturating_sub(self.window).min(WINDOWS as u64);
        for n in 0..passed {
            self.windows[((window - n) % WINDOWS as u64) as usize] = 0;
        }
        self.window = window;
        self.now = now;
    }

    /// How long the windows are together: the full ones, and what has passed of the present one.
    fn span_micros(&self) -> u64 {
        (WINDOWS as u64 - 1) * WINDOW_MICROS + self.now % WINDOW_MICROS
    }

    /// By how much too much came, as time.
    fn throttle_micros(&self) -> u64 {
        let sent = u128::from(self.windows.iter().sum::<u64>()) * u128::from(WINDOW_MICROS);
        let allowed = u128::from(self.per_second) * u128::from(self.span_micros());
        let over = sent.saturating_sub(allowed) / u128::from(self.per_second);
        u64::try_from(over).unwrap_or(u64::MAX)
    }
}

impl Law for Quota {
    fn is_at_rest(&self) -> bool {
        self.muted_until <= self.now && self.windows.iter().all(|readings| *readings == 0)
    }

    fn tick(&mut self, seen: &Observation) -> Decision {
        self.advance(seen.now);
        if seen.submitted_readings > 0 {
            let present = &mut self.windows[(self.window % WINDOWS as u64) as usize];
            *present = present.saturating_add(seen.submitted_readings);
            self.muted_until = self.muted_until.max(seen.now.saturating_add(self.throttle_micros()));
        }
        Decision { is_history_open: self.muted_until <= seen.now, ..open(Reason::Quota) }
    }
}
