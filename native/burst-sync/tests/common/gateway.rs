//! The smallest gateway that keeps the rules: marks and session numbers are committed with the readings, and nothing is
//! acknowledged before.

use super::chance::Chance;
use super::plan::Faults;
use klais_burst_sync::{
    Admit, Cookie, Data, Defer, Frame, Hello, Intake, Lane, Mark, Nack, NackReason, Offer,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a gateway may be made to forget, to show that the rule is needed.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub deduplicate: bool,
    /// The newest session number is stored with the marks, and an older HELLO is refused.
    pub stores_session: bool,
    /// ADMIT waits until nothing of the device is undecided.
    pub admit_waits: bool,
    /// Acknowledges after the commit.
    pub acks_after_commit: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    epoch: u16,
    session: u16,
    marks: [Mark; 2],
}

/// DATA accepted into a transaction.
#[derive(Clone, Debug)]
struct Accepted {
    device: u32,
    data: Data,
    readings: Vec<u32>,
}

type Batch = Vec<Accepted>;

pub struct Gateway {
    rules: Rules,
    commit_micros: u64,
    /// Every reading stored, in order.
    pub durable: Vec<(u32, Lane, u32)>,
    committed: BTreeMap<u32, Entry>,
    entries: BTreeMap<u32, Entry>,
    open: BTreeMap<u32, u16>,
    waiting: BTreeMap<u32, Hello>,
    pending: Batch,
    committing: Option<(Batch, BTreeMap<u32, Entry>)>,
    told_gap: BTreeSet<(u32, usize)>,
    /// Backfill that waits to be called, and the round it was turned away in.
    turned_away: BTreeMap<u32, u8>,
    pub next_at: u64,
    pub out: Vec<(u32, Frame)>,
}

impl Gateway {
    pub fn new(rules: Rules, commit_micros: u64) -> Self {
        Self {
            rules,
            commit_micros,
            durable: Vec::new(),
            committed: BTreeMap::new(),
            entries: BTreeMap::new(),
            open: BTreeMap::new(),
            waiting: BTreeMap::new(),
            pending: Vec::new(),
            committing: None,
            told_gap: BTreeSet::new(),
            turned_away: BTreeMap::new(),
            next_at: commit_micros,
            out: Vec::new(),
        }
    }

    pub fn assume_online(&mut self, device: u32) {
        self.open.insert(device, 1);
        self.entries.insert(device, Entry { session: 1, ..Entry::default() });
    }

    pub fn hello(&mut self, chance: &mut Chance, faults: &Faults, device: u32, hello: Hello) {
        let entry =
            self.entries.entry(device).or_insert(Entry { session: hello.session, ..Entry::default() });
        let epoch_age = hello.epoch.wrapping_sub(entry.epoch).cast_signed();
        let age = hello.session.wrapping_sub(entry.session).cast_signed();
        if epoch_age < 0 || (epoch_age == 0 && age < 0 && self.rules.stores_session) {
            return;
        }
        if let Some(waiting) = self.waiting.get(&device)
            && hello.session.wrapping_sub(waiting.session).cast_signed() < 0
            && self.rules.stores_session
        {
            return;
        }
        if self.open.get(&device) == Some(&hello.session) && epoch_age == 0 {
            if self.is_decided(device) {
                self.admit(chance, faults, device, &hello);
            }
            return;
        }
        if epoch_age == 0 {
            entry.session = hello.session;
        }
        self.open.remove(&device);
        self.waiting.remove(&device);
        if chance.per_mille(faults.defer) {
            let cookie = Cookie { slot: 7, mac: chance.below(u64::MAX) };
            let (session, delay_millis) = (hello.session, chance.below(4_000) as u32);
            let answer = if chance.per_mille(200) {
                Frame::Redirect { session, delay_millis, address: [0; 16], port: 0 }
            } else {
                Frame::Defer(Defer { session, delay_millis, cookie })
            };
            self.out.push((device, answer));
        } else if self.is_decided(device) || !self.rules.deduplicate || !self.rules.admit_waits {
            self.admit(chance, faults, device, &hello);
        } else {
            self.waiting.insert(device, hello);
        }
    }

    fn is_decided(&self, device: u32) -> bool {
        let committing = self.committing.iter().flat_map(|(batch, _)| batch);
        !self.pending.iter().chain(committing).any(|a| a.device == device)
    }

    fn admit(&mut self, chance: &mut Chance, faults: &Faults, device: u32, hello: &Hello) {
        let entry = self.entries.entry(device).or_default();
        if !self.rules.deduplicate {
            entry.marks = [hello.acked.0, hello.acked.1];
        } else if hello.epoch != entry.epoch {
            entry.marks = [0, 0];
        }
        (entry.epoch, entry.session) = (hello.epoch, hello.session);
        let marks = self.rules.deduplicate.then_some((entry.marks[0], entry.marks[1]));
        let credit = match (chance.per_mille(faults.no_credit), chance.per_mille(faults.little_credit)) {
            (true, _) => 0,
            (_, true) => 1 + chance.below(u64::from(hello.backlog) + 1) as u16,
            _ => hello.backlog.saturating_add(8),
        };
        let backfill_delay_millis =
            if chance.per_mille(faults.defer) { chance.below(3_000) as u32 } else { 0 };
        self.open.insert(device, hello.session);
        self.told_gap.retain(|(d, _)| *d != device);
        self.turned_away.remove(&device);
        let admit = Admit {
            session: hello.session,
            marks,
            backfill_delay_millis,
            credit,
            term: klais_burst_sync::Term::default(),
        };
        self.out.push((device, Frame::Admit(admit)));
    }

