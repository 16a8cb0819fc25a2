//! A device, as `klais_burst_sync::Device` does it but without a clock: any timer may run out at any time.

use crate::code::code;
use crate::frame::{BACKFILL, Frame, LIVE};
use crate::setup::{Ring, Rule, Setup, Start};
use klais_burst_sync::{Backlog, Overflow};
use std::hash::{Hash, Hasher};

/// Where a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It boots, backs off or waits for a slot.
    Offline,
    /// HELLO sent.
    Connecting,
    /// Has a session.
    Online,
}

/// One device. Marks are reading indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Where it stands.
    pub link: Link,
    /// The gateway of its last HELLO.
    pub gateway: u8,
    /// Of its ring.
    pub epoch: u8,
    /// Of its last HELLO.
    pub session: u8,
    /// The newest that it has heard of; 0 before the first.
    pub term: u8,
    /// Readings taken so far.
    pub taken: u8,
    /// Which of them has index 0.
    pub base: u8,
    /// Everything below is acknowledged, per lane.
    pub acked: [u8; 2],
    /// Everything below is sent, per lane.
    pub sent: [u8; 2],
    /// First index of the session's live lane, kept until the next session settles what became of it.
    pub live_from: u8,
    /// What waits for the backfill lane: the real run table.
    pub backlog: Backlog,
    /// Readings that were lost with the ring, one bit each.
    pub lost: u8,
}

impl Hash for Device {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut runs = u64::from(self.backlog.is_open());
        let mut from = 0;
        while let Some(run) = self.backlog.next(from, self.index(), u32::MAX) {
            runs = runs << 8 | u64::from(run.first << 4 | run.count);
            from = run.first + run.count;
        }
        state.write_u64(runs);
        let [live, backfill] = self.acked;
        let marks = [(4, live), (4, backfill), (4, self.sent[0]), (4, self.sent[1]), (4, self.live_from)];
        state.write_u64(code(marks) << 16 | code([(4, self.taken), (4, self.base), (8, self.lost)]));
        let (link, gateway) = ((2, self.link as u8), (1, self.gateway));
        state.write_u64(code([link, gateway, (4, self.epoch), (8, self.session), (8, self.term)]));
    }
}

impl Device {
    /// As the world begins.
    pub(crate) fn new(start: Start) -> Self {
        let mut device = Self {
            link: Link::Offline,
            gateway: 0,
            epoch: 0,
            session: 0,
            term: 0,
            taken: 0,
            base: 0,
            acked: [0; 2],
            sent: [0; 2],
            live_from: 0,
            backlog: Backlog::default(),
            lost: 0,
        };
        match start {
            Start::Fresh => {
                device.backlog.open(0, 0);
            }
            Start::Steady => {
                device.link = Link::Online;
                device.session = 1;
            }
            Start::Worn => {
                for (from, to) in [(0, 1), (2, 3)] {
                    device.backlog.open(from, from);
                    device.backlog.close(to);
                }
                device.backlog.open(4, 4);
                device.taken = 4;
                device.live_from = 4;
                device.acked[0] = 4;
            }
        }
        device
    }

    /// Index of the next reading.
    fn index(&self) -> u32 {
        u32::from(self.taken - self.base)
    }

    /// Whether it still has a reading, counted from the beginning.
    #[must_use]
    pub fn holds(&self, reading: u8) -> bool {
        let Some(index) = reading.checked_sub(self.base).map(u32::from) else { return false };
        let is_live = self.live_is_open() && index >= u32::from(self.live_base());
        let waits = || self.backlog.next(index, self.index(), 1).is_some_and(|run| run.first == index);
        index < self.index() && (is_live || waits())
    }

    fn live_is_open(&self) -> bool {
        self.link == Link::Online && !self.backlog.is_open()
    }

    fn live_base(&self) -> u8 {
        self.live_from.max(self.acked[0])
    }

    /// Something of the lane is sent and not acknowledged.
    #[must_use]
    pub fn awaits(&self, lane: u8) -> bool {
        match lane {
            LIVE => self.sent[0] > self.live_base(),
            _ => self.sent[1] > self.acked[1],
        }
    }

    pub(crate) fn take(&mut self, id: u8, setup: &Setup, out: &mut Vec<Frame>) {
        self.taken += 1;
        self.pump(id, setup, out);
    }

    /// Asks for a session; one that it has is over.
    pub(crate) fn say_hello(&mut self, id: u8, gateway: u8, out: &mut Vec<Frame>) {
        self.end_session();
        self.session += 1;
        self.gateway = gateway;
        self.link = Link::Connecting;
        out.push(Frame::Hello { device: id, gateway, session: self.session, epoch: self.epoch });
    }

    /// From now on readings go to the backfill lane, and with them what the live lane still owes.
    pub(crate) fn end_session(&mut self) {
        if self.live_is_open() {
            self.backlog.open(u32::from(self.live_base()), self.index());
        }
        self.link = Link::Offline;
    }

    /// Power is lost and comes back.
    pub(crate) fn lose_power(&mut self, setup: &Setup) {
        let held = (0..self.taken).filter(|n| self.holds(*n)).fold(0, |held, n| held | 1 << n);
        self.end_session();
        if !setup.holds(Rule::TermKeptWithRing) {
            self.term = 0;
        }
        match setup.ring {
            Ring::Flash => {
                if !setup.holds(Rule::EpochStaysWithRing) {
                    self.epoch += 1;
                    self.acked = [0; 2];
                }
            }
            Ring::Volatile { index_restarts } => {
                self.lost |= held;
                self.backlog.clear(self.index());
                self.acked = [0; 2];
                self.epoch += u8::from(setup.holds(Rule::EpochRisesWithLoss));
                if !setup.holds(Rule::SessionSurvivesLoss) {
                    self.session = 0;
                }
                if index_restarts {
                    self.base = self.taken;
                    self.sent = [0; 2];
                    self.live_from = 0;
                }
                let index = self.index();
                self.backlog.open(index, index);
            }
        }
    }

