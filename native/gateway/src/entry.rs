//! What a gateway keeps per device beside the dam's buckets: 16 bytes.

use crate::Checkpoint;
use klais_burst_sync::{Lane, Mark, READING_INDEX_MAX};

/// One device's marks and session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    /// The live lane's mark (27 bits), and its frames that are accepted and not yet decided by the sink (5 bits).
    live: u32,
    backfill_mark: Mark,
    pub(crate) epoch: u16,
    pub(crate) session: u16,
    pub(crate) credit: u16,
    /// Frames accepted and not yet decided by the sink, both lanes.
    undecided: u8,
    flags: u8,
}

const ONLINE: u8 = 1;
const NACKED_LIVE: u8 = 2;
const NACKED_BACKFILL: u8 = 4;
const FLUSHING: u8 = 8;
const STANDBY: u8 = 16;
const PROMISED: u8 = 128;
const ROUND_SHIFT: u8 = 5;
const ROUND: u8 = 3 << ROUND_SHIFT;

/// The largest mark: one past the last reading that a device can take.
pub(crate) const MARK_MAX: Mark = READING_INDEX_MAX + 1;
const LIVE_SHIFT: u32 = 27;
const LIVE_MARK: u32 = (1 << LIVE_SHIFT) - 1;
const LIVE_UNDECIDED_MAX: u32 = u32::MAX >> LIVE_SHIFT;
const _: () = assert!(MARK_MAX <= LIVE_MARK);

impl Entry {
    /// Everything below is accepted.
    #[must_use]
    pub fn mark(&self, lane: Lane) -> Mark {
        match lane {
            Lane::Live => self.live & LIVE_MARK,
            Lane::Backfill => self.backfill_mark,
        }
    }

    pub(crate) fn set_mark(&mut self, lane: Lane, mark: Mark) {
        let mark = mark.min(MARK_MAX);
        match lane {
            Lane::Live => self.live = self.live & !LIVE_MARK | mark,
            Lane::Backfill => self.backfill_mark = mark,
        }
    }

    /// Frames of a lane that the sink has not decided.
    pub(crate) fn undecided_on(&self, lane: Lane) -> u32 {
        let live = self.live >> LIVE_SHIFT;
        match lane {
            Lane::Live => live,
            Lane::Backfill => u32::from(self.undecided).saturating_sub(live),
        }
    }

    /// Frames that the sink has not decided.
    pub(crate) fn undecided(&self) -> u8 {
        self.undecided
    }

    /// Whether another frame of the lane may be undecided: 31 live ones, 255 in all.
    pub(crate) fn may_wait(&self, lane: Lane) -> bool {
        let is_room_for_live = lane == Lane::Backfill || self.undecided_on(Lane::Live) < LIVE_UNDECIDED_MAX;
        self.undecided < u8::MAX && is_room_for_live
    }

    /// A frame of the lane is accepted: [`Entry::may_wait`] must have allowed it.
    pub(crate) fn await_decision(&mut self, lane: Lane) {
        self.undecided = self.undecided.saturating_add(1);
        if lane == Lane::Live && self.undecided_on(Lane::Live) < LIVE_UNDECIDED_MAX {
            self.live += 1 << LIVE_SHIFT;
        }
    }

    /// The sink has decided a frame of the lane.
    pub(crate) fn decide(&mut self, lane: Lane) {
        self.undecided = self.undecided.saturating_sub(1);
        if lane == Lane::Live && self.undecided_on(Lane::Live) > 0 {
            self.live -= 1 << LIVE_SHIFT;
        }
    }

    /// Its last session, up or not; 0 before the first.
    #[must_use]
    pub fn session(&self) -> u16 {
        self.session
    }

    /// Whether its session is up.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.flags & ONLINE != 0
    }

    pub(crate) fn begin_session(&mut self, session: u16, epoch: u16) {
        self.session = session;
        self.epoch = epoch;
        self.flags = ONLINE;
    }

    /// Has had a session; before, no epoch or session number is old. (Sessions are numbered from 1.)
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.session != 0
    }

    pub(crate) fn end_session(&mut self) {
        self.credit = 0;
        self.flags = 0;
    }

    /// Takes over what a checkpoint says of one lane. Checkpoints of a device come in any order: the newest epoch counts, and in it
    /// the newest session number.
    pub(crate) fn restore(&mut self, checkpoint: &Checkpoint) {
        let Checkpoint { lane, epoch, session, mark, .. } = *checkpoint;
        let age = epoch.wrapping_sub(self.epoch).cast_signed();
        if self.is_known() && age < 0 {
            return;
        }
        if !self.is_known() || age > 0 {
            *self = Self { epoch, session, ..Self::default() };
        }
        if session.wrapping_sub(self.session).cast_signed() > 0 {
            self.session = session;
        }
        self.set_mark(lane, mark);
    }

    /// One NACK per gap: the frames behind a lost one must not each cause a retransmission.
    pub(crate) fn was_nacked(&self, lane: Lane) -> bool {
        self.flags & nacked(lane) != 0
    }

    pub(crate) fn set_nacked(&mut self, lane: Lane, value: bool) {
        self.flags = if value { self.flags | nacked(lane) } else { self.flags & !nacked(lane) };
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

    /// Has a slot for its history that has not come, and may be called before it.
    pub(crate) fn is_promised(&self) -> bool {
        self.flags & PROMISED != 0
    }

    pub(crate) fn set_promised(&mut self, value: bool) {
        self.flags = if value { self.flags | PROMISED } else { self.flags & !PROMISED };
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
        self.set_promised(false);
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
