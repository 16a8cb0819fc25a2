//! Who owns which shard, and how one is taken over.
//!
//! Membership comes from outside and may be wrong: it decides who *tries*. That two gateways never both store readings of
//! a shard is the fence's work, and what the second one must know is in the log that it reads after the fence.

use crate::gateway::Gateway;
use crate::shard::{InFlight, NEVER, Shard, State};
use crate::{Checkpoint, Outcome, Payload, SinkRequest, Submission};
use klais_burst_sync::Term;
use klais_dam::Attempt;

/// How long after a failure a shard is opened again; doubles while others take it away.
pub(crate) const REOPEN_MICROS: u64 = 1_000_000;
const LOSS_DOUBLINGS_MAX: u32 = 5;
/// Who has kept a shard for so long, twice the longest pause, quarrels with nobody any more.
const PEACE_MICROS: u64 = REOPEN_MICROS << (LOSS_DOUBLINGS_MAX + 1);
/// Who opens a session and has committed nothing for so long commits an empty transaction: it may have been replaced
/// without hearing of it, and a device that has heard of its successor believes none of its ADMITs.
const PROOF_MICROS: u64 = 5_000_000;

/// Who is to own `shard`, given who is alive: its home `shard % gateways`, else the first one alive of a list that differs
/// from shard to shard, so that the shards of a gateway that dies are spread over the others. `None` if nobody is alive.
#[must_use]
pub fn owner_of(shard: u32, gateways: u32, is_alive: impl Fn(u32) -> bool) -> Option<u32> {
    let home = shard.checked_rem(gateways)?;
    if is_alive(home) {
        return Some(home);
    }
    let others = gateways - 1;
    let first = (shard / gateways).checked_rem(others)?;
    let candidates = (0..others).map(|n| (home + 1 + (first + n) % others) % gateways);
    candidates.into_iter().find(|candidate| is_alive(*candidate))
}

impl<P: Payload> Gateway<P> {
    /// Another gateway, or this one itself, is alive or not, as far as is known. Shards change hands by it.
    pub fn set_member(&mut self, now: u64, member: u32, alive: bool) {
        // The turns of the shards served so far end here.
        self.poll(now);
        match self.members.get_mut(member as usize) {
            Some(known) if *known != alive => *known = alive,
            _ => return,
        }
        if self.config.deduplicate {
            self.reassign(now);
        }
    }

    /// Takes the home shards as served by this gateway in their first term, and all gateways as alive: how a cluster in
    /// steady state begins. Only before anything else.
    pub fn assume_steady(&mut self) {
        self.members.fill(true);
        for number in 0..self.config.shards {
            if number % self.config.gateways == self.config.gateway {
                self.allocate(number);
                self.shards[number as usize].state = State::Serving;
            }
        }
        self.on_ownership_changed();
    }

    /// The owner of a shard by what this gateway knows.
    pub(crate) fn owner(&self, shard: u32) -> Option<u32> {
        let is_alive = |member: u32| self.members.get(member as usize).copied().unwrap_or(false);
        owner_of(shard, self.config.gateways, is_alive)
    }

    fn reassign(&mut self, now: u64) {
        for number in 0..self.config.shards {
            let wanted = self.owner(number) == Some(self.config.gateway);
            let shard = &mut self.shards[number as usize];
            match (wanted, shard.state) {
                (true, State::Foreign) if shard.open_at == NEVER => shard.open_at = now,
                (true, _) => {}
                (false, State::Foreign) => shard.open_at = NEVER,
                (false, _) => {
                    self.lose(number);
                    self.requests.push(SinkRequest::Close { at: now, shard: number });
                }
            }
        }
        self.on_ownership_changed();
    }

    /// Asks the sink for the shards whose time has come.
    pub(crate) fn open_due(&mut self, now: u64) {
        self.next_open = NEVER;
        for (number, shard) in (0..).zip(&mut self.shards) {
            if shard.open_at > now {
                self.next_open = self.next_open.min(shard.open_at);
                continue;
            }
            let at = std::mem::replace(&mut shard.open_at, NEVER);
            if shard.state == State::Foreign {
                shard.state = State::Opening;
            }
            self.requests.push(SinkRequest::Open { at, shard: number });
        }
    }