    /// The timer of a lane ran out: what is not acknowledged is sent again.
    pub(crate) fn resend(&mut self, id: u8, lane: u8, setup: &Setup, out: &mut Vec<Frame>) {
        self.sent[lane as usize] = self.acked[lane as usize];
        self.pump(id, setup, out);
    }

    /// Whether it could heed a frame, now or later.
    pub(crate) fn may_heed(&self, frame: &Frame) -> bool {
        let in_session = |session| self.link == Link::Online && session == self.session;
        match *frame {
            Frame::Admit { session, .. } => self.link == Link::Connecting && session == self.session,
            Frame::Ack { session, lane, mark, .. } => in_session(session) && mark > self.acked[lane as usize],
            Frame::Gap { session, lane, mark, .. } => {
                in_session(session) && mark >= self.acked[lane as usize]
            }
            Frame::Hello { .. } | Frame::Data { .. } => true,
        }
    }

    /// A frame arrives.
    pub(crate) fn receive(&mut self, id: u8, frame: Frame, setup: &Setup, out: &mut Vec<Frame>) {
        if !self.may_heed(&frame) {
            return;
        }
        match frame {
            Frame::Admit { term, .. }
                if setup.holds(Rule::OldAdmitsIgnored) && setup.is_older(term, self.term) => {}
            Frame::Admit { term, marks, .. } => {
                self.term = term;
                self.begin_session(id, marks, setup, out);
            }
            Frame::Ack { lane, mark, .. } => self.on_ack(id, lane, mark, setup, out),
            Frame::Gap { lane, mark, .. } => {
                let n = lane as usize;
                self.sent[n] = mark.min(self.sent[n]).max(self.acked[n]);
                self.pump(id, setup, out);
            }
            Frame::Hello { .. } | Frame::Data { .. } => {}
        }
    }

    fn begin_session(&mut self, id: u8, marks: [u8; 2], setup: &Setup, out: &mut Vec<Frame>) {
        let taken = self.taken - self.base;
        self.acked = marks.map(|mark| mark.min(taken));
        self.backlog.trim(u32::from(self.live_from), u32::from(self.acked[0]));
        self.backlog.trim(0, u32::from(self.acked[1]));
        self.open_live_lane();
        self.sent = self.acked;
        self.link = Link::Online;
        self.pump(id, setup, out);
    }

    fn on_ack(&mut self, id: u8, lane: u8, mark: u8, setup: &Setup, out: &mut Vec<Frame>) {
        let (n, mark) = (lane as usize, mark.min(self.taken - self.base));
        self.acked[n] = self.acked[n].max(mark);
        self.sent[n] = self.sent[n].max(mark);
        if lane == BACKFILL {
            self.backlog.trim(0, u32::from(mark));
            if self.backlog.is_open() {
                self.open_live_lane();
            }
        }
        self.pump(id, setup, out);
    }

    fn open_live_lane(&mut self) {
        let mut closed = self.backlog;
        closed.close(self.index());
        closed.merge();
        let lost = closed.fit(u32::from(u16::MAX), Overflow::DropOldest, self.index());
        debug_assert_eq!(lost, 0, "the ring has room for every reading of the world");
        if !closed.is_full() {
            self.backlog = closed;
            self.live_from = self.taken - self.base;
        }
    }

    fn pump(&mut self, id: u8, setup: &Setup, out: &mut Vec<Frame>) {
        if self.link == Link::Online {
            self.pump_live(id, setup, out);
            self.pump_backfill(id, setup, out);
        }
    }

    fn pump_live(&mut self, id: u8, setup: &Setup, out: &mut Vec<Frame>) {
        let (limit, window) = (self.taken - self.base, setup.frame_readings * setup.window_frames);
        let base = self.live_base();
        while self.live_is_open() {
            let first = self.live_from.max(self.sent[0]);
            if first >= limit || first - base >= window {
                return;
            }
            let count = (limit - first).min(window - (first - base)).min(setup.frame_readings);
            self.send(id, LIVE, first, count, out);
        }
    }

    fn pump_backfill(&mut self, id: u8, setup: &Setup, out: &mut Vec<Frame>) {
        let window = u32::from(setup.frame_readings * setup.window_frames);
        let mut on_its_way = self.backlog.count_between(u32::from(self.acked[1]), u32::from(self.sent[1]));
        while on_its_way < window {
            let most = (window - on_its_way).min(u32::from(setup.frame_readings));
            let Some(run) = self.backlog.next(u32::from(self.sent[1]), self.index(), most) else { return };
            self.send(id, BACKFILL, run.first as u8, run.count as u8, out);
            on_its_way += run.count;
        }
    }

    fn send(&mut self, id: u8, lane: u8, first: u8, count: u8, out: &mut Vec<Frame>) {
        let Self { gateway, session, term, base, .. } = *self;
        let prev = self.sent[lane as usize];
        out.push(Frame::Data { device: id, gateway, session, term, lane, prev, first, count, base });
        self.sent[lane as usize] = first + count;
    }
}
