//! The controller at its place in the gateway: what it is told, when it is asked, and how its decisions take hold.

use crate::decision_log::{Decided, DecisionLog};
use crate::gateway::Gateway;
use crate::shard::{InFlight, NEVER};
use crate::{Drop, Payload};
use klais_brain::control::{
    Arrival, Commit, CommitsSeen, Controller, ControllerConfig, Decision, LaneSeen, Observation, TICK_MICROS,
    Verdict,
};
use klais_burst_sync::{Data, Lane};

/// Ticks made up for at once; a clock that has jumped further goes on from where it is.
const CATCH_UP_TICKS_MAX: u64 = 6_000;

/// A gateway's controller, what it has not been told yet, and what it has decided last.
#[derive(Debug)]
pub(crate) struct Control {
    controller: Controller,
    next_tick: u64,
    last_tick: u64,
    live: LaneSeen,
    backfill: LaneSeen,
    commits: CommitsSeen,
    submitted_readings: u64,
    /// Nothing has come or been decided since the last tick.
    is_quiet: bool,
    slots_kept: u64,
    slots_missed: u64,
    cpu_permille: Option<u32>,
    pub(crate) decision: Decision,
    log: DecisionLog,
}

impl Control {
    pub(crate) fn new(config: &ControllerConfig) -> Self {
        let controller = Controller::new(config);
        Self {
            next_tick: if controller.is_active() { 0 } else { NEVER },
            last_tick: 0,
            controller,
            live: LaneSeen::default(),
            backfill: LaneSeen::default(),
            commits: CommitsSeen::default(),
            submitted_readings: 0,
            is_quiet: true,
            slots_kept: 0,
            slots_missed: 0,
            cpu_permille: None,
            decision: Decision::default(),
            log: DecisionLog::default(),
        }
    }

    /// The controller begins anew; what was decided before is still told.
    pub(crate) fn restart(&mut self, config: &ControllerConfig) {
        let log = std::mem::take(&mut self.log);
        *self = Self { log, ..Self::new(config) };
    }

    pub(crate) fn is_active(&self) -> bool {
        self.next_tick != NEVER
    }

    pub(crate) fn next_tick(&self) -> u64 {
        self.next_tick
    }

    /// Something has come: the next tick is not to be left out.
    pub(crate) fn wake(&mut self) {
        self.is_quiet = false;
    }

    /// A device that was promised a slot has begun, or has let it pass.
    pub(crate) fn on_slot(&mut self, is_kept: bool) {
        self.slots_kept += u64::from(is_kept);
        self.slots_missed += u64::from(!is_kept);
    }

    pub(crate) fn on_submitted(&mut self, readings: u64) {
        self.submitted_readings += readings;
        self.is_quiet &= readings == 0;
    }

    /// Readings are taken in.
    pub(crate) fn on_accepted(&mut self, lane: Lane, readings: u64) {
        let seen = match lane {
            Lane::Live => &mut self.live,
            Lane::Backfill => &mut self.backfill,
        };
        seen.accepted += readings;
    }
}

