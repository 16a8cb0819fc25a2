//! The device's half of a session: what it sends, when it sends again, what an answer changes.

use crate::device::NEVER;
use crate::resend::Resend;
use crate::schedule::next_on_grid;
use crate::{Admit, Data, Device, DeviceConfig, Frame, Lane, Mark, Nack, NackReason, Note, Outbox, State};

impl Device {
    pub(crate) fn begin_session(
        &mut self,
        config: &DeviceConfig,
        phase: u64,
        now: u64,
        admit: &Admit,
        out: &mut impl Outbox,
    ) {
        let taken = config.schedule.taken(phase, now);
        if let Some((live, backfill)) = admit.marks {
            self.live_acked = live.min(taken);
            self.backfill_acked = backfill.min(taken);
            self.backlog.trim(self.live_from, self.live_acked);
            self.backlog.trim(0, self.backfill_acked);
        }
        self.open_live_lane(config, taken, out);
        self.live_sent = self.live_acked;
        self.backfill_sent = self.backfill_acked;
        self.credit = admit.credit;
        self.term = admit.term;
        self.half = 0;
        self.flags.set_state(State::Online);
        self.flags.set_retransmissions(0);
        self.flags.set_round(0);
        let backlog = self.backlog.count(taken);
        let delay = u64::from(admit.backfill_delay_millis) * 1_000;
        self.word = if backlog == 0 { NEVER } else { now.saturating_add(delay) };
        out.note(Note::Connected { backlog, attempts: self.attempts });
        self.pump(config, phase, now, out);
        self.rearm(config, phase, now);
    }

    pub(crate) fn on_session_timer(
        &mut self,
        config: &DeviceConfig,
        id: u32,
        phase: u64,
        now: u64,
        out: &mut impl Outbox,
    ) {
        let resend = self.resend(config, now);
        if resend == Resend::GiveUp {
            self.drop_session(config, id, phase, now, out);
            return;
        }
        // The deadline never passes over a keep-alive, so one fell due if the grid has a point from it up to now.
        let keep_alive = config.keep_alive_micros > 0
            && next_on_grid(phase, config.keep_alive_micros, self.deadline.saturating_sub(1)) <= now;
        if keep_alive || resend == (Resend::Yes { probe: true }) {
            let (prev, lane) = (self.live_sent, Lane::Live);
            out.send(Frame::Data(self.data(lane, prev, prev, 0, 1, now)));
            if !self.expects_answer() {
                self.expect_answer(config, now);
            }
        }
        self.go_on(config, phase, now, out);
    }

    pub(crate) fn on_ack(
        &mut self,
        config: &DeviceConfig,
        phase: u64,
        now: u64,
        lane: Lane,
        mark: Mark,
        out: &mut impl Outbox,
    ) {
        let taken = config.schedule.taken(phase, now);
        let mark = mark.min(taken);
        let before = self.acked();
        let was_full = self.live_in_flight() >= config.window_readings();
        match lane {
            Lane::Live => {
                self.live_acked = self.live_acked.max(mark);
                self.live_sent = self.live_sent.max(mark);
            }
            Lane::Backfill => {
                let acked = self.backlog.count_between(self.backfill_acked, mark);
                self.credit = self.credit.saturating_sub(acked.min(u32::from(u16::MAX)) as u16);
                self.backfill_acked = self.backfill_acked.max(mark);
                self.backfill_sent = self.backfill_sent.max(mark);
                self.backlog.trim(0, mark);
                self.flags.set_gap(false);
                if self.backlog.is_open() {
                    self.open_live_lane(config, taken, out);
                }
            }
        }
        self.attempts = 0;
        self.flags.set_retransmissions(0);
        self.heard(config, now, lane, self.acked() != before);
        if !was_full && self.backlog.is_empty() && !self.in_flight(Lane::Live) {
            // The common case: a report is acknowledged, and nothing is due before the next one.
            self.rearm(config, phase, now);
        } else {
            self.go_on(config, phase, now, out);
        }
    }

    fn live_in_flight(&self) -> u32 {
        self.live_sent.saturating_sub(self.live_from.max(self.live_acked))
    }

    pub(crate) fn on_nack(
        &mut self,
        config: &DeviceConfig,
        phase: u64,
        now: u64,
        nack: &Nack,
        out: &mut impl Outbox,
    ) {
        let before = (self.live_sent, self.backfill_sent);
        if nack.reason == NackReason::Later && !self.enter_round(now, nack) {
            return;
        }
        match nack.lane {
            Lane::Live => self.live_sent = nack.mark.min(self.live_sent).max(self.live_acked),
            Lane::Backfill => {
                self.backfill_sent = nack.mark.min(self.backfill_sent).max(self.backfill_acked);
            }
        }
        self.heard(config, now, nack.lane, before != (self.live_sent, self.backfill_sent));
        self.go_on(config, phase, now, out);
    }

    /// Sends what may be sent, then waits; or asks for more credit where nothing else is left to do.
    fn go_on(&mut self, config: &DeviceConfig, phase: u64, now: u64, out: &mut impl Outbox) {
        self.pump(config, phase, now, out);
        let taken = config.schedule.taken(phase, now);
        if self.must_renegotiate(now, taken) {
            self.end_session(taken, out);
            self.connect(config, phase, now, out);
            return;
        }
        self.rearm(config, phase, now);
    }

