//! The device's protocol stack: its state, and power.

use crate::{Backlog, DeviceConfig, Frame, Mark, Storage, Term};

/// No timer.
pub(crate) const NEVER: u64 = u64::MAX;

/// Where a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// No power.
    Off = 0,
    /// Power is back; the modem attaches.
    Booting = 1,
    /// HELLO sent.
    Connecting = 2,
    /// Waits before the next attempt, by its own rule.
    Backoff = 3,
    /// Waits for the slot that a gateway promised.
    Deferred = 4,
    /// Has a session.
    Online = 5,
}

/// What happens to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The time returned by `Device::deadline` has come.
    Timer,
    /// Mains power returns; the modem needs this long to attach.
    PowerOn {
        /// Until the first HELLO.
        boot_micros: u64,
    },
    /// Mains power is lost.
    PowerOff,
    /// The network reports that nobody listens, or the peer reset the session.
    Refused,
    /// A frame arrives. One that redirects says nothing by itself: see [`Event::Redirected`].
    Frame(Frame),
    /// A REDIRECT arrives whose address is one of those that the device was given. (What it was not given, nobody can make it
    /// talk to: whoever drives it drops such a frame.)
    Redirected {
        /// Echo of the HELLO.
        session: u16,
        /// Where to go, as an index into the list that the device was given.
        gateway: u16,
        /// When to be there.
        delay_millis: u32,
    },
}

/// What a device tells the world beside its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A session is up.
    Connected {
        /// Readings on the backfill lane.
        backlog: u32,
        /// HELLOs since the last ACK.
        attempts: u8,
    },
    /// The session is gone.
    Disconnected,
    /// Readings given up, said so in the stream.
    Lost(Losses),
}

/// Readings that the device itself could not keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// The buffer was full.
    pub overflow: u32,
    /// The buffer was volatile and the power went.
    pub volatile: u32,
}

/// Where a device's decisions go.
pub trait Outbox {
    /// Puts a frame on the wire.
    fn send(&mut self, frame: Frame);
    /// Tells the world.
    fn note(&mut self, note: Note);
}

/// One device: 80 bytes. Its identity, firmware and clock are arguments.
#[derive(Clone, Debug)]
pub struct Device {
    pub(crate) deadline: u64,
    /// Online: when the backfill may begin. Else: the cookie's hash, 0 for none.
    pub(crate) word: u64,
    pub(crate) backlog: Backlog,
    pub(crate) backfill_acked: Mark,
    pub(crate) backfill_sent: Mark,
    pub(crate) live_acked: Mark,
    pub(crate) live_sent: Mark,
    /// First reading of this session's live lane, kept until the next session settles what became of it.
    pub(crate) live_from: Mark,
    /// Online: when to send again, 0 for never (see `resend`). Else: the cookie's slot.
    pub(crate) half: u32,
    pub(crate) epoch: u16,
    pub(crate) session: u16,
    pub(crate) credit: u16,
    pub(crate) attempts: u8,
    pub(crate) flags: Flags,
    /// The gateway that it talks to, of those it was given.
    pub(crate) gateway: u16,
    /// Of the newest owner of its shard that it has heard of.
    pub(crate) term: Term,
    /// HELLOs in a row without an answer.
    pub(crate) unanswered: u8,
}

/// State (3 bits), retransmissions (2 bits), round (2 bits) and whether an overflow is still to be declared (1 bit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    pub(crate) const RETRANSMISSIONS_MAX: u8 = 3;

    pub(crate) fn state(self) -> State {
        match self.0 & 7 {
            0 => State::Off,
            1 => State::Booting,
            2 => State::Connecting,
            3 => State::Backoff,
            4 => State::Deferred,
            _ => State::Online,
        }
    }

    pub(crate) fn set_state(&mut self, state: State) {
        self.0 = (self.0 & !7) | state as u8;
    }

    pub(crate) fn retransmissions(self) -> u8 {
        (self.0 >> 3) & 3
    }

    pub(crate) fn set_retransmissions(&mut self, n: u8) {
        self.0 = (self.0 & !(3 << 3)) | (n.min(Self::RETRANSMISSIONS_MAX) << 3);
    }

    pub(crate) fn round(self) -> u8 {
        (self.0 >> 5) & 3
    }

    pub(crate) fn set_round(&mut self, round: u8) {
        self.0 = (self.0 & !(3 << 5)) | ((round & 3) << 5);
    }

    pub(crate) fn gap(self) -> bool {
        self.0 & 128 != 0
    }

    pub(crate) fn set_gap(&mut self, gap: bool) {
        self.0 = (self.0 & 127) | (u8::from(gap) << 7);
    }
}

impl Device {
    /// A device without power that has read nothing yet.
    #[must_use]
    pub fn off() -> Self {
        Self {
            deadline: NEVER,
            word: 0,
            backlog: Backlog::default(),
            backfill_acked: 0,
            backfill_sent: 0,
            live_acked: 0,
            live_sent: 0,
            live_from: 0,
            half: 0,
            epoch: 0,
            session: 0,
            credit: 0,
            attempts: 0,
            flags: Flags(State::Off as u8),
            gateway: 0,
            term: Term::default(),
            unanswered: 0,
        }
    }

    /// A device whose session 1 is up and that owes nothing: how a fleet in steady state begins at time 0.
    #[must_use]
    pub fn online(config: &DeviceConfig, id: u32) -> Self {
        let gateway = (id % u32::from(config.gateways.max(1))) as u16;
        let mut device = Self { session: 1, word: NEVER, gateway, ..Self::off() };
        device.flags.set_state(State::Online);
        device.rearm(config, config.schedule.phase(id), 0);
        device
    }

