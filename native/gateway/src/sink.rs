//! Transactions: when they start, what they carry, what their outcome changes.

use crate::queue::SinkQueue;
use crate::{Gateway, SinkEntry, Transmit};
use klais_burst_sync::{Frame, Lane};
use klais_units::scale;
use std::collections::VecDeque;
use std::sync::Arc;

/// How long after a failed transaction the next one starts: the producer is fenced and made anew.
const FENCE_MICROS: u64 = 1_000_000;
/// After a failure the next transaction carries one frame, then twice as much with each that commits. A sink that was
/// away would else be kept busy for ever by full transactions that nobody waits for any more.
const SHRUNK_MAX: u32 = 16;
/// Unused budget is kept for this many commit intervals, so that a slow commit costs no throughput.
const BUDGET_INTERVALS: u64 = 4;

/// A transaction handed to the sink.
#[derive(Clone, Debug)]
pub struct Submission {
    /// When.
    pub at: u64,
    /// Its number, to be given back with the outcome.
    pub batch: u32,
    /// What it stores, in order.
    pub entries: Arc<[SinkEntry]>,
}

/// A transaction that the sink has not decided.
#[derive(Debug)]
pub(crate) struct InFlight {
    batch: u32,
    entries: Arc<[SinkEntry]>,
}

/// One of the gateway's producers: its devices' readings, and its transactions.
#[derive(Debug, Default)]
pub(crate) struct Producer {
    pub(crate) queue: SinkQueue,
    in_flight: VecDeque<InFlight>,
    fenced_until: u64,
    /// Transactions are this much smaller (in powers of two) than they may be, since one has failed.
    shrunk: u32,
}

impl Producer {
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.in_flight.is_empty()
    }
}

impl Gateway {
    /// The producer that stores a device's readings. Numbers are spread by multiples of the golden ratio (Knuth, TAOCP
    /// 6.4): evenly, whatever the stride. By their remainder, a fleet dealt out to gateways by number would bring a
    /// gateway the devices of some of its producers only.
    pub(crate) fn producer_of(&mut self, device: u32) -> &mut Producer {
        let count = self.producers.len();
        let spread = u64::from(device).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        &mut self.producers[scale(spread, count as u64) as usize]
    }

    /// Readings that wait for the sink.
    pub(crate) fn queued_readings(&self) -> u64 {
        self.producers.iter().map(|p| p.queue.readings()).sum()
    }

    /// Backfill readings that wait for the sink.
    pub(crate) fn queued_backfill(&self) -> u64 {
        self.producers.iter().map(|p| p.queue.backfill_readings()).sum()
    }

    /// Turns that pass while nothing waits: they change the budget alone.
    pub(crate) fn skip_commits(&mut self, now: u64) {
        let turn = self.turn_micros();
        let turns = (now.saturating_add(1)).saturating_sub(self.next_commit).div_ceil(turn);
        self.refill_budget(turns * turn);
        self.next_commit += turns * turn;
        self.next_producer = (self.next_producer + turns as usize) % self.producers.len();
    }

    fn turn_micros(&self) -> u64 {
        (self.config.commit_interval_micros / self.producers.len() as u64).max(1)
    }

    /// Gives the next producer its turn, at a time on the commit grid: producers take turns within a commit interval.
    pub(crate) fn commit_tick(&mut self, at: u64) {
        let turn = self.turn_micros();
        let budget = self.refill_budget(turn);
        self.next_commit = at + turn;
        let place = self.next_producer;
        self.next_producer = (place + 1) % self.producers.len();
        let producer = &mut self.producers[place];
        let full = producer.in_flight.len() >= self.config.batches_in_flight_max;
        if full || at < producer.fenced_until || producer.queue.is_empty() {
            return;
        }
        let backfill_budget = if self.config.slots { u64::try_from(budget).unwrap_or(0) } else { u64::MAX };
        let most = (self.config.batch_readings_max >> producer.shrunk).max(1);
        let entries = producer.queue.take(most, backfill_budget);
        if entries.is_empty() {
            return;
        }
        let batch = self.next_batch;
        self.next_batch = self.next_batch.wrapping_add(1);
        let entries: Arc<[SinkEntry]> = entries.into();
        producer.in_flight.push_back(InFlight { batch, entries: Arc::clone(&entries) });
        self.spend_budget(&entries);
        self.submissions.push(Submission { at, batch, entries });
    }

