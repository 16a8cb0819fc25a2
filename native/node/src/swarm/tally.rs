//! What the swarm did, measured from outside.

use super::sources::{devices_of, is_forgers};
use klais_gateway_swarm::Seat;
use klais_swarm::{Change, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// A subject that somebody blocks now.
struct Course {
    /// When the first one did.
    first: u64,
    /// How many do.
    held: u32,
    /// All that run have.
    is_everywhere: bool,
}

/// See the module.
pub struct Tally {
    fleet_devices: u32,
    courses: BTreeMap<Subject, Course>,
    /// Hostile ones that were ever blocked.
    caught: BTreeSet<Subject>,
    /// From the first gateway to the last, for each hostile subject that all have blocked.
    spreads: Vec<u64>,
    first_caught: u64,
    last_everywhere: u64,
    /// Times that the block of a fleet's device began, and for how long they lasted together.
    wrong_blocks: u64,
    wrong_micros: u64,
    /// Accusations of liars.
    pub lies: u64,
    pub census_changes: u64,
    ups: u64,
    downs: u64,
    expulsions: u64,
    /// When each gateway began.
    since: BTreeMap<u32, u64>,
    /// Of processes that are gone.
    node_micros: u64,
    past: Sums,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    bytes: u64,
    datagrams: u64,
    rounds: u64,
    refused: u64,
    detected: u64,
    seconded: u64,
    blocks: u64,
    expired: u64,
    overruled: u64,
    vetoed: u64,
    uncorroborated: u64,
}

impl Sums {
    /// `lies`: the gateway blocks its own inventions as well, as far as its swarm goes.
    fn add(&mut self, seat: &Seat, lies: bool) {
        let (swarm, threats) = (seat.swarm.counters(), seat.swarm.threat_counters());
        self.bytes += swarm.sent_bytes;
        self.datagrams += swarm.sent;
        self.rounds += swarm.rounds;
        self.refused += swarm.refused.iter().sum::<u64>();
        if lies {
            return;
        }
        self.detected += threats.detected;
        self.seconded += threats.seconded;
        self.blocks += threats.blocks;
        self.expired += threats.expired;
        self.overruled += threats.overruled;
        self.vetoed += threats.vetoed;
        self.uncorroborated += threats.uncorroborated;
    }
}

impl Tally {
    pub fn new(fleet_devices: u32) -> Self {
        Self {
            fleet_devices,
            courses: BTreeMap::new(),
            caught: BTreeSet::new(),
            spreads: Vec::new(),
            first_caught: 0,
            last_everywhere: 0,
            wrong_blocks: 0,
            wrong_micros: 0,
            lies: 0,
            census_changes: 0,
            ups: 0,
            downs: 0,
            expulsions: 0,
            since: BTreeMap::new(),
            node_micros: 0,
            past: Sums::default(),
        }
    }

    pub fn began(&mut self, at: u64, gateway: u32) {
        self.since.insert(gateway, at);
    }

    pub fn ended(&mut self, at: u64, gateway: u32, seat: &Seat, lies: bool) {
        self.node_micros += at - self.since.remove(&gateway).unwrap_or(0);
        self.past.add(seat, lies);
    }

    pub fn event(&mut self, change: Change) {
        match change {
            Change::Up => self.ups += 1,
            Change::Down => self.downs += 1,
            Change::Expelled => self.expulsions += 1,
            Change::Suspect | Change::Cleared | Change::Held => {}
        }
    }

    /// Devices of the fleet that a block hits.
    fn innocents(&self, subject: &Subject) -> u64 {
        let hit = devices_of(subject);
        u64::from(hit.end.min(self.fleet_devices).saturating_sub(hit.start))
    }

    /// A gateway blocks a subject, one of `running`.
    pub fn blocked(&mut self, at: u64, subject: Subject, running: u32) {
        let innocents = self.innocents(&subject);
        let fresh = Course { first: at, held: 0, is_everywhere: false };
        let course = self.courses.entry(subject).or_insert(fresh);
        course.held += 1;
        if course.held == 1 {
            self.wrong_blocks += innocents;
        }
        let is_hostile = innocents == 0 && (is_forgers(&subject) || !devices_of(&subject).is_empty());
        if !is_hostile {
            return;
        }
        if course.held >= running && !course.is_everywhere {
            course.is_everywhere = true;
            self.spreads.push(at - course.first);
            self.last_everywhere = at;
        }
        if self.caught.is_empty() {
            self.first_caught = at;
        }
        self.caught.insert(subject);
    }

    /// A gateway lets it go.
    pub fn unblocked(&mut self, at: u64, subject: Subject) {
        let innocents = self.innocents(&subject);
        let Some(course) = self.courses.get_mut(&subject) else { return };
        course.held -= 1;
        if course.held == 0 {
            self.wrong_micros += innocents * (at - course.first);
            self.courses.remove(&subject);
        }
    }

    /// See `Swarms::figures`. `seats`: of those that run.
    pub fn figures<'a>(
        &self,
        now: u64,
        seats: impl Iterator<Item = (u32, &'a Seat, bool)>,
        lost: u64,
    ) -> Vec<f64> {
        let (mut sums, mut node_micros) = (self.past, self.node_micros);
        for (gateway, seat, lies) in seats {
            sums.add(seat, lies);
            node_micros += now - self.since.get(&gateway).copied().unwrap_or(0);
        }
        let mut spreads = self.spreads.clone();
        spreads.sort_unstable();
        let at =
            |permille: usize| spreads.get((spreads.len() * permille).div_ceil(1_000).max(1) - 1).copied();
        let held = |(subject, course): (&Subject, &Course)| self.innocents(subject) * (now - course.first);
        let wrong_micros = self.wrong_micros + self.courses.iter().map(held).sum::<u64>();
        let devices =
            self.caught.iter().filter(|subject| matches!(subject, Subject::Device(_))).count() as u64;
        [
            node_micros,
            sums.bytes,
            sums.datagrams,
            lost,
            sums.refused,
            sums.rounds,
            sums.detected,
            sums.seconded,
            sums.blocks,
            sums.expired,
            sums.overruled,
            sums.vetoed,
            sums.uncorroborated,
            devices,
            self.caught.len() as u64 - devices,
            spreads.len() as u64,
            at(500).unwrap_or(0),
            at(990).unwrap_or(0),
            at(1_000).unwrap_or(0),
            self.first_caught,
            self.last_everywhere,
            self.wrong_blocks,
            wrong_micros,
            self.lies,
            self.ups,
            self.downs,
            self.expulsions,
            self.census_changes,
        ]
        .map(|figure| figure as f64)
        .to_vec()
    }
}
