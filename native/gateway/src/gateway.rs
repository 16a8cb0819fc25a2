//! The pipeline.

use crate::drops::{Drop, DropCounters};
use crate::ingress::{Ingress, ingress};
use crate::pace::Pace;
use crate::queue::SinkEntry;
use crate::sink::{Producer, Submission, ack};
use crate::{DROP_NAMES, Entry, GatewayConfig, GatewayError};
use klais_burst_sync::{Data, Frame, Hello, Intake, Lane, Nack, NackReason, Offer};
use klais_dam::{Attempt, Dam, DamError, Layer, Limit};
use klais_units::{NANOS_PER_MICRO, NANOS_PER_SECOND};
use std::collections::{BTreeMap, VecDeque};

/// Readings that may be taken between a HELLO and its ADMIT, granted on top of the backlog stated.
pub(crate) const CREDIT_SLACK: u32 = 8;

/// A frame to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// When.
    pub at: u64,
    /// The gateway's index of the device.
    pub device: u32,
    /// What.
    pub frame: Frame,
}

/// Counters and gauges. Readings unless said otherwise; counters only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// HELLO frames seen.
    pub hellos: u64,
    /// HELLO frames answered with DEFER.
    pub deferred: u64,
    /// In DATA frames that arrived, every copy.
    pub offered: u64,
    /// Accepted for the sink.
    pub admitted: u64,
    /// In DATA frames told to come back later.
    pub turned_away: u64,
    /// Devices with a session.
    pub online: u64,
    /// Waiting for the sink.
    pub queued: u64,
    /// Most that ever waited for the sink.
    pub queued_max: u64,
}

/// One gateway. Devices are named by a dense index that the driver keeps.
pub struct Gateway {
    pub(crate) config: GatewayConfig,
    pub(crate) dam: Dam,
    pub(crate) entries: Vec<Entry>,
    pub(crate) producers: Vec<Producer>,
    pub(crate) next_producer: usize,
    pub(crate) next_batch: u32,
    pub(crate) next_commit: u64,
    pub(crate) undecided_frames: u64,
    pub(crate) budget: i64,
    pub(crate) budget_fraction: u64,
    /// Readings of the largest backfill frame so far.
    pub(crate) largest_history: i64,
    pub(crate) pending_hellos: BTreeMap<u32, Hello>,
    pub(crate) standby: VecDeque<u32>,
    /// About what the devices on standby owe.
    pub(crate) standby_readings: u64,
    pub(crate) backfill_rate: u64,
    pub(crate) pace: Pace,
    pub(crate) transmits: Vec<Transmit>,
    pub(crate) submissions: Vec<Submission>,
    pub(crate) stats: Stats,
    drops: DropCounters,
}

