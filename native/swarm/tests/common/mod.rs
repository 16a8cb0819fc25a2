//! Many gateways in one process, over a network that delays, loses, doubles and cuts. Virtual time.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod scale;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use klais_swarm::{
    Action, Change, ClusterKeys, Event, Identity, Member, Observation, Peer, Roster, SigningSeed, Subject,
    Swarm, SwarmConfig,
};
use klais_units::{draw, scale};

pub const MILLI: u64 = 1_000;
pub const SECOND: u64 = 1_000_000;
pub const DEVICES: u32 = 10_000;
const WALL: u64 = 1_760_000_000 * SECOND;
const CLUSTER_KEY: [u8; 16] = *b"a cluster's key.";

/// What the network does to datagrams.
#[derive(Clone, Copy)]
pub struct Link {
    pub delay_micros: (u64, u64),
    pub loss_permille: u64,
    pub copies_permille: u64,
}

pub const LAN: Link = Link { delay_micros: (100, 400), loss_permille: 0, copies_permille: 0 };
/// A bad day.
pub const LOSSY: Link = Link { delay_micros: (200, 5_000), loss_permille: 20, copies_permille: 10 };

pub fn address(gateway: usize) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::from(0x0A4D_0000 + gateway as u32), 7_448))
}

pub fn signing_seed(gateway: usize) -> SigningSeed {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&(gateway as u64).to_be_bytes());
    SigningSeed::new(seed)
}

pub fn cluster_keys() -> ClusterKeys {
    ClusterKeys::new(CLUSTER_KEY, 1)
}

pub fn roster(gateways: usize) -> Arc<Roster> {
    let peer = |gateway: usize| Peer {
        gateway: gateway as u16,
        gossip: address(gateway),
        data: SocketAddr::new(address(gateway).ip(), 7_447),
        key: signing_seed(gateway).public_key(),
    };
    let peers: Vec<_> = (0..gateways).map(peer).collect();
    Arc::new(Roster::new(&peers).expect("a roster"))
}

struct Flight {
    to: usize,
    from: SocketAddr,
    bytes: Vec<u8>,
}

pub struct Net {
    pub now: u64,
    pub nodes: Vec<Option<Swarm>>,
    pub events: Vec<(usize, Event)>,
    /// What each node has blocked, and when.
    pub blocked: Vec<BTreeMap<Subject, u64>>,
    pub unblocked: Vec<(u64, usize, Subject)>,
    pub link: Link,
    /// Nodes of different groups do not hear each other.
    pub group: Vec<u8>,
    /// Pairs between which nothing passes, in either direction.
    cuts: BTreeSet<(usize, usize)>,
    /// Frozen nodes keep what comes, and do nothing.
    frozen: BTreeMap<usize, Vec<(SocketAddr, Vec<u8>)>>,
    pub sent_bytes: Vec<u64>,
    pub longest_datagram: usize,
    seed: u64,
    roster: Arc<Roster>,
    configure: fn(&mut SwarmConfig),
    flights: BTreeMap<(u64, u64), Flight>,
    deadlines: BTreeSet<(u64, usize)>,
    deadline_of: Vec<u64>,
    drawn: u64,
}

impl Net {
    pub fn new(gateways: usize, seed: u64, link: Link) -> Self {
        Self::with(gateways, seed, link, |_| {})
    }

