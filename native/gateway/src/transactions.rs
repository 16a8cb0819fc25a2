//! Transactions: when they start, what they carry, what their outcome changes.

use crate::gateway::Gateway;
use crate::ownership::REOPEN_MICROS;
use crate::shard::{InFlight, State};
use crate::{Outcome, Payload, SinkEntry, SinkRequest, Submission, Transmit};
use klais_burst_sync::{Frame, Lane};
use std::sync::Arc;

/// After a failure the next transaction carries one frame, then twice as much with each that commits. A sink that was
/// away would else be kept busy for ever by full transactions that nobody waits for any more.
const SHRUNK_MAX: u32 = 16;
/// Unused budget is kept for this many commit intervals, so that a slow commit costs no throughput.
const BUDGET_INTERVALS: u64 = 4;

impl<P: Payload> Gateway<P> {
    /// The turns up to and including `now`.
    pub(crate) fn commit_until(&mut self, now: u64) {
        if self.is_idle() {
            self.skip_commits(now);
        }
        while self.next_commit <= now {
            self.commit_tick(self.next_commit);
        }
    }

    /// Turns that pass while nothing waits: they change the budget alone.
    fn skip_commits(&mut self, now: u64) {
        let turn = self.turn_micros();
        let turns = (now.saturating_add(1)).saturating_sub(self.next_commit).div_ceil(turn);
        self.refill_budget(turns * turn);
        self.next_commit += turns * turn;
        self.next_turn = self.next_turn.wrapping_add(turns as usize);
    }

    fn turn_micros(&self) -> u64 {
        (self.config.commit_interval_micros / self.serving.len().max(1) as u64).max(1)
    }

    /// Gives the next shard its turn, at a time on the commit grid: shards take turns within a commit interval.
    fn commit_tick(&mut self, at: u64) {
        let turn = self.turn_micros();
        let budget = self.refill_budget(turn);
        self.next_commit = at + turn;
        let place = self.next_turn % self.serving.len().max(1);
        self.next_turn = place + 1;
        let Some(number) = self.serving.get(place).copied() else { return };
        let history = self.history_allowed(budget);
        if !self.control.decision.is_history_open {
            // What is not used while history stands still is not made up for in a burst.
            self.budget = self.budget.min(0);
        }
        let shard = &mut self.shards[number as usize];
        let full = shard.in_flight.len() >= self.config.batches_in_flight_max;
        if full || shard.state != State::Serving || (shard.queue.is_empty() && !shard.proof_due) {
            return;
        }
        let most = (self.config.batch_readings_max >> shard.shrunk).max(1);
        let queued = (shard.queue.readings(), shard.queue.backfill_readings());
        let taken = shard.queue.take(most, history);
        self.queued_readings -= queued.0 - shard.queue.readings();
        self.queued_backfill -= queued.1 - shard.queue.backfill_readings();
        let claim = (taken.entries.is_empty() && shard.proof_due).then_some(shard.term);
        if taken.entries.is_empty() && claim.is_none() {
            return;
        }
        self.proofs_due -= u32::from(std::mem::take(&mut shard.proof_due));
        let batch = self.take_batch_number();
        let entries: Arc<[SinkEntry<P>]> = taken.entries.into();
        self.in_flight_readings += taken.readings;
        self.control.on_submitted(taken.readings);
        let in_flight = InFlight {
            batch,
            at,
            since: taken.since.min(at),
            readings: taken.readings,
            in_flight_readings: self.in_flight_readings,
            entries: Arc::clone(&entries),
        };
        self.shards[number as usize].in_flight.push_back(in_flight);
        self.spend_budget(&entries);
        let submission = Submission { at, shard: number, batch, claim, entries };
        self.requests.push(SinkRequest::Store(submission));
    }

    pub(crate) fn take_batch_number(&mut self) -> u32 {
        let batch = self.next_batch;
        self.next_batch = self.next_batch.wrapping_add(1);
        batch
    }

    /// History is charged to the last reading, also that of a frame larger than the whole budget. Live traffic is charged
    /// too, down to a full budget below what such a frame leaves: a burst of it must not stop history for long.
    fn spend_budget(&mut self, entries: &[SinkEntry<P>]) {
        let (mut live, mut history) = (0, 0);
        for entry in entries {
            let readings = i64::from(entry.count);
            match entry.lane {
                Lane::Live => live += readings,
                Lane::Backfill => {
                    history += readings;
                    self.largest_history = self.largest_history.max(readings);
                }
            }
        }
        let least = self.budget.min(-self.full_budget() - self.largest_history);
        self.budget = (self.budget - live).max(least) - history;
    }

    fn full_budget(&self) -> i64 {
        let kept = u128::from(self.config.commit_interval_micros * BUDGET_INTERVALS);
        let readings = u128::from(self.capacity_per_second) * kept / 1_000_000;
        i64::try_from(readings).unwrap_or(i64::MAX).max(1)
    }

