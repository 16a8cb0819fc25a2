//! When a device sends again: one timer for both lanes, and per lane whether it was heard of since the timer was set.
//!
//! An answer on one lane must not put off what is lost on the other, and a lane that moves must not be sent again.
//! Packed in `Device::half`: 30 bits of milliseconds that wrap after 12 days, 2 bits for the lanes; 0 for no timer.

use crate::device::Flags;
use crate::{Device, DeviceConfig, Lane};

const LANES_MASK: u32 = 3;
/// A wait is told from the past by its sign in 30 bits.
const WAIT_MICROS_MAX: u64 = 1_000 << 28;

/// What a timer that has run out asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resend {
    /// Nothing: it has not run out, or what was sent moves.
    No,
    /// What is not acknowledged; with nothing on its way, the keep-alive.
    Yes {
        /// Nothing is on its way.
        probe: bool,
    },
    /// It was sent again often enough.
    GiveUp,
}

impl Device {
    /// Sets the timer anew.
    pub(crate) fn expect_answer(&mut self, config: &DeviceConfig, now: u64) {
        let wait = config.request_timeout_micros.saturating_mul(1 << self.flags.retransmissions());
        let due = now.saturating_add(wait.min(WAIT_MICROS_MAX)).div_ceil(1_000);
        self.half = ((due as u32) << 2).max(LANES_MASK + 1);
    }

    pub(crate) fn expects_answer(&self) -> bool {
        self.half != 0
    }

    pub(crate) fn resend_at(&self, now: u64) -> Option<u64> {
        let millis = now / 1_000;
        let ahead = (self.half & !LANES_MASK).wrapping_sub((millis as u32) << 2).cast_signed() >> 2;
        self.expects_answer().then(|| millis.saturating_add_signed(i64::from(ahead)).saturating_mul(1_000))
    }

    /// An answer came; `moved` if it freed something on its lane.
    pub(crate) fn heard(&mut self, config: &DeviceConfig, now: u64, lane: Lane, moved: bool) {
        if !self.anything_in_flight() {
            self.half = 0;
        } else if moved && !self.in_flight(other(lane)) {
            self.expect_answer(config, now);
        } else if moved && self.expects_answer() {
            self.half |= bit(lane);
        }
    }

    /// Handles the timer: lanes that stand still begin again at what is acknowledged.
    pub(crate) fn resend(&mut self, config: &DeviceConfig, now: u64) -> Resend {
        if self.resend_at(now).is_none_or(|at| now < at) {
            return Resend::No;
        }
        let stands = |lane| self.in_flight(lane) && self.half & bit(lane) == 0;
        let (live, backfill) = (stands(Lane::Live), stands(Lane::Backfill));
        let probe = !self.anything_in_flight();
        if !live && !backfill && !probe {
            self.expect_answer(config, now);
            return Resend::No;
        }
        let sent_again = self.flags.retransmissions();
        if sent_again >= config.retransmissions_max.min(Flags::RETRANSMISSIONS_MAX) {
            return Resend::GiveUp;
        }
        self.flags.set_retransmissions(sent_again + 1);
        if live {
            self.live_sent = self.live_acked;
        }
        if backfill {
            self.backfill_sent = self.backfill_acked;
        }
        self.half = 0;
        Resend::Yes { probe }
    }

    pub(crate) fn anything_in_flight(&self) -> bool {
        self.in_flight(Lane::Live) || self.in_flight(Lane::Backfill)
    }

    pub(crate) fn in_flight(&self, lane: Lane) -> bool {
        match lane {
            Lane::Live => self.live_sent > self.live_from.max(self.live_acked),
            Lane::Backfill => self.backfill_sent > self.backfill_acked,
        }
    }
}

const fn other(lane: Lane) -> Lane {
    match lane {
        Lane::Live => Lane::Backfill,
        Lane::Backfill => Lane::Live,
    }
}

const fn bit(lane: Lane) -> u32 {
    1 << lane as u32
}
