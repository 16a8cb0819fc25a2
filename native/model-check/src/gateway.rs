//! A gateway, as far as one shard is concerned.

use crate::code::code;
use crate::frame::{Frame, LIVE, real_data};
use crate::log::{Log, Run, Runs, Transaction};
use crate::setup::{DEVICES, Rule, Setup, Start};
use klais_burst_sync::{Intake, Offer};
use std::hash::{Hash, Hasher};

/// How a gateway stands to the shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Somebody else's.
    #[default]
    Foreign,
    /// Fenced, the checkpoints are not read yet.
    Opening,
    /// Its claim is on its way.
    Claiming,
    /// Its own, as far as it knows.
    Serving,
    /// Its own, as far as it knows, and fenced again after a failure: the checkpoints are not read yet.
    Reopening,
}

/// What a gateway knows of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Of the device's ring.
    pub epoch: u8,
    /// The newest that it knows.
    pub session: u8,
    /// The session was granted here.
    pub is_online: bool,
    /// Everything below is accepted, per lane.
    pub marks: [u8; 2],
}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let who = [(4, self.epoch), (8, self.session), (1, u8::from(self.is_online))];
        state.write_u64(code(who) << 8 | code([(4, self.marks[0]), (4, self.marks[1])]));
    }
}

/// A gateway process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gateway {
    /// How it stands to the shard.
    pub phase: Phase,
    /// Epoch of its producer.
    pub producer: u8,
    /// Its own.
    pub term: Option<u8>,
    /// Per device.
    pub entries: [Entry; DEVICES],
    /// What waits for the log, live before backfill.
    pub queue: Runs,
    /// What it has handed to the log.
    pub in_flight: Runs,
    /// The same of a term record.
    pub claim: Option<u8>,
}

impl Gateway {
    /// As the world begins.
    pub(crate) fn new(start: Start, number: usize) -> Self {
        let entry = Entry { session: 1, is_online: true, ..Entry::default() };
        match start {
            Start::Steady if number == 0 => {
                Self { phase: Phase::Serving, term: Some(0), entries: [entry; DEVICES], ..Self::default() }
            }
            _ => Self::default(),
        }
    }

    /// Devices have sessions here.
    #[must_use]
    pub fn serves(&self) -> bool {
        matches!(self.phase, Phase::Serving | Phase::Reopening)
    }

    /// It has handed something to the log and not heard of it.
    #[must_use]
    pub fn awaits_outcome(&self) -> bool {
        self.claim.is_some() || !self.in_flight.is_empty()
    }

    fn has_undecided(&self, device: u8) -> bool {
        self.queue.iter().chain(&self.in_flight).any(|run| run.device == device)
    }

    /// Fences whoever has the shard.
    pub(crate) fn open(&mut self, log: &mut Log, setup: &Setup) {
        if !setup.holds(Rule::FenceBeforeRestore) {
            self.restore(log, setup);
        }
        self.producer = log.fence();
        self.phase = if self.serves() { Phase::Reopening } else { Phase::Opening };
    }

    /// The checkpoints are read: an owner that still is one goes on, any other claims the shard.
    pub(crate) fn read(&mut self, log: &mut Log, setup: &Setup, out: &mut Vec<Frame>) {
        let is_own = self.term.is_some() && self.term == log.term;
        if self.phase == Phase::Reopening && (is_own || !setup.holds(Rule::ForgetsUnderOtherTerm)) {
            self.phase = Phase::Serving;
            self.claim = None;
            self.judge_batch(log, setup, out);
            return;
        }
        if self.phase == Phase::Reopening || setup.holds(Rule::FenceBeforeRestore) {
            self.restore(log, setup);
        }
        self.queue.clear();
        self.in_flight.clear();
        self.claim = None;
        if !setup.holds(Rule::OwnTermIsConfirmed) && is_own {
            self.phase = Phase::Serving;
            return;
        }
        let first = u8::from(setup.holds(Rule::FirstClaimIsNew));
        let term = log.term.map_or(first, |term| setup.term_after(term));
        let is_confirmed = setup.holds(Rule::OwnTermIsConfirmed) && setup.holds(Rule::ClaimBeforeServing);
        self.term = if is_confirmed { None } else { Some(term) };
        if setup.holds(Rule::ClaimBeforeServing) {
            self.phase = Phase::Claiming;
            self.claim = Some(term);
            self.submit(log, Runs::new(), setup);
        } else {
            self.phase = Phase::Serving;
        }
    }

    /// The marks say whether what was in flight is in the log; if not, it goes back in front.
    fn judge_batch(&mut self, log: &Log, setup: &Setup, out: &mut Vec<Frame>) {
        let is_stored = self.in_flight.first().is_some_and(|run| {
            let stored = log.checkpoints[run.device as usize][run.lane as usize];
            stored.is_some_and(|stored| stored.epoch == run.epoch && stored.mark >= run.end())
        });
        if is_stored && setup.holds(Rule::BatchJudgedByMarks) {
            self.acknowledge(out);
        } else {
            self.put_back();
        }
    }

