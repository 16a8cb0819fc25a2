//! The swarm as one struct.

mod tell;
mod view;

use alloc::vec::Vec;
use core::net::SocketAddr;

use klais_units::scale;

use crate::clock::WallClock;
use crate::codec::source_of;
use crate::damping::Damper;
use crate::detect::Detector;
use crate::membership::{Known, Membership};
use crate::random::Draws;
use crate::replay::Heard;
use crate::roster::canonical;
use crate::threat::{Action, Evidence, Local, Subject, Threats};
use crate::wire::{Head, Sealer, open, peek};
use crate::{
    ClusterKeys, Counters, Event, Identity, Level, Load, Observation, Refusal, SwarmConfig, SwarmError,
};

/// Datagrams that wait for the driver; what comes after them is lost, as on any network.
const OUTBOX_MAX: usize = 4_096;
/// Gateways that are called at a time.
const CALLS: usize = 2;
/// Calls are so many times as frequent while nobody has answered yet.
const LONELY_FACTOR: u64 = 10;

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Where to.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// What is kept of each gateway beside what foca knows.
#[derive(Clone, Copy, Debug, Default)]
struct Seat {
    heard: Heard,
    damper: Damper,
    /// `Up` was told, and no `Down` since.
    up: bool,
    /// `Held` was told, and no `Up` since.
    held: bool,
    /// Its load, and when it came.
    load: Option<(Load, u64)>,
    /// It holds other reports than this gateway.
    differs: bool,
}

/// One gateway's part in the swarm.
pub struct Swarm {
    config: SwarmConfig,
    own: usize,
    gateway: u16,
    clock: WallClock,
    membership: Membership,
    seats: Vec<Seat>,
    threats: Threats,
    detector: Detector,
    load: Load,
    draws: Draws,
    sequence: u64,
    last_gossip: u64,
    next_gossip: u64,
    next_call: u64,
    /// Somebody waits until he no longer counts as flapping.
    anybody_held: bool,
    outbox: Vec<Datagram>,
    events: Vec<Event>,
    counters: Counters,
}

impl Swarm {
    /// A gateway that knows the roster and has met nobody yet. It knocks at once. `seed` is for whom it asks and tells
    /// first, and for the hashes of its tables: nobody else should know it.
    ///
    /// # Errors
    /// A configuration that cannot work.
    pub fn new(config: SwarmConfig, identity: Identity, seed: u64, now: u64) -> Result<Self, SwarmError> {
        let own = config.check(identity.gateway)?;
        let key = config.signing_seed.signing_key();
        let gateway = identity.gateway;
        let mut draws = Draws::new(seed, u64::from(gateway) | 1 << 32);
        // So that gateways that start together do not talk at the same moments.
        let phase = scale(draws.next(), config.timing.gossip_interval_micros);
        Ok(Self {
            own,
            gateway,
            clock: WallClock::new(identity.incarnation, now),
            membership: Membership::new(&config, own, identity, seed, now),
            seats: alloc::vec![Seat::default(); config.roster.len()],
            threats: Threats::new(gateway, config.threats, config.detect.devices, key, &config.roster),
            detector: Detector::new(config.detect, seed, now)?,
            load: Load::default(),
            draws,
            sequence: 0,
            last_gossip: 0,
            next_gossip: now.saturating_add(phase),
            next_call: now,
            anybody_held: false,
            outbox: Vec::new(),
            events: Vec::new(),
            counters: Counters::default(),
            config,
        })
    }

    /// Takes in a datagram of the gossip socket, which came from `from`. Any bytes at all: what is not good is counted.
    ///
    /// # Errors
    /// Why nothing, or not all of it, was taken.
    pub fn handle(&mut self, now: u64, from: SocketAddr, bytes: &[u8]) -> Result<(), Refusal> {
        self.wake(now);
        let taken = self.receive(now, from, bytes);
        match taken {
            Ok(()) => self.counters.received += 1,
            Err(refusal) => self.counters.refused[refusal as usize] += 1,
        }
        self.finish(now);
        taken
    }