    pub fn with(gateways: usize, seed: u64, link: Link, configure: fn(&mut SwarmConfig)) -> Self {
        let mut net = Self {
            now: SECOND,
            nodes: (0..gateways).map(|_| None).collect(),
            events: Vec::new(),
            blocked: vec![BTreeMap::new(); gateways],
            unblocked: Vec::new(),
            link,
            group: vec![0; gateways],
            cuts: BTreeSet::new(),
            frozen: BTreeMap::new(),
            sent_bytes: vec![0; gateways],
            longest_datagram: 0,
            seed,
            roster: roster(gateways),
            configure,
            flights: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            deadline_of: vec![u64::MAX; gateways],
            drawn: 0,
        };
        for gateway in 0..gateways {
            net.start(gateway);
        }
        net
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    fn chance(&mut self, bound: u64) -> u64 {
        self.drawn += 1;
        scale(draw(self.seed, 99, self.drawn, 0), bound)
    }

    /// A process begins; its wall clock is a little off.
    pub fn start(&mut self, gateway: usize) {
        let mut config =
            SwarmConfig::new(self.roster.clone(), cluster_keys(), signing_seed(gateway), DEVICES);
        config.detect.vouched_bits_log2 = 16;
        (self.configure)(&mut config);
        let skew = self.chance(100 * MILLI);
        let identity = Identity { gateway: gateway as u16, incarnation: WALL + self.now + skew };
        let swarm = Swarm::new(config, identity, draw(self.seed, gateway as u64, self.now, 1), self.now);
        self.nodes[gateway] = Some(swarm.expect("a configuration that works"));
        self.blocked[gateway].clear();
        self.collect(gateway);
    }

    /// A process dies.
    pub fn kill(&mut self, gateway: usize) {
        self.nodes[gateway] = None;
        self.reschedule(gateway);
    }

    /// A process is stopped, and its datagrams wait in the socket.
    pub fn freeze(&mut self, gateway: usize) {
        self.frozen.insert(gateway, Vec::new());
        self.reschedule(gateway);
    }

    pub fn thaw(&mut self, gateway: usize) {
        for (from, bytes) in self.frozen.remove(&gateway).unwrap_or_default() {
            self.deliver(gateway, from, &bytes);
        }
        if let Some(node) = &mut self.nodes[gateway] {
            node.poll(self.now);
        }
        self.collect(gateway);
    }

    pub fn cut(&mut self, one: usize, other: usize) {
        self.cuts.extend([(one, other), (other, one)]);
    }

    /// What a node knows of a gateway.
    pub fn member(&self, node: usize, gateway: usize) -> Member {
        let node = self.nodes[node].as_ref().expect("a living gateway");
        node.member(self.now, gateway as u16).expect("a gateway of the roster")
    }

    pub fn is_usable(&self, node: usize, gateway: usize) -> bool {
        self.member(node, gateway).usable
    }

    /// How often a node was told a change of a gateway.
    pub fn told_count(&self, node: usize, gateway: usize, change: Change) -> u64 {
        let of =
            |(n, e): &&(usize, Event)| *n == node && usize::from(e.gateway) == gateway && e.change == change;
        self.events.iter().filter(of).count() as u64
    }

    pub fn node(&mut self, gateway: usize) -> &mut Swarm {
        self.nodes[gateway].as_mut().expect("a living gateway")
    }

    pub fn observe(&mut self, gateway: usize, observation: Observation) {
        let now = self.now;
        self.node(gateway).observe(now, observation);
        self.collect(gateway);
    }

    /// Gives bytes to a node as if they came from `from`.
    pub fn deliver(&mut self, gateway: usize, from: SocketAddr, bytes: &[u8]) {
        if let Some(node) = &mut self.nodes[gateway] {
            let _ = node.handle(self.now, from, bytes);
            self.collect(gateway);
        }
    }

    pub fn run_for(&mut self, micros: u64) {
        self.run_until(self.now + micros);
    }

    pub fn run_until(&mut self, until: u64) {
        loop {
            let flight = self.flights.first_key_value().map_or(u64::MAX, |((at, _), _)| *at);
            let deadline = self.deadlines.first().map_or(u64::MAX, |(at, _)| *at);
            if flight.min(deadline) > until {
                break;
            }
            self.now = self.now.max(flight.min(deadline));
            if flight <= deadline {
                if let Some((_, flight)) = self.flights.pop_first() {
                    match self.frozen.get_mut(&flight.to) {
                        Some(waiting) => waiting.push((flight.from, flight.bytes)),
                        None => self.deliver(flight.to, flight.from, &flight.bytes),
                    }
                }
            } else if let Some((_, gateway)) = self.deadlines.first().copied() {
                let now = self.now;
                self.node(gateway).poll(now);
                let next = self.node(gateway).next_deadline();
                assert!(next > now, "gateway {gateway} spins at {now}");
                self.collect(gateway);
            }
        }
        self.now = until;
    }

    /// Until all living nodes of each group know each other, and nobody else.
    pub fn converge(&mut self, within: u64) {
        let until = self.now + within;
        while !self.is_converged() {
            assert!(self.now < until, "not converged");
            self.run_for(100 * MILLI);
        }
    }

    pub fn is_converged(&self) -> bool {
        let living = |gateway: usize| self.nodes[gateway].is_some() && !self.frozen.contains_key(&gateway);
        (0..self.len()).filter(|gateway| living(*gateway)).all(|gateway| {
            let Some(node) = &self.nodes[gateway] else { return true };
            node.members(self.now).all(|member| {
                let other = usize::from(member.gateway);
                let there = living(other) && self.group[other] == self.group[gateway];
                there == member.state.is_active() || other == gateway
            })
        })
    }

    fn collect(&mut self, gateway: usize) {
        let Some(node) = &mut self.nodes[gateway] else { return };
        let datagrams = node.take_datagrams();
        self.events.extend(node.take_events().into_iter().map(|event| (gateway, event)));
        for action in node.take_actions() {
            match action {
                Action::Block(subject) => {
                    assert!(self.blocked[gateway].insert(subject, self.now).is_none(), "blocked twice");
                }
                Action::Unblock(subject) => {
                    assert!(self.blocked[gateway].remove(&subject).is_some(), "was not blocked");
                    self.unblocked.push((self.now, gateway, subject));
                }
            }
        }
        for datagram in datagrams {
            self.sent_bytes[gateway] += datagram.bytes.len() as u64;
            self.longest_datagram = self.longest_datagram.max(datagram.bytes.len());
            self.fly(gateway, datagram.to, datagram.bytes);
        }
        self.reschedule(gateway);
    }

    pub fn fly(&mut self, gateway: usize, to: SocketAddr, bytes: Vec<u8>) {
        let SocketAddr::V4(to) = to else { return };
        let to = (u32::from(*to.ip()) - 0x0A4D_0000) as usize;
        if self.cuts.contains(&(gateway, to)) {
            return;
        }
        if self.group[to] != self.group[gateway] || self.chance(1_000) < self.link.loss_permille {
            return;
        }
        let copies = 1 + u64::from(self.chance(1_000) < self.link.copies_permille);
        for _ in 0..copies {
            let (least, most) = self.link.delay_micros;
            let at = self.now + least + self.chance(most - least + 1);
            self.drawn += 1;
            self.flights
                .insert((at, self.drawn), Flight { to, from: address(gateway), bytes: bytes.clone() });
        }
    }

    fn reschedule(&mut self, gateway: usize) {
        self.deadlines.remove(&(self.deadline_of[gateway], gateway));
        let frozen = self.frozen.contains_key(&gateway);
        let next = self.nodes[gateway].as_ref().filter(|_| !frozen).map_or(u64::MAX, Swarm::next_deadline);
        self.deadline_of[gateway] = next;
        if next < u64::MAX {
            self.deadlines.insert((next, gateway));
        }
    }

    /// When each of the others was told `change` of a gateway, at or after `since`.
    pub fn told(&self, gateway: usize, change: Change, since: u64) -> BTreeMap<usize, u64> {
        let mut told = BTreeMap::new();
        for (node, event) in &self.events {
            if usize::from(event.gateway) == gateway && event.change == change && event.at >= since {
                told.entry(*node).or_insert(event.at);
            }
        }
        told
    }
}

/// How many of something lie at or below this share, by rank.
pub fn quantile(values: &mut [u64], share: f64) -> u64 {
    values.sort_unstable();
    let rank = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len());
    values[rank - 1]
}

/// Three times the bound on gossip: log2 of the gateways, in rounds.
pub fn rounds_max(gateways: usize) -> f64 {
    // In thousandths, so that no platform's logarithm decides.
    let log2 = match gateways {
        3 => 1_585,
        1_000 => 9_966,
        other => 1_000 * other.ilog2(),
    };
    3.0 * f64::from(log2) / 1_000.0
}