    pub(crate) fn put_back(&mut self) {
        let (front, back) = (std::mem::take(&mut self.in_flight), std::mem::take(&mut self.queue));
        for lane in [LIVE, 1 - LIVE] {
            self.queue.extend(front.iter().chain(&back).filter(|run| run.lane == lane).copied());
        }
    }

    fn restore(&mut self, log: &Log, setup: &Setup) {
        for (device, entry) in self.entries.iter_mut().enumerate() {
            *entry = Entry::default();
            let Some((epoch, session)) = log.newest(device) else { continue };
            let marks = log.checkpoints[device].map(|stored| {
                let stored = stored.filter(|s| s.epoch == epoch || !setup.holds(Rule::RestoreByEpoch));
                stored.map_or(0, |stored| stored.mark)
            });
            *entry = Entry { epoch, session, is_online: false, marks };
        }
    }

    /// Hands runs, or its claim, to the log. What a fenced producer says reaches nobody.
    pub(crate) fn submit(&mut self, log: &mut Log, runs: Runs, setup: &Setup) {
        if self.producer == log.producer {
            if !setup.holds(Rule::OneTransaction) {
                log.append(&runs);
            }
            // Where the marks follow in a step of their own, a stray EndTxn can fall between.
            let is_complete = setup.holds(Rule::FenceAfterError) || self.claim.is_some();
            log.open = Some(Transaction { runs: runs.clone(), claim: self.claim, is_complete });
        }
        self.in_flight = runs;
    }

    /// What is in flight has been committed.
    pub(crate) fn learn(&mut self, out: &mut Vec<Frame>) {
        if let Some(term) = self.claim.take() {
            self.term = Some(term);
            self.phase = Phase::Serving;
        }
        self.acknowledge(out);
    }

    fn acknowledge(&mut self, out: &mut Vec<Frame>) {
        for run in std::mem::take(&mut self.in_flight) {
            let Run { device, session, lane, .. } = run;
            if self.entries[device as usize].session == session {
                out.push(Frame::Ack { device, session, lane, mark: run.end() });
            }
        }
    }

    /// A frame arrives while it serves.
    pub(crate) fn receive(&mut self, frame: Frame, setup: &Setup, out: &mut Vec<Frame>) {
        match frame {
            Frame::Hello { .. } => self.on_hello(frame, setup, out),
            Frame::Data { .. } => self.on_data(frame, setup, out),
            _ => {}
        }
    }

    fn on_hello(&mut self, frame: Frame, setup: &Setup, out: &mut Vec<Frame>) {
        let Frame::Hello { device, session, epoch, .. } = frame else { return };
        let must_wait = setup.holds(Rule::HelloWaits) && self.has_undecided(device);
        let entry = &mut self.entries[device as usize];
        let is_old = epoch < entry.epoch || epoch == entry.epoch && session < entry.session;
        let is_again = entry.is_online && session == entry.session && epoch == entry.epoch;
        if is_old || must_wait && !is_again {
            return;
        }
        if !is_again {
            let marks = if epoch == entry.epoch { entry.marks } else { [0; 2] };
            *entry = Entry { epoch, session, is_online: true, marks };
        }
        let (term, marks) = (self.term.unwrap_or(0), entry.marks);
        out.push(Frame::Admit { device, session, term, marks });
    }

    fn on_data(&mut self, frame: Frame, setup: &Setup, out: &mut Vec<Frame>) {
        let Frame::Data { device, session, term, lane, prev, first, count, base, .. } = frame else { return };
        let entry = self.entries[device as usize];
        let is_ours = self.term == Some(term) || !setup.holds(Rule::DataNamesTerm);
        if !entry.is_online || entry.session != session || !is_ours {
            return;
        }
        let (epoch, mark) = (entry.epoch, entry.marks[lane as usize]);
        let intake = Intake { mark: u32::from(mark), deduplicate: true };
        match intake.offer(&real_data(session, lane, prev, first, count)) {
            Offer::Append { first, count, end } => {
                let (first, count) = (first as u8, count as u8);
                self.entries[device as usize].marks[lane as usize] = end as u8;
                self.enqueue(Run { device, lane, epoch, session, first, count, base });
                if !setup.holds(Rule::AckAfterCommit) {
                    out.push(Frame::Ack { device, session, lane, mark: end as u8 });
                }
            }
            Offer::Known if self.has_undecided_on(device, lane) => {}
            Offer::Known => out.push(Frame::Ack { device, session, lane, mark }),
            Offer::Gap => out.push(Frame::Gap { device, session, lane, mark }),
        }
    }

    fn has_undecided_on(&self, device: u8, lane: u8) -> bool {
        self.queue.iter().chain(&self.in_flight).any(|run| run.device == device && run.lane == lane)
    }

    fn enqueue(&mut self, run: Run) {
        let live = self.queue.iter().filter(|waiting| waiting.lane == LIVE).count();
        self.queue.insert(if run.lane == LIVE { live } else { self.queue.len() }, run);
    }
}
