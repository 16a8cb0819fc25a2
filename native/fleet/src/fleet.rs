//! The devices' real protocol stacks, and the account of what they do. Time is an argument.

use crate::accounts::Accounts;
use crate::counts::Counts;
use crate::delays::{DelayConfig, DelayReport, Delays};
use crate::error::FleetError;
use crate::production::Production;
use crate::returns::Returns;
use crate::series::Series;
use crate::timers::Timers;
use crate::transitions::Transition;
use klais_burst_sync::{Device, DeviceConfig, Event, Frame, Lane, Note, Outbox};
use std::path::Path;

/// A frame that a device has decided to send.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// When it was to go: virtual microseconds.
    pub intended: u64,
    /// Whose.
    pub device: u32,
    /// The gateway that it is for, as an index into the list.
    pub gateway: u16,
    /// What.
    pub frame: Frame,
}

/// How a fleet begins and what happens to it.
#[derive(Debug)]
pub struct Plan {
    /// The firmware.
    pub config: DeviceConfig,
    /// How many.
    pub devices: u32,
    /// All begin with a session; else without power.
    pub online: bool,
    /// By rising time.
    pub transitions: Vec<Transition>,
    /// Nothing happens from here on.
    pub end_micros: u64,
    /// Between rows of the series.
    pub series_micros: u64,
    /// Drained when no more is owed.
    pub drain_epsilon: u64,
    /// Keeps account of each device.
    pub accounts: bool,
    /// Which readings are timed, if any.
    pub delays: Option<DelayConfig>,
}

/// Where every reading is at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// By the world's own count.
    pub produced: u64,
    /// Held by devices.
    pub buffered: u64,
    /// Given up while making room at the end.
    pub overflow: u64,
}

/// Where one event's decisions go.
struct Turn<'a> {
    outgoing: &'a mut Vec<Outgoing>,
    notes: &'a mut Vec<Note>,
    device: u32,
    now: u64,
}

impl Outbox for Turn<'_> {
    fn send(&mut self, frame: Frame) {
        self.outgoing.push(Outgoing { intended: self.now, device: self.device, gateway: 0, frame });
    }

    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }
}

/// All devices of a run.
pub struct Fleet {
    config: DeviceConfig,
    devices: Vec<Device>,
    timers: Timers,
    transitions: Vec<Transition>,
    next_transition: usize,
    /// Power-ons still to come; `None` if there never was one.
    returns_left: Option<usize>,
    drain_epsilon: u64,
    drained_at: Option<u64>,
    position: u64,
    production: Production,
    returns: Returns,
    series: Series,
    notes: Vec<Note>,
    accounts: Option<Accounts>,
    delays: Option<Delays>,
    /// Frames to be sent, in order.
    pub outgoing: Vec<Outgoing>,
    /// Counters so far.
    pub counts: Counts,
}

impl Fleet {
    /// Bytes per device, all tables together.
    pub const BYTES_PER_DEVICE: usize = size_of::<Device>()
        + Timers::BYTES_PER_DEVICE
        + Production::BYTES_PER_DEVICE
        + Returns::BYTES_PER_DEVICE;