    /// The sink has fenced the shard's former writers and read its log: `stored` is the term last claimed, `None` in a log
    /// in which nothing is. A shard that is not wanted any more is closed again.
    pub fn opened(
        &mut self,
        now: u64,
        number: u32,
        stored: Option<Term>,
        checkpoints: impl IntoIterator<Item = Checkpoint>,
    ) {
        self.poll(now);
        let Some(shard) = self.shards.get(number as usize) else { return };
        match shard.state {
            State::Reopening if stored == Some(shard.term) => self.resume(now, number, checkpoints),
            State::Reopening => {
                // Somebody else was here in between: what this gateway has told devices is void.
                self.lose(number);
                self.shards[number as usize].state = State::Opening;
                self.take_over(now, number, stored, checkpoints);
            }
            State::Opening => self.take_over(now, number, stored, checkpoints),
            State::Foreign => self.requests.push(SinkRequest::Close { at: now, shard: number }),
            State::Claiming | State::Serving => {}
        }
    }

    /// The sink could not open the shard: it is asked again later.
    pub fn open_failed(&mut self, now: u64, number: u32) {
        self.poll(now);
        if let Some(shard) = self.shards.get_mut(number as usize)
            && matches!(shard.state, State::Opening | State::Reopening)
        {
            self.open_again(number, now.saturating_add(REOPEN_MICROS));
        }
    }

    /// Fills the table from the log, then makes the new term known before anybody is served.
    fn take_over(
        &mut self,
        now: u64,
        number: u32,
        stored: Option<Term>,
        checkpoints: impl IntoIterator<Item = Checkpoint>,
    ) {
        self.allocate(number);
        let shards = self.config.shards;
        let shard = &mut self.shards[number as usize];
        for checkpoint in checkpoints {
            if checkpoint.device % shards == number {
                shard.restore((checkpoint.device / shards) as usize, &checkpoint);
            }
        }
        // 0 is the term of a fleet that begins in steady state, and of nobody else.
        let is_steady = stored.is_none() && self.config.assume_online;
        shard.term = if is_steady { Term::default() } else { stored.map_or(Term::FIRST, Term::next) };
        if is_steady {
            let unknown = shard.entries.iter_mut().filter(|entry| !entry.is_known());
            unknown.for_each(|entry| entry.begin_session(1, 0));
        }
        shard.state = State::Claiming;
        let claim = Some(shard.term);
        let known = (0..).zip(&shard.entries).filter(|(_, entry)| entry.is_known());
        let known: Vec<_> = known.map(|(index, entry)| (index * shards + number, *entry)).collect();
        for (device, entry) in known {
            let attempt = Attempt { epoch: entry.epoch, session: entry.session };
            self.dam.remember(self.dam_index(device), attempt);
        }
        let batch = self.take_batch_number();
        let entries: std::sync::Arc<[_]> = [].into();
        self.shards[number as usize].in_flight.push_back(InFlight::empty(batch, now));
        let claim = Submission { at: now, shard: number, batch, claim, entries };
        self.requests.push(SinkRequest::Store(claim));
    }

    /// Nobody was here in between: the log says whether the last transaction is in it.
    fn resume(&mut self, now: u64, number: u32, checkpoints: impl IntoIterator<Item = Checkpoint>) {
        let shard = &mut self.shards[number as usize];
        shard.state = State::Serving;
        let Some(last) = shard.in_flight.pop_front() else { return };
        self.in_flight_readings = self.in_flight_readings.saturating_sub(last.readings);
        let is_stored = last.entries.first().is_some_and(|entry| {
            checkpoints.into_iter().any(|stored| {
                let same = stored.device == entry.device && stored.lane == entry.lane;
                same && stored.epoch == entry.epoch && stored.mark >= entry.end
            })
        });
        if is_stored {
            self.on_committed(now, number, &last.entries);
        } else if !last.entries.is_empty() {
            self.put_back(number, last.since, &last.entries);
        }
    }

    /// A session is about to be opened in a shard: sees to it that the shard is known to be still this gateway's.
    pub(crate) fn prove(&mut self, now: u64, number: u32) {
        if now >= self.shards[number as usize].proven_at.saturating_add(PROOF_MICROS) {
            self.owe_proof(number);
        }
    }

