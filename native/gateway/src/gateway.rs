//! The pipeline.

use crate::backfill::Promise;
use crate::control::Control;
use crate::drops::{Drop, DropCounters};
use crate::ingress::{Ingress, ingress};
use crate::intake::no_session;
use crate::pace::Pace;
use crate::shard::{NEVER, Shard};
use crate::{DROP_NAMES, Entry, GatewayConfig, GatewayError, Payload, SinkRequest, Stats};
use klais_burst_sync::{Frame, Hello, Term};
use klais_dam::{Attempt, Dam};
use klais_units::NANOS_PER_MICRO;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

/// Readings that may be taken between a HELLO and its ADMIT, granted on top of the backlog stated.
pub(crate) const CREDIT_SLACK: u32 = 8;

/// A frame to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// When.
    pub at: u64,
    /// Whose.
    pub device: u32,
    /// What.
    pub frame: Frame,
}

/// One gateway. It knows every device of the fleet by its number, and serves those of the shards that it owns. `P` is what
/// readings are kept as.
pub struct Gateway<P = ()> {
    pub(crate) config: GatewayConfig,
    pub(crate) dam: Dam,
    pub(crate) shards: Vec<Shard<P>>,
    /// Numbers of the shards served, rising.
    pub(crate) serving: Vec<u32>,
    /// Who is alive, by number.
    pub(crate) members: Vec<bool>,
    /// Of the sink, for the shards served.
    pub(crate) capacity_per_second: u64,
    /// The same, where the controller has found it out.
    pub(crate) learnt_capacity: Option<u64>,
    pub(crate) next_turn: usize,
    pub(crate) next_batch: u32,
    pub(crate) next_commit: u64,
    /// When the next shard is to be opened.
    pub(crate) next_open: u64,
    pub(crate) ownership_changes: u64,
    pub(crate) undecided_frames: u64,
    /// Shards whose `proof_due` is set.
    pub(crate) proofs_due: u32,
    /// Readings that wait for the sink, and of these the backfill.
    pub(crate) queued_readings: u64,
    pub(crate) queued_backfill: u64,
    pub(crate) budget: i64,
    pub(crate) budget_fraction: u64,
    /// Readings of the largest backfill frame so far.
    pub(crate) largest_history: i64,
    pub(crate) pending_hellos: BTreeMap<u32, Hello>,
    pub(crate) standby: VecDeque<u32>,
    /// Devices with a slot to come, in their order, where the rate is learnt.
    pub(crate) promised: VecDeque<Promise>,
    /// Those of them that were called, in the order in which they are called again.
    pub(crate) called: BinaryHeap<Reverse<Promise>>,
    /// About what the devices owe that were called and have not come.
    pub(crate) called_readings: u64,
    /// About what the devices on standby owe.
    pub(crate) standby_readings: u64,
    pub(crate) backfill_rate: u64,
    pub(crate) pace: Pace,
    pub(crate) transmits: Vec<Transmit>,
    pub(crate) requests: Vec<SinkRequest<P>>,
    pub(crate) stats: Stats,
    /// Readings handed to the sink and not decided.
    pub(crate) in_flight_readings: u64,
    pub(crate) control: Control,
    drops: DropCounters,
}

/// How a gateway stands to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Its shard is served here.
    Served,
    /// Its shard will be served here soon.
    Coming,
    /// Its shard is another gateway's.
    Elsewhere(u32),
    /// Nobody is known to own its shard.
    Nobodys,
}

impl<P: Payload> Gateway<P> {
    /// An idle gateway that owns nothing yet.
    ///
    /// # Errors
    /// A configuration that cannot work.
    pub fn new(config: GatewayConfig) -> Result<Self, GatewayError> {
        let dam = Dam::new(config.dam.clone())?;
        Self::with_dam(config, dam)
    }

    /// An idle gateway behind a dam that was made from `config.dam`: over the kernel's memory, where the kernel filters.
    ///
    /// # Errors
    /// A configuration that cannot work.
    pub fn with_dam(config: GatewayConfig, dam: Dam) -> Result<Self, GatewayError> {
        config.check()?;
        let mut gateway = Self {
            shards: (0..config.shards).map(|_| Shard::default()).collect(),
            serving: Vec::new(),
            members: vec![false; config.gateways as usize],
            capacity_per_second: config.capacity_per_second.max(1),
            learnt_capacity: None,
            next_turn: 0,
            next_batch: 0,
            next_commit: config.commit_offset_micros,
            next_open: NEVER,
            ownership_changes: 0,
            undecided_frames: 0,
            proofs_due: 0,
            queued_readings: 0,
            queued_backfill: 0,
            budget: 0,
            budget_fraction: 0,
            largest_history: 0,
            pending_hellos: BTreeMap::new(),
            standby: VecDeque::new(),
            promised: VecDeque::new(),
            called: BinaryHeap::new(),
            called_readings: 0,
            standby_readings: 0,
            backfill_rate: config.capacity_per_second.max(1),
            pace: Pace::default(),
            transmits: Vec::new(),
            requests: Vec::new(),
            stats: Stats::default(),
            in_flight_readings: 0,
            control: Control::new(&config.controller),
            drops: [0; DROP_NAMES.len()],
            dam,
            config,
        };
        gateway.serve_everything();
        Ok(gateway)
    }