    /// The budget in readings; below zero after more was taken than there was.
    fn refill_budget(&mut self, elapsed: u64) -> i64 {
        let earned =
            u128::from(self.capacity_per_second) * u128::from(elapsed) + u128::from(self.budget_fraction);
        let whole = u64::try_from(earned / 1_000_000).unwrap_or(u64::MAX);
        self.budget_fraction = (earned % 1_000_000) as u64;
        let filled = self.budget.saturating_add(i64::try_from(whole).unwrap_or(i64::MAX));
        self.budget = filled.min(self.full_budget());
        self.budget
    }

    /// The sink has said what became of `batch`. What is committed is acknowledged. After a failure nobody knows: the
    /// shard is opened again, and the log tells whether the same readings go into a new transaction. What was fenced is
    /// another gateway's. An unknown batch changes nothing.
    pub fn sink_outcome(&mut self, now: u64, batch: u32, outcome: Outcome) {
        self.poll(now);
        let found = (0..).zip(&self.shards).find_map(|(number, shard)| {
            shard.in_flight.iter().position(|b| b.batch == batch).map(|place| (number, place))
        });
        let Some((number, place)) = found else { return };
        let shard = &mut self.shards[number as usize];
        if !self.config.deduplicate {
            if let Some(done) = shard.in_flight.remove(place) {
                self.in_flight_readings = self.in_flight_readings.saturating_sub(done.readings);
                self.note_outcome(now, &done, outcome == Outcome::Committed);
                self.on_plain_outcome(now, &done.entries, outcome);
            }
            return;
        }
        match (shard.state, outcome) {
            (State::Claiming, _) => {
                shard.in_flight.clear();
                self.on_claim_decided(now, number, outcome);
            }
            (_, Outcome::Committed) => {
                if let Some(done) = shard.in_flight.remove(place) {
                    shard.proven_at = now;
                    self.in_flight_readings = self.in_flight_readings.saturating_sub(done.readings);
                    self.note_outcome(now, &done, true);
                    self.on_committed(now, number, &done.entries);
                }
            }
            (_, Outcome::Failed) => {
                shard.state = State::Reopening;
                self.note_failure(now, number);
                self.open_again(number, now.saturating_add(REOPEN_MICROS));
            }
            (_, Outcome::Fenced) => self.on_fenced(now, number),
        }
    }

    /// A proxy that keeps no marks: what failed is not tried again. Its client hears nothing, times out and sends again.
    fn on_plain_outcome(&mut self, now: u64, entries: &[SinkEntry<P>], outcome: Outcome) {
        if outcome == Outcome::Committed {
            self.acknowledge(now, entries);
        } else {
            for entry in entries {
                self.decide(entry.device, entry.lane);
            }
        }
        self.answer_pending_hellos(now, entries);
    }

    pub(crate) fn on_committed(&mut self, now: u64, number: u32, entries: &[SinkEntry<P>]) {
        let shard = &mut self.shards[number as usize];
        if !entries.is_empty() {
            shard.shrunk = shard.shrunk.saturating_sub(1);
        }
        self.acknowledge(now, entries);
        self.answer_pending_hellos(now, entries);
    }

    /// Puts a transaction that is not in the log back in front.
    pub(crate) fn put_back(&mut self, number: u32, since: u64, entries: &[SinkEntry<P>]) {
        let shard = &mut self.shards[number as usize];
        shard.shrunk = SHRUNK_MAX;
        let queued = (shard.queue.readings(), shard.queue.backfill_readings());
        shard.queue.put_back(since, entries, !self.config.slots);
        self.queued_readings += shard.queue.readings() - queued.0;
        self.queued_backfill += shard.queue.backfill_readings() - queued.1;
    }

    fn acknowledge(&mut self, now: u64, entries: &[SinkEntry<P>]) {
        for (n, entry) in entries.iter().enumerate() {
            self.decide(entry.device, entry.lane);
            let followed = entries.get(n + 1).is_some_and(|next| {
                next.device == entry.device && next.lane == entry.lane && next.session == entry.session
            });
            let is_present = self.entry(entry.device).session == entry.session;
            if is_present && !followed {
                self.transmit(now, entry.device, ack(entry.session, entry.lane, entry.end));
            }
        }
    }

    fn decide(&mut self, device: u32, lane: Lane) {
        self.undecided_frames = self.undecided_frames.saturating_sub(1);
        if let Some(entry) = self.entry_mut(device) {
            entry.decide(lane);
        }
    }

    pub(crate) fn transmit(&mut self, at: u64, device: u32, frame: Frame) {
        self.transmits.push(Transmit { at, device, frame });
    }
}

pub(crate) fn ack(session: u16, lane: Lane, mark: u32) -> Frame {
    Frame::Ack { session, lane, mark }
}
