//! How a device comes to a session: which gateway it asks, what it says, and when it asks again.

use crate::{Cookie, Device, DeviceConfig, Frame, Hello, NackReason, Outbox, State};

/// HELLOs in a row that a gateway may leave unanswered before the device tries the next one on its list.
const UNANSWERED_MAX: u8 = 2;

impl Device {
    pub(crate) fn on_refused(
        &mut self,
        config: &DeviceConfig,
        id: u32,
        phase: u64,
        now: u64,
        out: &mut impl Outbox,
    ) {
        match self.state() {
            State::Connecting => self.on_unanswered(config, id, now),
            State::Online => self.drop_session(config, id, phase, now, out),
            _ => {}
        }
    }

    pub(crate) fn on_frame(
        &mut self,
        config: &DeviceConfig,
        id: u32,
        phase: u64,
        now: u64,
        frame: Frame,
        out: &mut impl Outbox,
    ) {
        let state = self.state();
        match frame {
            // A gateway that was replaced may not know it yet: what it says of marks is stale.
            Frame::Admit(admit) if admit.term < self.term => {}
            Frame::Admit(admit) if state == State::Connecting && admit.session == self.session => {
                self.unanswered = 0;
                self.begin_session(config, phase, now, &admit, out);
            }
            Frame::Defer(defer) if state == State::Connecting && defer.session == self.session => {
                self.word = defer.cookie.mac;
                self.half = defer.cookie.slot;
                self.unanswered = 0;
                self.await_slot(now, defer.delay_millis);
            }
            Frame::Ack { session, lane, mark } if state == State::Online && session == self.session => {
                self.on_ack(config, phase, now, lane, mark, out);
            }
            Frame::Nack(nack) if state == State::Online && nack.session == self.session => {
                match nack.reason {
                    NackReason::NoSession => self.drop_session(config, id, phase, now, out),
                    _ => self.on_nack(config, phase, now, &nack, out),
                }
            }
            Frame::Bye { session } if state == State::Online && session == self.session => {
                self.drop_session(config, id, phase, now, out);
            }
            _ => {}
        }
    }

    pub(crate) fn on_redirected(
        &mut self,
        config: &DeviceConfig,
        now: u64,
        session: u16,
        gateway: u16,
        delay_millis: u32,
    ) {
        if self.state() == State::Connecting && session == self.session && gateway < config.gateways {
            self.gateway = gateway;
            self.unanswered = 0;
            self.await_slot(now, delay_millis);
        }
    }

    /// Nobody has answered the HELLO: after some, the next gateway of the list is asked. What this one has promised is
    /// worth nothing there.
    pub(crate) fn on_unanswered(&mut self, config: &DeviceConfig, id: u32, now: u64) {
        self.unanswered = self.unanswered.saturating_add(1);
        if self.unanswered >= UNANSWERED_MAX && config.gateways > 1 {
            self.gateway = (self.gateway + 1) % config.gateways;
            self.unanswered = 0;
            self.forget_cookie();
        }
        self.back_off(config, id, now);
    }

    pub(crate) fn await_slot(&mut self, now: u64, delay_millis: u32) {
        self.flags.set_state(State::Deferred);
        self.deadline = now.saturating_add(u64::from(delay_millis).max(1) * 1_000);
    }

    /// Ends the session and waits by the firmware's own rule before the next attempt.
    pub(crate) fn drop_session(
        &mut self,
        config: &DeviceConfig,
        id: u32,
        phase: u64,
        now: u64,
        out: &mut impl Outbox,
    ) {
        self.end_session(config.schedule.taken(phase, now), out);
        self.forget_cookie();
        self.back_off(config, id, now);
    }

    pub(crate) fn connect(&mut self, config: &DeviceConfig, phase: u64, now: u64, out: &mut impl Outbox) {
        let taken = config.schedule.taken(phase, now);
        // 0 is nobody's.
        self.session = self.session.checked_add(1).unwrap_or(1);
        let doublings = u32::from(self.attempts).min(16);
        self.attempts = self.attempts.saturating_add(1);
        let held = self.backlog.count(taken).min(u32::from(config.buffer_readings));
        let cookie = (self.word != 0).then_some(Cookie { slot: self.half, mac: self.word });
        let acked = (self.live_acked, self.backfill_acked);
        let hello = Hello {
            session: self.session,
            epoch: self.epoch,
            backlog: held as u16,
            cookie,
            acked,
            gateway: 0,
        };
        out.send(Frame::Hello(hello));
        self.flags.set_state(State::Connecting);
        let timeout = config.hello_timeout_micros.saturating_mul(1 << doublings);
        self.deadline = now.saturating_add(timeout.min(config.hello_timeout_max_micros));
    }

    pub(crate) fn back_off(&mut self, config: &DeviceConfig, id: u32, now: u64) {
        let failed = u32::from(self.attempts).saturating_sub(1);
        let wait = config.backoff.wait_micros(config.key, u64::from(id), now, failed);
        self.flags.set_state(State::Backoff);
        self.deadline = now.saturating_add(wait);
    }
}