    fn receive(&mut self, now: u64, from: SocketAddr, bytes: &[u8]) -> Result<(), Refusal> {
        let sender = peek(bytes)?;
        let roster = self.config.roster.clone();
        let seat = roster.seat_of(sender).filter(|seat| *seat != self.own).ok_or(Refusal::Sender)?;
        if roster.peer(seat).is_none_or(|peer| peer.gossip != canonical(from)) {
            return Err(Refusal::Address);
        }
        let opened = open(bytes, &self.config.cluster_keys)?;
        let head = opened.head;
        if head.to != self.gateway {
            return Err(Refusal::Misdirected);
        }
        if source_of(opened.membership) != Some((sender, head.from_incarnation)) {
            return Err(Refusal::Field);
        }
        if !self.seats[seat].heard.is_new(head.from_incarnation, head.sequence) {
            return Err(Refusal::Replayed);
        }
        if self.membership.outdo(now, head.to_incarnation) {
            return Ok(());
        }
        // A datagram to an earlier process may be an old one.
        if head.to_incarnation == self.membership.identity().incarnation {
            self.seats[seat].load = Some((head.load, now));
        }
        let wall = self.clock.at(now);
        let membership = opened.membership;
        for report in opened.reports() {
            for subject in self.threats.take(wall, report, &roster).unwrap_or_default() {
                let local = self.detector.local(&subject);
                self.threats.judge(wall, subject, local);
            }
        }
        self.seats[seat].differs = head.digest != self.threats.relay.digest();
        self.membership.receive(now, membership)
    }

    /// Does what is due up to and including `now`. To be called when [`Swarm::next_deadline`] comes, after all datagrams
    /// that wait were handled.
    pub fn poll(&mut self, now: u64) {
        self.wake(now);
        self.membership.poll(now);
        self.threats.poll(self.clock.at(now), &self.config.roster);
        self.detector.poll(now);
        // What it finds is news.
        self.tell_changes(now);
        if now >= self.gossip_due() {
            self.last_gossip = now;
            self.next_gossip = now.saturating_add(self.config.timing.gossip_interval_micros);
            self.counters.rounds += 1;
            self.membership.gossip(now);
        }
        if now >= self.next_call {
            let lonely = !self.membership.is_connected() && self.config.roster.len() > 1;
            let interval = self.config.timing.call_interval_micros;
            self.next_call = now.saturating_add(if lonely { interval / LONELY_FACTOR + 1 } else { interval });
            self.call_the_absent(now);
        }
        self.finish(now);
    }

    /// When [`Swarm::poll`] has something to do next.
    #[must_use]
    pub fn next_deadline(&self) -> u64 {
        let threats = self.threats.next_deadline().map_or(u64::MAX, |wall| self.clock.when(wall));
        [
            self.membership.next_deadline(),
            self.gossip_due(),
            self.next_call,
            self.detector.next_deadline(),
            threats,
        ]
        .into_iter()
        .fold(u64::MAX, u64::min)
    }

    /// The next round, or earlier if there is news.
    fn gossip_due(&self) -> u64 {
        let early = self.last_gossip.saturating_add(self.config.timing.news_interval_micros);
        if self.threats.relay.has_news() || self.membership.has_news() {
            self.next_gossip.min(early)
        } else {
            self.next_gossip
        }
    }

    /// Takes the datagrams to send.
    pub fn take_datagrams(&mut self) -> Vec<Datagram> {
        core::mem::take(&mut self.outbox)
    }

    /// Takes the changes of members, in the order in which they were noticed.
    pub fn take_events(&mut self) -> Vec<Event> {
        core::mem::take(&mut self.events)
    }

    /// Takes what the dam is to do, in order.
    pub fn take_actions(&mut self) -> Vec<Action> {
        core::mem::take(&mut self.threats.actions)
    }

    /// What is told of this gateway's load from now on.
    pub fn set_load(&mut self, load: Load) {
        self.load = load;
    }

    /// Takes in what the gateway has seen.
    pub fn observe(&mut self, now: u64, observation: Observation) {
        for (subject, level) in self.detector.observe(observation).into_iter().flatten() {
            self.alarm(now, subject, level);
        }
    }