    /// History is charged to the last reading, also that of a frame larger than the whole budget. Live traffic is charged
    /// too, down to a full budget below what such a frame leaves: a burst of it must not stop history for long.
    fn spend_budget(&mut self, entries: &[SinkEntry]) {
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
        let readings = u128::from(self.config.capacity_per_second) * kept / 1_000_000;
        i64::try_from(readings).unwrap_or(i64::MAX).max(1)
    }

    /// The budget in readings; below zero after more was taken than there was.
    fn refill_budget(&mut self, elapsed: u64) -> i64 {
        let earned = u128::from(self.config.capacity_per_second) * u128::from(elapsed)
            + u128::from(self.budget_fraction);
        let whole = u64::try_from(earned / 1_000_000).unwrap_or(u64::MAX);
        self.budget_fraction = (earned % 1_000_000) as u64;
        let filled = self.budget.saturating_add(i64::try_from(whole).unwrap_or(i64::MAX));
        self.budget = filled.min(self.full_budget());
        self.budget
    }

    /// The sink has decided about `batch`: all of it is durable, or none of it. Devices hear of the former; the latter
    /// is tried again in a new transaction, in the same order. An unknown batch changes nothing.
    pub fn sink_outcome(&mut self, now: u64, batch: u32, committed: bool) {
        self.poll(now);
        let held = |producer: &Producer| producer.in_flight.iter().position(|b| b.batch == batch);
        let found = self.producers.iter().enumerate().find_map(|(n, p)| held(p).map(|place| (n, place)));
        let Some((n, place)) = found else { return };
        let Some(done) = self.producers[n].in_flight.remove(place) else { return };
        if committed {
            self.producers[n].shrunk = self.producers[n].shrunk.saturating_sub(1);
            self.acknowledge(now, &done.entries);
        } else if self.config.deduplicate {
            self.producers[n].shrunk = SHRUNK_MAX;
            self.producers[n].fenced_until = now + FENCE_MICROS;
            self.producers[n].queue.put_back(&done.entries, !self.config.slots);
            return;
        } else {
            // A proxy's client hears nothing, times out and sends again.
            for entry in done.entries.iter() {
                self.decide(entry.device);
            }
        }
        self.answer_pending_hellos(now, &done.entries);
    }

    fn acknowledge(&mut self, now: u64, entries: &[SinkEntry]) {
        for (n, entry) in entries.iter().enumerate() {
            self.decide(entry.device);
            let followed = entries.get(n + 1).is_some_and(|next| {
                next.device == entry.device && next.lane == entry.lane && next.session == entry.session
            });
            let Some(state) = self.entries.get_mut(entry.device as usize) else { continue };
            if state.session != entry.session {
                continue;
            }
            if self.config.deduplicate && state.take_repeated() {
                let other = if entry.lane == Lane::Live { Lane::Backfill } else { Lane::Live };
                let answer = ack(entry.session, other, state.mark(other));
                self.transmit(now, entry.device, answer);
            }
            if !followed {
                self.transmit(now, entry.device, ack(entry.session, entry.lane, entry.end));
            }
        }
    }

    fn decide(&mut self, device: u32) {
        self.undecided_frames = self.undecided_frames.saturating_sub(1);
        if let Some(entry) = self.entries.get_mut(device as usize) {
            entry.undecided = entry.undecided.saturating_sub(1);
        }
    }

    /// Marks go back to what is committed: to before the first reading that is not.
    pub(crate) fn roll_back_undecided(&mut self) {
        let of = |p: &Producer| {
            let sent = p.in_flight.iter().flat_map(|batch| batch.entries.iter());
            sent.chain(p.queue.iter()).copied().collect::<Vec<_>>()
        };
        let undecided: Vec<SinkEntry> = self.producers.iter().flat_map(of).collect();
        for run in undecided.iter().rev() {
            if let Some(entry) = self.entries.get_mut(run.device as usize) {
                entry.set_mark(run.lane, run.before);
            }
        }
    }

    pub(crate) fn transmit(&mut self, at: u64, device: u32, frame: Frame) {
        self.transmits.push(Transmit { at, device, frame });
    }
}

pub(crate) fn ack(session: u16, lane: Lane, mark: u32) -> Frame {
    Frame::Ack { session, lane, mark }
}