    /// A proxy that keeps no marks serves whoever comes.
    fn serve_everything(&mut self) {
        if !self.config.deduplicate {
            self.shards.iter_mut().for_each(|shard| shard.state = crate::shard::State::Serving);
            self.on_ownership_changed();
        }
    }

    /// Counters so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats { queued: self.queued_readings, shards: self.serving.len() as u64, ..self.stats }
    }

    /// Frames dropped so far, in the order of [`DROP_NAMES`].
    #[must_use]
    pub fn drops(&self) -> &DropCounters {
        &self.drops
    }

    /// The dam, to change rates and blocks at run time.
    #[must_use]
    pub fn dam(&self) -> &Dam {
        &self.dam
    }

    /// Whether the devices of a shard are served here.
    #[must_use]
    pub fn serves(&self, shard: u32) -> bool {
        self.shards.get(shard as usize).is_some_and(Shard::is_served)
    }

    /// Whether frames of a shard's devices are another gateway's.
    #[must_use]
    pub fn is_elsewhere(&self, shard: u32) -> bool {
        matches!(self.standing(shard), Standing::Elsewhere(_))
    }

    /// Rises whenever [`Gateway::is_elsewhere`] may answer otherwise than before.
    #[must_use]
    pub fn ownership_changes(&self) -> u64 {
        self.ownership_changes
    }

    /// Shards that this gateway is to serve and does not yet.
    #[must_use]
    pub fn shards_coming(&self) -> usize {
        self.shards.iter().filter(|shard| shard.is_coming() || shard.open_at != NEVER).count()
    }

    /// Registers a device whose session 1 is up: a fleet in steady state. Its shard must be served.
    pub fn assume_online(&mut self, device: u32) {
        self.ensure_table(device);
        if let Some(entry) = self.entry_mut(device).filter(|e| !e.is_online()) {
            entry.begin_session(1, 0);
            self.stats.online += 1;
            self.dam.remember(self.dam_index(device), Attempt { epoch: 0, session: 1 });
        }
    }

    /// The kernel's half, for one frame: see [`ingress`]. Counts. What belongs to another gateway is sent there without
    /// asking the dam. Time may go back by what frames are reordered.
    pub fn ingress(&mut self, now: u64, device: u32, frame: &Frame) -> Ingress {
        match frame {
            Frame::Hello(_) => self.stats.hellos += 1,
            Frame::Data(data) => self.stats.offered += u64::from(data.count),
            _ => {}
        }
        let (standing, place) = (self.standing(device), self.dam_index(device));
        // Who is served is looked up by the dam below.
        if standing != Standing::Served {
            if let Err(reason) = self.dam.knows(place) {
                self.count_drop(Drop::Dam(reason));
                return Ingress::Drop(Drop::Dam(reason));
            }
            if let Some(answer) = self.answer_for_another(standing, frame) {
                return Ingress::Answer(answer);
            }
        }
        let nanos = now.saturating_mul(NANOS_PER_MICRO);
        let decided = ingress(&self.dam, self.config.slots, nanos, place, frame);
        match decided {
            Ingress::Answer(_) => self.stats.deferred += 1,
            Ingress::Drop(reason) => self.count_drop(reason),
            Ingress::Accept => {}
        }
        decided
    }

    /// What a device hears whose shard is another gateway's.
    fn answer_for_another(&mut self, standing: Standing, frame: &Frame) -> Option<Frame> {
        match (standing, frame) {
            (Standing::Elsewhere(owner), Frame::Hello(hello)) => {
                self.stats.redirected += 1;
                Some(self.redirect(hello, owner))
            }
            (Standing::Elsewhere(_) | Standing::Coming, Frame::Data(data)) => Some(no_session(data)),
            _ => None,
        }
    }

    pub(crate) fn count_drop(&mut self, reason: Drop) {
        self.drops[reason.index()] += 1;
    }

    fn standing(&self, device: u32) -> Standing {
        let number = device % self.config.shards;
        match &self.shards[number as usize] {
            shard if shard.is_served() => Standing::Served,
            shard if shard.is_coming() || shard.open_at != NEVER => Standing::Coming,
            _ => match self.owner(number) {
                Some(owner) if owner != self.config.gateway => Standing::Elsewhere(owner),
                _ => Standing::Nobodys,
            },
        }
    }

    /// User space's half, for a frame that [`Gateway::ingress`] accepted, or the kernel in its place. `payload`: the
    /// readings of DATA.
    pub fn handle(&mut self, now: u64, device: u32, frame: &Frame, payload: P) {
        self.poll(now);
        if device >= self.config.devices {
            self.count_drop(Drop::Misdirected);
            return;
        }
        let standing = self.standing(device);
        if let Some(answer) = self.answer_for_another(standing, frame) {
            self.transmit(now, device, answer);
            return;
        }
        if matches!(frame, Frame::Hello(_)) {
            self.control.wake();
        }
        match (frame, standing) {
            (Frame::Hello(_) | Frame::Data(_), Standing::Nobodys) => self.count_drop(Drop::NoOwner),
            (Frame::Hello(hello), Standing::Coming) => self.hold_hello(device, *hello),
            (Frame::Hello(hello), _) => {
                self.ensure_table(device);
                self.on_hello(now, device, *hello);
            }
            (Frame::Data(data), _) => {
                self.ensure_table(device);
                self.on_data(now, device, data, payload);
            }
            _ => self.count_drop(Drop::Misdirected),
        }
    }

    /// A proxy serves everybody, but has a table only for those who came.
    fn ensure_table(&mut self, device: u32) {
        let number = device % self.config.shards;
        let shard = &self.shards[number as usize];
        if shard.is_served() && shard.entries.is_empty() {
            self.allocate(number);
        }
    }

    /// What is known of a device; nothing, where its shard is not served.
    #[must_use]
    pub fn entry(&self, device: u32) -> Entry {
        let (shard, index) = (device % self.config.shards, device / self.config.shards);
        self.shards[shard as usize].entries.get(index as usize).copied().unwrap_or_default()
    }

    pub(crate) fn entry_mut(&mut self, device: u32) -> Option<&mut Entry> {
        let (shard, index) = (device % self.config.shards, device / self.config.shards);
        self.shards[shard as usize].entries.get_mut(index as usize)
    }

    pub(crate) fn term_of(&self, device: u32) -> Term {
        self.shards[(device % self.config.shards) as usize].term
    }

    pub(crate) fn dam_index(&self, device: u32) -> u32 {
        self.config.dam_index(device)
    }

    /// Does what was due up to and including `now`.
    pub fn poll(&mut self, now: u64) {
        if self.next_open <= now {
            self.open_due(now);
        }
        self.tick_until(now);
        self.commit_until(now);
        while self.config.slots && self.pace.next_tick() <= now {
            self.pace_tick(self.pace.next_tick());
        }
    }

    /// Nothing waits for the sink or for its decision, nor for a shard: until the next frame, polling changes nothing that
    /// shows.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let nobody_waits = self.standby.is_empty() && self.promised.is_empty() && self.called.is_empty();
        let nothing_waits = nobody_waits && self.undecided_frames == 0;
        nothing_waits && self.proofs_due == 0 && self.next_open == NEVER
    }

    /// When [`Gateway::poll`] has something to do next.
    #[must_use]
    pub fn next_deadline(&self) -> u64 {
        let next = self.next_commit.min(self.next_open).min(self.control.next_tick());
        if self.config.slots { next.min(self.pace.next_tick()) } else { next }
    }

    /// The process dies and starts again: it knows nothing and owns nothing. What a shard's devices had comes back with its
    /// checkpoints once it is opened.
    pub fn restart(&mut self, now: u64) {
        self.poll(now);
        let fresh = |_| Shard::default();
        self.shards = (0..self.config.shards).map(fresh).collect();
        self.members.fill(false);
        self.pending_hellos.clear();
        self.standby.clear();
        self.standby_readings = 0;
        self.promised.clear();
        self.called.clear();
        self.called_readings = 0;
        self.transmits.clear();
        self.requests.clear();
        self.stats.online = 0;
        self.budget = 0;
        self.undecided_frames = 0;
        self.proofs_due = 0;
        (self.queued_readings, self.queued_backfill) = (0, 0);
        self.in_flight_readings = 0;
        self.learnt_capacity = None;
        self.control.restart(&self.config.controller);
        self.pace.on_restart();
        if let Ok(dam) = Dam::new(self.config.dam.clone()) {
            self.dam = dam;
        }
        self.on_ownership_changed();
        self.serve_everything();
        self.poll(now);
    }

    /// Takes the frames to send, in the order of their decisions.
    pub fn take_transmits(&mut self) -> std::vec::Drain<'_, Transmit> {
        self.transmits.drain(..)
    }

    /// Takes what is for the sink, in order.
    pub fn take_sink_requests(&mut self) -> std::vec::Drain<'_, SinkRequest<P>> {
        self.requests.drain(..)
    }
}

pub(crate) fn millis(micros: u64) -> u32 {
    u32::try_from(micros.div_ceil(1_000)).unwrap_or(u32::MAX)
}
