//! A sink and the gateways in front of it, in small: what a brain sees, and what comes of what it decides.
#![allow(dead_code)]

use klais_brain::control::{
    Brain, BrainConfig, Commit, CommitsSeen, Decision, LaneSeen, Observation, TICK_MICROS,
};

pub const SECOND: u64 = 1_000_000;
const MILLI: u64 = 1_000;

/// What gateways share, and what they have to send.
#[derive(Clone, Debug)]
pub struct Plan {
    pub gateways: usize,
    pub shards_each: usize,
    /// Live readings per second of each gateway.
    pub live: u64,
    /// Readings of a frame of history, and of a live one.
    pub frame: u64,
    pub live_frame: u64,
    /// Latency of the sink at rest: least, and what chance adds at most (squared, so that it is mostly little).
    pub base_micros: u64,
    pub jitter_micros: u64,
    /// Readings per second from each moment on.
    pub capacity: Vec<(u64, u64)>,
    /// History waits from here on.
    pub wave_micros: u64,
    pub seed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Transaction {
    shard: usize,
    at: u64,
    done: u64,
    readings: u64,
    history: u64,
}

struct Gateway {
    brain: Brain,
    decision: Decision,
    budget: i64,
    fraction: u64,
    live_millionths: u64,
    live_queued: u64,
    live_seen: u64,
    under_way: Vec<Transaction>,
    commits: CommitsSeen,
    next_shard: usize,
}

/// The world, stepped by the millisecond.
pub struct World {
    plan: Plan,
    gateways: Vec<Gateway>,
    free_at: u64,
    now: u64,
    dice: u64,
    /// Readings stored, by second.
    pub stored: Vec<u64>,
    /// Longest wait of a transaction in the sink's queue, by second.
    pub waits: Vec<u64>,
}

impl World {
    pub fn new(plan: &Plan) -> Self {
        let config = BrainConfig { frame_readings: plan.frame, ..BrainConfig::default() };
        let gateways = (0..plan.gateways).map(|_| Gateway {
            brain: Brain::new(config),
            decision: Decision::default(),
            budget: 0,
            fraction: 0,
            live_millionths: 0,
            live_queued: 0,
            live_seen: 0,
            under_way: Vec::new(),
            commits: CommitsSeen::default(),
            next_shard: 0,
        });
        Self {
            gateways: gateways.collect(),
            plan: plan.clone(),
            free_at: 0,
            now: 0,
            dice: plan.seed | 1,
            stored: vec![0],
            waits: vec![0],
        }
    }

    pub fn capacity(&self, at: u64) -> u64 {
        self.plan.capacity.iter().rev().find(|(from, _)| *from <= at).map_or(1, |(_, rate)| *rate)
    }

    pub fn rates(&self) -> Vec<u64> {
        self.gateways.iter().map(|gateway| gateway.brain.rate()).collect()
    }

    pub fn run_until(&mut self, end: u64) {
        while self.now < end {
            self.now += MILLI;
            let second = (self.now / SECOND) as usize;
            self.stored.resize(second + 1, 0);
            self.waits.resize(second + 1, 0);
            for n in 0..self.gateways.len() {
                self.hear(n);
                self.commit_turn(n);
                if (self.now + n as u64 * MILLI).is_multiple_of(TICK_MICROS) {
                    self.tick(n);
                }
            }
        }
    }

    fn hear(&mut self, n: usize) {
        let now = self.now;
        let gateway = &mut self.gateways[n];
        let (done, left): (Vec<_>, Vec<_>) = gateway.under_way.iter().partition(|t| t.done <= now);
        gateway.under_way = left;
        for transaction in done {
            self.stored[(now / SECOND) as usize] += transaction.readings;
            let commit = Commit {
                heard_micros: transaction.done,
                submitted_micros: transaction.at,
                accepted_micros: transaction.at,
                readings: transaction.readings,
                frames: 1,
                in_flight_readings: 0,
                is_committed: true,
            };
            gateway.commits.add(&commit);
            gateway.brain.on_commit(&commit);
        }
    }

    /// Shards take turns within a commit interval of 100 ms.
    fn commit_turn(&mut self, n: usize) {
        let turn = (100 / self.plan.shards_each as u64).max(1);
        if !(self.now / MILLI + n as u64).is_multiple_of(turn) {
            return;
        }
        let (now, frame, wave) = (self.now, self.plan.frame, self.plan.wave_micros);
        let gateway = &mut self.gateways[n];
        gateway.live_millionths += self.plan.live * turn * MILLI;
        while gateway.live_millionths >= self.plan.live_frame * SECOND {
            gateway.live_millionths -= self.plan.live_frame * SECOND;
            gateway.live_queued += self.plan.live_frame;
            gateway.live_seen += self.plan.live_frame;
        }
        let rate = gateway.decision.capacity_per_second.unwrap_or(1);
        let full = (rate * 4 / 10).max(1) as i64;
        let earned = rate * turn + gateway.fraction;
        gateway.fraction = earned % 1_000;
        gateway.budget = (gateway.budget + (earned / 1_000) as i64).min(full);
        if !gateway.decision.is_history_open {
            gateway.budget = gateway.budget.min(0);
        }
        let shard = gateway.next_shard;
        gateway.next_shard = (shard + 1) % self.plan.shards_each;
        if gateway.under_way.iter().any(|t| t.shard == shard) {
            return;
        }
        let live = gateway.live_queued;
        let in_flight: u64 = gateway.under_way.iter().map(|t| t.readings).sum();
        let room = gateway.decision.in_flight_readings_max.saturating_sub(in_flight);
        let mut history = 0;
        let allowed = (gateway.budget.max(0) as u64).min(room);
        while now >= wave && gateway.decision.is_history_open && live + history < allowed {
            history += frame;
        }
        if live + history == 0 {
            return;
        }
        gateway.live_queued = 0;
        gateway.budget = (gateway.budget - live as i64).max(-full - frame as i64) - history as i64;
        let readings = live + history;
        self.submit(n, shard, readings, history);
    }

    fn submit(&mut self, n: usize, shard: usize, readings: u64, history: u64) {
        let capacity = self.capacity(self.now);
        let begin = self.free_at.max(self.now);
        let second = (self.now / SECOND) as usize;
        self.waits[second] = self.waits[second].max(begin - self.now);
        self.free_at = begin + readings * SECOND / capacity.max(1);
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        let chance = self.dice % 1_000;
        let done =
            self.free_at + self.plan.base_micros + self.plan.jitter_micros * chance * chance / 1_000_000;
        let transaction = Transaction { shard, at: self.now, done, readings, history };
        self.gateways[n].under_way.push(transaction);
    }

    fn tick(&mut self, n: usize) {
        let (now, wave) = (self.now, self.plan.wave_micros);
        let gateway = &mut self.gateways[n];
        let oldest = gateway.under_way.iter().map(|t| now - t.at).max().unwrap_or(0);
        let waits = now >= wave;
        let seen = Observation {
            now,
            elapsed_micros: TICK_MICROS,
            live: LaneSeen { accepted: gateway.live_seen, ..LaneSeen::default() },
            backfill: LaneSeen { queued: if waits { 1_000 } else { 0 }, ..LaneSeen::default() },
            commits: gateway.commits,
            in_flight: gateway.under_way.len() as u64,
            in_flight_readings: gateway.under_way.iter().map(|t| t.readings).sum(),
            in_flight_micros_max: oldest,
            is_held_back: waits && gateway.budget <= 0,
            ..Observation::default()
        };
        gateway.live_seen = 0;
        gateway.commits = CommitsSeen::default();
        gateway.decision = gateway.brain.tick(&seen);
    }
}