    /// Others had given this gateway up, and may have taken its shards: it finds out before it opens another session. Whoever was
    /// replaced is fenced by the transaction that is to prove it, and reads the shard anew; nobody else loses a session.
    pub fn doubt(&mut self, now: u64) {
        self.poll(now);
        (0..self.config.shards).for_each(|number| self.owe_proof(number));
    }

    fn owe_proof(&mut self, number: u32) {
        let shard = &mut self.shards[number as usize];
        if self.config.deduplicate && shard.state == State::Serving && !shard.proof_due {
            shard.proof_due = true;
            self.proofs_due += 1;
        }
    }

    /// The outcome of a claim.
    pub(crate) fn on_claim_decided(&mut self, now: u64, number: u32, outcome: Outcome) {
        match outcome {
            Outcome::Committed => {
                self.shards[number as usize].state = State::Serving;
                self.shards[number as usize].proven_at = now;
                self.shards[number as usize].served_from = now;
                self.stats.online += self.shards[number as usize].online();
                self.stats.takeovers += 1;
                self.on_ownership_changed();
                self.answer_held_hellos(now, number);
            }
            // Whether it is in the log or not: a term of its own comes next, never the same once more.
            Outcome::Failed => {
                self.shards[number as usize].state = State::Opening;
                self.open_again(number, now.saturating_add(REOPEN_MICROS));
            }
            Outcome::Fenced => self.on_fenced(now, number),
        }
    }

    /// Somebody else has taken the shard. If it is still to be this gateway's, it is taken back, but ever later.
    pub(crate) fn on_fenced(&mut self, now: u64, number: u32) {
        let lost = &self.shards[number as usize];
        // Commits in between are no peace: two that each take themselves for the owner both commit in their turns.
        let losses = if now.saturating_sub(lost.served_from) >= PEACE_MICROS { 0 } else { lost.losses };
        self.lose(number);
        self.stats.fenced += 1;
        self.shards[number as usize].losses = losses.saturating_add(1);
        if self.owner(number) == Some(self.config.gateway) {
            let pause = REOPEN_MICROS << losses.min(LOSS_DOUBLINGS_MAX);
            self.open_again(number, now.saturating_add(pause));
        }
        self.on_ownership_changed();
    }

    pub(crate) fn open_again(&mut self, number: u32, at: u64) {
        self.shards[number as usize].open_at = at;
        self.next_open = self.next_open.min(at);
    }

    /// Forgets everything about a shard.
    fn lose(&mut self, number: u32) {
        let lost = std::mem::take(&mut self.shards[number as usize]);
        if lost.is_served() {
            self.stats.online = self.stats.online.saturating_sub(lost.online());
        }
        let in_flight: usize = lost.in_flight.iter().map(|batch| batch.entries.len()).sum();
        let frames = (lost.queue.len() + in_flight) as u64;
        let under_way: u64 = lost.in_flight.iter().map(|batch| batch.readings).sum();
        self.in_flight_readings = self.in_flight_readings.saturating_sub(under_way);
        self.undecided_frames = self.undecided_frames.saturating_sub(frames);
        self.queued_readings -= lost.queue.readings();
        self.queued_backfill -= lost.queue.backfill_readings();
        self.proofs_due -= u32::from(lost.proof_due);
        let shards = self.config.shards;
        self.pending_hellos.retain(|device, _| device % shards != number);
    }

    /// A table for a shard's devices, none of them known.
    pub(crate) fn allocate(&mut self, number: u32) {
        let devices = self.config.devices.saturating_sub(number).div_ceil(self.config.shards);
        self.shards[number as usize].entries = vec![crate::Entry::default(); devices as usize];
    }

    /// What follows from which shards are served: whose turn it is to commit, and this gateway's share of the sink.
    pub(crate) fn on_ownership_changed(&mut self) {
        self.ownership_changes += 1;
        let served = (0..).zip(&self.shards).filter(|(_, shard)| shard.is_served());
        self.serving = served.map(|(number, _)| number).collect();
        self.next_open = self.shards.iter().map(|shard: &Shard<P>| shard.open_at).min().unwrap_or(NEVER);
        self.apply_capacity();
    }
}