impl Gateway {
    /// An idle gateway.
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
        Ok(Self {
            entries: vec![Entry::default(); config.dam.devices as usize],
            producers: (0..config.producers).map(|_| Producer::default()).collect(),
            next_producer: 0,
            next_batch: 0,
            next_commit: config.commit_offset_micros,
            undecided_frames: 0,
            budget: 0,
            budget_fraction: 0,
            largest_history: 0,
            pending_hellos: BTreeMap::new(),
            standby: VecDeque::new(),
            standby_readings: 0,
            backfill_rate: config.capacity_per_second.max(1),
            pace: Pace::default(),
            transmits: Vec::new(),
            submissions: Vec::new(),
            stats: Stats::default(),
            drops: [0; DROP_NAMES.len()],
            dam,
            config,
        })
    }

    /// Counters so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats { queued: self.queued_readings(), ..self.stats }
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

    /// Changes this gateway's share of the sink, in readings per second, from now on. Promised slots stay.
    ///
    /// # Errors
    /// [`GatewayError::Zero`] for no capacity at all, or what the dam refuses. Nothing has changed then.
    pub fn set_capacity(&mut self, readings_per_second: u64) -> Result<(), GatewayError> {
        if readings_per_second == 0 {
            return Err(GatewayError::Zero("capacity_per_second"));
        }
        let factor = (readings_per_second, self.config.capacity_per_second.max(1));
        let (live, global) = (self.config.dam.live, self.config.dam.global);
        let live = live.map(|limit| scaled(limit, factor));
        let global = global.map(|limit| scaled(limit, factor));
        let before = self.config.dam.live;
        if let Some(limit) = live {
            self.dam.set_limit(Layer::Live, limit)?;
        }
        if let Some(limit) = global {
            self.dam.set_limit(Layer::Global, limit).inspect_err(|_| {
                if let Some(limit) = before {
                    // It was good when it was set.
                    let _ = self.dam.set_limit(Layer::Live, limit);
                }
            })?;
        }
        (self.config.dam.live, self.config.dam.global) = (live, global);
        self.config.capacity_per_second = readings_per_second;
        Ok(())
    }

    /// Changes how many sessions per second are admitted, from now on. Promised slots stay.
    ///
    /// # Errors
    /// What the dam refuses: a rate of 0, or sessions that were never limited. Nothing has changed then.
    pub fn set_sessions(&mut self, per_second: u64) -> Result<(), GatewayError> {
        let Some(limit) = self.config.dam.sessions else {
            return Err(DamError::LayerOff.into());
        };
        let was = limit.events.saturating_mul(NANOS_PER_SECOND) / limit.period_nanos.max(1);
        let limit = scaled(limit, (per_second, was.max(1)));
        self.dam.set_limit(Layer::Sessions, limit)?;
        self.config.dam.sessions = Some(limit);
        Ok(())
    }

    /// Registers a device whose session 1 is up: a fleet in steady state.
    pub fn assume_online(&mut self, device: u32) {
        if let Some(entry) = self.entries.get_mut(device as usize).filter(|e| !e.is_online()) {
            entry.begin_session(1, 0);
            self.stats.online += 1;
            self.dam.remember(device, Attempt { epoch: 0, session: 1 });
        }
    }

    /// The kernel's half, for one frame: see [`ingress`]. Counts. Time may go back by what frames are reordered.
    pub fn ingress(&mut self, now: u64, device: u32, frame: &Frame) -> Ingress {
        match frame {
            Frame::Hello(_) => self.stats.hellos += 1,
            Frame::Data(data) => self.stats.offered += u64::from(data.count),
            _ => {}
        }
        let decided =
            ingress(&self.dam, self.config.slots, now.saturating_mul(NANOS_PER_MICRO), device, frame);
        match decided {
            Ingress::Answer(_) => self.stats.deferred += 1,
            Ingress::Drop(reason) => self.count_drop(reason),
            Ingress::Accept => {}
        }
        decided
    }

    pub(crate) fn count_drop(&mut self, reason: Drop) {
        self.drops[reason.index()] += 1;
    }

    /// User space's half, for a frame that [`Gateway::ingress`] accepted.
    pub fn handle(&mut self, now: u64, device: u32, frame: &Frame) {
        self.poll(now);
        if device as usize >= self.entries.len() {
            self.count_drop(Drop::Misdirected);
            return;
        }
        match frame {
            Frame::Hello(hello) => self.on_hello(now, device, *hello),
            Frame::Data(data) => self.on_data(now, device, data),
            _ => self.count_drop(Drop::Misdirected),
        }
    }

    fn on_data(&mut self, now: u64, device: u32, data: &Data) {
        let entry = self.entries[device as usize];
        if !entry.is_online() || entry.session != data.session {
            self.nack(now, device, data, NackReason::NoSession, 0);
            return;
        }
        let intake = Intake { mark: entry.mark(data.lane), deduplicate: self.config.deduplicate };
        match intake.offer(data) {
            Offer::Known => {
                // With frames undecided the mark is not durable yet: the commit will answer.
                if entry.undecided > 0 {
                    self.entries[device as usize].set_repeated();
                } else {
                    // A proxy does not know what became of its requests: it says that it is there, and no more.
                    let mark = if self.config.deduplicate { entry.mark(data.lane) } else { 0 };
                    self.transmit(now, device, ack(data.session, data.lane, mark));
                }
            }
            Offer::Gap if entry.was_nacked(data.lane) => {}
            Offer::Gap => {
                self.entries[device as usize].set_nacked(data.lane, true);
                self.nack(now, device, data, NackReason::Gap, 0);
            }
            Offer::Append { first, count, end } => self.append(now, device, data, (first, count, end)),
        }
    }

    fn append(&mut self, now: u64, device: u32, data: &Data, (first, count, end): (u32, u16, u32)) {
        let entry = self.entries[device as usize];
        let paced = self.config.slots && data.lane == Lane::Backfill;
        if entry.undecided == u8::MAX {
            self.count_drop(Drop::DeviceInFlight);
            return;
        }
        let is_full = self.undecided_frames >= self.config.undecided_frames_max;
        if is_full || self.queued_readings() + u64::from(count) > self.config.sink_queue_readings {
            self.count_drop(Drop::SinkQueueFull);
            return;
        }
        if paced && entry.credit < count {
            self.end_session(now, device);
            return;
        }
        if paced && !self.has_room_for_backfill(&entry) {
            self.turn_away(now, device, data);
            return;
        }
        let stored = &mut self.entries[device as usize];
        stored.set_mark(data.lane, end);
        stored.set_nacked(data.lane, false);
        stored.undecided += 1;
        self.undecided_frames += 1;
        if paced {
            stored.spend(count, CREDIT_SLACK as u16);
            self.dam.backfill_started(device);
        }
        if data.lane == Lane::Live {
            self.pace.on_live(u64::from(count));
        }
        self.stats.admitted += u64::from(count);
        let (session, lane, stride, due_millis) = (data.session, data.lane, data.stride, data.due_millis);
        let before = entry.mark(lane);
        let accepted = SinkEntry { device, session, lane, first, count, stride, before, end, due_millis };
        let one_lane = !self.config.slots;
        self.producer_of(device).queue.push(accepted, one_lane);
        self.stats.queued_max = self.stats.queued_max.max(self.queued_readings());
    }

    pub(crate) fn nack(&mut self, now: u64, device: u32, data: &Data, reason: NackReason, delay_millis: u32) {
        let mark = self.entries[device as usize].mark(data.lane);
        let nack =
            Nack { session: data.session, lane: data.lane, mark, delay_millis, round: data.round, reason };
        self.transmit(now, device, Frame::Nack(nack));
    }

    /// Does what was due up to and including `now`.
    pub fn poll(&mut self, now: u64) {
        if self.is_idle() {
            self.skip_commits(now);
        }
        while self.next_commit <= now {
            self.commit_tick(self.next_commit);
        }
        while self.config.slots && self.pace.next_tick() <= now {
            self.pace_tick(self.pace.next_tick());
        }
    }

    /// Nothing waits for the sink or for its decision: until the next frame, polling changes nothing that shows.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.standby.is_empty() && self.producers.iter().all(Producer::is_idle)
    }

    /// When [`Gateway::poll`] has something to do next.
    #[must_use]
    pub fn next_deadline(&self) -> u64 {
        if self.config.slots { self.next_commit.min(self.pace.next_tick()) } else { self.next_commit }
    }

    /// The process dies and starts again: sessions, queues, and what was not committed are gone. Marks come back from
    /// the checkpoints; the caller must have reported the outcome of every batch that the sink knew of.
    pub fn restart(&mut self, now: u64) {
        self.roll_back_undecided();
        for entry in &mut self.entries {
            entry.forget_session();
            if !self.config.deduplicate {
                entry.set_mark(Lane::Live, 0);
                entry.set_mark(Lane::Backfill, 0);
            }
        }
        for producer in &mut self.producers {
            *producer = Producer::default();
        }
        self.pending_hellos.clear();
        self.standby.clear();
        self.standby_readings = 0;
        self.transmits.clear();
        self.submissions.clear();
        self.stats.online = 0;
        self.budget = 0;
        self.undecided_frames = 0;
        self.pace.on_restart();
        if let Ok(dam) = Dam::new(self.config.dam.clone()) {
            self.dam = dam;
        }
        for (device, entry) in (0..).zip(&self.entries).filter(|(_, entry)| entry.is_known()) {
            self.dam.remember(device, Attempt { epoch: entry.epoch, session: entry.session });
        }
        self.poll(now);
    }

    /// Takes the frames to send, in the order of their decisions.
    pub fn take_transmits(&mut self) -> std::vec::Drain<'_, Transmit> {
        self.transmits.drain(..)
    }

    /// Takes the transactions to hand to the sink.
    pub fn take_submissions(&mut self) -> std::vec::Drain<'_, Submission> {
        self.submissions.drain(..)
    }
}

/// Rate and burst times `now / was`, at least one event each unless the rate is to be 0.
fn scaled(limit: Limit, (now, was): (u64, u64)) -> Limit {
    let scale = |n: u64| {
        let scaled = u128::from(n) * u128::from(now) / u128::from(was);
        u64::try_from(scaled).unwrap_or(u64::MAX)
    };
    let burst = scale(limit.burst).clamp(1, u64::from(u32::MAX));
    let events = if now == 0 { 0 } else { scale(limit.events).max(1) };
    Limit { events, burst, ..limit }
}

pub(crate) fn millis(micros: u64) -> u32 {
    u32::try_from(micros.div_ceil(1_000)).unwrap_or(u32::MAX)
}
