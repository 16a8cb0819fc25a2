//! What a gateway keeps per device beside the dam's buckets: 16 bytes.

use klais_burst_sync::{Lane, Mark};

/// One device's marks and session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    live_mark: Mark,
    backfill_mark: Mark,
    pub(crate) epoch: u16,
    pub(crate) session: u16,
    pub(crate) credit: u16,
    /// Frames accepted and not yet decided by the sink, both lanes.
    pub(crate) undecided: u8,
    flags: u8,
}

const ONLINE: u8 = 1;
const NACKED_LIVE: u8 = 2;
const NACKED_BACKFILL: u8 = 4;
const FLUSHING: u8 = 8;
const STANDBY: u8 = 16;
const ROUND_SHIFT: u8 = 5;
const ROUND: u8 = 3 << ROUND_SHIFT;
const REPEATED: u8 = 128;

impl Entry {
    /// Everything below is accepted.
    #[must_use]
    pub fn mark(&self, lane: Lane) -> Mark {
        match lane {
            Lane::Live => self.live_mark,
            Lane::Backfill => self.backfill_mark,
        }
    }

    pub(crate) fn set_mark(&mut self, lane: Lane, mark: Mark) {
        match lane {
            Lane::Live => self.live_mark = mark,
            Lane::Backfill => self.backfill_mark = mark,
        }
    }

    pub(crate) fn is_online(&self) -> bool {
        self.flags & ONLINE != 0
    }

    pub(crate) fn begin_session(&mut self, session: u16, epoch: u16) {
        self.session = session;
        self.epoch = epoch;
        self.flags = ONLINE;
    }

    /// Has had a session; before, no epoch or session number is old. (Sessions are numbered from 1.)
    pub(crate) fn is_known(&self) -> bool {
        self.session != 0
    }

    pub(crate) fn end_session(&mut self) {
        self.credit = 0;
        self.flags = 0;
    }

    /// What a restarted process no longer knows; marks, epoch and session number come back from the checkpoints.
    pub(crate) fn forget_session(&mut self) {
        *self = Self { credit: 0, undecided: 0, flags: 0, ..*self };
    }

    /// One NACK per gap: the frames behind a lost one must not each cause a retransmission.
    pub(crate) fn was_nacked(&self, lane: Lane) -> bool {
        self.flags & nacked(lane) != 0
    }

    pub(crate) fn set_nacked(&mut self, lane: Lane, value: bool) {
        self.flags = if value { self.flags | nacked(lane) } else { self.flags & !nacked(lane) };
    }

    /// Has sent something again while something else was undecided, so that no mark could be acknowledged.
    pub(crate) fn set_repeated(&mut self) {
        self.flags |= REPEATED;
    }

    /// Whether it had, once nothing is undecided any more.
    pub(crate) fn take_repeated(&mut self) -> bool {
        let repeated = self.undecided == 0 && self.flags & REPEATED != 0;
        if repeated {
            self.flags &= !REPEATED;
        }
        repeated
    }

    /// Has begun its backfill or was turned away once: goes ahead of newcomers.
    pub(crate) fn is_flushing(&self) -> bool {
        self.flags & FLUSHING != 0
    }

    /// Waits to be called.
    pub(crate) fn is_on_standby(&self) -> bool {
        self.flags & STANDBY != 0
    }

    pub(crate) fn set_on_standby(&mut self, value: bool) {
        self.flags = if value { self.flags | STANDBY } else { self.flags & !STANDBY };
    }

    /// Begins the next round of calls: its number.
    pub(crate) fn next_round(&mut self) -> u8 {
        let round = ((self.flags & ROUND) >> ROUND_SHIFT).wrapping_add(1) & 3;
        self.flags = (self.flags & !ROUND) | round << ROUND_SHIFT;
        round
    }

    /// Readings that it still owes, of its credit.
    pub(crate) fn owed(&self, slack: u16) -> u16 {
        self.credit.saturating_sub(slack).max(1)
    }

    /// Takes `count` readings off the credit; a device that has begun goes on ahead of newcomers until it is through.
    pub(crate) fn spend(&mut self, count: u16, slack: u16) {
        self.credit = self.credit.saturating_sub(count);
        self.set_flushing(self.credit > slack);
        self.set_on_standby(false);
    }

    pub(crate) fn set_flushing(&mut self, value: bool) {
        self.flags = if value { self.flags | FLUSHING } else { self.flags & !FLUSHING };
    }
}

const fn nacked(lane: Lane) -> u8 {
    match lane {
        Lane::Live => NACKED_LIVE,
        Lane::Backfill => NACKED_BACKFILL,
    }
}
