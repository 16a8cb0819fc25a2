//! The circuit breaker: after failures in a row the broker is left alone for a while, then asked by one at a time.

/// When it opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitConfig {
    /// Failures in a row that open it, at least 1.
    pub failures: u32,
    /// The first pause.
    pub pause_millis_min: u64,
    /// Each pause without success is twice the one before, up to this.
    pub pause_millis_max: u64,
}

/// Where the breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitState {
    /// All is well.
    Closed,
    /// Everything is refused.
    Open,
    /// One is let through, and decides.
    HalfOpen,
}

const NANOS_PER_MILLI: u64 = 1_000_000;

/// Times are passed in, monotonic nanoseconds.
#[derive(Debug)]
pub(crate) struct Circuit {
    config: CircuitConfig,
    failures: u32,
    state: State,
    opened: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    /// Until then, and the pause that ends there.
    Open {
        until_nanos: u64,
        pause_millis: u64,
    },
    /// One is on its way; were it never heard of again, another goes then.
    HalfOpen {
        until_nanos: u64,
        pause_millis: u64,
    },
}

impl Circuit {
    pub(crate) fn new(config: CircuitConfig) -> Self {
        Self { config, failures: 0, state: State::Closed, opened: 0 }
    }

    /// Whether something may be tried now; if not, for how many milliseconds not.
    pub(crate) fn admit(&mut self, now_nanos: u64) -> Result<(), u64> {
        match self.state {
            State::Closed => Ok(()),
            State::Open { until_nanos, .. } | State::HalfOpen { until_nanos, .. }
                if now_nanos < until_nanos =>
            {
                Err((until_nanos - now_nanos).div_ceil(NANOS_PER_MILLI))
            }
            State::Open { pause_millis, .. } | State::HalfOpen { pause_millis, .. } => {
                let until_nanos = after(now_nanos, pause_millis);
                self.state = State::HalfOpen { until_nanos, pause_millis };
                Ok(())
            }
        }
    }

    /// The broker has done what it was asked.
    pub(crate) fn success(&mut self) {
        self.failures = 0;
        self.state = State::Closed;
    }

    /// The broker has failed. Whether the circuit has opened.
    pub(crate) fn failure(&mut self, now_nanos: u64) -> bool {
        self.failures = self.failures.saturating_add(1);
        let pause_millis = match self.state {
            State::Closed if self.failures < self.config.failures => return false,
            State::Closed => self.config.pause_millis_min,
            // Of what was under way when it opened: no news.
            State::Open { .. } => return false,
            State::HalfOpen { pause_millis, .. } => {
                pause_millis.saturating_mul(2).min(self.config.pause_millis_max)
            }
        };
        self.state = State::Open { until_nanos: after(now_nanos, pause_millis), pause_millis };
        self.opened += 1;
        true
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> CircuitState {
        match self.state {
            State::Closed => CircuitState::Closed,
            State::Open { .. } => CircuitState::Open,
            State::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }

    /// How often it has opened.
    pub(crate) fn opened(&self) -> u64 {
        self.opened
    }
}

fn after(now_nanos: u64, millis: u64) -> u64 {
    now_nanos.saturating_add(millis.saturating_mul(NANOS_PER_MILLI))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: CircuitConfig = CircuitConfig { failures: 3, pause_millis_min: 100, pause_millis_max: 300 };

    fn at(millis: u64) -> u64 {
        millis * NANOS_PER_MILLI
    }

    fn opened_at_0() -> Circuit {
        let mut circuit = Circuit::new(CONFIG);
        assert_eq!([(); 3].map(|()| circuit.failure(0)), [false, false, true]);
        circuit
    }

    #[test]
    fn failures_in_a_row_open_it() {
        let mut circuit = opened_at_0();
        assert_eq!((circuit.state(), circuit.opened()), (CircuitState::Open, 1));
        assert_eq!(circuit.admit(at(0)), Err(100));
        assert_eq!(circuit.admit(at(100) - 1), Err(1));
    }

    #[test]
    fn a_success_between_failures_starts_the_count_again() {
        let mut circuit = Circuit::new(CONFIG);
        for _ in 0..10 {
            assert!(!circuit.failure(0) && !circuit.failure(0));
            circuit.success();
        }
        assert_eq!(circuit.state(), CircuitState::Closed);
    }

    #[test]
    fn one_at_a_time_probes_and_success_closes_it() {
        let mut circuit = opened_at_0();
        assert_eq!(circuit.admit(at(100)), Ok(()));
        assert_eq!(circuit.state(), CircuitState::HalfOpen);
        assert_eq!(circuit.admit(at(101)), Err(99));
        circuit.success();
        assert_eq!(circuit.admit(at(101)), Ok(()));
        assert_eq!(circuit.state(), CircuitState::Closed);
    }

    #[test]
    fn pauses_grow_to_their_limit_and_begin_again_after_a_success() {
        let mut circuit = opened_at_0();
        let mut now = 0;
        for pause in [100, 200, 300, 300] {
            assert_eq!(circuit.admit(at(now)), Err(pause));
            now += pause;
            assert_eq!(circuit.admit(at(now)), Ok(()));
            assert!(circuit.failure(at(now)));
        }
        now += 300;
        assert_eq!(circuit.admit(at(now)), Ok(()));
        circuit.success();
        assert_eq!([(); 3].map(|()| circuit.failure(at(now))), [false, false, true]);
        assert_eq!(circuit.admit(at(now)), Err(100));
    }

    #[test]
    fn what_fails_late_changes_nothing_and_a_lost_probe_is_replaced() {
        let mut circuit = opened_at_0();
        assert!(!circuit.failure(at(50)));
        assert_eq!(circuit.admit(at(99)), Err(1));
        assert_eq!(circuit.admit(at(100)), Ok(()));
        assert_eq!(circuit.admit(at(199)), Err(1));
        assert_eq!(circuit.admit(at(200)), Ok(()));
    }
}