    /// The same device, talking to another gateway: an index into the list that it was given.
    #[must_use]
    pub fn talking_to(self, gateway: u16) -> Self {
        Self { gateway, ..self }
    }

    /// When `Event::Timer` is due; `u64::MAX` for never. Changes with every event.
    #[must_use]
    pub fn deadline(&self) -> u64 {
        self.deadline
    }

    /// The gateway that its frames are for: an index into the list that it was given. At first `id % gateways`.
    #[must_use]
    pub fn gateway(&self) -> u16 {
        self.gateway
    }

    /// The number of its session, or of its last attempt at one.
    #[must_use]
    pub fn session(&self) -> u16 {
        self.session
    }

    /// The newest owner of its shard that it has heard of.
    #[must_use]
    pub fn term(&self) -> Term {
        self.term
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.flags.state()
    }

    /// Everything below was acknowledged, per lane: (live, backfill).
    #[must_use]
    pub fn acked(&self) -> (Mark, Mark) {
        (self.live_acked, self.backfill_acked)
    }

    /// Handles one event at `now` (microseconds). Events may come in any order and may be nonsense: what does not fit
    /// the state is ignored.
    pub fn handle(&mut self, config: &DeviceConfig, id: u32, now: u64, event: Event, out: &mut impl Outbox) {
        let phase = config.schedule.phase(id);
        match event {
            Event::Timer if now < self.deadline => {}
            Event::Timer => self.on_timer(config, id, phase, now, out),
            Event::PowerOn { boot_micros } => self.on_power_on(config, phase, now, boot_micros, out),
            Event::PowerOff => self.on_power_off(config, phase, now, out),
            Event::Refused => self.on_refused(config, id, phase, now, out),
            Event::Frame(frame) => self.on_frame(config, id, phase, now, frame, out),
            Event::Redirected { session, gateway, delay_millis } => {
                self.on_redirected(config, now, session, gateway, delay_millis);
            }
        }
    }

    /// Readings still held at the end of a run, after making room as the firmware would have: (held, lost now).
    #[must_use]
    pub fn settle(&mut self, config: &DeviceConfig, id: u32, now: u64) -> (u32, u32) {
        let taken = config.schedule.taken(config.schedule.phase(id), now);
        let live =
            if self.live_is_open() { taken.saturating_sub(self.live_from.max(self.live_acked)) } else { 0 };
        self.backlog.close(taken);
        let lost = self.backlog.fit(u32::from(config.buffer_readings), config.overflow, taken);
        (self.backlog.count(taken) + live, lost)
    }

    pub(crate) fn live_is_open(&self) -> bool {
        self.state() == State::Online && !self.backlog.is_open()
    }

    fn on_timer(&mut self, config: &DeviceConfig, id: u32, phase: u64, now: u64, out: &mut impl Outbox) {
        match self.state() {
            State::Booting | State::Backoff | State::Deferred => self.connect(config, phase, now, out),
            State::Connecting => self.on_unanswered(config, id, now),
            State::Online => self.on_session_timer(config, id, phase, now, out),
            State::Off => self.deadline = NEVER,
        }
    }

    fn on_power_on(
        &mut self,
        config: &DeviceConfig,
        phase: u64,
        now: u64,
        boot_micros: u64,
        out: &mut impl Outbox,
    ) {
        if self.state() != State::Off {
            return;
        }
        let taken = config.schedule.taken(phase, now);
        if !self.backlog.is_open() && !self.backlog.reopen(taken) {
            let lost = self.backlog.open(taken, taken);
            self.report_overflow(lost, out);
        }
        self.attempts = 0;
        self.flags.set_state(State::Booting);
        self.deadline = now.saturating_add(boot_micros.max(1));
    }

    fn on_power_off(&mut self, config: &DeviceConfig, phase: u64, now: u64, out: &mut impl Outbox) {
        if self.state() == State::Off {
            return;
        }
        let taken = config.schedule.taken(phase, now);
        self.end_session(taken, out);
        self.forget_cookie();
        if config.storage == Storage::Volatile {
            let volatile = self.backlog.clear(taken);
            if volatile > 0 {
                out.note(Note::Lost(Losses { overflow: 0, volatile }));
            }
            self.epoch = self.epoch.wrapping_add(1);
            self.live_acked = 0;
            self.backfill_acked = 0;
            self.backlog.open(taken, taken);
        }
        if !config.sensing_backup {
            self.backlog.close(taken);
        }
        self.flags.set_state(State::Off);
        self.deadline = NEVER;
    }

    /// From now on readings go to the backfill lane, and with them what the live lane still owes.
    pub(crate) fn end_session(&mut self, taken: u32, out: &mut impl Outbox) {
        if self.state() != State::Online {
            return;
        }
        if !self.backlog.is_open() {
            let base = self.live_from.max(self.live_acked);
            let lost = self.backlog.open(base, taken);
            self.report_overflow(lost, out);
        }
        self.forget_cookie();
        out.note(Note::Disconnected);
    }

    pub(crate) fn forget_cookie(&mut self) {
        self.word = 0;
        self.half = 0;
    }

    pub(crate) fn report_overflow(&mut self, overflow: u32, out: &mut impl Outbox) {
        if overflow > 0 {
            self.flags.set_gap(true);
            out.note(Note::Lost(Losses { overflow, volatile: 0 }));
        }
    }
}