    fn alarm(&mut self, now: u64, subject: Subject, level: Level) {
        let wall = self.clock.at(now);
        if self.threats.table.is_held(&subject) {
            return;
        }
        let local = self.detector.local(&subject);
        if level == Level::Strong {
            self.threats.counters.detected += 1;
            self.threats.accuse(wall, subject, local.evidence);
        } else if self.threats.table.is_accused(&subject) {
            // Others saw it first.
            self.threats.judge(wall, subject, Local { level, ..local });
        }
    }

    /// The operator accuses a subject: it is blocked here at once, and reported.
    pub fn accuse(&mut self, now: u64, subject: Subject) {
        self.threats.accuse(self.clock.at(now), subject, Evidence::SAID);
    }

    /// The operator pardons a subject for `micros`: it is blocked here no more, and this gateway takes back what it said.
    /// Whether there was room to remember it.
    pub fn pardon(&mut self, now: u64, subject: Subject, micros: u64) -> bool {
        let wall = self.clock.at(now);
        self.threats.pardon(wall, subject, wall.saturating_add(micros))
    }

    /// Makes another cluster key the present one, see [`ClusterKeys::rotate`].
    pub fn rotate_cluster_key(&mut self, key: [u8; 16], epoch: u8) {
        self.config.cluster_keys.rotate(key, epoch);
    }

    /// The keys as they are now.
    #[must_use]
    pub fn cluster_keys(&self) -> &ClusterKeys {
        &self.config.cluster_keys
    }

    /// Tells a few members that this gateway ends, so that nobody need find out. Afterwards it takes no part any more.
    pub fn leave(&mut self, now: u64) {
        self.membership.leave(now);
        self.finish(now);
    }

    fn wake(&mut self, now: u64) {
        self.counters.stalls += u64::from(self.membership.wake(now));
    }

    fn call_the_absent(&mut self, now: u64) {
        let absent =
            |(seat, known): (usize, &Known)| (seat != self.own && !known.state.is_active()).then_some(seat);
        let mut absent: Vec<_> = self.membership.known().iter().enumerate().filter_map(absent).collect();
        for _ in 0..CALLS.min(absent.len()) {
            let place = scale(self.draws.next(), absent.len() as u64) as usize;
            self.membership.call(now, absent.swap_remove(place));
        }
    }

    /// Tells what has changed, and seals what is to be sent.
    fn finish(&mut self, now: u64) {
        self.tell_changes(now);
        if self.anybody_held {
            self.anybody_held = false;
            for seat in 0..self.seats.len() {
                self.let_up(now, seat);
            }
        }
        while let Some((to, message)) = self.membership.next_message() {
            self.send(to, &message);
        }
        self.membership.expect(self.next_deadline());
    }

    fn send(&mut self, to: Identity, message: &[u8]) {
        let roster = self.config.roster.clone();
        let Some(seat) = roster.seat_of(to.gateway) else { return };
        let Some(peer) = roster.peer(seat) else { return };
        if self.outbox.len() >= OUTBOX_MAX {
            self.counters.unsent += 1;
            return;
        }
        self.sequence += 1;
        let from = self.membership.identity();
        let head = Head {
            from: self.gateway,
            to: to.gateway,
            from_incarnation: from.incarnation,
            to_incarnation: self.membership.known()[seat].incarnation.max(to.incarnation),
            sequence: self.sequence,
            digest: self.threats.relay.digest(),
            load: self.load,
        };
        let Some(mut sealer) = Sealer::new(&head, self.config.cluster_keys.epoch(), message) else { return };
        let lacks_some = core::mem::take(&mut self.seats[seat].differs);
        self.threats.relay.fill(&mut sealer, to.gateway, lacks_some);
        let bytes = sealer.seal(&self.config.cluster_keys);
        self.counters.sent += 1;
        self.counters.sent_bytes += bytes.len() as u64;
        self.outbox.push(Datagram { to: peer.gossip, bytes });
    }
}