    pub fn data(&mut self, chance: &mut Chance, faults: &Faults, device: u32, data: Data) {
        let lane = data.lane as usize;
        if self.open.get(&device) != Some(&data.session) {
            self.nack(device, &data, 0, NackReason::NoSession);
            return;
        }
        if chance.per_mille(faults.bye) {
            self.open.remove(&device);
            self.out.push((device, Frame::Bye { session: data.session }));
            return;
        }
        let entry = self.entries.entry(device).or_default();
        let intake = Intake { mark: entry.marks[lane], deduplicate: self.rules.deduplicate };
        match intake.offer(&data) {
            Offer::Known => {
                let mark = self.committed.get(&device).map_or(0, |e| e.marks[lane]);
                let same_epoch = self.committed.get(&device).is_some_and(|e| e.epoch == entry.epoch);
                let mark = if same_epoch { mark } else { 0 };
                self.out.push((device, Frame::Ack { session: data.session, lane: data.lane, mark }));
            }
            Offer::Gap => {
                let mark = entry.marks[lane];
                if self.told_gap.insert((device, lane)) {
                    self.nack(device, &data, mark, NackReason::Gap);
                }
            }
            Offer::Append { .. } if data.lane == Lane::Backfill && chance.per_mille(faults.later) => {
                let mark = entry.marks[lane];
                self.turned_away.entry(device).or_insert(data.round);
                self.later(device, data.session, mark, 1 + chance.below(2_000) as u32, data.round);
            }
            Offer::Append { .. } if chance.per_mille(faults.overlooked) => {}
            Offer::Append { first, count, end } => {
                entry.marks[lane] = end;
                self.told_gap.remove(&(device, lane));
                let readings =
                    (0..u32::from(count)).map(|n| first + n * u32::from(data.stride.max(1))).collect();
                if !self.rules.acks_after_commit {
                    let (session, lane) = (data.session, data.lane);
                    self.out.push((device, Frame::Ack { session, lane, mark: end }));
                }
                self.pending.push(Accepted { device, data, readings });
            }
        }
    }

    fn nack(&mut self, device: u32, data: &Data, mark: Mark, reason: NackReason) {
        let (session, lane) = (data.session, data.lane);
        let round = data.round;
        self.out.push((device, Frame::Nack(Nack { session, lane, mark, delay_millis: 0, round, reason })));
    }

    /// Turns backfill away, or with no delay calls it.
    fn later(&mut self, device: u32, session: u16, mark: Mark, delay_millis: u32, round: u8) {
        let (lane, reason) = (Lane::Backfill, NackReason::Later);
        self.out.push((device, Frame::Nack(Nack { session, lane, mark, delay_millis, round, reason })));
    }

    fn call_some(&mut self, chance: &mut Chance) {
        let waiting = std::mem::take(&mut self.turned_away);
        for (device, round) in waiting {
            if let (Some(session), true) = (self.open.get(&device), chance.per_mille(300)) {
                let mark = self.entries[&device].marks[Lane::Backfill as usize];
                self.later(device, *session, mark, 0, (round + 1) % 4);
            } else {
                self.turned_away.insert(device, round);
            }
        }
    }

    /// Decides the transaction under way, then hands over the next one.
    pub fn tick(&mut self, chance: &mut Chance, faults: &Faults, now: u64) {
        if chance.per_mille(faults.abort) {
            self.abort();
        } else {
            self.decide(true);
        }
        if !self.pending.is_empty() {
            let batch = std::mem::take(&mut self.pending);
            let marks = batch.iter().map(|a| (a.device, self.entries[&a.device])).collect();
            self.committing = Some((batch, marks));
        }
        for (device, hello) in std::mem::take(&mut self.waiting) {
            if self.is_decided(device) {
                self.admit(chance, faults, device, &hello);
            } else {
                self.waiting.insert(device, hello);
            }
        }
        self.call_some(chance);
        self.next_at = now + 1 + self.commit_micros / 2 + chance.below(self.commit_micros);
    }

    fn decide(&mut self, answer: bool) {
        let Some((batch, entries)) = self.committing.take() else { return };
        self.committed.extend(entries);
        for accepted in batch {
            let Accepted { device, data, readings } = accepted;
            self.durable.extend(readings.iter().map(|r| (device, data.lane, *r)));
            if answer && self.open.get(&device) == Some(&data.session) {
                let (session, lane, mark) = (data.session, data.lane, data.end());
                self.out.push((device, Frame::Ack { session, lane, mark }));
            }
        }
    }

    /// Rule 4: what is undecided is gone, marks are read again.
    fn abort(&mut self) {
        let committing = self.committing.take().map(|(batch, _)| batch).unwrap_or_default();
        for undecided in committing.iter().chain(&self.pending) {
            if !self.rules.deduplicate {
                self.open.remove(&undecided.device);
            }
        }
        self.pending.clear();
        self.told_gap.clear();
        for (device, entry) in &mut self.entries {
            let known = self.committed.get(device).filter(|c| c.epoch == entry.epoch);
            entry.marks = known.map_or([0, 0], |c| c.marks);
        }
    }

    /// The process dies. A transaction under way may have been committed.
    pub fn die(&mut self, chance: &mut Chance) {
        if chance.per_mille(500) {
            self.decide(false);
        }
        self.abort();
        self.entries = self.committed.clone();
        if !self.rules.stores_session {
            self.entries.values_mut().for_each(|e| e.session = 0);
        }
        self.open.clear();
        self.turned_away.clear();
        self.waiting.clear();
        self.out.clear();
        self.next_at = u64::MAX;
    }

    pub fn start(&mut self, now: u64) {
        self.next_at = now + self.commit_micros;
    }

    pub fn set_commit_micros(&mut self, commit_micros: u64) {
        self.commit_micros = commit_micros;
    }
}