impl<P: Payload> Gateway<P> {
    /// What the controller has decided last.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.control.decision
    }

    /// What it has decided so far, as far as it is kept: changes that matter, the newest last.
    pub fn decisions(&self) -> impl Iterator<Item = Decided> {
        self.control.log.entries()
    }

    /// How much of its CPU this gateway uses, in thousandths, for controllers that look at it.
    pub fn set_cpu(&mut self, permille: u32) {
        self.control.cpu_permille = Some(permille);
    }

    /// Does what is due before `now`, so that the dam stands as it should when a frame arrives then.
    pub fn catch_up(&mut self, now: u64) {
        if self.control.is_active() {
            self.poll(now.saturating_sub(1));
        }
    }

    /// Whether a frame with something new in it is taken in; one that is not is counted, and its device hears nothing.
    pub(crate) fn is_let_in(&mut self, now: u64, device: u32, data: &Data, readings: u64) -> bool {
        if !self.control.is_active() {
            return true;
        }
        let arrival = Arrival {
            now,
            device,
            lane: known_as(data.lane),
            readings,
            undecided_frames: self.undecided_frames,
            queued_readings: self.queued_readings,
            online: self.stats.online,
        };
        let is_full = self.undecided_frames >= self.control.decision.undecided_frames_max;
        let verdict = if is_full { Verdict::Refuse } else { self.control.controller.on_arrival(&arrival) };
        if verdict == Verdict::Refuse {
            self.count_drop(Drop::Controller);
        }
        verdict == Verdict::Accept
    }

    /// A transaction with readings in it has been decided.
    pub(crate) fn note_outcome(&mut self, now: u64, done: &InFlight<P>, is_committed: bool) {
        if !self.control.is_active() || done.readings == 0 {
            return;
        }
        let commit = Commit {
            heard_micros: now,
            submitted_micros: done.at,
            accepted_micros: done.since,
            readings: done.readings,
            frames: done.entries.len() as u64,
            in_flight_readings: done.in_flight_readings,
            is_committed,
        };
        self.control.wake();
        self.control.commits.add(&commit);
        self.control.controller.on_commit(&commit);
    }

    /// Nobody knows what became of a shard's transaction.
    pub(crate) fn note_failure(&mut self, now: u64, number: u32) {
        let in_flight = &mut self.shards[number as usize].in_flight;
        if let Some(failed) = in_flight.pop_front() {
            self.note_outcome(now, &failed, false);
            self.shards[number as usize].in_flight.push_front(failed);
        }
    }

    /// The ticks up to and including `now`, each after the transactions that begin before it.
    pub(crate) fn tick_until(&mut self, now: u64) {
        let mut left = CATCH_UP_TICKS_MAX;
        while self.control.next_tick <= now {
            let is_quiet = self.is_idle() && self.control.is_quiet;
            if left == 0 || is_quiet && self.control.controller.is_at_rest() {
                let at = now - now % TICK_MICROS;
                self.control.last_tick = at;
                self.control.next_tick = at.saturating_add(TICK_MICROS);
                return;
            }
            left -= 1;
            let at = self.control.next_tick;
            self.commit_until(at);
            self.control_tick(at);
        }
    }

    fn control_tick(&mut self, at: u64) {
        let seen = self.observe(at);
        let control = &mut self.control;
        (control.live, control.backfill) = (LaneSeen::default(), LaneSeen::default());
        control.commits = CommitsSeen::default();
        (control.submitted_readings, control.is_quiet) = (0, true);
        (control.slots_kept, control.slots_missed) = (0, 0);
        control.last_tick = at;
        control.next_tick = (at - at % TICK_MICROS).saturating_add(TICK_MICROS);
        let before = control.decision;
        control.decision = control.controller.tick(&seen);
        control.log.note(at, control.decision);
        self.carry_out(before);
        if self.config.slots && self.control.decision.is_history_open {
            self.call_waiting(at);
        }
    }

    fn observe(&self, at: u64) -> Observation {
        let control = &self.control;
        let served = || self.serving.iter().map(|number| &self.shards[*number as usize]);
        let under_way = || served().filter_map(|shard| shard.in_flight.front());
        let live = served().map(|shard| shard.queue.live_readings()).sum();
        let oldest = served().filter_map(|shard| shard.queue.since()).min();
        Observation {
            now: at,
            elapsed_micros: at.saturating_sub(control.last_tick),
            live: LaneSeen { queued: live, ..control.live },
            backfill: LaneSeen { queued: self.queued_readings.saturating_sub(live), ..control.backfill },
            commits: control.commits,
            submitted_readings: control.submitted_readings,
            in_flight: served().map(|shard| shard.in_flight.len() as u64).sum(),
            in_flight_readings: self.in_flight_readings,
            in_flight_micros_max: under_way().map(|b| at.saturating_sub(b.at)).max().unwrap_or(0),
            undecided_frames: self.undecided_frames,
            is_held_back: self.config.slots && self.queued_backfill > 0 && self.budget <= 0,
            queued_micros_max: oldest.map_or(0, |since| at.saturating_sub(since)),
            online: self.stats.online,
            slots_kept: control.slots_kept,
            slots_missed: control.slots_missed,
            shards: self.serving.len() as u64,
            cpu_permille: control.cpu_permille,
        }
    }

    /// What has changed since the decision before takes hold. A rate that the dam cannot keep leaves the former one.
    fn carry_out(&mut self, before: Decision) {
        let now = self.control.decision;
        if let Some(capacity) = now.capacity_per_second
            && before.capacity_per_second != now.capacity_per_second
        {
            self.set_share(capacity);
        }
        if let Some(rate) = now.admit_per_second
            && before.admit_per_second != now.admit_per_second
        {
            let _ = self.set_admitted(rate);
        }
        if let Some(sessions) = now.sessions_per_second
            && before.sessions_per_second != now.sessions_per_second
        {
            let _ = self.set_sessions(sessions);
        }
    }

    /// History that may be handed to the sink now, in readings.
    pub(crate) fn history_allowed(&self, budget: i64) -> u64 {
        let Decision { in_flight_readings_max, is_history_open, .. } = self.control.decision;
        let budget = if self.config.slots { u64::try_from(budget).unwrap_or(0) } else { u64::MAX };
        let room = in_flight_readings_max.saturating_sub(self.in_flight_readings);
        if is_history_open { budget.min(room) } else { 0 }
    }
}

fn known_as(lane: Lane) -> klais_brain::control::Lane {
    match lane {
        Lane::Live => klais_brain::control::Lane::Live,
        Lane::Backfill => klais_brain::control::Lane::Backfill,
    }
}
