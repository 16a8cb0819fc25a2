//! How much backfill may be promised: what the sink takes, less what live traffic will need by then.
//!
//! Promises are made at the tail of the queue of slots, so the rate that counts is the one expected at that time. The
//! controller that learns the sink's capacity comes with the brain; until then it is configured.

const SECOND: u64 = 1_000_000;
/// Time constant of the live-rate estimate, in ticks of one second.
const LIVE_TICKS: u64 = 30;
/// Time constant of the learnt rate per session.
const SESSION_TICKS: u64 = 600;
/// Rates are kept in millionths, so that a meter's four readings an hour do not round to nothing.
const MILLIONTHS: u64 = 1_000_000;
/// At least this share of the capacity (in thousandths) is promised to backfill, or a full house would stop it.
const BACKFILL_SHARE_MIN_PERMILLE: u64 = 20;

/// Estimates for one gateway. Everything a restart loses is learnt again, except the rate per session, which is stored
/// with the checkpoints.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    next_tick: u64,
    live_readings: u64,
    live_rate: u64,
    per_session: u64,
}

/// What the estimate needs to know of the gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) online: u64,
    pub(crate) sessions_per_second: u64,
    pub(crate) session_queue_micros: u64,
    pub(crate) backfill_queue_micros: u64,
}

impl Pace {
    pub(crate) fn on_live(&mut self, readings: u64) {
        self.live_readings += readings;
    }

    pub(crate) fn next_tick(&self) -> u64 {
        self.next_tick
    }

    pub(crate) fn on_restart(&mut self) {
        self.live_rate = 0;
        self.live_readings = 0;
    }

    /// One tick of one second: folds in what came.
    pub(crate) fn tick(&mut self, now: u64, online: u64) {
        self.next_tick = now - now % SECOND + SECOND;
        let rate = self.live_readings * MILLIONTHS;
        self.live_readings = 0;
        self.live_rate = follow(self.live_rate, rate, LIVE_TICKS);
        if let Some(per_session) = self.live_rate.checked_div(online) {
            let ticks = if self.per_session == 0 { 1 } else { SESSION_TICKS };
            self.per_session = follow(self.per_session, per_session, ticks);
        }
    }

    /// Readings per second to promise to backfill whose slot lies at the tail of the queue.
    pub(crate) fn backfill_rate(&self, capacity: u64, overbook_permille: u64, load: Load) -> u64 {
        let newcomers_micros = load.session_queue_micros.min(load.backfill_queue_micros);
        let newcomers =
            u128::from(load.sessions_per_second) * u128::from(newcomers_micros) / u128::from(SECOND);
        let sessions = u128::from(load.online) + newcomers;
        let expected = (sessions * u128::from(self.per_session)).max(u128::from(self.live_rate));
        let live = u64::try_from(expected / u128::from(MILLIONTHS)).unwrap_or(u64::MAX);
        let least = (capacity * BACKFILL_SHARE_MIN_PERMILLE / 1_000).max(1);
        (capacity.saturating_sub(live) * overbook_permille / 1_000).max(least)
    }
}

/// Moves `value` a `ticks`-th of the way to `target`.
fn follow(value: u64, target: u64, ticks: u64) -> u64 {
    if target >= value { value + (target - value) / ticks } else { value - (value - target).div_ceil(ticks) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_leave_room_for_the_sessions_to_come() {
        let mut pace = Pace::default();
        for second in 0..6_000 {
            pace.on_live(100);
            pace.tick(second * SECOND, 1_000);
        }
        let idle = Load {
            online: 1_000,
            sessions_per_second: 10,
            session_queue_micros: 0,
            backfill_queue_micros: 0,
        };
        let rate = pace.backfill_rate(500, 1_000, idle);
        assert!((395..=405).contains(&rate), "{rate}");
        let waiting =
            Load { session_queue_micros: 100 * SECOND, backfill_queue_micros: 200 * SECOND, ..idle };
        let later = pace.backfill_rate(500, 1_000, waiting);
        assert!((295..=305).contains(&later), "{later}");
    }

    #[test]
    fn backfill_is_never_starved_for_good() {
        let mut pace = Pace::default();
        for second in 0..500 {
            pace.on_live(900);
            pace.tick(second * SECOND, 10);
        }
        let load =
            Load { online: 10, sessions_per_second: 1, session_queue_micros: 0, backfill_queue_micros: 0 };
        assert_eq!(pace.backfill_rate(500, 1_000, load), 10);
    }
}