    /// Takes in when the backfill may go on: false for a refusal that a later call has overtaken.
    fn enter_round(&mut self, now: u64, nack: &Nack) -> bool {
        let called = nack.delay_millis == 0;
        if called {
            self.flags.set_round(nack.round);
        } else if nack.round != self.flags.round() {
            return false;
        }
        if nack.lane == Lane::Backfill {
            self.word = now.saturating_add(u64::from(nack.delay_millis) * 1_000);
        }
        true
    }

    /// Sends what may be sent now.
    fn pump(&mut self, config: &DeviceConfig, phase: u64, now: u64, out: &mut impl Outbox) {
        if config.live_first {
            self.pump_live(config, phase, now, out);
            self.pump_backfill(config, phase, now, out);
        } else {
            self.pump_backfill(config, phase, now, out);
            // As in one stream, nothing overtakes a lost frame: live readings wait until the backlog is acknowledged.
            if self.backlog.count(config.schedule.taken(phase, now)) == 0 {
                self.pump_live(config, phase, now, out);
            }
        }
        if !self.expects_answer() && self.anything_in_flight() {
            self.expect_answer(config, now);
        }
    }

    fn pump_live(&mut self, config: &DeviceConfig, phase: u64, now: u64, out: &mut impl Outbox) {
        if !self.live_is_open() || now < phase {
            return;
        }
        let reported_at = config.schedule.next_report(phase, now) - config.schedule.report_micros;
        let limit = config.schedule.taken(phase, reported_at);
        let window = config.window_readings();
        let base = self.live_from.max(self.live_acked);
        loop {
            let first = self.live_from.max(self.live_sent);
            if first >= limit || first - base >= window {
                return;
            }
            let room = window - (first - base);
            let count = (limit - first).min(room).min(u32::from(config.frame_readings));
            let due = config.schedule.report_of(phase, first);
            out.send(Frame::Data(self.data(Lane::Live, self.live_sent, first, count as u16, 1, due)));
            self.live_sent = first + count;
        }
    }

    fn pump_backfill(&mut self, config: &DeviceConfig, phase: u64, now: u64, out: &mut impl Outbox) {
        if now < self.word {
            return;
        }
        let taken = config.schedule.taken(phase, now);
        let window = config.window_readings();
        let allowed = window.min(u32::from(self.credit));
        let mut in_flight = self.backlog.count_between(self.backfill_acked, self.backfill_sent);
        while in_flight < allowed {
            let most = (allowed - in_flight).min(u32::from(config.frame_readings));
            let Some(run) = self.backlog.next(self.backfill_sent, taken, most) else { return };
            let at = config.schedule.taken_at(phase, run.first);
            let (count, stride, prev) = (run.count as u16, run.stride as u16, self.backfill_sent);
            let data = self.data(Lane::Backfill, prev, run.first, count, stride, at);
            out.send(Frame::Data(data));
            self.backfill_sent = data.end();
            in_flight += run.count;
        }
    }

    fn data(&self, lane: Lane, prev: Mark, first: Mark, count: u16, stride: u16, due_micros: u64) -> Data {
        let due_millis = (due_micros / 1_000).min(u64::from(u32::MAX)) as u32;
        let gap = lane == Lane::Backfill && self.flags.gap();
        let round = self.flags.round();
        let term = self.term.echo();
        Data { session: self.session, lane, prev, first, count, stride, due_millis, gap, round, term }
    }

    /// Closes the backfill lane's open run and begins the live lane, unless the run table has no room for the run that
    /// the end of this session would need: then readings go on into the open run, and nothing is lost by it.
    fn open_live_lane(&mut self, config: &DeviceConfig, taken: u32, out: &mut impl Outbox) {
        let mut closed = self.backlog;
        closed.close(taken);
        closed.merge();
        let lost = closed.fit(u32::from(config.buffer_readings), config.overflow, taken);
        if closed.is_full() {
            return;
        }
        self.backlog = closed;
        self.report_overflow(lost, out);
        self.live_from = taken;
    }

    /// The credit is used up and something is still owed: only a new HELLO can ask for more. A gateway that grants
    /// none says with the delay when to ask again.
    fn must_renegotiate(&self, now: u64, taken: u32) -> bool {
        let is_settled = !self.in_flight(Lane::Backfill);
        self.credit == 0 && now >= self.word && is_settled && self.backlog.count(taken) > 0
    }

    pub(crate) fn rearm(&mut self, config: &DeviceConfig, phase: u64, now: u64) {
        if self.state() != State::Online {
            return;
        }
        let mut next = config.schedule.next_report(phase, now);
        if config.keep_alive_micros > 0 {
            next = next.min(next_on_grid(phase, config.keep_alive_micros, now));
        }
        if let Some(at) = self.resend_at(now) {
            next = next.min(at);
        }
        if self.word != NEVER && self.word > now {
            next = next.min(self.word);
        }
        self.deadline = next.max(now + 1);
    }
}