    /// A fleet at virtual time 0.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new(plan: Plan) -> Result<Self, FleetError> {
        let Plan { config, devices: count, online, mut transitions, end_micros, .. } = plan;
        transitions.retain(|t| t.at < end_micros);
        let first = |id| if online { Device::online(&config, id) } else { Device::off() };
        let devices: Vec<Device> = (0..count).map(first).collect();
        let returning = transitions.iter().filter(|t| t.on).count();
        Ok(Self {
            timers: Timers::new(devices.iter().map(Device::deadline), end_micros),
            devices,
            next_transition: 0,
            returns_left: (returning > 0).then_some(returning),
            transitions,
            drain_epsilon: plan.drain_epsilon,
            drained_at: None,
            position: 0,
            production: Production::new(count, online),
            returns: Returns::new(count, online)?,
            series: Series::new(plan.series_micros),
            notes: Vec::new(),
            accounts: plan.accounts.then(|| Accounts::new(&config, count, end_micros)),
            delays: plan.delays.map(|delays| Delays::new(delays, &config)).transpose()?,
            outgoing: Vec::new(),
            counts: Counts::default(),
            config,
        })
    }

    /// The latest time at which anything has happened.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<u64> {
        let transition = self.transitions.get(self.next_transition).map(|t| t.at);
        [transition, self.timers.next()].into_iter().flatten().min()
    }

    /// Does what is due up to and including `now`, until `frames_max` frames wait to be sent: true if nothing more is due.
    /// A device's events come in the order of time; those of different devices need not, as nothing joins them here.
    pub fn run_due(&mut self, now: u64, frames_max: usize) -> bool {
        while let Some(transition) = self.transitions.get(self.next_transition).filter(|t| t.at <= now) {
            let transition = *transition;
            self.next_transition += 1;
            self.power(transition);
        }
        while self.outgoing.len() < frames_max {
            let Some(due) = self.timers.next().filter(|due| *due <= now) else {
                self.advance(now);
                return true;
            };
            if let Some(device) = self.timers.pop() {
                self.catch_up(device, due);
                self.timers.arm(device, self.devices[device as usize].deadline());
            }
        }
        false
    }

    /// A frame arrives at a device at `now`. The device must be of the fleet.
    pub fn receive(&mut self, device: u32, frame: Frame, now: u64) {
        self.counts.received(&frame);
        self.catch_up(device, now);
        let settles = matches!(frame, Frame::Ack { .. } | Frame::Admit(_));
        let before = settles.then(|| self.devices[device as usize].clone());
        if let (Some(accounts), Some(before)) = (&mut self.accounts, &before) {
            accounts.answered(device, now, before, frame);
        }
        if let (Some(delays), Some(before)) = (&mut self.delays, &before) {
            delays.answered(device, now, before, frame);
        }
        let lost = self.fire(device, now, Event::Frame(frame));
        if let Some(before) = before {
            self.count_acked(device, now, &frame, before, lost);
        }
        self.watch(now);
    }

    /// A REDIRECT to a gateway of the list arrives at a device at `now`.
    pub fn redirect(&mut self, device: u32, frame: &Frame, gateway: u16, now: u64) {
        let Frame::Redirect { session, delay_millis, .. } = *frame else { return };
        self.counts.received(frame);
        self.catch_up(device, now);
        self.fire(device, now, Event::Redirected { session, gateway, delay_millis });
    }

    /// A device hears at `now` that nobody listens at a gateway of the list: nothing, if it talks to another one by now.
    pub fn refuse(&mut self, device: u32, gateway: u16, now: u64) {
        self.counts.refusals += 1;
        self.catch_up(device, now);
        if self.devices[device as usize].gateway() == gateway {
            self.fire(device, now, Event::Refused);
        }
    }

    /// Readings that an ACK or ADMIT took out of a device's buffer.
    fn count_acked(&mut self, device: u32, now: u64, frame: &Frame, before: Device, lost: u32) {
        let after = &self.devices[device as usize];
        if matches!(frame, Frame::Ack { .. }) && before.acked() == after.acked() {
            return;
        }
        let (held, left) = (self.held(before, device, now), self.held(after.clone(), device, now));
        let freed = i64::from(held) - i64::from(left) - i64::from(lost);
        self.counts.acked += freed;
        if matches!(frame, Frame::Ack { lane: Lane::Backfill, .. }) {
            self.returns.acknowledged(device, u32::try_from(freed).unwrap_or(0));
        }
    }

    /// Readings that a device has and no gateway has acknowledged, also those that find no room any more.
    fn held(&self, mut device: Device, id: u32, now: u64) -> u32 {
        let (held, lost) = device.settle(&self.config, id, now);
        held + lost
    }

    fn advance(&mut self, now: u64) {
        self.position = self.position.max(now);
        self.series.advance(self.position, &self.counts, self.returns.online(), self.returns.owed_total());
    }

    fn watch(&mut self, now: u64) {
        let drained = self.returns_left == Some(0) && self.returns.owed_total() <= self.drain_epsilon;
        if drained && self.drained_at.is_none() {
            self.drained_at = Some(now);
        }
    }

    fn power(&mut self, transition: Transition) {
        let Transition { at, device, boot_micros, on } = transition;
        if on && let Some(left) = &mut self.returns_left {
            *left -= 1;
        }
        if self.returns.is_powered(device) == on {
            self.counts.idle_transitions += 1;
            return;
        }
        self.catch_up(device, at);
        self.production.power(&self.config, device, at, on);
        if on {
            self.fire(device, at, Event::PowerOn { boot_micros });
            let (held, _) = self.devices[device as usize].clone().settle(&self.config, device, at);
            self.returns.power_on(device, at.saturating_add(boot_micros), held);
        } else {
            self.returns.power_off(device);
            self.fire(device, at, Event::PowerOff);
        }
        self.watch(at);
    }

    /// Fires a device's timers that are due by `now`, each at its time.
    fn catch_up(&mut self, device: u32, now: u64) {
        loop {
            let deadline = self.devices[device as usize].deadline();
            if deadline > now {
                return;
            }
            self.fire(device, deadline, Event::Timer);
        }
    }

    /// One event of a device: how many readings it gave up.
    fn fire(&mut self, id: u32, now: u64, event: Event) -> u32 {
        self.advance(now);
        let first = self.outgoing.len();
        let device = &mut self.devices[id as usize];
        let mut turn = Turn { outgoing: &mut self.outgoing, notes: &mut self.notes, device: id, now };
        device.handle(&self.config, id, now, event, &mut turn);
        self.timers.arm(id, device.deadline());
        let gateway = device.gateway();
        for sent in &mut self.outgoing[first..] {
            sent.gateway = gateway;
            self.counts.decided(&sent.frame);
        }
        let mut lost = 0;
        for note in self.notes.drain(..) {
            match note {
                Note::Connected { backlog, .. } => {
                    self.counts.connects += 1;
                    self.returns.connected(id, now, backlog);
                }
                Note::Disconnected => self.returns.disconnected(id),
                Note::Lost(losses) => {
                    self.counts.lost_overflow += u64::from(losses.overflow);
                    self.counts.lost_volatile += u64::from(losses.volatile);
                    lost += losses.overflow + losses.volatile;
                    if let Some(accounts) = &mut self.accounts {
                        accounts.lost(id, losses);
                    }
                }
            }
        }
        lost
    }

    /// Ends the run at `now`: every device settles its buffer as its firmware would.
    pub fn settle(&mut self, now: u64) -> Ledger {
        self.advance(now);
        let mut ledger = Ledger::default();
        for (device, id) in self.devices.iter_mut().zip(0..) {
            let (held, lost) = device.settle(&self.config, id, now);
            let produced = self.production.taken(&self.config, id, now);
            ledger.produced += produced;
            ledger.buffered += u64::from(held);
            ledger.overflow += u64::from(lost);
            if let Some(accounts) = &mut self.accounts {
                accounts.close(id, produced, held, lost);
            }
        }
        ledger
    }

    /// Writes the account of each device, where accounts are kept. After `settle`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_accounts(&self, path: &Path) -> Result<(), FleetError> {
        self.accounts.as_ref().map_or(Ok(()), |accounts| accounts.write(path, &self.devices))
    }

    /// How long readings took, where they are timed.
    pub fn delays(&self) -> Option<DelayReport> {
        self.delays.as_ref().map(Delays::report)
    }

    /// When the fleet had nothing owed for the first time after the last power-on.
    pub const fn drained_at(&self) -> Option<u64> {
        self.drained_at
    }

    /// How many there are.
    pub const fn devices(&self) -> u32 {
        self.devices.len() as u32
    }

    /// Who is back.
    pub const fn returns(&self) -> &Returns {
        &self.returns
    }

    /// Rows so far.
    pub const fn series(&self) -> &Series {
        &self.series
    }
}
