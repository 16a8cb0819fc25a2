//! The control loop of the pull request that first described KLAIS (`control/mod.rs`, `control/pid.rs`).

use super::super::{Decision, Observation, Reason};
use super::Law;

const PROPORTIONAL: f64 = 0.5;
const INTEGRAL: f64 = 0.1;
const DERIVATIVE: f64 = 0.05;
const INTEGRAL_LIMIT: f64 = 10.0;
const OUTPUT_LIMIT: f64 = 1.0;
const LAG_SHARE: f64 = 0.7;
const CPU_SHARE: f64 = 0.3;
const TARGET_LAG_READINGS: f64 = 1_000.0;
const TARGET_CPU: f64 = 0.7;
/// Published as 100/s, where the rate begins at 500/s.
const RATE_MIN_DIVISOR: u64 = 5;

/// `rate = base * (1 + output)`, every 100 ms; `error = 0.7 * (1,000 - lag) / 1,000 + 0.3 * (0.7 - cpu)`, output and integral
/// limited to 1 and 10.
///
/// Lag is what the gateway has taken in and the sink has not stored. The published base came from a predictor that was fed
/// constants, and so did lag and CPU; here the base is the gateway's configured share. Where nobody tells the CPU, it is on target.
#[derive(Clone, Debug)]
pub(super) struct Pid {
    base: u64,
    integral: f64,
    last_error: f64,
    is_settled: bool,
}

impl Pid {
    pub(super) fn new(base: u64) -> Self {
        Self { base, integral: 0.0, last_error: 0.0, is_settled: false }
    }

    fn output(&mut self, error: f64) -> f64 {
        let before = (self.integral, self.last_error);
        self.integral = (self.integral + error).clamp(-INTEGRAL_LIMIT, INTEGRAL_LIMIT);
        let change = error - self.last_error;
        self.last_error = error;
        self.is_settled = before == (self.integral, self.last_error);
        let output = PROPORTIONAL * error + INTEGRAL * self.integral + DERIVATIVE * change;
        output.clamp(-OUTPUT_LIMIT, OUTPUT_LIMIT)
    }
}

impl Law for Pid {
    fn is_at_rest(&self) -> bool {
        self.is_settled
    }

    fn tick(&mut self, seen: &Observation) -> Decision {
        let lag = seen.live.queued + seen.backfill.queued + seen.in_flight_readings;
        let lag_error = (TARGET_LAG_READINGS - lag as f64) / TARGET_LAG_READINGS;
        let cpu_error = seen.cpu_permille.map_or(0.0, |permille| TARGET_CPU - f64::from(permille) / 1_000.0);
        let output = self.output(LAG_SHARE * lag_error + CPU_SHARE * cpu_error);
        let rate = (self.base as f64 * (1.0 + output)) as u64;
        let rate = rate.max(self.base / RATE_MIN_DIVISOR).max(1);
        Decision { admit_per_second: Some(rate), reason: Reason::Delivery, ..Decision::default() }
    }
}
